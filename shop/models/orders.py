"""Orders: their lines, what took something off, and how they went on."""

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shop.kernel.fields import CentsField, PointsField
from shop.kernel.money import Cents, Points
from shop.models.catalog import OrderType, Product
from shop.models.members import Member
from shop.models.staff import Till
from shop.models.stores import Store

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from shop.models.payments import Payment
    from shop.models.refunds import Refund


class Order(models.Model):
    """A basket that was priced and placed.

    Invariants:
        payable = subtotal − discount ≥ 0; refunded ≤ paid ≤ payable.
        A pickup number is given when the order is paid: per store and business day, from 1, without
        gaps.
        The same (store, pos_order_no) is the same order, however often a till sends it.
        On the house, it costs nothing and is nobody's: so it gives no points, counts for no tier,
        credits no channel and uses no coupon. Reports of sales leave it out.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting for payment")
        PAID = "paid", _("Paid")
        MAKING = "making", _("Being made")
        READY = "ready", _("Ready for pickup")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")
        REFUNDED = "refunded", _("Refunded")

    number = models.CharField(_("number"), max_length=24, unique=True)
    store = models.ForeignKey(Store, models.PROTECT, related_name="orders", verbose_name=_("store"))
    till = models.ForeignKey(
        Till,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
        verbose_name=_("till"),
    )
    member = models.ForeignKey(
        Member,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
        verbose_name=_("member"),
    )
    pos_order_no = models.CharField(_("till's own number"), max_length=64, null=True, blank=True)
    order_type = models.CharField(_("type"), max_length=16, choices=OrderType)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.PENDING)
    subtotal_cents = CentsField(_("subtotal"))
    discount_cents = CentsField(_("discount"), default=Cents(0))
    payable_cents = CentsField(_("payable"))
    paid_cents = CentsField(_("paid"), default=Cents(0))
    refunded_cents = CentsField(_("refunded"), default=Cents(0))
    earning_cents = CentsField(
        _("earning part"),
        default=Cents(0),
        help_text=_("The part of the payable amount that earns points."),
    )
    points_spent = models.BigIntegerField(_("points spent"), default=0)
    coupon_codes = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, verbose_name=_("coupons")
    )
    reward_code = models.CharField(_("reward code"), max_length=40, blank=True, default="")
    boost_points = PointsField(
        _("points on top"), default=Points(0), help_text=_("From offers, beside those of the bill.")
    )
    stamps = PointsField(_("stamps"), default=Points(0), db_default=Points(0))
    coupon_gifts = models.JSONField(
        _("coupons to come"), default=dict, blank=True, help_text=_("Issued once it is paid.")
    )
    pricing_trace = models.JSONField(_("why it cost that"), default=dict, blank=True)
    is_complimentary = models.BooleanField(
        _("on the house"),
        default=False,
        db_default=False,
        help_text=_("A cost of whoever was invited: no sale, and nobody's order."),
    )
    business_date = models.DateField(_("business day"))
    pickup_number = models.PositiveIntegerField(_("pickup number"), null=True, blank=True)
    placed_at = models.DateTimeField(_("placed"))
    expires_at = models.DateTimeField(_("to be paid by"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    making_at = models.DateTimeField(_("making since"), null=True, blank=True)
    ready_at = models.DateTimeField(_("ready at"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed at"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)

    if TYPE_CHECKING:
        lines: RelatedManager["OrderLine"]
        payments: RelatedManager["Payment"]
        refunds: RelatedManager["Refund"]

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(
                name="order_once_per_pos_order_no", fields=["store", "pos_order_no"]
            ),
            models.UniqueConstraint(
                name="order_pickup_number_once_a_day",
                fields=["store", "business_date", "pickup_number"],
            ),
            models.CheckConstraint(
                name="order_adds_up",
                condition=Q(payable_cents=F("subtotal_cents") - F("discount_cents"))
                & Q(discount_cents__gte=0, payable_cents__gte=0),
            ),
            models.CheckConstraint(
                name="order_refunds_within_payment",
                condition=Q(refunded_cents__gte=0, refunded_cents__lte=F("paid_cents"))
                & Q(paid_cents__lte=F("payable_cents")),
            ),
            models.CheckConstraint(
                name="order_on_the_house_is_free_and_nobodys",
                condition=Q(is_complimentary=False)
                | Q(payable_cents=0, member=None, points_spent=0, coupon_codes=[], reward_code=""),
            ),
        ]
        indexes = [
            models.Index(name="order_by_store_and_day", fields=["store", "-business_date"]),
            models.Index(name="order_by_member", fields=["member", "paid_at"]),
            models.Index(name="order_unpaid", fields=["expires_at"], condition=Q(status="pending")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def net_cents(self) -> Cents:
        """Return what was paid and not given back."""
        return Cents(self.paid_cents - self.refunded_cents)

    @property
    def source(self) -> str:
        """Return the name under which everything this order causes is recorded."""
        return f"order:{self.number}"

    @property
    def pickup_code(self) -> str:
        """Return what is called out at the counter, such as “A017”; empty before payment."""
        if self.pickup_number is None:
            return ""
        return f"{self.store.pickup_prefix}{self.pickup_number:03d}"


class OrderLine(models.Model):
    """One product of an order, as it was on the menu at that moment.

    Invariants:
        subtotal = unit price × quantity; net = subtotal − discount ≥ 0; refunds never exceed them.
    """

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", verbose_name=_("order"))
    position = models.PositiveSmallIntegerField(_("position"))
    product = models.ForeignKey(
        Product, models.PROTECT, related_name="+", verbose_name=_("product")
    )
    sku = models.CharField(_("article"), max_length=64)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80)
    options = models.JSONField(_("options"), default=dict)
    quantity = models.PositiveIntegerField(_("quantity"))
    unit_price_cents = CentsField(_("unit price"))
    unit_cost_cents = CentsField(_("unit cost"))
    subtotal_cents = CentsField(_("subtotal"))
    discount_cents = CentsField(_("discount"), default=Cents(0))
    net_cents = CentsField(_("net"))
    earns_points = models.BooleanField(_("earns points"), default=True)
    is_gift = models.BooleanField(_("gift of an offer"), default=False)
    refunded_quantity = models.PositiveIntegerField(_("refunded pieces"), default=0)
    refunded_cents = CentsField(_("refunded"), default=Cents(0))
    kept_back_cents = CentsField(
        _("kept back"),
        default=Cents(0),
        db_default=Cents(0),
        help_text=_("Of pieces returned, because the rest lost a discount; zero when all is back."),
    )

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.UniqueConstraint(name="order_line_position_once", fields=["order", "position"]),
            models.CheckConstraint(
                name="order_line_adds_up",
                condition=Q(subtotal_cents=F("unit_price_cents") * F("quantity"))
                & Q(net_cents=F("subtotal_cents") - F("discount_cents"))
                & Q(discount_cents__gte=0, net_cents__gte=0, quantity__gte=1),
            ),
            models.CheckConstraint(
                name="order_line_refunds_within_sale",
                condition=Q(refunded_quantity__lte=F("quantity"))
                & Q(refunded_cents__gte=0, refunded_cents__lte=F("net_cents")),
            ),
            models.CheckConstraint(
                name="order_line_keeps_back_what_is_left",
                condition=Q(kept_back_cents__gte=0)
                & Q(kept_back_cents__lte=F("net_cents") - F("refunded_cents")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name_en}"


class OrderDiscount(models.Model):
    """The part of one discount that fell on one line; frozen at the sale."""

    class Kind(models.TextChoices):
        COUPON = "coupon", _("Coupon")
        REWARD = "reward", _("Reward")
        POINTS = "points", _("Points")
        PROMOTION = "promotion", _("Promotion")
        VOUCHER = "voucher", _("Group-buy voucher")
        HOUSE = "house", _("On the house")
        MEMBER_PRICE = "member_price", _("Member price")

    line = models.ForeignKey(
        OrderLine, models.CASCADE, related_name="discounts", verbose_name=_("order line")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    code = models.CharField(_("code"), max_length=40, blank=True, default="")
    amount_cents = CentsField(_("amount"))

    class Meta:
        verbose_name = _("line discount")
        verbose_name_plural = _("line discounts")
        constraints = [
            models.UniqueConstraint(
                name="order_discount_once_per_line", fields=["line", "kind", "code"]
            ),
            models.CheckConstraint(name="order_discount_positive", condition=Q(amount_cents__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.code} −{self.amount_cents}"


class OrderEvent(models.Model):
    """One step of an order's life: what it became, when, by whom."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="events", verbose_name=_("order"))
    status = models.CharField(_("became"), max_length=16, choices=Order.Status)
    actor = models.CharField(_("by"), max_length=64)
    occurred_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("order event")
        verbose_name_plural = _("order events")

    def __str__(self) -> str:
        return f"{self.status} {self.occurred_at:%F %T}"


class PickupCounter(models.Model):
    """The last pickup number of a store's business day; its row lock orders the counter."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="+")
    business_date = models.DateField()
    last_number = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="pickup_counter_once_a_day", fields=["store", "business_date"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.business_date}: {self.last_number}"
