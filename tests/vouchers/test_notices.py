"""What Douyin tells us: proven, taken once, and believed only as far as to ask."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.group_buying import signatures
from campaigns.group_buying.providers import SANDBOX_SECRET
from campaigns.models import Voucher
from shop.config.sandbox.server import LOSE, REFUSE, Sandbox
from shop.kernel.models import InboundCallback
from tests import make
from tests.make import Api
from tests.vouchers.till import DOUYIN, look, row, verify

pytestmark = pytest.mark.django_db
PATH = "/vouchers/callbacks/douyin"


@pytest.fixture(autouse=True)
def _platforms(sandbox: Sandbox) -> None:
    """Have the sandbox's secret."""


def tell(notice: dict[str, Any], *, secret: str = SANDBOX_SECRET, message_id: str = "m-1") -> Any:
    raw = json.dumps(notice).encode()
    signature = signatures.douyin_webhook(secret, raw)
    headers = {"X-Douyin-Signature": signature, "Msg-Id": message_id}
    return Api().client.generic("POST", f"/api/v1{PATH}", raw, "application/json", headers=headers)


def call(*, age: timedelta = timedelta(), body: bytes = b'{"event":"spi"}') -> Any:
    sent_ms = int((timezone.now() - age).timestamp() * 1000)
    query = {"client_key": "sandbox", "timestamp": str(sent_ms)}
    sign = signatures.douyin_life(SANDBOX_SECRET, query, body)
    return Api().client.generic(
        "POST",
        f"/api/v1{PATH}",
        body,
        "application/json",
        query_params=query,
        headers={"x-life-sign": sign},
    )


class TestWebhook:
    def test_echoes_the_challenge(self) -> None:
        answer = tell({"event": "verify_webhook", "content": {"challenge": 12345}})

        assert answer.json() == {"challenge": 12345}

    def test_under_another_secret_is_refused(self) -> None:
        answer = tell({"event": "verify_webhook", "content": {"challenge": 1}}, secret="other")

        assert (answer.status_code, answer.json()["code"]) == (401, "notice-refused")

    def test_is_kept_once_however_often_it_comes(self) -> None:
        first = tell({"event": "notice", "content": "{}"})
        second = tell({"event": "notice", "content": "{}"})

        assert first.json() == second.json()
        assert InboundCallback.objects.get().external_id == "m-1"

    def test_makes_us_ask_about_the_voucher_it_names(self, sandbox: Sandbox) -> None:
        sandbox.trouble("/verify/", LOSE)
        till = make.till()
        voucher = look(till)
        verify(till, voucher)
        in_an_hour = timezone.now() + timedelta(hours=1)
        Voucher.objects.update(next_check_at=in_an_hour)
        certificate = sandbox.shelf.sold["douyin", DOUYIN].certificate

        tell({"event": "used", "content": json.dumps({"certificate_id": certificate})})

        next_check = row(voucher).next_check_at
        assert next_check is not None
        assert next_check < in_an_hour

    def test_changes_no_state_by_itself(self, sandbox: Sandbox) -> None:
        sandbox.trouble("/verify/", REFUSE)
        till = make.till()
        voucher = look(till)
        verify(till, voucher)
        certificate = sandbox.shelf.sold["douyin", DOUYIN].certificate

        tell({"event": "used", "content": {"certificates": [{"certificate_id": certificate}]}})

        assert row(voucher).status == "unknown"


class TestServiceInterface:
    def test_is_served_when_signed(self) -> None:
        assert call().json() == {"data": {"error_code": 0, "description": "success"}}

    def test_is_refused_when_it_is_old(self) -> None:
        assert call(age=timedelta(minutes=6)).status_code == 401

    def test_is_refused_when_its_body_was_changed(self) -> None:
        query = {"client_key": "sandbox", "timestamp": "1"}
        sign = signatures.douyin_life(SANDBOX_SECRET, query, b"{}")

        answer = Api().client.generic(
            "POST",
            f"/api/v1{PATH}",
            b'{"event":"x"}',
            "application/json",
            query_params=query,
            headers={"x-life-sign": sign},
        )

        assert answer.status_code == 401
