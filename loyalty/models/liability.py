"""What outstanding points were expected to cost, day by day."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from shop.kernel.fields import CentsField, PointsField


class LiabilitySnapshot(models.Model):
    """The liability at the end of one day of the chain; written once, never changed.

    Invariants:
        At most one per day. `difference` is what ledger, wallets and lots disagreed by: 0.
    """

    date = models.DateField(_("day"), unique=True)
    outstanding = PointsField(_("outstanding points"))
    pending = PointsField(_("pending points"))
    debt = PointsField(_("points owed by members"))
    breakage = PointsField(_("points that will not be used"))
    cost_cents = CentsField(_("expected cost"))
    pending_cost_cents = CentsField(_("expected cost of pending points"))
    confidence = models.CharField(_("confidence"), max_length=8)
    difference = models.BigIntegerField(_("difference"))
    taken_at = models.DateTimeField(_("taken"))

    class Meta:
        verbose_name = _("points liability")
        verbose_name_plural = _("points liability")

    def __str__(self) -> str:
        return f"{self.date} {self.cost_cents}"
