"""The inbox of everything that waits for a second person."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from campaigns.models import CouponDefinition, Promotion
from loyalty.models import PointsAdjustment
from shop.admin.buttons import Text

MOST = 100
DECISIONS = ("approve", "reject")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Rows of one kind that wait: which, for what, since when and by whom."""

    model: type[Model]
    waiting: dict[str, Any]
    asked_by: str
    describe: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """One thing to decide, with the buttons that this person may press."""

    kind: Text
    what: str
    why: str
    asked_by: str
    url: str
    buttons: list[tuple[Text, str, bool]]


SOURCES = [
    Source(
        model=PointsAdjustment,
        waiting={"state": PointsAdjustment.State.PENDING},
        asked_by="requested_by",
        describe=lambda row: (
            f"{row.account.member} {row.points:+d} · {row.get_kind_display()}",
            row.reason,
        ),
    ),
    Source(
        model=CouponDefinition,
        waiting={"status": CouponDefinition.Status.SUBMITTED},
        asked_by="submitted_by",
        describe=lambda row: (str(row.name), row.code),
    ),
    Source(
        model=Promotion,
        waiting={"status": Promotion.Status.SUBMITTED},
        asked_by="submitted_by",
        describe=lambda row: (str(row.name), row.code),
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
    related = [source.asked_by, *(["account__member"] if "state" in source.waiting else [])]
    found = page.get_queryset(request).filter(**source.waiting).select_related(*related)
    for row in found.order_by("pk")[:MOST]:
        what, why = source.describe(row)
        meta = source.model._meta
        is_own = getattr(row, f"{source.asked_by}_id") == request.user.pk
        yield Waiting(
            kind=meta.verbose_name or "",
            what=what,
            why=why,
            asked_by=str(getattr(row, source.asked_by) or "–"),
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
