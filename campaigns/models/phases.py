"""The phases of a campaign, and who asked to be told when it starts."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.channels import Campaign
from campaigns.models.coupons import CouponDefinition
from campaigns.models.promotions import Promotion
from shop.kernel.fields import OptionalCentsField
from shop.models.members import Member


class CampaignPhase(models.Model):
    """A stretch of a campaign with its own pace, budget and offers; periods are half-open.

    Invariants:
        planned → running → ended, or running ⇄ paused → ended; beat moves it, by guarded updates.
        Only an always-on phase may have no end.
    """

    class Kind(models.TextChoices):
        LAUNCH = "launch", _("Launch")
        PREHEAT = "preheat", _("Preheat")
        FLASH72 = "flash72", _("72-hour flash")
        ALWAYS_ON = "always_on", _("Always on")
        LONG_TAIL = "long_tail", _("Long tail")

    class Status(models.TextChoices):
        PLANNED = "planned", _("Planned")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Budget spent")
        ENDED = "ended", _("Ended")

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="phases", verbose_name=_("campaign")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    status = models.CharField(
        _("status"), max_length=8, choices=Status, default=Status.PLANNED, editable=False
    )
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    budget_cents = OptionalCentsField(
        _("budget"),
        null=True,
        blank=True,
        help_text=_("The phase pauses when its links have cost so much."),
    )
    coupon_definitions = models.ManyToManyField(
        CouponDefinition,
        related_name="phases",
        blank=True,
        verbose_name=_("coupons unlocked"),
        help_text=_("Paused ones are switched on when the phase starts, and off when it ends."),
    )
    promotions = models.ManyToManyField(
        Promotion, related_name="phases", blank=True, verbose_name=_("promotions unlocked")
    )

    class Meta:
        verbose_name = _("phase")
        verbose_name_plural = _("phases")
        constraints = [
            models.CheckConstraint(
                name="phase_ends_after_start",
                condition=Q(ends_at__gt=F("starts_at")) | Q(ends_at=None, kind="always_on"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign} · {self.get_kind_display()}"


class Reservation(models.Model):
    """A member who asked during preheat to be told when the campaign starts.

    Invariants:
        Once per campaign and member; told at most once.
    """

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="reservations", verbose_name=_("campaign")
    )
    member = models.ForeignKey(
        Member, models.CASCADE, related_name="reservations", verbose_name=_("member")
    )
    reserved_at = models.DateTimeField(_("reserved"))
    told_at = models.DateTimeField(_("told"), null=True, blank=True)

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        constraints = [
            models.UniqueConstraint(
                name="reservation_once_per_member", fields=["campaign", "member"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.member_id} for {self.campaign_id}"
