"""Tencent Ads (腾讯广告): click reports by macro, results through `user_actions/add` of v3.0."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from campaigns.ad_platforms.protocol import (
    FIRST_ORDER,
    ORDER,
    REFUND,
    REGISTRATION,
    ClickReport,
    Credentials,
    Result,
    UploadRefused,
)
from shop.kernel import outgoing
from shop.kernel.outgoing import NoAnswer

URL = "https://api.e.qq.com"
PATH = "/v3.0/user_actions/add"
MACROS = {
    "click_id": "__CLICK_ID__",
    "click_time": "__CLICK_TIME__",
    "adgroup_id": "__ADGROUP_ID__",
    "account_id": "__ACCOUNT_ID__",
}
ACTIONS = {
    REGISTRATION: "REGISTER",
    FIRST_ORDER: "PURCHASE",
    ORDER: "PURCHASE",
    REFUND: "RE_FUND",
}
BUSY = {"11017", "11018", "51000", "30103"}
"""Too often, or their own trouble: nothing is known about what was asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tencent:
    """A client of the Marketing API under an access token of ours."""

    credentials: Credentials
    url: str = URL

    def takes(self, event: str) -> bool:
        """Tell whether Tencent has an action type for this event."""
        return event in ACTIONS

    def upload(self, result: Result) -> Mapping[str, Any]:
        """Add a user action; `outer_action_id` makes a repeat count once there.

        Raises:
            UploadRefused, NoAnswer
        """
        body = self._body(result)
        query = urlencode(
            {
                "access_token": self.credentials.token,
                "timestamp": str(int(time.time())),
                "nonce": secrets.token_hex(16),
            }
        )
        reply = outgoing.fetch(
            f"{self.url}{PATH}?{query}",
            method="POST",
            headers={"Content-Type": "application/json"},
            body=orjson.dumps(body),
        )
        _ensure_done(reply)
        return body

    def _body(self, result: Result) -> dict[str, Any]:
        action: dict[str, Any] = {
            "outer_action_id": result.id,
            "action_time": int(result.occurred_at.timestamp()),
            "action_type": ACTIONS[result.event],
            "trace": {"click_id": result.click_id},
            "channel": "TENCENT",
        }
        if result.page_url:
            action["url"] = result.page_url
        if result.value_cents is not None:
            action["action_param"] = {"value": result.value_cents, "quantity": 1}
        if result.phone_hash:
            action["user_id"] = {"sha256_phone": result.phone_hash}
        return {
            "account_id": _number(self.credentials.account_id),
            "user_action_set_id": _number(self.credentials.action_set_id),
            "actions": [action],
        }


def read_click(query: Mapping[str, str]) -> ClickReport:
    """Return the click of a report; the time is in seconds, or in milliseconds."""
    return ClickReport(
        click_id=query.get("click_id", ""),
        ad_id=query.get("adgroup_id", ""),
        clicked_at=moment(query.get("click_time", "")),
    )


def moment(text: str) -> datetime | None:
    """Return a Unix time of seconds or milliseconds.

    >>> moment("1763971200") == moment("1763971200000")
    True
    """
    if not (text.isascii() and text.isdigit()) or len(text) not in {10, 13}:
        return None
    return datetime.fromtimestamp(int(text[:10]), tz=UTC)


def _ensure_done(reply: outgoing.Reply) -> None:
    try:
        answer = orjson.loads(reply.body)
        code = str(answer["code"])
        message = str(answer.get("message_cn") or answer.get("message") or "")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise NoAnswer("not an answer of Tencent Ads") from error
    if code in BUSY:
        raise NoAnswer(f"Tencent Ads is busy ({code})")
    if code != "0":
        raise UploadRefused(code=code, message=message)


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text
