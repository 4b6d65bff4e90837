"""Profit and loss of campaigns since they began, and which of them burn money. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q

from campaigns.models import Campaign
from shop.models import Store
from shop.storefront.models import CampaignLimits
from shop.storefront.reports import economics, newcomers, spending
from shop.storefront.reports.ratios import per_person, rate
from shop.storefront.reports.scopes import Scope

NOT_PAID_BACK = "campaign-not-paid-back"
REPURCHASE_LOW = "campaign-repurchase-low"
BEGINNING = date(2000, 1, 1)
BASIS_POINTS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignPnl:
    """One campaign, from its first cost until now; `alarms` are the codes of what is wrong."""

    id: int
    campaign: str
    name_zh: str
    name_en: str
    status: str
    starts_on: date
    days_running: int
    cost_cents: int
    non_cash_cents: int
    budget_cents: int | None
    revenue_cents: int
    margin_cents: int
    profit_cents: int
    discount_cents: int
    new_buyers: int
    cac_cents: int | None
    roas: float | None
    roi: float | None
    payback_days: int | None
    repeat_30: float | None
    alarms: list[str]


def build(
    *,
    stores: Sequence[Store],
    now: datetime,
    code: str | None = None,
    is_whole_chain: bool = False,
) -> list[CampaignPnl]:
    """Return the campaigns of these stores that are no drafts any more, the newest first."""
    scope = Scope(
        stores=stores,
        since=BEGINNING,
        until=max((store.business_date(now) for store in stores), default=now.date())
        + timedelta(days=1),
        now=now,
        by="campaign",
        is_whole_chain=is_whole_chain,
    )
    shown = Campaign.objects.exclude(status=Campaign.Status.DRAFT)
    shown = shown.filter(Q(stores__in=[store.pk for store in stores]) | Q(stores=None)).distinct()
    if code is not None:
        shown = shown.filter(code=code)
    spent, people, sold = spending.build(scope), newcomers.build(scope), economics.sold(scope)
    costs = {where: economics.cost_of(row) for where, row in spent.items()}
    paid_back = newcomers.paybacks(scope, costs, people)
    limits = CampaignLimits.current()
    return [
        _row(
            campaign,
            spent=spent.get((campaign.code, None), {}),
            people=people.get((campaign.code, None), {}),
            sold=sold.get((campaign.code, None), {}),
            payback_days=paid_back.get((campaign.code, None)),
            today=scope.today,
            limits=limits,
        )
        for campaign in shown.order_by("-starts_at", "-id")
    ]


def _row(
    campaign: Campaign,
    *,
    spent: Mapping[str, int],
    people: Mapping[str, int],
    sold: Mapping[str, int],
    payback_days: int | None,
    today: date,
    limits: CampaignLimits,
) -> CampaignPnl:
    cost, margin = economics.cost_of(spent) if spent else 0, sold.get("margin_cents", 0)
    starts_on = campaign.starts_at.date()
    values: dict[str, Any] = {
        "days_running": max(0, (today - starts_on).days),
        "payback_days": payback_days,
        "repeat_30": rate(people.get("repeated_30", 0), people.get("ripe_30", 0)),
    }
    return CampaignPnl(
        id=campaign.pk,
        campaign=campaign.code,
        name_zh=campaign.name_zh,
        name_en=campaign.name_en,
        status=campaign.status,
        starts_on=starts_on,
        cost_cents=spent.get("cost_cents", 0),
        non_cash_cents=spent.get("non_cash_cents", 0),
        budget_cents=campaign.budget_cents,
        revenue_cents=sold.get("revenue_cents", 0),
        margin_cents=margin,
        profit_cents=margin - cost,
        discount_cents=sold.get("discount_cents", 0),
        new_buyers=sold.get("new_buyers", 0),
        cac_cents=per_person(cost, sold.get("new_buyers", 0)),
        roas=rate(sold.get("revenue_cents", 0), cost),
        roi=rate(margin - cost, cost),
        alarms=_alarms(cost=cost, ripe=people.get("ripe_30", 0), limits=limits, **values),
        **values,
    )


def _alarms(
    *,
    cost: int,
    ripe: int,
    limits: CampaignLimits,
    days_running: int,
    payback_days: int | None,
    repeat_30: float | None,
) -> list[str]:
    """Return what is wrong; of too few buyers nothing is said."""
    found = []
    waited = days_running if payback_days is None else payback_days
    if cost > 0 and waited > limits.payback_days:
        found.append(NOT_PAID_BACK)
    is_low = repeat_30 is not None and repeat_30 * BASIS_POINTS < limits.repurchase_bp
    if ripe >= limits.least_buyers and is_low:
        found.append(REPURCHASE_LOW)
    return found
