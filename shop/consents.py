"""What members agreed to. The only module that writes consents."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from shop.kernel import outbox
from shop.models import Consent

Purpose = Consent.Purpose


@dataclass(frozen=True, kw_only=True, slots=True)
class Stand:
    """Where a member stands with a purpose; `since` is when they last said so."""

    purpose: str
    is_given: bool
    version: str
    since: datetime | None


@transaction.atomic(savepoint=False)
def record(
    member_id: int, *, purpose: str, is_given: bool, version: str, source: str, now: datetime
) -> Consent:
    """Write down that a member agreed, or took it back; what they said before stays readable.

    Who agrees is told on by the outbox, to those who were waiting for it.
    """
    consent = Consent.objects.create(
        member_id=member_id,
        purpose=purpose,
        is_given=is_given,
        version=version,
        source=source,
        recorded_at=now,
    )
    if is_given:
        payload = {"member": member_id, "purpose": purpose}
        outbox.add("consent.given", key=f"consent:{consent.pk}", payload=payload, now=now)
    return consent


def holds(member_id: int, purpose: str) -> bool:
    """Tell whether a member agrees to a purpose at this moment."""
    newest = Consent.objects.filter(member_id=member_id, purpose=purpose).order_by("-pk")
    return newest.values_list("is_given", flat=True).first() is True


def stands(member_id: int) -> list[Stand]:
    """Return where a member stands with every purpose there is."""
    newest = (
        Consent.objects.filter(member_id=member_id).order_by("purpose", "-pk").distinct("purpose")
    )
    said = {row.purpose: row for row in newest}
    return [
        Stand(
            purpose=purpose,
            is_given=purpose in said and said[purpose].is_given,
            version=said[purpose].version if purpose in said else "",
            since=said[purpose].recorded_at if purpose in said else None,
        )
        for purpose in Purpose.values
    ]
