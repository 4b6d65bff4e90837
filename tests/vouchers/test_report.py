"""The report of vouchers: what stands, who bore it, what it paid."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shop.config.sandbox.server import Sandbox
from tests import make
from tests.make import Api
from tests.vouchers.till import DOUYIN_TOO, MEITUAN, settle, verified

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(sandbox: Sandbox) -> Api:
    return make.till()


def rows(reader: Api, **query: str) -> list[dict[str, Any]]:
    today = timezone.now().date()
    period = {"since": str(today - timedelta(days=1)), "until": str(today + timedelta(days=2))}
    answer = reader.get("/reports/vouchers", **period | query)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


class TestVouchersReport:
    def test_says_who_bore_the_price_and_what_was_paid(self, till: Api) -> None:
        """Two of ¥12 (guest 10, platform 1, shop 1), one on an order: ¥12 off and ¥12 paid."""
        settle(till, 1200, verified(till))
        verified(till, DOUYIN_TOO)

        (row,) = rows(make.report_reader())

        assert (row["store"], row["platform"], row["vouchers"]) == ("SH001", "douyin", 2)
        borne = [row[f"{who}_cents"] for who in ("price", "guest", "platform", "shop")]
        assert borne == [2400, 2000, 200, 200]
        assert (row["paid_cents"], row["discount_cents"]) == (1200, 1200)

    def test_counts_what_went_back_apart(self, till: Api) -> None:
        voucher = verified(till, MEITUAN, "meituan")
        till.post(f"/vouchers/{voucher}/cancel")

        (row,) = rows(make.report_reader())

        assert (row["vouchers"], row["cancelled"], row["price_cents"]) == (0, 1, 0)

    def test_shows_other_stores_nothing(self, till: Api) -> None:
        verified(till)

        assert rows(make.report_reader("SH002")) == []

    def test_is_had_as_csv(self, till: Api) -> None:
        verified(till)

        answer = make.report_reader().get("/reports/vouchers", format="csv")

        header = answer.content.decode("utf-8-sig").splitlines()[0]
        assert header.startswith("store,platform,deal,title")
