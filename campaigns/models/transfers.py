"""Coupons given to friends (转赠)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.coupons import Coupon
from shop.models.members import Member


class CouponTransfer(models.Model):
    """A coupon on offer to whoever has the link, once.

    Invariants:
        At most one open transfer per coupon. The token is stored hashed.
        An accepted one has a receiver, who is not the giver, and the coupon that they got.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("On offer")
        ACCEPTED = "accepted", _("Accepted")
        CANCELLED = "cancelled", _("Taken back")
        EXPIRED = "expired", _("Not accepted in time")

    coupon = models.ForeignKey(
        Coupon, models.PROTECT, related_name="transfers", verbose_name=_("coupon")
    )
    giver = models.ForeignKey(
        Member, models.PROTECT, related_name="transfers_given", verbose_name=_("giver")
    )
    receiver = models.ForeignKey(
        Member,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="transfers_received",
        verbose_name=_("receiver"),
    )
    received = models.OneToOneField(
        Coupon,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="received_by",
        verbose_name=_("coupon received"),
    )
    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.OPEN)
    offered_at = models.DateTimeField(_("offered"))
    expires_at = models.DateTimeField(_("to be accepted until"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("coupon transfer")
        verbose_name_plural = _("coupon transfers")
        constraints = [
            models.UniqueConstraint(
                name="coupon_offered_once", fields=["coupon"], condition=Q(status="open")
            ),
            models.CheckConstraint(
                name="coupon_transfer_accepted_by_somebody",
                condition=Q(status="accepted", receiver__isnull=False, received__isnull=False)
                | (~Q(status="accepted") & Q(receiver__isnull=True, received__isnull=True)),
            ),
            models.CheckConstraint(
                name="coupon_transfer_to_another",
                condition=Q(receiver__isnull=True) | ~Q(receiver=F("giver")),
            ),
            models.CheckConstraint(
                name="coupon_transfer_closed_or_open",
                condition=Q(status="open", closed_at__isnull=True)
                | (~Q(status="open") & Q(closed_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(
                name="coupon_transfer_to_expire",
                fields=["expires_at"],
                condition=Q(status="open"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.coupon_id}: {self.status}"
