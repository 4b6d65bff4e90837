"""What the reports of money and people ask and answer."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from rest_framework import serializers

from shop.models import Store
from shop.storefront.api.report_serializers import PeriodQuery, ReportQuery
from shop.storefront.models import NEVER
from shop.storefront.reports.dimensions import BUCKET, KEYS
from shop.storefront.reports.scopes import Scope

MOST_BUDGET_CENTS = 10**12
PERIODS = [every for every in BUCKET if every]


class EconomicsQuery(PeriodQuery):
    """Whose numbers, told by what, per what."""

    by = serializers.ChoiceField(choices=list(KEYS), default="channel")
    every = serializers.ChoiceField(
        choices=PERIODS, required=False, help_text="A row per so long; weeks begin on Mondays."
    )

    def to_scope(
        self, *, stores: Sequence[Store], since: date, until: date, now: datetime, is_whole: bool
    ) -> Scope:
        """Return what the report is asked about."""
        asked = self.validated_data
        return Scope(
            stores=stores,
            since=since,
            until=until,
            now=now,
            by=asked["by"],
            every=asked.get("every", ""),
            first_until=asked.get("first_until", NEVER),
            is_whole_chain=is_whole,
        )


class LoopQuery(EconomicsQuery):
    """Whose loop, told by what."""

    every = None  # type: ignore[assignment]
    first_until = serializers.DateField(
        required=False,
        help_text="Buyers are only those whose first order was before this business day.",
    )


class RankingQuery(PeriodQuery):
    """Which channels to rank by what days, and what to divide among them."""

    by = serializers.ChoiceField(choices=["channel", "link", "campaign"], default="channel")
    budget_cents = serializers.IntegerField(
        min_value=1, max_value=MOST_BUDGET_CENTS, required=False, help_text="What to divide."
    )
    days = serializers.IntegerField(
        min_value=1, max_value=400, default=30, help_text="For how many days the budget is."
    )


class CampaignPnlQuery(ReportQuery):
    """Of which campaigns; all that the caller may see if left out."""

    campaign = serializers.CharField(max_length=40, required=False, help_text="Its code.")


class LoopRowOut(serializers.Serializer[Any]):
    """Newcomers of one channel; null where there is nothing to divide by."""

    key = serializers.CharField(allow_null=True, help_text="`total`, or a code; null: none.")
    cost_cents = serializers.IntegerField()
    non_cash_cents = serializers.IntegerField(help_text="Given instead of money.")
    impressions = serializers.IntegerField(help_text="The platform's word.")
    platform_clicks = serializers.IntegerField(help_text="The platform's word.")
    reached_estimated = serializers.IntegerField(help_text="The platform's word.")
    reached = serializers.IntegerField(help_text="Visitors whom we met.")
    clicked = serializers.IntegerField(help_text="Of these, who clicked, scanned or visited.")
    joined = serializers.IntegerField()
    first_order = serializers.IntegerField()
    second_order = serializers.IntegerField(help_text="Within 30 days of the first.")
    long_term = serializers.IntegerField()
    referrer = serializers.IntegerField()
    friends = serializers.IntegerField(help_text="Whom they brought and who bought.")
    orders = serializers.IntegerField()
    revenue_cents = serializers.IntegerField(help_text="Net of refunds, until now.")
    margin_cents = serializers.IntegerField(help_text="Less the cost of goods.")
    cpm_cents = serializers.IntegerField(allow_null=True)
    cpc_cents = serializers.IntegerField(allow_null=True)
    ctr = serializers.FloatField(allow_null=True)
    click_to_join = serializers.FloatField(allow_null=True)
    click_to_buy = serializers.FloatField(allow_null=True)
    cac_cents = serializers.IntegerField(allow_null=True, help_text="Cost per buyer.")
    roas = serializers.FloatField(allow_null=True, help_text="Revenue per cost.")
    roi = serializers.FloatField(allow_null=True, help_text="(margin − cost) per cost.")
    ltv_cents = serializers.IntegerField(allow_null=True, help_text="Margin per buyer so far.")
    payback_days = serializers.IntegerField(allow_null=True, help_text="Null: not yet.")
    repeat_7 = serializers.FloatField(allow_null=True)
    repeat_30 = serializers.FloatField(allow_null=True)
    repeat_90 = serializers.FloatField(allow_null=True)
    hours_to_join = serializers.FloatField(allow_null=True, help_text="Median, from first met.")
    hours_to_first = serializers.FloatField(allow_null=True, help_text="Median, from joining.")
    hours_to_second = serializers.FloatField(allow_null=True, help_text="Median, from the first.")
    mean_hours_to_join = serializers.FloatField(allow_null=True)
    mean_hours_to_first = serializers.FloatField(allow_null=True)
    mean_hours_to_second = serializers.FloatField(allow_null=True)


class LoopOut(serializers.Serializer[Any]):
    """The total and every channel (link, campaign, phase, store, city), dearest first."""

    since = serializers.DateField()
    until = serializers.DateField()
    by = serializers.CharField()
    rows = LoopRowOut(many=True)


class EconomicsRowOut(serializers.Serializer[Any]):
    """One channel in one period; null where there is nothing to divide by."""

    starts_on = serializers.DateField(allow_null=True, help_text="Of the period; null: the whole.")
    key = serializers.CharField(allow_null=True, help_text="`total`, or a code; null: none.")
    cost_cents = serializers.IntegerField()
    non_cash_cents = serializers.IntegerField(help_text="Given instead of money.")
    impressions = serializers.IntegerField(help_text="The platform's word.")
    platform_clicks = serializers.IntegerField(help_text="The platform's word.")
    reached_estimated = serializers.IntegerField(help_text="The platform's word.")
    reached = serializers.IntegerField(help_text="Visitors whom we met.")
    clicked = serializers.IntegerField(help_text="Of these, who clicked, scanned or visited.")
    joined = serializers.IntegerField()
    new_buyers = serializers.IntegerField(help_text="Whose first order was credited to it.")
    orders = serializers.IntegerField()
    revenue_cents = serializers.IntegerField(help_text="Net of refunds given in the period.")
    margin_cents = serializers.IntegerField(help_text="Less the cost of goods.")
    discount_cents = serializers.IntegerField()
    cpm_cents = serializers.IntegerField(allow_null=True)
    cpc_cents = serializers.IntegerField(allow_null=True)
    ctr = serializers.FloatField(allow_null=True)
    cvr = serializers.FloatField(allow_null=True, help_text="New buyers per person who clicked.")
    cac_cents = serializers.IntegerField(allow_null=True, help_text="Cost per new buyer.")
    roas = serializers.FloatField(allow_null=True, help_text="Revenue per cost.")
    roi = serializers.FloatField(allow_null=True, help_text="(margin − cost) per cost.")
    gross_margin = serializers.FloatField(allow_null=True, help_text="Margin per revenue.")
    ltv_cents = serializers.IntegerField(allow_null=True)
    payback_days = serializers.IntegerField(allow_null=True, help_text="Null: not yet.")
    repeat_7 = serializers.FloatField(allow_null=True)
    repeat_30 = serializers.FloatField(allow_null=True)
    repeat_90 = serializers.FloatField(allow_null=True)
    next_cac_cents = serializers.IntegerField(allow_null=True, help_text="In the period after.")


class EconomicsOut(serializers.Serializer[Any]):
    """The total, then periods oldest first, in each the dearest first."""

    since = serializers.DateField()
    until = serializers.DateField()
    by = serializers.CharField()
    rows = EconomicsRowOut(many=True)


class RankingRowOut(serializers.Serializer[Any]):
    """A channel's rank, why, and its part of the budget."""

    rank = serializers.IntegerField()
    key = serializers.CharField(source="history.key")
    cost_cents = serializers.IntegerField(source="history.cost_cents")
    new_buyers = serializers.IntegerField(source="history.buyers")
    days = serializers.IntegerField(source="history.days_with_cost")
    cac_cents = serializers.IntegerField(allow_null=True)
    roi = serializers.FloatField(allow_null=True)
    marginal_cac_cents = serializers.IntegerField(
        source="marginal_cents", allow_null=True, help_text="Of one more buyer; null: nobody came."
    )
    elasticity = serializers.FloatField(
        source="curve.elasticity", help_text="By how much of 1 % buyers grow with 1 % more cost."
    )
    basis = serializers.ChoiceField(choices=["fitted", "assumed", "no-buyers"])
    proposed_cents = serializers.IntegerField(help_text="Adds up to the budget exactly.")
    expected_buyers = serializers.FloatField()
    proposed_marginal_cac_cents = serializers.IntegerField(
        source="proposed_marginal_cents", allow_null=True
    )
    is_beyond_seen = serializers.BooleanField(
        help_text="More a day than twice the most that was ever tried: a guess."
    )


class RankingOut(serializers.Serializer[Any]):
    """Channels by what one more buyer costs, cheapest first."""

    since = serializers.DateField()
    until = serializers.DateField()
    by = serializers.CharField()
    budget_cents = serializers.IntegerField()
    days = serializers.IntegerField()
    expected_buyers = serializers.FloatField()
    rows = RankingRowOut(many=True)


class CampaignPnlRowOut(serializers.Serializer[Any]):
    """Profit and loss of one campaign since it began."""

    campaign = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    status = serializers.CharField()
    starts_on = serializers.DateField()
    days_running = serializers.IntegerField()
    cost_cents = serializers.IntegerField()
    non_cash_cents = serializers.IntegerField()
    budget_cents = serializers.IntegerField(allow_null=True)
    revenue_cents = serializers.IntegerField()
    margin_cents = serializers.IntegerField()
    profit_cents = serializers.IntegerField(help_text="Margin less all cost.")
    discount_cents = serializers.IntegerField()
    new_buyers = serializers.IntegerField()
    cac_cents = serializers.IntegerField(allow_null=True)
    roas = serializers.FloatField(allow_null=True)
    roi = serializers.FloatField(allow_null=True)
    payback_days = serializers.IntegerField(allow_null=True)
    repeat_30 = serializers.FloatField(allow_null=True)
    alarms = serializers.ListField(child=serializers.CharField(), help_text="Codes of what holds.")


class CampaignPnlOut(serializers.Serializer[Any]):
    """Campaigns, the newest first."""

    rows = CampaignPnlRowOut(many=True)
