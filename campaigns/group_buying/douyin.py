"""Douyin life services (抖音来客): prepare, verify, query and cancel a certificate."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from django.core.cache import cache

from campaigns.group_buying import short_links
from campaigns.group_buying.protocol import (
    Certificate,
    Claim,
    Finding,
    Prepared,
    Receipt,
    Refused,
    VoucherRefused,
    understood,
)
from shop.kernel import outgoing
from shop.kernel.money import Cents
from shop.kernel.outgoing import NoAnswer

PATH = "/goodlife/v1/fulfilment/certificate"
DONE_ON_RETRY = {"0", "1208", "2"}
"""Results that mean "it is used": after a lost answer it was our own first attempt that used it."""
TOKEN_IS_OLD = {"2190002", "2190008"}
BUSY = {"2100004", "2100001", "2190001"}
"""The platform's own troubles: nothing is known about what was asked."""
TOKEN_SPARE_SECONDS = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Douyin:
    """A client of the open platform under our credentials."""

    client_key: str
    client_secret: str
    account_id: str = ""
    url: str = "https://open.douyin.com"
    short_links_at: str = short_links.SHORT_ORIGIN

    def prepare(self, code: str, *, shop: str) -> Prepared:
        """Ask what may be used under a typed code or the link of a scanned one."""
        if short_links.is_link(code):
            named = {"encrypted_data": short_links.object_id(code, origin=self.short_links_at)}
        else:
            named = {"code": code}
        data = self._get("prepare", {**named, "poi_id": shop})
        _ensure_done(data)
        with understood():
            return Prepared(
                token=str(data["verify_token"]),
                certificates=[_certificate(item) for item in data["certificates"]],
            )

    def verify(self, claim: Claim, *, is_retry: bool) -> Mapping[str, Receipt | Refused]:
        """Use certificates up. It worked only where both the whole and the part say so."""
        body: dict[str, Any] = {
            "verify_token": claim.token,
            "poi_id": claim.shop,
            "encrypted_codes": list(claim.refs),
        }
        if self.account_id:
            body["account_id"] = self.account_id
        data = self._post("verify", body)
        if (refused := _refusal(data)) is not None:
            return dict.fromkeys(claim.refs, refused)
        with understood():
            results = data["verify_results"]
            named = {str(item.get("code", "")): item for item in results}
            in_order = dict(zip(claim.refs, results, strict=True))
            return {
                ref: _outcome(named.get(ref, in_order[ref]), is_retry=is_retry)
                for ref in claim.refs
            }

    def query(self, ref: str, *, shop: str) -> Finding:
        """Ask for one certificate and the record of its use."""
        data = self._get("get", {"encrypted_code": ref})
        _ensure_done(data)
        with understood():
            verify = data["certificate"].get("verify")
            if not verify:
                return Finding(receipt=None, used_at=None)
            used_at = datetime.fromtimestamp(int(verify["verify_time"]), tz=UTC)
            return Finding(receipt=_receipt(verify), used_at=used_at)

    def cancel(self, ref: str, receipt: Receipt, *, shop: str, operator: str) -> Refused | None:
        """Undo a use, which Douyin allows for an hour and not after it has settled."""
        named = {"verify_id": receipt.verify_id, "certificate_id": receipt.certificate_id}
        return _refusal(self._post("cancel", named))

    def _get(self, step: str, query: Mapping[str, str]) -> Any:
        return self._call(f"{self.url}{PATH}/{step}/?{urlencode(query)}", None)

    def _post(self, step: str, body: Mapping[str, Any]) -> Any:
        return self._call(f"{self.url}{PATH}/{step}/", orjson.dumps(body))

    def _call(self, url: str, body: bytes | None) -> Any:
        """Return the `data` of an answer; a token that is too old is renewed once."""
        data = self._call_with(self._token(is_fresh=False), url, body)
        if str(data.get("error_code")) in TOKEN_IS_OLD:
            data = self._call_with(self._token(is_fresh=True), url, body)
        return data

    def _call_with(self, token: str, url: str, body: bytes | None) -> Any:
        headers = {"access-token": token, "Content-Type": "application/json"}
        method = "GET" if body is None else "POST"
        return _data(outgoing.fetch(url, method=method, headers=headers, body=body))

    def _token(self, *, is_fresh: bool) -> str:
        """Return the access token that all processes share, or get a new one."""
        name = f"douyin-token:{self.client_key}"
        known: str | None = None if is_fresh else cache.get(name)
        if known is not None:
            return known
        body = {
            "client_key": self.client_key,
            "client_secret": self.client_secret,
            "grant_type": "client_credential",
        }
        headers = {"Content-Type": "application/json"}
        url = f"{self.url}/oauth/client_token/"
        data = _data(outgoing.fetch(url, method="POST", headers=headers, body=orjson.dumps(body)))
        _ensure_done(data)
        with understood():
            token = str(data["access_token"])
            cache.set(name, token, max(int(data["expires_in"]) - TOKEN_SPARE_SECONDS, 1))
            return token


def _data(reply: outgoing.Reply) -> Any:
    try:
        data = orjson.loads(reply.body)["data"]
        code = str(data["error_code"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise NoAnswer("not an answer of Douyin") from error
    if code in BUSY:
        raise NoAnswer(f"Douyin is busy ({code})")
    return data


def _refusal(data: Any) -> Refused | None:
    code = str(data["error_code"])
    if code == "0":
        return None
    return Refused(code=code, message=str(data.get("description", ""))[:200])


def _ensure_done(data: Any) -> None:
    if (refused := _refusal(data)) is not None:
        raise VoucherRefused(platform_code=refused.code, platform_message=refused.message)


def _outcome(item: Any, *, is_retry: bool) -> Receipt | Refused:
    result = str(item["result"])
    if result == "0" or (is_retry and result in DONE_ON_RETRY):
        return _receipt(item)
    message = str(item.get("msg", ""))[:200]
    return Refused(code=result, message=message, is_used=result in DONE_ON_RETRY)


def _receipt(item: Any) -> Receipt:
    verify_id, certificate_id = item.get("verify_id"), item.get("certificate_id")
    return Receipt(
        verify_id=str(verify_id) if verify_id else None,
        certificate_id=str(certificate_id) if certificate_id else None,
    )


def _certificate(item: Any) -> Certificate:
    amount, sku = item["amount"], item["sku"]
    price = int(amount["original_amount"])
    guest = min(int(amount["pay_amount"]), price)
    shop = min(int(amount.get("merchant_ticket_amount") or 0), price - guest)
    ref = str(item["encrypted_code"])
    ends = item.get("expire_time")
    return Certificate(
        ref=ref,
        identity=str(item.get("certificate_id") or ref),
        deal=str(sku["sku_id"]),
        title=str(sku["title"])[:80],
        price_cents=Cents(price),
        guest_cents=Cents(guest),
        platform_cents=Cents(price - guest - shop),
        shop_cents=Cents(shop),
        expires_at=datetime.fromtimestamp(int(ends), tz=UTC) if ends else None,
    )
