"""Tiers over time: reached, kept for a period, kept again or dropped; pins; previews of a draft."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loyalty import ladders, pins, reviews
from loyalty.ladders import Ladder
from loyalty.models import LoyaltyProgramme, Membership, Tier, TierChange, TierCount
from shop.kernel import jobs
from shop.models import Member
from shop.refunds import RefundRequest
from shop.storefront import facts, refunds, tier_reviews
from shop.storefront.invariants import suite
from tests import make

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
YEAR = timedelta(days=365)


def programme(**changes: Any) -> None:
    LoyaltyProgramme.objects.filter(pk=1).update(**changes)


def big(who: Member, *, now: datetime, cups: int = 26) -> Any:
    """Buy so many cups of MT01 (¥12): 26 make ¥312, silver and a bit."""
    what = make.basket(who=who, lines=[make.line(quantity=cups)])
    return make.paid(what=what, total=1200 * cups, now=now)


def level(who: Member) -> int:
    return Membership.objects.get(member=who).tier.level


def review(*, now: datetime) -> Mapping[tuple[str, str, str], int]:
    """Run the day's review to its end; return how many members moved from where to where."""
    job = jobs.run(tier_reviews.start_daily(now=now).pk, now=now)
    moves = job.result["moves"]
    return {(m["from_tier"], m["to_tier"], m["reason"]): m["members"] for m in moves}


def history(who: Member) -> list[tuple[str, int]]:
    rows = TierChange.objects.filter(member=who).order_by("id").select_related("to_tier")
    return [(row.reason, row.to_tier.level) for row in rows]


def codes(*levels: int) -> tuple[str, ...]:
    by_level = dict(Tier.objects.values_list("level", "code"))
    return tuple(by_level[each] for each in levels)


def at_level(target: int, *, now: datetime) -> Member:
    """Return a member who has bought as much as that tier asks for."""
    who = make.member(now=now)
    yuan = Tier.objects.get(level=target).min_qualifying_points
    big(who, now=now, cups=-(-yuan // 12))
    assert level(who) == target
    return who


class TestFirstOrder:
    def test_that_is_large_enough_lifts_at_once_and_says_so(self) -> None:
        who = make.member()

        receipt = big(who, now=make.NOON, cups=26)

        assert receipt.has_new_tier
        assert receipt.tier == codes(2)[0]

    def test_counts_what_was_paid_not_what_it_would_have_cost(self) -> None:
        """25 cups are ¥300, but ¥5 came off: 295 points miss a threshold of 300 (U27)."""
        Tier.objects.filter(level=2).update(min_qualifying_points=300)
        who = make.member()
        coupon = make.coupon(who)
        lines = [make.line(quantity=25)]

        receipt = make.paid(
            what=make.basket(who=who, lines=lines, coupon_codes=[coupon.code]), total=29_500
        )

        assert not receipt.has_new_tier
        assert big(who, now=make.NOON, cups=1).has_new_tier


class TestKeeping:
    def test_a_tier_is_kept_through_its_period_and_the_days_of_grace(self) -> None:
        who = at_level(2, now=make.NOON)

        early = [review(now=make.NOON + YEAR + days * DAY) for days in (0, 29)]

        assert early == [{}, {}]
        assert level(who) == 2

    def test_after_grace_it_drops_one_level_and_the_next_period_begins(self) -> None:
        who = at_level(3, now=make.NOON)
        end = make.NOON + YEAR + 30 * DAY

        assert review(now=end) == {(*codes(3, 2), "dropped"): 1}
        assert review(now=end + DAY) == {}
        assert level(who) == 2
        assert Membership.objects.get(member=who).kept_until == end + YEAR
        assert suite.check_all(now=end).broken == []

    def test_to_the_level_earned_where_the_programme_says_so(self) -> None:
        programme(tier_downgrade="to_earned")
        who = at_level(3, now=make.NOON)

        review(now=make.NOON + YEAR + 30 * DAY)

        assert level(who) == 1
        assert Membership.objects.get(member=who).kept_until is None

    def test_never_where_the_programme_says_so(self) -> None:
        programme(tier_downgrade="never")
        who = at_level(3, now=make.NOON)

        assert review(now=make.NOON + 2 * YEAR) == {(*codes(3, 3), "kept"): 1}
        assert level(who) == 3

    def test_buying_enough_again_keeps_it(self) -> None:
        who = at_level(2, now=make.NOON)
        big(who, now=make.NOON + 300 * DAY)

        assert review(now=make.NOON + YEAR) == {(*codes(2, 2), "kept"): 1}
        assert history(who) == [("joined", 1), ("earned", 2), ("kept", 2)]

    def test_what_is_bought_in_the_days_of_grace_keeps_it_too(self) -> None:
        who = at_level(2, now=make.NOON)
        big(who, now=make.NOON + YEAR + 10 * DAY)

        review(now=make.NOON + YEAR + 30 * DAY)

        assert level(who) == 2

    def test_a_refund_drops_at_once_from_what_it_had_carried(self) -> None:
        who = make.member()
        order = big(who, now=make.NOON).order

        refunds.refund_order(
            number=order.number, request=RefundRequest(), actor="test", now=make.NOON
        )

        assert history(who) == [("joined", 1), ("earned", 2), ("refunded", 1)]


class TestWindow:
    def test_of_the_calendar_year_begins_anew_and_keeps_to_the_end_of_the_next(self) -> None:
        programme(qualifying_window="calendar")
        who = at_level(2, now=make.NOON)
        new_year = datetime(2026, 12, 31, 16, tzinfo=UTC)  # 1 January in Shanghai

        assert Membership.objects.get(member=who).kept_until == new_year + YEAR
        standing = make.phone_of(who).get("/me").json()["standing"]
        assert standing["next"]["by"] == "2027-01-01T00:00:00+08:00"
        assert review(now=new_year + YEAR) == {}
        assert review(now=new_year + YEAR + 30 * DAY) == {(*codes(2, 1), "dropped"): 1}

    def test_that_has_ended_is_judged_by_what_was_bought_in_it(self) -> None:
        """On 1 January nothing of the new year counts yet; the year that ended does."""
        programme(qualifying_window="calendar")
        who = at_level(2, now=make.NOON)
        big(who, now=make.NOON + YEAR)
        new_year = datetime(2027, 12, 31, 16, tzinfo=UTC)

        assert review(now=new_year) == {(*codes(2, 2), "kept"): 1}

    def test_since_joining_begins_on_the_day_of_the_year_on_which_they_joined(self) -> None:
        programme(qualifying_window="anniversary", tier_keep_days=0)
        who = make.member(now=make.NOON)
        big(who, now=make.NOON + 100 * DAY)

        midnight = datetime(2027, 6, 17, 16, tzinfo=UTC)  # 18 June in Shanghai
        assert Membership.objects.get(member=who).kept_until == midnight
        big(who, now=midnight + DAY, cups=1)
        place = facts.load(who.pk, now=midnight + DAY, with_place=True).place
        assert place is not None
        assert place.amount == 12

    @pytest.mark.parametrize(("basis", "needed"), [("spend", 312), ("visits", 2)])
    def test_counts_money_or_visits_where_the_programme_says_so(
        self, basis: str, needed: int
    ) -> None:
        programme(qualifying_basis=basis, qualifying_per_yuan=0)
        Tier.objects.filter(level=2).update(min_qualifying_points=needed)
        Tier.objects.filter(level__gt=2).update(min_qualifying_points=100_000)
        who = make.member()

        first = big(who, now=make.NOON, cups=25)
        second = big(who, now=make.NOON, cups=1)

        assert (first.has_new_tier, second.has_new_tier) == (False, True)
        refunds.refund_order(
            number=second.order.number, request=RefundRequest(), actor="test", now=make.NOON
        )
        assert level(who) == 1
        assert suite.check_all(now=make.NOON).broken == []


class TestSpreader:
    def test_needs_friends_who_have_bought_beside_the_points(self) -> None:
        spreader = Tier.objects.get(role="spreader")
        Tier.objects.filter(pk=spreader.pk).update(min_referrals=2, min_qualifying_points=312)
        who = make.member()
        big(who, now=make.NOON)
        assert level(who) == 2

        make.paid(who=make.referred(who))
        assert level(who) == 2
        make.paid(who=make.referred(who))

        assert level(who) == spreader.level

    def test_drops_at_once_when_a_friend_gives_the_first_order_back(self) -> None:
        spreader = Tier.objects.get(role="spreader")
        Tier.objects.filter(pk=spreader.pk).update(min_referrals=2, min_qualifying_points=312)
        who = make.member()
        big(who, now=make.NOON)
        make.paid(who=make.referred(who))
        second = make.paid(who=make.referred(who)).order
        was = level(who)

        refunds.refund_order(
            number=second.number, request=RefundRequest(), actor="test", now=make.NOON
        )

        assert (was, level(who)) == (spreader.level, 2)
        change = TierChange.objects.filter(member=who).latest("pk")
        assert (change.reason, change.source.split(":")[0]) == ("refunded", "refund")
        assert suite.check_all(now=make.NOON).broken == []

    def test_drops_when_the_friends_were_too_long_ago(self) -> None:
        spreader = Tier.objects.get(role="spreader")
        Tier.objects.filter(pk=spreader.pk).update(min_referrals=1, min_qualifying_points=0)
        who = make.member()
        make.paid(who=make.referred(who))
        assert level(who) == spreader.level

        dropped = review(now=make.NOON + YEAR + 31 * DAY)

        assert dropped == {(*codes(spreader.level, spreader.level - 1), "dropped"): 1}


class TestPin:
    def pin(self, who: Member, target: int, *, days: int = 30) -> None:
        (code,) = codes(target)
        pins.pin(
            who.pk,
            tier_code=code,
            until=make.NOON + days * DAY,
            reason="wedding",
            actor="staff:1",
            now=make.NOON,
        )

    def test_holds_against_sales_refunds_and_reviews(self) -> None:
        who = make.member()
        self.pin(who, 3)

        order = big(who, now=make.NOON).order
        refunds.refund_order(
            number=order.number, request=RefundRequest(), actor="test", now=make.NOON
        )
        review(now=make.NOON + 29 * DAY)

        assert level(who) == 3
        assert suite.check_all(now=make.NOON + 29 * DAY).broken == []

    def test_ends_on_its_day_at_the_tier_earned_by_then(self) -> None:
        who = make.member()
        self.pin(who, 4)
        big(who, now=make.NOON)

        review(now=make.NOON + 30 * DAY)

        assert level(who) == 2
        assert history(who) == [("joined", 1), ("pinned", 4), ("unpinned", 2)]

    def test_gives_back_the_tier_before_with_the_rest_of_its_period(self) -> None:
        who = at_level(3, now=make.NOON - 350 * DAY)
        self.pin(who, 2)

        review(now=make.NOON + 30 * DAY)  # the points are too old by now, and the period over
        assert level(who) == 1

        other = at_level(3, now=make.NOON - 300 * DAY)
        self.pin(other, 2, days=60)
        review(now=make.NOON + 60 * DAY)
        assert level(other) == 3
        assert Membership.objects.get(member=other).kept_until == make.NOON + 65 * DAY

    def test_can_be_ended_by_hand_and_is_one_at_a_time(self) -> None:
        who = make.member()
        self.pin(who, 3)

        with pytest.raises(pins.TierPinned):
            self.pin(who, 4)
        tier_reviews.unpin(who.pk, now=make.NOON)
        with pytest.raises(pins.TierNotPinned):
            tier_reviews.unpin(who.pk, now=make.NOON)

        assert level(who) == 1


class TestReview:
    def test_done_twice_a_day_is_one_job(self) -> None:
        first, again = (tier_reviews.start_daily(now=make.NOON) for _each in range(2))

        assert first.pk == again.pk

    def test_goes_on_after_a_slice_where_it_was(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reviews, "SLICE", 1)
        monkeypatch.setattr(reviews.due, "__kwdefaults__", {"limit": 1})
        everybody = [at_level(2, now=make.NOON) for _each in range(3)]
        later = make.NOON + YEAR + 30 * DAY
        job = tier_reviews.start_daily(now=later)

        assert not tier_reviews.review_slice(job, later)
        assert [level(who) for who in everybody] == [1, 2, 2]
        while not tier_reviews.review_slice(job, later):
            pass

        assert [level(who) for who in everybody] == [1, 1, 1]
        assert job.done == 3
        assert job.result["moves"][0]["members"] == 3


class TestLadder:
    def draft(self, **minima: int) -> Ladder:
        saved = ladders.load()
        by_level = {2: minima["silver"]}
        return replace(
            saved,
            steps=tuple(
                replace(
                    step,
                    min_qualifying_points=by_level.get(step.level, step.min_qualifying_points),
                )
                for step in saved.steps
            ),
        )

    def preview(self, ladder: Ladder) -> list[dict[str, Any]]:
        job = tier_reviews.start_preview(ladder, requested_by="test", now=make.NOON)
        moves: list[dict[str, Any]] = jobs.run(job.pk, now=make.NOON).result["moves"]
        return moves

    def test_preview_says_who_would_rise_and_moves_nobody(self) -> None:
        near, far = make.member(), make.member()
        big(near, now=make.NOON, cups=5)
        big(far, now=make.NOON, cups=1)

        moves = self.preview(self.draft(silver=60))

        low, silver = codes(1, 2)
        assert moves == [
            {
                "from_tier": low,
                "to_tier": silver,
                "reason": "earned",
                "members": 1,
                "examples": [near.pk],
            }
        ]
        assert level(near) == 1

    def test_preview_says_who_would_drop_when_their_period_ends(self) -> None:
        who = at_level(2, now=make.NOON)

        moves = self.preview(self.draft(silver=900))

        assert [(m["reason"], m["members"], m["examples"]) for m in moves] == [
            ("later", 1, [who.pk])
        ]

    def test_saving_moves_exactly_those_of_the_preview(self) -> None:
        near = make.member()
        big(near, now=make.NOON, cups=5)
        kept = at_level(3, now=make.NOON)
        draft = self.draft(silver=60)
        promised = [m for m in self.preview(draft) if m["reason"] == "earned"]

        job = tier_reviews.save_ladder(draft, requested_by="test", now=make.NOON)
        moved = jobs.run(job.pk, now=make.NOON).result["moves"]

        assert [m["members"] for m in moved] == [m["members"] for m in promised] == [1]
        assert (level(near), level(kept)) == (2, 3)
        assert suite.check_all(now=make.NOON).broken == []

    def test_survives_the_journey_as_json(self) -> None:
        saved = ladders.load()

        assert ladders.parse(saved.to_json()) == saved
        assert ladders.compare(saved, self.draft(silver=60)) == [
            {
                "where": codes(2)[0],
                "field": "min_qualifying_points",
                "from": Tier.objects.get(level=2).min_qualifying_points,
                "to": 60,
            }
        ]

    @pytest.mark.parametrize(
        ("spoil", "reason"),
        [
            (lambda data: data.update(version=2), "version"),
            (lambda data: data["tiers"].pop(), "tier-missing"),
            (lambda data: data["tiers"].clear(), "empty"),
            (lambda data: data["tiers"][0].update(min_qualifying_points=1), "lowest-asks"),
            (lambda data: data["tiers"][1].update(level=1), "twice-level"),
            (lambda data: data["tiers"][1].update(min_qualifying_points="many"), "type"),
            (lambda data: data["tiers"][1].update(min_qualifying_points=-1), "value"),
            (lambda data: data["tiers"][1].update(colour="red"), "fields"),
            (lambda data: data["programme"].update(qualifying_window="moon"), "value"),
        ],
    )
    def test_that_cannot_work_is_refused(self, spoil: Any, reason: str) -> None:
        data = ladders.load().to_json()
        spoil(data)

        with pytest.raises(ladders.LadderInvalid) as refusal:
            ladders.parse(data)

        assert refusal.value.members["reason"] == reason


class TestCounts:
    def test_of_a_day_are_written_once_and_the_last_stands(self) -> None:
        make.member(at="SH001")
        tier_reviews.count_tiers(now=make.NOON)
        at_level(2, now=make.NOON)
        tier_reviews.count_tiers(now=make.NOON)

        rows = TierCount.objects.values_list("date", "store__code", "tier__level", "members")
        day = make.NOON.date()
        assert set(rows) == {(day, "SH001", 1, 1), (day, "SH001", 2, 1)}
