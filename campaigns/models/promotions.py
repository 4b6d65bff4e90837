"""Promotions: offers that apply by themselves, without a coupon."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.offers import OfferTerms
from shop.kernel import versions
from shop.kernel.fields import CentsField
from shop.kernel.money import Cents
from shop.models.orders import Order


class Promotion(OfferTerms):
    """An offer for whoever meets its conditions: happy hour, 满减, the second cup half price."""

    uses_total = models.PositiveIntegerField(_("uses in all"), null=True, blank=True)
    uses_per_member = models.PositiveIntegerField(_("uses per member"), null=True, blank=True)

    class Meta:
        verbose_name = _("promotion")
        verbose_name_plural = _("promotions")
        constraints = [*OfferTerms.Meta.constraints]
        triggers = [versions.trigger_of("promotions")]


class PromotionUse(models.Model):
    """A promotion applied to an order, from the moment it is placed; released if that is undone.

    Invariants:
        At most one standing (unreleased) use per order and promotion.
    """

    promotion = models.ForeignKey(
        Promotion, models.PROTECT, related_name="uses", verbose_name=_("promotion")
    )
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="promotion_uses", verbose_name=_("order")
    )
    discount_cents = CentsField(_("discount"))
    repriced_by = models.JSONField(
        _("rule at the sale"),
        null=True,
        blank=True,
        help_text=_("Kept where a partial return prices the rest anew."),
    )
    used_at = models.DateTimeField(_("used"))
    released_at = models.DateTimeField(_("released"), null=True, blank=True)

    class Meta:
        verbose_name = _("promotion use")
        verbose_name_plural = _("promotion uses")
        constraints = [
            models.UniqueConstraint(
                name="promotion_used_once_per_order",
                fields=["promotion", "order"],
                condition=Q(released_at=None),
            ),
            models.CheckConstraint(
                name="promotion_use_not_negative", condition=Q(discount_cents__gte=0)
            ),
        ]
        indexes = [models.Index(name="promotion_use_by_order", fields=["order"])]

    def __str__(self) -> str:
        return f"{self.promotion_id} on {self.order_id}"


class UsageCounter(models.Model):
    """How far one limit of an offer is used up, kept only where there is a limit or a budget.

    Invariants:
        One row per offer, dimension and key. It moves only by the guarded statement of
        `campaigns.limits`, which never takes it past the limit.
    """

    class Dimension(models.TextChoices):
        TOTAL = "total", _("in all")
        MEMBER = "member", _("by member")
        STORE = "store", _("by store")
        DAY = "day", _("by day")
        WEEK = "week", _("by week")
        MONTH = "month", _("by month")

    offer = models.CharField(_("offer"), max_length=48)
    dimension = models.CharField(_("dimension"), max_length=8, choices=Dimension)
    key = models.CharField(_("key"), max_length=20, blank=True, default="")
    used = models.PositiveIntegerField(_("used"), default=0)
    spent_cents = CentsField(_("discount given"), default=Cents(0))

    class Meta:
        verbose_name = _("usage counter")
        verbose_name_plural = _("usage counters")
        constraints = [
            models.UniqueConstraint(
                name="usage_counter_once", fields=["offer", "dimension", "key"]
            ),
            models.CheckConstraint(
                name="usage_counter_not_negative", condition=Q(spent_cents__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offer} {self.dimension} {self.key}"
