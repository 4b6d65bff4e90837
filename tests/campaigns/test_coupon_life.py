"""When coupons begin and end, what never changes about them, and how staff take them back."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import coupons, periods, redemptions, revocations
from campaigns.models import Coupon, CouponDefinition
from shop.kernel.money import Cents
from shop.models import Order
from shop.refunds import RefundRequest
from shop.storefront import checkout, quotes, refunds
from tests import make

pytestmark = pytest.mark.django_db

MS = timedelta(milliseconds=1)
MIDNIGHT = datetime(2026, 7, 18, 16, tzinfo=UTC)
"""The end of 18 July in Shanghai: 30 days after 18 June, on which make.NOON is."""


def refusal(coupon: Coupon, *, now: datetime) -> str | None:
    """Return why a quote of three cups does not take the coupon; None when it does."""
    who = coupon.member
    basket = make.basket(who=who, lines=[make.line(quantity=3)], coupon_codes=[coupon.code])
    refused = quotes.quote(basket, now=now).refusals
    return refused[0].reason if refused else None


class TestTheEndOfACoupon:
    def test_is_local_midnight_after_its_last_day(self) -> None:
        make.definition(valid_days=30)

        coupon = make.coupon(make.member())

        assert coupon.expires_at == MIDNIGHT
        assert refusal(coupon, now=MIDNIGHT - MS) is None
        assert refusal(coupon, now=MIDNIGHT) == "expired"

    def test_comes_on_the_same_day_however_late_it_was_issued(self) -> None:
        make.definition(valid_days=30, per_member_limit=9)
        day = datetime(2026, 6, 18, tzinfo=ZoneInfo("Asia/Shanghai"))
        guest = make.member(now=day)

        first, last = (make.coupon(guest, now=at) for at in (day, day + timedelta(days=1) - MS))

        assert first.expires_at == last.expires_at == MIDNIGHT

    def test_is_on_the_wall_of_the_members_store(self) -> None:
        """Across a change to summer time too: the day has 23 hours, the coupon its days."""
        definition = make.definition(valid_days=1)
        issued = datetime(2026, 3, 28, 12, tzinfo=UTC)

        end = periods.end_of(definition, issued_at=issued, timezone="Europe/Berlin")

        assert end == datetime(2026, 3, 29, 22, tzinfo=UTC)

    def test_until_a_day_is_not_its_first_moment(self) -> None:
        """Peer bug 36: "until 18 June" works at 23:59:59.999 and not at 00:00."""
        midnight = datetime(2026, 6, 19, tzinfo=ZoneInfo("Asia/Shanghai"))
        make.definition(valid_until=midnight, valid_days=30)

        coupon = make.coupon(make.member())

        assert refusal(coupon, now=midnight - MS) is None
        assert refusal(coupon, now=midnight) == "expired"

    def test_stays_where_it_is_when_something_else_is_saved(self, client: Client) -> None:
        """Peer bug 37: each save of a form moved it by the offset from UTC."""
        until = datetime(2027, 1, 1, 12, 34, tzinfo=UTC)
        definition = make.definition(valid_until=until, valid_days=9, valid_from=make.NOON)
        coupon = make.coupon(make.member())
        client.force_login(make.staff_member(group="Head office"))
        page = reverse("admin:campaigns_coupondefinition_change", args=[definition.pk])

        for number in range(3):
            form = client.get(page).context["adminform"].form
            saving = client.post(page, _shown(form) | {"name_en": f"Name {number}"})
            assert saving.status_code == 302, saving.context["adminform"].form.errors

        saved = make.definition()
        assert saved.name_en == "Name 2"
        assert (saved.valid_until, saved.valid_from) == (until, make.NOON)
        assert Coupon.objects.get(pk=coupon.pk).expires_at == coupon.expires_at


def _shown(form: Any) -> dict[str, Any]:
    """Return what a browser would send back of the fields that it was shown."""
    local = timezone.get_current_timezone()
    sent: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        if isinstance(value, datetime):
            at = value.astimezone(local)
            sent |= {f"{bound.html_name}_0": f"{at:%Y-%m-%d}", f"{bound.html_name}_1": f"{at:%T}"}
        elif isinstance(value, bool):
            sent |= {bound.html_name: "on"} if value else {}
        elif isinstance(value, list | tuple):
            sent |= {bound.html_name: value} if value else {}
        elif value is not None:
            sent[bound.html_name] = str(value)
    return sent


class TestACouponIssuedAhead:
    """S49: handed out while a campaign preheats, usable from its start."""

    START = make.NOON + timedelta(days=2)

    def test_is_not_usable_before_its_start(self) -> None:
        make.definition(valid_from=self.START)
        coupon = make.coupon(make.member())

        assert refusal(coupon, now=self.START - MS) == "not-started"
        assert refusal(coupon, now=self.START) is None

    def test_says_when_it_starts(self) -> None:
        make.definition(valid_from=self.START)
        guest = make.member()
        coupon = make.coupon(guest)
        basket = make.basket(who=guest, coupon_codes=[coupon.code])

        (refused,) = quotes.quote(basket, now=make.NOON).refusals

        assert (refused.key, refused.needed) == (coupon.code, self.START.isoformat())

    def test_is_not_held_before_its_start_even_if_a_quote_allowed_it(self) -> None:
        make.definition(valid_from=self.START)
        coupon = make.coupon(make.member())
        order = make.placed(who=coupon.member)

        with pytest.raises(coupons.CouponNotUsable):
            redemptions.hold(order, codes=[coupon.code], now=self.START - MS)

    def test_has_its_days_from_then_on(self) -> None:
        make.definition(valid_from=self.START, valid_days=7)

        coupon = make.coupon(make.member())

        assert coupon.starts_at == self.START
        assert coupon.expires_at == datetime(2026, 6, 27, 16, tzinfo=UTC)  # the 20th and 7 days

    def test_issued_later_starts_at_once(self) -> None:
        make.definition(valid_from=self.START)

        assert make.coupon(make.member(), now=self.START + MS).starts_at is None


class TestTermsOfIssuedCoupons:
    @pytest.mark.parametrize(
        "change",
        [
            {"rule": {"version": 1, "effect": {"kind": "percent_off", "percent_bp": 9000}}},
            {"after_refund": "never"},
            {"partial_return": "reprice"},
            {"is_transferable": True},
        ],
    )
    def test_are_fixed_by_the_database(self, change: dict[str, Any]) -> None:
        before = make.definition()
        make.coupon(make.member())

        with pytest.raises(IntegrityError, match="are fixed"), transaction.atomic():
            make.definition(**change)
        saved = make.definition()
        assert {name: getattr(saved, name) for name in change} == {
            name: getattr(before, name) for name in change
        }

    def test_may_change_while_nobody_has_one(self) -> None:
        assert make.definition(after_refund="never").after_refund == "never"

    def test_are_fixed_in_the_form_too(self, client: Client) -> None:
        definition = make.definition()
        make.coupon(make.member())
        client.force_login(make.staff_member(group="Head office"))
        page = reverse("admin:campaigns_coupondefinition_change", args=[definition.pk])
        form = client.get(page).context["adminform"].form

        answers = _shown(form) | {"after_refund": "never", "is_transferable": "on"}
        saving = client.post(page, answers | {"total_limit": "77"})
        assert saving.status_code == 302, saving.context["adminform"].form.errors

        saved = make.definition()
        assert form.fields["after_refund"].disabled
        assert (saved.after_refund, saved.is_transferable) == ("if_not_expired", False)
        assert saved.total_limit == 77

    def test_leave_room_for_more_coupons_and_more_money(self) -> None:
        make.coupon(make.member())

        more = {"total_limit": 5, "budget_cents": Cents(500), "valid_days": 3}
        saved = make.definition(**more)

        assert (saved.total_limit, saved.budget_cents, saved.valid_days) == (5, 500, 3)


class TestGiving:
    def test_puts_a_coupon_that_nobody_may_claim_into_a_wallet(self) -> None:
        make.definition("WINBACK_6", is_claimable=False)
        guest = make.member()
        office = make.staff(group="Head office")

        given = office.post(
            "/coupon-definitions/WINBACK_6/issues", {"member": str(guest.public_id)}
        )

        assert given.status_code == 201
        coupon = Coupon.objects.get(member=guest, definition__code="WINBACK_6")
        assert (given.json()["code"], coupon.source[:6]) == (coupon.code, "given:")

    def test_keeps_the_limits(self) -> None:
        guest = make.member()
        office = make.staff(group="Head office")
        body = {"member": str(guest.public_id)}
        make.definition(per_member_limit=1)

        codes = [
            office.post("/coupon-definitions/FULL25_5/issues", body).status_code for _ in range(2)
        ]
        make.definition(status="draft")
        drafted = office.post("/coupon-definitions/FULL25_5/issues", body)

        assert codes == [201, 409]
        assert drafted.json()["code"] == "coupon-not-claimable"


class TestRevocation:
    def test_takes_a_coupon_out_of_use_and_says_why(self) -> None:
        coupon = make.coupon(make.member())
        office = make.staff(group="Head office")

        answer = office.post(f"/coupons/{coupon.code}/revocation", {"reason": "by mistake"})

        coupon.refresh_from_db()
        assert (answer.status_code, answer.json()["status"]) == (200, "revoked")
        assert (coupon.status, coupon.revoke_reason) == ("revoked", "by mistake")
        assert coupon.revoked_by.startswith("staff:")
        assert refusal(coupon, now=make.NOON) == "disabled"

    def test_lets_the_order_that_holds_it_be_paid(self) -> None:
        guest = make.member()
        coupon = make.coupon(guest)
        basket = make.basket(who=guest, lines=[make.line(quantity=3)], coupon_codes=[coupon.code])
        order = make.placed(what=basket, total=3100)

        revocations.revoke(coupon, reason="x", actor="test", now=make.NOON)
        paid = make.pay(order)
        refunds.refund_order(
            number=paid.number, request=RefundRequest(), actor="test", now=make.NOON
        )

        coupon.refresh_from_db()
        assert (coupon.status, coupon.held_by) == ("revoked", None)

    def test_of_a_held_one_shows_when_the_order_is_cancelled(self) -> None:
        guest = make.member()
        coupon = make.coupon(guest)
        basket = make.basket(who=guest, lines=[make.line(quantity=3)], coupon_codes=[coupon.code])
        order = make.placed(what=basket, total=3100)

        revocations.revoke(coupon, reason="x", actor="test", now=make.NOON)
        checkout.cancel_order(number=order.number, actor="test", now=make.NOON)

        coupon.refresh_from_db()
        assert coupon.status == "revoked"

    def test_twice_is_refused(self) -> None:
        coupon = make.coupon(make.member())
        office = make.staff(group="Head office")
        path, body = f"/coupons/{coupon.code}/revocation", {"reason": "by mistake"}

        office.post(path, body)

        assert office.post(path, body).json()["code"] == "coupon-not-revocable"

    def test_is_for_the_store_of_the_member(self) -> None:
        coupon = make.coupon(make.member(at="SH001"))

        answer = make.staff("SH002").post(f"/coupons/{coupon.code}/revocation", {"reason": "no"})

        coupon.refresh_from_db()
        assert (answer.status_code, coupon.status) == (404, "available")


class TestACouponThatCameWithAnOrder:
    """S58: the purchase brings a coupon for the next one; whoever returns it has no coupon."""

    @pytest.fixture(autouse=True)
    def _after_each_purchase(self) -> None:
        make.promotion({"kind": "gift_coupon", "coupon": "FULL25_5"}, code="COMEBACK")
        make.definition(per_member_limit=99, is_transferable=True)

    def buy(self) -> tuple[Order, Coupon]:
        order = make.paid(who=make.member()).order
        return order, Coupon.objects.get(source=order.source)

    def refund(self, order: Order) -> None:
        refunds.refund_order(
            number=order.number, request=RefundRequest(), actor="test", now=make.NOON
        )

    def status(self, coupon: Coupon) -> str:
        return Coupon.objects.get(pk=coupon.pk).status

    def test_is_revoked_with_a_refund_before_its_use(self) -> None:
        order, gift = self.buy()

        self.refund(order)

        assert self.status(gift) == "revoked"

    def test_is_revoked_though_another_order_held_it_at_that_time(self) -> None:
        order, gift = self.buy()
        basket = make.basket(
            who=gift.member, lines=[make.line(quantity=3)], coupon_codes=[gift.code]
        )
        waiting = make.placed(what=basket, total=3100)

        self.refund(order)
        checkout.cancel_order(number=waiting.number, actor="test", now=make.NOON)

        assert self.status(gift) == "revoked"

    def test_does_not_come_back_from_an_order_that_used_it(self) -> None:
        order, gift = self.buy()
        basket = make.basket(
            who=gift.member, lines=[make.line(quantity=3)], coupon_codes=[gift.code]
        )
        used_on = make.paid(what=basket, total=3100).order

        self.refund(order)
        assert self.status(gift) == "redeemed"
        self.refund(used_on)

        assert self.status(gift) == "revoked"

    def test_stays_with_a_partial_refund(self) -> None:
        order, gift = self.buy()

        refunds.refund_order(
            number=order.number,
            request=RefundRequest(amount_cents=Cents(100)),
            actor="test",
            now=make.NOON,
        )

        assert self.status(gift) == "available"


def test_a_definition_cannot_end_before_it_starts() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        CouponDefinition.objects.update(valid_from=make.NOON, valid_until=make.NOON)
