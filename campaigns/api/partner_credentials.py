"""A partner's access at providers: stored and forgotten over the API, never read."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import partner_credentials, queries
from campaigns.api.channels import ensure_head_office
from campaigns.api.serializers import SlugField
from campaigns.models import Partner, PartnerCredential
from shop.kernel.errors import NotFound
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of
from shop.kernel.serializers import StrictCharField, StrictSerializer, validated

READ = callers(Kind.STAFF, scope="partners:read")
WRITE = callers(Kind.STAFF, scope="partners:write")


class CredentialRequest(StrictSerializer):
    """An access at a provider."""

    provider = SlugField(max_length=32, help_text="Ad platforms: `tencent`, `oceanengine`.")
    account = StrictCharField(max_length=80, default="", help_text="The account there; no secret.")
    secret = StrictCharField(max_length=500, help_text="Kept sealed; no answer ever has it.")


class CredentialOut(serializers.ModelSerializer[PartnerCredential]):
    """That an access is stored, and since when; the secret is never returned."""

    class Meta:
        model = PartnerCredential
        fields = ("provider", "account", "stored_at")


class PartnerCredentialsView(ListAPIView[PartnerCredential]):
    """The providers at which a partner has given us access."""

    serializer_class = CredentialOut
    queryset = PartnerCredential.objects.none()  # tells the schema the model

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def get_queryset(self) -> QuerySet[PartnerCredential]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return _partner(principal_of(self.request), self.kwargs["code"]).credentials.all()

    @extend_schema(
        operation_id="partners_credentials",
        tags=["partners"],
        summary="List at which providers a partner has given us access",
        description="Without the secrets, which are never returned.",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the partner's accesses."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="partners_store_credential",
        tags=["partners"],
        summary="Store a partner's access at a provider, instead of the one before",
        description=(
            "Head office only. Sent again it is stored again, so no Idempotency-Key is needed. Ad"
            " accounts that the partner runs use it where they have no token of their own."
        ),
        request=CredentialRequest,
        responses={200: CredentialOut},
        examples=[
            OpenApiExample(
                "An agency's token at Ocean Engine",
                value={"provider": "oceanengine", "account": "1700000000", "secret": "a1b2c3d4"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, code: str) -> Response:
        """Store an access."""
        body = validated(CredentialRequest, request.data)
        principal = principal_of(request)
        partner = _partner(principal, code)
        kept = partner_credentials.store(partner, **body, actor=principal.key, now=timezone.now())
        return Response(CredentialOut(kept).data)


class PartnerCredentialRemovalView(APIView):
    """The end of one access."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="partners_forget_credential",
        tags=["partners"],
        summary="Forget a partner's access at a provider",
        description="Head office only. 404: there is none, or no more.",
        request=None,
        responses={204: None},
    )
    def post(self, request: Request, code: str, provider: str) -> Response:
        """Delete an access."""
        partner = _partner(principal_of(request), code)
        partner_credentials.forget(partner, provider=provider)
        return Response(status=204)


def _partner(principal: Principal, code: str) -> Partner:
    ensure_head_office(principal)
    partner = queries.visible_partners(principal).filter(code=code).first()
    if partner is None:
        raise NotFound
    return partner
