"""Prices carts of other shop systems by our rules, and says where we differ."""

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from campaigns.price_cases import Case, Outcome, Verdict, judge


class Command(BaseCommand):
    """Judge every case of the files; needs neither a database nor a network."""

    help = (
        "Price the cases of JSON files with our default rules. Exit 1 if one of them comes out"
        " otherwise, 2 if a file or a case cannot be read."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the files."""
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Judge every case that can be read, print, and exit."""
        counts: Counter[Outcome] = Counter()
        is_readable = True
        for path in options["files"]:
            try:
                cases = _cases(path)
            except (OSError, ValueError, KeyError, TypeError, RecursionError) as fault:
                self.stderr.write(f"{path} is no file of cases: {fault}")
                is_readable = False
                continue
            for case in cases:
                verdict = judge(case)
                counts[verdict.outcome] += 1
                is_readable &= verdict.is_judged
                self._print(verdict)
        self.stdout.write(", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome))
        if not is_readable:
            sys.exit(2)
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
        if not verdict.is_judged:
            self.stdout.write(f"{verdict.id}: {verdict.why}")


def _cases(path: Path) -> list[Case]:
    data = json.loads(path.read_text(encoding="utf-8"))
    cases = data["cases"] if isinstance(data, dict) else data
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise TypeError("cases must be a list of objects")
    return cases
