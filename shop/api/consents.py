"""What a member agrees to, from their own phone."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop import consents
from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import StrictBooleanField, StrictCharField, StrictSerializer
from shop.models import Consent


class ConsentRequest(StrictSerializer):
    """That the member agrees to a purpose, or does not any more."""

    purpose = serializers.ChoiceField(choices=Consent.Purpose.choices)
    is_given = StrictBooleanField()
    version = StrictCharField(max_length=40, help_text="Which wording the member saw.")


class ConsentOut(serializers.Serializer[Any]):
    """Where the member stands; `since` is null where they have never said anything."""

    purpose = serializers.ChoiceField(choices=Consent.Purpose.choices)
    is_given = serializers.BooleanField()
    version = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)


class Consents(serializers.Serializer[Any]):
    """Every purpose there is, and where the member stands with it."""

    results = ConsentOut(many=True)


class MeConsentsView(APIView):
    """The consents of the member who asks. Taking one back is as easy as giving it."""

    permission_classes = [callers(Kind.MEMBER)]

    @extend_schema(
        operation_id="me_consents_list",
        tags=["me"],
        summary="Show what I agreed to",
        responses={200: Consents},
    )
    def get(self, request: Request) -> Response:
        """Show the caller's consents."""
        return _answer(request)

    @extend_schema(
        operation_id="me_consents_record",
        tags=["me"],
        summary="Agree to a purpose, or take that back",
        description="Nothing is told to an ad platform without `ad_measurement`, from the moment on"
        " at which it is taken back.",
        request=ConsentRequest,
        responses={200: Consents},
        examples=[
            OpenApiExample(
                "Take it back",
                value={"purpose": "ad_measurement", "is_given": False, "version": "2026-11"},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Write down what the caller says."""
        body = ConsentRequest(data=request.data)
        body.is_valid(raise_exception=True)
        consents.record(
            principal_of(request).id,
            **body.validated_data,
            source="member",
            now=timezone.now(),
        )
        return _answer(request)


def _answer(request: Request) -> Response:
    found = consents.stands(principal_of(request).id)
    return Response(Consents({"results": found}).data)
