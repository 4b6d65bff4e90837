"""What the till was told, written down as it happens; the day is reconciled from it."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any


@dataclass(slots=True, kw_only=True)
class RefundNote:
    """A refund as the server answered it."""

    number: str
    amount_cents: int


@dataclass(slots=True, kw_only=True)
class Sale:
    """An order as the server answered it last."""

    number: str
    business_date: str
    status: str
    payable_cents: int
    member: str | None
    pos_order_no: str | None = None
    coupons: list[str] = field(default_factory=list)
    reward: str | None = None
    reward_points: int = 0
    paid_cents: int = 0
    refunded_cents: int = 0
    points_spent: int = 0
    points_earned: int = 0
    pickup_code: str = ""
    refunds: list[RefundNote] = field(default_factory=list)

    @property
    def is_paid(self) -> bool:
        """Tell whether money (or points, or a coupon) was taken for it."""
        return self.status not in ("pending", "cancelled")

    @property
    def is_refunded_whole(self) -> bool:
        """Tell whether everything was given back."""
        return self.status == "refunded"

    @property
    def left_cents(self) -> int:
        """Return what can still be refunded."""
        return self.paid_cents - self.refunded_cents

    def update(self, order: dict[str, Any]) -> None:
        """Take over how the server says the order stands now."""
        for name in ("status", "business_date", "paid_cents", "refunded_cents", "pickup_code"):
            setattr(self, name, order[name])


@dataclass(slots=True, kw_only=True)
class Guest:
    """A member this till has registered; nobody else serves them, so their ledger must add up."""

    id: str
    phone: str
    coupons: list[str] = field(default_factory=list)
    rewards: dict[str, int] = field(default_factory=dict)
    """Rewards taken and not used yet: what they hold, in points."""


class Journal:
    """The notes of all tills of one run."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.store = ""
        self.played = 0
        self.sales: list[Sale] = []
        self.guests: list[Guest] = []
        self.complaints: list[str] = []
        self._lock = Lock()

    def add_sale(self, sale: Sale) -> None:
        """Note an order that the server has confirmed."""
        with self._lock:
            self.sales.append(sale)

    def add_guest(self, guest: Guest, *, store: str) -> None:
        """Note a member; members join at the till's own store, which is how it learns its name."""
        with self._lock:
            self.guests.append(guest)
            self.store = store

    def count_order(self) -> None:
        """Count an order that was played to its end."""
        with self._lock:
            self.played += 1

    def complain(self, text: str) -> None:
        """Note an answer that cannot be right; it counts as a difference."""
        with self._lock:
            self.complaints.append(text)

    def sales_of(self, guest: Guest) -> Iterator[Sale]:
        """Yield a member's orders."""
        return (sale for sale in self.sales if sale.member == guest.id)

    def save(self, path: Path) -> None:
        """Write the journal, to be reconciled again later."""
        content = {
            "prefix": self.prefix,
            "store": self.store,
            "played": self.played,
            "sales": [asdict(sale) for sale in self.sales],
            "guests": [asdict(guest) for guest in self.guests],
            "complaints": self.complaints,
        }
        path.write_text(json.dumps(content, indent=1))

    @classmethod
    def read(cls, path: Path) -> "Journal":
        """Return a journal that was saved."""
        content = json.loads(path.read_text())
        journal = cls(content["prefix"])
        journal.store = content["store"]
        journal.played = content["played"]
        journal.complaints = content["complaints"]
        journal.guests = [Guest(**guest) for guest in content["guests"]]
        for sale in content["sales"]:
            sale["refunds"] = [RefundNote(**refund) for refund in sale["refunds"]]
            journal.sales.append(Sale(**sale))
        return journal
