"""Codes: batches of them, and what staff are told about one."""

from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import batches, codes, queries
from campaigns.api import code_serializers as serializers
from campaigns.api.channels import ensure_head_office
from campaigns.models import CodeBatch, CouponDefinition
from shop.kernel.errors import InvalidInput, NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of

READ = callers(Kind.STAFF, Kind.REPORT, scope="campaigns:read")
WRITE = callers(Kind.STAFF, scope="codes:write")


class CodeBatchesView(ListAPIView[CodeBatch]):
    """Batches of codes; head office makes them."""

    serializer_class = serializers.CodeBatchOut
    queryset = CodeBatch.objects.none()  # tells the schema the model
    filter_backends = ()

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def get_queryset(self) -> QuerySet[CodeBatch]:
        return queries.code_batches()

    @extend_schema(
        operation_id="code_batches_list",
        tags=["codes"],
        summary="List batches of codes, newest first",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List batches."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="code_batches_create",
        tags=["codes"],
        summary="Create a batch of codes",
        description=(
            "The codes of papers are made by the job that the answer names. A word such as TEA2026"
            " is there at once. Head office only."
        ),
        request=serializers.CodeBatchRequest,
        responses={201: serializers.CodeBatchDetail},
        examples=[
            OpenApiExample(
                "Flyers for the metro exit",
                value={
                    "definition": "FULL25_5",
                    "label": "Metro exit 3",
                    "quantity": 10000,
                    "area": "People's Square",
                    "prefix": "TEA",
                    "link": "SH001FLY",
                },
                request_only=True,
            ),
            OpenApiExample(
                "A word for the radio",
                value={
                    "definition": "FULL25_5",
                    "label": "Radio",
                    "kind": "shared",
                    "word": "TEA2026",
                    "quantity": 500,
                },
                request_only=True,
            ),
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Create a batch."""
        body = serializers.CodeBatchRequest(data=request.data)
        body.is_valid(raise_exception=True)
        principal = principal_of(request)
        ensure_head_office(principal)
        data: dict[str, Any] = dict(body.validated_data)
        definition = CouponDefinition.objects.filter(code=data.pop("definition")).first()
        if definition is None:
            text = _("There is no such coupon.")
            raise InvalidInput("/definition", text, reason="unknown-definition")
        if code := data.pop("link", ""):
            data["link"] = queries.visible_links(principal).filter(code=code).first()
            if data["link"] is None:
                text = _("There is no such link.")
                raise InvalidInput("/link", text, reason="unknown-link")
        batch = batches.create(definition, **data, requested_by=principal.key, now=timezone.now())
        return Response(serializers.CodeBatchDetail(_found(batch.pk)).data, status=201)


class CodeBatchView(APIView):
    """One batch."""

    permission_classes = [READ]

    @extend_schema(
        operation_id="code_batches_retrieve",
        tags=["codes"],
        summary="Show a batch: how many codes there are, entered, redeemed",
        responses={200: serializers.CodeBatchDetail},
    )
    def get(self, request: Request, batch_id: int) -> Response:
        """Show a batch."""
        return Response(serializers.CodeBatchDetail(_found(batch_id)).data)


class CodeBatchFileView(APIView):
    """The codes of a batch, for the printer's."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="code_batches_codes",
        tags=["codes"],
        summary="Download the codes of a batch as CSV",
        description="Streamed; each code with what became of it. Head office only.",
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, batch_id: int) -> StreamingHttpResponse:
        """Download the codes."""
        ensure_head_office(principal_of(request))
        batch = _found(batch_id)
        return StreamingHttpResponse(
            batches.as_csv(batch),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="codes-{batch.pk}.csv"'},
        )


class CodeBatchVoidingView(APIView):
    """The end of a batch that was lost or stolen."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="code_batches_void",
        tags=["codes"],
        summary="Make the codes of a batch worthless",
        description=(
            "Coupons that are in wallets already stay. Head office only. 409 `code-batch-voided`."
        ),
        request=None,
        responses={200: serializers.CodeBatchDetail},
    )
    @idempotent
    def post(self, request: Request, batch_id: int) -> Response:
        """Void a batch."""
        ensure_head_office(principal_of(request))
        batches.void(_found(batch_id), now=timezone.now())
        return Response(serializers.CodeBatchDetail(_found(batch_id)).data)


class CouponCodeView(APIView):
    """Why a code does not work, for the people behind the counter."""

    permission_classes = [callers(Kind.TILL, Kind.STAFF, scope="codes:read")]

    @extend_schema(
        operation_id="coupon_codes_retrieve",
        tags=["codes"],
        summary="Tell what became of a code",
        description=(
            "For staff and tills only; members and guests get one answer for every code that does"
            " not work. 404 `coupon-code-unknown`: there is none. 429 `rate-limited` after ten"
            " unknown codes in a minute."
        ),
        responses={200: serializers.CouponCodeState},
    )
    def get(self, request: Request, code: str) -> Response:
        """Tell what became of a code."""
        guesser = f"lookup:{principal_of(request).key}"
        state = codes.inspect(code, guesser=guesser, now=timezone.now())
        return Response(serializers.CouponCodeState(state).data)


def _found(batch_id: int) -> CodeBatch:
    batch = queries.code_batches().filter(pk=batch_id).first()
    if batch is None:
        raise NotFound
    return batch
