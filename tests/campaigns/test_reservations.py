"""S49: during preheat members reserve; at the start each gets the coupon, once."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns import campaigns, reservations
from campaigns.models import CampaignPhase, Coupon, Reservation
from shop.kernel import jobs, outbox
from shop.kernel.models import Job
from shop.models import Message
from tests import make
from tests.campaigns.test_phases import no_floor

__all__ = ["no_floor"]
pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def preheated(*, places: int | None = None, coupons: int | None = None) -> datetime:
    """Let a campaign preheat that starts in an hour; return when."""
    start = datetime.now(UTC) + HOUR
    offer = make.definition(
        "WINBACK_6", status="paused", valid_until=None, valid_days=30, total_limit=coupons
    )
    make.phase(
        "preheat",
        starts_at=start - timedelta(days=9),
        ends_at=start,
        reservation_coupon=offer,
        reservation_limit=places,
    )
    make.phase("flash72", starts_at=start).coupon_definitions.add(offer)
    campaigns.advance(now=start - HOUR)
    return start


def begin(start: datetime) -> None:
    """Let the campaign start, and serve its list."""
    campaigns.advance(now=start)
    for job in Job.objects.filter(kind=reservations.JOB, state__in=jobs.OPEN):
        jobs.run(job.pk, now=start)


def test_a_member_reserves_once_and_gets_the_coupon_at_the_start_once() -> None:
    start = preheated()
    who = make.member()
    phone = make.phone_of(who)

    answers = [phone.post("/campaigns/cup618/reservations", {}) for _each in range(2)]
    before = Coupon.objects.filter(member=who, definition__code="WINBACK_6").count()
    for now in (start, start + HOUR):
        begin(now)
        outbox.relay(now=now)

    assert [answer.status_code for answer in answers] == [201, 201]
    assert CampaignPhase.objects.get(kind="preheat").reserved_count == 1
    assert before == 0
    (coupon,) = Coupon.objects.filter(member=who, definition__code="WINBACK_6")
    (place,) = phone.get("/campaigns/cup618/reservations").json()["results"]
    assert place["coupon"] == coupon.code
    told = Message.objects.filter(template="campaign.started", member=who)
    assert [message.text for message in told] == ["“618 大促”开始了，店里见！"]
    assert make.staff("SH001").get("/campaigns/cup618").json()["reservations"] == 1


def test_there_are_as_many_places_as_it_says() -> None:
    preheated(places=1)

    answers = [
        make.phone_of(make.member()).post("/campaigns/cup618/reservations", {})
        for _each in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["code"] == "reservations-full"
    assert Reservation.objects.count() == 1


def test_coupons_that_run_out_go_to_who_came_first() -> None:
    start = preheated(coupons=1)
    first, second = make.member(), make.member()
    for who in (first, second):
        make.phone_of(who).post("/campaigns/cup618/reservations", {})

    begin(start)

    places = Reservation.objects.order_by("pk")
    assert [place.coupon is not None for place in places] == [True, False]
    assert all(place.told_at == start for place in places)


def test_nobody_is_told_while_the_coupon_cannot_be_given() -> None:
    start = preheated()
    make.phone_of(make.member()).post("/campaigns/cup618/reservations", {})
    make.definition("WINBACK_6", status="draft")

    campaigns.advance(now=start)
    jobs.advance(now=start)
    failed = Job.objects.get(kind=reservations.JOB).state
    make.definition("WINBACK_6", status="active")
    begin(start + HOUR)

    assert (failed, Reservation.objects.get().coupon is not None) == ("failed", True)


def test_at_any_other_time_they_are_refused() -> None:
    now = datetime.now(UTC)
    make.phase("preheat", starts_at=now - timedelta(days=9), ends_at=now)

    answer = make.phone_of(make.member()).post("/campaigns/cup618/reservations", {})

    assert (answer.status_code, answer.json()["code"]) == (409, "reservations-closed")
