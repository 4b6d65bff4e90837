"""Fills an empty database with the demo chain and half a year of its life."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from shop.models import Member, Order
from shop.storefront.demo import chain, people


class Command(BaseCommand):
    """Make the demo."""

    help = "Fill an empty database with the demo chain: stores, menu, staff, half a year of orders."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the size and the day of the demo."""
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing where there are members or orders"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the demo.

        Raises:
            CommandError: this is no demo, or the database is in use.
        """
        if not settings.DEMO:
            raise CommandError("Demo data is refused here: DEMO is off.")
        if Member.objects.exists() or Order.objects.exists():
            if options["if_empty"]:
                return
            raise CommandError("There are members or orders already; the demo needs an empty shop.")
        with transaction.atomic():
            chain.load()
            people.load(now=timezone.now())
