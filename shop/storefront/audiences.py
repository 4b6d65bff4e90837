"""Audiences: the members that an issue goes to, by what is known of them. Reads only."""

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, QuerySet

from loyalty.models import Visit
from shop.kernel.clock import chain_day
from shop.models import Member

SAMPLE = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """Who is meant; all that is named must hold, and what is empty is not asked.

    Of several tiers, channels, stores, cities or members one is enough. `stores` are home stores,
    `cities` those of home stores;
    `not_seen_for_days` are members whose last visit is so long ago (those without one are not in).
    """

    tiers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What an audience is, without saying who: how many, in which tiers, and a few examples.

    `sample` are members picked by their random ids, each with the codes of tier and home store and
    the day on which they joined; the same ones when asked again.
    """

    members: int
    tiers: dict[str, int]
    sample: list[dict[str, Any]]


def members_of(audience: Audience, *, now: datetime) -> QuerySet[Member]:
    """Return the active members who are meant, as of now."""
    rows = Member.objects.filter(status=Member.Status.ACTIVE)
    asked = {
        "membership__tier__code__in": audience.tiers,
        "acquisition__channel__code__in": audience.channels,
        "store__code__in": audience.stores,
        "store__city__in": audience.cities,
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


def preview(audience: Audience, *, now: datetime) -> Preview:
    """Return what an audience is, for who decides whether it is the one that was meant."""
    rows = members_of(audience, now=now)
    by_tier = rows.order_by("membership__tier__level").values_list("membership__tier__code")
    tiers = dict(by_tier.annotate(members=Count("pk")))
    picked = rows.order_by("public_id").values(
        "joined_at", tier=F("membership__tier__code"), store_code=F("store__code")
    )
    return Preview(
        members=sum(tiers.values()),
        tiers=tiers,
        sample=[
            {
                "tier": row["tier"],
                "store": row["store_code"],
                "joined_on": chain_day(row["joined_at"]),
            }
            for row in picked[:SAMPLE]
        ],
    )
