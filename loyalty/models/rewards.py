"""Rewards: what points buy."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.points import PointsHold
from shop.kernel.fields import CentsField, PointsField
from shop.kernel.money import Cents, Points
from shop.models.members import Member
from shop.models.named import Named
from shop.models.orders import Order


class Reward(Named):
    """Something to be had for points: here, a drink up to a value."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    cost_points = PointsField(_("costs points"))
    max_value_cents = CentsField(_("worth up to"))
    stock = models.PositiveIntegerField(_("stock"), null=True, blank=True)
    valid_days = models.PositiveSmallIntegerField(_("to be used within days"), default=30)
    is_active = models.BooleanField(_("on offer"), default=True)

    class Meta:
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        constraints = [
            models.CheckConstraint(
                name="reward_costs_something",
                condition=Q(cost_points__gt=Points(0), max_value_cents__gt=Cents(0)),
            )
        ]


class RewardRedemption(models.Model):
    """A reward a member took, with the code that the till checks.

    Invariants:
        issued (points held) → used on one order (points spent), or returned / expired (points
        freed).
    """

    class Status(models.TextChoices):
        ISSUED = "issued", _("To be used")
        USED = "used", _("Used")
        RETURNED = "returned", _("Returned")
        EXPIRED = "expired", _("Expired")

    reward = models.ForeignKey(
        Reward, models.PROTECT, related_name="redemptions", verbose_name=_("reward")
    )
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="reward_redemptions", verbose_name=_("member")
    )
    code = models.CharField(_("code"), max_length=24, unique=True)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.ISSUED)
    points = PointsField(_("points"))
    hold = models.OneToOneField(
        PointsHold,
        models.PROTECT,
        related_name="reward_redemption",
        verbose_name=_("points hold"),
    )
    order = models.OneToOneField(
        Order,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reward_redemption",
        verbose_name=_("order"),
    )
    issued_at = models.DateTimeField(_("taken"))
    expires_at = models.DateTimeField(_("to be used by"))
    resolved_at = models.DateTimeField(_("used or returned"), null=True, blank=True)

    class Meta:
        verbose_name = _("reward redemption")
        verbose_name_plural = _("reward redemptions")
        constraints = [
            models.CheckConstraint(
                name="reward_redemption_used_on_an_order",
                condition=Q(status="used", order__isnull=False) | ~Q(status="used"),
            )
        ]

    def __str__(self) -> str:
        return self.code
