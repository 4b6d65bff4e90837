"""What goes in and out of the API of partners, deals, co-brandings and swaps."""

import re
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from campaigns.api.serializers import SlugField
from campaigns.models import (
    Cobrand,
    CouponRedemption,
    DealStatement,
    KolDeal,
    KolVisit,
    Partner,
    ResourceSwap,
    StatementLine,
    SwapDelivery,
)
from campaigns.models.partners import WHOLE
from shop.kernel.clock import YEARS
from shop.kernel.serializers import (
    AmountField,
    StrictCharField,
    StrictDateField,
    StrictIntegerField,
    StrictSerializer,
)

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])\Z", re.ASCII)
MOST_UNITS = 2_000_000_000


class MonthField(StrictCharField):
    """A month, such as 2026-06; as a value, its first day."""

    default_error_messages = {"no_month": _("Give a month, as in 2026-06.")}

    def to_internal_value(self, data: Any) -> date:  # type: ignore[override]
        found = MONTH.match(super().to_internal_value(data))
        if found is None or int(found[1]) not in YEARS:
            self.fail("no_month")
        return date(int(found[1]), int(found[2]), 1)

    def to_representation(self, value: date) -> str:  # type: ignore[override]  # kept as a day
        return f"{value:%Y-%m}"


class ShareField(StrictIntegerField):
    """A share in basis points: 10 000 is all of it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=WHOLE, help_text="In basis points.", **kwargs)


# --- partners ------------------------------------------------------------------------------------


class PartnerRequest(StrictSerializer):
    """A new partner."""

    code = SlugField(max_length=40)
    kind = serializers.ChoiceField(choices=Partner.Kind.choices)
    name_zh = StrictCharField(max_length=80)
    name_en = StrictCharField(max_length=80)
    contact = StrictCharField(max_length=200, required=False)


class PartnerOut(serializers.ModelSerializer[Partner]):
    """A partner; never the keys of their systems."""

    class Meta:
        model = Partner
        fields = ("code", "kind", "name_zh", "name_en", "contact", "is_active")


class KolOut(PartnerOut):
    """An opinion leader, with what came of their deals; statements count once approved."""

    deals = serializers.IntegerField(source="number_of_deals")
    sales_cents = serializers.IntegerField(help_text="Net, corrections included.")
    earned_cents = serializers.IntegerField(help_text="Fees and commissions.")

    class Meta:
        model = Partner
        fields = (*PartnerOut.Meta.fields, "deals", "sales_cents", "earned_cents")


class PartnerKeyOut(serializers.Serializer[Any]):
    """A key in clear: shown now, kept nowhere."""

    key = serializers.CharField()


class PoolOut(serializers.Serializer[Any]):
    """Coupons that are a partner's to hand out."""

    coupon = serializers.CharField(source="definition.code")
    name_zh = serializers.CharField(source="definition.name_zh")
    name_en = serializers.CharField(source="definition.name_en")


class OwnCobrandOut(serializers.Serializer[Any]):
    """A campaign as its partner sees it."""

    campaign = serializers.CharField(source="campaign.code")
    name_zh = serializers.CharField(source="campaign.name_zh")
    name_en = serializers.CharField(source="campaign.name_en")
    starts_at = serializers.DateTimeField(source="campaign.starts_at")
    ends_at = serializers.DateTimeField(source="campaign.ends_at", allow_null=True)
    pools = PoolOut(many=True)


class OwnDealOut(serializers.ModelSerializer[KolDeal]):
    """A deal as its partner sees it."""

    class Meta:
        model = KolDeal
        fields = ("id", "label", "status", "starts_on", "last_on")


class PartnerMeOut(PartnerOut):
    """What a partner's own key may know of itself."""

    deals = OwnDealOut(many=True)
    cobrands = OwnCobrandOut(many=True)

    class Meta:
        model = Partner
        fields = (*PartnerOut.Meta.fields, "deals", "cobrands")


# --- deals ---------------------------------------------------------------------------------------


class DealRequest(StrictSerializer):
    """A new deal, as a draft. Both days count."""

    partner = SlugField(max_length=40)
    label = StrictCharField(max_length=80)  # type: ignore[assignment]  # hides Field's own label
    channel = SlugField(max_length=32)
    campaign = SlugField(max_length=40, required=False)
    fee_cents = AmountField(min_value=0, default=0)
    fee_terms = serializers.ChoiceField(
        choices=KolDeal.FeeTerms.choices, default=KolDeal.FeeTerms.ONCE
    )
    commission = ShareField(default=0)
    starts_on = StrictDateField()
    last_on = StrictDateField()
    links = serializers.ListField(
        child=StrictCharField(max_length=12), default=list, max_length=50, help_text="Link codes."
    )
    coupons = serializers.ListField(
        child=StrictCharField(max_length=40),
        default=list,
        max_length=50,
        help_text="Codes of coupon definitions.",
    )


class DealOut(serializers.ModelSerializer[KolDeal]):
    """A deal; `commission` is in basis points of net sales."""

    partner = serializers.CharField(source="partner.code")
    channel = serializers.CharField(source="channel.code")
    campaign = serializers.CharField(source="campaign.code", default=None, allow_null=True)
    links = serializers.SerializerMethodField()
    coupons = serializers.SerializerMethodField()

    class Meta:
        model = KolDeal
        fields = (
            "id",
            "partner",
            "label",
            "channel",
            "campaign",
            "fee_cents",
            "fee_terms",
            "commission",
            "starts_on",
            "last_on",
            "status",
            "links",
            "coupons",
        )

    def get_links(self, deal: KolDeal) -> list[str]:
        """Return the codes of the links by which it brings people."""
        return sorted(row.link.code for row in deal.deal_links.all())

    def get_coupons(self, deal: KolDeal) -> list[str]:
        """Return the codes of the definitions by which it brings people."""
        return sorted(row.definition.code for row in deal.deal_coupons.all())


class DealStepRequest(StrictSerializer):
    """What becomes of a deal."""

    status = serializers.ChoiceField(choices=["active", "ended", "cancelled"])


class StatementQuery(serializers.Serializer[Any]):
    """Which statement; without a month, the newest."""

    month = MonthField(required=False)


class StatementRequest(StrictSerializer):
    """The month to settle."""

    month = MonthField(help_text="Such as 2026-06.")


class StatementApprovalRequest(StatementRequest):
    """The month, and the total that was looked at; it may be negative."""

    expected_total_cents = AmountField(min_value=-(10**12))


class StatementPaymentRequest(StatementRequest):
    """The month, and where the payment is found."""

    reference = StrictCharField(max_length=64)


class DealStatementLineOut(serializers.ModelSerializer[StatementLine]):
    """An order of the month, or what was given back since of an earlier one."""

    order = serializers.CharField(source="order.number")
    store = serializers.CharField(source="order.store.code")
    business_date = serializers.DateField(source="order.business_date")

    class Meta:
        model = StatementLine
        fields = ("kind", "order", "store", "business_date", "net_cents")


class DealStatementOut(serializers.ModelSerializer[DealStatement]):
    """What a deal owes for a month: total = fee + commission on sales and corrections."""

    deal = serializers.IntegerField(source="deal_id")
    partner = serializers.CharField(source="deal.partner.code")
    month = MonthField()
    commission = serializers.IntegerField(source="deal.commission", help_text="In basis points.")
    rows: Any = DealStatementLineOut(many=True, source="lines_in_order")

    class Meta:
        model = DealStatement
        fields = (
            "deal",
            "partner",
            "month",
            "state",
            "orders",
            "sales_cents",
            "corrections_cents",
            "fee_cents",
            "commission",
            "commission_cents",
            "total_cents",
            "drafted_at",
            "approved_at",
            "paid_at",
            "payment_reference",
            "rows",
        )


class VisitRequest(StrictSerializer):
    """A visit to plan."""

    deal = StrictIntegerField(min_value=1, max_value=2**63 - 1)
    store = StrictCharField(max_length=16)
    visit_date = StrictDateField()
    content_url = StrictCharField(max_length=300, required=False)
    limit_cents = AmountField(required=False, help_text="What the drinks may cost on the menu.")


class VisitOut(serializers.ModelSerializer[KolVisit]):
    """A visit; `order` is what was on the house, once it was served."""

    id = serializers.UUIDField(source="public_id")
    partner = serializers.CharField(source="deal.partner.code")
    store = serializers.CharField(source="store.code")
    order = serializers.CharField(source="order.number", default=None, allow_null=True)

    class Meta:
        model = KolVisit
        fields = ("id", "partner", "store", "visit_date", "content_url", "limit_cents", "order")


# --- co-brandings and swaps ----------------------------------------------------------------------


class CobrandRequest(StrictSerializer):
    """A campaign that becomes a partner's too; the shares are the partner's."""

    campaign = SlugField(max_length=40)
    partner = SlugField(max_length=40)
    revenue_share = ShareField(default=0)
    cost_share = ShareField(default=0)
    coupons = serializers.ListField(
        child=StrictCharField(max_length=40),
        default=list,
        max_length=50,
        help_text="Codes of the coupon definitions that are theirs.",
    )


class CobrandOut(serializers.ModelSerializer[Cobrand]):
    """A co-branding, with the coupons that are the partner's to hand out."""

    campaign = serializers.CharField(source="campaign.code")
    partner = serializers.CharField(source="partner.code")
    pools = PoolOut(many=True)

    class Meta:
        model = Cobrand
        fields = ("campaign", "partner", "revenue_share", "cost_share", "pools")


class SplitOut(serializers.Serializer[Any]):
    """An amount, and whose it is."""

    total_cents = serializers.IntegerField()
    partner_cents = serializers.IntegerField(help_text="Rounded half up.")
    own_cents = serializers.IntegerField()


class CobrandReportOut(serializers.Serializer[Any]):
    """What a co-branding brought and cost until now; see docs/partners.md."""

    campaign = serializers.CharField()
    partner = serializers.CharField()
    issued = serializers.IntegerField(help_text="Coupons of the partner's that are in wallets.")
    redemptions = serializers.IntegerField()
    orders = serializers.IntegerField()
    goods_cents = serializers.IntegerField(help_text="Cost of the goods sold; not shared.")
    discount_cents = serializers.IntegerField()
    media_cents = serializers.IntegerField(help_text="What the campaign's links cost.")
    revenue = SplitOut(help_text="Net sales.")
    costs = SplitOut(help_text="Discounts and media.")


class PoolUseOut(serializers.ModelSerializer[CouponRedemption]):
    """A use of a partner's coupon; nothing of who used it."""

    coupon = serializers.CharField(source="coupon.definition.code")
    store = serializers.CharField(source="order.store.code")
    order_net_cents = serializers.IntegerField(source="order.net_cents")

    class Meta:
        model = CouponRedemption
        fields = ("coupon", "store", "redeemed_at", "discount_cents", "order_net_cents")


class SwapRequest(StrictSerializer):
    """What was agreed: theirs is counted in `unit`, ours is worth `agreed_cents`."""

    partner = SlugField(max_length=40)
    label = StrictCharField(max_length=80)  # type: ignore[assignment]  # hides Field's own label
    channel = SlugField(max_length=32)
    campaign = SlugField(max_length=40, required=False)
    we_give = StrictCharField(max_length=200)
    they_give = StrictCharField(max_length=200)
    unit = StrictCharField(max_length=20)
    agreed_quantity = StrictIntegerField(min_value=1, max_value=MOST_UNITS)
    agreed_cents = AmountField(min_value=0)
    agreed_on = StrictDateField()


class SwapOut(serializers.ModelSerializer[ResourceSwap]):
    """A swap, and what of it has come: its value so far is a cost in kind."""

    partner = serializers.CharField(source="partner.code")
    channel = serializers.CharField(source="channel.code")
    campaign = serializers.CharField(source="campaign.code", default=None, allow_null=True)
    delivered_cents = serializers.IntegerField(help_text="Its part of the agreed value.")

    class Meta:
        model = ResourceSwap
        fields = (
            "id",
            "partner",
            "label",
            "channel",
            "campaign",
            "we_give",
            "they_give",
            "unit",
            "agreed_quantity",
            "agreed_cents",
            "agreed_on",
            "delivered_quantity",
            "delivered_cents",
        )


class DeliveryRequest(StrictSerializer):
    """What came, or, negative, what was counted by mistake."""

    quantity = StrictIntegerField(min_value=-MOST_UNITS, max_value=MOST_UNITS)
    delivered_on = StrictDateField()
    reference = StrictCharField(max_length=64, help_text="The delivery note; counts once.")

    def validate_quantity(self, quantity: int) -> int:
        """Nothing is no delivery."""
        if quantity == 0:
            raise serializers.ValidationError(_("Nothing is no delivery."), code="nothing")
        return quantity


class DeliveryOut(serializers.ModelSerializer[SwapDelivery]):
    """A delivery, and its value."""

    class Meta:
        model = SwapDelivery
        fields = ("quantity", "value_cents", "delivered_on", "reference", "recorded_at")
