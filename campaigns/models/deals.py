"""What opinion leaders do for us, what they get for it, and their visits to our shops."""

from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campaigns.models.channels import Campaign, Channel, ChannelLink
from campaigns.models.coupons import CouponDefinition
from campaigns.models.partners import WHOLE, Partner
from shop.kernel.fields import CentsField, OptionalCentsField
from shop.kernel.money import Cents
from shop.models.orders import Order
from shop.models.stores import Store

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

DEAL = pgettext_lazy("with a partner", "deal")
"""Not the deals that platforms sell vouchers of."""


class KolDeal(models.Model):
    """What a partner gets for bringing people: a fee, and a part of the net sales they bring.

    Sales count that were paid on the days of the deal and have the credit of one of its links, or
    used one of its coupons. Both days included.

    Invariants:
        draft → active → ended, or draft → cancelled; terms change while it is a draft only.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        ENDED = "ended", _("Ended")
        CANCELLED = "cancelled", _("Cancelled")

    class FeeTerms(models.TextChoices):
        ONCE = "once", _("Once, with the first statement")
        MONTHLY = "monthly", _("Every month of the deal")

    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="deals", verbose_name=_("partner")
    )
    label = models.CharField(_("label"), max_length=80)
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="deals", verbose_name=_("channel")
    )
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="deals",
        verbose_name=_("campaign"),
    )
    fee_cents = CentsField(_("fee"), default=Cents(0))
    fee_terms = models.CharField(
        _("the fee is due"), max_length=8, choices=FeeTerms, default=FeeTerms.ONCE
    )
    commission = models.PositiveIntegerField(
        _("commission"), default=0, help_text=_("Of net sales, in basis points: 800 is 8 %.")
    )
    starts_on = models.DateField(_("first day"))
    last_on = models.DateField(_("last day"))
    status = models.CharField(
        _("status"), max_length=9, choices=Status, default=Status.DRAFT, editable=False
    )

    if TYPE_CHECKING:
        deal_links: RelatedManager["DealLink"]
        deal_coupons: RelatedManager["DealCoupon"]
        statements: RelatedManager["DealStatement"]

    class Meta:
        verbose_name = DEAL
        verbose_name_plural = _("deals")
        constraints = [
            models.CheckConstraint(
                name="deal_ends_after_start", condition=Q(last_on__gte=F("starts_on"))
            ),
            models.CheckConstraint(
                name="deal_terms_make_sense",
                condition=Q(fee_cents__gte=0, commission__lte=WHOLE),
            ),
        ]

    def __str__(self) -> str:
        return self.label


class DealLink(models.Model):
    """A link by which a deal brings people; a link is one deal's only."""

    deal = models.ForeignKey(KolDeal, models.CASCADE, related_name="deal_links", verbose_name=DEAL)
    link = models.OneToOneField(
        ChannelLink, models.PROTECT, related_name="deal_link", verbose_name=_("link")
    )

    class Meta:
        verbose_name = _("link of a deal")
        verbose_name_plural = _("links of deals")

    def __str__(self) -> str:
        return str(self.link)


class DealCoupon(models.Model):
    """A coupon by whose use sales are a deal's; a definition is one deal's only."""

    deal = models.ForeignKey(
        KolDeal, models.CASCADE, related_name="deal_coupons", verbose_name=DEAL
    )
    definition = models.OneToOneField(
        CouponDefinition, models.PROTECT, related_name="deal_coupon", verbose_name=_("coupon")
    )

    class Meta:
        verbose_name = _("coupon of a deal")
        verbose_name_plural = _("coupons of deals")

    def __str__(self) -> str:
        return str(self.definition)


class DealStatement(models.Model):
    """What a deal owes for a month; frozen once a second person has approved it.

    Invariants:
        One per deal and month. Draft → approved → paid, by guarded updates; who approves has not
        drafted it. Sales and corrections are the sums of the lines; total = fee + commission.
        Commission is of sales and corrections together, rounded half away from zero.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        APPROVED = "approved", _("Approved")
        PAID = "paid", _("Paid")

    deal = models.ForeignKey(KolDeal, models.PROTECT, related_name="statements", verbose_name=DEAL)
    month = models.DateField(_("month"), help_text=_("Its first day."))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.DRAFT)
    orders = models.PositiveIntegerField(_("orders"), default=0)
    sales_cents = CentsField(_("net sales"), default=Cents(0))
    corrections_cents = CentsField(
        _("corrections"), default=Cents(0), help_text=_("Refunds of orders in earlier statements.")
    )
    fee_cents = CentsField(_("fee"), default=Cents(0))
    commission_cents = CentsField(_("commission"), default=Cents(0))
    total_cents = CentsField(_("total"), default=Cents(0))
    drafted_by = models.CharField(_("drafted by"), max_length=64)
    drafted_at = models.DateTimeField(_("drafted"))
    approved_by = models.CharField(_("approved by"), max_length=64, blank=True, default="")
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    paid_by = models.CharField(_("payment noted by"), max_length=64, blank=True, default="")
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    payment_reference = models.CharField(
        _("payment reference"), max_length=64, blank=True, default=""
    )

    if TYPE_CHECKING:
        lines: RelatedManager["StatementLine"]

    class Meta:
        verbose_name = _("statement of a deal")
        verbose_name_plural = _("statements of deals")
        permissions = [("approve_dealstatement", "Can approve statements of deals")]
        constraints = [
            models.UniqueConstraint(name="deal_statement_once_a_month", fields=["deal", "month"]),
            models.CheckConstraint(
                name="deal_statement_adds_up",
                condition=Q(total_cents=F("fee_cents") + F("commission_cents")),
            ),
            models.CheckConstraint(
                name="deal_statement_approved_by_another",
                condition=Q(state="draft", approved_at=None)
                | Q(approved_at__isnull=False) & ~Q(approved_by=F("drafted_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deal} {self.month:%Y-%m}"

    @property
    def lines_in_order(self) -> "models.QuerySet[StatementLine]":
        """Return the lines as they are read: orders, then corrections, by day."""
        rows = self.lines.select_related("order__store")
        return rows.order_by("-kind", "order__business_date", "order_id")


class StatementLine(models.Model):
    """An order in a statement, or what was given back since of one in an earlier statement.

    Invariants:
        An order is in one statement, of one deal, for ever; a correction takes away.
    """

    class Kind(models.TextChoices):
        ORDER = "order", _("Order")
        CORRECTION = "correction", _("Correction")

    statement = models.ForeignKey(
        DealStatement, models.CASCADE, related_name="lines", verbose_name=_("statement of a deal")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="statement_lines", verbose_name=_("order")
    )
    net_cents = CentsField(_("net"))

    class Meta:
        verbose_name = _("line of a statement")
        verbose_name_plural = _("lines of statements")
        constraints = [
            models.UniqueConstraint(
                name="statement_line_order_once", fields=["order"], condition=Q(kind="order")
            ),
            models.UniqueConstraint(
                name="statement_line_correction_once",
                fields=["statement", "order"],
                condition=Q(kind="correction"),
            ),
            models.CheckConstraint(
                name="statement_line_sign_matches_kind",
                condition=Q(kind="order", net_cents__gt=0) | Q(kind="correction", net_cents__lt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.order_id} {self.net_cents:+d}"


class KolVisit(models.Model):
    """A visit of an opinion leader to a store, to tell of it; the drinks are on the house.

    Invariants:
        At most one order, which is on the house and this visit's only; written once.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid4, editable=False)
    deal = models.ForeignKey(KolDeal, models.PROTECT, related_name="visits", verbose_name=DEAL)
    store = models.ForeignKey(
        Store, models.PROTECT, related_name="kol_visits", verbose_name=_("store")
    )
    visit_date = models.DateField(_("visits on"))
    content_url = models.CharField(
        _("what was told"), max_length=300, blank=True, default="", help_text=_("Its address.")
    )
    limit_cents = OptionalCentsField(
        _("at most"), null=True, blank=True, help_text=_("What the drinks may cost on the menu.")
    )
    order = models.OneToOneField(
        Order,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="kol_visit",
        verbose_name=_("order"),
    )

    class Meta:
        verbose_name = _("visit of an opinion leader")
        verbose_name_plural = _("visits of opinion leaders")

    def __str__(self) -> str:
        return f"{self.deal} {self.visit_date}"
