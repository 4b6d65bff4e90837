"""The phases of campaigns: how the clock, their limits and people move them. Their only writer.

Every move is one transaction: a guarded update, its row of history, the offers of the phase, and
the alarms. docs/campaigns.md draws the state machine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns import campaign_changes, guards, phase_alarms, phase_facts, phase_offers, plans
from campaigns.campaign_changes import BEAT
from campaigns.guards import Gauge
from campaigns.models import Campaign, CampaignPhase, Cause
from shop.kernel.errors import DomainError

Status = CampaignPhase.Status
TERMS = (
    "budget_cents",
    "daily_budget_cents",
    "cpa_limit_cents",
    "cpa_min_joins",
    "redemption_limit",
)

log = structlog.get_logger()


class PhaseNotMovable(DomainError):
    """A phase is paused while it runs, resumed while it is paused, ended until it is over."""

    code = "phase-not-movable"
    title = _("The phase cannot be moved there now.")


class PhaseLimitReached(DomainError):
    """A phase at its limit would be paused again at once; raise the limit first."""

    code = "phase-limit-reached"
    title = _("A limit of the phase is reached: raise it first.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Moves:
    """How many phases were moved on."""

    started: int
    ended: int
    paused: int
    resumed: int


def advance(*, now: datetime) -> Moves:
    """Move every phase on whose time has come, or whose limits say so.

    Safe to run twice and at once: a phase that another run holds is left to it, and each is a
    transaction of its own, so that one which cannot be moved keeps none of the others. A phase
    that nobody moved in time (a beat that was down) catches up; one that is over is not started
    any more.
    """
    open_ones = CampaignPhase.objects.exclude(status=Status.ENDED)
    is_over = Q(ends_at__lte=now) | Q(campaign__status=Campaign.Status.ENDED)
    is_due = Q(status=Status.PLANNED, starts_at__lte=now, campaign__status=Campaign.Status.ACTIVE)
    lives = Q(status__in=[Status.RUNNING, Status.PAUSED])
    found = open_ones.filter(is_over | is_due | lives).order_by("starts_at", "pk")
    moves = [_advance_one(pk, now) for pk in found.values_list("pk", flat=True)]
    return Moves(
        started=moves.count("start"),
        ended=moves.count("end"),
        paused=moves.count("pause"),
        resumed=moves.count("resume"),
    )


def pause(phase_id: int, *, reason: str, actor: str, now: datetime) -> CampaignPhase:
    """Stop a phase by hand; it stays so until somebody resumes it by hand.

    A phase that a limit has paused stays paused too, from now on by hand.

    Raises:
        PhaseNotMovable: it is not running or paused.
    """
    return _by_hand(phase_id, _pause_by_hand, reason=reason, actor=actor, now=now)


def resume(phase_id: int, *, reason: str, actor: str, now: datetime) -> CampaignPhase:
    """Let a paused phase go on.

    Raises:
        PhaseNotMovable: it is not paused, or its campaign does not run.
        PhaseLimitReached
    """
    return _by_hand(phase_id, _resume_by_hand, reason=reason, actor=actor, now=now)


def end(phase_id: int, *, reason: str, actor: str, now: datetime) -> CampaignPhase:
    """End a phase before its time, or one that will not be.

    Raises:
        PhaseNotMovable: it is over.
    """
    return _by_hand(phase_id, _end_by_hand, reason=reason, actor=actor, now=now)


@transaction.atomic
def change_terms(
    phase_id: int, terms: dict[str, Any], *, reason: str, actor: str, now: datetime
) -> CampaignPhase:
    """Change budgets and limits of a phase that is not over, and note what they were.

    What follows from them is beat's to do within the minute.

    Raises:
        PhaseNotMovable: it is over.
    """
    phase = _locked(phase_id)
    if phase.status == Status.ENDED:
        raise PhaseNotMovable(phase=phase.pk, phase_status=phase.status)
    changes = {
        name: [getattr(phase, name), value]
        for name, value in terms.items()
        if name in TERMS and getattr(phase, name) != value
    }
    for name, (_before, after) in changes.items():
        setattr(phase, name, after)
    if changes:
        phase.save(update_fields=list(changes))
        note_terms(phase, changes, reason=reason, actor=actor, now=now)
    return phase


def note_terms(
    phase: CampaignPhase, changes: dict[str, Any], *, reason: str, actor: str, now: datetime
) -> None:
    """Write down that the terms of a phase were changed: each as [before, after]."""
    campaign_changes.write(
        phase.campaign,
        phase=phase,
        come_from=phase.status,
        to=phase.status,
        cause=Cause.TERMS,
        reason=reason,
        actor=actor,
        details=changes,
        now=now,
    )


def follow_campaign(campaign: Campaign, *, now: datetime) -> None:
    """Move the phases of a campaign that was just moved itself, without waiting for beat."""
    ids = CampaignPhase.objects.filter(campaign=campaign).exclude(status=Status.ENDED)
    for pk in ids.order_by("pk").values_list("pk", flat=True):
        _advance_locked(_locked(pk), now)


# --- one phase -----------------------------------------------------------------------------------


def _advance_one(pk: int, now: datetime) -> str:
    try:
        with transaction.atomic():
            rows = CampaignPhase.objects.select_related("campaign").filter(pk=pk)
            phase = rows.select_for_update(of=("self",), skip_locked=True).first()
            return "" if phase is None else _advance_locked(phase, now)
    except Exception:  # one phase that cannot be moved must not stop the others
        log.exception("phase not moved", phase=pk)
        return ""


def _advance_locked(phase: CampaignPhase, now: datetime) -> str:
    """Return what was done to a phase: start, end, pause, resume, or nothing."""
    campaign = phase.campaign
    is_over = phase.ends_at is not None and phase.ends_at <= now
    if phase.status == Status.ENDED:
        return ""
    if is_over or campaign.status == Campaign.Status.ENDED:
        _end(phase, cause=Cause.TIME if is_over else Cause.CAMPAIGN, now=now)
        return "end"
    if phase.status == Status.PLANNED:
        is_due = phase.starts_at <= now and campaign.status == Campaign.Status.ACTIVE
        if is_due:
            _start(phase, now=now)
        return "start" if is_due else ""
    if campaign.status != Campaign.Status.ACTIVE:
        if phase.status == Status.RUNNING:
            _pause(phase, Cause.CAMPAIGN, now=now)
            return "pause"
        return ""
    return _watch(phase, now=now)


def _watch(phase: CampaignPhase, *, now: datetime) -> str:
    """Compare a phase with its limits; pause it, let it go on, or tell what is near."""
    found = _gauges(phase, now=now)
    full = guards.reached(found)
    if phase.status == Status.RUNNING and full is not None:
        _pause(phase, Cause(full.limit.value), found=found, now=now)
        return "pause"
    if phase.status == Status.PAUSED and _may_go_on(phase, found):
        _resume(phase, cause=Cause.CLEARED, actor=BEAT, now=now)
        return "resume"
    if phase.status == Status.RUNNING:
        phase_alarms.tell_near(phase, guards.near(found), now=now)
    return ""


def _may_go_on(phase: CampaignPhase, found: Sequence[Gauge]) -> bool:
    """Tell whether a paused phase goes on by itself: never if a person has paused it."""
    if phase.pause_cause == Cause.STAFF:
        return False
    return guards.may_go_on(phase.pause_cause, found)


def _start(phase: CampaignPhase, *, now: datetime) -> None:
    _move(phase, to=Status.RUNNING, cause=Cause.TIME, now=now)
    phase_offers.unlock(phase, store_id=phase_alarms.store_id(phase), now=now)


def _end(
    phase: CampaignPhase, *, cause: Cause, now: datetime, actor: str = BEAT, reason: str = ""
) -> None:
    has_run = phase.status != Status.PLANNED
    phase.summary = plans.summary(phase, now=now) if has_run else None
    phase.ended_at = now
    if cause == Cause.TIME and phase.ends_at is not None:
        phase.ended_at = phase.ends_at
    _move(phase, to=Status.ENDED, cause=cause, actor=actor, reason=reason, now=now)
    if has_run:
        phase_offers.wind_down(phase, now=now)
    phase_alarms.clear(phase, now=now)


def _pause(
    phase: CampaignPhase,
    cause: Cause,
    *,
    now: datetime,
    found: Sequence[Gauge] = (),
    actor: str = BEAT,
    reason: str = "",
) -> None:
    was_running = phase.status == Status.RUNNING
    details = {"gauges": [phase_alarms.as_json(gauge) for gauge in found]}
    _move(
        phase,
        to=Status.PAUSED,
        pause_cause=cause,
        cause=cause,
        actor=actor,
        reason=reason,
        details=details,
        now=now,
    )
    if was_running:
        phase_offers.lock(phase, now=now)
    phase_alarms.tell_paused(phase, cause, found, now=now)


def _resume(
    phase: CampaignPhase, *, cause: Cause, actor: str, now: datetime, reason: str = ""
) -> None:
    _move(phase, to=Status.RUNNING, cause=cause, actor=actor, reason=reason, now=now)
    phase_offers.unlock(phase, store_id=phase_alarms.store_id(phase), now=now)
    phase_alarms.clear(phase, now=now)


def _move(
    phase: CampaignPhase,
    *,
    to: Status,
    cause: Cause,
    now: datetime,
    pause_cause: str = "",
    actor: str = BEAT,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> None:
    """Move a phase on if it still stands where it was read, and write that down.

    Raises:
        PhaseNotMovable: somebody else has moved it meanwhile.
    """
    come_from = phase.status
    still_there = CampaignPhase.objects.filter(
        pk=phase.pk, status=come_from, pause_cause=phase.pause_cause
    )
    ends = {"ended_at": phase.ended_at, "summary": phase.summary} if to == Status.ENDED else {}
    if still_there.update(status=to, pause_cause=pause_cause, **ends) != 1:
        raise PhaseNotMovable(phase=phase.pk, phase_status=come_from)
    phase.status, phase.pause_cause = to, pause_cause
    campaign_changes.write(
        phase.campaign,
        phase=phase,
        come_from=come_from,
        to=to,
        cause=cause,
        reason=reason,
        actor=actor,
        details=details,
        now=now,
    )


# --- by hand -------------------------------------------------------------------------------------


@transaction.atomic
def _by_hand(
    phase_id: int, move: Callable[..., None], *, reason: str, actor: str, now: datetime
) -> CampaignPhase:
    phase = _locked(phase_id)
    move(phase, reason=reason, actor=actor, now=now)
    return phase


def _pause_by_hand(phase: CampaignPhase, *, reason: str, actor: str, now: datetime) -> None:
    _ensure_at(phase, [Status.RUNNING, Status.PAUSED])
    if phase.pause_cause == Cause.STAFF:
        raise PhaseNotMovable(phase=phase.pk, phase_status=phase.status)
    _pause(phase, Cause.STAFF, reason=reason, actor=actor, now=now)


def _resume_by_hand(phase: CampaignPhase, *, reason: str, actor: str, now: datetime) -> None:
    _ensure_at(phase, [Status.PAUSED])
    if phase.campaign.status != Campaign.Status.ACTIVE:
        raise PhaseNotMovable(phase=phase.pk, campaign_status=phase.campaign.status)
    full = guards.reached(_gauges(phase, now=now))
    if full is not None:
        raise PhaseLimitReached(phase=phase.pk, **phase_alarms.as_json(full))
    _resume(phase, cause=Cause.STAFF, reason=reason, actor=actor, now=now)


def _end_by_hand(phase: CampaignPhase, *, reason: str, actor: str, now: datetime) -> None:
    _ensure_at(phase, [Status.PLANNED, Status.RUNNING, Status.PAUSED])
    _end(phase, cause=Cause.STAFF, reason=reason, actor=actor, now=now)


def _ensure_at(phase: CampaignPhase, statuses: Sequence[Status]) -> None:
    if phase.status not in statuses:
        raise PhaseNotMovable(phase=phase.pk, phase_status=phase.status)


def _locked(phase_id: int) -> CampaignPhase:
    rows = CampaignPhase.objects.select_related("campaign")
    return rows.select_for_update(of=("self",)).get(pk=phase_id)


def _gauges(phase: CampaignPhase, *, now: datetime) -> list[Gauge]:
    spent = phase_facts.measure([phase], now=now)[phase.pk]
    return guards.gauges(phase_facts.limits_of(phase), spent)
