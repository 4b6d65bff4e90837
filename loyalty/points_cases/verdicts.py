"""Whether a case comes out as its source says, and if not, where and why."""

from collections.abc import Callable, Iterator
from typing import Any

from loyalty.points_cases import calculations, histories
from loyalty.points_cases.words import Unreadable, one_of, part
from shop.kernel.cases import Case, Mismatch, Outcome, Verdict

KINDS: dict[str, Callable[[Case], tuple[dict[str, Any], str]]] = {
    "ledger": histories.ledger,
    "expiring_forecast": histories.expiring_forecast,
    "redemption_ledger": histories.redemption_ledger,
    "earning": calculations.earning,
    "redemption": calculations.redemption,
    "condition": calculations.condition,
}


def judge(case: Case) -> Verdict:
    """Replay one case and compare. A case that cannot be read has failed; a quirk is skipped."""
    case_id = str(case.get("id", "?"))
    if case.get("portability") == "source_quirk":
        why = str(case.get("notes") or "a quirk of the source")
        return Verdict(id=case_id, outcome=Outcome.SKIPPED, why=why)
    try:
        got, why = _replayed(case)
        found = tuple(_mismatches(case["expected"], got))
    except Unreadable as fault:
        return Verdict(id=case_id, outcome=Outcome.FAILED, why=f"cannot be read: {fault}")
    outcome = Outcome.FAILED if found else Outcome.PASSED
    return Verdict(id=case_id, outcome=outcome, mismatches=found, why=why)


def _replayed(case: Case) -> tuple[dict[str, Any], str]:
    kind = one_of(KINDS, case.get("kind"), "kind")
    expected = case.get("expected")
    if not isinstance(expected, dict) or not expected:
        raise Unreadable("nothing is expected")
    return KINDS[kind](case)


def _mismatches(expected: Case, got: dict[str, Any]) -> Iterator[Mismatch]:
    """Compare every word of what is expected; a word that we do not know is no match."""
    part(expected, "expected", got)
    for what, theirs in expected.items():
        if what in got and _in_form(what, theirs) != got[what]:
            yield Mismatch(what=what, expected=theirs, got=got[what])


def _in_form(what: str, theirs: Any) -> Any:
    """Return lists of entries as ours are: without those of no points, and in no order of a run."""
    if not what.endswith("_points") or not isinstance(theirs, list):
        return theirs
    entries = [entry for entry in theirs if entry != 0]
    try:
        return sorted(entries) if what == "expired_points" else entries
    except TypeError:
        return entries
