"""What every offer has, whether it applies by itself or needs a coupon."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.channels import Campaign
from shop.kernel.fields import OptionalCentsField
from shop.models.named import Named


class OfferTerms(Named):
    """What an offer gives, how often, and who answers for it.

    `rule` is the versioned JSON form of the pricing evaluator (docs/pricing.md). Limits count uses
    on paid orders; None is no limit. Days, weeks and months are those of the store that sells.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Waits for approval")
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        ENDED = "ended", _("Ended")

    class PartialReturn(models.TextChoices):
        KEEP = "keep", _("The rest keeps its discount")
        REPRICE = "reprice", _("The rest is priced anew")

    code = models.SlugField(_("code"), max_length=32, unique=True)
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="%(class)ss",
        verbose_name=_("campaign"),
    )
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.DRAFT)
    rule = models.JSONField(_("rule"))
    budget_cents = OptionalCentsField(_("budget"), null=True, blank=True)
    uses_per_store = models.PositiveIntegerField(_("uses per store"), null=True, blank=True)
    uses_per_day = models.PositiveIntegerField(_("uses per day"), null=True, blank=True)
    uses_per_week = models.PositiveIntegerField(_("uses per week"), null=True, blank=True)
    uses_per_month = models.PositiveIntegerField(_("uses per month"), null=True, blank=True)
    partial_return = models.CharField(
        _("after a partial return"),
        max_length=8,
        choices=PartialReturn,
        default=PartialReturn.KEEP,
        db_default=PartialReturn.KEEP.value,
        help_text=_("Priced anew, the rest loses what it would not have got by itself."),
    )
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("submitted by"),
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("approved by"),
    )
    approved_loss_cents = OptionalCentsField(
        _("approved loss"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("How far one unit may be sold below its floor price, as a second person saw."),
    )
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_approved_by_another",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("submitted_by")),
            ),
            models.CheckConstraint(
                name="%(class)s_loss_has_an_approver",
                condition=Q(approved_loss_cents__isnull=True) | Q(approved_by__isnull=False),
            ),
        ]
