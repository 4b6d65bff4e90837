"""Tiers, who is in which, and the visits that get people there."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.lifetimes import Expires, Lifetime
from shop.models.members import Member
from shop.models.named import Named
from shop.models.orders import Order
from shop.models.stores import Store


class LoyaltyProgramme(models.Model):
    """How points are earned, spent and lost; one row, edited by head office."""

    class Clawback(models.TextChoices):
        ONLY_PENDING = "only_pending", _("Only what is still pending")
        WITHIN_BALANCE = "within_balance", _("As far as the balance goes")
        ALLOW_DEBT = "allow_debt", _("Into debt, repaid by later points")

    class Expires(models.TextChoices):
        NEVER = "never", _("Never")
        DAYS = "days", _("After days")
        MONTHS = "months", _("After months")
        YEAR_END = "year_end", _("With a calendar year, so many years later")
        DATE = "date", _("On a day of the year")

    class Waits(models.TextChoices):
        NOTHING = "nothing", _("Nothing: they can be spent at once")
        DAYS = "days", _("Days after the payment")
        COMPLETION = "completion", _("The order to be completed")

    points_per_yuan = models.PositiveSmallIntegerField(_("points per yuan"), default=1)
    qualifying_per_yuan = models.PositiveSmallIntegerField(
        _("qualifying points per yuan"), default=1
    )
    qualifying_window_days = models.PositiveSmallIntegerField(
        _("qualifying window (days)"), default=365
    )
    points_per_redeemed_yuan = models.PositiveSmallIntegerField(
        _("points that pay one yuan"), default=50
    )
    min_points_per_order = models.PositiveIntegerField(_("spend at least"), default=50)
    max_points_share_percent = models.PositiveSmallIntegerField(
        _("at most this share of a bill (%)"), default=50
    )
    clawback = models.CharField(
        _("after a refund"), max_length=16, choices=Clawback, default=Clawback.ALLOW_DEBT
    )
    points_wait_for = models.CharField(
        _("earned points wait for"), max_length=16, choices=Waits, default=Waits.NOTHING
    )
    points_wait_days = models.PositiveSmallIntegerField(_("so many days"), default=0)
    points_expire = models.CharField(
        _("points expire"), max_length=16, choices=Expires, default=Expires.YEAR_END
    )
    points_live_count = models.PositiveSmallIntegerField(
        _("after so many"),
        default=1,
        help_text=_("Days, months or calendar years after the one in which they were earned."),
    )
    points_last_day = models.DateField(
        _("last day"),
        null=True,
        blank=True,
        help_text=_("Of points that expire on a day of the year; it comes again every year."),
    )
    expiry_warning_days = models.PositiveSmallIntegerField(
        _("warn so many days before"), default=30
    )

    class Meta:
        verbose_name = _("loyalty programme")
        verbose_name_plural = _("loyalty programme")
        constraints = [
            models.CheckConstraint(name="loyalty_programme_is_one", condition=Q(id=1)),
            models.CheckConstraint(
                name="loyalty_programme_shares_within_whole",
                condition=Q(max_points_share_percent__lte=100, points_per_redeemed_yuan__gte=1),
            ),
            models.CheckConstraint(
                name="loyalty_programme_expiry_is_whole",
                condition=~Q(points_expire="date") | Q(points_last_day__isnull=False),
            ),
            models.CheckConstraint(
                name="loyalty_programme_counts_in_reason",
                condition=Q(points_live_count__lte=3650, points_wait_days__lte=365),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.points_per_yuan}/¥"

    @property
    def lifetime(self) -> Lifetime:
        """Return how long points live."""
        return Lifetime(
            expires=Expires(self.points_expire),
            count=self.points_live_count,
            last_day=self.points_last_day,
        )

    def clean(self) -> None:
        """Ask for the day that points expire on."""
        if self.points_expire == self.Expires.DATE and self.points_last_day is None:
            raise ValidationError({"points_last_day": _("Name the last day of points.")})


class Tier(Named):
    """A level of membership, reached by qualifying points (and, for spreaders, by friends)."""

    class Role(models.TextChoices):
        NORMAL = "normal", _("Normal")
        VIP = "vip", _("VIP")
        SPREADER = "spreader", _("Spreader")

    code = models.SlugField(_("code"), max_length=16, unique=True)
    level = models.PositiveSmallIntegerField(_("level"), unique=True)
    role = models.CharField(_("role"), max_length=16, choices=Role)
    min_qualifying_points = models.PositiveIntegerField(_("from qualifying points"))
    min_referrals = models.PositiveSmallIntegerField(_("and friends brought"), default=0)
    points_rate_percent = models.PositiveSmallIntegerField(_("earns points at (%)"), default=100)
    benefits = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, verbose_name=_("benefits")
    )

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")


class Membership(models.Model):
    """A member's place in the programme."""

    member = models.OneToOneField(
        Member,
        models.CASCADE,
        primary_key=True,
        related_name="membership",
        verbose_name=_("member"),
    )
    tier = models.ForeignKey(
        Tier, models.PROTECT, related_name="memberships", verbose_name=_("tier")
    )
    tier_since = models.DateTimeField(_("in this tier since"))

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")

    def __str__(self) -> str:
        return f"{self.member_id}: {self.tier_id}"


class TierChange(models.Model):
    """A move from one tier to another, and what caused it."""

    member = models.ForeignKey(
        Member, models.CASCADE, related_name="tier_changes", verbose_name=_("member")
    )
    from_tier = models.ForeignKey(
        Tier, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("from")
    )
    to_tier = models.ForeignKey(Tier, models.PROTECT, related_name="+", verbose_name=_("to"))
    source = models.CharField(_("because of"), max_length=64)
    occurred_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("tier change")
        verbose_name_plural = _("tier changes")
        indexes = [models.Index(name="tier_change_history", fields=["member", "-occurred_at"])]

    def __str__(self) -> str:
        return f"{self.from_tier_id} → {self.to_tier_id}"


class Visit(models.Model):
    """A paid order of a member, as a fact about coming back.

    Invariants:
        One per order. `reversed_at` marks an order that was refunded whole; it no longer counts.
    """

    order = models.OneToOneField(
        Order,
        models.PROTECT,
        primary_key=True,
        related_name="visit",
        verbose_name=_("order"),
    )
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="visits", verbose_name=_("member")
    )
    store = models.ForeignKey(Store, models.PROTECT, related_name="visits", verbose_name=_("store"))
    business_date = models.DateField(_("business day"))
    visited_at = models.DateTimeField(_("at"))
    reversed_at = models.DateTimeField(_("refunded"), null=True, blank=True)

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        indexes = [
            models.Index(name="visit_by_member", fields=["member", "visited_at"]),
            models.Index(name="visit_by_store", fields=["store", "business_date"]),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.business_date}"
