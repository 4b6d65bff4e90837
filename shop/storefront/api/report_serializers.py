"""What goes in and out of the reports."""

from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from campaigns import credit, paths
from shop.kernel.serializers import StrictCharField, StrictSerializer
from shop.storefront.reports.attribution import DEFAULT_MODEL
from shop.storefront.reports.opening_funnel import Rules

EARLIEST = date(2000, 1, 1)
LATEST = date(2100, 1, 1)
MOST_DAYS = 400


class ReportQuery(StrictSerializer):
    """What every report may be asked for."""

    format = serializers.ChoiceField(
        choices=["json", "csv"], required=False, help_text="Instead of an Accept header."
    )


class OpeningFunnelQuery(ReportQuery):
    """Whose opening, and the numbers in the definitions of its stages."""

    store = StrictCharField(max_length=16, help_text="Store code.")
    days = serializers.IntegerField(
        min_value=1, max_value=31, default=3, help_text="Business days of the first order."
    )
    second_within_days = serializers.IntegerField(
        min_value=1, max_value=365, default=30, help_text="From the first order to the second."
    )
    long_term_days = serializers.IntegerField(
        min_value=1, max_value=365, default=90, help_text="In which regulars order so often."
    )
    long_term_orders = serializers.IntegerField(
        min_value=2, max_value=100, default=4, help_text="How often regulars order."
    )
    lead_days = serializers.IntegerField(
        min_value=0, max_value=365, default=30, help_text="Days of promotion before the opening."
    )

    def to_rules(self) -> Rules:
        """Return the validated numbers."""
        data = self.validated_data
        return Rules(**{name: data[name] for name in Rules.__dataclass_fields__})


class StoreQuery(ReportQuery):
    """One store or all visible ones."""

    store = StrictCharField(max_length=16, required=False, help_text="Store code; all if left out.")


class PeriodQuery(ReportQuery):
    """Business days from `since` to the day before `until`, of one store or all visible ones."""

    store = StrictCharField(max_length=16, required=False, help_text="Store code; all if left out.")
    since = serializers.DateField(required=False, help_text="First day; 30 days before `until`.")
    until = serializers.DateField(required=False, help_text="Day after the last; tomorrow.")

    def to_period(self, *, today: date) -> tuple[date, date]:
        """Return the period, half-open; the last 30 days if none is named.

        Raises:
            ValidationError: no days, too many, or far from our time.
        """
        until = self.validated_data.get("until", today + timedelta(days=1))
        since = self.validated_data.get("since", max(until, EARLIEST) - timedelta(days=30))
        if not EARLIEST <= since < until <= LATEST or (until - since).days > MOST_DAYS:
            message = _("Choose between 1 and %(days)s days of this century.")
            raise serializers.ValidationError(
                {"since": [serializers.ErrorDetail(message % {"days": MOST_DAYS}, code="period")]}
            )
        return since, until


class AttributionQuery(PeriodQuery):
    """Which model credits what, told by what."""

    model = serializers.ChoiceField(choices=credit.MODELS, default=DEFAULT_MODEL)
    kind = serializers.ChoiceField(
        choices=["registration", "first_order", "order"],
        default="order",
        help_text="What counts as a conversion.",
    )
    by = serializers.ChoiceField(choices=list(paths.KEYS), default="channel")


# --- answers -------------------------------------------------------------------------------------


class FunnelStageOut(serializers.Serializer[Any]):
    """How many people got to a stage; null where there is nobody to divide by."""

    stage = serializers.CharField()
    people = serializers.IntegerField()
    rate_of_previous = serializers.FloatField(allow_null=True)
    rate_of_first = serializers.FloatField(allow_null=True)
    cost_per_person_cents = serializers.IntegerField(allow_null=True)


class FunnelChannelOut(serializers.Serializer[Any]):
    """The funnel of one channel; each person is in exactly one."""

    channel = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    cost_cents = serializers.IntegerField()
    reached_estimated = serializers.IntegerField(help_text="The channel's word; not in `reached`.")
    stages = FunnelStageOut(many=True)
    friends_referred = serializers.IntegerField(help_text="Friends brought who have bought.")
    revenue_cents = serializers.IntegerField(help_text="Of its first-order people, net of refunds.")


class FunnelFriendsOut(serializers.Serializer[Any]):
    """Friends brought by people of the opening, by the friends' own channel."""

    channel = serializers.CharField()
    people = serializers.IntegerField()


class FunnelRulesOut(serializers.Serializer[Any]):
    """The numbers in the definitions, in days."""

    days = serializers.IntegerField()
    second_within_days = serializers.IntegerField()
    long_term_days = serializers.IntegerField()
    long_term_orders = serializers.IntegerField()
    lead_days = serializers.IntegerField()


class OpeningFunnelOut(serializers.Serializer[Any]):
    """The opening of a store; `channels` add up to the totals."""

    store = serializers.CharField()
    opened_on = serializers.DateField()
    reached_from = serializers.DateTimeField()
    first_from = serializers.DateTimeField()
    first_until = serializers.DateTimeField(help_text="First moment after the first orders.")
    rules = FunnelRulesOut()
    cost_cents = serializers.IntegerField(source="total.cost_cents")
    reached_estimated = serializers.IntegerField(source="total.reached_estimated")
    stages = FunnelStageOut(many=True)
    friends_referred = serializers.IntegerField(source="total.friends_referred")
    revenue_cents = serializers.IntegerField(source="total.revenue_cents")
    channels = FunnelChannelOut(many=True)
    friends = FunnelFriendsOut(many=True)


class DailyRowOut(serializers.Serializer[Any]):
    """One business day of one store."""

    store = serializers.CharField()
    business_date = serializers.DateField()
    orders = serializers.IntegerField(help_text="Paid that day.")
    paid_cents = serializers.IntegerField()
    refunds = serializers.IntegerField(help_text="Given that day.")
    refunded_cents = serializers.IntegerField()
    revenue_cents = serializers.IntegerField(help_text="Paid less refunded that day.")
    new_members = serializers.IntegerField()
    buying_members = serializers.IntegerField()
    returning_members = serializers.IntegerField(help_text="Had bought on an earlier day.")


class DailyReportOut(serializers.Serializer[Any]):
    """Every day of the period, also those without a sale."""

    since = serializers.DateField()
    until = serializers.DateField()
    rows = DailyRowOut(many=True)


class ChannelRowOut(serializers.Serializer[Any]):
    """What a channel cost and brought; null where there is nothing to divide by."""

    channel = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    cost_cents = serializers.IntegerField()
    impressions = serializers.IntegerField(help_text="The platform's word.")
    clicks = serializers.IntegerField(help_text="The platform's word.")
    touches = serializers.IntegerField(help_text="Our own count.")
    joined = serializers.IntegerField()
    first_buyers = serializers.IntegerField()
    revenue_cents = serializers.IntegerField(help_text="Credited orders, net of refunds.")
    cpc_cents = serializers.IntegerField(allow_null=True, help_text="Cost per click.")
    cac_cents = serializers.IntegerField(allow_null=True, help_text="Cost per first buyer.")
    roas = serializers.FloatField(allow_null=True, help_text="Revenue per cost.")


class CreditRowOut(serializers.Serializer[Any]):
    """What a channel, link or campaign is credited with."""

    key = serializers.CharField(
        allow_null=True, help_text="Its code; `organic` for who came by themselves; null for none."
    )
    conversions = serializers.FloatField(help_text="May be a fraction.")
    amount_cents = serializers.IntegerField(help_text="Net of refunds until now.")
    frozen_conversions = serializers.IntegerField(
        help_text="Credited by the default model when it happened."
    )
    frozen_amount_cents = serializers.IntegerField()
    removal_effect = serializers.FloatField(
        allow_null=True, help_text="With `markov`: the part lost without it, 0 to 1."
    )


class AttributionOut(serializers.Serializer[Any]):
    """Rows sum to the totals, whatever the model."""

    since = serializers.DateField()
    until = serializers.DateField()
    model = serializers.CharField()
    kind = serializers.CharField()
    by = serializers.CharField()
    conversions = serializers.IntegerField()
    amount_cents = serializers.IntegerField()
    rows = CreditRowOut(many=True)


class OrderShareOut(serializers.Serializer[Any]):
    """A channel's part of one order."""

    key = serializers.CharField(allow_null=True)
    share = serializers.FloatField(help_text="0 to 1; the shares of a model sum to 1.")
    amount_cents = serializers.IntegerField(help_text="Sums to the order's net amount exactly.")


class OrderAttributionOut(serializers.Serializer[Any]):
    """Who gets how much of an order, by each model that judges an order by itself."""

    order = serializers.CharField()
    models: Any = serializers.DictField(child=OrderShareOut(many=True))


class VoucherRowOut(serializers.Serializer[Any]):
    """The vouchers of one deal that one store verified; amounts are of those that stand."""

    store = serializers.CharField()
    platform = serializers.CharField()
    deal = serializers.CharField(help_text="The platform's number.")
    title = serializers.CharField()
    vouchers = serializers.IntegerField()
    cancelled = serializers.IntegerField(help_text="Given back; counted in nothing else.")
    price_cents = serializers.IntegerField(help_text="Guest + platform + shop.")
    guest_cents = serializers.IntegerField()
    platform_cents = serializers.IntegerField()
    shop_cents = serializers.IntegerField()
    paid_cents = serializers.IntegerField(help_text="What they paid of orders.")
    discount_cents = serializers.IntegerField(help_text="What their deals took off beside it.")


class VoucherReportOut(serializers.Serializer[Any]):
    """Every store and deal with vouchers in the period."""

    since = serializers.DateField()
    until = serializers.DateField()
    rows = VoucherRowOut(many=True)


class FundsRowOut(serializers.Serializer[Any]):
    """One store's business day; closing = opening + received − spent + returned − paid out."""

    store = serializers.CharField()
    date = serializers.DateField()
    opening_cents = serializers.IntegerField(help_text="Principal, as all that follow.")
    received_cents = serializers.IntegerField(help_text="Top-ups and gift cards sold.")
    spent_cents = serializers.IntegerField()
    returned_cents = serializers.IntegerField(help_text="By refunds of orders.")
    paid_out_cents = serializers.IntegerField()
    closing_cents = serializers.IntegerField(
        help_text="Below zero where more of other stores' money is spent than is received."
    )
    gift_given_cents = serializers.IntegerField()
    gift_spent_cents = serializers.IntegerField(help_text="Less what refunds brought back.")
    gift_lost_cents = serializers.IntegerField(help_text="Expired, or lost with a payout.")


class FundsReportOut(serializers.Serializer[Any]):
    """Every store and day on which stored value moved."""

    since = serializers.DateField()
    until = serializers.DateField()
    rows = FundsRowOut(many=True)


class ChannelReportOut(serializers.Serializer[Any]):
    """Every channel, most expensive first."""

    since = serializers.DateField()
    until = serializers.DateField()
    rows = ChannelRowOut(many=True)


class TierRowOut(serializers.Serializer[Any]):
    """The members of a tier at the end of the period."""

    tier = serializers.CharField()
    level = serializers.IntegerField()
    role = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    members = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)


class RoleRowOut(serializers.Serializer[Any]):
    """The members of a role."""

    role = serializers.CharField()
    members = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)


class MigrationOut(serializers.Serializer[Any]):
    """Members by their tier at the beginning and at the end."""

    from_tier = serializers.CharField(allow_null=True)
    to_tier = serializers.CharField()
    members = serializers.IntegerField()


class TierDayOut(serializers.Serializer[Any]):
    """The members of a tier at the end of a day."""

    date = serializers.DateField()
    tier = serializers.CharField()
    members = serializers.IntegerField()


class TierDistributionOut(serializers.Serializer[Any]):
    """Members by tier, by role, by where they came from, by day."""

    since = serializers.DateField()
    until = serializers.DateField()
    members = serializers.IntegerField()
    tiers = TierRowOut(many=True)
    roles = RoleRowOut(many=True)
    migration = MigrationOut(many=True)
    days = TierDayOut(many=True, help_text="As counted on each day.")


class LifecycleRowOut(serializers.Serializer[Any]):
    """The members of a stage."""

    stage = serializers.CharField()
    members = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)


class LifecycleDistributionOut(serializers.Serializer[Any]):
    """Members by stage; they add up to `members`."""

    members = serializers.IntegerField()
    rows = LifecycleRowOut(many=True)


class PlanRowOut(serializers.Serializer[Any]):
    """A plan in the period."""

    plan = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    eligible = serializers.IntegerField()
    buyers = serializers.IntegerField()
    purchases = serializers.IntegerField()
    renewals = serializers.IntegerField()
    revenue_cents = serializers.IntegerField()
    conversion_rate = serializers.FloatField(allow_null=True)


class MembershipConversionOut(serializers.Serializer[Any]):
    """Plans, with buyers among those who could."""

    since = serializers.DateField()
    until = serializers.DateField()
    rows = PlanRowOut(many=True)
