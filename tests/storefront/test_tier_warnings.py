"""Members are told in time that their tier drops, once for each period."""

from datetime import datetime, timedelta

import pytest

from loyalty.models import LoyaltyProgramme, Membership
from shop.kernel import jobs, outbox
from shop.models import Member, Message
from shop.storefront import tier_warnings
from tests import make

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def silver(*, now: datetime) -> Member:
    who = make.member(now=now)
    make.paid(what=make.basket(who=who, lines=[make.line(quantity=26)]), total=31_200, now=now)
    return who


def warned(*, now: datetime) -> list[str]:
    """Run the day's job and deliver what it queued; return what members were told."""
    before = set(Message.objects.values_list("pk", flat=True))
    jobs.run(tier_warnings.start_daily(now=now).pk, now=now)
    outbox.relay(now=now + timedelta(minutes=1))
    new = Message.objects.filter(template="tier.dropping").exclude(pk__in=before)
    return list(new.values_list("text", flat=True))


def test_once_when_the_days_before_begin_and_of_what_keeps_it() -> None:
    who = silver(now=make.NOON)
    kept_until = Membership.objects.get(member=who).kept_until
    assert kept_until is not None

    said = [warned(now=kept_until + days * DAY) for days in (-1, 1, 2)]

    assert [len(texts) for texts in said] == [0, 1, 0]
    drop = kept_until + LoyaltyProgramme().tier_grace_days * DAY
    assert f"{drop.year}" in said[1][0]
    assert "300" in said[1][0]


def test_not_of_a_tier_that_was_earned_again_or_never_drops() -> None:
    who = silver(now=make.NOON)
    kept_until = Membership.objects.get(member=who).kept_until
    assert kept_until is not None
    make.paid(
        what=make.basket(who=who, lines=[make.line(quantity=26)]),
        total=31_200,
        now=kept_until - 9 * DAY,
    )

    assert warned(now=kept_until + DAY) == []
    LoyaltyProgramme.objects.update_or_create(pk=1, defaults={"tier_downgrade": "never"})
    assert warned(now=kept_until + 2 * DAY) == []
