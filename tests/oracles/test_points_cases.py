"""Points cases of another loyalty system replayed by our rules, and cases of our own beside them.

`loyalty/points_ledger.json` is taken over unchanged, each case with its source and licence.
`POINTS_CASES_DIR` may name another directory of files in the same format.
"""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from loyalty.points_cases import Outcome, judge

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("POINTS_CASES_DIR", Path(__file__).parent / "loyalty"))
CASES: list[dict[str, Any]] = [
    case
    for path in sorted(FOLDER.glob("*ledger*.json"))
    for case in json.loads(path.read_text())["cases"]
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_case_has_the_numbers_of_its_source(case: Any) -> None:
    assert judge(case).outcome == Outcome.PASSED, judge(case)


def earn(points: int, lot: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "earn", "points": points} | ({"lot": lot} if lot else {}) | more


def spend(points: int, **more: Any) -> dict[str, Any]:
    return {"type": "spend", "points": points, **more}


def run(at: str) -> dict[str, Any]:
    return {"type": "expire_run", "at": at}


def clawback(earned: int, key: str = "r1", **more: Any) -> dict[str, Any]:
    return {"type": "clawback", "earned": earned, "key": key, **more}


def redeem(order: str, points: int) -> dict[str, Any]:
    return {"type": "redeem", "order": order, "points": points}


def rollback(order: str) -> dict[str, Any]:
    return {"type": "rollback", "order": order}


HISTORIES: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    (
        "of two lots that expire together the older is drawn first",
        [earn(100, "b", expires="2027-01-01"), earn(100, "a", expires="2027-01-01"), spend(120)],
        {"balance": 80, "lots": {"b": 0, "a": 80}},
    ),
    (
        "of two that never expire too",
        [earn(10, "old"), earn(10, "new"), spend(5)],
        {"lots": {"old": 5, "new": 10}},
    ),
    (
        "age is a matter of time, not of the list",
        [earn(10, "new", at="2026-02-01"), earn(10, "old", at="2026-01-01"), spend(5)],
        {"lots": {"old": 5, "new": 10}},
    ),
    (
        "a lot expires at the very moment it names",
        [earn(10, "a", expires="2026-06-15"), run("2026-06-15")],
        {"balance": 0, "lots": {"a": 0}, "expired_points": [-10]},
    ),
    (
        "not a second before",
        [earn(10, "a", expires="2026-06-15"), run("2026-06-14T23:59:59")],
        {"balance": 10, "lots": {"a": 10}, "expired_points": []},
    ),
    (
        "midnight is that of UTC",
        [earn(10, expires="2026-06-15"), run("2026-06-15T07:59:59+08:00")],
        {"balance": 10, "expired_points": []},
    ),
    (
        "a second run finds nothing",
        [earn(10, expires="2026-06-14"), run("2026-06-15"), run("2026-06-15"), run("2027-01-01")],
        {"balance": 0, "expired_points": [-10]},
    ),
    (
        "each run expires what is due by then",
        [
            earn(10, expires="2026-01-01"),
            earn(20, expires="2026-02-01"),
            run("2026-01-01"),
            run("2026-02-01"),
        ],
        {"balance": 0, "expired_points": [-10, -20]},
    ),
    (
        "an entry for each lot, even when they expire together",
        [earn(10, expires="2026-01-01"), earn(20, expires="2026-01-01"), run("2026-03-01")],
        {"balance": 0, "expired_points": [-20, -10]},
    ),
    (
        "a spent lot has nothing to expire",
        [earn(10, "a", expires="2026-01-01"), spend(10), run("2026-03-01")],
        {"balance": 0, "lots": {"a": 0}, "expired_points": []},
    ),
    (
        "what a run has not taken can be spent",
        [earn(10, expires="2026-01-01", at="2025-06-01"), spend(4, at="2026-02-01")],
        {"balance": 6, "deficit": 0},
    ),
    (
        "a spend beyond the balance is a deficit",
        [earn(50), spend(80)],
        {"balance": -30, "deficit": 30},
    ),
    (
        "a spend out of nothing too",
        [spend(80)],
        {"balance": -80, "deficit": 80},
    ),
    (
        "a credit as large as the deficit leaves an empty lot",
        [spend(80), earn(80, "a")],
        {"balance": 0, "deficit": 0, "lots": {"a": 0}},
    ),
    (
        "a deficit outlives a small credit",
        [spend(80), earn(50, "a"), earn(50, "b")],
        {"balance": 20, "deficit": 0, "lots": {"a": 0, "b": 20}},
    ),
    (
        "a deficit does not expire, and what repaid it neither",
        [spend(80), earn(100, "a", expires="2026-01-01"), run("2026-01-01")],
        {"balance": 0, "lots": {"a": 0}, "expired_points": [-20]},
    ),
    (
        "a run leaves a deficit alone",
        [spend(80), run("2026-01-01")],
        {"balance": -80, "deficit": 80, "expired_points": []},
    ),
    (
        "a clawback of nothing left writes nothing",
        [earn(100), spend(100), clawback(100)],
        {"balance": 0, "clawback_points": []},
    ),
    (
        "or says so with a zero",
        [earn(100), spend(100), clawback(100)],
        {"balance": 0, "clawback_points": [0]},
    ),
    (
        "two clawbacks with keys of their own are two",
        [earn(100), clawback(30, "r1"), clawback(30, "r2")],
        {"balance": 40, "clawback_points": [-30, -30]},
    ),
    (
        "the clamp is the balance at the time",
        [earn(100), spend(60), clawback(30, "r1"), clawback(30, "r2")],
        {"balance": 0, "clawback_points": [-30, -10]},
    ),
    (
        "an expired lot cannot be clawed back too",
        [earn(100, expires="2026-01-01"), run("2026-01-01"), clawback(100)],
        {"balance": 0, "deficit": 0, "expired_points": [-100], "clawback_points": []},
    ),
    (
        "a clawback's key is not an earn's",
        [earn(100, key="o1"), clawback(100, "o1")],
        {"balance": 0, "clawback_points": [-100]},
    ),
    (
        "a repeated earn opens no second lot",
        [earn(100, "a", key="o1"), earn(70, "b", key="o1")],
        {"balance": 100, "lots": {"a": 100, "b": 0}},
    ),
    (
        "a repeated spend takes nothing",
        [earn(100), spend(30, key="o2"), spend(30, key="o2")],
        {"balance": 70},
    ),
    (
        "events without a key are all different",
        [earn(10), earn(10), spend(5), spend(5)],
        {"balance": 10},
    ),
    (
        "nothing earned, nothing spent",
        [earn(0, "a"), spend(0)],
        {"balance": 0, "lots": {"a": 0}},
    ),
    (
        "no events, no points",
        [],
        {"balance": 0, "deficit": 0, "lots": {}, "expired_points": [], "clawback_points": []},
    ),
]
INTO_DEBT: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    (
        "is repaid by later points",
        [earn(100), spend(80), clawback(100), earn(90, "b")],
        {"balance": 10, "deficit": 0, "lots": {"b": 10}, "clawback_points": [-100]},
    ),
    (
        "grows with each clawback",
        [earn(50), spend(50), clawback(30, "r1"), clawback(20, "r2")],
        {"balance": -50, "deficit": 50, "clawback_points": [-30, -20]},
    ),
    (
        "comes after everything that expired",
        [earn(50, expires="2026-01-01"), run("2026-01-01"), clawback(50)],
        {"balance": -50, "expired_points": [-50], "clawback_points": [-50]},
    ),
    (
        "draws soonest-expiring first as long as there is something",
        [
            earn(50, "late", expires="2028-01-01"),
            earn(50, "early", expires="2027-01-01"),
            clawback(60),
        ],
        {"balance": 40, "lots": {"early": 0, "late": 40}},
    ),
]
REDEMPTIONS: list[tuple[str, int, list[dict[str, Any]], dict[str, Any]]] = [
    ("orders are apart", 100, [redeem("a", 30), redeem("b", 30)], {"balance": 40, "redeemed": 60}),
    ("the last takes what is left", 50, [redeem("a", 30), redeem("b", 30)], {"balance": 0}),
    ("rolled back is free again", 50, [redeem("a", 50), rollback("a"), redeem("b", 40)],
     {"balance": 10, "redeemed": 40}),
    ("an order redeems once, rolled back or not", 50, [redeem("a", 50), rollback("a"),
     redeem("a", 50)], {"balance": 50}),
    ("there may be nothing to roll back", 50, [rollback("a"), redeem("a", 20)], {"balance": 30}),
    ("what was had comes back, not what was asked", 50, [redeem("a", 80), rollback("a")],
     {"balance": 50}),
    ("less than nothing is nothing", 50, [redeem("a", -10)], {"balance": 50, "redeemed": 0}),
]  # fmt: skip
PER_YUAN = {"type": "per_amount", "points": 1, "per": 100}
EARNINGS: list[tuple[str, dict[str, Any], int]] = [
    ("half is rounded up", {"rounding": "round", "rules": [PER_YUAN,
     {"type": "multiplier", "multiplier": 1.5}]}, 29),
    ("or down", {"rounding": "floor", "rules": [PER_YUAN,
     {"type": "multiplier", "multiplier": 1.5}]}, 28),
    ("ceil leaves whole numbers alone", {"rounding": "ceil", "rules": [PER_YUAN,
     {"type": "multiplier", "multiplier": 1.0}]}, 19),
    ("a tenth is a tenth", {"rounding": "ceil", "basis_minor": 1000, "rules": [PER_YUAN,
     {"type": "multiplier", "multiplier": 1.1}]}, 11),
    ("multipliers multiply each other", {"rules": [PER_YUAN, {"type": "multiplier",
     "multiplier": 2}, {"type": "multiplier", "multiplier": 3}]}, 114),
    ("and fixed points too, wherever they stand", {"rules": [{"type": "multiplier",
     "multiplier": 2}, PER_YUAN, {"type": "fixed", "points": 5}]}, 48),
    ("each rule is floored, not the sum", {"rules": [{"type": "per_amount", "points": 1,
     "per": 1000}, {"type": "per_amount", "points": 1, "per": 1000}]}, 2),
    ("per nothing earns nothing", {"rules": [{"type": "per_amount", "points": 1, "per": 0}]}, 0),
    ("per unit", {"rules": [{"type": "fixed", "points": 5, "units": 3}]}, 15),
    ("no units, no points", {"rules": [{"type": "fixed", "points": 5, "units": 0}]}, 0),
    ("switched off", {"rules": [{**PER_YUAN, "enabled": False}]}, 0),
    ("not yet", {"rules": [{**PER_YUAN, "starts_at": "2026-06-02"}]}, 0),
    ("from this moment", {"rules": [{**PER_YUAN, "starts_at": "2026-06-01"}]}, 19),
    ("no longer", {"rules": [{**PER_YUAN, "ends_at": "2026-06-01"}]}, 0),
    ("an exclusive rule beats what stacks, though it gives less", {"rules": [PER_YUAN,
     {"type": "fixed", "points": 3, "stackable": False, "priority": 1}]}, 3),
    ("whatever priority the others have", {"rules": [{**PER_YUAN, "priority": 9},
     {"type": "fixed", "points": 3, "stackable": False, "priority": 1}]}, 3),
    ("one that is switched off excludes nothing", {"rules": [PER_YUAN, {"type": "fixed",
     "points": 3, "stackable": False, "priority": 1, "enabled": False}]}, 19),
    ("the first of two equals", {"rules": [{"type": "fixed", "points": 7, "stackable": False},
     {"type": "fixed", "points": 9, "stackable": False}]}, 7),
    ("no rules, no points", {"rules": []}, 0),
    ("nothing paid", {"basis_minor": 0, "rules": [PER_YUAN]}, 0),
]  # fmt: skip
RATE = {"points": 1, "amount_minor": 1, "min_points": 0, "max_percent_of_order": 100}
PAYMENTS: list[tuple[str, dict[str, Any], tuple[int, int]]] = [
    ("at most half the order", {"rule": {**RATE, "max_percent_of_order": 50}}, (500, 500)),
    ("below the minimum", {"requested_points": 99, "rule": {**RATE, "min_points": 100}}, (0, 0)),
    ("at the minimum", {"requested_points": 100, "rule": {**RATE, "min_points": 100}}, (100, 100)),
    ("cut below the minimum by the balance", {"balance": 99, "rule": {**RATE, "min_points": 100}},
     (0, 0)),
    ("cut below the minimum by the order", {"order_total_minor": 150, "rule": {**RATE,
     "min_points": 100, "max_percent_of_order": 50}}, (0, 0)),
    ("in whole multiples", {"requested_points": 199, "rule": {**RATE, "points": 100,
     "amount_minor": 50}}, (100, 50)),
    ("the minimum is asked of the multiple", {"requested_points": 199, "rule": {**RATE,
     "points": 100, "amount_minor": 50, "min_points": 150}}, (0, 0)),
    ("what the order is worth, in multiples", {"order_total_minor": 99, "requested_points": 400,
     "rule": {**RATE, "points": 100, "amount_minor": 50}}, (100, 50)),
    ("never more than the order", {"order_total_minor": 300, "rule": {**RATE,
     "max_percent_of_order": 250}}, (300, 300)),
    ("a share of nothing", {"rule": {**RATE, "max_percent_of_order": 0}}, (0, 0)),
    ("points that are worth nothing", {"rule": {**RATE, "amount_minor": 0}}, (0, 0)),
    ("less than nothing asked", {"requested_points": -5}, (0, 0)),
    ("in debt", {"balance": -5}, (0, 0)),
    ("nothing to pay", {"order_total_minor": 0}, (0, 0)),
]  # fmt: skip
WINDOW = {"date_window": {"from": "2026-11-27T00:00:00", "to": "2026-11-28T00:00:00"}}
CONDITIONS: list[tuple[str, dict[str, Any], bool]] = [
    ("below", {"condition": {"order_total_at_least": 5001}}, False),
    ("the first second", {"condition": WINDOW, "at": "2026-11-27T00:00:00"}, True),
    ("the last second", {"condition": WINDOW, "at": "2026-11-28T00:00:00"}, True),
    ("one second later", {"condition": WINDOW, "at": "2026-11-28T00:00:01"}, False),
    ("before an open window", {"condition": {"date_window": {"from": "2026-11-27"}},
     "at": "2026-11-26T23:59:59"}, False),
    ("after one without a beginning", {"condition": {"date_window": {"to": "2026-11-27"}},
     "at": "2026-11-27T00:00:01"}, False),
    ("open on both sides", {"condition": {"date_window": {}}, "at": "2026-11-27"}, True),
    ("any day", {"condition": {"iso_weekdays": []}, "at": "2026-01-01"}, True),
    ("Sunday is the seventh", {"condition": {"iso_weekdays": [7]}, "at": "2026-01-04"}, True),
    ("everything that is asked", {"condition": {"order_total_at_least": 5000,
     "iso_weekdays": [5]}, "at": "2026-01-01"}, False),
]  # fmt: skip


def case(kind: str, expected: Any, **more: Any) -> dict[str, Any]:
    return {"id": "own", "kind": kind, "expected": expected, "portability": "universal", **more}


OWN = [
    *(case("ledger", expected, events=events, notes=said) for said, events, expected in HISTORIES),
    *(
        case("ledger", expected, events=events, notes=said, clawback_policy="allow_negative")
        for said, events, expected in INTO_DEBT
    ),
    *(
        case("redemption_ledger", expected, opening_balance=opening, operations=done, notes=said)
        for said, opening, done, expected in REDEMPTIONS
    ),
    *(
        case("earning", {"points": points})
        | {"basis_minor": 1999, "rounding": "floor", "now": "2026-06-01", "notes": said, **asked}
        for said, asked, points in EARNINGS
    ),
    *(
        case("redemption", {"points": points, "discount_minor": minor})
        | {"requested_points": 1000, "balance": 5000, "order_total_minor": 1000, "rule": RATE}
        | {"notes": said, **asked}
        for said, asked, (points, minor) in PAYMENTS
    ),
    *(
        case("condition", {"satisfied": yes}, order_total_minor=5000, notes=said, **asked)
        for said, asked, yes in CONDITIONS
    ),
    case(
        "expiring_forecast",
        {"points_expiring": 30},
        notes="what was spent does not expire, what expires at the moment does",
        at="2026-03-01",
        events=[
            earn(50, expires="2026-03-01"),
            earn(50, expires="2026-03-02"),
            earn(50),
            spend(20),
        ],
    ),
]


@pytest.mark.parametrize("own", OWN, ids=lambda own: own["notes"])
def test_our_own_cases(own: dict[str, Any]) -> None:
    assert judge(own).outcome == Outcome.PASSED, judge(own)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kind": "wallet"}, "there is no kind “wallet”"),
        ({"kind": None}, "there is no kind “None”"),
        ({"expected": {}}, "nothing is expected"),
        ({"expected": {"total": 5}}, "expected says “total”"),
        ({"events": None}, "events is missing"),
        ({"events": {}}, "events is no list"),
        ({"events": ["earn"]}, "no event of type “None”"),
        ({"events": [{"type": "gift"}]}, "no event of type “gift”"),
        ({"events": [{"type": "earn"}]}, "points is missing"),
        ({"events": [earn(1.5)]}, "points is no whole number"),
        ({"events": [earn(True)]}, "points is no number"),
        ({"events": [earn("many")]}, "points is no number"),
        ({"events": [earn(float("nan"))]}, "points is no number"),
        ({"events": [earn(5, expires="soon")]}, "expires is no time"),
        ({"events": [earn(5, expires=2027)]}, "expires is no time"),
        ({"events": [earn(5, tier="gold")]}, "earn says “tier”"),
        ({"events": [{"type": "expire_run"}]}, "at is missing"),
        ({"clawback_policy": "never"}, "no clawback_policy “never”"),
        ({"clawback_policy": ["never"]}, "no clawback_policy"),
        ({"events": [{"type": {}}]}, "no event of type"),
        ({"expected": {"lots": 5}}, "lots is no object"),
    ],
)
def test_a_case_that_says_what_we_do_not_know_fails(changes: Any, why: str) -> None:
    verdict = judge(case("ledger", {"balance": 0}, events=[]) | changes)

    assert verdict.outcome == Outcome.FAILED
    assert why in verdict.why


def test_a_rule_of_a_time_needs_to_know_the_time() -> None:
    rule = {"type": "fixed", "points": 5, "starts_at": "2026-01-01"}

    verdict = judge(case("earning", {"points": 0}, basis_minor=100, rules=[rule]))

    assert verdict.why == "cannot be read: now is missing"


LATE = "9999-12-31T23:59:59-12:00"
ODDITIES: list[Any] = [None, True, -1, 10**30, 1e400, "", LATE, [], [[]], {}, {"a": 1}]


def spoilt(value: Any) -> Iterator[Any]:
    """Yield a value with every part of it, one at a time, left out or replaced by an oddity."""
    yield from ODDITIES
    if not isinstance(value, dict | list):
        return
    for key in value if isinstance(value, dict) else range(len(value)):
        rest = value.copy()
        del rest[key]
        yield rest
        for odd in spoilt(value[key]):
            changed = value.copy()
            changed[key] = odd
            yield changed


def test_no_case_is_so_odd_that_judging_it_crashes() -> None:
    odd_ones = [odd for one in CASES[::3] for odd in spoilt(one) if isinstance(odd, dict)]

    judged = {judge(odd).outcome for odd in odd_ones}

    assert judged == {Outcome.PASSED, Outcome.FAILED}


@pytest.mark.parametrize(
    "wrong",
    [
        case("ledger", {"balance": 1}, events=[]),
        case("ledger", {"lots": {"a": 9}}, events=[earn(10, "a")]),
        case("ledger", {"lots": {"b": 10}}, events=[earn(10, "a")]),
        case("ledger", {"expired_points": [-9]}, events=[earn(10, expires="2026-01-01"),
             run("2026-01-01")]),
        case("ledger", {"clawback_points": [-5, -5]}, events=[earn(10), clawback(10)]),
        case("expiring_forecast", {"points_expiring": 1}, events=[], at="2026-01-01"),
        case("redemption_ledger", {"redeemed": 1}, opening_balance=0, operations=[]),
        case("earning", {"points": 1}, basis_minor=0, rules=[], now="2026-01-01"),
        case("condition", {"satisfied": False}, condition={}),
    ],
    ids=lambda wrong: wrong["kind"],
)  # fmt: skip
def test_a_wrong_number_is_found(wrong: Any) -> None:
    verdict = judge(wrong)

    assert verdict.outcome == Outcome.FAILED
    assert len(verdict.mismatches) == 1


def test_the_rules_need_no_django() -> None:
    code = "import sys, loyalty.points_cases; sys.exit('django' in sys.modules)"

    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)  # noqa: S603

    assert found.returncode == 0


class TestCommand:
    def test_needs_no_database(self) -> None:
        without = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        path = ROOT / "tests" / "oracles" / "loyalty" / "points_ledger.json"

        found = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "manage.py", "replay_points", path, path],
            cwd=ROOT,
            env=without,
            capture_output=True,
            text=True,
            check=False,
        )

        assert found.stdout.splitlines()[-1] == "80 passed, 0 failed, 0 skipped"
        assert found.returncode == 0

    def test_prints_each_mismatch_and_fails(self, tmp_path: Path) -> None:
        path = tmp_path / "cases.json"
        wrong = case("ledger", {"balance": 4, "deficit": 0}, events=[earn(10), spend(5)])
        unknown = case("wallet", {"balance": 4}) | {"id": "odd"}
        quirk = case("wallet", {}) | {"portability": "source_quirk", "notes": "half points"}
        path.write_text(json.dumps({"cases": [wrong, unknown, quirk]}))
        out = io.StringIO()

        with pytest.raises(SystemExit) as caught:
            call_command("replay_points", str(path), stdout=out)

        assert caught.value.code == 2
        assert out.getvalue().splitlines() == [
            "own: balance: expected 4, got 5 – earned 10; spent 5 from 5 of #0",
            "odd: cannot be read: there is no kind “wallet”; there are ledger, expiring_forecast,"
            " redemption_ledger, earning, redemption, condition",
            "own: skipped, the source has another rule: half points",
            "0 passed, 2 failed, 1 skipped",
        ]

    def test_a_case_that_comes_out_otherwise_is_a_failure(self, tmp_path: Path) -> None:
        path = tmp_path / "cases.json"
        wrong = case("ledger", {"balance": 4, "deficit": 0}, events=[earn(10), spend(5)])
        path.write_text(json.dumps([wrong]))

        with pytest.raises(SystemExit) as caught:
            call_command("replay_points", str(path), stdout=io.StringIO())

        assert caught.value.code == 1

    @pytest.mark.parametrize(
        "text", ["", "{", "{}", '{"cases": [1]}', '{"cases": {}}', "7", "\xff"]
    )
    def test_a_file_must_hold_cases(self, tmp_path: Path, text: str) -> None:
        """One that is not there neither; the others are judged all the same."""
        path, good = tmp_path / "cases.json", tmp_path / "good.json"
        path.write_text(text, encoding="latin-1")
        good.write_text(json.dumps([case("ledger", {"balance": 5}, events=[earn(10), spend(5)])]))
        files = [str(path), str(tmp_path / "nowhere.json"), str(good)]
        out, err = io.StringIO(), io.StringIO()

        with pytest.raises(SystemExit) as caught:
            call_command("replay_points", *files, stdout=out, stderr=err)

        assert caught.value.code == 2
        assert err.getvalue().count("is no file of cases") == 2
        assert out.getvalue() == "1 passed, 0 failed, 0 skipped\n"
