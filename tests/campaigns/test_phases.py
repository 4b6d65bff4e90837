"""Campaigns in phases: as long as their kind, moved by the clock, their limits and people."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns import campaigns, definitions, loss_guard, phases, wallets
from campaigns.models import (
    Campaign,
    CampaignChange,
    CampaignPhase,
    ChannelLink,
    CouponDefinition,
    DailyCost,
)
from shop.models import Alert
from tests import make

pytestmark = pytest.mark.django_db

START = datetime(2026, 5, 18, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def no_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every coupon run beside the others; the loss guard has tests of its own."""
    monkeypatch.setattr(loss_guard, "check", lambda offer, *, now: [])


def campaign(*drafts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the JSON of a campaign with these phases."""
    return {
        "code": "cup618",
        "name_zh": "618 大促",
        "name_en": "618",
        "status": "active",
        "starts_at": (START - timedelta(days=60)).isoformat(),
        "phases": [
            {
                name: value.isoformat() if isinstance(value, datetime) else value
                for name, value in draft.items()
            }
            for draft in drafts
        ],
        **changes,
    }


def status_of(row: CampaignPhase) -> str:
    row.refresh_from_db()
    return row.status


def spend(row: CampaignPhase, cents: int) -> None:
    """Enter what the phase's link cost."""
    link = row.links.first() or make.link(phase=row)
    DailyCost.objects.update_or_create(link=link, date=START.date(), defaults={"cost_cents": cents})


def join(link: ChannelLink) -> None:
    """Let one more member come by a link."""
    make.member(link_code=link.code)


class TestSpan:
    """S48–S50: a launch takes one to three months, a preheat at most one, a flash 72 hours."""

    @pytest.mark.parametrize(
        ("kind", "days", "is_right"),
        [
            ("launch", 27, False),
            ("launch", 28, True),
            ("launch", 92, True),
            ("launch", 120, False),
            ("preheat", 31, True),
            ("preheat", 32, False),
            ("flash72", 2, False),
            ("flash72", 3, True),
            ("long_tail", 200, True),
        ],
    )
    def test_is_that_of_the_kind(self, kind: str, days: int, is_right: bool) -> None:
        draft = {"kind": kind, "starts_at": START, "ends_at": START + timedelta(days=days)}

        answer = make.staff(group="Head office").post("/campaigns", campaign(draft))

        assert answer.status_code == (201 if is_right else 400)
        if not is_right:
            (error,) = answer.json()["errors"]
            assert (error["pointer"], error["code"]) == ("/phases/0/ends_at", "span")

    def test_of_a_flash_needs_no_end_and_is_72_hours_to_the_second(self) -> None:
        body = campaign({"kind": "flash72", "starts_at": START})

        (made,) = make.staff(group="Head office").post("/campaigns", body).json()["phases"]

        assert datetime.fromisoformat(made["ends_at"]) == START + timedelta(hours=72)

    def test_has_no_end_only_when_it_is_always_on(self) -> None:
        office = make.staff(group="Head office")

        endless = office.post("/campaigns", campaign({"kind": "launch", "starts_at": START}))
        always = office.post("/campaigns", campaign({"kind": "always_on", "starts_at": START}))

        assert (endless.status_code, always.status_code) == (400, 201)
        assert always.json()["phases"][0]["ends_at"] is None


class TestClock:
    """S47: phases move by themselves."""

    def test_starts_and_ends_a_flash_to_the_second(self) -> None:
        flash = make.phase()

        seen = []
        for now in (
            START - SECOND,
            START,
            START + timedelta(hours=72) - SECOND,
            START + timedelta(hours=72),
        ):
            phases.advance(now=now)
            seen.append(status_of(flash))

        assert seen == ["planned", "running", "running", "ended"]

    def test_does_not_start_what_was_over_before_anybody_looked(self) -> None:
        missed = make.phase()
        offer = make.definition(status="paused")
        missed.coupon_definitions.add(offer)

        moves = phases.advance(now=START + timedelta(days=9))

        assert (status_of(missed), moves.started, moves.ended) == ("ended", 0, 1)
        offer.refresh_from_db()
        assert offer.status == "paused"

    def test_moves_nothing_of_a_campaign_that_is_a_draft(self) -> None:
        flash = make.phase()
        Campaign.objects.update(status="draft")

        phases.advance(now=START)

        assert status_of(flash) == "planned"

    def test_ends_a_campaign_with_its_last_day(self) -> None:
        row = make.phase().campaign
        Campaign.objects.update(ends_at=START + timedelta(hours=72))

        campaigns.advance(now=START + timedelta(hours=72))

        row.refresh_from_db()
        assert row.status == "ended"

    def test_run_twice_changes_nothing_more(self) -> None:
        make.phase()

        first, second = phases.advance(now=START), phases.advance(now=START)

        assert (first.started, second.started) == (1, 0)


class TestOffers:
    def test_of_a_phase_can_be_claimed_while_it_runs_and_not_before(self) -> None:
        flash = make.phase()
        offer = make.definition(status="paused", is_claimable=True, valid_until=None, valid_days=30)
        flash.coupon_definitions.add(offer)
        phone = make.phone_of(make.member())
        path = f"/coupon-definitions/{offer.code}/claims"

        before = phone.post(path, {})
        phases.advance(now=START)
        during = phone.post(path, {})
        phases.advance(now=START + timedelta(hours=72))
        after = make.phone_of(make.member()).post(path, {})

        assert (before.status_code, during.status_code, after.status_code) == (409, 201, 409)
        assert before.json()["code"] == after.json()["code"] == "coupon-not-claimable"

    def test_stay_on_while_another_running_phase_unlocks_them_too(self) -> None:
        flash = make.phase()
        tail = make.phase("long_tail", ends_at=START + timedelta(days=30))
        offer = make.definition(status="paused")
        for row in (flash, tail):
            row.coupon_definitions.add(offer)

        phases.advance(now=START)
        phases.advance(now=START + timedelta(hours=72))

        offer.refresh_from_db()
        assert (status_of(tail), offer.status) == ("running", "active")

    def test_that_are_drafts_stay_drafts(self) -> None:
        flash = make.phase()
        offer = make.definition(status="draft")
        flash.coupon_definitions.add(offer)

        phases.advance(now=START)

        offer.refresh_from_db()
        assert offer.status == CouponDefinition.Status.DRAFT


class TestOffersOfAPhase:
    def test_that_are_ready_wait_for_it_and_cannot_be_switched_on_before(self) -> None:
        offer = make.definition(status="draft")
        make.phase().coupon_definitions.add(offer)

        definitions.activate(offer, now=START)
        offer.refresh_from_db()
        with pytest.raises(definitions.OfferWaitsForPhase):
            definitions.activate(offer, now=START)

        assert offer.status == "paused"

    def test_must_not_work_already(self) -> None:
        make.definition("WINBACK_6", status="active")
        draft = {"kind": "flash72", "starts_at": START, "coupon_definitions": ["WINBACK_6"]}

        answer = make.staff(group="Head office").post("/campaigns", campaign(draft))

        (error,) = answer.json()["errors"]
        assert error["pointer"] == "/phases/0/coupon_definitions/0"
        assert error["code"] == "offer-active"

    @pytest.mark.parametrize(
        ("policy", "status", "reason"), [("keep", "ended", None), ("wait", "paused", "disabled")]
    )
    def test_end_with_it_and_coupons_in_wallets_as_it_says(
        self, policy: str, status: str, reason: str | None
    ) -> None:
        offer = make.definition(
            "WINBACK_6", status="paused", is_claimable=True, valid_until=None, valid_days=30
        )
        flash = make.phase(starts_at=make.NOON - timedelta(hours=71), open_coupons=policy)
        flash.coupon_definitions.add(offer)
        phases.advance(now=make.NOON)
        offer.refresh_from_db()
        coupon = make.coupon(make.member(), "WINBACK_6", now=make.NOON)

        phases.advance(now=make.NOON + timedelta(hours=1))

        offer.refresh_from_db()
        coupon.refresh_from_db()
        refusal = wallets.why_unusable(coupon, now=make.NOON + timedelta(hours=2))
        assert (offer.status, refusal.reason if refusal else None) == (status, reason)


class TestLimits:
    """S51, N9: at a limit the phase pauses and says so; with room again it goes on by itself."""

    def test_pause_at_the_budget_and_go_on_when_it_is_raised(self) -> None:
        flash = make.phase(budget_cents=100_000)
        offer = make.definition(status="paused")
        flash.coupon_definitions.add(offer)
        phases.advance(now=START)

        seen = []
        for cost in (79_999, 80_000, 100_000):
            spend(flash, cost)
            phases.advance(now=START + SECOND)
            offer.refresh_from_db()
            seen.append((status_of(flash), offer.status, open_alarms()))
        office = make.staff(group="Head office")
        terms = {"budget_cents": 150_000, "reason": "It pays"}
        path = f"/campaigns/cup618/phases/{flash.pk}"
        office.post(f"{path}/limits", terms)
        phases.advance(now=START + 2 * SECOND)
        offer.refresh_from_db()

        assert seen == [
            ("running", "active", []),
            ("running", "active", ["phase-near-limit"]),
            ("paused", "paused", ["phase-paused"]),
        ]
        assert (status_of(flash), offer.status, open_alarms()) == ("running", "active", [])
        alarm = Alert.objects.get(code="phase-paused")
        assert alarm.details["gauges"] == [
            {"limit": "budget", "most": 100_000, "value": 100_000, "percent": 100}
        ]
        told = [
            (c["cause"], c["to_status"], c["actor"].split(":")[0])
            for c in office.get("/campaigns/cup618/changes").json()["results"]
        ]
        assert told == [
            ("cleared", "running", "beat"),
            ("terms", "paused", "staff"),
            ("budget", "paused", "beat"),
            ("time", "running", "beat"),
        ]

    def test_of_the_day_lets_it_go_on_the_next_day(self) -> None:
        flash = make.phase(daily_budget_cents=5_000)
        phases.advance(now=START)
        spend(flash, 5_000)

        seen = []
        for hours in (1, 13, 14):  # START is 10:00 in Shanghai, so the next day is 14 hours away
            phases.advance(now=START + timedelta(hours=hours))
            seen.append(status_of(flash))

        assert seen == ["paused", "paused", "running"]

    def test_of_cost_per_member_do_not_flap(self) -> None:
        flash = make.phase(cpa_limit_cents=1_000, cpa_min_joins=2)
        link = make.link(phase=flash)
        phases.advance(now=START)
        spend(flash, 2_000)

        seen = []
        for _each in range(4):  # ¥20.00 for 0, 1, 2, 3 members: at 2 it is exactly the limit
            phases.advance(now=START + SECOND)
            seen.append(status_of(flash))
            join(link)

        assert seen == ["paused", "paused", "paused", "running"]

    def test_of_uses_count_coupons_and_promotions(self) -> None:
        flash = make.phase(starts_at=make.NOON - SECOND, redemption_limit=1)
        offer = make.definition("WINBACK_6", status="paused", valid_until=None, valid_days=30)
        flash.coupon_definitions.add(offer)
        phases.advance(now=make.NOON)
        who = make.member()
        coupon = make.coupon(who, "WINBACK_6", now=make.NOON)
        make.paid(
            what=make.basket(who=who, lines=[make.line(quantity=3)], coupon_codes=[coupon.code]),
            total=3000,
            now=make.NOON,
        )

        phases.advance(now=make.NOON + SECOND)

        flash.refresh_from_db()
        assert (flash.status, flash.pause_cause) == ("paused", "redemptions")

    def test_are_shown_with_the_cost_over_http(self) -> None:
        flash = make.phase(budget_cents=100_000)
        spend(flash, 30_000)

        (shown,) = make.report_reader().get("/campaigns/cup618/phases").json()

        assert (shown["cost_cents"], shown["left_cents"]) == (30_000, 70_000)
        assert [gauge["percent"] for gauge in shown["gauges"]] == [30]

    def test_of_a_phase_that_is_always_on_need_not_exist(self) -> None:
        endless = make.phase("always_on", ends_at=None)
        spend(endless, 10**9)

        phases.advance(now=START + timedelta(days=400))

        assert status_of(endless) == "running"
        (shown,) = make.report_reader().get("/campaigns/cup618/phases").json()
        assert (shown["budget_cents"], shown["left_cents"], shown["gauges"]) == (None, None, [])


class TestByHand:
    def test_a_pause_is_resumed_by_no_rule_and_links_go_on(self) -> None:
        flash = make.phase(budget_cents=100_000)
        phases.advance(now=START)
        link = make.link(phase=flash)
        spend(flash, 100_000)
        phases.advance(now=START + SECOND)
        office = make.staff(group="Head office")
        moves = f"/campaigns/cup618/phases/{flash.pk}/moves"

        full = office.post(moves, {"to": "running", "reason": "We want more"})
        office.post(moves, {"to": "paused", "reason": "No milk"})
        CampaignPhase.objects.update(budget_cents=200_000)
        phases.advance(now=START + 2 * SECOND)
        kept = status_of(flash)
        resumed = office.post(moves, {"to": "running", "reason": "Milk is back"})

        assert (full.status_code, full.json()["code"]) == (409, "phase-limit-reached")
        assert (kept, resumed.json()["status"]) == ("paused", "running")
        redirect = office.client.get(f"/t/{link.code}")
        assert redirect.status_code == 302

    def test_an_end_keeps_what_came_of_it(self) -> None:
        flash = make.phase(target_joins=100)
        phases.advance(now=START)
        spend(flash, 4_000)
        join(make.link(phase=flash))
        office = make.staff(group="Head office")
        path = f"/campaigns/cup618/phases/{flash.pk}/moves"

        ended = office.post(path, {"to": "ended", "reason": "Sold out"}).json()
        again = office.post(path, {"to": "paused", "reason": "?"})
        spend(flash, 9_999)

        kept = office.get("/campaigns/cup618/phases").json()[0]["summary"]
        assert (ended["status"], ended["ended_at"] is not None) == ("ended", True)
        assert (again.status_code, again.json()["code"]) == (409, "phase-not-movable")
        assert (kept["total"]["cost_cents"], kept["total"]["joined"]) == (4_000, 1)

    def test_a_campaign_takes_its_phases_along(self) -> None:
        flash = make.phase(ends_at=START + timedelta(days=365), kind="long_tail")
        phases.advance(now=START)
        office = make.staff(group="Head office")

        seen = []
        for to in ("paused", "active", "ended"):
            office.post("/campaigns/cup618/moves", {"to": to, "reason": "Because"})
            seen.append(status_of(flash))

        assert seen == ["paused", "running", "ended"]
        assert CampaignChange.objects.filter(phase=None).count() == 3


def open_alarms() -> list[str]:
    return sorted(Alert.objects.filter(resolved_at=None).values_list("code", flat=True))
