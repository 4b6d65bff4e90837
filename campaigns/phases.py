"""The phases of campaigns: how long each kind may be, and how time and money move them on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import WithAnnotations

from campaigns import definitions, reservations
from campaigns.models import Campaign, CampaignPhase, CouponDefinition, DailyCost, Promotion
from shop import alerts
from shop.kernel.errors import DomainError, InvalidInput
from shop.kernel.fields import CentsField
from shop.kernel.money import Cents

Kind = CampaignPhase.Kind
Status = CampaignPhase.Status
FLASH = timedelta(hours=72)
SPANS = {
    Kind.LAUNCH: (timedelta(days=28), timedelta(days=92)),
    Kind.PREHEAT: (timedelta(0), timedelta(days=31)),
    Kind.FLASH72: (FLASH, FLASH),
}
"""How long a phase of a kind lasts, at least and at most: a launch one to three months."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moves:
    """How many phases were moved on."""

    started: int
    ended: int
    paused: int
    resumed: int


def end_of(kind: str, starts_at: datetime, ends_at: datetime | None) -> datetime | None:
    """Return when a phase ends: as said, or after the 72 hours of a flash to the second."""
    return starts_at + FLASH if ends_at is None and kind == Kind.FLASH72 else ends_at


def ensure_span(kind: str, starts_at: datetime, ends_at: datetime | None, *, pointer: str) -> None:
    """Check that a phase ends after it starts, and is as long as its kind allows.

    Raises:
        InvalidInput
    """
    if ends_at is None:
        if kind != Kind.ALWAYS_ON:
            raise InvalidInput(pointer, _("Only an always-on phase has no end."), reason="period")
        return
    if ends_at <= starts_at:
        raise InvalidInput(pointer, _("It must end after it starts."), reason="period")
    least, most = SPANS.get(Kind(kind), (timedelta(0), timedelta.max))
    if not least <= ends_at - starts_at <= most:
        message = {
            Kind.LAUNCH: _("A launch lasts one to three months."),
            Kind.PREHEAT: _("A preheat lasts a month at most."),
            Kind.FLASH72: _("A flash lasts 72 hours."),
        }[Kind(kind)]
        raise InvalidInput(pointer, message, reason="span")


class Costed(TypedDict):
    """What `with_cost` adds to a phase."""

    cost_cents: Cents


def with_cost(
    phases: QuerySet[CampaignPhase],
) -> "QuerySet[WithAnnotations[CampaignPhase, Costed]]":
    """Add `cost_cents`: what the links of each phase have cost so far."""
    costs = (
        DailyCost.objects.filter(link__phase=OuterRef("pk"))
        .order_by()
        .values("link__phase")
        .annotate(total=Sum("cost_cents"))
        .values("total")
    )
    return phases.annotate(cost_cents=Coalesce(Subquery(costs), 0, output_field=CentsField()))


@transaction.atomic
def advance(*, now: datetime) -> Moves:
    """Move every phase on whose time has come or whose money is spent.

    Safe to run twice and at once: rows that another run holds are left to it. A phase that nobody
    moved in time (a beat that was down) catches up, and one that is over is not started any more.
    """
    over = _taken(Q(ends_at__lte=now) & ~Q(status=Status.ENDED))
    for phase in over:
        _end(phase)
    due = _taken(
        Q(status=Status.PLANNED, starts_at__lte=now, campaign__status=Campaign.Status.ACTIVE)
    )
    for phase in due:
        _start(phase, now=now)
    spent, afloat = _watch_budgets()
    for phase, cost_cents in spent:
        _pause(phase, cost_cents, now=now)
    for phase in afloat:
        _resume(phase, now=now)
    Campaign.objects.filter(ends_at__lte=now, status=Campaign.Status.ACTIVE).update(
        status=Campaign.Status.ENDED
    )
    return Moves(started=len(due), ended=len(over), paused=len(spent), resumed=len(afloat))


def _watch_budgets() -> tuple[list[tuple[CampaignPhase, Cents]], list[CampaignPhase]]:
    """Return the running phases whose budget is spent, and the paused ones that may go on."""
    watched = _taken(Q(status__in=[Status.RUNNING, Status.PAUSED]))
    costs = {phase.pk: phase.cost_cents for phase in with_cost(_these(watched))}
    spent, afloat = [], []
    for phase in watched:
        is_spent = phase.budget_cents is not None and costs[phase.pk] >= phase.budget_cents
        if is_spent and phase.status == Status.RUNNING:
            spent.append((phase, Cents(costs[phase.pk])))
        elif not is_spent and phase.status == Status.PAUSED:
            afloat.append(phase)
    return spent, afloat


def _these(phases: Sequence[CampaignPhase]) -> QuerySet[CampaignPhase]:
    return CampaignPhase.objects.filter(pk__in=[phase.pk for phase in phases])


def _taken(condition: Q) -> list[CampaignPhase]:
    rows = CampaignPhase.objects.filter(condition).select_related("campaign").order_by("pk")
    return list(rows.select_for_update(of=("self",), skip_locked=True))


def _start(phase: CampaignPhase, *, now: datetime) -> None:
    _move(phase, to=Status.RUNNING)
    _unlock_offers(phase, now=now)
    if phase.kind != Kind.PREHEAT:
        reservations.tell(phase.campaign, now=now)


def _end(phase: CampaignPhase) -> None:
    _move(phase, to=Status.ENDED)
    _lock_offers(phase)


def _pause(phase: CampaignPhase, cost_cents: Cents, *, now: datetime) -> None:
    _move(phase, to=Status.PAUSED)
    _lock_offers(phase)
    alerts.record(
        "phase-budget-spent",
        subject=f"phase:{phase.pk}",
        details={
            "campaign": phase.campaign.code,
            "kind": phase.kind,
            "budget_cents": phase.budget_cents,
            "cost_cents": cost_cents,
        },
        now=now,
    )


def _resume(phase: CampaignPhase, *, now: datetime) -> None:
    _move(phase, to=Status.RUNNING)
    _unlock_offers(phase, now=now)


def _move(phase: CampaignPhase, *, to: Status) -> None:
    phase.status = to
    phase.save(update_fields=["status"])


def _unlock_offers(phase: CampaignPhase, *, now: datetime) -> None:
    """Switch the paused offers of the phase on; a draft was never approved and stays one."""
    for offer in _offers(phase):
        if offer.status == offer.Status.PAUSED:
            try:
                with transaction.atomic():
                    definitions.activate(offer, now=now)
            except DomainError as refusal:
                details = {"campaign": phase.campaign.code, "why": str(refusal.title)}
                alerts.record("offer-not-unlocked", subject=offer.code, details=details, now=now)


def _lock_offers(phase: CampaignPhase) -> None:
    """Switch the offers of the phase off, but for those that another running phase unlocks too."""
    others = CampaignPhase.objects.filter(status=Status.RUNNING).exclude(pk=phase.pk)
    for offer in _offers(phase):
        if offer.status == offer.Status.ACTIVE and not offer.phases.filter(pk__in=others).exists():
            definitions.pause(offer)


def _offers(phase: CampaignPhase) -> list[CouponDefinition | Promotion]:
    return [*phase.coupon_definitions.order_by("pk"), *phase.promotions.order_by("pk")]
