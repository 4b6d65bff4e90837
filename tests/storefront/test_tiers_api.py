"""Tiers over the API: what is missing, what is at risk, pins, moves, and the reports."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from loyalty import progress
from loyalty.models import LoyaltyProgramme, Membership, Tier
from loyalty.progress import Place, Rung
from shop.refunds import RefundRequest
from shop.storefront import refunds, tier_reviews
from tests import make

pytestmark = pytest.mark.django_db


def rungs() -> list[Rung]:
    asked = [(0, 0), (300, 0), (1000, 0), (1000, 3)]
    return [
        Rung(code=f"T{n}", level=n, name_zh="", name_en="", minimum=minimum, friends=friends)
        for n, (minimum, friends) in enumerate(asked, start=1)
    ]


def place(level: int, **changes: Any) -> Place:
    standing: dict[str, Any] = {
        "rungs": rungs(),
        "level": level,
        "basis": "points",
        "amount": 0,
        "friends": 0,
        "amount_then": 0,
        "friends_then": 0,
        "window_ends_at": None,
        "kept_until": make.NOON,
        "grace_days": 30,
        "downgrade": "one_level",
        "pinned_until": None,
    }
    return Place(**standing | changes)


class TestProgress:
    def test_says_what_is_missing_for_the_next_tier(self) -> None:
        ahead = progress.ahead_of(place(2, amount=962))

        assert ahead is not None
        assert (ahead.tier.code, ahead.missing, ahead.missing_friends) == ("T3", 38, 0)

    def test_says_how_many_friends_are_missing(self) -> None:
        ahead = progress.ahead_of(place(3, amount=1500, friends=1))

        assert ahead is not None
        assert (ahead.missing, ahead.missing_friends) == (0, 2)

    def test_ends_at_the_top(self) -> None:
        assert progress.ahead_of(place(4)) is None

    @pytest.mark.parametrize(
        ("changes", "tier", "missing"),
        [
            ({"amount_then": 900}, "T2", 100),
            ({"amount_then": 0, "downgrade": "to_earned"}, "T1", 1000),
            ({"amount_then": 400, "downgrade": "to_earned"}, "T2", 600),
        ],
    )
    def test_says_where_and_when_a_tier_drops(
        self, changes: dict[str, Any], tier: str, missing: int
    ) -> None:
        risk = progress.risk_of(place(3, **changes))

        assert risk is not None
        assert (risk.tier.code, risk.missing) == (tier, missing)
        assert risk.drops_at == make.NOON + timedelta(days=30)

    @pytest.mark.parametrize(
        "changes",
        [
            {"amount_then": 1000},
            {"downgrade": "never"},
            {"kept_until": None},
            {"pinned_until": make.NOON},
            {"level": 1},
        ],
    )
    def test_says_nothing_of_a_tier_that_is_safe(self, changes: dict[str, Any]) -> None:
        assert progress.risk_of(place(3, **changes)) is None if "level" not in changes else True
        if "level" in changes:
            assert progress.risk_of(place(1)) is None


class TestMe:
    def test_says_what_is_missing_until_when_in_both_languages(self) -> None:
        LoyaltyProgramme.objects.update(qualifying_window="calendar")
        now = timezone.now()
        who = make.member(now=now)
        silver = Tier.objects.get(level=2)
        cups = silver.min_qualifying_points // 12 - 3
        make.paid(
            what=make.basket(who=who, lines=[make.line(quantity=cups)]), total=1200 * cups, now=now
        )
        missing = silver.min_qualifying_points - 12 * cups
        year = timezone.localtime(now).year

        standing = make.phone_of(who).get("/me").json()["standing"]

        assert standing["amount"] == 12 * cups
        assert standing["next"]["missing"] == missing
        text = f"¥{missing} more by 31 December {year} to {silver.name_en}."
        assert standing["next"]["text_en"] == text
        assert standing["next"]["text_zh"] == (
            f"{year}年12月31日前再消费¥{missing}，即可升至{silver.name_zh}。"
        )
        assert standing["risk"] is None

    def test_says_when_the_tier_drops_and_what_keeps_it(self) -> None:
        now = timezone.now()
        who = make.member(now=now)
        make.paid(what=make.basket(who=who, lines=[make.line(quantity=90)]), total=108_000, now=now)
        place = Membership.objects.get(member=who)

        risk = make.phone_of(who).get("/me").json()["standing"]["risk"]

        assert place.kept_until is not None
        drops = timezone.localtime(place.kept_until + timedelta(days=30))
        assert risk["drops_at"] == drops.isoformat()
        assert f"Drops to {risk['name_en']} on {drops.day} {drops:%B %Y}" in risk["text_en"]

    def test_counts_visits_where_visits_count(self) -> None:
        LoyaltyProgramme.objects.update(qualifying_basis="visits")
        Tier.objects.filter(level=2).update(min_qualifying_points=3)
        who = make.member(now=timezone.now())
        make.paid(who=who, now=timezone.now())

        ahead = make.till().post("/members/lookup", {"phone": who.phone}).json()["standing"]["next"]

        assert ahead["missing"] == 2
        assert ahead["text_en"].startswith("2 visits more by ")


class TestPin:
    def pin(self, api: Any, who: Any, **changes: Any) -> Any:
        until = timezone.now() + timedelta(days=30)
        body = {"tier": "T3", "until": until.isoformat(), "reason": "partner"} | changes
        return api.post(f"/members/{who.public_id}/tier-pin", body)

    def test_shows_at_once_and_in_the_history(self) -> None:
        who, office = make.member(), make.staff("SH001")

        answer = self.pin(office, who)

        assert answer.json()["tier"] == "T3"
        assert answer.json()["standing"]["pinned_until"] is not None
        moves = make.phone_of(who).get("/me/tier-changes").json()["results"]
        assert [(move["to_tier"], move["reason"]) for move in moves] == [
            ("T3", "pinned"),
            ("T1", "joined"),
        ]

    def test_is_refused_with_a_reason(self) -> None:
        who, office = make.member(), make.staff("SH001")

        unknown = self.pin(office, who, tier="T99")
        past = self.pin(office, who, until="2020-01-01T00:00:00+08:00")
        self.pin(office, who)
        twice = self.pin(office, who)
        office.post(f"/members/{who.public_id}/tier-pin/removal")
        none_left = office.post(f"/members/{who.public_id}/tier-pin/removal")

        assert [unknown.status_code, past.status_code] == [400, 400]
        assert twice.json()["code"] == "tier-pinned"
        assert none_left.json()["code"] == "tier-not-pinned"


class TestDistribution:
    def test_adds_up_and_says_who_went_where(self) -> None:
        """Two joined long ago, one of whom rose yesterday; one joined today in SH002."""
        now = timezone.now()
        long_ago, yesterday = now - timedelta(days=60), now - timedelta(days=1)
        rising, _still = make.member(now=long_ago), make.member(now=long_ago)
        what = make.basket(who=rising, lines=[make.line(quantity=30)])
        make.paid(what=what, total=36_000, now=yesterday)
        make.member(at="SH002", now=now)
        tier_reviews.count_tiers(now=now)

        report = make.report_reader().get("/reports/tier-distribution").json()

        assert report["members"] == 3
        assert [(m["from_tier"], m["to_tier"], m["members"]) for m in report["migration"]] == [
            (None, "T1", 1),
            ("T1", "T1", 1),
            ("T1", "T2", 1),
        ]
        shares = {row["tier"]: (row["members"], row["share"]) for row in report["tiers"]}
        assert shares["T1"] == (2, 0.6667)
        assert shares["T2"] == (1, 0.3333)
        assert sum(row["members"] for row in report["roles"]) == 3
        assert sum(row["members"] for row in report["days"]) == 3

    def test_of_a_past_day_is_as_it_was(self) -> None:
        now = timezone.now()
        who = make.member(now=now - timedelta(days=60))
        what = make.basket(who=who, lines=[make.line(quantity=30)])
        make.paid(what=what, total=36_000, now=now - timedelta(days=1))
        until = (now - timedelta(days=10)).date().isoformat()

        report = make.report_reader().get("/reports/tier-distribution", until=until).json()

        assert [(m["from_tier"], m["to_tier"]) for m in report["migration"]] == [("T1", "T1")]

    def test_is_a_file_too(self) -> None:
        make.member(now=timezone.now())

        answer = make.report_reader().get("/reports/tier-distribution", format="csv")

        assert answer.content.decode("utf-8-sig").split() == ["from_tier,to_tier,members", ",T1,1"]


class TestLifecycle:
    def test_puts_each_member_into_the_furthest_stage(self) -> None:
        now = timezone.now()
        make.member(now=now)  # newcomer
        once, twice, regular = (make.member(now=now) for _each in range(3))
        for who, orders in ((once, 1), (twice, 2), (regular, 4)):
            for _order in range(orders):
                make.paid(who=who, now=now)
        advocate = make.member(now=now)
        make.paid(who=make.referred(advocate, now=now), now=now)  # the friend is a one-timer

        report = make.report_reader().get("/reports/lifecycle-distribution").json()

        assert report["members"] == 6
        assert {row["stage"]: row["members"] for row in report["rows"]} == {
            "newcomer": 1,
            "one_timer": 2,
            "returning": 1,
            "regular": 1,
            "advocate": 1,
        }

    def test_says_when_a_member_reached_which_stage(self) -> None:
        now = timezone.now()
        days = [now - timedelta(days=ago) for ago in (300, 200, 150, 40, 30, 20, 10)]
        who = make.member(now=days[0])
        bought = [make.paid(who=who, now=at).order for at in days[1:6]]
        refunds.refund_order(
            number=bought[0].number, request=RefundRequest(), actor="test", now=days[1]
        )
        make.paid(who=make.referred(who, now=days[6]), now=days[6])
        path = f"/members/{who.public_id}/lifecycle/transitions"

        steps = make.staff("SH001").get(path).json()

        assert [(s["from_stage"], s["to_stage"], s["because"]) for s in steps] == [
            (None, "newcomer", "joined"),
            ("newcomer", "one_timer", "order"),
            ("one_timer", "returning", "order"),
            ("returning", "advocate", "friend"),
        ]
        assert [datetime.fromisoformat(s["at"]) for s in steps] == [
            days[0],
            days[2],
            days[3],
            days[6],
        ]
