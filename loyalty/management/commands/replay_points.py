"""Replays points cases of other systems through our rules, and says where we differ."""

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from loyalty.points_cases import Case, Outcome, Verdict, judge

MALFORMED = 2


class Command(BaseCommand):
    """Judge every case of the files; needs neither a database nor a network."""

    help = (
        "Replay the cases of JSON files through the rules of the points ledger; exit 1 if one of"
        " them fails, 2 if a file cannot be read."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the files."""
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Read everything, then judge, print, and exit.

        Raises:
            CommandError: a file is not there or is no file of cases.
        """
        counts: Counter[Outcome] = Counter()
        for case in [case for path in options["files"] for case in _cases(path)]:
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
        if not isinstance(cases, list):
            raise TypeError("the cases are no list")
        if not all(isinstance(case, dict) for case in cases):
            raise TypeError("a case must be an object")
    except KeyError as missing:
        raise _malformed(path, f"it has no {missing}") from None
    except (OSError, ValueError, TypeError, RecursionError) as fault:
        raise _malformed(path, fault) from None
    return cases


def _malformed(path: Path, fault: object) -> CommandError:
    return CommandError(f"{path} is no file of cases: {fault}", returncode=MALFORMED)
