"""Visits of opinion leaders to stores. The only module that writes them."""

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import KolDeal, KolVisit
from shop.kernel.errors import DomainError, NotFound
from shop.kernel.money import Cents
from shop.models import Order, Store


class VisitNotDue(DomainError):
    """Drinks are on the house on the day of the visit, once; `reason` says what stands against."""

    code = "visit-not-due"
    title = _("This visit has nothing on the house now.")


class VisitLimitExceeded(DomainError):
    """The drinks cost more on the menu than was agreed; `limit_cents` is what they may."""

    code = "visit-limit-exceeded"
    title = _("The drinks cost more than was agreed for this visit.")


def plan(
    deal: KolDeal,
    *,
    store: Store,
    visit_date: date,
    content_url: str = "",
    limit_cents: Cents | None = None,
) -> KolVisit:
    """Plan a visit to a store."""
    return KolVisit.objects.create(
        deal=deal,
        store=store,
        visit_date=visit_date,
        content_url=content_url,
        limit_cents=limit_cents,
    )


def lock_due(visit_id: UUID, *, store: Store, today: date) -> KolVisit:
    """Return the visit, locked: of this store, today, with nothing served yet.

    Raises:
        NotFound: also for a visit to another store.
        VisitNotDue
    """
    rows = KolVisit.objects.select_for_update(no_key=True, of=("self",)).select_related("deal")
    visit = rows.filter(public_id=visit_id, store=store).first()
    if visit is None:
        raise NotFound
    if visit.order_id is not None:
        raise VisitNotDue(reason="served")
    if visit.visit_date != today:
        raise VisitNotDue(reason="another-day", visit_date=visit.visit_date.isoformat())
    if visit.deal.status != KolDeal.Status.ACTIVE:
        raise VisitNotDue(reason="deal-not-active")
    return visit


@transaction.atomic(savepoint=False)
def attach(visit: KolVisit, order: Order) -> None:
    """Note what was on the house at a locked visit.

    Raises:
        VisitLimitExceeded
        VisitNotDue: it was served meanwhile.
    """
    if visit.limit_cents is not None and order.subtotal_cents > visit.limit_cents:
        raise VisitLimitExceeded(limit_cents=visit.limit_cents, subtotal_cents=order.subtotal_cents)
    if KolVisit.objects.filter(pk=visit.pk, order=None).update(order=order) != 1:
        raise VisitNotDue(reason="served")
    visit.order = order
