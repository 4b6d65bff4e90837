"""Whether a case comes out as its source says, and if not, where and why.

Under our default rules a case passes when everything agrees that its `default_semantics` says
must: discount and total, the lines listed, the reasons listed, and always the gifts. Only a case
whose source plays by another rule is skipped.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from campaigns.price_cases.checks import MalformedCase
from campaigns.price_cases.form import check_form, without_nulls
from campaigns.price_cases.questions import Question, eligibility_of, question_of
from campaigns.price_cases.words import NotExpressible
from campaigns.pricing import Pricing, checks, evaluate
from shop.kernel.cases import Case, Mismatch, Outcome, Verdict


def judge(case: Case) -> Verdict:
    """Price one case and compare. A case that cannot be read has failed."""
    case = without_nulls(case)
    case_id = str(case.get("id", "?"))
    try:
        check_form(case)
        if (rule := _other_rule(case)) is not None:
            return Verdict(id=case_id, outcome=Outcome.SKIPPED, why=rule)
        found, why = _compared(case)
    except NotExpressible as missing:
        return Verdict(id=case_id, outcome=Outcome.FAILED, why=f"cannot be said: {missing}")
    except MalformedCase as fault:
        return Verdict(id=case_id, outcome=Outcome.FAILED, why=f"cannot be read: {fault}")
    if found:
        return Verdict(id=case_id, outcome=Outcome.FAILED, mismatches=tuple(found), why=why)
    return Verdict(id=case_id, outcome=Outcome.PASSED)


OUR_RULES = {
    "percent_base": "running",
    "rounding": "half_up",
    "rounding_level": "line",
    "allocation": "largest_remainder",
    "unit_pick": "cheapest_first",
    "buy_pick": "dearest_first",
    "get_pick": "cheapest_first",
    "condition_base": "original",
    "exclusive": "wins_alone",
}


def _other_rule(case: Case) -> str | None:
    """Return by which rule the source plays when it is not ours."""
    if case.get("portability") == "source_quirk":
        return case.get("notes") or "a quirk of the source"
    if case.get("default_semantics", {}).get("total_matches", True):
        return None
    others = case.get("semantics", {}).items() - OUR_RULES.items()
    return ", ".join(f"{rule} {choice}" for rule, choice in sorted(others)) or "another rule"


def _compared(case: Case) -> tuple[list[Mismatch], str]:
    if "eligible" in case["expected"]:
        expected, got = case["expected"]["eligible"], is_eligible(case)
        mismatch = Mismatch(what="eligible", expected=expected, got=got)
        return ([] if expected == got else [mismatch]), "the conditions say so"
    question = question_of(case)
    pricing = evaluate(question.cart, question.facts, question.offers, question.now)
    return list(_mismatches(case, question, pricing)), _story(question, pricing)


def is_eligible(case: Case) -> bool:
    """Return whether the cart of a case meets its conditions."""
    conditions, situation = eligibility_of(case)
    return all(check.passed for check in checks(conditions, situation))


def _mismatches(case: Case, question: Question, pricing: Pricing) -> Iterator[Mismatch]:
    expected, same = case["expected"], case.get("default_semantics", {})
    got: dict[str, Any] = {
        "subtotal_minor": pricing.subtotal_cents,
        "discount_minor": pricing.discount_cents,
        "total_minor": pricing.total_cents,
    }
    if same.get("lines_match", True):
        by_position = {line.position: line.discount_cents for line in pricing.lines}
        for line in expected.get("lines", ()):
            what = f"discount_minor of line {line['line']}"
            yield from _differ(what, line["discount_minor"], by_position.get(line["line"], 0))
    for what, amount in got.items():
        yield from _differ(what, expected[what], amount)
    if "gift_items" in expected:
        yield from _differ("gift_items", _gifts(expected["gift_items"]), _got_gifts(pricing))
    if same.get("rejections_match", True):
        yield from _rejections(expected, _rejected(question, pricing))


def _differ(what: str, expected: Any, got: Any) -> Iterator[Mismatch]:
    if expected != got:
        yield Mismatch(what=what, expected=expected, got=got)


def _gifts(gifts: list[Case]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for gift in gifts:
        counted[gift["sku"]] += gift["qty"]
    return counted


def _got_gifts(pricing: Pricing) -> Counter[str]:
    counted: Counter[str] = Counter()
    for gift in pricing.gifts:
        counted[gift.product] += gift.quantity
    return counted


OUR_REASONS = {
    "required-product-missing": {"required-item-missing", "excluded-item-present"},
    "required-category-missing": {"required-item-missing", "excluded-item-present"},
    "member-group-mismatch": {"segment-mismatch", "tier-mismatch", "members-only"},
    "min-qty-not-met": {"min-qty-not-met", "min-products-not-met"},
    "not-first-order": {"not-first-order", "nth-order-mismatch"},
}
"""Where we say it in other words."""


def _rejections(expected: Case, rejected: dict[str, str]) -> Iterator[Mismatch]:
    for key, reason in expected.get("rejected", {}).items():
        hyphened = reason.replace("_", "-")
        if rejected.get(key) not in OUR_REASONS.get(hyphened, {hyphened}):
            yield Mismatch(what=f"reason for {key}", expected=hyphened, got=rejected.get(key))
    for code in expected.get("code_rejected", ()):
        if code not in rejected:
            yield Mismatch(what=f"code {code}", expected="rejected", got="applied")


def _rejected(question: Question, pricing: Pricing) -> dict[str, str]:
    return question.rejected | {refusal.key: refusal.reason for refusal in pricing.refusals}


def _story(question: Question, pricing: Pricing) -> str:
    applied = [f"{offer.key} gave {offer.discount_cents}" for offer in pricing.applied]
    refused = [
        f"{refusal.key} {refusal.reason} (needed {refusal.needed}, actual {refusal.actual})"
        for refusal in pricing.refusals
    ]
    idle = [f"{key} {reason}" for key, reason in question.rejected.items()]
    return "; ".join([*applied, *refused, *idle]) or "no promotion took part"
