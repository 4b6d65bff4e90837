"""Phases that several beats and people move in the same moment."""

from datetime import timedelta
from functools import partial

import pytest

from campaigns import campaigns, phases, reservations
from campaigns.models import CampaignChange, CampaignPhase, Coupon, Reservation
from shop.kernel import jobs
from shop.kernel.models import Job, OutboxMessage
from tests import make
from tests.campaigns.test_phases import no_floor
from tests.concurrency.crowd import at_once, outcomes

__all__ = ["no_floor"]
NOW = make.NOON


def test_two_beats_start_a_phase_once() -> None:
    """The row lock and the guarded update of `_move`; without them two rows of history are
    written for one start, and the list is served twice.
    """
    flash = make.phase(starts_at=NOW)

    started = [move.started for move in at_once([partial(phases.advance, now=NOW)] * 4)]

    flash.refresh_from_db()
    assert (flash.status, sum(started)) == ("running", 1)
    assert CampaignChange.objects.filter(phase=flash).count() == 1


def test_people_who_pause_at_once_pause_once() -> None:
    """The row lock of `_locked` with the check behind it."""
    flash = make.phase(starts_at=NOW)
    phases.advance(now=NOW)
    pause = partial(phases.pause, flash.pk, reason="No milk", actor="staff:1", now=NOW)

    came = outcomes([pause] * 4)

    assert came == {"done": 1, "phase-not-movable": 3}
    assert CampaignChange.objects.filter(phase=flash, to_status="paused").count() == 1


@pytest.mark.parametrize("places", [3])
def test_no_more_reserve_than_there_are_places(places: int) -> None:
    """The guarded count of `reserve`; without it everybody finds the list not yet full."""
    preheat = make.phase("preheat", starts_at=NOW - timedelta(days=1), reservation_limit=places)
    phases.advance(now=NOW)
    crowd = [make.member() for _each in range(8)]

    came = outcomes(
        partial(reservations.reserve, preheat.campaign, member_id=who.pk, now=NOW) for who in crowd
    )

    assert came == {"done": places, "reservations-full": 8 - places}
    preheat.refresh_from_db()
    assert preheat.reserved_count == Reservation.objects.count() == places


def test_a_list_is_served_once_by_however_many_workers() -> None:
    """The unique key of the job and its row lock; without them a member is given two coupons."""
    offer = make.definition(
        "WINBACK_6", status="paused", valid_until=None, valid_days=30, per_member_limit=9
    )
    preheat = make.phase("preheat", starts_at=NOW - timedelta(days=1), ends_at=NOW)
    CampaignPhase.objects.filter(pk=preheat.pk).update(reservation_coupon=offer)
    make.phase("flash72", starts_at=NOW).coupon_definitions.add(offer)
    phases.advance(now=NOW - timedelta(hours=1))
    for _each in range(5):
        reservations.reserve(
            preheat.campaign, member_id=make.member().pk, now=NOW - timedelta(hours=1)
        )

    at_once([partial(campaigns.advance, now=NOW)] * 3)
    at_once([partial(jobs.advance, now=NOW)] * 3)

    assert Job.objects.filter(kind=reservations.JOB).count() == 1
    assert Coupon.objects.filter(definition=offer).count() == 5
    assert OutboxMessage.objects.filter(topic="campaign.started").count() == 5
