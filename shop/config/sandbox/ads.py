"""Stand-ins for Tencent Ads and Ocean Engine: they take results of clicks, if all is in order.

What each has taken is kept by our id, so that a repeat counts once, as it does there.
"""

import time
from typing import Any

from campaigns.ad_platforms.providers import SANDBOX_TOKEN
from shop.config.sandbox.answers import NOT_FOUND, Answer, Asked

FRESH_SECONDS = 300
MOST_ACTIONS = 50
MOST_NONCE = 32
ACTION_TYPES = {"REGISTER", "PURCHASE", "COMPLETE_ORDER", "RE_FUND"}
EVENT_TYPES = {"active_register", "active_pay", "in_app_order"}
CLICK_LENGTH = 64


class AdPlatforms:
    """Both platforms; `refusals` holds what they say next instead of taking a result."""

    def __init__(self) -> None:
        self.taken: dict[str, dict[str, Any]] = {}
        self.times: dict[str, int] = {}
        self.nonces: set[str] = set()
        self.refusals: list[tuple[int, str]] = []

    def refuse_next(self, code: int, message: str) -> None:
        """Refuse the next result with this code."""
        self.refusals.append((code, message))

    def tencent(self, asked: Asked) -> Answer:
        """Answer `POST /v3.0/user_actions/add`."""
        if asked.method != "POST" or asked.path != "/v3.0/user_actions/add":
            return NOT_FOUND
        wrong = self._tencent_fault(asked)
        if wrong is not None:
            return _said(*wrong)
        for action in asked.json()["actions"]:
            self._take(action["outer_action_id"], {"platform": "tencent", **action})
        return _said(0, "")

    def oceanengine(self, asked: Asked) -> Answer:
        """Answer `POST /api/v2/conversion`."""
        if asked.method != "POST" or asked.path != "/api/v2/conversion":
            return NOT_FOUND
        body = asked.json() or {}
        wrong = self._oceanengine_fault(asked, body)
        if wrong is not None:
            return _said(*wrong)
        self._take(body["outer_event_id"], {"platform": "oceanengine", **body})
        return _said(0, "success")

    def _take(self, our_id: str, told: dict[str, Any]) -> None:
        self.taken.setdefault(our_id, told)
        self.times[our_id] = self.times.get(our_id, 0) + 1

    def _tencent_fault(self, asked: Asked) -> tuple[int, str] | None:
        """Return what is wrong: the token, the time, the nonce, or the body."""
        query = asked.query
        sent, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if query.get("access_token") != SANDBOX_TOKEN:
            return 11000, "access_token错误"
        if not sent.isdigit() or abs(time.time() - int(sent)) > FRESH_SECONDS:
            return 11002, "timestamp错误"
        if not 0 < len(nonce) <= MOST_NONCE or nonce in self.nonces:
            return 11003, "nonce错误"
        self.nonces.add(nonce)
        if self.refusals:
            return self.refusals.pop(0)
        return None if _is_body(asked.json()) else (18001, "参数错误")

    def _oceanengine_fault(self, asked: Asked, body: Any) -> tuple[int, str] | None:
        token = asked.headers.get("Access-Token")
        if token is not None and token != SANDBOX_TOKEN:
            return 40105, "Access-Token错误"
        if self.refusals:
            return self.refusals.pop(0)
        callback = body.get("context", {}).get("ad", {}).get("callback")
        is_right = (
            body.get("event_type") in EVENT_TYPES
            and isinstance(callback, str)
            and bool(callback)
            and isinstance(body.get("timestamp"), int)
            and body["timestamp"] > 10**12
            and isinstance(body.get("outer_event_id"), str)
        )
        return None if is_right else (40000, "参数错误")


def _is_body(body: Any) -> bool:
    if not isinstance(body, dict):
        return False
    actions = body.get("actions")
    numbers = body.get("account_id"), body.get("user_action_set_id")
    return (
        all(isinstance(number, int) for number in numbers)
        and isinstance(actions, list)
        and 0 < len(actions) <= MOST_ACTIONS
        and all(map(_is_action, actions))
    )


def _is_action(action: Any) -> bool:
    phone = action.get("user_id", {}).get("sha256_phone", "0" * 64)
    return (
        action.get("action_type") in ACTION_TYPES
        and 0 < len(action.get("trace", {}).get("click_id", "")) <= CLICK_LENGTH
        and isinstance(action.get("action_time"), int)
        and str(action.get("outer_action_id", "")).replace("_", "").isalnum()
        and len(phone) == 64
    )


def _said(code: int, message: str) -> Answer:
    return Answer(body={"code": code, "message": message, "message_cn": message})
