"""Checks that the database is true to itself; the exit code says whether it is."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from shop.storefront.invariants import suite


class Command(BaseCommand):
    """Print every check as JSON to stdout, and a summary for people to stderr."""

    help = "Check every invariant over one read-only snapshot; exit 1 if one is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take nothing."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, print, and exit."""
        report = suite.check_all(now=timezone.now())
        self.stdout.write(json.dumps(suite.as_dict(report), ensure_ascii=False, indent=2))
        for finding in report.broken:
            self.stderr.write(f"{finding.id} {finding.name}: {finding.violations} violations")
        self.stderr.write(
            f"{len(report.findings)} checks in {report.seconds:.1f} s, {len(report.broken)} broken"
        )
        if report.broken:
            sys.exit(1)
