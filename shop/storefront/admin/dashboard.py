"""The first page of the back office: how the opening went, how today goes, what channels bring."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from campaigns.models import DailyCost
from shop.admin.money import yuan
from shop.admin.scoping import covers_chain, principal_of
from shop.kernel.models import OutboxMessage
from shop.models import Alert, Store
from shop.storefront.admin import charts
from shop.storefront.reports import channels, daily, opening_funnel
from shop.storefront.reports.daily import DailyRow
from shop.storefront.reports.opening_funnel import Stage
from shop.storefront.rollups import upkeep

PERIODS = [7, 28, 90, 365]
DEFAULT_PERIOD = 28
WEEK = timedelta(days=7)
LATEST_ALERTS = 5
STAGES = {
    Stage.REACHED: pgettext_lazy("funnel", "Reached"),
    Stage.SCANNED: pgettext_lazy("funnel", "Scanned"),
    Stage.JOINED: pgettext_lazy("funnel", "Joined"),
    Stage.FIRST_ORDER: pgettext_lazy("funnel", "First order"),
    Stage.SECOND_ORDER: pgettext_lazy("funnel", "Came back"),
    Stage.LONG_TERM: pgettext_lazy("funnel", "Long-term"),
    Stage.REFERRER: pgettext_lazy("funnel", "Brought a friend"),
}

OPERATION = {Stage.SECOND_ORDER, Stage.LONG_TERM, Stage.REFERRER}
"""The stages that operation brings people to; to the others it is promotion."""

admin.site.index_template = "admin/dashboard.html"
admin.site.index_title = gettext_lazy("Dashboard")  # type: ignore[assignment]


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What the reader chose to look at, from what they may see."""

    stores: Sequence[Store]
    chosen: Store | None
    days: int
    is_whole_chain: bool

    @property
    def shown(self) -> Sequence[Store]:
        """Return the stores that are counted."""
        return self.stores if self.chosen is None else [self.chosen]

    def today(self, now: datetime) -> date:
        """Return the business day; with several stores, the latest."""
        return max(store.business_date(now) for store in self.shown)

    def since(self, today: date) -> date:
        """Return the first day of the period; not before there was a store."""
        opened_on = min(store.opened_on for store in self.shown)
        return min(max(today - timedelta(days=self.days - 1), opened_on), today)


def add_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the page; without the right to reports, a page that says so."""
    now = timezone.now()
    if "reports:read" not in principal_of(request).scopes:
        return context | {"board": None}
    view = view_of(request)
    board = {"view": view, "periods": PERIODS, **_concerns(request)}
    if view.stores:
        board |= _figures(view, now)
    return context | {"board": board}


def view_of(request: HttpRequest) -> View:
    """Read the choice from the address; anything unknown counts as not chosen."""
    principal = principal_of(request)
    visible = Store.objects.filter(is_active=True).order_by("code")
    if principal.store_ids is not None:
        visible = visible.filter(pk__in=principal.store_ids)
    stores = list(visible)
    chosen = next((s for s in stores if s.code == request.GET.get("store")), None)
    if len(stores) == 1:
        chosen = stores[0]
    days = request.GET.get("days", "")
    return View(
        stores=stores,
        chosen=chosen,
        days=int(days) if days in map(str, PERIODS) else DEFAULT_PERIOD,
        is_whole_chain=covers_chain(request) and chosen is None,
    )


def _figures(view: View, now: datetime) -> dict[str, Any]:
    today = view.today(now)
    since, until = view.since(today), today + timedelta(days=1)
    days = daily.build(stores=view.shown, since=min(since, today - WEEK), until=until)
    in_period = [row for row in days if row.business_date >= since]
    return {
        "today": today,
        "cards": _cards(days, today),
        "funnel": _funnel(_largest_opening(view)),
        "daily": charts.orders_per_day(in_period),
        "has_orders": any(row.orders for row in in_period),
        **_channels(view, since, until),
    }


def _cards(days: Sequence[DailyRow], today: date) -> list[dict[str, Any]]:
    """Return today's figures beside those of the same weekday before, which is a whole day."""

    def total(name: str, day: date) -> int:
        return sum(getattr(row, name) for row in days if row.business_date == day)

    cards = []
    for label, name, icon, show in (
        (_("Orders today"), "orders", "receipt_long", str),
        (_("Revenue today"), "revenue_cents", "payments", yuan),
        (_("New members today"), "new_members", "person_add", str),
        (_("Returning members today"), "returning_members", "favorite", str),
    ):
        now, before = total(name, today), total(name, today - WEEK)
        percent = round(100 * now / before) if before > 0 else None
        cards.append(
            {
                "label": label,
                "icon": icon,
                "value": show(now),
                "before": show(before),
                "percent": percent,
                "width": max(0, min(percent or 0, 100)),
            }
        )
    return cards


def _largest_opening(view: View) -> Store:
    """Return the chosen store; of several, the one whose links most money went into."""
    if view.chosen is not None:
        return view.chosen
    spent = (
        DailyCost.objects.filter(link__store=OuterRef("pk"))
        .values("link__store")
        .annotate(total=Sum("cost_cents"))
        .values("total")
    )
    shown = Store.objects.filter(pk__in=[store.pk for store in view.stores])
    largest = shown.annotate(spent=Coalesce(Subquery(spent), Value(0))).order_by("-spent", "code")
    return largest.first() or view.stores[0]


def _funnel(store: Store) -> dict[str, Any]:
    """Return the opening of a store, each stage as wide as its share of the first."""
    upkeep.catch_up()
    report = opening_funnel.build(store=store)
    first = max((row.people for row in report.stages), default=0)
    rows = [
        {
            "label": STAGES[row.stage],
            "is_operation": row.stage in OPERATION,
            "people": row.people,
            "width": round(100 * row.people / first, 1) if first else 0,
            "rate": _percent(row.rate_of_previous),
            "cost": yuan(row.cost_per_person_cents) or "–",
        }
        for row in report.stages
    ]
    return {
        "store": store,
        "opened_on": report.opened_on,
        "rows": rows,
        "has_people": first > 0,
        "cost": yuan(report.total.cost_cents),
        "friends": report.total.friends_referred,
        "estimated": report.total.reached_estimated,
    }


def _channels(view: View, since: date, until: date) -> dict[str, Any]:
    rows = channels.build(
        stores=view.shown, since=since, until=until, is_whole_chain=view.is_whole_chain
    )
    lively = [row for row in rows if row.cost_cents or row.joined or row.revenue_cents]
    is_chinese = (get_language() or "").startswith("zh")
    names = [row.name_zh if is_chinese else row.name_en for row in lively]
    table = [
        {
            "name": name,
            "cost": yuan(row.cost_cents),
            "touches": row.touches,
            "joined": row.joined,
            "first_buyers": row.first_buyers,
            "cac": yuan(row.cac_cents) or "–",
            "revenue": yuan(row.revenue_cents),
            "roas": "–" if row.roas is None else f"{row.roas:.2f}",
        }
        for name, row in zip(names, lively, strict=True)
    ]
    return {"channels": table, "channel_chart": charts.cost_and_revenue(lively, names)}


def _concerns(request: HttpRequest) -> dict[str, Any]:
    """Return what somebody should look at, as far as it is theirs to see."""
    concerns: dict[str, Any] = {"alerts": [], "dead": 0}
    alerts = admin.site._registry[Alert]
    if alerts.has_view_permission(request):
        waiting = alerts.get_queryset(request).filter(resolved_at=None)
        concerns["alerts"] = list(waiting.order_by("-raised_at")[:LATEST_ALERTS])
    if admin.site._registry[OutboxMessage].has_view_permission(request):
        dead = OutboxMessage.objects.filter(state=OutboxMessage.State.DEAD)
        concerns["dead"] = dead.count()
    return concerns


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"
