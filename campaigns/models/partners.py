"""Whom we work with from outside, what we promote together, and what we swap."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campaigns.models.channels import Campaign, Channel
from campaigns.models.coupons import CouponDefinition
from shop.kernel.fields import CentsField
from shop.kernel.money import Cents, share_of
from shop.models.named import Named
from shop.models.staff import AccessKey

WHOLE = 10_000
"""Shares are in basis points: 10 000 is all of it."""


class Partner(Named):
    """A company or a person outside of the chain with whom we bring people in."""

    class Kind(models.TextChoices):
        AD_PLATFORM = "ad_platform", _("Ad platform")
        AGENCY = "agency", _("Agency")
        KOL = "kol", _("Opinion leader")
        BRAND = "brand", _("Brand")
        OTHER = "other", _("Other")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    contact = models.CharField(
        _("contact"), max_length=200, blank=True, default="", help_text=_("Whom to ask, and how.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")


class PartnerKey(AccessKey):
    """The key of a partner's own systems: reads what is theirs, and nothing else."""

    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="keys", verbose_name=_("partner")
    )

    class Meta:
        verbose_name = _("partner key")
        verbose_name_plural = _("partner keys")


class PartnerCredential(models.Model):
    """A partner's access at a provider: an agency's token at an ad platform, a brand's API secret.

    Invariants:
        One per partner and provider. The secret is stored sealed, is shown to nobody, and leaves
        only in calls to the provider.
    """

    partner = models.ForeignKey(
        Partner, models.CASCADE, related_name="credentials", verbose_name=_("partner")
    )
    provider = models.SlugField(
        _("provider"),
        max_length=32,
        help_text=_("Ad platforms by their names here: tencent, oceanengine; others as you like."),
    )
    account = models.CharField(
        _("account there"), max_length=80, blank=True, default="", help_text=_("No secret.")
    )
    sealed_secret = models.BinaryField(editable=False)
    stored_by = models.CharField(_("stored by"), max_length=64)
    stored_at = models.DateTimeField(_("stored"))

    class Meta:
        verbose_name = _("access at a provider")
        verbose_name_plural = _("access at providers")
        constraints = [
            models.UniqueConstraint(
                name="partner_credential_once_per_provider", fields=["partner", "provider"]
            )
        ]

    def __str__(self) -> str:
        return self.provider


class Cobrand(models.Model):
    """A campaign that we run together with a partner, and how its fruits and costs are shared.

    Invariants:
        A campaign has one partner at most; the shares are the partner's, the rest is ours.
    """

    campaign = models.OneToOneField(
        Campaign, models.PROTECT, related_name="cobrand", verbose_name=_("campaign")
    )
    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="cobrands", verbose_name=_("partner")
    )
    revenue_share = models.PositiveIntegerField(
        _("partner's share of sales"), default=0, help_text=_("In basis points: 3000 is 30 %.")
    )
    cost_share = models.PositiveIntegerField(
        _("partner's share of costs"), default=0, help_text=_("In basis points: 3000 is 30 %.")
    )

    class Meta:
        verbose_name = _("co-branding")
        verbose_name_plural = _("co-brandings")
        constraints = [
            models.CheckConstraint(
                name="cobrand_shares_within_the_whole",
                condition=Q(revenue_share__lte=WHOLE, cost_share__lte=WHOLE),
            )
        ]

    def __str__(self) -> str:
        return str(self.campaign)


class PartnerPool(models.Model):
    """A coupon definition whose coupons are the partner's to hand out; it is one partner's only."""

    cobrand = models.ForeignKey(
        Cobrand, models.CASCADE, related_name="pools", verbose_name=_("co-branding")
    )
    definition = models.OneToOneField(
        CouponDefinition, models.PROTECT, related_name="partner_pool", verbose_name=_("coupon")
    )

    class Meta:
        verbose_name = _("partner's coupons")
        verbose_name_plural = _("partners' coupons")

    def __str__(self) -> str:
        return str(self.definition)


class ResourceSwap(models.Model):
    """A deal without money: what we give for what they give, at a value both agreed on.

    What they deliver is counted, and costs us its part of the agreed value.

    Invariants:
        0 ≤ delivered ≤ agreed quantity; delivered = Σ of the deliveries, by guarded updates.
    """

    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="swaps", verbose_name=_("partner")
    )
    label = models.CharField(_("label"), max_length=80)
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="swaps", verbose_name=_("channel")
    )
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="swaps",
        verbose_name=_("campaign"),
    )
    we_give = models.CharField(_("we give"), max_length=200)
    they_give = models.CharField(_("they give"), max_length=200)
    unit = models.CharField(_("unit"), max_length=20, help_text=_("In which theirs is counted."))
    agreed_quantity = models.PositiveIntegerField(_("agreed quantity"))
    agreed_cents = CentsField(_("agreed value"))
    delivered_quantity = models.PositiveIntegerField(
        pgettext_lazy("quantity", "delivered"), default=0, editable=False
    )
    agreed_on = models.DateField(_("agreed on"))

    class Meta:
        verbose_name = _("resource swap")
        verbose_name_plural = _("resource swaps")
        constraints = [
            models.CheckConstraint(
                name="swap_is_for_something",
                condition=Q(agreed_quantity__gte=1, agreed_cents__gte=0),
            ),
            models.CheckConstraint(
                name="swap_delivers_within_what_was_agreed",
                condition=Q(delivered_quantity__lte=F("agreed_quantity")),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def delivered_cents(self) -> Cents:
        """Return what came so far is worth: its share of the agreed value, rounded down."""
        return self.value_of(self.delivered_quantity)

    def value_of(self, quantity: int) -> Cents:
        """Return what so much of it is worth, rounded down; all of it is worth all."""
        return Cents(share_of(self.agreed_cents, part=quantity, of=self.agreed_quantity))


class SwapDelivery(models.Model):
    """So many units that came; a negative one takes back what was counted by mistake.

    Invariants:
        Values are differences of rounded shares: they sum to the share of all that was delivered.
        The same (swap, reference) is the same delivery.
    """

    swap = models.ForeignKey(
        ResourceSwap, models.PROTECT, related_name="deliveries", verbose_name=_("resource swap")
    )
    quantity = models.IntegerField(_("quantity"))
    value_cents = CentsField(_("value"))
    delivered_on = models.DateField(_("delivered on"))
    reference = models.CharField(_("delivery note"), max_length=64)
    actor = models.CharField(_("by"), max_length=64)
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                name="swap_delivery_once_per_reference", fields=["swap", "reference"]
            ),
            models.CheckConstraint(name="swap_delivery_of_something", condition=~Q(quantity=0)),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.quantity:+d} {self.reference}"
