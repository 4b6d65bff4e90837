"""Rules by which points are earned beside the base rate, what they gave, and events."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shop.kernel.fields import OptionalCentsField, PointsField
from shop.models.members import Member
from shop.models.named import Named
from shop.models.orders import Order
from shop.models.stores import Store

BASE_PERCENT = 100
ISO_WEEKDAYS = set(range(1, 8))


def _codes() -> models.CharField[str, str]:
    return models.CharField(max_length=40)


class EarningRule(Named):
    """One rule of the programme, beside the base rate: what gives points, to whom, when.

    Empty tiers, stores, products and categories mean all of them; a product counts if it or its
    category is named. Caps count what the rule itself gives, before boosts multiply it.
    """

    class Kind(models.TextChoices):
        SPEND = "spend", _("Points for every yuan paid")
        VISIT = "visit", _("Points for an order")
        ITEM = "item", _("Points for every item")
        BOOST = "boost", _("Multiplies the points of an order")
        STAMP = "stamp", _("Stamps for every item")
        EVENT = "event", _("Points for something else than buying")

    class Event(models.TextChoices):
        CHECK_IN = "check_in", _("Check-in")
        REVIEW = "review", _("Review")
        REFERRAL = "referral", _("Referral")
        BIRTHDAY = "birthday", _("Birthday")
        PROFILE = "profile", _("Profile completed")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    kind = models.CharField(_("gives"), max_length=8, choices=Kind)
    event = models.CharField(_("event"), max_length=12, choices=Event, blank=True, default="")
    points = models.DecimalField(
        _("points"),
        max_digits=8,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("For each yuan, order, item or event; a part of a point is never given."),
    )
    percent = models.PositiveSmallIntegerField(
        _("boost (%)"),
        default=100,
        validators=[MinValueValidator(100), MaxValueValidator(1000)],
        help_text=_("200 doubles the points."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_stackable = models.BooleanField(
        _("counts beside others"),
        default=True,
        help_text=_(
            "Otherwise it counts alone: a boost instead of other boosts, anything else instead of"
            " the base rate and every other rule. The highest priority wins."
        ),
    )
    priority = models.SmallIntegerField(_("priority"), default=0)
    starts_at = models.DateTimeField(_("counts from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("counts until"), null=True, blank=True)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(), default=list, blank=True, verbose_name=_("weekdays")
    )
    from_time = models.TimeField(_("from (time of day)"), null=True, blank=True)
    until_time = models.TimeField(_("until (time of day)"), null=True, blank=True)
    tiers = ArrayField(_codes(), default=list, blank=True, verbose_name=_("tiers"))
    stores = ArrayField(_codes(), default=list, blank=True, verbose_name=_("stores"))
    products = ArrayField(_codes(), default=list, blank=True, verbose_name=_("products"))
    categories = ArrayField(_codes(), default=list, blank=True, verbose_name=_("categories"))
    min_order_cents = OptionalCentsField(_("order of at least"), null=True, blank=True)
    max_points_per_order = models.PositiveIntegerField(
        _("points per order at most"), null=True, blank=True
    )
    max_points_per_day = models.PositiveIntegerField(
        _("points per member and day at most"), null=True, blank=True
    )
    max_points_per_member = models.PositiveIntegerField(
        _("points per member at most"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("earning rule")
        verbose_name_plural = _("earning rules")
        constraints = [
            models.CheckConstraint(
                name="earning_rule_gives_something",
                condition=Q(kind="boost", percent__gt=100, points=0)
                | (~Q(kind="boost") & Q(points__gt=0, percent=100)),
            ),
            models.CheckConstraint(
                name="earning_rule_names_its_event",
                condition=(Q(kind="event") & ~Q(event="")) | (~Q(kind="event") & Q(event="")),
            ),
            models.CheckConstraint(
                name="earning_rule_hours_are_whole",
                condition=Q(from_time__isnull=True, until_time__isnull=True)
                | (
                    Q(from_time__isnull=False, until_time__isnull=False)
                    & ~Q(from_time=F("until_time"))
                ),
            ),
            models.CheckConstraint(
                name="earning_rule_ends_after_it_starts",
                condition=Q(starts_at__isnull=True)
                | Q(ends_at__isnull=True)
                | Q(ends_at__gt=F("starts_at")),
            ),
        ]

    def clean(self) -> None:
        """Ask for what this kind of rule needs, and for periods that can come."""
        wrong = self._wrong_amounts() | self._wrong_times()
        if self.kind == self.Kind.EVENT and not self.event:
            wrong["event"] = _("This rule needs a value here.")
        if self.kind != self.Kind.EVENT and self.event:
            wrong["event"] = _("Only a rule for events says this.")
        if wrong:
            raise ValidationError(wrong)

    def _wrong_amounts(self) -> dict[str, Any]:
        wrong = {}
        if self.kind == self.Kind.BOOST:
            if self.percent <= BASE_PERCENT:
                wrong["percent"] = _("A boost is more than 100 %.")
            if self.points:
                wrong["points"] = _("A boost has none.")
        else:
            if self.percent != BASE_PERCENT:
                wrong["percent"] = _("Only a boost says this.")
            if not self.points:
                wrong["points"] = _("This rule needs a value here.")
            if self.kind == self.Kind.STAMP and self.points % 1:
                wrong["points"] = _("Stamps are whole.")
        return wrong

    def _wrong_times(self) -> dict[str, Any]:
        wrong = {}
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            wrong["ends_at"] = _("This must be after the beginning.")
        is_half = (self.from_time is None) != (self.until_time is None)
        if is_half or (self.from_time is not None and self.from_time == self.until_time):
            wrong["until_time"] = _("Give both times, different ones, or none.")
        if not set(self.weekdays) <= ISO_WEEKDAYS:
            wrong["weekdays"] = _("Weekdays are 1 (Monday) to 7 (Sunday).")
        return wrong


class EarningGain(models.Model):
    """What a rule gave a member for one order or event: what it costs, and what caps count.

    Invariants:
        Once per (rule, source). Points of a boost are what it added.
        `returned_at` marks an order that was never paid; a refund gives no room back.
    """

    rule = models.ForeignKey(
        EarningRule, models.PROTECT, related_name="gains", verbose_name=_("earning rule")
    )
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="earning_gains", verbose_name=_("member")
    )
    source = models.CharField(_("source"), max_length=64)
    points = PointsField(_("points"))
    business_date = models.DateField(_("business day"))
    given_at = models.DateTimeField(_("at"))
    returned_at = models.DateTimeField(_("returned"), null=True, blank=True)

    class Meta:
        verbose_name = _("points by rule")
        verbose_name_plural = _("points by rule")
        constraints = [
            models.UniqueConstraint(name="earning_gain_once_per_source", fields=["rule", "source"]),
            models.CheckConstraint(name="earning_gain_positive", condition=Q(points__gt=0)),
        ]
        indexes = [
            models.Index(name="earning_gain_by_member", fields=["member", "rule", "business_date"]),
            models.Index(name="earning_gain_by_source", fields=["source"]),
        ]

    def __str__(self) -> str:
        return f"{self.points} {self.source}"


class EarningEvent(models.Model):
    """Something a member did beside buying, and the points it earned; nothing if no rule gives any.

    Invariants:
        Once per (member, event, key): the key names the review, the day, the friend.
    """

    member = models.ForeignKey(
        Member, models.PROTECT, related_name="earning_events", verbose_name=_("member")
    )
    event = models.CharField(_("event"), max_length=12, choices=EarningRule.Event)
    key = models.CharField(_("key"), max_length=64)
    store = models.ForeignKey(
        Store, models.PROTECT, related_name="earning_events", verbose_name=_("store")
    )
    points = PointsField(_("points"))
    actor = models.CharField(_("by"), max_length=64, blank=True, default="")
    occurred_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("earning event")
        verbose_name_plural = _("earning events")
        constraints = [
            models.UniqueConstraint(
                name="earning_event_once_per_key", fields=["member", "event", "key"]
            ),
            models.CheckConstraint(name="earning_event_not_negative", condition=Q(points__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.key}"

    @property
    def source(self) -> str:
        """Return the name under which its points stand in the ledger."""
        return f"event:{self.pk}"


class ReceiptClaim(models.Model):
    """A guest's order that became a member's afterwards, for its points; once per order."""

    order = models.OneToOneField(
        Order,
        models.PROTECT,
        primary_key=True,
        related_name="receipt_claim",
        verbose_name=_("order"),
    )
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="receipt_claims", verbose_name=_("member")
    )
    points = PointsField(_("points"), help_text=_("Without those of what was refunded before."))
    actor = models.CharField(_("by"), max_length=64)
    claimed_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("claimed receipt")
        verbose_name_plural = _("claimed receipts")

    def __str__(self) -> str:
        return f"{self.member_id} {self.points}"
