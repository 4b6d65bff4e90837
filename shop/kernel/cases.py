"""Cases with known answers, of other systems: files of them, and how ours came out. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

Case = Mapping[str, Any]
"""A case, or a part of one."""


class Outcome(StrEnum):
    """What became of a case."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mismatch:
    """One thing in which a case and we differ."""

    what: str
    expected: Any
    got: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The outcome of one case; `why` is for people."""

    id: str
    outcome: Outcome
    mismatches: tuple[Mismatch, ...] = ()
    why: str = ""

    @property
    def is_judged(self) -> bool:
        """Tell whether the case could be read, or was left out on purpose."""
        return self.outcome is not Outcome.FAILED or bool(self.mismatches)


class NoFileOfCases(Exception):
    """The file is not there, is no JSON, or holds no list of objects; the message says which."""


def read(path: Path) -> list[Case]:
    """Return the cases of a JSON file: a list of objects, or one under “cases”.

    Raises:
        NoFileOfCases
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        cases = data["cases"] if isinstance(data, dict) else data
    except KeyError as missing:
        raise NoFileOfCases(f"it has no {missing}") from missing
    except (OSError, ValueError, RecursionError) as fault:
        raise NoFileOfCases(str(fault)) from fault
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise NoFileOfCases("cases must be a list of objects")
    return cases
