"""Takes over the points of another system from a CSV file; run again, it adds nothing."""

import csv
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from shop.kernel.errors import DomainError
from shop.models import Staff
from shop.storefront import point_imports
from shop.storefront.point_imports import Line, LineUnusable

PERMISSION = "loyalty.add_pointsentry"


class Command(BaseCommand):
    """Take over each line that can be; say which cannot and why."""

    help = (
        "Take over points from a CSV file with the columns member (phone, id, or system:number),"
        " points, reference, and perhaps wallet (points or qualifying) and expires_on. Each"
        " reference counts once per member. Exit 1 if a line could not be taken over."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file and who answers for it."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", required=True, metavar="USERNAME", help="who answers for it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take over line by line, each in its own transaction.

        Raises:
            CommandError: the file or the person cannot be used.
        """
        person = Staff.objects.filter(username=options["by"], is_active=True).first()
        if person is None or not (person.has_perm(PERMISSION) and person.covers_all_stores):
            raise CommandError(f"{options['by']} may not give points to every member.")
        counts = {"taken": 0, "before": 0, "refused": 0}
        try:
            with options["file"].open(encoding="utf-8-sig", newline="") as text:
                for found in tqdm(point_imports.read(text), unit=" lines", disable=None):
                    counts[self._take(found, actor=f"staff:{person.pk}")] += 1
        except (OSError, UnicodeDecodeError, csv.Error) as fault:
            raise CommandError(f"{options['file']}: {fault}") from fault
        except LineUnusable as fault:
            raise CommandError(f"{options['file']}: {fault}") from fault
        self.stdout.write(
            f"{counts['taken']} taken over, {counts['before']} had been before,"
            f" {counts['refused']} refused"
        )
        if counts["refused"]:
            sys.exit(1)

    def _take(self, found: Line | tuple[int, str], *, actor: str) -> str:
        if not isinstance(found, Line):
            number, why = found
            self.stderr.write(f"line {number}: {why}")
            return "refused"
        try:
            is_first = point_imports.take_over(found, actor=actor, now=timezone.now())
        except LineUnusable as fault:
            self.stderr.write(f"line {found.number}: {fault}")
            return "refused"
        except DomainError as refusal:
            self.stderr.write(f"line {found.number}: {refusal.detail or refusal.title}")
            return "refused"
        return "taken" if is_first else "before"
