"""Stored value: members' wallets, topped up and paid out at the counter."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty import pay_codes, queries, stored_value
from loyalty.models import MoneyEntry, StoredValuePlan, StoredValueSale
from loyalty.models.money import PAYMENT_METHODS
from loyalty.stored_value import Desk
from shop import members
from shop.kernel.errors import InvalidInput, NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.money import Cents
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import AmountField, StrictCharField, StrictSerializer
from shop.models import Member, Store
from shop.orders import Tender

MEMBER_ONLY = callers(Kind.MEMBER, scope="")
READ = callers(Kind.TILL, Kind.STAFF, scope="members:read")
SELL = callers(Kind.TILL, scope="orders:write")


class MoneyTenderRequest(StrictSerializer):
    """Money that was taken for stored value: real money only."""

    method = serializers.ChoiceField(choices=PAYMENT_METHODS)
    amount_cents = AmountField()
    provider_ref = StrictCharField(
        max_length=64, required=False, help_text="The provider's number of the payment."
    )


class TopUpRequest(StrictSerializer):
    """A plan, or an amount without a gift; the tenders add up to it."""

    plan = StrictCharField(max_length=32, required=False)
    amount_cents = AmountField(required=False)
    tenders = serializers.ListField(child=MoneyTenderRequest(), min_length=1, max_length=5)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """A plan says the amount."""
        if ("plan" in data) == ("amount_cents" in data):
            raise serializers.ValidationError(
                _("Name a plan or an amount, and not both."), code="ambiguous"
            )
        return data


class PayoutRequest(StrictSerializer):
    """How much principal to pay out: all that is unused when no amount is named."""

    amount_cents = AmountField(required=False)
    method = serializers.ChoiceField(choices=PAYMENT_METHODS, help_text="How it is handed out.")
    reason = StrictCharField(max_length=120, required=False, allow_blank=True, default="")
    code = StrictCharField(
        max_length=16,
        required=False,
        default="",
        help_text="The code on the member's phone; only a frozen member needs none.",
    )


class PayCodeOut(serializers.Serializer[Any]):
    """What to show at the till, and until when."""

    code = serializers.CharField()
    expires_at = serializers.DateTimeField()


class TopUpPlanOut(serializers.ModelSerializer[StoredValuePlan]):
    """What to pay and what comes on top."""

    class Meta:
        model = StoredValuePlan
        fields = ("code", "name_zh", "name_en", "pay_cents", "gift_cents", "gift_valid_days")


class GiftOut(serializers.Serializer[Any]):
    """What is left of one gift; null never expires."""

    balance_cents = serializers.IntegerField()
    expires_at = serializers.DateTimeField(allow_null=True)


class StatementOut(serializers.Serializer[Any]):
    """What a wallet holds."""

    is_on = serializers.BooleanField(help_text="Whether the chain takes and spends stored value.")
    balance_cents = serializers.IntegerField(help_text="Principal and gifts.")
    principal_cents = serializers.IntegerField(help_text="Never expires; can be paid out.")
    gift_cents = serializers.IntegerField(help_text="Is not paid out.")
    gifts = GiftOut(many=True, help_text="The soonest to expire first.")


class MoneyEntryOut(serializers.ModelSerializer[MoneyEntry]):
    """One line of the ledger; the balance is that of its account."""

    account = serializers.IntegerField(source="account_id", help_text="Each gift has its own.")
    part = serializers.CharField(source="account.kind", help_text="`principal` or `gift`.")

    class Meta:
        model = MoneyEntry
        fields = (
            "id",
            "account",
            "part",
            "kind",
            "cents",
            "balance_after_cents",
            "source",
            "occurred_at",
        )


class TopUpOut(serializers.ModelSerializer[StoredValueSale]):
    """A top-up, and what the wallet holds after it."""

    plan = serializers.CharField(source="plan.code", default=None, allow_null=True)
    statement = serializers.SerializerMethodField()

    class Meta:
        model = StoredValueSale
        fields = ("number", "plan", "paid_cents", "gift_cents", "sold_at", "statement")

    def get_statement(self, sale: StoredValueSale) -> StatementOut:
        """Return the wallet as it is now."""
        assert sale.member_id is not None  # noqa: S101 - a top-up has a member
        found = stored_value.statement(sale.member_id, now=sale.sold_at)
        return StatementOut(found).data  # type: ignore[return-value]  # the annotation is the schema's


class PayoutOut(serializers.Serializer[Any]):
    """What to hand out, what of the gifts was lost with it, and what is left."""

    number = serializers.CharField()
    paid_out_cents = serializers.IntegerField()
    forfeited_cents = serializers.IntegerField()
    statement = StatementOut()


def tenders_of(data: list[dict[str, Any]]) -> list[Tender]:
    """Return validated tenders as the flows take them."""
    return [
        Tender(
            method=item["method"],
            amount_cents=Cents(item["amount_cents"]),
            provider_ref=item.get("provider_ref"),
        )
        for item in data
    ]


def desk_of(request: Request) -> Desk:
    """Return the till that calls, as a place where money is taken."""
    principal = principal_of(request)
    store = Store.objects.get(pk=principal.store_id)
    return Desk(store=store, till_id=principal.id, actor=principal.key)


class TopUpPlansView(APIView):
    """The plans on offer."""

    permission_classes = [callers(Kind.TILL, Kind.MEMBER, scope="members:read")]

    @extend_schema(
        operation_id="stored_value_plans_list",
        tags=["stored value"],
        summary="List the top-up plans, smallest first",
        responses={200: TopUpPlanOut(many=True)},
    )
    def get(self, request: Request) -> Response:
        """List plans."""
        plans = StoredValuePlan.objects.filter(is_active=True).order_by("pay_cents", "code")
        return Response(TopUpPlanOut(plans, many=True).data)


class MeStoredValueView(APIView):
    """One's own wallet of money."""

    permission_classes = [MEMBER_ONLY]

    @extend_schema(
        operation_id="me_stored_value",
        tags=["me"],
        summary="Show my stored value: principal, gifts, and until when",
        responses={200: StatementOut},
    )
    def get(self, request: Request) -> Response:
        """Show my stored value."""
        found = stored_value.statement(principal_of(request).id, now=timezone.now())
        return Response(StatementOut(found).data)


class MePayCodeView(APIView):
    """The code by which one's own wallet pays at a till."""

    permission_classes = [MEMBER_ONLY]

    @extend_schema(
        operation_id="me_stored_value_code",
        tags=["me"],
        summary="Get a code that lets the till take money from my wallet, once within a minute",
        description="An earlier code stops working. 409 `member-not-active`.",
        request=None,
        responses={201: PayCodeOut},
    )
    def post(self, request: Request) -> Response:
        """Get a code to pay with."""
        me = Member.objects.get(pk=principal_of(request).id)
        code, expires_at = pay_codes.renew(me, now=timezone.now())
        return Response(PayCodeOut({"code": code, "expires_at": expires_at}).data, status=201)


class MemberStoredValueView(APIView):
    """A member's wallet of money, for tills and staff."""

    permission_classes = [READ]

    @extend_schema(
        operation_id="members_stored_value",
        tags=["stored value"],
        summary="Show a member's stored value",
        responses={200: StatementOut},
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        """Show a member's stored value."""
        member = members.find_visible(member_id, principal_of(request))
        found = stored_value.statement(member.pk, now=timezone.now())
        return Response(StatementOut(found).data)


class MoneyEntriesView(ListAPIView[MoneyEntry]):
    """A wallet of money, entry by entry, newest first."""

    serializer_class = MoneyEntryOut
    filter_backends = ()
    queryset = MoneyEntry.objects.none()  # tells the schema the model

    def member_id(self) -> int:
        """Return whose ledger it is."""
        return principal_of(self.request).id

    def get_queryset(self) -> QuerySet[MoneyEntry]:
        return queries.money_ledger(self.member_id())


class MeMoneyEntriesView(MoneyEntriesView):
    """One's own ledger of money."""

    permission_classes = [MEMBER_ONLY]

    @extend_schema(
        operation_id="me_stored_value_entries",
        tags=["me"],
        summary="List my stored value entries, newest first",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List my entries."""
        return super().get(request, *args, **kwargs)


class MemberMoneyEntriesView(MoneyEntriesView):
    """A member's ledger of money, for tills and staff."""

    permission_classes = [READ]

    def member_id(self) -> int:
        return members.find_visible(self.kwargs["member_id"], principal_of(self.request)).pk

    @extend_schema(
        operation_id="members_stored_value_entries",
        tags=["stored value"],
        summary="List a member's stored value entries, newest first",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List a member's entries."""
        return super().get(request, *args, **kwargs)


class TopUpsView(APIView):
    """Money into a member's wallet."""

    permission_classes = [SELL]

    @extend_schema(
        operation_id="stored_value_top_up",
        tags=["stored value"],
        summary="Top up a member's wallet with money that the till took",
        description=(
            "409 `stored-value-off` unless head office has switched it on; 409"
            " `stored-value-cap-exceeded`, `payment-mismatch`, `payment-ref-taken`,"
            " `member-not-active`. docs/stored-value.md tells the rules."
        ),
        request=TopUpRequest,
        responses={201: TopUpOut},
        examples=[
            OpenApiExample(
                "Pay 100, get 10",
                value={
                    "plan": "pay100get10",
                    "tenders": [{"method": "wechat", "amount_cents": 10000}],
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """Top up a wallet."""
        body = TopUpRequest(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        member = members.find_visible(member_id, principal_of(request))
        plan = None
        if "plan" in data:
            try:
                plan = stored_value.find_plan(data["plan"])
            except NotFound as error:
                text = _("There is no such plan.")
                raise InvalidInput("/plan", text, reason="unknown-plan") from error
        sale = stored_value.top_up(
            member,
            amount_cents=Cents(plan.pay_cents if plan else data["amount_cents"]),
            plan=plan,
            tenders=tenders_of(data["tenders"]),
            desk=desk_of(request),
            now=timezone.now(),
        )
        return Response(TopUpOut(sale).data, status=201)


class PayoutsView(APIView):
    """Unused principal back to the member."""

    permission_classes = [SELL]

    @extend_schema(
        operation_id="stored_value_pay_out",
        tags=["stored value"],
        summary="Pay unused principal out to a member",
        description=(
            "The till hands it out as it says. Gifts are lost in proportion, rounded up. Works when"
            " stored value is off. `code` is the one on the member's phone. 409 `pay-code-wrong`,"
            " `nothing-to-pay-out`, `not-enough-stored-value`."
        ),
        request=PayoutRequest,
        responses={201: PayoutOut},
        examples=[
            OpenApiExample(
                "All of it", value={"method": "cash", "code": "812345678901"}, request_only=True
            )
        ],
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """Pay principal out."""
        body = PayoutRequest(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        member = members.find_visible(member_id, principal_of(request))
        amount = data.get("amount_cents")
        payout = stored_value.pay_out(
            member,
            amount_cents=None if amount is None else Cents(amount),
            note=f"{data['method']} {data['reason']}".strip(),
            desk=desk_of(request),
            now=timezone.now(),
            code=data["code"],
        )
        return Response(PayoutOut(payout).data, status=201)
