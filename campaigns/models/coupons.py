"""Coupons: the definition a manager writes, and the code in a wallet."""

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.offers import OfferTerms
from shop.kernel.fields import CentsField
from shop.kernel.money import Cents
from shop.models.members import Member
from shop.models.orders import Order

FIXED_TERMS = ("rule", "partial_return", "after_refund", "is_transferable")
"""The columns of a definition that are what its coupons are: fixed once one is issued."""


class CouponDefinition(OfferTerms):
    """What a coupon gives, to whom, how often and how long.

    Invariants:
        redeemed ≤ issued ≤ total limit; spent ≤ budget. The counters move only by guarded updates.
        What a coupon gives is fixed once one is out: FIXED_TERMS never change in people's hands.
        With buckets, `issued_count` is what was issued before there were any: see campaigns.caps.
    """

    class AfterRefund(models.TextChoices):
        REUSABLE = "reusable", _("Usable again")
        IF_NOT_EXPIRED = "if_not_expired", _("Usable again unless expired")
        NEVER = "never", _("Used up")

    is_claimable = models.BooleanField(_("members may claim it"), default=False)
    is_welcome_gift = models.BooleanField(_("given to every new member"), default=False)
    claim_starts_at = models.DateTimeField(_("issued from"), null=True, blank=True)
    claim_ends_at = models.DateTimeField(_("issued until"), null=True, blank=True)
    valid_days = models.PositiveSmallIntegerField(
        _("valid for days"),
        null=True,
        blank=True,
        help_text=_(
            "Full days after the day of issue, to local midnight; if it is usable only later, from"
            " then on."
        ),
    )
    valid_from = models.DateTimeField(
        _("usable from"), null=True, blank=True, help_text=_("Without it: as soon as it is issued.")
    )
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    total_limit = models.PositiveIntegerField(_("at most in all"), null=True, blank=True)
    per_member_limit = models.PositiveSmallIntegerField(_("at most per member"), default=1)
    is_for_guests = models.BooleanField(
        _("guests may use its codes"),
        default=False,
        help_text=_("A printed code is worth the discount at the till, member or not."),
    )
    claim_buckets = models.PositiveSmallIntegerField(
        _("buckets"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(64)],
        help_text=_("More than one for a rush: claims then do not wait for each other."),
    )
    after_refund = models.CharField(
        _("after a full refund"),
        max_length=16,
        choices=AfterRefund,
        default=AfterRefund.IF_NOT_EXPIRED,
    )
    is_transferable = models.BooleanField(_("may be given to a friend"), default=False)
    issued_count = models.PositiveIntegerField(_("issued"), default=0, editable=False)
    redeemed_count = models.PositiveIntegerField(_("redeemed"), default=0, editable=False)
    spent_cents = CentsField(_("discount given"), default=Cents(0), editable=False)

    class Meta:
        verbose_name = _("coupon definition")
        verbose_name_plural = _("coupon definitions")
        constraints = [
            *OfferTerms.Meta.constraints,
            models.CheckConstraint(
                name="coupon_definition_issue_within_limit",
                condition=Q(total_limit__isnull=True) | Q(issued_count__lte=F("total_limit")),
            ),
            models.CheckConstraint(
                name="coupon_definition_budget_kept",
                condition=Q(spent_cents__gte=0)
                & (Q(budget_cents__isnull=True) | Q(spent_cents__lte=F("budget_cents"))),
            ),
            models.CheckConstraint(
                name="coupon_definition_has_a_bucket", condition=Q(claim_buckets__gte=1)
            ),
            models.CheckConstraint(
                name="coupon_definition_has_an_end",
                condition=Q(valid_days__isnull=False) | Q(valid_until__isnull=False),
            ),
            models.CheckConstraint(
                name="coupon_definition_ends_after_it_starts",
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gt=F("valid_from")),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="terms_fixed_once_issued",
                operation=pgtrigger.UpdateOf(*FIXED_TERMS),  # type: ignore[no-untyped-call]
                when=pgtrigger.Before,
                func="""
                    IF ROW(NEW.rule, NEW.partial_return, NEW.after_refund, NEW.is_transferable)
                       IS DISTINCT FROM
                       ROW(OLD.rule, OLD.partial_return, OLD.after_refund, OLD.is_transferable)
                       AND EXISTS (SELECT 1 FROM campaigns_coupon
                                   WHERE definition_id = NEW.id)
                    THEN RAISE EXCEPTION 'the terms of issued coupons are fixed'
                         USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]


class Coupon(models.Model):
    """One coupon in a member's wallet, or on the paper in a guest's hand.

    Invariants:
        available → held by one order → redeemed; or released, expired, revoked. Each step is a
        guarded update, so of any number of orders only one gets the coupon.
        `slot` numbers a member's coupons of one definition from 1; the unique key makes the
        per-member limit hold whatever happens at once. One given away keeps its slot.
        Whoever is given a coupon has a row of their own that points at the giver's.
        A revoked coupon on an order stays there, and is gone once the order lets it go.
        An issue to many gives each member one.
        A coupon without a member has no slot: it belongs to whoever brings its code.
        A coupon of a printed code has that code, so that the unique key lets only one have it.
    """

    class Status(models.TextChoices):
        AVAILABLE = "available", _("Available")
        HELD = "held", _("Held by an order")
        REDEEMED = "redeemed", _("Redeemed")
        EXPIRED = "expired", _("Expired")
        REVOKED = "revoked", _("Revoked")
        TRANSFERRED = "transferred", _("Given away")

    code = models.CharField(_("code"), max_length=24, unique=True)
    definition = models.ForeignKey(
        CouponDefinition, models.PROTECT, related_name="coupons", verbose_name=_("definition")
    )
    member = models.ForeignKey(
        Member,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="coupons",
        verbose_name=_("member"),
    )
    batch = models.ForeignKey(
        "campaigns.CodeBatch",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="coupons",
        verbose_name=_("batch"),
    )
    slot = models.PositiveSmallIntegerField(_("nth of its kind"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.AVAILABLE)
    source = models.CharField(_("source"), max_length=64, help_text=_("Why it was issued."))
    issued_at = models.DateTimeField(_("issued"))
    starts_at = models.DateTimeField(_("usable from"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"))
    passed_on_from = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="passed_on_as",
        verbose_name=_("given on from"),
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_by = models.CharField(
        _("revoked by"), max_length=64, blank=True, default="", db_default=""
    )
    revoke_reason = models.CharField(
        _("reason"), max_length=200, blank=True, default="", db_default=""
    )
    held_by = models.ForeignKey(
        Order,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="held_coupons",
        verbose_name=_("on order"),
    )

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        constraints = [
            models.UniqueConstraint(
                name="coupon_slot_once_per_member", fields=["definition", "member", "slot"]
            ),
            models.CheckConstraint(
                name="coupon_slot_of_a_member",
                condition=Q(member__isnull=True, slot__isnull=True)
                | Q(member__isnull=False, slot__isnull=False),
            ),
            models.CheckConstraint(
                name="coupon_held_by_an_order",
                condition=Q(status__in=["held", "redeemed"], held_by__isnull=False)
                | (~Q(status__in=["held", "redeemed"]) & Q(held_by__isnull=True)),
            ),
            models.UniqueConstraint(
                name="coupon_once_per_issue",
                fields=["source", "member"],
                condition=Q(source__startswith="issue:", passed_on_from=None),
            ),
        ]
        indexes = [
            models.Index(name="coupon_wallet", fields=["member", "status", "expires_at"]),
            models.Index(
                name="coupon_to_expire", fields=["expires_at"], condition=Q(status="available")
            ),
            models.Index(
                name="coupon_from_order",
                fields=["source"],
                condition=Q(source__startswith="order:"),
            ),
            models.Index(
                name="coupon_by_batch",
                fields=["batch", "member"],
                condition=Q(batch__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_draft(self) -> bool:
        """Tell whether it is not written yet: of a code that nobody has entered before."""
        return self._state.adding


class CouponRedemption(models.Model):
    """The use of a coupon on an order, with what it was worth; released by a full refund.

    Invariants:
        At most one standing (unreleased) redemption per coupon.
    """

    coupon = models.ForeignKey(
        Coupon, models.PROTECT, related_name="redemptions", verbose_name=_("coupon")
    )
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="coupon_redemptions", verbose_name=_("order")
    )
    discount_cents = CentsField(_("discount"))
    redeemed_at = models.DateTimeField(_("redeemed"))
    released_at = models.DateTimeField(_("released"), null=True, blank=True)

    class Meta:
        verbose_name = _("coupon redemption")
        verbose_name_plural = _("coupon redemptions")
        constraints = [
            models.UniqueConstraint(
                name="coupon_redeemed_once", fields=["coupon"], condition=Q(released_at=None)
            ),
            models.CheckConstraint(
                name="coupon_redemption_not_negative", condition=Q(discount_cents__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.coupon_id} on {self.order_id}"
