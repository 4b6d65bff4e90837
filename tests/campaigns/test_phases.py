"""Campaigns in phases: as long as their kind, moved on by the clock, stopped by the budget."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns import phases
from campaigns.models import Campaign, CampaignPhase, CouponDefinition, DailyCost, Reservation
from shop.kernel import outbox
from shop.models import Alert, Message, Product
from tests import make

pytestmark = pytest.mark.django_db

START = datetime(2026, 5, 18, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def no_floor() -> None:
    """Let every coupon run beside the others; the loss guard has tests of its own."""
    Product.objects.update(floor_price_cents=0)


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


def phase(kind: str = "flash72", *, starts_at: datetime = START, **columns: Any) -> CampaignPhase:
    """Return a phase of a running campaign."""
    whole, _is_new = Campaign.objects.get_or_create(
        code="cup618",
        defaults={
            "name_zh": "618 大促",
            "name_en": "618",
            "status": "active",
            "starts_at": START - timedelta(days=60),
        },
    )
    ends_at = columns.pop("ends_at", starts_at + timedelta(hours=72))
    return CampaignPhase.objects.create(
        campaign=whole, kind=kind, starts_at=starts_at, ends_at=ends_at, **columns
    )


def status_of(row: CampaignPhase) -> str:
    row.refresh_from_db()
    return row.status


def spend(row: CampaignPhase, cents: int) -> None:
    """Enter what the phase's link cost."""
    link = row.links.first() or make.link(phase=row)
    DailyCost.objects.update_or_create(link=link, date=START.date(), defaults={"cost_cents": cents})


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
        flash = phase()

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
        missed = phase()
        offer = make.definition(status="paused")
        missed.coupon_definitions.add(offer)

        moves = phases.advance(now=START + timedelta(days=9))

        assert (status_of(missed), moves.started, moves.ended) == ("ended", 0, 1)
        offer.refresh_from_db()
        assert offer.status == "paused"

    def test_moves_nothing_of_a_campaign_that_is_a_draft(self) -> None:
        flash = phase()
        Campaign.objects.update(status="draft")

        phases.advance(now=START)

        assert status_of(flash) == "planned"

    def test_ends_a_campaign_with_its_last_day(self) -> None:
        row = phase().campaign
        Campaign.objects.update(ends_at=START + timedelta(hours=72))

        phases.advance(now=START + timedelta(hours=72))

        row.refresh_from_db()
        assert row.status == "ended"

    def test_run_twice_changes_nothing_more(self) -> None:
        phase()

        first, second = phases.advance(now=START), phases.advance(now=START)

        assert (first.started, second.started) == (1, 0)


class TestOffers:
    def test_of_a_phase_can_be_claimed_while_it_runs_and_not_before(self) -> None:
        flash = phase()
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
        flash = phase()
        tail = phase("long_tail", ends_at=START + timedelta(days=30))
        offer = make.definition(status="paused")
        for row in (flash, tail):
            row.coupon_definitions.add(offer)

        phases.advance(now=START)
        phases.advance(now=START + timedelta(hours=72))

        offer.refresh_from_db()
        assert (status_of(tail), offer.status) == ("running", "active")

    def test_that_are_drafts_stay_drafts(self) -> None:
        flash = phase()
        offer = make.definition(status="draft")
        flash.coupon_definitions.add(offer)

        phases.advance(now=START)

        offer.refresh_from_db()
        assert offer.status == CouponDefinition.Status.DRAFT


class TestBudget:
    """S51, N9: at the cap the phase pauses and says so; with more money it goes on."""

    def test_pauses_at_the_cap_and_goes_on_when_raised(self) -> None:
        flash = phase(budget_cents=100_000)
        offer = make.definition(status="paused")
        flash.coupon_definitions.add(offer)
        phases.advance(now=START)

        seen = []
        for cost, budget in ((99_999, 100_000), (100_000, 100_000), (100_000, 150_000)):
            spend(flash, cost)
            CampaignPhase.objects.update(budget_cents=budget)
            phases.advance(now=START + SECOND)
            offer.refresh_from_db()
            seen.append((status_of(flash), offer.status))

        assert seen == [("running", "active"), ("paused", "paused"), ("running", "active")]
        alarm = Alert.objects.get(code="phase-budget-spent")
        assert alarm.details["cost_cents"] == 100_000

    def test_is_compared_with_the_cost_over_http(self) -> None:
        flash = phase(budget_cents=100_000)
        spend(flash, 30_000)

        (shown,) = make.report_reader().get("/campaigns/cup618/phases").json()

        assert (shown["cost_cents"], shown["left_cents"]) == (30_000, 70_000)

    def test_of_a_phase_that_is_always_on_need_not_exist(self) -> None:
        endless = phase("always_on", ends_at=None)
        spend(endless, 10**9)

        phases.advance(now=START + timedelta(days=400))

        assert status_of(endless) == "running"
        (shown,) = make.report_reader().get("/campaigns/cup618/phases").json()
        assert (shown["budget_cents"], shown["left_cents"]) == (None, None)


class TestReservations:
    """S49: during preheat members may ask to be told."""

    def test_are_taken_during_preheat_once_each_and_told_once(self) -> None:
        now = datetime.now(UTC)
        phase("preheat", starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1))
        phase("flash72", starts_at=now + timedelta(days=1))
        who = make.member()
        phone = make.phone_of(who)

        answers = [phone.post("/campaigns/cup618/reservations", {}) for _ in range(2)]
        for _again in range(2):
            phases.advance(now=now + timedelta(days=1))
            outbox.relay(now=now + timedelta(days=1))

        assert [answer.status_code for answer in answers] == [201, 201]
        assert Reservation.objects.count() == 1
        told = Message.objects.filter(template="campaign.started", member=who)
        assert [message.text for message in told] == ["“618 大促”开始了，店里见！"]
        assert make.staff("SH001").get("/campaigns/cup618").json()["reservations"] == 1

    def test_are_refused_at_any_other_time(self) -> None:
        now = datetime.now(UTC)
        phase("preheat", starts_at=now - timedelta(days=9), ends_at=now)

        answer = make.phone_of(make.member()).post("/campaigns/cup618/reservations", {})

        assert (answer.status_code, answer.json()["code"]) == (409, "reservations-closed")


class TestHours:
    """S50: a flash is watched hour by hour."""

    def test_count_what_the_links_brought_in_each(self) -> None:
        now = datetime.now(UTC)
        flash = phase(
            starts_at=now - timedelta(hours=2, minutes=30),
            ends_at=now + timedelta(hours=69, minutes=30),
        )
        link = make.link(phase=flash)
        make.touch(link, "v-1", now=now - timedelta(hours=2))
        make.touch(link, "v-2", now=now - timedelta(minutes=10))

        hours = make.report_reader().get("/campaigns/cup618/hourly", phase=flash.pk).json()

        assert [hour["touches"] for hour in hours] == [1, 0, 1]
        assert datetime.fromisoformat(hours[0]["starts_at"]) == flash.starts_at

    def test_of_another_campaigns_phase_are_refused(self) -> None:
        phase()

        answer = make.report_reader().get("/campaigns/cup618/hourly", phase=10**9)

        assert answer.status_code == 400
