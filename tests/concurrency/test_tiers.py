"""Reviews beside sales: nobody is dropped who has just bought what they needed."""

from datetime import timedelta
from functools import partial

from django.db import transaction

from loyalty import ladders, pins, points, reviews
from loyalty.models import Membership, Tier, TierChange, TierPin
from shop.models import Member
from shop.storefront import tier_reviews
from tests import make
from tests.concurrency.crowd import at_once, outcomes

EARLIER = make.NOON - timedelta(days=400)


def silver(*, since_days: int = 400) -> Member:
    """Return a member whose tier is neither earned any more nor kept any longer."""
    then = make.NOON - timedelta(days=since_days)
    who = make.member(now=then)
    buy(who, now=then)
    return who


def buy(who: Member, *, now: object = make.NOON) -> None:
    what = make.basket(who=who, lines=[make.line(quantity=26)])
    make.paid(what=what, total=31_200, now=now)


def review(who: Member) -> None:
    with transaction.atomic():
        locked = reviews.lock([who.pk])
        reviews.apply(ladders.load(), locked, friends=[], source="test", now=make.NOON)


def lock(member_ids: list[int]) -> list[int]:
    with transaction.atomic():
        return list(reviews.lock(member_ids))


class TestReview:
    def test_beside_the_sale_that_keeps_the_tier_leaves_it_earned(self) -> None:
        """However they fall together; the next test shows the lock that makes it so."""
        for _round in range(6):
            who = silver()

            at_once([partial(review, who), partial(buy, who), partial(review, who)])

            assert Membership.objects.get(member=who).tier.level == 2

    def test_leaves_out_whom_a_sale_is_working_on(self) -> None:
        """The wallets' lock of `reviews.lock`: without it the review would decide by sums from
        before the sale, and drop the member after it below what they have earned.
        """
        who, idle = silver(since_days=370), silver(since_days=370)

        with transaction.atomic():
            points.lock_accounts([who.pk])
            (locked,) = at_once([partial(lock, [who.pk, idle.pk])])

        assert locked == [idle.pk]

    def test_at_once_by_two_workers_drops_one_level_once(self) -> None:
        """The same lock, and the period that begins anew with the drop."""
        gold = Tier.objects.get(level=3)
        who = silver()
        Membership.objects.filter(member=who).update(tier=gold)
        TierChange.objects.create(
            member=who, to_tier=gold, reason="dropped", source="test", occurred_at=EARLIER
        )

        at_once([partial(review, who)] * 6)

        drops = TierChange.objects.filter(member=who, reason="dropped", from_tier__isnull=False)
        assert drops.count() == 1
        assert Membership.objects.get(member=who).tier.level == 2

    def test_started_at_once_is_one_job(self) -> None:
        """The unique key of a job."""
        jobs = at_once([partial(tier_reviews.start_daily, now=make.NOON)] * 6)

        assert len({job.pk for job in jobs}) == 1


class TestPin:
    def test_at_once_by_many_is_one(self) -> None:
        """The wallets' lock before the question; behind it the unique key of open pins."""
        who = make.member()
        pin = partial(
            pins.pin,
            who.pk,
            tier_code=Tier.objects.get(level=3).code,
            until=make.NOON + timedelta(days=30),
            reason="test",
            actor="test",
            now=make.NOON,
        )

        assert outcomes([pin] * 6) == {"done": 1, "tier-pinned": 5}
        assert TierPin.objects.count() == 1
