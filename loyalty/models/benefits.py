"""What tiers and paid plans give: benefits in versions, what was granted, plans and purchases."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.membership import Tier
from shop.kernel.fields import CentsField
from shop.kernel.money import Cents
from shop.models.members import Member
from shop.models.named import Named
from shop.models.payments import PAYS_ONCE, Payment
from shop.models.stores import Store


class MembershipPlan(Named):
    """A membership that is paid for, such as a monthly card."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    price_cents = CentsField(_("price"))
    days = models.PositiveSmallIntegerField(_("days"))
    is_active = models.BooleanField(_("on offer"), default=True)

    class Meta:
        verbose_name = _("membership plan")
        verbose_name_plural = _("membership plans")
        constraints = [
            models.CheckConstraint(
                name="plan_costs_and_lasts", condition=Q(price_cents__gt=Cents(0), days__gte=1)
            )
        ]


class PlanPurchase(models.Model):
    """A period of a plan that a member paid for.

    Invariants:
        The standing periods of a member and plan follow each other without overlap: a renewal
        begins where the last one ends. At most one per source: a repeated call sells one.
        A refunded period ended when it was refunded; at most its price was given back.
    """

    plan = models.ForeignKey(
        MembershipPlan, models.PROTECT, related_name="purchases", verbose_name=_("plan")
    )
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="plan_purchases", verbose_name=_("member")
    )
    store = models.ForeignKey(
        Store, models.PROTECT, related_name="plan_purchases", verbose_name=_("store")
    )
    price_cents = CentsField(_("price"))
    method = models.CharField(_("method"), max_length=16, choices=Payment.Method)
    reference = models.CharField(_("receipt number"), max_length=64, blank=True, default="")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    source = models.CharField(_("source"), max_length=64, unique=True)
    actor = models.CharField(_("sold by"), max_length=64)
    bought_at = models.DateTimeField(_("bought"))
    refunded_at = models.DateTimeField(_("refunded"), null=True, blank=True)
    refunded_cents = CentsField(_("given back"), default=Cents(0))

    class Meta:
        verbose_name = _("paid membership")
        verbose_name_plural = _("paid memberships")
        constraints = [
            models.UniqueConstraint(
                name="plan_period_starts_once",
                fields=["member", "plan", "starts_at"],
                condition=Q(refunded_at=None),
            ),
            models.CheckConstraint(
                name="plan_period_is_one",
                condition=Q(ends_at__gt=F("starts_at"), refunded_cents__gte=Cents(0))
                & Q(refunded_cents__lte=F("price_cents")),
            ),
        ]
        indexes = [models.Index(name="plan_purchase_by_member", fields=["member", "ends_at"])]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.starts_at:%F}–{self.ends_at:%F}"


class PlanOrder(models.Model):
    """A plan that a member ordered on their phone, at the price that they saw."""

    number = models.CharField(_("number"), max_length=16, unique=True)
    plan = models.ForeignKey(
        MembershipPlan, models.PROTECT, related_name="orders", verbose_name=_("plan")
    )
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="plan_orders", verbose_name=_("member")
    )
    store = models.ForeignKey(Store, models.PROTECT, related_name="+", verbose_name=_("store"))
    price_cents = CentsField(_("price"))
    placed_at = models.DateTimeField(_("ordered"))

    class Meta:
        verbose_name = _("membership order")
        verbose_name_plural = _("membership orders")
        constraints = [
            models.CheckConstraint(name="plan_order_costs", condition=Q(price_cents__gt=Cents(0)))
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def source(self) -> str:
        """Return the name under which its period is sold."""
        return f"plan-order:{self.number}"


class PlanPayment(models.Model):
    """The money that a provider took for an order of a plan, and the period that it began.

    Invariants:
        One per order and per period. The provider's number pays for nothing else.
    """

    order = models.OneToOneField(
        PlanOrder,
        models.PROTECT,
        primary_key=True,
        related_name="payment",
        verbose_name=_("membership order"),
    )
    purchase = models.OneToOneField(
        PlanPurchase, models.PROTECT, related_name="payment", verbose_name=_("paid membership")
    )
    method = models.CharField(_("method"), max_length=16, choices=Payment.Method)
    amount_cents = CentsField(_("amount"))
    provider_ref = models.CharField(_("provider's number"), max_length=64)
    received_at = models.DateTimeField(_("received"))

    class Meta:
        verbose_name = _("membership payment")
        verbose_name_plural = _("membership payments")
        triggers = [PAYS_ONCE]

    def __str__(self) -> str:
        return f"{self.method} {self.provider_ref}"


class Benefit(Named):
    """Something that the members of a tier or of a plan have; what exactly, its versions say."""

    class Kind(models.TextChoices):
        COUPONS = "coupons", _("Coupons every month")
        BIRTHDAY = "birthday", _("Coupons for the birthday")
        POINTS_BOOST = "points_boost", _("More points")
        MEMBER_PRICE = "member_price", _("Member price")
        TEXT = "text", _("In words")

    code = models.SlugField(_("code"), max_length=32, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    tier = models.ForeignKey(
        Tier,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="benefit_rows",
        verbose_name=_("tier"),
    )
    plan = models.ForeignKey(
        MembershipPlan,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="benefits",
        verbose_name=_("plan"),
    )

    class Meta:
        verbose_name = _("benefit")
        verbose_name_plural = _("benefits")
        constraints = [
            models.CheckConstraint(
                name="benefit_of_a_tier_or_a_plan",
                condition=Q(tier__isnull=True) ^ Q(plan__isnull=True),
                violation_error_message=_("Name a tier or a plan, not both."),
            )
        ]


class BenefitVersion(models.Model):
    """What a benefit is from a month on, until a later version. Never changed: append another.

    Of several for one month the last counts. `quantity` and `coupon` are those of kinds that give
    coupons, `percent` that of more points, the texts those in words. A member price is
    `amount_cents` less for each piece of the products or categories; of none named, of all.
    """

    benefit = models.ForeignKey(
        Benefit, models.PROTECT, related_name="versions", verbose_name=_("benefit")
    )
    effective_month = models.DateField(_("from month"))
    is_active = models.BooleanField(_("given"), default=True)
    coupon = models.CharField(_("coupon definition"), max_length=32, blank=True, default="")
    quantity = models.PositiveSmallIntegerField(_("how many"), default=1)
    percent = models.PositiveSmallIntegerField(_("points at (%)"), default=100)
    text_zh = models.CharField(_("Chinese text"), max_length=200, blank=True, default="")
    text_en = models.CharField(_("English text"), max_length=200, blank=True, default="")
    amount_cents = CentsField(_("less for each"), default=Cents(0), db_default=Cents(0))
    products = ArrayField(
        models.CharField(max_length=32), verbose_name=_("products"), default=list, db_default=[]
    )
    categories = ArrayField(
        models.CharField(max_length=32), verbose_name=_("categories"), default=list, db_default=[]
    )
    actor = models.CharField(_("by"), max_length=64)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("benefit version")
        verbose_name_plural = _("benefit versions")
        constraints = [
            models.CheckConstraint(
                name="benefit_version_begins_a_month", condition=Q(effective_month__day=1)
            ),
            models.CheckConstraint(
                name="benefit_version_takes_nothing_more", condition=Q(amount_cents__gte=Cents(0))
            ),
        ]
        indexes = [
            models.Index(name="benefit_version_latest", fields=["benefit", "-effective_month"])
        ]
        triggers = [
            pgtrigger.Protect(
                name="benefit_version_append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.benefit_id} {self.effective_month:%Y-%m}"


class BenefitGrant(models.Model):
    """That a member was given a benefit for a month, or for a year's birthday; once each."""

    member = models.ForeignKey(
        Member, models.PROTECT, related_name="benefit_grants", verbose_name=_("member")
    )
    benefit = models.ForeignKey(
        Benefit, models.PROTECT, related_name="grants", verbose_name=_("benefit")
    )
    period = models.CharField(_("for"), max_length=7, help_text=_("A month, or a year."))
    granted_at = models.DateTimeField(_("given"))

    class Meta:
        verbose_name = _("benefit given")
        verbose_name_plural = _("benefits given")
        constraints = [
            models.UniqueConstraint(
                name="benefit_grant_once", fields=["benefit", "period", "member"]
            )
        ]
        indexes = [models.Index(name="benefit_grant_by_member", fields=["member"])]

    def __str__(self) -> str:
        return f"{self.member_id} {self.benefit_id} {self.period}"
