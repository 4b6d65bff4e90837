"""Ocean Engine (巨量引擎, Douyin and Toutiao): click reports by macro, results through API v2.

A result is recognised by its click's `callback`, a sealed text only the platform can make; the API
knows no other credential. Where an account has been given a token, it goes along as a header.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from campaigns.ad_platforms.protocol import (
    FIRST_ORDER,
    ORDER,
    REGISTRATION,
    ClickReport,
    Credentials,
    Result,
    UploadRefused,
)
from campaigns.ad_platforms.tencent import moment
from shop.kernel import outgoing
from shop.kernel.outgoing import NoAnswer

URL = "https://analytics.oceanengine.com"
PATH = "/api/v2/conversion"
MACROS = {
    "callback": "__CALLBACK_PARAM__",
    "ts": "__TS__",
    "promotion_id": "__PROMOTION_ID__",
    "advertiser_id": "__ADVERTISER_ID__",
}
EVENTS = {REGISTRATION: "active_register", FIRST_ORDER: "active_pay", ORDER: "active_pay"}
BUSY = {"500", "503", "50000", "40100", "40110"}
"""Too often, or their own trouble: nothing is known about what was asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OceanEngine:
    """A client of the conversion API."""

    credentials: Credentials
    url: str = URL

    def takes(self, event: str) -> bool:
        """Tell whether Ocean Engine has an event for this; it knows no refunds."""
        return event in EVENTS

    def upload(self, result: Result) -> Mapping[str, Any]:
        """Report a conversion; `outer_event_id` makes a repeat count once there.

        Raises:
            UploadRefused, NoAnswer
        """
        body = _body(result)
        headers = {"Content-Type": "application/json"}
        if self.credentials.token:
            headers["Access-Token"] = self.credentials.token
        reply = outgoing.fetch(
            self.url + PATH, method="POST", headers=headers, body=orjson.dumps(body)
        )
        _ensure_done(reply)
        return body


def read_click(query: Mapping[str, str]) -> ClickReport:
    """Return the click of a report: its callback is the id by which results are told."""
    return ClickReport(
        click_id=query.get("callback", "") or query.get("clickid", ""),
        ad_id=query.get("promotion_id", "") or query.get("aid", ""),
        clicked_at=moment(query.get("ts", "")),
    )


def _body(result: Result) -> dict[str, Any]:
    body: dict[str, Any] = {
        "event_type": EVENTS[result.event],
        "context": {"ad": {"callback": result.click_id, "match_type": 0}},
        "timestamp": int(result.occurred_at.timestamp() * 1000),
        "outer_event_id": result.id,
    }
    if result.value_cents is not None:
        body["properties"] = {"pay_amount": result.value_cents}
    return body


def _ensure_done(reply: outgoing.Reply) -> None:
    try:
        answer = orjson.loads(reply.body)
        code = str(answer["code"])
        message = str(answer.get("message") or answer.get("msg") or "")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise NoAnswer("not an answer of Ocean Engine") from error
    if code in BUSY:
        raise NoAnswer(f"Ocean Engine is busy ({code})")
    if code != "0":
        raise UploadRefused(code=code, message=message)
