"""Kinds that tell a history: what happened to a wallet, and what it must hold in the end."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from loyalty import lots
from loyalty.lots import Clawback, Wallet
from loyalty.points_cases.words import (
    Unreadable,
    moment,
    one_of,
    part,
    parts,
    required,
    required_moment,
    type_of,
    whole,
)
from shop.kernel.cases import Case

POLICIES = {
    "clamp_to_zero": Clawback.WITHIN_BALANCE,
    "allow_negative": Clawback.ALLOW_DEBT,
    **{policy.value: policy for policy in Clawback},
}
"""The words of others, and our own, for how far a refund takes points back."""
EVENT_WORDS = {
    "earn": {"type", "key", "at", "points", "expires", "lot"},
    "spend": {"type", "key", "at", "points"},
    "expire_run": {"type", "key", "at"},
    "clawback": {"type", "key", "at", "earned"},
}
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(kw_only=True, slots=True)
class History:
    """A wallet and what its events wrote."""

    policy: Clawback
    wallet: Wallet = field(default_factory=Wallet)
    names: dict[str, int] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)
    expired: list[int] = field(default_factory=list)
    clawed: list[int] = field(default_factory=list)
    story: list[str] = field(default_factory=list)

    def happen(self, event: Case) -> None:
        """Do what one event says; a key that its kind had before was delivered twice."""
        kind, key = event["type"], event.get("key")
        if key is not None:
            if (kind, str(key)) in self.seen:
                self.story.append(f"{kind} {key} again: ignored")
                return
            self.seen.add((kind, str(key)))
        match kind:
            case "earn":
                self._earn(event)
            case "spend":
                self._spend(whole(event, "points"))
            case "expire_run":
                self._expire(required_moment(event, "at"))
            case "clawback":
                self._claw_back(whole(event, "earned"))

    def left_in(self, name: str) -> int:
        """Return what is left in a lot; one that was never opened holds nothing."""
        return self.wallet.lots[self.names[name]].remaining if name in self.names else 0

    def _earn(self, event: Case) -> None:
        points = whole(event, "points")
        if points <= 0:
            return
        lot = self.wallet.credit(points, expires_at=moment(event, "expires"))
        self.names.setdefault(str(event.get("lot", f"#{lot.id}")), lot.id)
        repaid = f", {points - lot.remaining} of it repaid debt" if lot.remaining < points else ""
        self.story.append(f"earned {points}{repaid}")

    def _spend(self, points: int) -> None:
        if points > 0:
            drawn = self.wallet.debit(points)
            self.story.append(f"spent {points} from {self._named(drawn)}")

    def _expire(self, at: datetime) -> None:
        lost = self.wallet.expire(at=at)
        self.expired += [-drawn.points for drawn in lost]
        self.story.append(f"expired {self._named(lost)}")

    def _claw_back(self, earned: int) -> None:
        balance = self.wallet.balance
        taken = lots.claw_back(max(earned, 0), pending=0, available=balance, policy=self.policy)
        if taken.from_balance > 0:
            self.wallet.debit(taken.from_balance)
            self.clawed.append(-taken.from_balance)
        self.story.append(f"clawed back {taken.from_balance} of {earned}")

    def _named(self, drawn: list[lots.Draw]) -> str:
        names = {number: name for name, number in self.names.items()}
        named = [f"{part.points} of {names.get(part.lot_id, '?')}" for part in drawn]
        return ", ".join(named) or "nothing"


def ledger(case: Case) -> tuple[dict[str, Any], str]:
    """Return what a wallet holds after its events, by the words expected of it."""
    history = _history(case)
    expected = case["expected"]
    got: dict[str, Any] = {
        "balance": history.wallet.balance,
        "deficit": history.wallet.deficit,
        # Which lot of one run comes first, and an entry of no points, mean nothing.
        "expired_points": sorted(history.expired),
        "clawback_points": history.clawed,
        "lots": {name: history.left_in(name) for name in _named_lots(expected)},
    }
    return got, "; ".join(history.story)


def _named_lots(expected: Case) -> Iterable[str]:
    lots = expected.get("lots") or {}
    if not isinstance(lots, Mapping):
        raise Unreadable(f"lots is no object: {lots!r}")
    return lots


def expiring_forecast(case: Case) -> tuple[dict[str, Any], str]:
    """Return how many of the points left will have expired at a moment."""
    history = _history(case)
    soon = lots.expiring(history.wallet.lots, at=required_moment(case, "at"))
    return {"points_expiring": soon}, "; ".join(history.story)


def _history(case: Case) -> History:
    name = case.get("clawback_policy") or "clamp_to_zero"
    history = History(policy=POLICIES[one_of(POLICIES, name, "clawback_policy")])
    for event in _in_time_order(parts(case, "events")):
        history.happen(event)
    return history


def _in_time_order(events: list[Any]) -> list[Case]:
    """Return the events by time; one without a time happens right after the one before it."""
    latest, timed = LONG_AGO, []
    for event in events:
        kind = type_of(event, EVENT_WORDS, "event of type")
        latest = moment(part(event, kind, EVENT_WORDS[kind]), "at") or latest
        timed.append((latest, event))
    return [event for _at, event in sorted(timed, key=lambda pair: pair[0])]


def redemption_ledger(case: Case) -> tuple[dict[str, Any], str]:
    """Return what redeeming on orders, and rolling that back, leave of a balance."""
    wallet, story = Wallet(), []
    wallet.credit(max(whole(case, "opening_balance"), 0))
    redeemed: dict[str, list[lots.Draw]] = {}
    rolled_back: set[str] = set()
    for operation in _operations(case):
        order = str(required(operation, "order"))
        if operation["type"] == "redeem" and order not in redeemed:
            points = max(min(whole(operation, "points"), wallet.balance), 0)
            redeemed[order] = wallet.debit(points)
            story.append(f"{order} redeemed {points}")
        elif operation["type"] == "rollback" and order in redeemed and order not in rolled_back:
            rolled_back.add(order)
            points = sum(drawn.points for drawn in redeemed[order])
            for back in lots.restore(redeemed[order], returned=0, points=points, now=LONG_AGO):
                wallet.credit(back.points, expires_at=back.expires_at)
            story.append(f"{order} got {points} back")
        else:
            story.append(f"{operation['type']} of {order}: nothing to do")
    standing = [drawn for order in redeemed.keys() - rolled_back for drawn in redeemed[order]]
    got = {"balance": wallet.balance, "redeemed": sum(drawn.points for drawn in standing)}
    return got, "; ".join(story)


def _operations(case: Case) -> Iterator[Case]:
    words = {"redeem": {"type", "order", "points"}, "rollback": {"type", "order"}}
    for operation in parts(case, "operations"):
        kind = type_of(operation, words, "operation of type")
        yield part(operation, kind, words[kind])
