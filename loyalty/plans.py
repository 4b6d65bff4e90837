"""Memberships that are paid for: sold, renewed, given back. The only writer of purchases."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from loyalty import points
from loyalty.models import MembershipPlan, PlanPurchase
from shop.kernel.errors import DomainError, NotFound
from shop.kernel.money import Cents
from shop.models import Store


class PlanPriceChanged(DomainError):
    """The plan no longer costs what the caller expects; `price_cents` says what it does."""

    code = "plan-price-changed"
    title = _("The price of this plan has changed.")


class PlanNotRefundable(DomainError):
    """The period is over, was given back already, or another one follows it."""

    code = "plan-not-refundable"
    title = _("This paid membership cannot be given back.")


@transaction.atomic
def purchase(
    plan_code: str,
    *,
    member_id: int,
    store: Store,
    method: str,
    paid_cents: Cents,
    source: str,
    actor: str,
    now: datetime,
    reference: str = "",
) -> PlanPurchase:
    """Sell a plan to a member who has paid for it; a renewal begins where the last period ends.

    Once per source: a repeated call returns what was sold.

    Raises:
        NotFound: no such plan on offer.
        PlanPriceChanged
    """
    return begin(
        find(plan_code, price_cents=paid_cents),
        price_cents=paid_cents,
        member_id=member_id,
        store=store,
        method=method,
        source=source,
        actor=actor,
        reference=reference,
        now=now,
    )


def find(plan_code: str, *, price_cents: Cents) -> MembershipPlan:
    """Return a plan on offer that costs what the caller expects.

    Raises:
        NotFound, PlanPriceChanged
    """
    plan = MembershipPlan.objects.filter(code=plan_code, is_active=True).first()
    if plan is None:
        raise NotFound
    if price_cents != plan.price_cents:
        raise PlanPriceChanged(plan=plan.code, price_cents=plan.price_cents)
    return plan


def begin(
    plan: MembershipPlan,
    *,
    price_cents: Cents,
    member_id: int,
    store: Store,
    method: str,
    source: str,
    actor: str,
    reference: str,
    now: datetime,
) -> PlanPurchase:
    """Begin a period that was paid for; a renewal where the last one ends. Once per source."""
    points.lock_accounts([member_id])  # two at once take turns, and neither overlaps the other
    before = PlanPurchase.objects.filter(source=source).first()
    if before is not None:
        return before
    last = _standing(member_id, plan.pk).order_by("-ends_at").first()
    starts_at = max(now, last.ends_at) if last else now
    return PlanPurchase.objects.create(
        plan=plan,
        member_id=member_id,
        store=store,
        price_cents=price_cents,
        method=method,
        reference=reference,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(days=plan.days),
        source=source,
        actor=actor,
        bought_at=now,
    )


@transaction.atomic
def refund(purchase_id: int, *, member_id: int, now: datetime) -> PlanPurchase:
    """Give a period back: all of one that has not begun, else what its unused whole days cost.

    The benefits end with it. Only a member's last period can be given back.

    Raises:
        NotFound, PlanNotRefundable
    """
    points.lock_accounts([member_id])
    found = PlanPurchase.objects.filter(pk=purchase_id, member_id=member_id).first()
    if found is None:
        raise NotFound
    later = _standing(member_id, found.plan_id).filter(starts_at__gt=found.starts_at)
    if found.refunded_at is not None or found.ends_at <= now or later.exists():
        raise PlanNotRefundable(purchase=purchase_id)
    found.refunded_cents = refundable_cents(found, now=now)
    found.refunded_at = now
    found.save(update_fields=["refunded_cents", "refunded_at"])
    return found


def refundable_cents(purchase: PlanPurchase, *, now: datetime) -> Cents:
    """Return what a period given back now is worth; fractions of a cent and of a day are kept."""
    if now <= purchase.starts_at:
        return Cents(purchase.price_cents)
    days = (purchase.ends_at - purchase.starts_at).days
    unused = max((purchase.ends_at - now).days, 0)
    return Cents(purchase.price_cents * unused // days)


def hand_over(*, source_id: int, target_id: int, now: datetime) -> None:
    """Move what a member has paid for to another membership of theirs.

    Where the other has the same plan already, the rest begins where that ends. What is over stays.
    """
    running = PlanPurchase.objects.filter(member_id=source_id, refunded_at=None, ends_at__gt=now)
    for purchase in running.order_by("starts_at"):
        last = _standing(target_id, purchase.plan_id).order_by("-ends_at").first()
        starts_at, ends_at = purchase.starts_at, purchase.ends_at
        if last is not None and last.ends_at > starts_at:
            rest = ends_at - max(starts_at, now)
            starts_at, ends_at = last.ends_at, last.ends_at + rest
        PlanPurchase.objects.filter(pk=purchase.pk).update(
            member_id=target_id, starts_at=starts_at, ends_at=ends_at
        )


def _standing(member_id: int, plan_id: int) -> QuerySet[PlanPurchase]:
    return PlanPurchase.objects.filter(member_id=member_id, plan_id=plan_id, refunded_at=None)
