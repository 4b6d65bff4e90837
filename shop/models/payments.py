"""Money taken for orders; a provider's number pays for one thing."""

from typing import TYPE_CHECKING

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shop.kernel.fields import CentsField
from shop.models.orders import Order

if TYPE_CHECKING:
    pass


class PaidNumber(models.Model):
    """A provider's number that has paid for something: an order, a top-up, a gift card.

    Invariants:
        Once per (method, number), whatever it paid for. Only triggers of payments write it.
    """

    method = models.CharField(max_length=16)
    provider_ref = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="paid_number_once", fields=["method", "provider_ref"])
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.provider_ref}"


PAYS_ONCE = pgtrigger.Trigger(
    name="provider_ref_pays_once",
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    condition=pgtrigger.Q(new__provider_ref__isnull=False),
    func="""
        INSERT INTO shop_paidnumber (method, provider_ref) VALUES (NEW.method, NEW.provider_ref);
        RETURN NEW;
    """,
)
"""On every table of payments: two of them must not name one payment of the provider."""


class Payment(models.Model):
    """A tender: money that arrived for an order.

    A payment for an order that was cancelled meanwhile is kept as an orphan and sent back.
    """

    class Method(models.TextChoices):
        CASH = "cash", _("Cash")
        CARD = "card", _("Card")
        WECHAT = "wechat", _("WeChat Pay")
        ALIPAY = "alipay", _("Alipay")
        SANDBOX = "sandbox", _("Sandbox")
        VOUCHER = "voucher", _("Group-buy voucher")
        STORED_VALUE = "stored_value", _("Stored value")
        GIFT_CARD = "gift_card", _("Gift card")
        NONE = "none", _("Nothing to pay")

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="payments", verbose_name=_("order")
    )
    method = models.CharField(_("method"), max_length=16, choices=Method)
    amount_cents = CentsField(_("amount"))
    provider_ref = models.CharField(_("provider's number"), max_length=64, null=True, blank=True)
    is_orphan = models.BooleanField(_("came too late"), default=False)
    received_at = models.DateTimeField(_("received"))

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.UniqueConstraint(
                name="payment_once_per_provider_ref", fields=["method", "provider_ref"]
            ),
            models.CheckConstraint(name="payment_not_negative", condition=Q(amount_cents__gte=0)),
        ]
        triggers = [PAYS_ONCE]

    def __str__(self) -> str:
        return f"{self.method} {self.amount_cents}"
