"""Audiences: the members that an issue goes to, by what is known of them. Reads only."""

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from loyalty.models import Visit
from shop.models import Member


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """Who is meant; all that is named must hold, and what is empty is not asked.

    Of several tiers, channels, stores or members one is enough. `stores` are home stores;
    `not_seen_for_days` are members whose last visit is so long ago (those without one are not in).
    """

    tiers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    joined_within_days: int | None = None
    joined_before: datetime | None = None
    not_seen_for_days: int | None = None
    birthday_month: int | None = None
    members: tuple[UUID, ...] = ()
    of_stores: tuple[int, ...] | None = field(default=None)
    """The ids of the stores whose members the asker may address; None is every store."""

    def as_json(self) -> dict[str, Any]:
        """Return the audience as a job keeps it."""
        plain: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, datetime):
                plain[each.name] = value.isoformat()
            elif isinstance(value, tuple):
                plain[each.name] = [str(v) if isinstance(v, UUID) else v for v in value]
            else:
                plain[each.name] = value
        return plain


def from_json(data: dict[str, Any]) -> Audience:
    """Return the audience that a job keeps."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
    }
    if values.get("joined_before"):
        values["joined_before"] = datetime.fromisoformat(values["joined_before"])
    values["members"] = tuple(UUID(member) for member in values.get("members") or ())
    return Audience(**values)


def members_of(audience: Audience, *, now: datetime) -> QuerySet[Member]:
    """Return the active members who are meant, as of now."""
    rows = Member.objects.filter(status=Member.Status.ACTIVE)
    asked = {
        "membership__tier__code__in": audience.tiers,
        "acquisition__channel__code__in": audience.channels,
        "store__code__in": audience.stores,
        "public_id__in": audience.members,
        "birthday__month": audience.birthday_month,
        "joined_at__lt": audience.joined_before,
    }
    rows = rows.filter(**{lookup: value for lookup, value in asked.items() if value})
    if audience.of_stores is not None:
        rows = rows.filter(store_id__in=audience.of_stores)
    if audience.joined_within_days is not None:
        rows = rows.filter(joined_at__gt=now - timedelta(days=audience.joined_within_days))
    if audience.not_seen_for_days is not None:
        since = now - timedelta(days=audience.not_seen_for_days)
        visits = Visit.objects.filter(member=OuterRef("pk"), reversed_at=None)
        rows = rows.filter(Exists(visits), ~Exists(visits.filter(visited_at__gt=since)))
    return rows


def count(audience: Audience, *, now: datetime) -> int:
    """Return how many members are meant."""
    return members_of(audience, now=now).count()
