"""Links: the doors into the shop, and the QR codes that are printed for them."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import links, queries
from campaigns.api import serializers
from campaigns.api.channels import ensure_head_office, writable_store
from campaigns.api.renderers import PNGRenderer, SVGRenderer
from campaigns.models import CampaignPhase, Channel, ChannelLink, Placement
from shop.kernel.errors import InvalidInput, NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.negotiation import FormatNegotiation
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of
from shop.kernel.renderers import JSONRenderer

READ = callers(Kind.STAFF, Kind.REPORT, scope="campaigns:read")
WRITE = callers(Kind.STAFF, scope="links:write")


class ChannelLinkFilter(FilterSet):
    """How the list of links is narrowed."""

    channel = filters.CharFilter(field_name="channel__code")
    campaign = filters.CharFilter(field_name="campaign__code")
    store = filters.CharFilter(field_name="store__code")
    is_active = filters.BooleanFilter()

    class Meta:
        model = ChannelLink
        fields = ("channel", "campaign", "store", "is_active")


class ChannelLinksView(ListAPIView[ChannelLink]):
    """The doors into the shop."""

    serializer_class = serializers.ChannelLinkOut
    filterset_class = ChannelLinkFilter
    queryset = ChannelLink.objects.none()  # tells the schema the model

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def get_queryset(self) -> QuerySet[ChannelLink]:
        rows = queries.visible_links(principal_of(self.request))
        return rows.select_related("channel", "campaign", "placement", "store")

    @extend_schema(
        operation_id="channel_links_list",
        tags=["channel links"],
        summary="List links, newest first",
        description="Those of the caller's stores and of the whole chain.",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List links."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="channel_links_create",
        tags=["channel links"],
        summary="Create a link with its own code",
        description=(
            "A link without a store is the whole chain's and head office's to make. What the link"
            " names and the caller may not see is answered like something that does not exist."
        ),
        request=serializers.ChannelLinkRequest,
        responses={201: serializers.ChannelLinkOut},
        examples=[
            OpenApiExample(
                "Flyers at the metro exit",
                value={"label": "Metro exit 3", "channel": "flyer", "store": "SH001"},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Create a link."""
        body = serializers.ChannelLinkRequest(data=request.data)
        body.is_valid(raise_exception=True)
        link = _create_link(principal_of(request), body.validated_data)
        return Response(serializers.ChannelLinkOut(link).data, status=201)


class ChannelLinkQRView(APIView):
    """What is printed on a flyer."""

    permission_classes = [READ]
    renderer_classes = [SVGRenderer, PNGRenderer]
    content_negotiation_class = FormatNegotiation

    def handle_exception(self, exc: Exception) -> Response:
        """Answer problems as JSON, whatever the picture would have been."""
        response = super().handle_exception(exc)
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return response

    @extend_schema(
        operation_id="channel_links_qr",
        tags=["channel links"],
        summary="Get a link's QR code to print",
        description=(
            "SVG or PNG, by `?format=` or the Accept header. 406 for other formats. With a size it"
            " is to be printed so wide; a logo in the middle comes with the highest error"
            " correction."
        ),
        parameters=[OpenApiParameter("format", enum=["svg", "png"]), serializers.QRQuery],
        responses={
            (200, "image/svg+xml"): OpenApiTypes.BYTE,
            (200, "image/png"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, code: str) -> Response:
        """Draw a link's QR code."""
        link = queries.visible_links(principal_of(request)).filter(code=code).first()
        if link is None:
            raise NotFound
        query = serializers.QRQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        kind: str = request.accepted_renderer.format
        return Response(
            links.qr_code(link.code, kind=kind, style=query.to_style()),
            headers={
                "Content-Disposition": f'inline; filename="{link.code}.{kind}"',
                "Vary": "Accept",
            },
        )


def _create_link(principal: Principal, data: dict[str, Any]) -> ChannelLink:
    channel = Channel.objects.filter(code=data["channel"]).first()
    if channel is None:
        raise InvalidInput("/channel", _("There is no such channel."), reason="unknown-channel")
    campaign = None
    if "campaign" in data:
        campaign = queries.visible_campaigns(principal).filter(code=data["campaign"]).first()
        if campaign is None:
            raise InvalidInput(
                "/campaign", _("There is no such campaign."), reason="unknown-campaign"
            )
    store = None
    if "store" in data:
        store = writable_store(principal, data["store"], pointer="/store")
    else:
        ensure_head_office(principal)
    texts = ("target_url", "utm_template", "offer_zh", "offer_en")
    return links.create(
        channel=channel,
        campaign=campaign,
        phase=_phase(data.get("phase")),
        placement=_placement(channel, data.get("placement")),
        store=store,
        label=data["label"],
        now=timezone.now(),
        **{name: data[name] for name in texts if name in data},
    )


def _placement(channel: Channel, code: str | None) -> Placement | None:
    if code is None:
        return None
    placement = Placement.objects.filter(channel=channel, code=code).first()
    if placement is None:
        raise InvalidInput(
            "/placement", _("The channel has no such placement."), reason="unknown-placement"
        )
    return placement


def _phase(phase_id: int | None) -> CampaignPhase | None:
    if phase_id is None:
        return None
    phase = CampaignPhase.objects.filter(pk=phase_id).first()
    if phase is None:
        raise InvalidInput("/phase", _("The campaign has no such phase."), reason="unknown-phase")
    return phase
