"""Rewards: what points buy."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.membership import Tier
from loyalty.models.points import PointsAccount, PointsHold
from shop.kernel.fields import CentsField, PointsField
from shop.kernel.money import Cents, Points
from shop.models.members import Member
from shop.models.named import Named
from shop.models.orders import Order
from shop.models.stores import Store

PAID_WITH = (PointsAccount.Wallet.POINTS, PointsAccount.Wallet.STAMPS)


class Reward(Named):
    """A drink or a topping up to a value, a coupon or goods, to be had for points or stamps.

    A drink or a topping is used on an order, a coupon goes into the wallet at once, and goods are
    handed out at the counter for their code.
    """

    class Kind(models.TextChoices):
        DRINK = "drink", _("Free drink")
        TOPPING = "topping", _("Free topping")
        COUPON = "coupon", _("Coupon")
        GOODS = "goods", _("Goods")

    code = models.SlugField(_("code"), max_length=32, unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.DRINK)
    wallet = models.CharField(
        _("paid with"),
        max_length=16,
        choices=[(w.value, w.label) for w in PAID_WITH],
        default=PointsAccount.Wallet.POINTS,
        db_default=PointsAccount.Wallet.POINTS,
    )
    cost_points = PointsField(_("costs"), help_text=_("Points or stamps."))
    max_value_cents = CentsField(
        _("worth up to"), default=Cents(0), help_text=_("Of a drink or a topping.")
    )
    coupon = models.SlugField(
        _("coupon"),
        max_length=40,
        blank=True,
        default="",
        help_text=_("The code of the coupon definition that it gives."),
    )
    starts_at = models.DateTimeField(_("on offer from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("on offer until"), null=True, blank=True)
    min_tier = models.ForeignKey(
        Tier,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="rewards",
        verbose_name=_("from tier"),
    )
    limit_per_member = models.PositiveSmallIntegerField(
        _("per member at most"), null=True, blank=True
    )
    stock = models.PositiveIntegerField(_("stock"), null=True, blank=True)
    valid_days = models.PositiveSmallIntegerField(_("to be used within days"), default=30)
    is_active = models.BooleanField(_("on offer"), default=True)

    class Meta:
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        constraints = [
            models.CheckConstraint(
                name="reward_costs_something",
                condition=Q(cost_points__gt=Points(0)),
            ),
            models.CheckConstraint(
                name="reward_is_of_its_kind",
                condition=Q(kind__in=["drink", "topping"], max_value_cents__gt=Cents(0), coupon="")
                | (Q(kind="coupon") & ~Q(coupon=""))
                | Q(kind="goods", coupon=""),
            ),
            models.CheckConstraint(
                name="reward_stock_not_negative",
                condition=Q(stock__isnull=True) | Q(stock__gte=0),
            ),
            models.CheckConstraint(
                name="reward_ends_after_it_starts",
                condition=Q(starts_at__isnull=True)
                | Q(ends_at__isnull=True)
                | Q(ends_at__gt=F("starts_at")),
            ),
        ]


class RewardRedemption(models.Model):
    """A reward a member took, with the code that the till checks.

    Invariants:
        issued (points held) → used on one order or handed out (points spent), or returned /
        expired (points freed); used → returned by staff with a reason, or with a refunded order.
        `slot` counts what a limit per member allows: a number per reward and member, free again
        with what was returned or has expired.
    """

    class Status(models.TextChoices):
        ISSUED = "issued", _("To be used")
        USED = "used", _("Was used")
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
    wallet = models.CharField(
        _("paid with"),
        max_length=16,
        choices=[(w.value, w.label) for w in PAID_WITH],
        default=PointsAccount.Wallet.POINTS,
        db_default=PointsAccount.Wallet.POINTS,
    )
    points = PointsField(_("points or stamps"))
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
    slot = models.PositiveSmallIntegerField(_("which of the member's"), null=True, blank=True)
    store = models.ForeignKey(
        Store,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="handed_out_rewards",
        verbose_name=_("handed out in"),
    )
    handed_out_by = models.CharField(_("handed out by"), max_length=64, blank=True, default="")
    coupon_code = models.CharField(_("coupon given"), max_length=40, blank=True, default="")
    refunded_by = models.CharField(_("refunded by"), max_length=64, blank=True, default="")
    refund_reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    issued_at = models.DateTimeField(_("taken"))
    expires_at = models.DateTimeField(_("to be used by"))
    resolved_at = models.DateTimeField(_("used or returned"), null=True, blank=True)

    class Meta:
        verbose_name = _("reward redemption")
        verbose_name_plural = _("reward redemptions")
        constraints = [
            models.CheckConstraint(
                name="reward_redemption_used_on_an_order",
                condition=~Q(status="used") | Q(order__isnull=False) | ~Q(handed_out_by=""),
            ),
            models.UniqueConstraint(
                name="reward_redemption_slot_once", fields=["reward", "member", "slot"]
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def source(self) -> str:
        """Return the name under which its points stand in the ledger."""
        return f"reward:{self.code}"
