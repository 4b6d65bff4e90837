"""Ad platforms: our accounts there, the clicks they tell us of, and the results we tell them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.channels import ChannelLink
from campaigns.models.costs import AdPlatform
from campaigns.models.partners import Partner
from shop.kernel.fields import OptionalCentsField
from shop.models.members import Member


class AdAccount(models.Model):
    """Our account at an ad platform: how it proves clicks to us, and what we tell it of results.

    Invariants:
        Keys are stored sealed, shown to nobody, and leave only in calls to the platform; the key of
        click reports stands in the address that is pasted into the platform's console.
    """

    code = models.SlugField(
        _("code"),
        max_length=32,
        unique=True,
        help_text=_("Stands in the address of the click reports."),
    )
    platform = models.CharField(_("platform"), max_length=16, choices=AdPlatform)
    name = models.CharField(_("name"), max_length=80)
    external_id = models.CharField(
        _("account id"), max_length=40, help_text=_("The advertiser's number at the platform.")
    )
    action_set_id = models.CharField(
        _("user action set"),
        max_length=40,
        blank=True,
        default="",
        help_text=_("Tencent Ads: user_action_set_id. Others: empty."),
    )
    agency = models.ForeignKey(
        Partner,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="ad_accounts",
        verbose_name=_("run by"),
        help_text=_("Without a token of its own the account uses this partner's access."),
    )
    sealed_token = models.BinaryField(editable=False, default=b"")
    sealed_click_key = models.BinaryField(editable=False, default=b"")
    is_active = models.BooleanField(_("active"), default=True)
    sends_registrations = models.BooleanField(_("send registrations"), default=True)
    sends_first_orders = models.BooleanField(_("send first orders"), default=True)
    sends_orders = models.BooleanField(_("send later orders"), default=False)
    sends_refunds = models.BooleanField(
        _("send refunds"), default=True, help_text=_("Only Tencent Ads takes them.")
    )
    sends_phone_hash = models.BooleanField(
        _("send hashed phones"),
        default=False,
        help_text=_("SHA-256 of the number, and only of members who agreed to that too."),
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("ad account")
        verbose_name_plural = _("ad accounts")
        constraints = [
            models.UniqueConstraint(
                name="ad_account_once_per_platform", fields=["platform", "external_id"]
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_token(self) -> bool:
        """Tell whether an access token is stored."""
        return bool(self.sealed_token)


class AdClick(models.Model):
    """A click on an ad as its platform numbers it: reported by the platform, or brought by a guest.

    Invariants:
        At most one per (platform, click id), whoever tells of it first; later news fill in what is
        missing and change nothing.
        A click belongs to at most one member.
    """

    platform = models.CharField(_("platform"), max_length=16, choices=AdPlatform)
    click_id = models.CharField(_("click id of the ad"), max_length=300)
    account = models.ForeignKey(
        AdAccount, models.PROTECT, related_name="clicks", verbose_name=_("ad account")
    )
    link = models.ForeignKey(
        ChannelLink, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("link")
    )
    ad_id = models.CharField(_("id of the ad"), max_length=40, blank=True, default="")
    member = models.ForeignKey(
        Member,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="ad_clicks",
        verbose_name=_("member"),
    )
    clicked_at = models.DateTimeField(_("clicked"))
    reported_at = models.DateTimeField(_("reported"), null=True, blank=True)
    settled_at = models.DateTimeField(
        _("counted"),
        null=True,
        blank=True,
        help_text=_("When it became a touch, or was found among the touches of our own links."),
    )

    class Meta:
        verbose_name = _("ad click")
        verbose_name_plural = _("ad clicks")
        constraints = [
            models.UniqueConstraint(name="ad_click_once", fields=["platform", "click_id"])
        ]
        indexes = [
            models.Index(
                name="ad_click_of_member",
                fields=["member", "-clicked_at"],
                condition=Q(member__isnull=False),
            ),
            models.Index(
                name="ad_click_to_settle",
                fields=["reported_at"],
                condition=Q(reported_at__isnull=False, settled_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.platform} {self.click_id}"


class AdUpload(models.Model):
    """A result of an ad's click that its platform is told, once.

    Invariants:
        A click has at most one registration and one first order, and one upload per later order and
        per refund: whatever is replayed tells once.
        waiting → sent, refused (for good, with the platform's reason), withdrawn (no consent) or
        dead (no answer for a day); refused and dead ones wait again when somebody asks for it.
    """

    class Event(models.TextChoices):
        REGISTRATION = "registration", _("Registration")
        FIRST_ORDER = "first_order", _("First order")
        ORDER = "order", _("Order")
        REFUND = "refund", _("Refund")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("No consent")
        DEAD = "dead", _("Given up")

    click = models.ForeignKey(
        AdClick, models.PROTECT, related_name="uploads", verbose_name=_("ad click")
    )
    event = models.CharField(_("event"), max_length=16, choices=Event)
    source = models.CharField(_("source"), max_length=64)
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="ad_uploads", verbose_name=_("member")
    )
    value_cents = OptionalCentsField(_("value"), null=True, blank=True)
    occurred_at = models.DateTimeField(_("at"))
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    platform_code = models.CharField(_("platform's code"), max_length=40, blank=True, default="")
    platform_message = models.CharField(
        _("platform's reason"), max_length=200, blank=True, default=""
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("ad upload")
        verbose_name_plural = _("ad uploads")
        constraints = [
            models.UniqueConstraint(
                name="ad_upload_once_per_click",
                fields=["click", "event"],
                condition=Q(event__in=["registration", "first_order"]),
            ),
            models.UniqueConstraint(name="ad_upload_once_per_source", fields=["event", "source"]),
            models.CheckConstraint(
                name="ad_upload_sent_has_a_time",
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(name="ad_upload_due", fields=["due_at"], condition=Q(state="waiting")),
            models.Index(name="ad_upload_of_day", fields=["occurred_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.source}"
