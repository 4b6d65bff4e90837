"""Money given back on orders."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shop.kernel.fields import CentsField
from shop.kernel.money import Cents
from shop.models.orders import Order, OrderLine

if TYPE_CHECKING:
    pass


class Refund(models.Model):
    """Money given back for an order, and why."""

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="refunds", verbose_name=_("order")
    )
    number = models.CharField(_("number"), max_length=24, unique=True)
    amount_cents = CentsField(_("amount"))
    voucher_cents = CentsField(
        _("of which by voucher"),
        default=Cents(0),
        help_text=_("Paid on another platform: not to be handed out in cash."),
    )
    stored_cents = CentsField(
        _("of which stored value"),
        default=Cents(0),
        db_default=Cents(0),
        help_text=_("Back in the wallet or on the gift card: not to be handed out in cash."),
    )
    kept_back_cents = CentsField(
        _("kept back"),
        default=Cents(0),
        db_default=Cents(0),
        help_text=_("Of everything returned so far, because the rest lost a discount."),
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    actor = models.CharField(_("by"), max_length=64)
    refunded_at = models.DateTimeField(_("refunded"))

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [
            models.CheckConstraint(name="refund_not_negative", condition=Q(amount_cents__gte=0)),
            models.CheckConstraint(
                name="refund_voucher_part_within_amount",
                condition=Q(voucher_cents__gte=0, voucher_cents__lte=F("amount_cents")),
            ),
            models.CheckConstraint(
                name="refund_stored_part_within_amount",
                condition=Q(
                    stored_cents__gte=0,
                    stored_cents__lte=F("amount_cents") - F("voucher_cents"),
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def source(self) -> str:
        """Return the name under which everything this refund causes is recorded."""
        return f"refund:{self.number}"


class RefundLine(models.Model):
    """How much of a refund fell on one line."""

    refund = models.ForeignKey(
        Refund, models.CASCADE, related_name="lines", verbose_name=_("refund")
    )
    line = models.ForeignKey(
        OrderLine, models.PROTECT, related_name="refunds", verbose_name=_("order line")
    )
    quantity = models.PositiveIntegerField(_("pieces"), default=0)
    amount_cents = CentsField(_("amount"))

    class Meta:
        verbose_name = _("refund line")
        verbose_name_plural = _("refund lines")
        constraints = [models.UniqueConstraint(name="refund_line_once", fields=["refund", "line"])]

    def __str__(self) -> str:
        return f"{self.quantity} / {self.amount_cents}"
