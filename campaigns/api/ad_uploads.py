"""What ad platforms were told, row by row; in sum it is a report."""

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import queries
from campaigns.models import AdPlatform, AdUpload
from shop.kernel.negotiation import AlsoAsFile
from shop.kernel.pagination import LongPages
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of


class AdUploadFilter(FilterSet):
    """How the list is narrowed; both days are included, in UTC."""

    platform = filters.ChoiceFilter(field_name="click__platform", choices=AdPlatform.choices)
    account = filters.CharFilter(field_name="click__account__code")
    event = filters.ChoiceFilter(choices=AdUpload.Event.choices)
    state = filters.ChoiceFilter(choices=AdUpload.State.choices)
    link = filters.CharFilter(field_name="click__link__code")
    channel = filters.CharFilter(field_name="click__link__channel__code")
    campaign = filters.CharFilter(field_name="click__link__campaign__code")
    date_from = filters.DateFilter(field_name="occurred_at", lookup_expr="date__gte")
    date_to = filters.DateFilter(field_name="occurred_at", lookup_expr="date__lte")

    class Meta:
        model = AdUpload
        fields = ("platform", "account", "event", "state", "link", "channel", "campaign")


class AdUploadOut(serializers.ModelSerializer[AdUpload]):
    """A result that a platform was told, is to be told or did not want; of whom, it does not say.

    `value_cents` is negative for a refund. `platform_code` and `platform_message` are the
    platform's own words of a refusal.
    """

    platform = serializers.ChoiceField(source="click.platform", choices=AdPlatform.choices)
    account = serializers.CharField(source="click.account.code")
    link = serializers.CharField(source="click.link.code", default="", help_text="Empty: none.")
    ad_id = serializers.CharField(source="click.ad_id")

    class Meta:
        model = AdUpload
        fields = (
            "id",
            "platform",
            "account",
            "link",
            "ad_id",
            "event",
            "state",
            "value_cents",
            "occurred_at",
            "attempts",
            "due_at",
            "sent_at",
            "platform_code",
            "platform_message",
        )


class AdUploadsView(AlsoAsFile, ListAPIView[AdUpload]):
    """The uploads of the clicks on a caller's links."""

    permission_classes = [callers(Kind.STAFF, Kind.REPORT, scope="campaigns:read")]
    serializer_class = AdUploadOut
    pagination_class = LongPages
    filterset_class = AdUploadFilter
    queryset = AdUpload.objects.none()  # tells the schema the model

    def get_queryset(self) -> QuerySet[AdUpload]:
        rows = queries.visible_ad_uploads(principal_of(self.request))
        return rows.select_related("click__account", "click__link")

    @extend_schema(
        operation_id="ad_uploads_list",
        tags=["ads"],
        summary="List what ad platforms were told, newest entry first",
        description=(
            "Clicks without a link are seen by callers who see every store. CSV is a page, too: the"
            " header `Link` leads to the next one, and `?format=csv` asks for it. In sum:"
            " `/reports/ad-uploads`. 406 for other formats."
        ),
        responses={
            (200, "application/json"): AdUploadOut(many=True),
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List uploads."""
        response = super().get(request, *args, **kwargs)
        if response.data["next"]:
            response["Link"] = f'<{response.data["next"]}>; rel="next"'
        return response
