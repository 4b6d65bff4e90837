"""The command that judges price cases, and the words that no case of ours happens to use."""

import copy
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from campaigns.price_cases import Outcome, Verdict, judge

ROOT = Path(__file__).parents[2]
PROMOTIONS = ROOT / "tests" / "oracles" / "promotions"


def promotion(kind: str, **more: Any) -> dict[str, Any]:
    return {"id": "P1", "rank": 1, "stacking": "stackable", "type": kind, "limits": {}, **more}


def case(
    *promotions: dict[str, Any],
    off: int,
    prices: tuple[int, ...] = (1000,),
    more: dict[str, Any] | None = None,
    **expected: Any,
) -> dict[str, Any]:
    """Return a case with a line for each price: products p1, p2, … in category c1."""
    subtotal = sum(prices)
    return {
        "id": "case",
        "cart": [
            {
                "line": number,
                "sku": f"p{number}",
                "unit_price_minor": price,
                "qty": 1,
                "category": ["c1", f"c{number + 1}"],
            }
            for number, price in enumerate(prices, start=1)
        ],
        "promotions": list(promotions),
        "semantics": {},
        "expected": {
            "subtotal_minor": subtotal,
            "discount_minor": off,
            "total_minor": subtotal - off,
            **expected,
        },
        "portability": "universal",
        "default_semantics": {
            "total_matches": True,
            "lines_match": True,
            "rejections_match": True,
        },
        **(more or {}),
    }


HALF = {"value": 50}


class TestJudge:
    @pytest.mark.parametrize(
        "judged",
        [
            case(promotion("percent", **HALF), off=500),
            case(promotion("percent", value=0), off=0),
            case(promotion("percent", value=150), off=1000),
            case(promotion("percent", value=33.333), off=333),
            case(promotion("percent", **HALF, limits={"max_items": 0}), off=0),
            case(
                promotion("percent", **HALF, limits={"max_lines": 1}), prices=(1000, 600), off=300
            ),
            case(promotion("fixed_order", value=-5), off=0),
            case(promotion("percent", **HALF, scope={"categories": []}), off=0),
            case(promotion("percent", **HALF, scope={"categories": ["c2"]}), off=500),
            case(promotion("percent", **HALF, conditions={"max_spend_minor": 999}), off=0),
            case(promotion("percent", **HALF, conditions={"min_distinct_skus": 2}), off=0),
            case(
                promotion(
                    "percent",
                    **HALF,
                    conditions={"contains_skus": ["p1"], "contains_match": "none"},
                ),
                off=0,
                rejected={"P1": "required_product_missing"},
            ),
            case(
                promotion("percent", **HALF, conditions={"member_groups": ["vip"]}),
                off=0,
                rejected={"P1": "member_group_mismatch"},
            ),
            case(
                promotion("percent", **HALF, enabled=False, code="X"),
                off=0,
                more={"codes": ["X", "Y"]},
                rejected={"X": "disabled", "Y": "unknown_code"},
                code_rejected=["X", "Y"],
            ),
            case(
                promotion("percent", **HALF, limits={"budget_uses": 1, "budget_uses_used": 2}),
                off=0,
                rejected={"P1": "budget_exhausted"},
            ),
            case(
                promotion("nth_item_percent", n=2, value=50),
                prices=(900, 1000, 800, 700, 600),
                off=850,
            ),
            case(
                promotion(
                    "buy_x_get_y",
                    buy={"spend_minor": 1000, "scope": {"all": True}},
                    get={"qty": 1, "scope": {"all": True}},
                ),
                prices=(1000, 600, 500),
                off=500,
            ),
            case(
                promotion("cheapest_free", group_qty=2, free_qty=1, limits={"max_applications": 1}),
                prices=(1000, 600, 500, 400),
                off=400,
            ),
            case(
                promotion(
                    "gift_item",
                    buy={"qty": 1, "scope": {"all": True}},
                    get={"sku": "g1", "qty": 2},
                    repeat=True,
                    limits={"max_applications": 2},
                ),
                prices=(1000, 600, 500),
                off=0,
                gift_items=[{"sku": "g1", "qty": 4}],
            ),
            case(promotion("tiered_fixed_order", tiers=[], base_value=0), off=0),
            case(promotion("tiered_fixed_order", tiers=[[1000, 200], [500, 100]]), off=200),
            case(
                promotion("percent", **HALF, layer="catalog"),
                promotion("fixed_order", value=100, id="P2", rank=2) | {"stacking": "exclusive"},
                off=600,
            ),
            case(
                promotion("percent", **HALF, code="X"),
                promotion("fixed_order", value=100, code="X", id="P2", rank=2),
                more={"codes": ["X"]},
                off=600,
            ),
            case(
                promotion(
                    "percent",
                    **HALF,
                    window={"starts_at": "2026-01-01T00:00:00", "ends_at": "2026-01-31T00:00:00"},
                ),
                more={"now": "2026-01-31T00:00:00"},
                off=500,
            ),
            case(off=0),
        ],
    )
    def test_knows_the_word(self, judged: dict[str, Any]) -> None:
        assert judge(judged) == Verdict(id="case", outcome=Outcome.PASSED)

    @pytest.mark.parametrize(
        ("judged", "what", "expected", "got"),
        [
            (case(promotion("percent", **HALF), off=400), "discount_minor", 400, 500),
            (
                case(
                    promotion("percent", **HALF),
                    off=500,
                    lines=[{"line": 1, "discount_minor": 400}],
                ),
                "discount_minor of line 1",
                400,
                500,
            ),
            (
                case(off=0, gift_items=[{"sku": "g1", "qty": 1}]),
                "gift_items",
                {"g1": 1},
                {},
            ),
            (
                case(promotion("percent", **HALF), off=500, rejected={"P1": "expired"}),
                "reason for P1",
                "expired",
                None,
            ),
            (
                case(
                    promotion("percent", **HALF, code="X"),
                    off=500,
                    more={"codes": ["X"]},
                    code_rejected=["X"],
                ),
                "code X",
                "rejected",
                "applied",
            ),
            (
                {
                    "id": "case",
                    "cart": [],
                    "conditions": {"min_qty": 1},
                    "expected": {"eligible": True},
                },
                "eligible",
                True,
                False,
            ),
        ],
    )
    def test_says_where_we_differ(
        self, judged: dict[str, Any], what: str, expected: object, got: object
    ) -> None:
        verdict = judge(judged)

        assert verdict.outcome == Outcome.FAILED
        first = verdict.mismatches[0]
        assert (first.what, first.expected, first.got) == (what, expected, got)
        assert verdict.why

    @pytest.mark.parametrize(
        ("word", "why"),
        [
            ({"type": "lottery"}, "/promotions/0/type lottery is not known"),
            ({"type": None}, "/promotions/0/type must be a string"),
            ({"colour": "red"}, "/promotions/0/colour is not known"),
            ({"conditions": {"weather": "rain"}}, "/promotions/0/conditions/weather is not known"),
            ({"scope": {"colour": "red"}}, "/promotions/0/scope/colour is not known"),
            ({"scope": {"skus": "p1"}}, "/promotions/0/scope/skus must be a list"),
            ({"scope": {"skus": [1]}}, "/promotions/0/scope/skus/0 must be a string"),
            ({"limits": {"max_weight": 1}}, "/promotions/0/limits/max_weight is not known"),
            ({"limits": {"max_items": -1}}, "/promotions/0/limits/max_items must be at least 0"),
            ({"limits": {"max_items": True}}, "/promotions/0/limits/max_items must be a whole"),
            ({"limits": []}, "/promotions/0/limits must be an object"),
            ({"value": "50"}, "/promotions/0/value must be a finite number"),
            ({"value": float("nan")}, "/promotions/0/value must be a finite number"),
            ({"value": None}, "/promotions/0/value is missing"),
            ({"type": "fixed_order", "value": 0.5}, "/promotions/0/value must be a whole number"),
            ({"stacking": "maybe"}, "/promotions/0/stacking must be one of stackable, exclusive"),
            ({"enabled": 1}, "/promotions/0/enabled must be true or false"),
            ({"window": {"ends_at": "noon"}}, "/promotions/0/window/ends_at must be an ISO 8601"),
            (
                {"type": "tiered_percent", "value": None, "tiers": [[1]]},
                "/promotions/0/tiers/0 must be a list of two",
            ),
        ],
    )
    def test_a_word_that_we_lack_is_a_failure(self, word: dict[str, Any], why: str) -> None:
        verdict = judge(case(promotion("percent", **HALF) | word, off=0))

        assert (verdict.outcome, verdict.is_judged) == (Outcome.FAILED, False)
        assert verdict.why.startswith(f"cannot be read: {why}")

    @pytest.mark.parametrize(
        ("word", "why"),
        [
            (
                {"type": "cheapest_free", "limits": {"max_items": 1}},
                "a rule that we refuse at /limits/max_items",
            ),
            (
                {"type": "tiered_percent", "tiers": [[500, 10], [800, 0]]},
                "a tier that takes back what a lower one gives",
            ),
            (
                {"type": "buy_x_get_y", "buy": {}, "get": {}},
                "a rule that we refuse at /buy_quantity",
            ),
        ],
    )
    def test_what_we_cannot_say_is_a_failure(self, word: dict[str, Any], why: str) -> None:
        verdict = judge(case(promotion("percent", **HALF) | word, off=0))

        assert verdict == Verdict(id="case", outcome=Outcome.FAILED, why=f"cannot be said: {why}")
        assert not verdict.is_judged

    @pytest.mark.parametrize(
        ("broken", "why"),
        [
            ({"id": "x", "expected": {}}, "/expected/subtotal_minor is missing"),
            (case(off=0) | {"weather": "rain"}, "/weather is not known"),
            (case(off=0) | {"cart": [7]}, "/cart/0 must be an object"),
            (case(off=0) | {"default_semantics": "no"}, "/default_semantics must be an object"),
            (case(off=0) | {"portability": ["universal"]}, "/portability must be one of"),
            (
                case(off=0)
                | {"cart": [{"line": 1, "sku": "p", "unit_price_minor": 1, "qty": 10**9}]},
                "/cart has more than 100000 units",
            ),
            (
                case(off=0) | {"cart": [{"line": 1, "sku": "p", "unit_price_minor": -1, "qty": 1}]},
                "/cart/0/unit_price_minor must be at least 0",
            ),
            (case(off=0) | {"cart": case(off=0)["cart"] * 2}, "/cart has two lines with one"),
        ],
    )
    def test_a_case_that_makes_no_sense_is_a_failure(self, broken: Any, why: str) -> None:
        verdict = judge(broken)

        assert (verdict.outcome, verdict.is_judged) == (Outcome.FAILED, False)
        assert verdict.why.startswith(f"cannot be read: {why}")

    def test_two_actions_of_one_promotion_are_two(self) -> None:
        """Automatic ones have no code to tell them apart."""
        judged = case(
            promotion("percent", **HALF), promotion("fixed_order", value=100, rank=2), off=600
        )

        assert judge(judged).outcome == Outcome.PASSED

    def test_an_end_at_the_end_of_time_is_no_end(self) -> None:
        never = {"ends_at": "9999-12-31T23:59:59.999999"}
        judged = case(promotion("percent", **HALF, window=never), off=500)

        assert judge(judged).outcome == Outcome.PASSED

    @pytest.mark.parametrize(
        ("more", "why"),
        [
            ({"portability": "source_quirk", "notes": "odd"}, "odd"),
            ({"portability": "source_quirk"}, "a quirk of the source"),
            (
                {
                    "default_semantics": {"total_matches": False},
                    "semantics": {"rounding": "floor"},
                },
                "rounding floor",
            ),
            ({"default_semantics": {"total_matches": False}}, "another rule"),
        ],
    )
    def test_another_rule_is_skipped_by_name(self, more: dict[str, Any], why: str) -> None:
        verdict = judge(case(off=1, more=more))

        assert verdict == Verdict(id="case", outcome=Outcome.SKIPPED, why=why)

    def test_only_what_must_agree_is_compared(self) -> None:
        judged = case(
            promotion("percent", **HALF),
            off=500,
            lines=[{"line": 1, "discount_minor": 1}],
            rejected={"P1": "expired"},
        )
        judged["default_semantics"] |= {"lines_match": False, "rejections_match": False}

        assert judge(judged).outcome == Outcome.PASSED

    def test_a_line_without_units_is_no_line(self) -> None:
        judged = case(promotion("percent", **HALF), prices=(1000,), off=500)
        judged["cart"].append(copy.deepcopy(judged["cart"][0]) | {"line": 2, "qty": 0})

        assert judge(judged).outcome == Outcome.PASSED


def test_the_evaluator_needs_no_django() -> None:
    code = "import sys, campaigns.price_cases; sys.exit('django' in sys.modules)"

    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)  # noqa: S603

    assert found.returncode == 0


class TestCommand:
    def test_needs_no_database(self, tmp_path: Path) -> None:
        unset = {"DATABASE_URL", "REDIS_URL"}
        bare = {key: value for key, value in os.environ.items() if key not in unset}

        found = subprocess.run(  # noqa: S603 - our own command
            [
                sys.executable,
                "manage.py",
                "price_cases",
                PROMOTIONS / "medusa.json",
                PROMOTIONS / "odoo.json",
            ],
            cwd=ROOT,
            env=bare | {"HUIGAN_VAR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

        assert found.stdout.splitlines()[-1] == "63 passed, 0 failed, 7 skipped"
        assert found.returncode == 0

    def test_prints_each_mismatch_and_what_it_cannot_read(self, tmp_path: Path) -> None:
        path = tmp_path / "cases.json"
        wrong = case(promotion("percent", **HALF), off=400)
        skipped = case(off=1, more={"portability": "source_quirk", "notes": "odd"})
        path.write_text(json.dumps([wrong, {"id": "bad", "expected": {}}, skipped]))
        out = io.StringIO()

        with pytest.raises(SystemExit) as caught:
            call_command("price_cases", str(path), stdout=out)

        assert caught.value.code == 2
        assert out.getvalue().splitlines() == [
            "case: discount_minor: expected 400, got 500 – P1 gave 500",
            "case: total_minor: expected 600, got 500 – P1 gave 500",
            "bad: cannot be read: /expected/subtotal_minor is missing",
            "case: skipped, the source has another rule: odd",
            "0 passed, 2 failed, 1 skipped",
        ]

    def test_a_case_that_comes_out_otherwise_is_a_failure(self, tmp_path: Path) -> None:
        path = tmp_path / "cases.json"
        path.write_text(json.dumps([case(promotion("percent", **HALF), off=400)]))

        with pytest.raises(SystemExit) as caught:
            call_command("price_cases", str(path), stdout=io.StringIO())

        assert caught.value.code == 1

    @pytest.mark.parametrize(
        "text", ["{", "{}", '{"cases": [1]}', '{"cases": {}}', "7", "[" * 9999]
    )
    def test_a_file_must_hold_cases(self, tmp_path: Path, text: str) -> None:
        """The others are judged all the same."""
        path, good = tmp_path / "cases.json", tmp_path / "good.json"
        path.write_text(text)
        good.write_text(json.dumps([case(off=0)]))
        out, err = io.StringIO(), io.StringIO()

        with pytest.raises(SystemExit) as caught:
            call_command("price_cases", str(path), str(tmp_path), str(good), stdout=out, stderr=err)

        assert caught.value.code == 2
        assert f"{path} is no file of cases" in err.getvalue()
        assert out.getvalue() == "1 passed, 0 failed, 0 skipped\n"
