"""A stand-in for Douyin's open platform: tokens, certificates, short links."""

import secrets
import time
from typing import Any
from urllib.parse import quote

from campaigns.group_buying.providers import SANDBOX_ID, SANDBOX_SECRET
from shop.config.sandbox.answers import NOT_FOUND, Answer, Asked
from shop.config.sandbox.shelf import Shelf, Sold

PATH = "/goodlife/v1/fulfilment/certificate/"
TOKEN_SECONDS = 7200
CANCEL_SECONDS = 3600
PREPARED_SECONDS = 3600
BAD_TOKEN, BAD_PARAMETER, NOT_CANCELLABLE = 2190008, 2100005, 3000001
USED = 1208


class Douyin:
    """The platform with its state: tokens given out, preparations under way."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.tokens: dict[str, float] = {}
        self.preparations: dict[str, list[str]] = {}
        """For each verify_token: the codes it is for, until it was used."""
        self.finished: dict[str, tuple[list[str], Answer]] = {}
        """What was answered to each verify_token that was used: a repeat gets it again."""
        self.encrypted: dict[str, str] = {}
        """For each encrypted code: the code. A code is encrypted anew in every preparation."""

    def serve(self, asked: Asked) -> Answer:
        """Answer one request."""
        if asked.path == "/oauth/client_token/":
            return self._token(asked)
        if not asked.path.startswith(PATH):
            return NOT_FOUND
        if self.tokens.get(asked.headers.get("access-token", ""), 0) < time.time():
            return _refuse(BAD_TOKEN, "access_token无效")
        steps = {
            ("GET", "prepare/"): self._prepare,
            ("POST", "verify/"): self._verify,
            ("GET", "get/"): self._get,
            ("POST", "cancel/"): self._cancel,
        }
        step = steps.get((asked.method, asked.path.removeprefix(PATH)))
        return step(asked) if step else NOT_FOUND

    def follow(self, asked: Asked) -> Answer:
        """Answer for v.douyin.com: the path of a link is the code of its voucher."""
        code = asked.path.strip("/")
        if self.shelf.find("douyin", code) is None:
            return NOT_FOUND
        target = f"https://www.iesdouyin.com/share/coupon?object_id={quote('obj-' + code)}&from=qr"
        return Answer(status=302, body={}, headers={"Location": target})

    def _token(self, asked: Asked) -> Answer:
        given = asked.json() or {}
        wanted = {
            "client_key": SANDBOX_ID,
            "client_secret": SANDBOX_SECRET,
            "grant_type": "client_credential",
        }
        if given != wanted:
            return _refuse(BAD_PARAMETER, "client_key或client_secret错误")
        token = f"clt.{secrets.token_hex(16)}"
        self.tokens[token] = time.time() + TOKEN_SECONDS
        return _done(access_token=token, expires_in=TOKEN_SECONDS)

    def _prepare(self, asked: Asked) -> Answer:
        code = asked.query.get("code") or asked.query.get("encrypted_data", "").removeprefix("obj-")
        voucher = self.shelf.find("douyin", code)
        if voucher is None or not asked.query.get("poi_id"):
            return _refuse(BAD_PARAMETER, "券码不存在")
        if voucher.used_at is not None:
            return _refuse(USED, "券码已核销")
        token, ref = secrets.token_hex(12), f"CgYI{secrets.token_hex(16)}"
        self.encrypted[ref] = code
        self.preparations[token] = [ref]
        return _done(
            verify_token=token,
            order_id=f"1{code}",
            certificates=[_certificate(voucher) | {"encrypted_code": ref}],
        )

    def _verify(self, asked: Asked) -> Answer:
        body = asked.json() or {}
        token, refs = body.get("verify_token"), body.get("encrypted_codes")
        if token in self.finished and self.finished[token][0] == refs:
            return self._repeat(token)
        if token not in self.preparations or not body.get("poi_id"):
            return _refuse(BAD_PARAMETER, "verify_token无效")
        if not isinstance(refs, list) or not set(refs) <= set(self.preparations[token]):
            return _refuse(BAD_PARAMETER, "encrypted_codes与验券准备不一致")
        del self.preparations[token]
        results = [self._use(ref, shop=body["poi_id"]) for ref in refs]
        answer = _done(verify_results=results)
        self.finished[token] = (refs, answer)
        return answer

    def _repeat(self, token: str) -> Answer:
        """Answer a repeated verify as Douyin does: what is used is said to be used."""
        refs, first = self.finished[token]
        again = [
            {"result": USED, "msg": "已核销", "code": ref} if item["result"] == 0 else item
            for ref, item in zip(refs, first.body["data"]["verify_results"], strict=True)
        ]
        return _done(verify_results=again)

    def _use(self, ref: str, *, shop: str) -> dict[str, Any]:
        voucher = self.shelf.sold["douyin", self.encrypted[ref]]
        if voucher.used_at is not None:
            return {"result": USED, "msg": "已核销", "code": ref}
        self.shelf.use(voucher, shop=shop)
        return {
            "result": 0,
            "msg": "success",
            "code": ref,
            "origin_code": voucher.code,
            "order_id": f"1{voucher.code}",
            "verify_id": voucher.verify_id,
            "certificate_id": voucher.certificate,
        }

    def _get(self, asked: Asked) -> Answer:
        code = self.encrypted.get(asked.query.get("encrypted_code", ""))
        voucher = self.shelf.find("douyin", code or "")
        if voucher is None:
            return _refuse(BAD_PARAMETER, "券码不存在")
        found = _certificate(voucher) | {"status": 1, "code": voucher.code}
        if voucher.used_at is not None:
            found["status"] = 2
            found["verify"] = {
                "verify_id": voucher.verify_id,
                "certificate_id": voucher.certificate,
                "verify_time": voucher.used_at,
                "can_cancel": self._is_cancellable(voucher),
            }
        return _done(certificate=found)

    def _cancel(self, asked: Asked) -> Answer:
        body = asked.json() or {}
        found = [
            voucher
            for voucher in self.shelf.sold.values()
            if voucher.verify_id == body.get("verify_id") != ""
            and voucher.certificate == body.get("certificate_id")
        ]
        if not found:
            return _refuse(BAD_PARAMETER, "核销记录不存在")
        if not self._is_cancellable(found[0]):
            return _refuse(NOT_CANCELLABLE, "已超过可撤销时间")
        self.shelf.give_back(found[0])
        return _done()

    def _is_cancellable(self, voucher: Sold) -> bool:
        used_at = voucher.used_at
        in_time = used_at is not None and time.time() - used_at < CANCEL_SECONDS
        return in_time and not voucher.is_settled


def _certificate(voucher: Sold) -> dict[str, Any]:
    return {
        "certificate_id": voucher.certificate,
        "expire_time": int(time.time()) + 30 * 86400,
        "sku": {
            "sku_id": voucher.deal,
            "title": voucher.title,
            "groupon_type": 1,
            "market_price": voucher.list_price,
            "account_id": SANDBOX_ID,
        },
        "amount": {
            "original_amount": voucher.price,
            "pay_amount": voucher.paid,
            "merchant_ticket_amount": voucher.shop_share,
            "list_market_amount": voucher.list_price,
            "platform_discount_amount": voucher.price - voucher.paid - voucher.shop_share,
            "payment_discount_amount": 0,
            "coupon_pay_amount": voucher.paid,
        },
    }


def _done(**data: Any) -> Answer:
    inner = {"error_code": 0, "description": "success", **data}
    return Answer(body={"data": inner, "message": "success"})


def _refuse(code: int, description: str) -> Answer:
    return Answer(
        body={"data": {"error_code": code, "description": description}, "message": "error"}
    )
