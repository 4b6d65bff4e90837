"""Who changed what about a row, from what to what; kept in Django's own log of the back office."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext

SHOWN = 30
Difference = tuple[str, str, str]
"""A field's name, and what it was before and is now, as texts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One change by one person."""

    at: datetime
    who: str
    what: str
    differences: Sequence[Difference]


def differences_of(form: Any) -> list[Difference]:
    """Return what a form changed; what was empty before and is now is no change."""
    found = []
    for name in form.changed_data:
        if name not in form.fields:
            continue
        before = text(form.fields[name].prepare_value(form.initial.get(name)))
        after = text(form.fields[name].prepare_value(form.cleaned_data.get(name)))
        if before != after:
            found.append((str(name), before, after))
    return found


def message(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """Return the log's message, which Django's own history page can read too."""
    names = [name for name, _before, _after in differences]
    return [{"changed": {"fields": names, "differences": list(differences)}}]


def note_move(page: Any, request: HttpRequest, row: Any, *, before: str) -> None:
    """Note that a button moved a row from one status to another."""
    row.refresh_from_db(fields=["status"])
    page.log_change(request, row, message([("status", before, row.status)]))


def changes_of(row: Model) -> list[Change]:
    """Return the latest changes of a row, the newest first."""
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk)
    )
    entries = entries.select_related("user").order_by("-action_time", "-pk")
    return [
        Change(
            at=entry.action_time,
            who=entry.user.get_username(),
            what=entry.get_change_message(),
            differences=[
                (_label(row, name), before, after) for name, before, after in _noted(entry)
            ],
        )
        for entry in entries[:SHOWN]
    ]


def text(value: Any) -> str:
    """Return a value as people read it."""
    if value in (None, "", []):
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(text(each) for each in value)
    return str(value)


def _noted(entry: LogEntry) -> list[Difference]:
    try:
        parts = json.loads(entry.change_message)
    except ValueError:
        return []
    if not isinstance(parts, list):
        return []
    return [tuple(d) for part in parts for d in part.get("changed", {}).get("differences", [])]


def _label(row: Model, name: str) -> str:
    columns = {field.name: field for field in row._meta.concrete_fields}
    return str(columns[name].verbose_name) if name in columns else name
