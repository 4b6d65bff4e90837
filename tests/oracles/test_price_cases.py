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
from django.core.management import CommandError, call_command

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
            ({"type": "lottery"}, "cannot be said: type lottery"),
            ({"conditions": {"weather": "rain"}}, "cannot be said: condition weather"),
            ({"scope": {"colour": "red"}}, "cannot be said: scope colour"),
            ({"limits": {"max_weight": 1}}, "cannot be said: limit max_weight"),
            (
                {"type": "cheapest_free", "limits": {"max_items": 1}},
                "cannot be said: a rule that we refuse at /limits/max_items",
            ),
        ],
    )
    def test_a_word_that_we_lack_is_a_failure(self, word: dict[str, Any], why: str) -> None:
        verdict = judge(case(promotion("percent", **HALF) | word, off=0))

        assert verdict == Verdict(id="case", outcome=Outcome.FAILED, why=why)

    def test_a_case_that_makes_no_sense_is_a_failure(self) -> None:
        verdict = judge({"id": "x", "expected": {}})

        assert verdict.outcome == Outcome.FAILED
        assert verdict.why.startswith("cannot be read")

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
    def test_needs_no_database(self) -> None:
        nowhere = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}

        found = subprocess.run(  # noqa: S603 - our own command
            [
                sys.executable,
                "manage.py",
                "price_cases",
                PROMOTIONS / "medusa.json",
                PROMOTIONS / "odoo.json",
            ],
            cwd=ROOT,
            env=os.environ | nowhere,
            capture_output=True,
            text=True,
            check=False,
        )

        assert found.stdout.splitlines()[-1] == "63 passed, 0 failed, 7 skipped"
        assert found.returncode == 0

    def test_prints_each_mismatch_and_fails(self, tmp_path: Path) -> None:
        path = tmp_path / "cases.json"
        wrong = case(promotion("percent", **HALF), off=400)
        skipped = case(off=1, more={"portability": "source_quirk", "notes": "odd"})
        path.write_text(json.dumps([wrong, {"id": "bad", "expected": {}}, skipped]))
        out = io.StringIO()

        with pytest.raises(SystemExit) as caught:
            call_command("price_cases", str(path), stdout=out)

        assert caught.value.code == 1
        assert out.getvalue().splitlines() == [
            "case: discount_minor: expected 400, got 500 – P1 gave 500",
            "case: total_minor: expected 600, got 500 – P1 gave 500",
            "bad: cannot be read: KeyError('cart')",
            "case: skipped, the source has another rule: odd",
            "0 passed, 2 failed, 1 skipped",
        ]

    @pytest.mark.parametrize("text", ["{", "{}", '{"cases": [1]}', "7"])
    def test_a_file_must_hold_cases(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "cases.json"
        path.write_text(text)

        with pytest.raises(CommandError, match="is no file of cases"):
            call_command("price_cases", str(path))
