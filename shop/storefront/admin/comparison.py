"""Channels side by side: their funnels, what a buyer costs and is worth, where money should go."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from campaigns.models import Campaign, Channel, ChannelLink
from shop.admin.money import yuan
from shop.admin.scoping import principal_of
from shop.models import Store
from shop.storefront.admin import charts
from shop.storefront.admin.dashboard import PERIODS, View, view_of
from shop.storefront.reports import channel_ranking, loop
from shop.storefront.reports.channel_ranking import RankingRow
from shop.storefront.reports.loop import TOTAL, LoopRow
from shop.storefront.reports.scopes import Scope
from shop.storefront.rollups import upkeep

FEN_PER_YUAN = 100
PLAN_DAYS = 30
MOST_YUAN = 10**9
BY = {
    "channel": gettext_lazy("Channel"),
    "campaign": gettext_lazy("Campaign"),
    "phase": gettext_lazy("Phase"),
    "link": gettext_lazy("Link"),
    "store": gettext_lazy("Store"),
    "city": gettext_lazy("City"),
}
NAMED: dict[str, type[Model]] = {"channel": Channel, "campaign": Campaign, "store": Store}
MISSING = {
    "campaign": gettext_lazy("No campaign"),
    "phase": gettext_lazy("No phase"),
    "link": gettext_lazy("No link"),
}
"""What stands for those of whom none is known."""
STAGES = {
    "reached": pgettext_lazy("funnel", "Reached"),
    "clicked": pgettext_lazy("funnel", "Clicked"),
    "joined": pgettext_lazy("funnel", "Joined"),
    "first_order": pgettext_lazy("funnel", "First order"),
    "second_order": pgettext_lazy("funnel", "Came back"),
    "long_term": pgettext_lazy("funnel", "Long-term"),
}
BASES = {
    "fitted": gettext_lazy("from its own days"),
    "assumed": gettext_lazy("assumed: too few different days"),
    "no-buyers": gettext_lazy("brought nobody"),
}
MOST_IN_CHARTS = 12


def may_compare(request: HttpRequest) -> bool:
    """Tell whether this person may read reports."""
    return "reports:read" in principal_of(request).scopes


def comparison(request: HttpRequest) -> HttpResponse:
    """Show the newcomers of a period by where they came from."""
    if not may_compare(request):
        raise PermissionDenied
    view = view_of(request)
    asked = request.GET.get("by", "")
    by, budget = asked if asked in BY else "channel", _budget(request)
    board: dict[str, Any] = {
        "view": view,
        "periods": PERIODS,
        "choices": BY,
        "by": by,
        "budget": budget,
    }
    if view.stores:
        upkeep.catch_up()
        board |= _figures(view, by=by, budget_yuan=budget)
    context = admin.site.each_context(request) | {"title": _("Compare channels"), "board": board}
    return render(request, "admin/comparison.html", context)


def _budget(request: HttpRequest) -> int | None:
    text = request.GET.get("budget", "").strip()
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_YUAN))
    return int(text) if is_number and 0 < int(text) <= MOST_YUAN else None


def _figures(view: View, *, by: str, budget_yuan: int | None) -> dict[str, Any]:
    now = timezone.now()
    today = view.today(now)
    scope = Scope(
        stores=view.shown,
        since=view.since(today),
        until=today + timedelta(days=1),
        now=now,
        by=by,
        is_whole_chain=view.is_whole_chain,
    )
    total, *found = loop.build(scope)
    names = _names(by, found)
    lively = [row for row in found if row.cost_cents or row.reached or row.joined]
    drawn, drawn_names = lively[:MOST_IN_CHARTS], [names[row.key] for row in lively]
    return {
        "scope": scope,
        "rows": [_shown(row, names[row.key]) for row in lively],
        "total": _shown(total, _("Total")),
        "funnels": charts.funnels(
            [[getattr(row, stage) for row in drawn] for stage in STAGES],
            names=drawn_names[:MOST_IN_CHARTS],
            stages=[str(label) for label in STAGES.values()],
        ),
        "worth": charts.buyer_cost_and_worth(drawn, drawn_names[:MOST_IN_CHARTS]),
        **_plan(scope, names, budget_yuan),
    }


def _plan(scope: Scope, names: Mapping[str | None, str], budget_yuan: int | None) -> dict[str, Any]:
    if scope.by not in channel_ranking.RANKED:
        return {"plan": None}
    budget_cents = None if budget_yuan is None else budget_yuan * FEN_PER_YUAN
    ranking = channel_ranking.build(scope, budget_cents=budget_cents, days=PLAN_DAYS)
    return {
        "plan": [_ranked(row, names.get(row.history.key, row.history.key)) for row in ranking.rows],
        "plan_cents": yuan(ranking.budget_cents),
        "plan_days": PLAN_DAYS,
        "plan_buyers": round(ranking.expected_buyers),
    }


def _names(by: str, rows: Sequence[LoopRow]) -> dict[str | None, str]:
    """Return what people call the keys; codes where nothing has a name."""
    none = str(MISSING.get(by, "–"))
    names: dict[str | None, str] = {row.key: row.key or none for row in rows if row.key != TOTAL}
    if by in NAMED:
        column = "name_zh" if (get_language() or "").startswith("zh") else "name_en"
        names |= dict(NAMED[by]._default_manager.values_list("code", column))
    elif by == "link":
        names |= dict(ChannelLink.objects.values_list("code", "label"))
    return names


def _shown(row: LoopRow, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "cost": yuan(row.cost_cents + row.non_cash_cents),
        "people": [getattr(row, stage) for stage in STAGES],
        "friends": row.friends,
        "cac": yuan(row.cac_cents) or "–",
        "ltv": yuan(row.ltv_cents) or "–",
        "roas": _times(row.roas),
        "roi": _percent(row.roi),
        "repeat": _percent(row.repeat_30),
        "payback": "–" if row.payback_days is None else row.payback_days,
        "is_late": row.payback_days is None and row.cost_cents > 0,
    }


def _ranked(row: RankingRow, name: str) -> dict[str, Any]:
    return {
        "rank": row.rank,
        "name": name,
        "cost": yuan(row.history.cost_cents),
        "buyers": row.history.buyers,
        "cac": yuan(row.cac_cents) or "–",
        "marginal": yuan(row.marginal_cents) or "–",
        "elasticity": f"{row.curve.elasticity:.2f}",
        "basis": BASES[row.basis],
        "proposed": yuan(row.proposed_cents),
        "expected": round(row.expected_buyers),
        "then": yuan(row.proposed_marginal_cents) or "–",
        "is_beyond_seen": row.is_beyond_seen,
    }


def _times(factor: float | None) -> str:
    return "–" if factor is None else f"{factor:.2f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
