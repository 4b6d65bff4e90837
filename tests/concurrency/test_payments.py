"""Many hands on one order: it is paid once, cancelled or paid, refunded to the last fen at most."""

from collections import Counter
from functools import partial

from campaigns.models import Coupon, CouponRedemption
from loyalty import plan_orders
from loyalty.models import MembershipPlan, PlanPurchase, PointsAccount, PointsEntry
from shop.kernel.money import Cents, Points
from shop.models import Order, Payment, PickupCounter, Refund
from shop.orders import Tender
from shop.payments import Notice
from shop.refunds import RefundRequest
from shop.storefront import checkout, refunds
from shop.storefront.payments import receive_payment
from tests import make
from tests.concurrency.crowd import answers, at_once, outcome, outcomes, told

CASH_1200 = {"tenders": [{"method": "cash", "amount_cents": 1200}]}


def pay(order: Order, total: int = 1200) -> None:
    checkout.pay_order(
        number=order.number,
        tenders=[Tender(method="cash", amount_cents=Cents(total))],
        actor="test",
        now=make.NOON,
    )


def refund(order: Order, request: RefundRequest) -> None:
    refunds.refund_order(number=order.number, request=request, actor="test", now=make.NOON)


class TestPaymentOfOneOrder:
    def test_is_taken_once_from_a_guest_however_many_tills_report_it(self) -> None:
        """The row lock of `orders.lock` holds it; without it a guest pays twice.

        Peer bugs 57, 59.
        """
        till = make.till()
        order = make.placed()

        said = answers(
            [partial(till.post, f"/orders/{order.number}/payment", CASH_1200) for _ in range(10)]
        )

        assert said == {"200": 1, "409 order-not-payable": 9}
        assert Payment.objects.filter(order=order).count() == 1
        assert PickupCounter.objects.get().last_number == 1

    def test_gives_a_member_points_once(self) -> None:
        """The row lock of `orders.lock` again; without it the ledger's unique key turns the second
        payment into a crash. Peer bugs 19, 21.
        """
        guest = make.member()
        till = make.till()
        order = make.placed(who=guest)
        other_draft = make.placed(who=guest)

        said = answers(
            [partial(till.post, f"/orders/{order.number}/payment", CASH_1200) for _ in range(10)]
        )

        assert said == {"200": 1, "409 order-not-payable": 9}
        assert PointsEntry.objects.filter(account__wallet="points").count() == 1
        assert PointsAccount.objects.get(member=guest, wallet="points").balance == 12
        other_draft.refresh_from_db()
        assert other_draft.status == Order.Status.PENDING


class TestProvidersCallback:
    def test_delivered_five_times_while_the_till_takes_cash_pays_the_order_once(self) -> None:
        """The row lock of `orders.lock`; without it the order is paid twice, or a delivery crashes.

        Whichever is second is told so: the till by a refusal, the provider by its money coming
        back. Peer bugs 57, 58, 59.
        """
        for number in range(4):
            order = make.placed(who=make.member())
            notice = Notice(
                order_number=order.number, amount_cents=Cents(1200), provider_ref=f"P-{number}"
            )
            deliver = partial(receive_payment, notice, method="sandbox", now=make.NOON)

            said = at_once([outcome(partial(pay, order)), *[outcome(deliver)] * 5])

            late = 1 if said[0] == "done" else 0
            assert said[0] in {"done", "order-not-payable"}
            assert said[1:] == ["done"] * 5
            assert Payment.objects.filter(order=order, is_orphan=False).count() == 1
            assert Payment.objects.filter(order=order, is_orphan=True).count() == late
            assert PointsEntry.objects.filter(source=order.source, kind="earn").count() == 2


class TestPaymentAndCancellation:
    def test_at_once_leave_an_order_either_paid_or_cancelled_with_all_it_held(self) -> None:
        """The row lock of `orders.lock` holds it; without it both go through, or one crashes
        because the coupon and the points it counted on are gone. Peer bugs 5, 6.
        """
        for _round in range(6):
            guest = make.member()
            make.give_points(guest, 300)
            coupon = make.coupon(guest)
            what = make.basket(
                who=guest,
                lines=[make.line(quantity=3)],
                coupon_codes=[coupon.code],
                points=Points(100),
            )
            order = make.placed(what=what, total=2900)
            cancel = partial(
                checkout.cancel_order, number=order.number, actor="test", now=make.NOON
            )

            said = outcomes([partial(pay, order, 2900), cancel, cancel])

            order.refresh_from_db()
            coupon.refresh_from_db()
            account = PointsAccount.objects.get(member=guest, wallet="points")
            if order.status == Order.Status.PAID:
                assert said == {"done": 1, "order-not-cancellable": 2}
                assert coupon.status == Coupon.Status.REDEEMED
                assert (account.balance, account.held) == (200 + 29, 0)
            else:
                assert said == {
                    "done": 1,
                    "order-not-payable": 1,
                    "order-not-cancellable": 1,
                }
                assert coupon.status == Coupon.Status.AVAILABLE
                assert (account.balance, account.held) == (300, 0)
                assert not CouponRedemption.objects.filter(order=order).exists()


class TestRefundOfOneOrder:
    def test_happens_once_when_ten_ask_for_all_of_it(self) -> None:
        """The row lock of `orders.lock` holds it; without it each of the ten reads an order that
        was not refunded yet, and only a check of the database stops the money. Peer bug 16.
        """
        guest = make.member()
        till = make.till()
        order = make.paid(who=guest).order

        said = answers(
            [partial(till.post, f"/orders/{order.number}/refunds", {}) for _ in range(10)]
        )

        assert said == {"201": 1, "409 order-not-refundable": 9}
        assert [row.amount_cents for row in Refund.objects.filter(order=order)] == [1200]
        assert PointsAccount.objects.get(member=guest, wallet="points").balance == 0

    def test_by_amounts_stops_at_what_was_paid(self) -> None:
        """The row lock of `orders.lock`; without it more than 1200 goes out."""
        order = make.paid().order
        request = RefundRequest(amount_cents=Cents(300))

        said = outcomes([partial(refund, order, request) for _ in range(10)])

        order.refresh_from_db()
        assert said["done"] == 4
        assert set(said) <= {"done", "refund-too-large", "order-not-refundable"}
        assert sum(row.amount_cents for row in Refund.objects.filter(order=order)) == 1200
        assert (order.refunded_cents, order.status) == (1200, Order.Status.REFUNDED)

    def test_by_pieces_stops_at_what_was_sold(self) -> None:
        """The row lock of `orders.lock`; without it the same cup comes back twice."""
        guest = make.member()
        what = make.basket(who=guest, lines=[make.line(quantity=3)])
        order = make.paid(what=what, total=3600).order
        request = RefundRequest(quantities={1: 1})

        said = outcomes([partial(refund, order, request) for _ in range(8)])

        order.refresh_from_db()
        assert said["done"] == 3
        assert (order.refunded_cents, order.lines.get().refunded_quantity) == (3600, 3)
        assert PointsAccount.objects.get(member=guest, wallet="points").balance == 0

    def test_while_it_is_being_paid_finds_it_either_unpaid_or_paid(self) -> None:
        """Paying is one transaction: a refund sees it done, or not at all. Peer bug 58."""
        for _round in range(4):
            guest = make.member()
            order = make.placed(who=guest)

            paid, refunded = at_once(
                [
                    outcome(partial(pay, order)),
                    outcome(partial(refund, order, RefundRequest())),
                ]
            )

            order.refresh_from_db()
            left = 0 if refunded == "done" else 12
            assert paid == "done"
            assert refunded in {"done", "order-not-refundable"}
            assert order.refunded_cents == (1200 if refunded == "done" else 0)
            assert PointsAccount.objects.get(member=guest, wallet="points").balance == left


class TestSaleUnderOneTillNumber:
    def test_is_one_order_however_many_keys_it_is_sent_with(self) -> None:
        """The unique key (store, pos_order_no) holds it; without it all ten are booked.

        Peer bugs 18, 19.
        """
        guest = make.member()
        till = make.till()
        sale = {
            "member": str(guest.public_id),
            "lines": [{"product": "MT01", "options": make.MILK_TEA}],
            "expected_total_cents": 1200,
            "pos_order_no": "T1-0001",
        }

        responses = at_once([partial(till.post, "/pos/settle", sale) for _ in range(10)])

        assert Counter(map(told, responses)) == {"201": 1, "409 pos-order-no-taken": 9}
        order = Order.objects.get()
        refused = [r.json() for r in responses if r.status_code == 409]
        assert {body["order_number"] for body in refused} == {order.number}
        assert PointsAccount.objects.get(member=guest, wallet="points").balance == 12


class TestPaymentOfAMembership:
    def test_begins_one_period_however_often_the_provider_says_it_at_once(self) -> None:
        """The row lock of `plan_orders.pay` holds it; without it all but one crash on the key of
        the payment instead of answering that it is paid.
        """
        guest = make.member()
        plan = MembershipPlan.objects.create(
            code="card", name_zh="卡", name_en="Card", price_cents=Cents(1990), days=30
        )
        number = plan_orders.place(
            plan.code, member=guest, price_cents=Cents(1990), now=make.NOON
        ).number
        notice = Notice(order_number=number, amount_cents=Cents(1990), provider_ref="WX-1")

        said = outcomes([partial(plan_orders.pay, notice, method="sandbox", now=make.NOON)] * 6)

        assert said == {"done": 6}
        assert PlanPurchase.objects.count() == 1
