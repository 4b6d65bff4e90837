"""Caps and events under a crowd: what the database lets through once."""

from datetime import timedelta
from functools import partial

from loyalty import earning_events
from loyalty.models import EarningEvent, EarningGain, PointsAccount
from shop.models import Member
from shop.storefront import milestones
from tests import make
from tests.concurrency.crowd import outcomes

DAY = timedelta(days=1)


def test_orders_paid_together_share_what_is_left_under_a_cap() -> None:
    """The row lock of `checkout._lock_wallets` before gains are read; else each gets 10."""
    make.earning_rule(kind="visit", points=10, max_points_per_day=25)
    guest = make.member()

    said = outcomes([partial(make.paid, who=guest)] * 6)

    given = EarningGain.objects.values_list("points", flat=True)
    assert said == {"done": 6}
    assert sorted(given) == [5, 10, 10]
    assert PointsAccount.objects.get(member=guest, wallet="points").balance == 6 * 12 + 25


def test_orders_placed_together_share_it_too() -> None:
    """`lock_accounts` in `checkout._keep_gains`: nothing else locks when no points are spent."""
    make.earning_rule(kind="visit", points=10, max_points_per_member=25)
    guest = make.member()

    said = outcomes([partial(make.placed, who=guest)] * 6)

    given = EarningGain.objects.values_list("points", flat=True)
    assert said == {"done": 6}
    assert sorted(given) == [5, 10, 10]


def test_an_event_recorded_by_many_earns_once() -> None:
    """`lock_accounts` in `earning_events.record`, and the unique key behind it."""
    make.earning_rule(kind="event", event="review", points=10)
    guest, store = make.member(), make.store()
    record = partial(
        earning_events.record,
        guest.pk,
        event="review",
        key="one",
        store=store,
        actor="test",
        now=make.NOON,
    )

    said = outcomes([record] * 6)

    assert said == {"done": 6}
    assert EarningEvent.objects.count() == 1
    assert PointsAccount.objects.get(member=guest, wallet="points").balance == 10


def test_workers_and_phones_reward_each_milestone_once() -> None:
    """The unique key of events behind `lock_accounts`: each call has seen nothing recorded yet."""
    for event in ("birthday", "profile", "referral"):
        make.earning_rule(event, kind="event", event=event, points=10)
    born = {"birthday": make.NOON.date().replace(year=2000), "now": make.NOON - 9 * DAY}
    guest = make.member(**born)
    make.paid(who=make.referred(guest, now=make.NOON - 9 * DAY), now=make.NOON - 8 * DAY)
    Member.objects.filter(pk=guest.pk).update(name="林")
    guest.refresh_from_db()
    work = {"now": make.NOON, "limit": 10}

    said = outcomes(
        [
            *[partial(milestones.celebrate_birthdays, **work)] * 3,
            *[partial(milestones.thank_referrers, **work)] * 3,
            *[partial(milestones.complete_profile, guest, actor="test", now=make.NOON)] * 3,
        ]
    )

    assert said == {"done": 9}
    assert EarningEvent.objects.count() == 3
    assert PointsAccount.objects.get(member=guest, wallet="points").balance == 30
