"""Partners, the keys of their systems, and what a partner sees of itself."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import partners, queries
from campaigns.api import partner_serializers as serializers
from campaigns.api.channels import ensure_head_office
from campaigns.models import Partner
from shop.kernel.errors import NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.pagination import ByCode
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import validated

READ = callers(Kind.STAFF, scope="partners:read")
WRITE = callers(Kind.STAFF, scope="partners:write")


class PartnerFilter(FilterSet):
    """How the list of partners is narrowed."""

    kind = filters.ChoiceFilter(choices=Partner.Kind.choices)
    is_active = filters.BooleanFilter()

    class Meta:
        model = Partner
        fields = ("kind", "is_active")


class PartnersView(ListAPIView[Partner]):
    """Whom we work with."""

    serializer_class: Any = serializers.PartnerOut
    pagination_class = ByCode
    filterset_class: Any = PartnerFilter
    queryset = Partner.objects.none()  # tells the schema the model

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def get_queryset(self) -> QuerySet[Partner]:
        return queries.visible_partners(principal_of(self.request))

    @extend_schema(
        operation_id="partners_list",
        tags=["partners"],
        summary="List partners",
        description="For who covers all stores; others see none.",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List partners."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="partners_create",
        tags=["partners"],
        summary="Create a partner",
        description="Head office only. 409 `code-taken`.",
        request=serializers.PartnerRequest,
        responses={201: serializers.PartnerOut},
        examples=[
            OpenApiExample(
                "An opinion leader",
                value={
                    "code": "xiaolin",
                    "kind": "kol",
                    "name_zh": "小林探店",
                    "name_en": "Xiaolin eats out",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Create a partner."""
        body = validated(serializers.PartnerRequest, request.data)
        ensure_head_office(principal_of(request))
        return Response(serializers.PartnerOut(partners.create(**body)).data, status=201)


class KolsView(ListAPIView[Partner]):
    """Opinion leaders, and what came of them."""

    permission_classes = [READ]
    serializer_class = serializers.KolOut
    pagination_class = ByCode
    filter_backends = ()
    queryset = Partner.objects.none()  # tells the schema the model

    def get_queryset(self) -> QuerySet[Partner]:
        return queries.with_results(
            queries.visible_partners(principal_of(self.request)).filter(kind=Partner.Kind.KOL)
        )

    @extend_schema(
        operation_id="kols_list",
        tags=["partners"],
        summary="List opinion leaders with what they sold and earned",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List opinion leaders."""
        return super().get(request, *args, **kwargs)


class PartnerKeysView(APIView):
    """Keys of a partner's own systems."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="partners_issue_key",
        tags=["partners"],
        summary="Issue a key to a partner",
        description=(
            "It reads what is the partner's own: deals, statements, co-brandings, and uses of their"
            " coupons. Shown once; a repeat with the same Idempotency-Key shows the same."
        ),
        request=None,
        responses={201: serializers.PartnerKeyOut},
    )
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Issue a key."""
        principal = principal_of(request)
        ensure_head_office(principal)
        partner = queries.visible_partners(principal).filter(code=code).first()
        if partner is None:
            raise NotFound
        key = partners.issue_key(partner, now=timezone.now())
        return Response(serializers.PartnerKeyOut({"key": key}).data, status=201)


class PartnerMeView(APIView):
    """A partner, by its own key."""

    permission_classes = [callers(Kind.PARTNER, scope="partners:read")]

    @extend_schema(
        operation_id="partners_me",
        tags=["partners"],
        summary="Show a partner what is theirs: deals, co-brandings and coupons",
        responses={200: serializers.PartnerMeOut},
    )
    def get(self, request: Request) -> Response:
        """Show the partner of the key."""
        rows = queries.visible_partners(principal_of(request)).prefetch_related(
            "deals", "cobrands__campaign", "cobrands__pools__definition"
        )
        return Response(serializers.PartnerMeOut(rows.get()).data)
