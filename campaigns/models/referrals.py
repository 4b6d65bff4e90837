"""Friends who bring friends; one level, no commission."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shop.kernel.fields import CentsField
from shop.kernel.money import Cents
from shop.models.members import Member
from shop.models.orders import Order


class ReferralProgramme(models.Model):
    """What both sides get for a friend who buys; one row, edited by head office."""

    is_active = models.BooleanField(_("active"), default=True)
    referrer_points = models.PositiveIntegerField(_("points to the referrer"), default=50)
    referee_points = models.PositiveIntegerField(_("points to the friend"), default=20)
    min_order_cents = CentsField(_("friend's first order at least"), default=Cents(1))
    reward_after_days = models.PositiveSmallIntegerField(
        _("available after days"), default=7, help_text=_("The refund window.")
    )

    class Meta:
        verbose_name = _("referral programme")
        verbose_name_plural = _("referral programme")
        constraints = [models.CheckConstraint(name="referral_programme_is_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return f"{self.referrer_points} + {self.referee_points}"


class ReferralCode(models.Model):
    """A member's own code to hand to friends."""

    member = models.OneToOneField(
        Member,
        models.CASCADE,
        primary_key=True,
        related_name="referral_code",
        verbose_name=_("member"),
    )
    code = models.CharField(_("code"), max_length=16, unique=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("referral code")
        verbose_name_plural = _("referral codes")

    def __str__(self) -> str:
        return self.code


class Referral(models.Model):
    """That one member brought another.

    Invariants:
        A friend is brought once, by somebody else; the reward comes after the first paid order.
    """

    class Status(models.TextChoices):
        REGISTERED = "registered", _("Friend joined")
        QUALIFIED = "qualified", _("Friend bought")
        VOID = "void", _("Void")

    referrer = models.ForeignKey(
        Member, models.PROTECT, related_name="referrals_made", verbose_name=_("brought by")
    )
    referee = models.OneToOneField(
        Member, models.PROTECT, related_name="referral", verbose_name=_("friend")
    )
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.REGISTERED)
    registered_at = models.DateTimeField(_("friend joined"))
    qualified_at = models.DateTimeField(_("friend bought"), null=True, blank=True)
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("first order"),
    )

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        constraints = [
            models.CheckConstraint(
                name="referral_is_not_of_oneself", condition=~Q(referrer=F("referee"))
            )
        ]
        indexes = [models.Index(name="referral_by_referrer", fields=["referrer", "status"])]

    def __str__(self) -> str:
        return f"{self.referrer_id} → {self.referee_id}"
