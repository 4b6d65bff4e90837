"""Vouchers that guests bought on another platform, and what each deal gives here."""

import uuid
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.coupons import CouponDefinition
from shop.kernel.fields import CentsField
from shop.models.named import Named
from shop.models.orders import Order
from shop.models.staff import Till
from shop.models.stores import Store


class Platform(models.TextChoices):
    """Where guests buy vouchers for our shops."""

    DOUYIN = "douyin", _("Douyin")
    MEITUAN = "meituan", _("Meituan")


class VoucherDeal(Named):
    """What a deal of a platform gives here.

    `coupon_definition` says what it takes off the order, like a coupon of that definition; without
    one the voucher only pays its price. Nobody gets a coupon for it.
    """

    class AfterRefund(models.TextChoices):
        CANCEL = "cancel", _("Give it back on the platform")
        KEEP = "keep", _("Used up")

    platform = models.CharField(_("platform"), max_length=8, choices=Platform)
    deal_ref = models.CharField(
        _("number of the deal"), max_length=64, help_text=_("Douyin: sku_id. Meituan: dealId.")
    )
    coupon_definition = models.ForeignKey(
        CouponDefinition,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="voucher_deals",
        verbose_name=_("takes off as"),
        help_text=_("Without one it only pays its price."),
    )
    after_refund = models.CharField(
        _("after a full refund"), max_length=8, choices=AfterRefund, default=AfterRefund.CANCEL
    )
    is_active = models.BooleanField(_("accepted"), default=True)

    class Meta:
        verbose_name = _("voucher deal")
        verbose_name_plural = _("voucher deals")
        constraints = [
            models.UniqueConstraint(name="voucher_deal_once", fields=["platform", "deal_ref"])
        ]


class Voucher(models.Model):
    """One voucher that a till looked at, and what became of it.

    `sealed` holds, encrypted, what the platform wants to hear of it again: its token and its code.
    `rule` is what it takes off, as it was when the voucher was claimed. `attempts` and
    `next_check_at` are of the background task, which finds out what a lost answer left open.

    Invariants:
        prepared → verifying → verified, refused or (no answer) unknown, which ends as one of both;
        verified → cancelling → cancelled, or verified again. Each step is a guarded update.
        A voucher is claimed by one row at a time: the unique key on (platform, fingerprint).
        An order pays with a voucher only once it is verified, and with each voucher once.
    """

    class Status(models.TextChoices):
        PREPARED = "prepared", _("Looked at")
        VERIFYING = "verifying", _("Being verified")
        UNKNOWN = "unknown", _("No answer yet")
        VERIFIED = "verified", _("Verified")
        REFUSED = "refused", _("Refused")
        CANCELLING = "cancelling", _("Being given back")
        CANCELLED = "cancelled", _("Given back")

    PREFIX = "voucher:"
    CLAIMED = ("verifying", "unknown", "verified", "cancelling")

    public_id = models.UUIDField(_("id"), unique=True, default=uuid.uuid4, editable=False)
    platform = models.CharField(_("platform"), max_length=8, choices=Platform)
    preparation = models.UUIDField(_("looked at with"), db_index=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PREPARED)
    store = models.ForeignKey(
        Store, models.PROTECT, related_name="vouchers", verbose_name=_("store")
    )
    till = models.ForeignKey(Till, models.PROTECT, related_name="vouchers", verbose_name=_("till"))
    deal = models.ForeignKey(
        VoucherDeal,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="vouchers",
        verbose_name=_("deal"),
    )
    deal_ref = models.CharField(_("number of the deal"), max_length=64)
    title = models.CharField(_("title"), max_length=80)
    rule = models.JSONField(_("takes off"), null=True, blank=True)
    price_cents = CentsField(_("price of the deal"))
    guest_cents = CentsField(_("paid by the guest"))
    platform_cents = CentsField(_("borne by the platform"))
    shop_cents = CentsField(_("borne by the shop"))
    fingerprint = models.BinaryField(max_length=32)
    sealed = models.BinaryField()
    claim_key = models.CharField(max_length=64, blank=True, default="")
    verify_id = models.CharField(_("number of its use"), max_length=64, null=True, blank=True)
    certificate_id = models.CharField(_("certificate"), max_length=64, null=True, blank=True)
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="vouchers",
        verbose_name=_("order"),
    )
    refusal = models.CharField(_("why refused"), max_length=240, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_check_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    prepared_at = models.DateTimeField(_("looked at"))
    claimed_at = models.DateTimeField(_("claimed"), null=True, blank=True)
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("given back at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)

    class Meta:
        verbose_name = _("voucher")
        verbose_name_plural = _("vouchers")
        constraints = [
            models.UniqueConstraint(
                name="voucher_claimed_once",
                fields=["platform", "fingerprint"],
                condition=Q(status__in=["verifying", "unknown", "verified", "cancelling"]),
            ),
            models.UniqueConstraint(name="voucher_use_once", fields=["platform", "verify_id"]),
            models.CheckConstraint(
                name="voucher_price_is_borne",
                condition=Q(price_cents=F("guest_cents") + F("platform_cents") + F("shop_cents"))
                & Q(price_cents__gte=0, guest_cents__gte=0, shop_cents__gte=0),
            ),
            models.CheckConstraint(
                name="voucher_verified_has_a_time",
                condition=~Q(status__in=["verified", "cancelling", "cancelled"])
                | Q(verified_at__isnull=False),
            ),
            models.CheckConstraint(
                name="voucher_pays_once_verified",
                condition=Q(order__isnull=True)
                | Q(status__in=["verified", "cancelling", "cancelled"]),
            ),
        ]
        indexes = [
            models.Index(
                name="voucher_to_check",
                fields=["next_check_at"],
                condition=Q(status__in=["verifying", "unknown", "cancelling"]),
            ),
            models.Index(name="voucher_by_store", fields=["store", "-prepared_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.platform} {self.title}"

    @property
    def source(self) -> str:
        """Return the name under which what it pays is recorded."""
        return f"{self.PREFIX}{self.public_id}"

    @property
    def offer_key(self) -> str:
        """Return its name among offers: those of one priority apply in the order of their deals."""
        return f"{self.PREFIX}{self.deal_id:08d}:{self.public_id}"

    @property
    def first_use(self) -> dict[str, Any]:
        """Return where, when and for what it was used, for whoever tries it again."""
        return {
            "voucher": str(self.public_id),
            "status": self.status,
            "store": self.store.code,
            "till": self.till.code,
            "order": self.order.number if self.order else None,
            "claimed_at": self.claimed_at.isoformat() if self.claimed_at else None,
        }
