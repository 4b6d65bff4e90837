"""Alarms of campaigns that burn money: raised while it is so, ended when it is not any more."""

from datetime import datetime

from shop import alerts
from shop.models import Store
from shop.storefront.reports import campaign_pnl
from shop.storefront.reports.campaign_pnl import NOT_PAID_BACK, REPURCHASE_LOW, CampaignPnl


def watch(*, now: datetime) -> int:
    """Raise and end the alarms of all campaigns; return how many are new."""
    found = campaign_pnl.build(stores=list(Store.objects.all()), now=now, is_whole_chain=True)
    is_new = 0
    for code in (NOT_PAID_BACK, REPURCHASE_LOW):
        burning = [row for row in found if code in row.alarms]
        alerts.keep_only(code, subjects=[_subject(row) for row in burning], now=now)
        is_new += sum(
            alerts.raise_condition(code, subject=_subject(row), details=_details(row), now=now)
            for row in burning
        )
    return is_new


def _subject(row: CampaignPnl) -> str:
    return f"campaign:{row.id}"


def _details(row: CampaignPnl) -> dict[str, object]:
    return {
        "campaign": row.campaign,
        "days_running": row.days_running,
        "cost_cents": row.cost_cents + row.non_cash_cents,
        "margin_cents": row.margin_cents,
        "payback_days": row.payback_days,
        "repeat_30": row.repeat_30,
    }
