"""Earning beside the base rate, as tills and phones see it; docs/points.md works numbers out."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from loyalty import earning_events
from loyalty.models import EarningGain, Membership, PointsAccount, PointsEntry, Tier
from shop.kernel.money import Cents
from shop.models import Member, Order
from shop.refunds import RefundRequest
from shop.storefront import checkout, quotes, refunds
from shop.storefront.invariants import suite
from tests import make

pytestmark = pytest.mark.django_db

TUESDAY = datetime(2026, 6, 16, 4, 0, tzinfo=UTC)
THURSDAY = make.NOON


def quoted(who: Member, *, now: datetime = THURSDAY, **fields: Any) -> int:
    """Return what a quote promises for two cups (¥24) unless other lines are given."""
    fields.setdefault("lines", [make.line(quantity=2)])
    return quotes.quote(make.basket(who=who, **fields), now=now).points_to_earn


def bought(who: Member, *, now: datetime = THURSDAY, total: int = 2400, **fields: Any) -> Any:
    fields.setdefault("lines", [make.line(quantity=2)])
    return make.paid(what=make.basket(who=who, **fields), total=total, now=now)


class TestRule:
    @pytest.mark.parametrize(
        ("rule", "points"),
        [
            ({"kind": "spend", "points": "0.5"}, 24 + 12),
            ({"kind": "visit", "points": 10}, 24 + 10),
            ({"kind": "item", "points": 3}, 24 + 2 * 3),
            ({"kind": "item", "points": 3, "products": ["MT02"]}, 24),
            ({"kind": "item", "points": 3, "products": ["MT01"], "max_points_per_order": 5}, 29),
            ({"kind": "boost", "percent": 250}, 60),
            ({"kind": "boost", "percent": 200, "products": ["MT01"]}, 48),
            ({"kind": "boost", "percent": 200, "products": ["MT02"]}, 24),
            ({"kind": "boost", "percent": 200, "weekdays": [4]}, 48),
            ({"kind": "boost", "percent": 200, "weekdays": [2]}, 24),
            ({"kind": "boost", "percent": 200, "tiers": ["T1"]}, 48),
            ({"kind": "boost", "percent": 200, "tiers": ["T2"]}, 24),
            ({"kind": "boost", "percent": 200, "stores": ["SH002"]}, 24),
            ({"kind": "boost", "percent": 200, "max_points_per_order": 7}, 31),
            ({"kind": "boost", "percent": 200, "min_order_cents": Cents(2401)}, 24),
            ({"kind": "boost", "percent": 200, "starts_at": THURSDAY}, 48),
            ({"kind": "boost", "percent": 200, "ends_at": THURSDAY}, 24),
            ({"kind": "boost", "percent": 200, "from_time": time(12), "until_time": time(13)}, 48),
            ({"kind": "boost", "percent": 200, "from_time": time(22), "until_time": time(12)}, 24),
            ({"kind": "spend", "points": "0.5", "is_stackable": False}, 12),
            ({"kind": "visit", "points": 10, "is_active": False}, 24),
            ({"kind": "event", "event": "review", "points": 10}, 24),
        ],
        ids=str,
    )
    def test_gives_what_the_quote_promises(self, rule: dict[str, Any], points: int) -> None:
        make.earning_rule(**rule)
        who = make.member()

        promised = quoted(who)
        receipt = bought(who)

        assert (promised, receipt.points_earned) == (points, points)
        assert receipt.balance == points

    def test_is_added_up_with_others_before_a_boost_multiplies_and_rounds_once(self) -> None:
        """¥12 at 110 %: 13 + 5 for the visit = 18; times 1.5 = 27."""
        make.earning_rule("VISIT", kind="visit", points=5)
        make.earning_rule("BOOST", kind="boost", percent=150)
        Tier.objects.filter(code="T1").update(points_rate_percent=110)
        who = make.member()

        assert quoted(who, lines=[make.line()]) == 27

    def test_that_boosts_alone_is_the_best_of_the_boosts(self) -> None:
        make.earning_rule("TWICE", kind="boost", percent=200)
        make.earning_rule("THRICE", kind="boost", percent=300, is_stackable=False)
        who = make.member()

        assert quoted(who) == 72

    def test_counts_money_that_is_really_paid(self) -> None:
        """Three cups are ¥36; ¥5 by coupon leaves ¥31, doubled."""
        make.earning_rule(kind="boost", percent=200)
        who = make.member()
        lines = [make.line(quantity=3)]

        assert quoted(who, lines=lines, coupon_codes=[make.coupon(who).code]) == 2 * 31

    def test_is_shown_in_the_quote_by_name(self) -> None:
        make.earning_rule("VISIT", kind="visit", points=10)
        who = make.member(now=timezone.now())

        shown = make.till().post(
            "/quotes",
            {
                "member": str(who.public_id),
                "lines": [{"product": "MT01", "options": make.MILK_TEA}],
                "points": 70,
            },
        )

        quote = shown.json()
        assert (quote["points_to_earn"], quote["boost_points"]) == (22, 10)
        assert [(row["rule"], row["points"]) for row in quote["points_by_rule"]] == [("VISIT", 10)]
        assert (quote["points_requested"], quote["points_spent"]) == (70, 0)

    def test_gives_a_guest_nothing(self) -> None:
        make.earning_rule(kind="visit", points=10)

        assert make.paid().points_earned == 0
        assert not EarningGain.objects.exists()

    def test_is_taken_back_in_proportion_by_refunds(self) -> None:
        make.earning_rule(kind="visit", points=11)
        who = make.member()
        order = bought(who).order

        for cents, left in ((800, 35 - 11), (1600, 0)):
            refunds.refund_order(
                number=order.number,
                request=RefundRequest(amount_cents=Cents(cents)),
                actor="test",
                now=THURSDAY,
            )
            assert PointsAccount.objects.get(member=who, wallet="points").balance == left


class TestCaps:
    def test_of_a_day_end_with_the_business_day(self) -> None:
        make.earning_rule(kind="visit", points=10, max_points_per_day=15)
        who = make.member()
        dawn = datetime(2026, 6, 18, 20, 59, tzinfo=UTC)  # 04:59 in Shanghai, still Thursday's

        given = [bought(who, now=now).points_earned - 24 for now in (THURSDAY, THURSDAY, dawn)]
        tomorrow = bought(who, now=dawn + timedelta(minutes=1)).points_earned - 24

        assert (given, tomorrow) == ([10, 5, 0], 10)

    def test_of_a_member_are_for_ever_and_for_each(self) -> None:
        make.earning_rule(kind="boost", percent=200, max_points_per_member=30)
        who, other = make.member(), make.member()

        assert [bought(who).points_earned - 24 for _ in range(3)] == [24, 6, 0]
        assert bought(other).points_earned == 48

    def test_used_up_of_a_rule_that_counts_alone_leave_the_base_rate(self) -> None:
        make.earning_rule(kind="visit", points=40, is_stackable=False, max_points_per_day=60)
        who = make.member()

        assert [bought(who).points_earned for _ in range(3)] == [40, 20, 24]
        assert suite.check_all(now=THURSDAY).broken == []

    def test_have_room_again_when_an_order_is_never_paid(self) -> None:
        make.earning_rule(kind="visit", points=10, max_points_per_member=10)
        who = make.member()
        what = make.basket(who=who, lines=[make.line(quantity=2)])
        placed = make.placed(what=what, total=2400)
        before = quoted(who)

        checkout.cancel_order(number=placed.number, actor="test", now=THURSDAY)

        assert (placed.boost_points, before, quoted(who)) == (10, 24, 34)

    def test_hold_against_orders_that_were_quoted_together(self) -> None:
        """The second was quoted before the first was placed: it is given what is left."""
        make.earning_rule(kind="visit", points=10, max_points_per_member=15)
        who = make.member()
        what = make.basket(who=who)
        early = quotes.quote(what, now=THURSDAY)
        make.paid(what=what)

        late = Order.objects.get(pk=make.placed(what=what).pk)

        assert early.boost_points == 10
        assert late.boost_points == 5


class TestEvents:
    def test_earn_once_per_key(self) -> None:
        make.earning_rule(kind="event", event="review", points=20)
        guest = make.member()
        till, path = make.till(), f"/members/{guest.public_id}/events"

        answers = [till.post(path, {"event": "review", "key": "review-1"}) for _ in range(2)]
        other = till.post(path, {"event": "review", "key": "review-2"})
        unruled = till.post(path, {"event": "check_in", "key": "review-1"})

        assert [answer.status_code for answer in answers] == [201, 200]
        assert answers[0].json() == answers[1].json()
        assert (other.json()["points"], unruled.json()["points"]) == (20, 0)
        assert PointsAccount.objects.get(member=guest, wallet="points").balance == 40
        assert sorted(PointsEntry.objects.values_list("points", flat=True)) == [20, 20]

    def test_keep_caps_and_tiers(self) -> None:
        make.earning_rule("A", kind="event", event="check_in", points=5, max_points_per_day=8)
        make.earning_rule("B", kind="event", event="check_in", points=7, tiers=["T2"])
        guest = make.member()

        def check_in(key: str) -> int:
            event, _is_new = earning_events.record(
                guest.pk, event="check_in", key=key, store=make.store(), actor="t", now=THURSDAY
            )
            return event.points

        first = [check_in(key) for key in "abc"]
        Membership.objects.filter(member=guest).update(tier=Tier.objects.get(code="T2"))

        assert (first, check_in("d")) == ([5, 3, 0], 7)

    def test_fall_back_to_other_rules_when_the_one_that_counts_alone_is_used_up(self) -> None:
        make.earning_rule(
            "A", kind="event", event="review", points=9, is_stackable=False, max_points_per_member=9
        )
        make.earning_rule("B", kind="event", event="review", points=2)
        guest = make.member()
        path, till = f"/members/{guest.public_id}/events", make.till()

        given = [till.post(path, {"event": "review", "key": key}).json() for key in "abc"]

        assert [event["points"] for event in given] == [9, 2, 2]

    def test_are_refused_by_name(self) -> None:
        guest = make.member()
        path = f"/members/{guest.public_id}/events"

        assert make.till().post(path, {"event": "sneeze", "key": "1"}).status_code == 400
        assert make.staff("SH002").post(path, {"event": "review", "key": "1"}).status_code == 404
