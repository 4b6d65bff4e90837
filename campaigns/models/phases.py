"""The phases of a campaign, their plan, and who asked during preheat to be served at the start."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.channels import Campaign, Channel, ChannelLink
from campaigns.models.coupons import Coupon, CouponDefinition
from campaigns.models.promotions import Promotion
from shop.kernel.fields import CentsField, OptionalCentsField
from shop.kernel.money import Cents
from shop.models.members import Member


class Cause(models.TextChoices):
    """Why a phase or a campaign was moved, or waits."""

    TIME = "time", _("Its time has come")
    BUDGET = "budget", _("Budget spent")
    DAILY_BUDGET = "daily_budget", _("Budget of the day spent")
    CPA = "cpa", _("A new member costs too much")
    REDEMPTIONS = "redemptions", _("Enough offers used")
    CAMPAIGN = "campaign", _("With the campaign")
    STAFF = "staff", _("By hand")
    CLEARED = "cleared", _("Below its limits again")
    TERMS = "terms", _("Terms changed")


class CampaignPhase(models.Model):
    """A stretch of a campaign with its own pace, budget and offers; periods are half-open.

    Invariants:
        planned → running → ended, or running ⇄ paused → ended; each move is a guarded update with
        its row in `CampaignChange`. What is paused says why, nothing else does.
        Only an always-on phase may have no end. No more reservations than the limit.
        `summary` is written once, with the end.
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
        PAUSED = "paused", _("Paused")
        ENDED = "ended", _("Ended")

    class OpenCoupons(models.TextChoices):
        KEEP = "keep", _("stay usable until they expire")
        WAIT = "wait", _("stop with the phase")

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="phases", verbose_name=_("campaign")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    status = models.CharField(
        _("status"), max_length=8, choices=Status, default=Status.PLANNED, editable=False
    )
    pause_cause = models.CharField(
        _("paused because"),
        max_length=16,
        choices=Cause,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)

    budget_cents = OptionalCentsField(
        _("budget"),
        null=True,
        blank=True,
        help_text=_("The phase pauses when its links have cost so much."),
    )
    daily_budget_cents = OptionalCentsField(
        _("budget per day"),
        null=True,
        blank=True,
        help_text=_("It pauses when they have cost so much today, and goes on tomorrow."),
    )
    cpa_limit_cents = OptionalCentsField(
        _("most per new member"),
        null=True,
        blank=True,
        help_text=_("It pauses when a new member costs so much, and goes on at 90 % of it."),
    )
    cpa_min_joins = models.PositiveIntegerField(
        _("judged from so many new members"),
        default=30,
        db_default=30,
        help_text=_("Or from the money that so many may cost."),
    )
    redemption_limit = models.PositiveIntegerField(
        _("uses of its offers"),
        null=True,
        blank=True,
        help_text=_("It pauses when coupons and promotions of the phase were used so often."),
    )

    target_joins = models.PositiveIntegerField(_("target: new members"), null=True, blank=True)
    target_first_orders = models.PositiveIntegerField(
        _("target: first orders"), null=True, blank=True
    )
    target_sales_cents = OptionalCentsField(_("target: net sales"), null=True, blank=True)
    target_cpa_cents = OptionalCentsField(_("target: cost of a new member"), null=True, blank=True)
    target_roas_percent = models.PositiveIntegerField(
        _("target: sales per cost (%)"),
        null=True,
        blank=True,
        help_text=_("300: three yuan of sales for each yuan spent."),
    )

    coupon_definitions = models.ManyToManyField(
        CouponDefinition,
        related_name="phases",
        blank=True,
        verbose_name=_("coupons unlocked"),
        help_text=_("They work only while one of their phases runs."),
    )
    promotions = models.ManyToManyField(
        Promotion, related_name="phases", blank=True, verbose_name=_("promotions unlocked")
    )
    open_coupons = models.CharField(
        _("coupons in wallets at the end"),
        max_length=4,
        choices=OpenCoupons,
        default=OpenCoupons.KEEP,
        db_default=OpenCoupons.KEEP.value,
    )

    reservation_coupon = models.ForeignKey(
        CouponDefinition,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("coupon for reservations"),
        help_text=_("Of a preheat: whoever reserved gets it when the campaign starts."),
    )
    reservation_limit = models.PositiveIntegerField(_("most reservations"), null=True, blank=True)
    reserved_count = models.PositiveIntegerField(
        _("reservations"), default=0, db_default=0, editable=False
    )
    summary = models.JSONField(_("summary"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("phase")
        verbose_name_plural = _("phases")
        constraints = [
            models.CheckConstraint(
                name="phase_ends_after_start",
                condition=Q(ends_at__gt=F("starts_at")) | Q(ends_at=None, kind="always_on"),
            ),
            models.CheckConstraint(
                name="phase_paused_says_why",
                condition=(Q(status="paused") & ~Q(pause_cause=""))
                | (~Q(status="paused") & Q(pause_cause="")),
            ),
            models.CheckConstraint(
                name="phase_reservations_within_limit",
                condition=Q(reservation_limit=None) | Q(reserved_count__lte=F("reservation_limit")),
            ),
        ]
        indexes = [
            models.Index(name="phase_not_over", fields=["starts_at"], condition=~Q(status="ended"))
        ]

    def __str__(self) -> str:
        return f"{self.campaign} · {self.get_kind_display()}"

    @property
    def subject(self) -> str:
        """Return the name under which alarms speak of it."""
        return f"phase:{self.pk}"


class PhasePlan(models.Model):
    """What one channel, or one link, is planned to cost and to bring within a phase."""

    phase = models.ForeignKey(
        CampaignPhase, models.CASCADE, related_name="plans", verbose_name=_("phase")
    )
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="+", verbose_name=_("channel")
    )
    link = models.ForeignKey(
        ChannelLink,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("link"),
        help_text=_("Without one: all links of the channel together."),
    )
    cost_cents = CentsField(_("planned cost"), default=Cents(0))
    reach = models.PositiveIntegerField(_("planned reach"), default=0)
    joins = models.PositiveIntegerField(_("planned new members"), default=0)

    class Meta:
        verbose_name = _("channel plan")
        verbose_name_plural = _("channel plan")
        constraints = [
            models.UniqueConstraint(
                name="phase_plan_once",
                fields=["phase", "channel", "link"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="phase_plan_not_negative", condition=Q(cost_cents__gte=0)),
        ]

    def __str__(self) -> str:
        return str(self.link or self.channel)


class Reservation(models.Model):
    """A member who asked during preheat to be served when the campaign starts.

    Invariants:
        Once per campaign and member; told at most once, with at most one coupon.
    """

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="reservations", verbose_name=_("campaign")
    )
    phase = models.ForeignKey(
        CampaignPhase,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="reservations",
        verbose_name=_("preheat"),
    )
    member = models.ForeignKey(
        Member, models.CASCADE, related_name="reservations", verbose_name=_("member")
    )
    reserved_at = models.DateTimeField(_("reserved"))
    told_at = models.DateTimeField(_("told"), null=True, blank=True)
    coupon = models.OneToOneField(
        Coupon,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="reservation",
        verbose_name=_("coupon"),
    )

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        constraints = [
            models.UniqueConstraint(
                name="reservation_once_per_member", fields=["campaign", "member"]
            )
        ]
        indexes = [
            models.Index(
                name="reservation_waiting",
                fields=["campaign", "reserved_at"],
                condition=Q(told_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.member_id} for {self.campaign_id}"
