"""Batches of printed codes, and the buckets in which a rush takes its turns."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.channels import ChannelLink
from campaigns.models.coupons import CouponDefinition


class CodeBatch(models.Model):
    """Codes that are handed out on paper or in public; who enters one gets a coupon of it.

    Either every paper has a code of its own, or all share one word such as TEA2026.

    Invariants:
        Codes are numbered from 1; `made_count` of them are there. A word is used at most `quantity`
        times: `used_count` moves only by a guarded update, and only where there is a quantity.
    """

    class Kind(models.TextChoices):
        EACH = "each", _("a code on every paper")
        SHARED = "shared", _("one word for all")

    definition = models.ForeignKey(
        CouponDefinition, models.PROTECT, related_name="batches", verbose_name=_("coupon")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.EACH)
    label = models.CharField(_("label"), max_length=80)
    area = models.CharField(
        _("area"), max_length=80, blank=True, default="", help_text=_("Where they are handed out.")
    )
    link = models.ForeignKey(
        ChannelLink,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="batches",
        verbose_name=_("channel link"),
        help_text=_("QR codes lead through it; orders with the codes are credited to it."),
    )
    quantity = models.PositiveIntegerField(
        _("quantity"), null=True, blank=True, help_text=_("Papers, or uses of the word at most.")
    )
    prefix = models.CharField(_("prefix"), max_length=6, blank=True, default="")
    length = models.PositiveSmallIntegerField(
        _("length"),
        default=14,
        help_text=_("Characters after the prefix, the last of which is a check."),
    )
    word = models.CharField(_("word"), max_length=24, null=True, blank=True)
    made_count = models.PositiveIntegerField(_("made"), default=0, editable=False)
    used_count = models.PositiveIntegerField(_("used"), default=0, editable=False)
    created_at = models.DateTimeField(_("created"))
    created_by = models.CharField(_("created by"), max_length=64)
    voided_at = models.DateTimeField(_("voided"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("batch of codes")
        verbose_name_plural = _("batches of codes")
        constraints = [
            models.UniqueConstraint(name="code_batch_word_once", fields=["word"]),
            models.CheckConstraint(
                name="code_batch_has_a_word_or_a_quantity",
                condition=Q(kind="shared", word__isnull=False)
                | Q(kind="each", word__isnull=True, quantity__isnull=False),
            ),
            models.CheckConstraint(
                name="code_batch_within_quantity",
                condition=Q(quantity__isnull=True)
                | Q(used_count__lte=F("quantity"), made_count__lte=F("quantity")),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def is_complete(self) -> bool:
        """Tell whether every code is there."""
        return self.kind == self.Kind.SHARED or self.made_count == self.quantity


class BatchCode(models.Model):
    """A printed code. Rows are only ever added: the coupon with this code says what became of it.

    Invariants:
        A number within a batch is given once, and a code once at all.
    """

    # With a key and an index of its own beside the code's, a row would cost half as much again.
    pk = models.CompositePrimaryKey("batch_id", "number")
    # Checking a million times that the same batch exists takes longer than writing the codes; an
    # invariant checks it instead, and batches are never deleted.
    batch = models.ForeignKey(
        CodeBatch,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="codes",
        verbose_name=_("batch"),
    )
    number = models.PositiveIntegerField(_("number"))
    code = models.CharField(_("code"), max_length=24, db_collation="C")

    class Meta:
        verbose_name = _("printed code")
        verbose_name_plural = _("printed codes")
        constraints = [
            models.UniqueConstraint(name="batch_code_once", fields=["code"]),
        ]

    def __str__(self) -> str:
        return self.code


class CapBucket(models.Model):
    """A part of the coupons of a definition, so that a rush does not queue at one row.

    Invariants:
        Where a definition has buckets, what it issued without them and all their caps add up to its
        limit; none has a cap where there is no limit. A bucket never issues more than its cap.
    """

    definition = models.ForeignKey(
        CouponDefinition, models.PROTECT, related_name="buckets", verbose_name=_("definition")
    )
    number = models.PositiveSmallIntegerField(
        _("number"), validators=[MinValueValidator(1), MaxValueValidator(64)]
    )
    cap = models.PositiveIntegerField(_("at most"), null=True, blank=True)
    issued_count = models.PositiveIntegerField(_("issued"), default=0)

    class Meta:
        verbose_name = _("bucket of coupons")
        verbose_name_plural = _("buckets of coupons")
        constraints = [
            models.UniqueConstraint(name="cap_bucket_once", fields=["definition", "number"]),
            models.CheckConstraint(
                name="cap_bucket_within_cap",
                condition=Q(cap__isnull=True) | Q(issued_count__lte=F("cap")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.definition_id}/{self.number}"
