"""`/ads/{platform}/clicks`: where ad platforms report clicks, and the click a mini-program names.

The first is not part of the JSON API: its parameters and answer are the platforms' own.
"""

from http import HTTPStatus

import orjson
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import ad_accounts, ad_uploads, click_reports
from campaigns.models import AdPlatform
from shop.kernel import problems
from shop.kernel.errors import InvalidInput, NotFound
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import StrictCharField, StrictSerializer
from shop.models import Member

TAKEN = orjson.dumps({"ret": 0, "code": 0, "msg": "ok"})
"""What the platforms count as taken; without it they report the click again."""


@require_safe
@never_cache
def report(request: HttpRequest, platform: str) -> HttpResponse:
    """Take the report of a click from the account that the address proves it to come from."""
    query = request.GET.dict()
    try:
        account = ad_accounts.find(
            platform, code=query.get("account", ""), key=query.get("key", "")
        )
        click_reports.report(
            account, link_code=query.get("link", ""), query=query, now=timezone.now()
        )
    except NotFound:
        return problems.plain_response(HTTPStatus.NOT_FOUND)
    except InvalidInput as refusal:
        errors = [{**e, "detail": str(e["detail"])} for e in refusal.members["errors"]]
        return problems.plain_response(HTTPStatus.BAD_REQUEST, errors=errors)
    except Error:
        return problems.plain_response(HTTPStatus.SERVICE_UNAVAILABLE)
    return HttpResponse(TAKEN, content_type="application/json")


class AdClickRequest(StrictSerializer):
    """The click of the ad that the mini-program was opened with."""

    platform = serializers.ChoiceField(choices=AdPlatform.choices)
    click_id = StrictCharField(
        min_length=4,
        max_length=300,
        help_text="`gdt_vid` of Tencent Ads, `clickid` of Ocean Engine, from the launch options.",
    )

    def validate_click_id(self, value: str) -> str:
        """Take only what a platform makes."""
        if not click_reports.CLICK_ID.match(value):
            raise serializers.ValidationError("Not a click id.", code="click-id")
        return value


class AdClickTaken(serializers.Serializer[object]):
    """Whether the click counts as this member's; one that another member named before does not."""

    is_yours = serializers.BooleanField()


class MeAdClicksView(APIView):
    """The ads that brought the member who asks."""

    permission_classes = [callers(Kind.MEMBER)]

    @extend_schema(
        operation_id="me_ad_clicks_claim",
        tags=["me"],
        summary="Name the ad click that opened the mini-program",
        description=(
            "A click counts once, for the first member who names it; naming it again changes"
            " nothing, so no Idempotency-Key is needed. It is told to nobody without the consent"
            " `ad_measurement`. 404: no account at this platform. 429 `rate-limited`."
        ),
        request=AdClickRequest,
        responses={200: AdClickTaken},
        examples=[
            OpenApiExample(
                "From a WeChat ad",
                value={"platform": "tencent", "click_id": "wx0abcdefg1234567"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Take the click of an ad."""
        body = AdClickRequest(data=request.data)
        body.is_valid(raise_exception=True)
        member = Member.objects.get(pk=principal_of(request).id)
        click = ad_uploads.claim_click(member, **body.validated_data, now=timezone.now())
        return Response(AdClickTaken({"is_yours": click.member_id == member.pk}).data)
