"""The inbox of everything that waits for a second person."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models import CouponDefinition, DealStatement, Promotion
from loyalty.models import PointsAdjustment
from shop.admin import actors
from shop.admin.buttons import Text
from shop.admin.money import yuan
from shop.admin.scoping import principal_of
from shop.kernel.clock import chain_day

MOST = 100
DECISIONS = ("approve", "reject")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Rows of one kind that wait: which, for what, and the key of whoever asked."""

    model: type[Model]
    waiting: Callable[[datetime], Q]
    asked_by: Callable[[Any], str]
    describe: Callable[[Any], tuple[str, str]]
    related: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """One thing to decide, with the buttons that this person may press."""

    kind: Text
    what: str
    why: str
    asked_by: str
    url: str
    buttons: list[tuple[Text, str, bool]]


def _submitter(offer: Any) -> str:
    return f"staff:{offer.submitted_by_id}"


def _offers(model: type[CouponDefinition | Promotion]) -> Source:
    return Source(
        model=model,
        waiting=lambda now: Q(status=model.Status.SUBMITTED),
        asked_by=_submitter,
        describe=lambda offer: (str(offer.name), offer.code),
    )


SOURCES = [
    Source(
        model=PointsAdjustment,
        waiting=lambda now: Q(state=PointsAdjustment.State.PENDING),
        asked_by=lambda row: f"staff:{row.requested_by_id}",
        describe=lambda row: (
            f"{row.account.member} {row.points:+d} · {row.get_kind_display()}",
            row.reason,
        ),
        related=["account__member"],
    ),
    _offers(CouponDefinition),
    _offers(Promotion),
    Source(
        model=DealStatement,
        waiting=lambda now: Q(
            state=DealStatement.State.DRAFT, month__lt=chain_day(now).replace(day=1)
        ),  # a month that is not over cannot be approved yet
        asked_by=lambda statement: str(statement.drafted_by),
        describe=lambda statement: (str(statement), yuan(statement.total_cents)),
        related=["deal"],
    ),
]


def inbox(request: HttpRequest) -> HttpResponse:
    """Show what waits, each with the buttons of its own page."""
    if not may_decide(request):
        raise PermissionDenied
    rows = [waiting for source in SOURCES for waiting in _waiting(source, request)]
    context = admin.site.each_context(request) | {"title": _("Approvals"), "rows": rows}
    return render(request, "admin/approvals.html", context)


def may_decide(request: HttpRequest) -> bool:
    """Tell whether this person sees anything that could wait."""
    return any(
        admin.site._registry[source.model].has_view_permission(request) for source in SOURCES
    )


def _waiting(source: Source, request: HttpRequest) -> Iterator[Waiting]:
    page: Any = admin.site._registry[source.model]
    if not page.has_view_permission(request):
        return
    found = page.get_queryset(request).filter(source.waiting(timezone.now()))
    rows = list(found.select_related(*source.related).order_by("pk")[:MOST])
    names = actors.names(source.asked_by(row) for row in rows)
    for row in rows:
        what, why = source.describe(row)
        meta = source.model._meta
        asked_by = source.asked_by(row)
        is_own = asked_by == principal_of(request).key
        yield Waiting(
            kind=meta.verbose_name or "",
            what=what,
            why=why,
            asked_by=names[asked_by],
            url=reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk]),
            buttons=[] if is_own else list(_buttons(page, request, row)),
        )


def _buttons(page: Any, request: HttpRequest, row: Any) -> Iterator[tuple[Text, str, bool]]:
    """Yield the label and address of each decision, if this person may take it on this row."""
    for action in page._get_base_actions_detail():
        asks = action.method.button
        name = action.action_name
        if name.endswith(DECISIONS) and asks.is_offered(page, request, row):
            yield asks.label, reverse(f"admin:{name}", args=[row.pk]), name.endswith("approve")
