"""Callbacks of payment providers."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop import payments
from shop.kernel.errors import DomainError
from shop.storefront.api import order_serializers as serializers
from shop.storefront.payments import alert_refused, receive


class SandboxCallbackView(APIView):
    """Where the sandbox provider reports payments; its signature is the credential."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="payments_sandbox_callback",
        tags=["payments"],
        summary="Report a payment (sandbox provider)",
        description=(
            "Signed with HMAC-SHA256 over `timestamp.body`; at most five minutes old. The same"
            " payment again answers 200 and changes nothing. A payment for an order that is no"
            " longer waiting is kept, sent back and alarmed. 401 `callback-refused`; 409"
            " `payment-mismatch`, `payment-ref-taken`, `plan-order-paid`: nothing was booked, and"
            " people are alarmed. `order` is that of drinks or of a membership (M…)."
        ),
        parameters=[
            OpenApiParameter("X-Sandbox-Timestamp", str, "header", required=True),
            OpenApiParameter("X-Sandbox-Signature", str, "header", required=True),
        ],
        request=serializers.PaymentNotice,
        responses={200: serializers.PaymentNoticeTaken},
        auth=[],
        examples=[
            OpenApiExample(
                "Paid",
                value={
                    "order": "260618ABCDEFGHJK",
                    "amount_cents": 4200,
                    "provider_ref": "420000123420260618",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Take a payment callback."""
        now = timezone.now()
        provider = payments.provider()
        # The signature covers the raw bytes, so they are read before anybody parses them.
        notice = provider.verify(
            body=request._request.body,
            timestamp=request.headers.get("X-Sandbox-Timestamp", ""),
            signature=request.headers.get("X-Sandbox-Signature", ""),
            now=now,
        )
        try:
            status = receive(notice, method=provider.method, now=now)
        except DomainError as error:
            alert_refused(notice, error, now=now)
            raise
        return Response(
            serializers.PaymentNoticeTaken({"order": notice.order_number, "status": status}).data
        )
