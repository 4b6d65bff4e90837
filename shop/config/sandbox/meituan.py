"""A stand-in for Meituan's catering gateway: signed forms, one coupon at a time."""

import time
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from campaigns.group_buying import signatures
from campaigns.group_buying.providers import SANDBOX_ID, SANDBOX_SECRET
from shop.config.sandbox.answers import NOT_FOUND, Answer, Asked, flat
from shop.config.sandbox.shelf import Shelf, Sold

FIXED = {
    "developerId": SANDBOX_ID,
    "charset": "utf-8",
    "version": "2",
    "businessId": "1",
    "appAuthToken": SANDBOX_ID,
}
FRESH_SECONDS = 600
CANCEL_SECONDS = 3600
CHINA = ZoneInfo("Asia/Shanghai")


class Meituan:
    """The gateway; what it has sold is on the shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def serve(self, asked: Asked) -> Answer:
        """Answer one request."""
        steps = {
            "/tuangou/ng/coupon/msprepare": self._prepare,
            "/tuangou/ng/coupon/msconsume": self._consume,
            "/tuangou/coupon/queryById": self._query,
            "/tuangou/coupon/cancel": self._cancel,
        }
        step = steps.get(asked.path)
        if step is None or asked.method != "POST":
            return NOT_FOUND
        form = flat(asked.body.decode())
        if wrong := _fault(form):
            return _refuse("OP_SIGN_ERROR", wrong)
        return step(orjson.loads(form["biz"]))

    def _prepare(self, biz: dict[str, Any]) -> Answer:
        voucher = self.shelf.find("meituan", str(biz.get("code", "")))
        if voucher is None or voucher.used_at is not None:
            return _refuse("OP_BIZ_ERROR", "券码不存在或已使用")
        return _done(
            {
                "result": 0,
                "message": "",
                "count": 1,
                "minConsume": 1,
                "couponCode": voucher.code,
                "couponEndTime": "2099-12-31",
                "couponBuyPrice": voucher.paid / 100,
                "dealId": int(voucher.deal),
                "dealTitle": voucher.title,
                "dealPrice": voucher.price / 100,
                "dealValue": voucher.list_price / 100,
                "vourcher": True,
            }
        )

    def _consume(self, biz: dict[str, Any]) -> Answer:
        voucher = self.shelf.find("meituan", str(biz.get("code", "")))
        if voucher is None or biz.get("num") != 1:
            return _refuse("OP_BIZ_ERROR", "券码不存在")
        if voucher.used_at is not None:
            return _done({"result": 1, "message": "券码已使用"})
        self.shelf.use(voucher, shop=SANDBOX_ID)
        return _done({"result": 0, "couponCodes": [voucher.code], "dealId": int(voucher.deal)})

    def _query(self, biz: dict[str, Any]) -> Answer:
        voucher = self.shelf.find("meituan", str(biz.get("couponCode", "")))
        if voucher is None:
            return _refuse("OP_BIZ_ERROR", "券码不存在")
        return _done(
            {
                "couponCode": voucher.code,
                "couponStatusDesc": "已使用" if voucher.used_at else "未使用",
                "couponUseTime": _time(voucher),
                "couponCancelStatus": int(self._is_cancellable(voucher)),
                "dealId": int(voucher.deal),
            }
        )

    def _cancel(self, biz: dict[str, Any]) -> Answer:
        voucher = self.shelf.find("meituan", str(biz.get("couponCode", "")))
        if voucher is None or biz.get("type") != 1 or not biz.get("eId") or not biz.get("eName"):
            return _refuse("OP_BIZ_ERROR", "参数错误")
        if not self._is_cancellable(voucher):
            return _done({"result": 1, "message": "不可撤销"})
        self.shelf.give_back(voucher)
        return _done({"result": 0, "message": "撤销成功"})

    def _is_cancellable(self, voucher: Sold) -> bool:
        used_at = voucher.used_at
        in_time = used_at is not None and time.time() - used_at < CANCEL_SECONDS
        return in_time and not voucher.is_settled


def _fault(form: dict[str, str]) -> str:
    """Return what is wrong with a form; nothing when it is as agreed and signed."""
    if any(form.get(name) != value for name, value in FIXED.items()):
        return "参数错误"
    sent = form.get("timestamp", "")
    if not sent.isdigit() or abs(time.time() - int(sent)) > FRESH_SECONDS:
        return "timestamp错误"
    if not signatures.is_same(signatures.meituan(SANDBOX_SECRET, form), form.get("sign", "")):
        return "签名错误"
    return ""


def _time(voucher: Sold) -> str:
    if voucher.used_at is None:
        return ""
    return f"{datetime.fromtimestamp(voucher.used_at, tz=UTC).astimezone(CHINA):%F %T}"


def _done(data: dict[str, Any]) -> Answer:
    return Answer(body={"code": "OP_SUCCESS", "msg": "success", "data": data, "traceId": "sandbox"})


def _refuse(code: str, message: str) -> Answer:
    return Answer(body={"code": code, "msg": message, "traceId": "sandbox"})
