"""Tiers, who is in which, and the visits that get people there."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.lifetimes import Expires, Lifetime
from shop.kernel.fields import CentsField
from shop.kernel.money import Cents
from shop.models.members import Member
from shop.models.named import Named
from shop.models.orders import Order
from shop.models.stores import Store

WALLET_CAP = Cents(500_000)
"""What a registered prepaid card may hold by law."""
GIFT_CARD_CAP = Cents(100_000)
"""What an anonymous prepaid card may hold by law."""


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

    class Basis(models.TextChoices):
        POINTS = "points", _("Qualifying points")
        SPEND = "spend", _("Money paid (yuan)")
        VISITS = "visits", _("Visits")

    class Window(models.TextChoices):
        ROLLING = "rolling", _("The last so many days")
        CALENDAR = "calendar", _("The calendar year")
        ANNIVERSARY = "anniversary", _("The year since the day of joining")

    class Downgrade(models.TextChoices):
        ONE_LEVEL = "one_level", _("One level at a time")
        TO_EARNED = "to_earned", _("To the level earned")
        NEVER = "never", _("Never")

    points_per_yuan = models.PositiveSmallIntegerField(_("points per yuan"), default=1)
    qualifying_per_yuan = models.PositiveSmallIntegerField(
        _("qualifying points per yuan"), default=1
    )
    qualifying_window_days = models.PositiveSmallIntegerField(
        _("qualifying window (days)"), default=365
    )
    qualifying_basis = models.CharField(
        _("tiers are reached by"),
        max_length=8,
        choices=Basis,
        default=Basis.POINTS,
        db_default=Basis.POINTS,
    )
    qualifying_window = models.CharField(
        _("counted within"),
        max_length=12,
        choices=Window,
        default=Window.ROLLING,
        db_default=Window.ROLLING,
    )
    tier_keep_days = models.PositiveSmallIntegerField(
        _("a tier is kept for (days)"),
        default=365,
        db_default=365,
        help_text=_("With years of the calendar or since joining: to the end of that year."),
    )
    tier_grace_days = models.PositiveSmallIntegerField(
        _("and for as many days of grace"), default=30, db_default=30
    )
    tier_downgrade = models.CharField(
        _("after that it drops"),
        max_length=12,
        choices=Downgrade,
        default=Downgrade.ONE_LEVEL,
        db_default=Downgrade.ONE_LEVEL,
    )
    ladder_changed_at = models.DateTimeField(
        _("ladder changed"), null=True, blank=True, editable=False
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
    claim_days = models.PositiveSmallIntegerField(
        _("receipts may be claimed for days"),
        default=7,
        help_text=_("By guests who join later, for points; 0: never."),
    )
    expiry_warning_days = models.PositiveSmallIntegerField(
        _("warn so many days before"), default=30
    )
    adjustment_limit_points = models.PositiveIntegerField(
        _("staff adjust up to"),
        default=500,
        db_default=500,
        help_text=_("Points in one adjustment; more needs a second person."),
    )
    adjustment_day_limit_points = models.PositiveIntegerField(
        _("and in a day up to"),
        default=2000,
        db_default=2000,
        help_text=_("Points that one person adjusts alone in a day, up and down together."),
    )
    has_stored_value = models.BooleanField(
        _("members may top up a wallet"),
        default=False,
        db_default=False,
        help_text=_("Prepaid money is regulated: read docs/stored-value.md before."),
    )
    has_gift_cards = models.BooleanField(_("gift cards are sold"), default=False, db_default=False)
    wallet_cap_cents = CentsField(
        _("a wallet holds at most"), default=WALLET_CAP, db_default=WALLET_CAP
    )
    gift_card_cap_cents = CentsField(
        _("a gift card holds at most"), default=GIFT_CARD_CAP, db_default=GIFT_CARD_CAP
    )
    gift_card_valid_months = models.PositiveSmallIntegerField(
        _("gift cards are valid for (months)"),
        null=True,
        blank=True,
        help_text=_("36 at least; empty: for ever."),
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
            models.CheckConstraint(
                name="loyalty_programme_stored_value_within_law",
                condition=Q(
                    wallet_cap_cents__gt=0,
                    wallet_cap_cents__lte=WALLET_CAP,
                    gift_card_cap_cents__gt=0,
                    gift_card_cap_cents__lte=GIFT_CARD_CAP,
                ),
            ),
            models.CheckConstraint(
                name="loyalty_programme_gift_cards_live_three_years",
                condition=Q(gift_card_valid_months__isnull=True)
                | Q(gift_card_valid_months__gte=36, gift_card_valid_months__lte=600),
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
        """Ask for the day that points expire on, and for a price of a yuan that can be paid."""
        if self.points_per_redeemed_yuan == 0:
            complaint = _("A yuan costs at least one point.")
            raise ValidationError({"points_per_redeemed_yuan": complaint})
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
    kept_until = models.DateTimeField(
        _("kept until"),
        null=True,
        blank=True,
        help_text=_("When the review asks again whether the tier is earned; none for the lowest."),
    )

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        indexes = [
            models.Index(
                name="membership_due",
                fields=["kept_until"],
                condition=Q(kept_until__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.member_id}: {self.tier_id}"


class TierChange(models.Model):
    """A move from one tier to another, and why; or a tier that was earned again and stays."""

    class Reason(models.TextChoices):
        JOINED = "joined", _("Joined")
        EARNED = "earned", _("Earned")
        REFUNDED = "refunded", _("What carried it was refunded")
        KEPT = "kept", _("Earned again and kept")
        DROPPED = "dropped", _("No longer earned")
        PINNED = "pinned", _("Set by staff")
        UNPINNED = "unpinned", _("No longer set by staff")

    member = models.ForeignKey(
        Member, models.CASCADE, related_name="tier_changes", verbose_name=_("member")
    )
    from_tier = models.ForeignKey(
        Tier, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("from")
    )
    to_tier = models.ForeignKey(Tier, models.PROTECT, related_name="+", verbose_name=_("to"))
    reason = models.CharField(
        _("reason"), max_length=8, choices=Reason, default=Reason.EARNED, db_default=Reason.EARNED
    )
    source = models.CharField(_("because of"), max_length=64)
    occurred_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("tier change")
        verbose_name_plural = _("tier changes")
        indexes = [
            models.Index(name="tier_change_history", fields=["member", "-occurred_at"]),
            models.Index(name="tier_change_by_time", fields=["occurred_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.from_tier_id} → {self.to_tier_id}"


class TierPin(models.Model):
    """A tier that staff gave a member until a date; automatic moves wait meanwhile.

    Invariants:
        At most one open pin per member. When it ends, the member goes to the tier they have earned
        by then, or back to the one they had if its keep period still runs, whichever is higher.
    """

    member = models.ForeignKey(
        Member, models.CASCADE, related_name="tier_pins", verbose_name=_("member")
    )
    tier = models.ForeignKey(Tier, models.PROTECT, related_name="+", verbose_name=_("tier"))
    previous_tier = models.ForeignKey(
        Tier, models.PROTECT, related_name="+", verbose_name=_("tier before")
    )
    previous_kept_until = models.DateTimeField(_("which was kept until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200)
    until = models.DateTimeField(_("until"))
    actor = models.CharField(_("by"), max_length=64)
    pinned_at = models.DateTimeField(_("since"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("pinned tier")
        verbose_name_plural = _("pinned tiers")
        constraints = [
            models.UniqueConstraint(
                name="tier_pin_once_at_a_time", fields=["member"], condition=Q(ended_at=None)
            ),
            models.CheckConstraint(
                name="tier_pin_ends_not_before_it_starts", condition=Q(until__gte=F("pinned_at"))
            ),
        ]
        indexes = [
            models.Index(name="tier_pin_due", fields=["until"], condition=Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} → {self.tier_id}"


class TierCount(models.Model):
    """How many members of a store were in a tier at the end of a day."""

    date = models.DateField(_("day"))
    store = models.ForeignKey(Store, models.PROTECT, related_name="+", verbose_name=_("store"))
    tier = models.ForeignKey(Tier, models.PROTECT, related_name="+", verbose_name=_("tier"))
    members = models.PositiveIntegerField(_("members"))

    class Meta:
        verbose_name = _("tier distribution")
        verbose_name_plural = _("tier distribution")
        constraints = [
            models.UniqueConstraint(name="tier_count_once_a_day", fields=["date", "store", "tier"])
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.tier_id}: {self.members}"


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
