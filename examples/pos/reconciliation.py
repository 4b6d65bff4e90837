"""Compares what the till was told during the day with what the server reports afterwards.

Other tills may be busy all the while: only this run's own orders and members are compared, and the
store's totals grow by at least what this run sold.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from pos.client import Api
from pos.journal import Guest, Journal, Sale

COMPARED = (
    "status",
    "member",
    "pos_order_no",
    "payable_cents",
    "paid_cents",
    "refunded_cents",
    "points_spent",
    "pickup_code",
)
NAMES = {
    "earn": "points earned",
    "spend": "points spent",
    "reverse_earn": "points taken back",
    "reverse_spend": "points given back",
}
MONEY = ("orders", "paid_cents", "refunds", "refunded_cents")


@dataclass(slots=True)
class Reconciliation:
    """Totals side by side, for people, and every difference in words."""

    told: Counter[str] = field(default_factory=Counter)
    reported: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def add(self, what: str, *, told: int, reported: int) -> None:
        """Add to both totals; the differences behind them are found one by one."""
        self.told[what] += told
        self.reported[what] += reported


def reconcile(journal: Journal, api: Api) -> Reconciliation:
    """Compare orders, pickup numbers, ledgers and wallets."""
    result = Reconciliation(differences=list(journal.complaints))
    days = sorted({sale.business_date for sale in journal.sales})
    rows = [row for day in days for row in api.pages("orders", "/orders", business_date=day)]
    _compare_orders(journal, rows, result)
    _compare_pickup_numbers(journal, rows, result)
    _compare_members(journal, api, result)
    return result


# --- orders --------------------------------------------------------------------------------------


def _compare_orders(journal: Journal, rows: list[dict[str, Any]], result: Reconciliation) -> None:
    mine = {guest.id for guest in journal.guests}
    reported = {
        row["number"]: row
        for row in rows
        if row["member"] in mine or (row["pos_order_no"] or "").startswith(f"{journal.prefix}-")
    }
    for sale in journal.sales:
        row = reported.get(sale.number)
        if row is None:
            result.differences.append(f"{sale.number}: told, but not reported")
            continue
        for name in COMPARED:
            if row[name] != getattr(sale, name):
                told = getattr(sale, name)
                result.differences.append(f"{sale.number}: {name} told {told}, is {row[name]}")
    for number in reported.keys() - {sale.number for sale in journal.sales}:
        result.differences.append(f"{number}: reported, but nobody was told")
    result.add("orders", told=len(journal.sales), reported=len(reported))
    for name in ("paid_cents", "refunded_cents"):
        result.add(
            name.replace("_cents", ", fen"),
            told=sum(getattr(sale, name) for sale in journal.sales),
            reported=sum(row[name] for row in reported.values()),
        )


def _compare_pickup_numbers(
    journal: Journal, rows: list[dict[str, Any]], result: Reconciliation
) -> None:
    """Between a day's first and last number of ours, the store gave each number once."""
    given: dict[str, Counter[int]] = defaultdict(Counter)
    for row in rows:
        if row["pickup_code"]:
            given[row["business_date"]][_number_of(row["pickup_code"])] += 1
    ours: dict[str, list[int]] = defaultdict(list)
    for sale in journal.sales:
        if sale.pickup_code:
            ours[sale.business_date].append(_number_of(sale.pickup_code))
    for day, numbers in ours.items():
        for number in range(min(numbers), max(numbers) + 1):
            if given[day][number] != 1:
                times = given[day][number]
                result.differences.append(f"pickup number {number} of {day} given {times} times")
    result.add(
        "pickup numbers",
        told=sum(len(set(numbers)) for numbers in ours.values()),
        reported=sum(given[day][number] for day, numbers in ours.items() for number in numbers),
    )


def _number_of(pickup_code: str) -> int:
    """Return 17 for “A017”."""
    match = re.search(r"\d+$", pickup_code)
    return int(match[0]) if match else 0


# --- members -------------------------------------------------------------------------------------


def _compare_members(journal: Journal, api: Api, result: Reconciliation) -> None:
    for guest in journal.guests:
        sales = list(journal.sales_of(guest))
        expected = _expected_entries(sales)
        entries = api.pages("ledger", f"/members/{guest.id}/points/entries")
        found = Counter[tuple[str, str]]()
        for entry in entries:
            found[entry["kind"], entry["source"]] += entry["points"]
        for key in expected.keys() | found.keys():
            if expected[key] != found[key]:
                kind, source = key
                result.differences.append(
                    f"{guest.id}: {kind} of {source} told {expected[key]}, is {found[key]}"
                )
        _compare_balance(guest, expected.total(), api, result)
        told, reported = _by_kind(expected), _by_kind(found)
        for name in NAMES.values():
            result.add(name, told=told[name], reported=reported[name])
        _compare_wallet(guest, sales, api, result)


def _compare_balance(guest: Guest, balance: int, api: Api, result: Reconciliation) -> None:
    held = sum(guest.rewards.values())
    member = api.get("member", f"/members/{guest.id}")
    for name, told in (("points_balance", balance), ("points_held", held)):
        if member[name] != told:
            result.differences.append(f"{guest.id}: {name} told {told}, is {member[name]}")


def _expected_entries(sales: Iterable[Sale]) -> Counter[tuple[str, str]]:
    """Return the ledger that the day's answers amount to, as points per (kind, source)."""
    expected = Counter[tuple[str, str]]()
    for sale in sales:
        if not sale.is_paid:
            continue
        source = f"order:{sale.number}"
        expected["earn", source] += sale.points_earned
        expected["spend", source] -= sale.points_spent
        if sale.reward:
            expected["spend", f"reward:{sale.reward}"] -= sale.reward_points
        before = 0
        for refund in sale.refunds:
            after = before + refund.amount_cents
            is_last = sale.is_refunded_whole and refund is sale.refunds[-1]
            for kind, points in (
                ("reverse_earn", -sale.points_earned),
                ("reverse_spend", sale.points_spent),
            ):
                share = _share(points, sale, after, is_whole=is_last) - _share(points, sale, before)
                expected[kind, f"refund:{refund.number}"] += share
            if is_last and sale.reward:
                key = ("reverse_spend", f"refund:{refund.number}/reward")
                expected[key] += sale.reward_points
            before = after
    return Counter({key: points for key, points in expected.items() if points})


def _share(points: int, sale: Sale, refunded_cents: int, *, is_whole: bool = False) -> int:
    """Return the part of an order's points that follows this much of its money, rounded down."""
    if is_whole:
        return points
    part = abs(points) * refunded_cents // sale.paid_cents if sale.paid_cents else 0
    return part if points > 0 else -part


def _compare_wallet(guest: Guest, sales: Iterable[Sale], api: Api, result: Reconciliation) -> None:
    """What was used is used once; after a whole refund, the coupon's policy decides."""
    rows = api.pages("wallet", f"/members/{guest.id}/coupons", status="redeemed")
    redeemed = {row["code"] for row in rows}
    used, returned = Counter[str](), set[str]()
    for sale in sales:
        if sale.is_refunded_whole:
            returned |= set(sale.coupons)
        elif sale.is_paid:
            used.update(sale.coupons)
    for code in used.keys() - redeemed:
        result.differences.append(f"coupon {code}: told used, is not")
    for code in redeemed - used.keys() - returned:
        result.differences.append(f"coupon {code}: used, but nobody was told")
    for code, times in used.items():
        if times > 1:
            result.differences.append(f"coupon {code}: used on {times} orders")
    result.add(
        "coupons used",
        told=used.total(),
        reported=len(redeemed - (returned - used.keys())),
    )


def _by_kind(entries: Counter[tuple[str, str]]) -> Counter[str]:
    sums = Counter[str]()
    for (kind, _source), points in entries.items():
        sums[NAMES.get(kind, kind)] += abs(points)
    return sums


# --- daily report --------------------------------------------------------------------------------


def read_daily(api: Api, store: str) -> dict[str, Counter[str]]:
    """Return the daily report of the days that a run may fall on."""
    today = date.today()  # noqa: DTZ011 - a day more on each side makes up for any time zone
    since, until = today - timedelta(days=2), today + timedelta(days=3)
    report = api.get("daily report", "/reports/daily", store=store, since=since, until=until)
    return {
        row["business_date"]: Counter({name: row[name] for name in MONEY}) for row in report["rows"]
    }


def compare_daily(
    journal: Journal,
    before: dict[str, Counter[str]],
    after: dict[str, Counter[str]],
    result: Reconciliation,
) -> None:
    """The daily report grew by what we sold; by more only when others sold too."""
    grown = Counter[str]()
    for day, row in after.items():
        for name in MONEY:
            grown[name] += row[name] - before.get(day, Counter[str]())[name]
    paid = [sale for sale in journal.sales if sale.is_paid]
    told = {
        "orders": len(paid),
        "paid_cents": sum(sale.paid_cents for sale in paid),
        "refunds": sum(len(sale.refunds) for sale in paid),
        "refunded_cents": sum(sale.refunded_cents for sale in paid),
    }
    for name in MONEY:
        result.add(f"daily report: {name}", told=told[name], reported=grown[name])
        if grown[name] < told[name]:
            result.differences.append(f"daily report: {name} grew by {grown[name]} only")
    if grown["orders"] == told["orders"] and grown["paid_cents"] != told["paid_cents"]:
        result.differences.append("daily report: our orders, but other money")
