"""A campaign on one page: its phases in time, plan and actual, funnel, links, offers, history."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns import guards, hours, performance, phase_facts, plans
from campaigns.models import Campaign, CampaignChange, CampaignPhase, Channel, ChannelLink
from shop.admin import actors
from shop.admin.money import yuan

Status = CampaignPhase.Status
TICKS = 6
HOURS_A_LABEL = 12
SHOWN_LINKS = 40
SHOWN_CHANGES = 15
WHOLE = 100
GOALS = {
    "cost_cents": _("budget"),
    "joins": _("new members"),
    "first_orders": _("first orders"),
    "sales_cents": _("net sales"),
    "cpa_cents": _("cost of a new member"),
    "roas_percent": _("sales per cost"),
}
LIMITS = {
    guards.Limit.BUDGET: _("budget"),
    guards.Limit.DAILY_BUDGET: _("budget per day"),
    guards.Limit.REDEMPTIONS: _("uses of its offers"),
    guards.Limit.CPA: _("cost of a new member"),
}
MOVES = {
    "pause_phase": [Status.RUNNING, Status.PAUSED],
    "resume_phase": [Status.PAUSED],
    "end_phase": [Status.PLANNED, Status.RUNNING, Status.PAUSED],
}


LABELS = {"pause_phase": _("Pause"), "resume_phase": _("Resume"), "end_phase": _("End")}
STATUS_NAMES = {**dict(Campaign.Status.choices), **dict(Status.choices)}


def context(campaign: Campaign, *, may_change: bool, now: datetime) -> dict[str, Any]:
    """Return what the page shows."""
    rows = campaign.phases.select_related("reservation_coupon").order_by("starts_at", "pk")
    phases = list(rows.prefetch_related("coupon_definitions", "promotions"))
    progress = plans.compare(phases, now=now)
    spent = phase_facts.measure(phases, now=now)
    channels = Channel.objects.in_bulk(
        {line.channel for one in progress for line in one.lines}, field_name="code"
    )
    latest = campaign.changes.select_related("phase").order_by("-pk")
    return {
        "campaign": campaign,
        "may_change": may_change,
        "timeline": _timeline(campaign, phases, now=now),
        "phases": [
            _phase(phase, one, spent[phase.pk], channels=channels, may_change=may_change)
            for phase, one in zip(phases, progress, strict=True)
        ],
        "result": _result(campaign),
        "days": _days(performance.by_day(campaign, now=now)),
        "flash": _flash(campaign, phases, now=now),
        "links": _links(campaign),
        "states": Status.choices,
        "changes": _changes(latest[:SHOWN_CHANGES]),
    }


def _timeline(
    campaign: Campaign, phases: Sequence[CampaignPhase], *, now: datetime
) -> dict[str, Any]:
    """Return where bars, ticks and the line of today stand, in percent of the whole width."""
    ends = [phase.ends_at for phase in phases if phase.ends_at] + [campaign.starts_at, now]
    starts = min([campaign.starts_at, *(phase.starts_at for phase in phases)])
    until = max([*ends, campaign.ends_at or starts]) + timedelta(days=1)
    width = until - starts

    def place(at: datetime) -> float:
        return round(max(0.0, min((at - starts) / width, 1.0)) * WHOLE, 2)

    bars = [
        {
            "phase": phase,
            "left": place(phase.starts_at),
            "width": max(round(place(phase.ends_at or until) - place(phase.starts_at), 2), 0.6),
        }
        for phase in phases
    ]
    step = width / TICKS
    ticks = [
        {"left": place(at), "day": timezone.localtime(at).date()}
        for at in (starts + step * number for number in range(TICKS))
    ]
    return {"bars": bars, "ticks": ticks, "today": place(now)}


def _phase(
    phase: CampaignPhase,
    progress: plans.Progress,
    spent: guards.Spent,
    *,
    channels: Mapping[str, Channel],
    may_change: bool,
) -> dict[str, Any]:
    found = guards.gauges(phase_facts.limits_of(phase), spent)
    names = [name for name, states in MOVES.items() if phase.status in states]
    if phase.pause_cause == "staff":
        names.remove("pause_phase")
    return {
        "row": phase,
        "progress": progress,
        "url": reverse("admin:campaigns_campaignphase_change", args=[phase.pk]),
        "moves": [
            {
                "label": LABELS[name],
                "url": _move_url(name, phase),
            }
            for name in names
            if may_change
        ],
        "goals": [_goal(goal) for goal in progress.goals],
        "gauges": [
            {
                "name": LIMITS[gauge.limit],
                "percent": gauge.percent,
            }
            for gauge in found
        ],
        "lines": [_line(line, channels) for line in progress.lines],
        "offers": [*phase.coupon_definitions.all(), *phase.promotions.all()],
    }


def _move_url(name: str, phase: CampaignPhase) -> str:
    return reverse(f"admin:campaigns_campaignphase_{name}", args=[phase.pk])


def _goal(goal: plans.Goal) -> dict[str, Any]:
    def shown(value: int | None) -> str:
        if value is None:
            return "–"
        if goal.name.endswith("_cents"):
            return yuan(value)
        return f"{value:,}%" if goal.name.endswith("_percent") else f"{value:,}"

    return {
        "name": GOALS[goal.name],
        "target": shown(goal.target),
        "actual": shown(goal.actual),
        "percent": goal.percent,
        "width": min(goal.percent or 0, WHOLE),
        "expected": shown(goal.expected) if goal.expected is not None else "",
        "is_sum": goal.name not in {"cpa_cents", "roas_percent"},
    }


def _line(line: plans.Line, channels: Mapping[str, Channel]) -> dict[str, Any]:
    channel = channels[line.channel].name
    return {
        "name": f"{channel} / {line.link}" if line.link else channel,
        "cost": yuan(line.actual.cost_cents),
        "planned_cost": yuan(line.planned_cost_cents),
        "cpa": yuan(line.actual.cpa_cents) or "–",
        "sales": yuan(line.actual.sales_cents),
        "line": line,
    }


def _result(campaign: Campaign) -> dict[str, Any]:
    found = performance.measure(campaign)
    stages = [
        (_("reached"), found.reached),
        (_("joined"), found.joined),
        (_("first order"), found.first_orders),
    ]
    most = max([count for _name, count in stages]) or 1
    funnel = []
    before: int | None = None
    for name, count in stages:
        rate = f"{count / before:.0%}" if before else ""
        cost = yuan(found.cost_cents // count) if count and found.cost_cents else "–"
        funnel.append(
            {
                "label": name,
                "people": f"{count:,}",
                "width": round(count * WHOLE / most, 1),
                "rate": rate,
                "cost": cost,
            }
        )
        before = count
    roas = found.sales_cents / found.cost_cents if found.cost_cents else None
    return {
        "funnel": funnel,
        "cards": [
            (_("cost"), yuan(found.cost_cents)),
            (_("orders"), f"{found.orders:,}"),
            (_("sales, net"), yuan(found.sales_cents)),
            (_("of them with its offers"), yuan(found.carrying_sales_cents)),
            (_("discount given"), yuan(found.discount_cents)),
            ("ROAS", "–" if roas is None else f"{roas:.2f}"),
        ],
    }


def _days(days: Sequence[performance.Day]) -> list[dict[str, Any]]:
    """Return two bars for each day: cost and sales, in percent of the highest."""
    most = max([1, *(day.cost_cents for day in days), *(day.sales_cents for day in days)])
    every = -(-len(days) // TICKS) or 1
    return [
        {
            "day": day,
            "cost": yuan(day.cost_cents),
            "sales": yuan(day.sales_cents),
            "cost_height": round(max(day.cost_cents, 0) * WHOLE / most, 1),
            "sales_height": round(max(day.sales_cents, 0) * WHOLE / most, 1),
            "label": f"{day.date:%m-%d}" if number % every == 0 else "",
        }
        for number, day in enumerate(days)
    ]


def _flash(
    campaign: Campaign, phases: Sequence[CampaignPhase], *, now: datetime
) -> dict[str, Any] | None:
    """Return the hours of the flash that runs, or ran last; None if none has begun."""
    flashes = [p for p in phases if p.kind == CampaignPhase.Kind.FLASH72 and p.starts_at <= now]
    if not flashes:
        return None
    found = hours.build(campaign, flashes[-1], now=now)
    most = max([1, *(hour.orders for hour in found), *(hour.joined for hour in found)])
    return {
        "phase": flashes[-1],
        "hours": [
            {
                "hour": hour,
                "revenue": yuan(hour.revenue_cents),
                "cost": yuan(hour.cost_cents),
                "orders_height": round(hour.orders * WHOLE / most, 1),
                "joined_height": round(hour.joined * WHOLE / most, 1),
                "label": hour.local[5:] if number % HOURS_A_LABEL == 0 else "",
            }
            for number, hour in enumerate(found)
        ],
    }


def _links(campaign: Campaign) -> list[dict[str, Any]]:
    rows = ChannelLink.objects.filter(Q(campaign=campaign)).select_related("channel", "phase")
    return [
        {
            "row": link,
            "url": reverse("admin:campaigns_channellink_change", args=[link.pk]),
            "svg": reverse("admin:campaigns_channellink_qr", args=[link.pk, "svg"]),
            "png": reverse("admin:campaigns_channellink_qr", args=[link.pk, "png"]),
        }
        for link in rows.order_by("channel__code", "label")[:SHOWN_LINKS]
    ]


def _changes(latest: Iterable[CampaignChange]) -> list[dict[str, Any]]:
    changes = list(latest)
    names = actors.names(change.actor for change in changes)
    return [
        {
            "row": change,
            "what": STATUS_NAMES.get(change.to_status, change.to_status)
            if change.from_status != change.to_status
            else "",
            "who": names[change.actor],
        }
        for change in changes
    ]
