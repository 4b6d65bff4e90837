"""Fills an empty database with the demo chain and half a year of its life."""

import time
from argparse import ArgumentParser
from datetime import date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from campaigns import months
from shop.models import Member, Order
from shop.storefront.demo import season
from shop.storefront.demo.season import Season
from shop.storefront.rollups import upkeep

BAR = "{desc} {bar:40} {n_fmt}/{total_fmt} {elapsed}"
AFTERNOON = 15
"""The hour at which the demo of another day than today stands still."""


class Command(BaseCommand):
    """Make the demo."""

    help = "Fill an empty database with the demo chain: stores, menu, staff, half a year of orders."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the size and the day of the demo."""
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing where there are members or orders"
        )
        parser.add_argument(
            "--small", action="store_true", help="only the opening, with a tenth of the people"
        )
        parser.add_argument(
            "--today", type=date.fromisoformat, help="last day of the demo (YYYY-MM-DD)"
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
        settings.DEBUG = False  # or else Django keeps the text of every statement of this process
        started = time.perf_counter()
        self._play(_season(options["today"], is_small=options["small"]))
        months.make_ahead(now=timezone.now())
        upkeep.refresh()
        self.stdout.write(
            f"Made {Member.objects.count()} members and {Order.objects.count()} orders"
            f" in {time.perf_counter() - started:.0f} s."
        )

    def _play(self, wanted: Season) -> None:
        for part, steps in groupby(season.play(wanted), key=lambda step: step.part):
            with tqdm(desc=f"{part:<10}", bar_format=BAR) as bar:
                for step in steps:
                    bar.total = step.total
                    bar.update(step.done - bar.n)


def _season(today: date | None, *, is_small: bool) -> Season:
    now = timezone.now()
    if today is not None:
        zone = ZoneInfo(settings.TIME_ZONE)
        now = datetime.combine(today, datetime.min.time(), tzinfo=zone).replace(hour=AFTERNOON)
    return Season(now=now, is_small=is_small)
