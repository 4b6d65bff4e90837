"""Runs an attribution model on paths from a file, without a database."""

import csv
import json
import re
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campaigns import credit
from campaigns.credit import JourneyPath

SEPARATOR = ">"
REQUIRED = ["path", "total_conversions"]
NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?")
"""Counts as spreadsheets write them; what is longer could keep a machine busy for hours."""


class Command(BaseCommand):
    """Credit channels with the conversions of a CSV file of paths; needs no database."""

    help = (
        "Print, as JSON, the conversions that a model credits to each channel. The file has the"
        " columns path (channels separated by >), total_conversions and, for markov,"
        " total_null."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file and the model."""
        parser.add_argument("--paths", required=True, type=Path, metavar="FILE.csv")
        parser.add_argument("--model", required=True, choices=credit.MODELS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Compute and print.

        Raises:
            CommandError: the file is not there or is no file of paths; exit code 2.
        """
        model = options["model"]
        required = [*REQUIRED, "total_null"] if model == "markov" else REQUIRED
        try:
            with options["paths"].open(encoding="utf-8-sig", newline="") as file:
                paths = list(_paths(file, required))
        except (OSError, ValueError, csv.Error) as fault:
            message = f"{options['paths']} is no file of paths: {fault}"
            raise CommandError(message, returncode=2) from None
        found = credit.attribute(paths, model)
        answer: dict[str, Any] = {"model": model, "conversions": dict(found.conversions)}
        if found.removal_effects is not None:
            answer["removal_effects"] = dict(found.removal_effects)
        self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2))


def _paths(file: Any, required: list[str]) -> Iterator[JourneyPath]:
    reader = csv.DictReader(file, strict=True)
    reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
    missing = [name for name in required if name not in reader.fieldnames]
    if missing:
        raise ValueError(f"there is no column {', '.join(missing)}")
    for row in reader:
        try:
            yield JourneyPath(
                channels=_channels(row["path"]),
                conversions=_count(row, "total_conversions"),
                nulls=_count(row, "total_null"),
            )
        except ValueError as fault:
            raise ValueError(f"line {reader.line_num}: {fault}") from None


def _channels(text: str | None) -> tuple[str, ...]:
    channels = tuple(part.strip() for part in (text or "").split(SEPARATOR))
    if not all(channels):
        raise ValueError("a path names at least one channel, and no empty one")
    return channels


def _count(row: Mapping[str, str | None], column: str) -> Fraction:
    if column not in row:
        return Fraction(0)
    text = (row[column] or "").strip()
    if not NUMBER.fullmatch(text):
        raise ValueError(f"{column} is not a number from 0 on: {text[:40]!r}")
    return Fraction(text)
