"""Where people come from: channels, campaigns, links, touches, and what came of them."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from campaigns.models.fields import UtmTemplateField
from shop.kernel.fields import CentsField, OptionalCentsField
from shop.kernel.money import Cents
from shop.models.members import Member
from shop.models.named import Named
from shop.models.orders import Order
from shop.models.stores import Store


class Channel(Named):
    """A source of traffic."""

    class Kind(models.TextChoices):
        AD_FEED = "ad_feed", _("Feed ads")
        AD_SEARCH = "ad_search", _("Search ads")
        KOL = "kol", _("Opinion leader")
        FLYER = "flyer", _("Flyers")
        OFFLINE = "offline", _("Posters and stands")
        FISSION = "fission", _("Fission")
        COBRAND = "cobrand", _("Co-branding")
        SWAP = "swap", _("Resource swap")
        CONTENT = "content", _("Content")
        COMMUNITY = "community", _("Community")
        REFERRAL = "referral", _("Referral")
        ORGANIC = "organic", _("Organic")

    code = models.SlugField(_("code"), max_length=32, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    utm_template = UtmTemplateField(_("UTM template"))

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")


class Campaign(Named):
    """A plan to bring people in, run in phases. Without stores it runs in all of them."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        ENDED = "ended", _("Ended")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.DRAFT)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    budget_cents = OptionalCentsField(_("budget"), null=True, blank=True)
    stores = models.ManyToManyField(
        Store, related_name="campaigns", blank=True, verbose_name=_("stores")
    )

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints = [
            models.CheckConstraint(
                name="campaign_ends_after_start",
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
            )
        ]


class ChannelLink(models.Model):
    """One door into the shop: a short code behind a QR code, an ad or a friend's message."""

    code = models.CharField(_("code"), max_length=12, unique=True)
    label = models.CharField(_("label"), max_length=80)
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="links", verbose_name=_("channel")
    )
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="links",
        verbose_name=_("campaign"),
    )
    phase = models.ForeignKey(
        "campaigns.CampaignPhase",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="links",
        verbose_name=_("phase"),
    )
    placement = models.ForeignKey(
        "campaigns.Placement",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="links",
        verbose_name=_("placement"),
        help_text=_("Where in the channel it stands."),
    )
    store = models.ForeignKey(
        Store, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("store")
    )
    target_url = models.CharField(
        _("leads to"),
        max_length=300,
        blank=True,
        default="",
        help_text=_("Empty: the shop's own welcome page."),
    )
    utm_template = UtmTemplateField(_("UTM template"))
    offer_zh = models.CharField(
        _("offer on the poster, in Chinese"),
        max_length=120,
        blank=True,
        default="",
        db_default="",
    )
    offer_en = models.CharField(
        _("offer on the poster, in English"),
        max_length=120,
        blank=True,
        default="",
        db_default="",
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("channel link")
        verbose_name_plural = _("channel links")

    def __str__(self) -> str:
        return f"{self.label} ({self.code})"

    @property
    def offer(self) -> str:
        """Return what its poster promises, in the language of the request or else the other."""
        both = [self.offer_zh, self.offer_en]
        if not (get_language() or "").startswith("zh"):
            both.reverse()
        return both[0] or both[1]


class Acquisition(models.Model):
    """Where a member came from; frozen when they joined.

    First and last touch are of the attribution window before joining; without a touch, organic.
    """

    member = models.OneToOneField(
        Member,
        models.CASCADE,
        primary_key=True,
        related_name="acquisition",
        verbose_name=_("member"),
    )
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="acquisitions", verbose_name=_("channel")
    )
    first_link = models.ForeignKey(
        ChannelLink,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("first link"),
    )
    last_link = models.ForeignKey(
        ChannelLink,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="acquisitions",
        verbose_name=_("last link"),
    )
    visitor_id = models.CharField(_("visitor"), max_length=40, blank=True, default="")
    referrer = models.ForeignKey(
        Member,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("brought by"),
    )
    acquired_at = models.DateTimeField(_("joined"))

    class Meta:
        verbose_name = _("acquisition")
        verbose_name_plural = _("acquisitions")

    def __str__(self) -> str:
        return f"{self.member_id} ← {self.channel_id}"


class Conversion(models.Model):
    """A result credited to the last touch within the window; a refund adds a negative row.

    Invariants:
        At most one row per (kind, source); the sum over an order is what it earned net of refunds.
    """

    class Kind(models.TextChoices):
        REGISTRATION = "registration", _("Joined")
        FIRST_ORDER = "first_order", _("First order")
        ORDER = "order", _("Order")
        REFUND = "refund", _("Refund")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    source = models.CharField(_("source"), max_length=64)
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="conversions", verbose_name=_("member")
    )
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="conversions",
        verbose_name=_("order"),
    )
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="conversions", verbose_name=_("channel")
    )
    link = models.ForeignKey(
        ChannelLink,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="conversions",
        verbose_name=_("link"),
    )
    amount_cents = CentsField(_("amount"), default=Cents(0))
    occurred_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("conversion")
        verbose_name_plural = _("conversions")
        constraints = [
            models.UniqueConstraint(name="conversion_once_per_source", fields=["kind", "source"])
        ]
        indexes = [models.Index(name="conversion_by_link", fields=["link", "occurred_at"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}"
