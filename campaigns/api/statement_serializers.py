"""What goes in and out of the API of a deal's statements."""

import re
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from campaigns.models import (
    DealStatement,
    StatementLine,
)
from shop.kernel.clock import YEARS
from shop.kernel.serializers import (
    AmountField,
    StrictCharField,
    StrictSerializer,
)

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])\Z", re.ASCII)


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
