"""docs/pricing.md says what the code does: its rules are valid, its words complete."""

import json
import re
from pathlib import Path

import pytest

from campaigns.pricing import EFFECTS, Reason, parse_rule

TEXT = (Path(__file__).parents[2] / "docs" / "pricing.md").read_text()
EXAMPLES = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_valid_rule(example: str) -> None:
    assert parse_rule(json.loads(example)).effect.kind in EFFECTS


@pytest.mark.parametrize("word", [*EFFECTS, *Reason])
def test_every_effect_and_every_reason_is_explained(word: str) -> None:
    assert f"`{word}`" in TEXT
