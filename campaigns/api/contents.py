"""Contents and topics: what is told of us, how far it came, what it sold."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import contents
from campaigns.api import content_serializers as serializers
from campaigns.api.channels import ensure_head_office
from campaigns.api.named import many_of
from campaigns.models import ChannelLink, Content, KolDeal, Topic
from shop.kernel.errors import InvalidInput, NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.pagination import ByCode, CursorPagination
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import validated

READ = callers(Kind.STAFF, Kind.REPORT, scope="campaigns:read")
WRITE = callers(Kind.STAFF, Kind.REPORT, scope="contents:write")
CSV_EXAMPLE = "content,taken_at,views,likes\n1,2026-06-18T12:00:00+08:00,12000,800\n"


class WithAverageRating(CursorPagination):
    """A page of contents, with the average rating of all that the filters let through."""

    average: float | None = None

    def paginate_queryset(self, queryset: Any, *args: Any, **kwargs: Any) -> list[Any] | None:
        """Return a page, and remember the average of all pages."""
        self.average = contents.average_rating(queryset)
        return super().paginate_queryset(queryset, *args, **kwargs)

    def get_paginated_response(self, data: Any) -> Response:
        """Add the average to the page."""
        response = super().get_paginated_response(data)
        response.data["average_rating"] = self.average
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Tell of the average."""
        shape: dict[str, Any] = super().get_paginated_response_schema(schema)
        shape["properties"]["average_rating"] = {"type": ["number", "null"]}
        return shape


class ContentFilter(FilterSet):
    """How the list of contents is narrowed."""

    kind = filters.ChoiceFilter(choices=Content.Kind.choices)
    platform = filters.CharFilter()
    topic = filters.CharFilter(field_name="topics__code")
    link = filters.CharFilter(field_name="link__code")
    partner = filters.CharFilter(field_name="deal__partner__code")

    class Meta:
        model = Content
        fields = ("kind", "platform", "topic", "link", "partner")


class ContentsView(ListAPIView[Content]):
    """What is told of us."""

    serializer_class = serializers.ContentOut
    filterset_class = ContentFilter
    pagination_class = WithAverageRating
    queryset = Content.objects.none()  # tells the schema the model

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def get_queryset(self) -> QuerySet[Content]:
        return Content.objects.select_related("link").prefetch_related("topics")

    @extend_schema(
        operation_id="contents_list",
        tags=["contents"],
        summary="List contents, newest first, with the average rating of all that match",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List contents."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="contents_create",
        tags=["contents"],
        summary="Follow a content",
        description="Head office only. 409 `content-link-taken`.",
        request=serializers.ContentRequest,
        responses={201: serializers.ContentOut},
        examples=[
            OpenApiExample(
                "A review",
                value={
                    "kind": "review",
                    "title": "Is the new peach tea worth it?",
                    "platform": "xiaohongshu",
                    "rating": 4,
                    "published_at": "2026-06-18T20:00:00+08:00",
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Follow a content."""
        body = validated(serializers.ContentRequest, request.data)
        ensure_head_office(principal_of(request))
        topics = many_of(Topic, body.pop("topics"), pointer="/topics")
        if "link" in body:
            body["link"] = many_of(ChannelLink, [body["link"]], pointer="/link")[0]
        if "deal" in body and not KolDeal.objects.filter(pk=body["deal"]).exists():
            raise InvalidInput("/deal", _("There is no such deal."), reason="unknown-deal")
        content = contents.create(topics=topics, deal_id=body.pop("deal", None), **body)
        return Response(serializers.ContentOut(content).data, status=201)


class ContentView(APIView):
    """One content."""

    permission_classes = [READ]

    @extend_schema(
        operation_id="contents_retrieve",
        tags=["contents"],
        summary="Show a content with its growth and what its link sold",
        responses={200: serializers.ContentDetail},
    )
    def get(self, request: Request, content_id: int) -> Response:
        """Show a content."""
        content = _content(content_id)
        detail = {
            "content": content,
            "snapshots": contents.with_growth(content),
            **contents.sales(content),
        }
        return Response(serializers.ContentDetail(detail).data)


class ContentSnapshotsView(APIView):
    """How far a content came."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="contents_record_snapshot",
        tags=["contents"],
        summary="Record how far a content has come",
        description="One per moment; the same again changes nothing. 409 `snapshot-taken`.",
        request=serializers.SnapshotRequest,
        responses={201: serializers.SnapshotStored},
        examples=[
            OpenApiExample(
                "Noon",
                value={"taken_at": "2026-06-18T12:00:00+08:00", "views": 12000, "likes": 800},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, content_id: int) -> Response:
        """Record a snapshot."""
        body = validated(serializers.SnapshotRequest, request.data)
        ensure_head_office(principal_of(request))
        counts = serializers.SnapshotRequest().to_counts(body)
        snapshot = contents.record(_content(content_id), counts, taken_at=body["taken_at"])
        return Response(serializers.SnapshotStored(snapshot).data, status=201)


class SnapshotImportView(APIView):
    """Snapshots as a spreadsheet has them."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="contents_import_snapshots",
        tags=["contents"],
        summary="Import snapshots from CSV",
        description=(
            f"Columns {', '.join(contents.COLUMNS)}; the first three are required. Reports every"
            " line; with one refused line, or in a dry run, nothing is stored. At most"
            f" {contents.MOST_ROWS} lines."
        ),
        request=serializers.SnapshotImportRequest,
        responses={200: serializers.SnapshotImportReport},
        examples=[
            OpenApiExample(
                "Try it first", value={"csv": CSV_EXAMPLE, "dry_run": True}, request_only=True
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Import snapshots from CSV."""
        body = validated(serializers.SnapshotImportRequest, request.data)
        ensure_head_office(principal_of(request))
        report = contents.import_csv(body["csv"], is_dry_run=body["dry_run"])
        return Response(serializers.SnapshotImportReport(report).data)


class TopicsView(ListAPIView[Topic]):
    """Subjects under which contents are told."""

    serializer_class = serializers.TopicOut
    pagination_class = ByCode
    filter_backends = ()
    queryset = Topic.objects.all()

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    @extend_schema(operation_id="topics_list", tags=["contents"], summary="List topics")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List topics."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="topics_create",
        tags=["contents"],
        summary="Create a topic",
        description="Head office only. 409 `code-taken`.",
        request=serializers.TopicRequest,
        responses={201: serializers.TopicOut},
        examples=[
            OpenApiExample(
                "A hashtag",
                value={"code": "summer-tea", "name_zh": "夏天第一杯", "name_en": "Summer tea"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Create a topic."""
        body = validated(serializers.TopicRequest, request.data)
        ensure_head_office(principal_of(request))
        return Response(serializers.TopicOut(contents.create_topic(**body)).data, status=201)


class TopicRollupView(APIView):
    """What a topic came to."""

    permission_classes = [READ]

    @extend_schema(
        operation_id="topics_rollup",
        tags=["contents"],
        summary="Add up the newest snapshots of a topic's contents",
        responses={200: serializers.TopicRollupOut},
    )
    def get(self, request: Request, code: str) -> Response:
        """Add up a topic."""
        topic = Topic.objects.filter(code=code).first()
        if topic is None:
            raise NotFound
        rollup = {"topic": topic.code, **contents.rollup(topic)}
        return Response(serializers.TopicRollupOut(rollup).data)


def _content(content_id: int) -> Content:
    rows = Content.objects.select_related("link").prefetch_related("topics")
    content = rows.filter(pk=content_id).first()
    if content is None:
        raise NotFound
    return content
