"""Where platforms tell us about vouchers."""

from typing import Any

import orjson
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.kernel.serializers import StrictCharField
from shop.storefront import voucher_notices
from shop.storefront.voucher_notices import Envelope


class AnythingField(serializers.JSONField):
    """A value that is looked into only where it is understood."""

    def to_internal_value(self, data: Any) -> Any:
        return data


class DouyinNotice(serializers.Serializer[Any]):
    """A notice; platforms may say more than we know."""

    event = StrictCharField(max_length=64, required=False)
    client_key = StrictCharField(max_length=64, required=False)
    content = AnythingField(required=False, help_text="An object, or JSON as a string.")


class DouyinAnswer(serializers.Serializer[Any]):
    """What Douyin expects: its challenge back, or that all is well."""

    challenge = serializers.JSONField(required=False)
    data = serializers.DictField(required=False)  # type: ignore[assignment]  # their name


class DouyinCallbackView(APIView):
    """Where Douyin tells us something; its signature is the credential."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="vouchers_douyin_callback",
        tags=["vouchers"],
        summary="Take a notice from Douyin",
        description=(
            "A webhook signed with X-Douyin-Signature, or a call of the service interface signed"
            " with x-life-sign. Each Msg-Id is taken once; a repeat gets the same answer. What it"
            " says is not believed: it makes us ask. 401 `notice-refused`."
        ),
        parameters=[
            OpenApiParameter("X-Douyin-Signature", str, "header"),
            OpenApiParameter("x-life-sign", str, "header"),
            OpenApiParameter("Msg-Id", str, "header"),
        ],
        request=DouyinNotice,
        responses={200: DouyinAnswer},
        auth=[],
        examples=[
            OpenApiExample(
                "Challenge",
                value={"event": "verify_webhook", "content": {"challenge": 12345}},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Take a notice from Douyin."""
        # The signature covers the raw bytes, so they are read before anybody parses them.
        envelope = Envelope(
            body=request._request.body,
            query=request.query_params.dict(),
            signature=request.headers.get("X-Douyin-Signature", ""),
            life_sign=request.headers.get("x-life-sign", ""),
            message_id=request.headers.get("Msg-Id", ""),
        )
        try:
            orjson.dumps(request.data)
        except orjson.JSONEncodeError as error:
            raise ParseError("The body is nested too deeply.") from error
        notice = DouyinNotice(data=request.data)
        notice.is_valid(raise_exception=True)
        return Response(voucher_notices.receive(envelope, dict(request.data), now=timezone.now()))
