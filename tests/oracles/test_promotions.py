"""Carts that other shop systems priced, priced by us: same numbers, or a reason why not.

`PRICE_CASES_DIR` may name another directory of case files in the same format.
"""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from campaigns.pricing import Pricing, evaluate
from tests.oracles.price_cases import Case, NotExpressible, Question, question_of

FOLDER = Path(os.environ.get("PRICE_CASES_DIR", Path(__file__).parent / "promotions"))
CASES: list[Case] = [
    case for path in sorted(FOLDER.glob("*.json")) for case in json.loads(path.read_text())["cases"]
]


def _priced(case: Case) -> tuple[Question, Pricing]:
    question = question_of(case)
    return question, evaluate(question.cart, question.facts, question.offers, question.now)


def _why_not(case: Case) -> str | None:
    if not case["default_semantics"]["total_matches"]:
        return "the source plays by another rule"
    try:
        question_of(case)
    except NotExpressible as missing:
        return str(missing)
    return None


NOT_RUN = {case["id"]: reason for case in CASES if (reason := _why_not(case))}
RUN = [case for case in CASES if case["id"] not in NOT_RUN]


@pytest.mark.parametrize("case", RUN, ids=lambda case: case["id"])
def test_a_case_has_the_numbers_of_its_source(case: Any) -> None:
    question, pricing = _priced(case)
    expected, same = case["expected"], case["default_semantics"]

    assert pricing.subtotal_cents == expected["subtotal_minor"]
    assert pricing.discount_cents == expected["discount_minor"]
    assert pricing.total_cents == expected["total_minor"]
    if same["lines_match"]:
        by_position = {line.position: line.discount_cents for line in pricing.lines}
        for line in expected.get("lines", ()):
            assert by_position[line["line"]] == line["discount_minor"]
        applied = {offer.key: offer.discount_cents for offer in pricing.applied}
        assert {key: applied.get(key, 0) for key in expected.get("applied", {})} == expected.get(
            "applied", {}
        )
    if same["rejections_match"]:
        assert _rejected(question, pricing).items() >= _expected_rejections(case).items()
        assert _rejected(question, pricing).keys() >= set(expected.get("code_rejected", ()))


def _rejected(question: Question, pricing: Pricing) -> dict[str, str]:
    unknown = dict.fromkeys(question.unknown_codes, "unknown-code")
    return unknown | {refusal.key: refusal.reason for refusal in pricing.refusals}


def _expected_rejections(case: Case) -> dict[str, str]:
    rejected: dict[str, str] = case["expected"].get("rejected", {})
    return {key: reason.replace("_", "-") for key, reason in rejected.items()}


@pytest.mark.skipif("PRICE_CASES_DIR" in os.environ, reason="the counts are of our own folder")
def test_the_cases_not_run_are_known() -> None:
    assert len(CASES) == 218
    assert Counter(NOT_RUN.values()) == {"type gift_item": 8}
    assert len(RUN) == 210
