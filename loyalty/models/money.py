"""Stored value: money that guests paid in advance, in wallets and on gift cards, on one ledger."""

from uuid import uuid4

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shop.kernel.fields import CentsField
from shop.kernel.money import Cents
from shop.models.members import Member
from shop.models.named import Named
from shop.models.orders import Order
from shop.models.payments import PAYS_ONCE, Payment
from shop.models.staff import Till
from shop.models.stores import Store

PAYMENT_METHODS = [
    (method.value, method.label)
    for method in Payment.Method
    if method not in {"voucher", "none", "stored_value", "gift_card"}
]
"""How stored value itself is paid for: with real money only."""


class StoredValuePlan(Named):
    """What a guest pays and what comes on top of it: pay ¥100, get ¥10."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    pay_cents = CentsField(_("pays"))
    gift_cents = CentsField(_("gift"), default=Cents(0))
    gift_valid_days = models.PositiveSmallIntegerField(
        _("gift is valid for (days)"), null=True, blank=True, help_text=_("Empty: for ever.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("top-up plan")
        verbose_name_plural = _("top-up plans")
        constraints = [
            models.CheckConstraint(
                name="stored_value_plan_is_positive",
                condition=Q(pay_cents__gt=0, gift_cents__gte=0),
            ),
            models.CheckConstraint(
                name="stored_value_plan_gift_lives",
                condition=Q(gift_valid_days__isnull=True) | Q(gift_valid_days__gte=1),
            ),
        ]


class StoredValueSale(models.Model):
    """Money that a till took for a top-up or for a gift card; no order, and no turnover yet."""

    class Kind(models.TextChoices):
        TOP_UP = "top_up", _("Top-up")
        GIFT_CARD = "gift_card", _("Gift card")

    number = models.CharField(_("number"), max_length=24, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    store = models.ForeignKey(Store, models.PROTECT, related_name="+", verbose_name=_("store"))
    till = models.ForeignKey(
        Till, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("till")
    )
    member = models.ForeignKey(
        Member,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="stored_value_sales",
        verbose_name=_("member"),
    )
    plan = models.ForeignKey(
        StoredValuePlan,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="sales",
        verbose_name=_("top-up plan"),
    )
    paid_cents = CentsField(_("paid"))
    gift_cents = CentsField(_("gift"), default=Cents(0))
    actor = models.CharField(_("by"), max_length=64)
    sold_at = models.DateTimeField(_("sold"))

    class Meta:
        verbose_name = _("sale of stored value")
        verbose_name_plural = _("sales of stored value")
        constraints = [
            models.CheckConstraint(
                name="stored_value_sale_is_positive",
                condition=Q(paid_cents__gt=0, gift_cents__gte=0),
            ),
            models.CheckConstraint(
                name="stored_value_sale_top_up_has_member",
                condition=~Q(kind="top_up") | Q(member__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def source(self) -> str:
        """Return the name under which the ledger keeps what this sale caused."""
        return f"sale:{self.number}"


class StoredValuePayment(models.Model):
    """A tender of a sale of stored value. A provider's number pays once."""

    sale = models.ForeignKey(
        StoredValueSale, models.PROTECT, related_name="payments", verbose_name=_("sale")
    )
    method = models.CharField(_("method"), max_length=16, choices=PAYMENT_METHODS)
    amount_cents = CentsField(_("amount"))
    provider_ref = models.CharField(_("provider's number"), max_length=64, null=True, blank=True)

    class Meta:
        verbose_name = _("payment of stored value")
        verbose_name_plural = _("payments of stored value")
        constraints = [
            models.UniqueConstraint(
                name="stored_value_payment_once_per_ref", fields=["method", "provider_ref"]
            ),
            models.CheckConstraint(
                name="stored_value_payment_positive", condition=Q(amount_cents__gt=0)
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            PAYS_ONCE,
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.amount_cents}"


class GiftCard(models.Model):
    """A card that pays for whoever brings its code. The code is told once and kept as a hash."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        FROZEN = "frozen", _("Frozen")

    public_id = models.UUIDField(_("id"), default=uuid4, unique=True, editable=False)
    code_hash = models.BinaryField(_("code"), max_length=32, unique=True, editable=False)
    last4 = models.CharField(_("last four characters"), max_length=4)
    face_value_cents = CentsField(_("face value"))
    is_paid = models.BooleanField(
        _("paid for"), help_text=_("A card that was given away earns no points when it is spent.")
    )
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.ACTIVE)
    store = models.ForeignKey(
        Store,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("selling store"),
        help_text=_("Empty: issued by head office."),
    )
    sale = models.OneToOneField(
        StoredValueSale,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="card",
        verbose_name=_("sale of stored value"),
    )
    note = models.CharField(_("note"), max_length=80, blank=True, default="")
    actor = models.CharField(_("by"), max_length=64)
    issued_at = models.DateTimeField(_("issued"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)

    class Meta:
        verbose_name = _("gift card")
        verbose_name_plural = _("gift cards")
        constraints = [
            models.CheckConstraint(
                name="gift_card_value_positive", condition=Q(face_value_cents__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"…{self.last4}"


class MoneyAccount(models.Model):
    """Money of one kind in one place: a member's principal, one gift of theirs, or a card.

    Invariants:
        balance = Σ entries = the last entry's balance_after ≥ 0.
        A member has one account of principal; each gift has its own, with its own expiry.
    """

    class Kind(models.TextChoices):
        PRINCIPAL = "principal", _("Principal")
        GIFT = "gift", _("Gift money")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    member = models.ForeignKey(
        Member,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="money_accounts",
        verbose_name=_("member"),
    )
    card = models.OneToOneField(
        GiftCard,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="account",
        verbose_name=_("gift card"),
    )
    store = models.ForeignKey(
        Store, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("store")
    )
    balance_cents = CentsField(_("balance"), default=Cents(0))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)

    class Meta:
        verbose_name = _("money account")
        verbose_name_plural = _("money accounts")
        constraints = [
            models.UniqueConstraint(
                name="money_account_one_principal_per_member",
                fields=["member"],
                condition=Q(kind="principal"),
            ),
            models.CheckConstraint(
                name="money_account_has_one_holder",
                condition=Q(member__isnull=False, card__isnull=True)
                | Q(member__isnull=True, card__isnull=False),
            ),
            models.CheckConstraint(
                name="money_account_not_negative", condition=Q(balance_cents__gte=0)
            ),
            models.CheckConstraint(
                name="money_account_principal_never_expires",
                condition=~Q(kind="principal") | Q(expires_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                name="money_account_due",
                fields=["expires_at", "id"],
                condition=Q(balance_cents__gt=0, expires_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.balance_cents}"


class MoneyEntry(models.Model):
    """One immutable line of the money ledger. To correct an entry, add another.

    Invariants:
        balance_after = the previous entry's balance_after + cents ≥ 0, within an account.
        At most one entry per (account, kind, source): replaying a flow is harmless.
    """

    class Kind(models.TextChoices):
        TOP_UP = "top_up", _("Topped up")
        GIFT = "gift", _("Given with a top-up")
        ISSUE = "issue", _("Gift card issued")
        SPEND = "spend", _("Spent")
        GIVE_BACK = "give_back", _("Given back after a refund")
        CASH_OUT = "cash_out", _("Paid out")
        FORFEIT = "forfeit", _("Gift lost with a payout")
        EXPIRE = "expire", _("Expired")

    account = models.ForeignKey(
        MoneyAccount, models.PROTECT, related_name="entries", verbose_name=_("account")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    cents = CentsField(_("amount"), help_text=_("Positive adds to the balance."))
    balance_after_cents = CentsField(_("balance after"))
    source = models.CharField(_("source"), max_length=64)
    store = models.ForeignKey(
        Store,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("store"),
        help_text=_("Where it happened."),
    )
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="money_entries",
        verbose_name=_("order"),
    )
    note = models.CharField(_("note"), max_length=200, blank=True, default="")
    actor = models.CharField(_("by"), max_length=64, blank=True, default="")
    occurred_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("money entry")
        verbose_name_plural = _("money entries")
        constraints = [
            models.UniqueConstraint(
                name="money_entry_once_per_source", fields=["account", "kind", "source"]
            ),
            models.CheckConstraint(
                name="money_entry_sign_matches_kind",
                condition=Q(kind__in=["top_up", "gift", "issue", "give_back"], cents__gt=0)
                | Q(kind__in=["spend", "cash_out", "forfeit", "expire"], cents__lt=0),
            ),
            models.CheckConstraint(
                name="money_entry_balance_not_negative", condition=Q(balance_after_cents__gte=0)
            ),
        ]
        indexes = [
            models.Index(name="money_entry_history", fields=["account", "-id"]),
            models.Index(name="money_entry_by_store", fields=["store", "occurred_at"]),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="no_truncate",
                operation=pgtrigger.Truncate,
                when=pgtrigger.Before,
                level=pgtrigger.Statement,
                func="RAISE EXCEPTION 'the money ledger is append-only';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cents:+d} {self.get_kind_display()} {self.source}"


class PayCode(models.Model):
    """The code on a member's phone by which the wallet pays: hashed, short-lived, used once."""

    member = models.OneToOneField(
        Member, models.CASCADE, primary_key=True, related_name="pay_code", verbose_name=_("member")
    )
    code_hash = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"until {self.expires_at:%F %T}"
