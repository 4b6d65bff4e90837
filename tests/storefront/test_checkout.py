"""The flows of an order, told as short stories."""

import pytest

from campaigns.models import Conversion, Coupon
from loyalty.models import PointsAccount
from shop.kernel.money import Cents
from shop.models import Order
from shop.orders import Tender
from shop.refunds import RefundRequest
from shop.storefront import checkout, refunds
from tests import make

pytestmark = pytest.mark.django_db


def balance(who: object) -> int:
    return PointsAccount.objects.get(member=who, wallet="points").balance


class TestSettleOrder:
    def test_gives_a_pickup_number_and_points_for_what_was_paid(self) -> None:
        guest = make.member()

        receipt = make.paid(who=guest)

        assert receipt.order.pickup_number == 1
        assert receipt.points_earned == 12
        assert balance(guest) == 12
        assert Conversion.objects.get(kind="order").channel.code == "organic"

    def test_uses_a_coupon_once(self) -> None:
        guest = make.member()
        coupon = make.coupon(guest)
        what = make.basket(who=guest, lines=[make.line(quantity=3)], coupon_codes=[coupon.code])

        receipt = make.paid(what=what, total=3100)

        coupon.refresh_from_db()
        assert coupon.status == Coupon.Status.REDEEMED
        assert receipt.order.discount_cents == 500

    def test_pays_half_of_a_bill_with_points(self) -> None:
        guest = make.member()
        make.give_points(guest, 500)

        receipt = make.paid(what=make.basket(who=guest, points=500), total=600)

        assert receipt.points_spent == 300
        assert balance(guest) == 500 - 300 + 6


class TestPayOrder:
    def test_posts_what_placing_held(self) -> None:
        guest = make.member()
        make.give_points(guest, 500)
        order = make.placed(what=make.basket(who=guest, points=500), total=600)

        checkout.pay_order(
            number=order.number,
            tenders=[Tender(method="cash", amount_cents=Cents(600))],
            actor="test",
            now=make.NOON,
        )

        account = PointsAccount.objects.get(member=guest, wallet="points")
        assert (account.balance, account.held) == (206, 0)


class TestRefundOrder:
    def test_two_halves_take_back_as_much_as_the_whole(self) -> None:
        guest = make.member()
        order = make.paid(who=guest).order

        for amount in (Cents(501), Cents(699)):
            refunds.refund_order(
                number=order.number,
                request=RefundRequest(amount_cents=amount),
                actor="test",
                now=make.NOON,
            )

        assert balance(guest) == 0
        assert Order.objects.get(pk=order.pk).status == Order.Status.REFUNDED

    @pytest.mark.parametrize("nothing", [{"lines": []}, {"lines": None}, {"amount_cents": None}])
    def test_that_names_nothing_is_no_whole_refund(self, nothing: dict[str, object]) -> None:
        order = make.paid().order

        response = make.till().post(f"/orders/{order.number}/refunds", nothing)

        assert response.status_code == 400
        assert Order.objects.get(pk=order.pk).refunded_cents == 0
