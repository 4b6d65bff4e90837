"""A till that takes vouchers: what the tests of vouchers share."""

from typing import Any

from campaigns.models import Voucher
from tests import make
from tests.make import Api

DOUYIN, DOUYIN_TOO = "108800000001", "108800000002"
MEITUAN = "208800000001"
TWO_TEAS = {"lines": [{"product": "MT01", "quantity": 2, "options": make.MILK_TEA}]}
"""¥24.00 at SH001."""


def look(till: Api, code: str = DOUYIN, platform: str = "douyin") -> str:
    """Return the id of a voucher that the till has looked at."""
    response = till.post("/vouchers/prepare", {"platform": platform, "code": code})
    assert response.status_code == 200, response.content
    (voucher,) = response.json()["vouchers"]
    return str(voucher["id"])


def verify(till: Api, *ids: str, key: str = "") -> Any:
    """Return the answer to a verify."""
    return till.post("/vouchers/verify", {"vouchers": list(ids)}, key=key)


def verified(till: Api, code: str = DOUYIN, platform: str = "douyin") -> str:
    """Return the id of a verified voucher."""
    voucher = look(till, code, platform)
    response = verify(till, voucher)
    assert response.status_code == 200, response.content
    return voucher


def settle(till: Api, total: int, *ids: str, **more: Any) -> Any:
    """Return the answer to a sale of two teas that vouchers pay for."""
    sale = TWO_TEAS | {"expected_total_cents": total, "pos_order_no": f"V-{'-'.join(ids)[:40]}"}
    return till.post("/pos/settle", sale | {"vouchers": list(ids)} | more)


def row(public_id: str) -> Voucher:
    """Return a voucher's row."""
    return Voucher.objects.get(public_id=public_id)
