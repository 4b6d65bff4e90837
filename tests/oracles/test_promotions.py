"""Carts that other shop systems priced, priced by us: same numbers, or a reason why not.

The case files in `promotions/` and `eligibility/` are taken over unchanged, each case with its
source and licence; those in `own/` are ours, worked by hand, and say in `notes` which rule they
hold us to. `PRICE_CASES_DIR` may name another directory of files in the same format.
"""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from campaigns.price_cases import Case, Outcome, judge

HERE = Path(__file__).parent
FOLDERS = [HERE / "promotions", HERE / "eligibility", HERE / "own"]
if "PRICE_CASES_DIR" in os.environ:
    FOLDERS = [Path(os.environ["PRICE_CASES_DIR"])]
CASES: list[Case] = [
    case
    for folder in FOLDERS
    for path in sorted(folder.glob("*.json"))
    for case in json.loads(path.read_text())["cases"]
]


def _plays_by_another_rule(case: Case) -> bool:
    matches = case.get("default_semantics", {}).get("total_matches", True)
    return not matches or case.get("portability") == "source_quirk"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_case_has_the_numbers_of_its_source(case: Any) -> None:
    verdict = judge(case)

    expected = Outcome.SKIPPED if _plays_by_another_rule(case) else Outcome.PASSED
    assert verdict.outcome == expected, verdict


@pytest.mark.skipif("PRICE_CASES_DIR" in os.environ, reason="the counts are of our own folders")
def test_how_many_there_are() -> None:
    assert Counter(judge(case).outcome for case in CASES) == {
        Outcome.PASSED: 342 + 15 + 130,
        Outcome.SKIPPED: 20,
    }
