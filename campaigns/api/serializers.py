"""What goes in and out of the API of channels, campaigns, links and touches."""

from typing import Any

from django.conf import settings
from django.core.validators import validate_slug
from rest_framework import serializers

from campaigns import links, utm
from campaigns.api.phase_serializers import PhaseOut, PhaseRequest, to_phase_draft
from campaigns.campaigns import CampaignDraft
from campaigns.models import Campaign, Channel, ChannelLink, Placement, Touch
from campaigns.models.fields import validate_utm_template
from shop.kernel.qr_print import Style
from shop.kernel.serializers import (
    AmountField,
    StrictCharField,
    StrictDateTimeField,
    StrictIntegerField,
    StrictSerializer,
    StrictUUIDField,
)
from shop.models import Store

MOST_TOUCHES = 500


class SlugField(StrictCharField):
    """A code of letters, digits, - and _."""

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, validators=[validate_slug], **kwargs)


class UtmTemplate(StrictCharField):
    """UTM parameters with places to fill in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{
                "max_length": 300,
                "required": False,
                "allow_blank": True,
                "validators": [validate_utm_template],
                "help_text": f"Such as `{utm.STANDARD}`; places: {', '.join(utm.PLACES)}.",
                **kwargs,
            }
        )


# --- channels and campaigns ----------------------------------------------------------------------


class ChannelRequest(StrictSerializer):
    """A new source of traffic."""

    code = SlugField(max_length=32)
    kind = serializers.ChoiceField(choices=Channel.Kind.choices)
    name_zh = StrictCharField(max_length=80)
    name_en = StrictCharField(max_length=80)
    utm_template = UtmTemplate()


class ChannelOut(serializers.ModelSerializer[Channel]):
    """A source of traffic."""

    class Meta:
        model = Channel
        fields = ("code", "kind", "name_zh", "name_en", "utm_template")


class PlacementRequest(StrictSerializer):
    """A new place within a channel."""

    channel = StrictCharField(max_length=32, help_text="Code of the channel.")
    code = SlugField(max_length=32)
    name_zh = StrictCharField(max_length=80)
    name_en = StrictCharField(max_length=80)


class PlacementOut(serializers.ModelSerializer[Placement]):
    """A place within a channel."""

    channel = serializers.CharField(source="channel.code")

    class Meta:
        model = Placement
        fields = ("channel", "code", "name_zh", "name_en")


class CampaignRequest(StrictSerializer):
    """A new campaign. Without stores it is the whole chain's, and head office's to make."""

    code = SlugField(max_length=40)
    name_zh = StrictCharField(max_length=80)
    name_en = StrictCharField(max_length=80)
    status = serializers.ChoiceField(choices=Campaign.Status.choices, default=Campaign.Status.DRAFT)
    starts_at = StrictDateTimeField()
    ends_at = StrictDateTimeField(required=False, allow_null=True)
    budget_cents = AmountField(required=False, allow_null=True)
    stores = serializers.ListField(
        child=StrictCharField(max_length=16), default=list, max_length=500, help_text="Store codes."
    )
    phases = serializers.ListField(child=PhaseRequest(), default=list, max_length=50)

    def to_draft(self, stores: list[Store]) -> CampaignDraft:
        """Return the validated data as the noun module takes it."""
        data = dict(self.validated_data) | {"stores": stores}
        return CampaignDraft(**data | {"phases": [to_phase_draft(p) for p in data["phases"]]})


class CampaignOut(serializers.ModelSerializer[Campaign]):
    """A campaign; without stores it runs in all of them."""

    stores: Any = serializers.SlugRelatedField(many=True, read_only=True, slug_field="code")

    class Meta:
        model = Campaign
        fields = (
            "code",
            "name_zh",
            "name_en",
            "status",
            "starts_at",
            "ends_at",
            "budget_cents",
            "stores",
        )


class CampaignDetail(CampaignOut):
    """A campaign with its phases, and how many members wait for its start."""

    phases = PhaseOut(many=True)
    reservations = serializers.SerializerMethodField()

    class Meta:
        model = Campaign
        fields = (*CampaignOut.Meta.fields, "phases", "reservations")

    def get_reservations(self, campaign: Campaign) -> int:
        """Count the list of those who want to be told."""
        return campaign.reservations.count()


# --- links ---------------------------------------------------------------------------------------


class ChannelLinkRequest(StrictSerializer):
    """A new door into the shop. Without a store it is the whole chain's: head office makes it."""

    label = StrictCharField(max_length=80)  # type: ignore[assignment]  # hides Field's own label
    channel = StrictCharField(max_length=32, help_text="Code of the channel.")
    campaign = StrictCharField(max_length=40, required=False, help_text="Code of the campaign.")
    phase = StrictIntegerField(
        min_value=1, max_value=2**62, required=False, help_text="Id of one of its phases."
    )
    store = StrictCharField(max_length=16, required=False)
    placement = StrictCharField(
        max_length=32, required=False, help_text="Code of one of the channel's placements."
    )
    target_url = StrictCharField(
        max_length=300, required=False, help_text="Empty: the shop's own welcome page."
    )
    utm_template = UtmTemplate()
    offer_zh = StrictCharField(
        max_length=120, required=False, allow_blank=True, help_text="What the poster promises."
    )
    offer_en = StrictCharField(max_length=120, required=False, allow_blank=True)


class ChannelLinkOut(serializers.ModelSerializer[ChannelLink]):
    """A door into the shop. `url` is for ads and messages, `qr_url` is what its QR code says."""

    channel = serializers.CharField(source="channel.code")
    campaign = serializers.CharField(source="campaign.code", default=None, allow_null=True)
    phase = serializers.IntegerField(source="phase_id", allow_null=True)
    placement = serializers.CharField(source="placement.code", default=None, allow_null=True)
    store = serializers.CharField(source="store.code", default=None, allow_null=True)
    url = serializers.SerializerMethodField()
    qr_url = serializers.SerializerMethodField()

    class Meta:
        model = ChannelLink
        fields = (
            "code",
            "label",
            "channel",
            "campaign",
            "phase",
            "placement",
            "store",
            "target_url",
            "utm_template",
            "offer_zh",
            "offer_en",
            "is_active",
            "url",
            "qr_url",
            "created_at",
        )

    def get_url(self, link: ChannelLink) -> str:
        """Return the address a guest opens."""
        return links.public_url(link.code)

    def get_qr_url(self, link: ChannelLink) -> str:
        """Return the address in the QR code, by which a scan is told from a click."""
        return links.public_url(link.code, is_scan=True)


class QRQuery(serializers.Serializer[Any]):
    """How a code is printed; without any of these it is a plain one to be scaled."""

    size_mm = serializers.FloatField(
        required=False, min_value=10, max_value=1000, help_text="Width with the quiet zone."
    )
    dpi = serializers.IntegerField(required=False, min_value=72, max_value=1200)
    logo = serializers.BooleanField(
        required=False, default=False, help_text="The shop's mark in the middle; still decodes."
    )
    caption = serializers.CharField(required=False, max_length=40, help_text="A line below.")

    def to_style(self) -> Style | None:
        """Return the validated look; None for the plain code."""
        data = self.validated_data
        given = {name: data[name] for name in ("size_mm", "dpi", "caption") if name in data}
        if not given and not data["logo"]:
            return None
        return Style(has_mark=data["logo"], mark_file=settings.BRAND_LOGO, **given)


# --- touches -------------------------------------------------------------------------------------


class TouchRequest(StrictSerializer):
    """One meeting of a visitor with a link."""

    event_id = StrictUUIDField(help_text="Made by the client; counts once, ever.")
    kind = serializers.ChoiceField(choices=Touch.Kind.choices)
    link = StrictCharField(max_length=12, help_text="Code of the link.")
    visitor = StrictCharField(max_length=40, help_text="The same for the same phone.")
    occurred_at = StrictDateTimeField()
    user_agent = StrictCharField(
        max_length=500,
        required=False,
        allow_blank=True,
        help_text="Of whom a server reports, to tell machines; not kept.",
    )


class TouchesRequest(StrictSerializer):
    """A batch of events, in any order."""

    events = serializers.ListField(child=TouchRequest(), min_length=1, max_length=MOST_TOUCHES)


class TouchResult(serializers.Serializer[Any]):
    """What became of one event: with its `quality` if accepted, with a `code` if refused."""

    event_id = serializers.UUIDField()
    outcome = serializers.ChoiceField(choices=["accepted", "duplicate", "refused"])
    quality = serializers.ChoiceField(choices=Touch.Quality.choices, required=False)
    code = serializers.ChoiceField(
        choices=["unknown-link", "in-the-future", "too-late"], required=False
    )


class TouchesTaken(serializers.Serializer[Any]):
    """How many events were new, had been there before and cannot be used; and each of them."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = TouchResult(many=True)
