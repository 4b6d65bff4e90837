"""What links cost per day, the files it came from, and which ad of a platform leads where."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.currencies import COMPANY_CURRENCY
from campaigns.models.channels import ChannelLink
from shop.kernel.fields import CentsField, OptionalCentsField
from shop.kernel.money import Cents
from shop.models.staff import Staff


class AdPlatform(models.TextChoices):
    """Where ads are bought that tell us of clicks and want to hear of results."""

    TENCENT = "tencent", _("Tencent Ads")
    OCEAN_ENGINE = "oceanengine", _("Ocean Engine")


class DailyCost(models.Model):
    """What one link cost on one day, and how far it is said to have reached.

    `estimated_reach` is the platform's or the flyer counter's word; people whom we have met
    ourselves are counted from touches and never mixed with it. In the same way the conversions that
    a platform claims are kept beside ours, and no figure of ours is made from them.

    Invariants:
        `cost_cents` is in the company's currency. A cost in another one keeps what was paid and the
        exchange rate beside it, and is converted once, when it is entered.
        A link and a day have one row in all, or one for each keyword: never both, which would count
        the same money twice.
    """

    link = models.ForeignKey(
        ChannelLink, models.PROTECT, related_name="daily_costs", verbose_name=_("link")
    )
    date = models.DateField(_("day"))
    keyword = models.CharField(
        _("keyword"),
        max_length=80,
        blank=True,
        default="",
        help_text=_("For search ads; empty: the whole day's costs."),
    )
    cost_cents = CentsField(_("cost"), default=Cents(0))
    currency = models.CharField(_("currency"), max_length=3, default=COMPANY_CURRENCY)
    original_minor = models.BigIntegerField(
        _("paid in that currency"),
        null=True,
        blank=True,
        help_text=_("In its smallest unit."),
    )
    exchange_rate = models.DecimalField(
        _("exchange rate"), max_digits=16, decimal_places=8, null=True, blank=True
    )
    impressions = models.PositiveIntegerField(_("impressions"), default=0)
    clicks = models.PositiveIntegerField(_("clicks claimed"), default=0)
    estimated_reach = models.PositiveIntegerField(_("estimated reach"), default=0)
    claimed_conversions = models.PositiveIntegerField(
        _("conversions claimed"), null=True, blank=True
    )
    claimed_value_cents = OptionalCentsField(_("sales claimed"), null=True, blank=True)

    class Meta:
        verbose_name = _("daily cost")
        verbose_name_plural = _("daily costs")
        constraints = [
            models.UniqueConstraint(
                name="daily_cost_once_per_keyword", fields=["link", "date", "keyword"]
            ),
            models.CheckConstraint(
                name="daily_cost_not_negative",
                condition=Q(cost_cents__gte=0)
                & (Q(claimed_value_cents__isnull=True) | Q(claimed_value_cents__gte=0)),
            ),
            models.CheckConstraint(
                name="daily_cost_foreign_keeps_what_was_paid",
                condition=Q(
                    currency=COMPANY_CURRENCY,
                    original_minor__isnull=True,
                    exchange_rate__isnull=True,
                )
                | (~Q(currency=COMPANY_CURRENCY) & Q(original_minor__gte=0, exchange_rate__gt=0)),
            ),
        ]

    def __str__(self) -> str:
        return " ".join(part for part in (self.link.code, str(self.date), self.keyword) if part)


class AdUnit(models.Model):
    """An ad as a platform numbers it, and the link it leads to; reports of costs name only the ad.

    Invariants:
        At most one link per ad; the first that is learnt stays, until somebody changes it.
    """

    platform = models.CharField(_("platform"), max_length=16, choices=AdPlatform)
    external_id = models.CharField(_("id of the ad"), max_length=40)
    link = models.ForeignKey(
        ChannelLink, models.PROTECT, related_name="ad_units", verbose_name=_("link")
    )

    class Meta:
        verbose_name = _("ad of a platform")
        verbose_name_plural = _("ads of platforms")
        constraints = [
            models.UniqueConstraint(
                name="ad_unit_once_per_platform", fields=["platform", "external_id"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.external_id}"


class CostImport(models.Model):
    """A file of costs that somebody uploaded: looked at first, then stored or dropped.

    Invariants:
        Stored at most once; the counts are those of the storing, or of the last look before.
    """

    class State(models.TextChoices):
        PREVIEW = "preview", _("To be looked at")
        STORED = "stored", _("Stored")
        DROPPED = "dropped", _("Dropped")

    class Preset(models.TextChoices):
        PLAIN = "plain", _("Our own columns")
        TENCENT = "tencent", _("Tencent Ads report")
        OCEAN_ENGINE = "oceanengine", _("Ocean Engine report")

    file_name = models.CharField(_("file"), max_length=120)
    preset = models.CharField(_("made by"), max_length=16, choices=Preset, default=Preset.PLAIN)
    text = models.TextField(_("content"), editable=False)
    link = models.ForeignKey(
        ChannelLink,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("link of lines that name none"),
    )
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default=COMPANY_CURRENCY,
        help_text=_("Of lines that name none, such as CNY, HKD or USD."),
    )
    exchange_rate = models.DecimalField(
        _("exchange rate"),
        max_digits=16,
        decimal_places=8,
        null=True,
        blank=True,
        help_text=_("How many yuan one unit of that currency costs."),
    )
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.PREVIEW)
    created_count = models.PositiveIntegerField(_("new"), default=0)
    updated_count = models.PositiveIntegerField(_("replaced"), default=0)
    refused_count = models.PositiveIntegerField(_("refused"), default=0)
    created_at = models.DateTimeField(_("uploaded"))
    created_by = models.ForeignKey(
        Staff, models.PROTECT, related_name="+", verbose_name=_("uploaded by")
    )
    stored_at = models.DateTimeField(_("stored"), null=True, blank=True)

    class Meta:
        verbose_name = _("import of costs")
        verbose_name_plural = _("imports of costs")
        constraints = [
            models.CheckConstraint(
                name="cost_import_stored_has_a_time",
                condition=Q(state="stored", stored_at__isnull=False)
                | (~Q(state="stored") & Q(stored_at__isnull=True)),
            )
        ]

    def __str__(self) -> str:
        return self.file_name
