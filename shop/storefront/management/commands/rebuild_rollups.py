"""Adds up the roll-ups anew from the facts; may be stopped and run again at any time."""

from argparse import ArgumentParser
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Max, Min

from shop.models import Order
from shop.storefront.rollups import upkeep


class Command(BaseCommand):
    """Mark the days, then take in all marks; what is left after a kill, the next run takes in."""

    help = "Add up the roll-ups of these business days (default: all) anew from the facts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the first day, and the first day that is not meant."""
        parser.add_argument("--from", dest="since", type=date.fromisoformat, help="YYYY-MM-DD")
        parser.add_argument("--to", dest="until", type=date.fromisoformat, help="exclusive")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild.

        Raises:
            CommandError: the days are in the wrong order.
        """
        days = Order.objects.aggregate(first=Min("business_date"), last=Max("business_date"))
        since = options["since"] or days["first"]
        until = options["until"] or (days["last"] and days["last"] + timedelta(days=1))
        if since is not None and until is not None:
            if since >= until:
                raise CommandError("--from must be before --to")
            upkeep.mark_days(since=since, until=until)
        taken = upkeep.refresh()
        upkeep.renew_months()
        self.stdout.write(f"took in {taken} changes")
