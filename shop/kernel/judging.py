"""The command that both engines are judged by: cases with known answers, one verdict each."""

import sys
from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from shop.kernel.cases import Case, NoFileOfCases, Outcome, Verdict, read

SOME_FAILED, SOME_UNREADABLE = 1, 2


class JudgingCommand(ABC, BaseCommand):
    """Judge every case of some files; needs neither a database nor a network.

    The exit code is 1 if a case comes out otherwise, 2 if a file or a case cannot be read; what
    can be read is judged all the same.
    """

    requires_system_checks = []

    @abstractmethod
    def judge(self, case: Case) -> Verdict:
        """Say how one case comes out by our rules."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the files."""
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Judge every case that can be read, print, and exit."""
        counts: Counter[Outcome] = Counter()
        is_readable = True
        for path in options["files"]:
            try:
                cases = read(path)
            except NoFileOfCases as fault:
                self.stderr.write(f"{path} is no file of cases: {fault}")
                is_readable = False
                continue
            for case in cases:
                verdict = self.judge(case)
                counts[verdict.outcome] += 1
                is_readable &= verdict.is_judged
                self._print(verdict)
        self.stdout.write(", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome))
        if not is_readable:
            sys.exit(SOME_UNREADABLE)
        if counts[Outcome.FAILED]:
            sys.exit(SOME_FAILED)

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
