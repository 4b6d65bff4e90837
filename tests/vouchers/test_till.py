"""A voucher at the till, from the look to the refund, against the platforms' stand-ins."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.models import Voucher, VoucherDeal
from shop.config.sandbox.server import LOSE, REFUSE, Sandbox
from shop.models import Alert, Order, Payment
from shop.storefront import voucher_desk
from shop.storefront.invariants import suite
from tests import make
from tests.make import Api
from tests.vouchers.till import (
    DOUYIN,
    DOUYIN_TOO,
    MEITUAN,
    TWO_TEAS,
    look,
    row,
    settle,
    verified,
    verify,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(sandbox: Sandbox) -> Api:
    return make.till()


def later(seconds: float) -> int:
    """Run the background task as it would run then."""
    return voucher_desk.resolve(now=timezone.now() + timedelta(seconds=seconds))


class TestPrepare:
    def test_shows_what_the_voucher_is_and_who_bears_its_price(self, till: Api) -> None:
        answer = till.post("/vouchers/prepare", {"platform": "douyin", "code": DOUYIN})

        (voucher,) = answer.json()["vouchers"]
        assert (voucher["status"], voucher["takes_off"]) == ("prepared", "DOUYIN_BOGO")
        assert voucher["price_cents"] == 1200
        borne = [voucher[f"{who}_cents"] for who in ("guest", "platform", "shop")]
        assert borne == [1000, 100, 100]

    def test_uses_nothing_up(self, till: Api, sandbox: Sandbox) -> None:
        look(till)

        assert sandbox.shelf.sold["douyin", DOUYIN].used_at is None

    def test_takes_the_link_of_a_scanned_code(self, till: Api) -> None:
        link = f"https://v.douyin.com/{DOUYIN}/"

        answer = till.post("/vouchers/prepare", {"platform": "douyin", "code": link})

        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "link",
        [
            f"http://v.douyin.com/{DOUYIN}/",
            f"https://v.douyin.com.evil.example/{DOUYIN}/",
            f"https://v.douyin.com@127.0.0.1/{DOUYIN}/",
            f"https://user@v.douyin.com/{DOUYIN}/",
            f"https://v.douyin.com:8443/{DOUYIN}/",
            "https://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
            "https://v.douyin.com:x/",
            "https://v.douyin.com/unknown/",
        ],
    )
    def test_asks_no_other_server(self, till: Api, sandbox: Sandbox, link: str) -> None:
        answer = till.post("/vouchers/prepare", {"platform": "douyin", "code": link})

        assert (answer.status_code, answer.json()["code"]) == (409, "voucher-refused")
        assert [a for a in sandbox.asked if a.path.startswith("/goodlife")] == []

    def test_says_in_the_platforms_words_why_not(self, till: Api) -> None:
        answer = till.post("/vouchers/prepare", {"platform": "douyin", "code": "999"})

        assert answer.status_code == 409
        assert answer.json()["platform_message"] == "券码不存在"

    def test_says_that_the_platform_is_silent(self, till: Api, sandbox: Sandbox) -> None:
        sandbox.trouble("/prepare/", REFUSE)

        answer = till.post("/vouchers/prepare", {"platform": "douyin", "code": DOUYIN})

        assert (answer.status_code, answer.json()["code"]) == (503, "voucher-platform-silent")

    def test_is_refused_where_the_store_has_no_number(self, till: Api) -> None:
        store = make.store()
        store.external_ids = {}
        store.save()

        answer = till.post("/vouchers/prepare", {"platform": "meituan", "code": MEITUAN})

        assert (answer.status_code, answer.json()["code"]) == (409, "voucher-platform-off")

    def test_renews_a_token_that_the_platform_has_forgotten(
        self, till: Api, sandbox: Sandbox
    ) -> None:
        look(till)
        sandbox.douyin.tokens.clear()

        look(till, DOUYIN_TOO)

        tokens = [asked for asked in sandbox.asked if asked.path == "/oauth/client_token/"]
        assert len(tokens) == 2


class TestVerify:
    @pytest.mark.parametrize(("platform", "code"), [("douyin", DOUYIN), ("meituan", MEITUAN)])
    def test_uses_the_voucher_up(
        self, till: Api, sandbox: Sandbox, platform: str, code: str
    ) -> None:
        voucher = look(till, code, platform)

        answer = verify(till, voucher)

        assert answer.json()["vouchers"][0]["status"] == "verified"
        assert sandbox.shelf.sold[platform, code].used_at is not None

    def test_again_with_the_same_key_says_the_same_and_asks_nobody(
        self, till: Api, sandbox: Sandbox
    ) -> None:
        voucher = look(till)
        first = verify(till, voucher, key="same-key-1")
        asked = len(sandbox.asked)

        second = verify(till, voucher, key="same-key-1")

        assert second.json() == first.json()
        assert len(sandbox.asked) == asked

    def test_with_a_key_of_another_voucher_is_refused(self, till: Api) -> None:
        one, other = look(till), look(till, DOUYIN_TOO)
        verify(till, one, key="same-key-2")

        answer = verify(till, other, key="same-key-2")

        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")

    def test_a_second_time_shows_the_first_use(self, till: Api) -> None:
        voucher = verified(till)

        answer = verify(till, voucher)

        first_use = answer.json()["first_use"]
        assert (answer.status_code, answer.json()["code"]) == (409, "voucher-used")
        assert (first_use["voucher"], first_use["store"]) == (voucher, "SH001")

    def test_under_another_look_shows_the_first_use_and_its_order(self, till: Api) -> None:
        first, second = look(till), look(make.till("SH002"))
        verify(till, first)
        sale = settle(till, 1200, first)
        other_till = make.till("SH002")

        refused = verify(other_till, second)

        first_use = refused.json()["first_use"]
        assert refused.status_code == 409
        assert first_use["order"] == sale.json()["order"]["number"]

    def test_of_a_voucher_used_on_another_system_is_refused(
        self, till: Api, sandbox: Sandbox
    ) -> None:
        voucher = look(till)
        sandbox.shelf.use(sandbox.shelf.sold["douyin", DOUYIN], shop="elsewhere")

        answer = verify(till, voucher)

        assert (answer.status_code, answer.json()["code"]) == (409, "voucher-refused")
        assert row(voucher).status == "refused"

    def test_of_a_deal_that_nobody_set_up_is_refused_before_it_is_used(
        self, till: Api, sandbox: Sandbox
    ) -> None:
        VoucherDeal.objects.update(is_active=False)

        answer = verify(till, look(till))

        assert (answer.status_code, answer.json()["code"]) == (409, "voucher-deal-unknown")
        assert sandbox.shelf.sold["douyin", DOUYIN].used_at is None

    def test_is_another_stores_business(self, till: Api) -> None:
        voucher = look(till)

        assert verify(make.till("SH002"), voucher).status_code == 404


class TestLostAnswer:
    @pytest.mark.parametrize(
        ("platform", "code", "call"),
        [("douyin", DOUYIN, "/verify/"), ("meituan", MEITUAN, "/msconsume")],
    )
    def test_of_a_call_that_worked_ends_as_verified(
        self, till: Api, sandbox: Sandbox, platform: str, code: str, call: str
    ) -> None:
        sandbox.trouble(call, LOSE)
        voucher = look(till, code, platform)

        answer = verify(till, voucher)
        unknown = row(voucher).status
        later(6)

        assert (answer.status_code, unknown) == (202, "unknown")
        assert row(voucher).status == "verified"
        calls = [asked for asked in sandbox.asked if asked.path.endswith(call)]
        assert len(calls) == 1  # asked how it stands first, and did not use it a second time

    def test_of_a_call_that_did_nothing_is_made_up_for(self, till: Api, sandbox: Sandbox) -> None:
        sandbox.trouble("/verify/", REFUSE)
        voucher = look(till)

        answer = verify(till, voucher)
        later(6)

        assert answer.status_code == 202
        assert row(voucher).status == "verified"
        assert sandbox.shelf.sold["douyin", DOUYIN].used_at is not None

    def test_followed_by_a_lost_answer_to_the_repeat_keeps_the_platforms_number(
        self, till: Api, sandbox: Sandbox
    ) -> None:
        """The second repeat hears 1208, "used", which then means success."""
        sandbox.trouble("/verify/", REFUSE, LOSE)
        sandbox.trouble("/get/", "", REFUSE)
        voucher = look(till)

        verify(till, voucher)
        later(6)
        later(12)
        later(18)

        assert row(voucher).status == "verified"
        assert row(voucher).verify_id == sandbox.shelf.sold["douyin", DOUYIN].verify_id

    def test_to_a_voucher_that_somebody_else_had_used_ends_as_refused(
        self, till: Api, sandbox: Sandbox
    ) -> None:
        sandbox.trouble("/verify/", REFUSE)
        voucher = look(till)
        sold = sandbox.shelf.sold["douyin", DOUYIN]
        sandbox.shelf.use(sold, shop="elsewhere")
        sold.used_at = int(time.time()) - 3600

        verify(till, voucher)
        later(6)

        assert row(voucher).status == "refused"

    def test_is_asked_for_fourteen_times_and_then_people_are_told(
        self, till: Api, sandbox: Sandbox
    ) -> None:
        sandbox.trouble("/verify/", REFUSE)
        sandbox.trouble("/get/", *[REFUSE] * 20)
        voucher = look(till)

        verify(till, voucher)
        rounds = sum(later(60 * minute) for minute in range(1, 30))

        assert rounds == 14
        assert (row(voucher).status, row(voucher).next_check_at) == ("unknown", None)
        assert Alert.objects.get(code="voucher-unresolved").details["voucher"] == voucher

    def test_is_not_asked_for_while_the_call_may_still_run(self, till: Api) -> None:
        voucher = verified(till)
        row_now = row(voucher)
        row_now.status, row_now.next_check_at = "verifying", timezone.now() + timedelta(seconds=60)
        row_now.save()

        assert later(30) == 0
        assert later(61) == 1


class TestPaying:
    def test_takes_the_deal_off_and_pays_its_price(self, till: Api) -> None:
        voucher = look(till)

        quote = till.post("/quotes", TWO_TEAS | {"vouchers": [voucher]}).json()
        verify(till, voucher)
        sale = settle(till, 1200, voucher)

        assert (quote["subtotal_cents"], quote["total_cents"], quote["due_cents"]) == (
            2400,
            1200,
            0,
        )
        assert [(a["kind"], a["discount_cents"]) for a in quote["applied"]] == [("voucher", 1200)]
        assert sale.status_code == 201
        payment = Payment.objects.get()
        assert (payment.method, payment.amount_cents) == ("voucher", 1200)
        assert str(row(voucher).order) == sale.json()["order"]["number"]
        assert suite.check_all(now=make.NOON).broken == []

    def test_of_a_part_leaves_the_rest_to_cash(self, till: Api) -> None:
        voucher = verified(till, MEITUAN, "meituan")

        sale = settle(till, 2000, voucher)

        assert sale.status_code == 201
        paid = {payment.method: payment.amount_cents for payment in Payment.objects.all()}
        assert paid == {"voucher": 1600, "cash": 400}

    def test_with_two_vouchers_at_once(self, till: Api) -> None:
        one, other = verified(till), verified(till, MEITUAN, "meituan")

        sale = settle(till, 800, one, other)

        assert sale.status_code == 201, sale.content
        paid = sorted(Payment.objects.values_list("method", "amount_cents"))
        assert paid == [("voucher", 0), ("voucher", 800)]

    def test_twice_is_refused(self, till: Api) -> None:
        voucher = verified(till)
        settle(till, 1200, voucher)

        answer = settle(till, 1200, voucher, pos_order_no="V-2")

        assert (answer.status_code, answer.json()["code"]) == (409, "voucher-not-usable")

    def test_before_it_is_verified_is_refused(self, till: Api) -> None:
        answer = settle(till, 1200, look(till))

        assert (answer.status_code, answer.json()["code"]) == (409, "voucher-not-usable")
        assert not Order.objects.exists()

    def test_for_products_that_the_deal_is_not_for_is_refused(self, till: Api) -> None:
        voucher = verified(till)
        one_tea = [{"product": "MT01", "options": make.MILK_TEA}]

        quote = till.post("/quotes", {"lines": one_tea, "vouchers": [voucher]}).json()
        answer = settle(till, 1200, voucher, lines=one_tea)

        (refusal,) = quote["refusals"]
        assert (refusal["code"], refusal["reason"]) == (voucher, "min-qty-not-met")
        assert (answer.status_code, answer.json()["code"]) == (409, "voucher-not-applicable")

    def test_is_not_for_the_till_to_claim(self, till: Api) -> None:
        tenders = [{"method": "voucher", "amount_cents": 2400}]
        sale = TWO_TEAS | {"expected_total_cents": 2400, "pos_order_no": "V-1"}

        answer = till.post("/pos/settle", sale | {"tenders": tenders})

        assert answer.status_code == 400

    def test_is_not_for_members_to_name(self, till: Api) -> None:
        phone = make.phone_of(make.member())

        answer = phone.post("/quotes", TWO_TEAS | {"store": "SH001", "vouchers": [look(till)]})

        assert answer.status_code == 400


class TestCancel:
    @pytest.mark.parametrize(("platform", "code"), [("douyin", DOUYIN), ("meituan", MEITUAN)])
    def test_lets_the_guest_use_it_again(
        self, till: Api, sandbox: Sandbox, platform: str, code: str
    ) -> None:
        voucher = verified(till, code, platform)

        answer = till.post(f"/vouchers/{voucher}/cancel")

        assert answer.json()["vouchers"][0]["status"] == "cancelled"
        assert sandbox.shelf.sold[platform, code].used_at is None
        assert verified(till, code, platform) != voucher

    def test_twice_gives_it_back_once(self, till: Api) -> None:
        voucher = verified(till)
        till.post(f"/vouchers/{voucher}/cancel")

        assert till.post(f"/vouchers/{voucher}/cancel").status_code == 200

    def test_without_an_answer_is_finished_in_the_background(
        self, till: Api, sandbox: Sandbox
    ) -> None:
        voucher = verified(till)
        sandbox.trouble("/cancel/", LOSE)

        answer = till.post(f"/vouchers/{voucher}/cancel")
        later(6)

        assert answer.status_code == 202
        assert row(voucher).status == "cancelled"

    def test_after_it_has_settled_is_refused_and_it_stays_used(
        self, till: Api, sandbox: Sandbox
    ) -> None:
        voucher = verified(till)
        sandbox.shelf.sold["douyin", DOUYIN].is_settled = True

        answer = till.post(f"/vouchers/{voucher}/cancel")

        assert (answer.status_code, answer.json()["code"]) == (409, "voucher-refused")
        assert (row(voucher).status, row(voucher).refusal[:7]) == ("verified", "3000001")

    def test_after_an_hour_is_refused_without_asking(self, till: Api, sandbox: Sandbox) -> None:
        voucher = verified(till)
        an_hour_ago = timezone.now() - timedelta(hours=1)
        Voucher.objects.update(verified_at=an_hour_ago)
        asked = len(sandbox.asked)

        answer = till.post(f"/vouchers/{voucher}/cancel")

        assert answer.json()["reason"] == "too-late"
        assert len(sandbox.asked) == asked

    def test_while_it_pays_for_an_order_is_refused(self, till: Api) -> None:
        voucher = verified(till)
        settle(till, 1200, voucher)

        answer = till.post(f"/vouchers/{voucher}/cancel")

        assert answer.json()["reason"] == "pays-for-an-order"


class TestRefund:
    def test_of_the_whole_order_gives_the_voucher_back(self, till: Api, sandbox: Sandbox) -> None:
        voucher = verified(till)
        number = settle(till, 1200, voucher).json()["order"]["number"]

        refund = till.post(f"/orders/{number}/refunds", {}).json()
        later(1)

        assert (refund["amount_cents"], refund["voucher_cents"]) == (1200, 1200)
        assert row(voucher).status == "cancelled"
        assert sandbox.shelf.sold["douyin", DOUYIN].used_at is None
        assert suite.check_all(now=make.NOON).broken == []

    def test_keeps_a_voucher_whose_deal_says_so(self, till: Api) -> None:
        VoucherDeal.objects.update(after_refund="keep")
        voucher = verified(till)
        number = settle(till, 1200, voucher).json()["order"]["number"]

        till.post(f"/orders/{number}/refunds", {})

        assert later(1) == 0
        assert row(voucher).status == "verified"

    def test_of_a_part_gives_the_cash_back_first(self, till: Api) -> None:
        """¥16 by voucher and ¥4 in cash: of ¥3, ¥3 and ¥14 the cash is 3, 1 and nothing."""
        voucher = verified(till, MEITUAN, "meituan")
        number = settle(till, 2000, voucher).json()["order"]["number"]

        parts = [
            till.post(f"/orders/{number}/refunds", {"amount_cents": cents}).json()["voucher_cents"]
            for cents in (300, 300, 1400)
        ]

        assert parts == [0, 200, 1400]
        assert row(voucher).status == "cancelling"

    def test_that_the_platform_does_not_follow_is_told_to_people(
        self, till: Api, sandbox: Sandbox
    ) -> None:
        voucher = verified(till)
        number = settle(till, 1200, voucher).json()["order"]["number"]
        sandbox.shelf.sold["douyin", DOUYIN].is_settled = True

        till.post(f"/orders/{number}/refunds", {})
        later(1)

        assert row(voucher).status == "verified"
        assert Alert.objects.get(code="voucher-not-given-back").details["voucher"] == voucher
