"""Prices carts of other shop systems by our rules, and says where we differ."""

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campaigns.price_cases import Case, Outcome, Verdict, judge


class Command(BaseCommand):
    """Judge every case of the files; needs neither a database nor a network."""

    help = "Price the cases of JSON files with our default rules; exit 1 if one of them fails."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the files."""
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Judge, print, and exit.

        Raises:
            CommandError: a file is not there or is no file of cases.
        """
        counts: Counter[Outcome] = Counter()
        for path in options["files"]:
            for case in _cases(path):
                verdict = judge(case)
                counts[verdict.outcome] += 1
                self._print(verdict)
        self.stdout.write(", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome))
        if counts[Outcome.FAILED]:
            sys.exit(1)

    def _print(self, verdict: Verdict) -> None:
        if verdict.outcome is Outcome.SKIPPED:
            self.stdout.write(f"{verdict.id}: skipped, the source has another rule: {verdict.why}")
        for found in verdict.mismatches:
            self.stdout.write(
                f"{verdict.id}: {found.what}: expected {found.expected}, got {found.got}"
                f" – {verdict.why}"
            )
        if verdict.outcome is Outcome.FAILED and not verdict.mismatches:
            self.stdout.write(f"{verdict.id}: {verdict.why}")


def _cases(path: Path) -> list[Case]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        cases = data["cases"] if isinstance(data, dict) else data
        if not all(isinstance(case, dict) for case in cases):
            raise TypeError("a case must be an object")
        return list(cases)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise CommandError(f"{path} is no file of cases: {fault}") from None
