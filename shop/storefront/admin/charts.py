"""Data of the dashboard's charts, in the form that Chart.js reads."""

import json
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from shop.storefront.reports import channels
from shop.storefront.reports.daily import DailyRow
from shop.storefront.reports.loop import LoopRow

GREEN = "#0d9488"
AMBER = "#f59e0b"
GREY = "#94a3b8"
SHADES = ["#cbd5e1", "#94a3b8", "#5eead4", "#0d9488", "#f59e0b", "#b45309"]
"""Of the stages of a funnel, from reached to long-term."""
GRID = {"display": True, "color": "#94a3b833", "tickWidth": 0}
TICKS = {"color": GREY, "maxRotation": 0, "autoSkip": True, "maxTicksLimit": 8}
LEGEND = {
    "display": True,
    "align": "end",
    "labels": {"color": GREY, "boxHeight": 6, "boxWidth": 6, "usePointStyle": True},
}
FEN_PER_YUAN = 100


def orders_per_day(days: Sequence[DailyRow]) -> dict[str, str]:
    """Return bars of orders with a line of revenue in yuan, one point a day."""
    by_day: dict[Any, list[DailyRow]] = {}
    for row in days:
        by_day.setdefault(row.business_date, []).append(row)
    orders = [sum(row.orders for row in rows) for rows in by_day.values()]
    revenue = [sum(row.revenue_cents for row in rows) / FEN_PER_YUAN for rows in by_day.values()]
    data = {
        "labels": [f"{day:%m-%d}" for day in by_day],
        "datasets": [
            _bars(_("Orders"), orders, GREEN) | {"order": 2},
            {
                "type": "line",
                "label": _("Revenue (¥)"),
                "data": revenue,
                "borderColor": AMBER,
                "backgroundColor": AMBER,
                "borderWidth": 2,
                "pointRadius": 0,
                "cubicInterpolationMode": "monotone",
                "yAxisID": "right",
                "order": 1,
            },
        ],
    }
    right = _axis() | {"position": "right", "grid": {"display": False}}
    return _chart(data, {"x": _axis(has_grid=False), "y": _axis(), "right": right})


def cost_and_revenue(rows: Sequence[channels.ChannelRow], names: Sequence[str]) -> dict[str, str]:
    """Return, per channel, a bar of what it cost over one of what it brought, in yuan."""
    data = {
        "labels": list(names),
        "datasets": [
            _bars(_("Cost (¥)"), [row.cost_cents / FEN_PER_YUAN for row in rows], AMBER),
            _bars(_("Revenue (¥)"), [row.revenue_cents / FEN_PER_YUAN for row in rows], GREEN),
        ],
    }
    names_axis = _axis(has_grid=False) | {"ticks": {"color": GREY, "autoSkip": False}}
    amounts_axis = _axis() | {"ticks": TICKS | {"maxTicksLimit": 5}}
    return _chart(data, {"x": amounts_axis, "y": names_axis}, direction="y")


def funnels(
    people: Sequence[Sequence[int]], *, names: Sequence[str], stages: Sequence[str]
) -> dict[str, str]:
    """Return, per channel, a bar for each stage: `people` has a row per stage."""
    data = {
        "labels": list(names),
        "datasets": [
            _bars(stage, counts, colour)
            for stage, counts, colour in zip(stages, people, SHADES, strict=True)
        ],
    }
    names_axis = _axis(has_grid=False) | {"ticks": {"color": GREY, "autoSkip": False}}
    return _chart(data, {"x": names_axis, "y": _axis()})


def buyer_cost_and_worth(rows: Sequence[LoopRow], names: Sequence[str]) -> dict[str, str]:
    """Return, per channel, what a buyer cost beside the margin that one has brought, in yuan."""
    data = {
        "labels": list(names),
        "datasets": [
            _bars("CAC (¥)", [(row.cac_cents or 0) / FEN_PER_YUAN for row in rows], AMBER),
            _bars("LTV (¥)", [(row.ltv_cents or 0) / FEN_PER_YUAN for row in rows], GREEN),
        ],
    }
    names_axis = _axis(has_grid=False) | {"ticks": {"color": GREY, "autoSkip": False}}
    amounts_axis = _axis() | {"ticks": TICKS | {"maxTicksLimit": 5}}
    return _chart(data, {"x": amounts_axis, "y": names_axis}, direction="y")


def _bars(label: str, values: Sequence[float], colour: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "label": label,
        "data": list(values),
        "backgroundColor": colour,
        "borderRadius": 3,
        "maxBarThickness": 22,
    }


def _axis(*, has_grid: bool = True) -> dict[str, Any]:
    grid = GRID if has_grid else {"display": False}
    return {"beginAtZero": True, "border": {"display": False}, "grid": grid, "ticks": TICKS}


def _chart(data: dict[str, Any], scales: dict[str, Any], *, direction: str = "x") -> dict[str, str]:
    options = {
        "indexAxis": direction,
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "interaction": {"mode": "index", "axis": direction, "intersect": False},
        "plugins": {"legend": LEGEND},
        "scales": scales,
    }
    return {"data": json.dumps(data), "options": json.dumps(options)}
