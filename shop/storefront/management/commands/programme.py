"""The loyalty programme as a file: export it, plan a change, apply it."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty.models import ProgrammeChange
from shop.kernel.errors import InvalidInput
from shop.models import Staff
from shop.storefront import programme_changes, programme_files
from shop.storefront.programme_changes import Plan
from shop.storefront.programme_files import Document, FileUnreadable

UNUSABLE, CHANGES = 1, 2
PERMISSION = "loyalty.change_loyaltyprogramme"


class Command(BaseCommand):
    """Export, plan, apply."""

    help = (
        "Keep tiers, earning rules, benefits, paid plans and settings as a file. plan exits 0"
        " where nothing would change and 2 where something would; 1: the file cannot be used."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to do, with which file, and for apply in whose name."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        export = verbs.add_parser("export", help="write the programme, or what it was before")
        export.add_argument("file", nargs="?", type=Path, help="default: standard output")
        export.add_argument("--format", choices=["yaml", "json"], help="default: as the file ends")
        export.add_argument("--before", type=int, metavar="CHANGE", help="number of a change")
        plan = verbs.add_parser("plan", help="show what would change, and who would move")
        plan.add_argument("file", type=Path)
        apply = verbs.add_parser("apply", help="change all of it, or nothing")
        apply.add_argument("file", type=Path)
        apply.add_argument("--by", required=True, metavar="USERNAME", help="who answers for it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it.

        Raises:
            CommandError
        """
        verbs = {"export": self._export, "plan": self._plan, "apply": self._apply}
        verbs[options["verb"]](options)

    def _export(self, options: dict[str, Any]) -> None:
        path: Path | None = options["file"]
        number = options["before"]
        data = programme_changes.export(now=timezone.now())
        if number is not None:
            change = ProgrammeChange.objects.filter(pk=number).first()
            if change is None:
                raise CommandError(f"There is no change {number}.", returncode=UNUSABLE)
            data = change.before
        named = options["format"] or ("json" if path and path.suffix == ".json" else "yaml")
        text = programme_files.write(data, is_json=named == "json")
        if path is None:
            self.stdout.write(text, ending="")
        else:
            path.write_text(text, encoding="utf-8")

    def _plan(self, options: dict[str, Any]) -> None:
        path = options["file"]
        document = _document(path)
        try:
            found = programme_changes.plan(document.data, actor="plan", now=timezone.now())
        except InvalidInput as refusal:
            raise _unusable(path, document, refusal) from refusal
        self._print(found)
        if found.changes:
            sys.exit(CHANGES)

    def _apply(self, options: dict[str, Any]) -> None:
        path = options["file"]
        document = _document(path)
        actor = f"staff:{_staff(options['by']).pk}"
        try:
            change = programme_changes.apply(document.data, actor=actor, now=timezone.now())
        except InvalidInput as refusal:
            raise _unusable(path, document, refusal) from refusal
        if change is None:
            self.stdout.write("Nothing to change.")
        else:
            self.stdout.write(f"Change {change.pk}: {len(change.changes)} values.")

    def _print(self, found: Plan) -> None:
        for change in found.changes:
            self.stdout.write(
                f"{change['where']}: {change['field']}: {change['from']!r} -> {change['to']!r}"
            )
        for move in found.moves:
            when = "at the end of their period" if move["reason"] == "later" else "at once"
            self.stdout.write(
                f"{move['members']} members {move['from_tier']} -> {move['to_tier']} {when}"
            )
        self.stdout.write(f"{len(found.changes)} values would change.")


def _document(path: Path) -> Document:
    try:
        return programme_files.read(path.read_text(encoding="utf-8"))
    except FileUnreadable as fault:
        raise CommandError(f"{path}:{fault.line}: {fault.detail}", returncode=UNUSABLE) from fault
    except (OSError, UnicodeDecodeError) as fault:
        raise CommandError(f"{path}: {fault}", returncode=UNUSABLE) from fault


def _staff(username: str) -> Staff:
    """Return who answers for a change.

    Raises:
        CommandError: nobody of that name may change the programme.
    """
    person = Staff.objects.filter(username=username, is_active=True).first()
    if person is None or not (person.has_perm(PERMISSION) and person.covers_all_stores):
        raise CommandError(f"{username} may not change the programme.", returncode=UNUSABLE)
    return person


def _unusable(path: Path, document: Document, refusal: InvalidInput) -> CommandError:
    found = [
        f"{path}:{document.line_of(error['pointer'])}: {error['pointer'] or '/'}: {error['detail']}"
        for error in refusal.members["errors"]
    ]
    return CommandError("\n".join(found), returncode=UNUSABLE)
