"""Meituan group buying (美团团购): prepare, verify, query and cancel a coupon."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from campaigns.group_buying import signatures
from campaigns.group_buying.protocol import (
    Certificate,
    Claim,
    Finding,
    PlatformOff,
    Prepared,
    Receipt,
    Refused,
    VoucherRefused,
    understood,
)
from shop.kernel import outgoing
from shop.kernel.money import Cents
from shop.kernel.outgoing import NoAnswer

DONE = "OP_SUCCESS"
BUSY = {"OP_SYSTEM_ERROR", "OP_SYSTEM_TIMEOUT"}
DINE_IN_GROUP_BUYING = "1"
CHINA = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, kw_only=True, slots=True)
class Meituan:
    """A client of the catering gateway under our developer id; each shop has its own token.

    A call uses up one coupon, the one whose code it names.
    """

    developer_id: str
    sign_key: str
    shop_tokens: Mapping[str, str] = field(repr=False)
    every_shops_token: str = ""
    url: str = "https://api-open-cater.meituan.com"

    def prepare(self, code: str, *, shop: str) -> Prepared:
        """Ask what a coupon is worth."""
        data = self._done("/tuangou/ng/coupon/msprepare", {"code": code}, shop)
        with understood():
            needed = int(data.get("minConsume") or 1)
            if needed > 1:
                raise VoucherRefused(reason="several-at-once", needed=needed)
            return Prepared(token="", certificates=[_certificate(code, data)])

    def verify(self, claim: Claim, *, is_retry: bool) -> Mapping[str, Receipt | Refused]:
        """Use coupons up."""
        outcomes: dict[str, Receipt | Refused] = {}
        for ref in claim.refs:
            answer = self._call("/tuangou/ng/coupon/msconsume", {"code": ref, "num": 1}, claim.shop)
            outcomes[ref] = _refusal(answer) or Receipt()
        return outcomes

    def query(self, ref: str, *, shop: str) -> Finding:
        """Ask for a coupon and when it was used."""
        data = self._done("/tuangou/coupon/queryById", {"couponCode": ref}, shop)
        used_at = _moment(data.get("couponUseTime"))
        return Finding(receipt=None if used_at is None else Receipt(), used_at=used_at)

    def cancel(self, ref: str, receipt: Receipt, *, shop: str, operator: str) -> Refused | None:
        """Undo a use."""
        asked = {"couponCode": ref, "type": 1, "eId": operator[:32], "eName": operator[:32]}
        answer = self._call("/tuangou/coupon/cancel", asked, shop)
        return _refusal(answer)

    def _done(self, path: str, biz: Mapping[str, Any], shop: str) -> Any:
        answer = self._call(path, biz, shop)
        if (refused := _refusal(answer)) is not None:
            raise VoucherRefused(platform_code=refused.code, platform_message=refused.message)
        with understood():
            return answer["data"]

    def _call(self, path: str, biz: Mapping[str, Any], shop: str) -> Any:
        token = self.shop_tokens.get(shop) or self.every_shops_token
        if not token:
            raise PlatformOff(platform="meituan", shop=shop)
        fields = {
            "developerId": self.developer_id,
            "timestamp": str(int(time.time())),
            "charset": "utf-8",
            "version": "2",
            "businessId": DINE_IN_GROUP_BUYING,
            "appAuthToken": token,
            "biz": json.dumps(biz, ensure_ascii=False, separators=(",", ":")),
        }
        fields["sign"] = signatures.meituan(self.sign_key, fields)
        headers = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}
        body = urlencode(fields).encode()
        return _answer(outgoing.fetch(self.url + path, method="POST", headers=headers, body=body))


def _answer(reply: outgoing.Reply) -> Any:
    try:
        answer = json.loads(reply.body, parse_float=Decimal)
        code = str(answer["code"])
    except (ValueError, KeyError, TypeError) as error:
        raise NoAnswer("not an answer of Meituan") from error
    if code in BUSY:
        raise NoAnswer(f"Meituan is busy ({code})")
    return answer


def _refusal(answer: Any) -> Refused | None:
    """Return why not: the gateway's refusal, or that of the service behind it."""
    if answer["code"] != DONE:
        return Refused(code=str(answer["code"]), message=str(answer.get("msg", ""))[:200])
    data = answer.get("data")
    result = data.get("result") if isinstance(data, dict) else None
    if result in (None, 0):
        return None
    return Refused(code=str(result), message=str(data.get("message", ""))[:200])


def _certificate(code: str, data: Any) -> Certificate:
    price = _cents(data["dealPrice"])
    paid = data.get("couponBuyPrice")
    guest = min(price, _cents(paid)) if paid is not None else price
    return Certificate(
        ref=code,
        identity=code,
        deal=str(data["dealId"]),
        title=str(data["dealTitle"])[:80],
        price_cents=price,
        guest_cents=guest,
        # Which of the two gave the rest is only in the bill; until then it counts as the shop's.
        platform_cents=Cents(0),
        shop_cents=Cents(price - guest),
        expires_at=_moment(data.get("couponEndTime")),
    )


def _cents(yuan: Any) -> Cents:
    """Return an amount that Meituan writes in yuan, as a JSON number."""
    return Cents(int((Decimal(yuan) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)))


def _moment(text: Any) -> datetime | None:
    """Return a time of Meituan's, which is China's and has no offset."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=CHINA)
    except ValueError:
        return None
