"""A blueprint: a whole programme as one document, to be kept as a file and compared with the saved.

Settings, tiers, earning rules, paid plans, and what benefits give from which month on. Between a
document and the database stands the same shape for both, so that comparing is comparing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from loyalty import benefit_months, document_rows, ladders, tiers
from loyalty.benefit_months import Months
from loyalty.document_rows import Row
from loyalty.ladders import Ladder, LadderInvalid
from loyalty.models import (
    Benefit,
    EarningRule,
    LoyaltyProgramme,
    MembershipPlan,
    ProgrammeChange,
    Tier,
)
from shop.kernel.errors import InvalidInput
from shop.models import Category, Product, Store

VERSION = 1
SECTIONS = ("programme", "tiers", "earning_rules", "plans", "benefits")
_RULES = [field.name for field in fields(ladders.Rules)]
_POLICY = [
    field.name
    for field in LoyaltyProgramme._meta.concrete_fields
    if field.editable and not field.primary_key and field.name not in _RULES
]
_STEP = [field.name for field in fields(ladders.Step)]
_EARNING = [field.name for field in EarningRule._meta.concrete_fields if not field.primary_key]
_PLAN = ["code", "name_zh", "name_en", "price_cents", "days", "is_active"]
_BENEFIT = ["code", "kind", "name_zh", "name_en"]
_HOLDER = ["tier", "plan"]
_FIXED = ["kind", *_HOLDER]
"""What a benefit is for ever; for another, another benefit is made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Blueprint:
    """A programme as it is, or as it shall be; rows by their codes."""

    ladder: Ladder
    policy: Row
    rules: Mapping[str, Row]
    plans: Mapping[str, Row]
    benefits: Mapping[str, Row]
    months: Mapping[str, Months]

    def to_json(self) -> dict[str, Any]:
        """Return the document, without what goes without saying."""
        ladder = self.ladder.to_json()
        return {
            "version": VERSION,
            "programme": ladder["programme"] | self.policy,
            "tiers": ladder["tiers"],
            "earning_rules": [document_rows.terse(EarningRule, row) for row in self.rules.values()],
            "plans": [document_rows.terse(MembershipPlan, row) for row in self.plans.values()],
            "benefits": [
                {name: value for name, value in row.items() if value is not None}
                | {"versions": benefit_months.write(self.months[code])}
                for code, row in self.benefits.items()
            ],
        }


def load(*, today: date) -> Blueprint:
    """Return the programme as it is saved."""
    benefits = Benefit.objects.select_related("tier", "plan").order_by("code")
    return Blueprint(
        ladder=ladders.load(),
        policy=document_rows.write(tiers.programme(), _POLICY),
        rules=_rows(EarningRule, _EARNING),
        plans=_rows(MembershipPlan, _PLAN),
        benefits={
            benefit.code: document_rows.write(benefit, _BENEFIT)
            | {name: getattr(getattr(benefit, name), "code", None) for name in _HOLDER}
            for benefit in benefits
        },
        months={b.code: benefit_months.load(b, today=today) for b in benefits},
    )


def parse(data: Any, *, saved: Blueprint, today: date) -> Blueprint:
    """Return the programme that a document asks for; sections that it lacks stay as they are.

    A rule, plan or benefit that its section does not name is switched off: history points at it.

    Raises:
        InvalidInput: with the places of all that is wrong in the first part that is.
    """
    optional = dict.fromkeys(SECTIONS)
    document_rows.ensure_fields(data, names=("version", *SECTIONS), optional=optional, at="")
    if data["version"] != VERSION:
        raise InvalidInput("/version", _("This is not a programme of version 1."), reason="version")
    programme = _programme(data.get("programme", {}), saved=saved)
    rules, plans = dict(saved.rules), dict(saved.plans)
    if "earning_rules" in data:
        rules = _read_rows(EarningRule, data["earning_rules"], names=_EARNING, at="/earning_rules")
        rules |= _switched_off(saved.rules, kept=rules)
    if "plans" in data:
        plans = _read_rows(MembershipPlan, data["plans"], names=_PLAN, at="/plans")
        plans |= _switched_off(saved.plans, kept=plans)
    ladder = _ladder(data.get("tiers"), programme, saved=saved)
    benefits, months = dict(saved.benefits), dict(saved.months)
    if "benefits" in data:
        benefits, months = _benefits(data["benefits"], saved=saved, today=today)
    draft = Blueprint(
        ladder=ladder,
        policy={name: programme[name] for name in _POLICY},
        rules=rules,
        plans=plans,
        benefits=benefits,
        months=months,
    )
    _ensure_known_codes(draft, data)
    return draft


def compare(old: Blueprint, new: Blueprint) -> list[dict[str, Any]]:
    """Return what would change: where, which field, from what, to what."""
    changes = [
        change | {"where": _place(change["where"])}
        for change in ladders.compare(old.ladder, new.ladder)
    ]
    changes += ladders.differences("programme", old.policy, new.policy)
    for section in ("rules", "plans", "benefits"):
        before, after = getattr(old, section), getattr(new, section)
        name = "earning_rules" if section == "rules" else section
        for code, row in after.items():
            changes += ladders.differences(f"{name}/{code}", before.get(code, {}), row)
    for code, months in new.months.items():
        before = old.months.get(code, {})
        for month, row in benefit_months.changed(before, months).items():
            gave = benefit_months.given_in(month, before)
            changes += ladders.differences(f"benefits/{code}/{month:%Y-%m}", gave, row)
    return changes


def save(old: Blueprint, new: Blueprint) -> None:
    """Write settings, rules, plans and benefits where they differ; the ladder is saved before."""
    if new.policy != old.policy:
        LoyaltyProgramme.objects.update_or_create(pk=1, defaults=new.policy)
    for rows, known, model in (
        (new.rules, old.rules, EarningRule),
        (new.plans, old.plans, MembershipPlan),
    ):
        for code, row in rows.items():
            if row != known.get(code):
                model.objects.update_or_create(code=code, defaults=row)
    for code, row in new.benefits.items():
        if row != old.benefits.get(code):
            _save_benefit(code, row)


def record(
    changes: list[dict[str, Any]], *, before: Blueprint, actor: str, now: datetime
) -> ProgrammeChange:
    """Note who changed what, and the programme as it was, to go back to."""
    return ProgrammeChange.objects.create(
        changes=changes, before=before.to_json(), actor=actor, applied_at=now
    )


def _save_benefit(code: str, row: Row) -> None:
    holders = {"tier": Tier, "plan": MembershipPlan}
    found = {
        name: model.objects.get(code=row[name]) if row[name] else None  # type: ignore[attr-defined]
        for name, model in holders.items()
    }
    Benefit.objects.update_or_create(code=code, defaults=row | found)


def _programme(data: Any, *, saved: Blueprint) -> Row:
    """Return all settings: those of a document, the others as they are."""
    now = asdict(saved.ladder.rules) | saved.policy
    names = [*_RULES, *_POLICY]
    document_rows.ensure_fields(data, names=names, optional=now, at="/programme")
    return document_rows.read(LoyaltyProgramme, now | dict(data), names=names, at="/programme")


def _ladder(data: Any, programme: Row, *, saved: Blueprint) -> Ladder:
    """Return the ladder of a document.

    Raises:
        InvalidInput
    """
    known = saved.ladder.to_json()
    rows = known["tiers"]
    if data is not None:
        rows = list(_read_rows(Tier, data, names=_STEP, at="/tiers").values())
    rules = {name: programme[name] for name in _RULES}
    try:
        return ladders.parse(known | {"programme": rules, "tiers": rows})
    except LadderInvalid as error:
        at = _place_of(error.members.get("tier", ""), rows)
        raise InvalidInput(at, error.detail, reason=error.members["reason"]) from error


def _place_of(tier: str, rows: Any) -> str:
    """Return where in a document the tier of a refusal stands, as `ladders` names it."""
    if tier == "programme" or tier.startswith("tiers/"):
        return f"/{tier}"
    codes = [row.get("code") for row in rows] if isinstance(rows, list) else []
    return f"/tiers/{codes.index(tier)}" if tier in codes else "/tiers"


def _benefits(
    data: Any, *, saved: Blueprint, today: date
) -> tuple[dict[str, Row], dict[str, Months]]:
    """Return benefits and what they give; those that are not named give nothing next month."""
    rows: dict[str, Row] = {}
    months: dict[str, Months] = {}
    for index, item in enumerate(document_rows.listed(data, at="/benefits")):
        at = f"/benefits/{index}"
        row = _benefit(item, saved=saved, at=at)
        document_rows.ensure_new(row["code"], rows, at=at)
        rows[row["code"]] = row
        months[row["code"]] = benefit_months.read(
            item["versions"], at=f"{at}/versions", today=today
        )
    for code in saved.benefits.keys() - rows.keys():
        rows[code] = saved.benefits[code]
        months[code] = benefit_months.ended(saved.months[code], today=today)
    return rows, months


def _benefit(item: Any, *, saved: Blueprint, at: str) -> Row:
    names = [*_BENEFIT, *_HOLDER, "versions"]
    document_rows.ensure_fields(item, names=names, optional=dict.fromkeys(_HOLDER), at=at)
    head = {name: item[name] for name in _BENEFIT}
    row = document_rows.read(Benefit, head, names=_BENEFIT, at=at)
    row |= {name: item.get(name) for name in _HOLDER}
    _ensure_one_holder(row, at=at)
    before = saved.benefits.get(row["code"], row)
    for name in _FIXED:
        if row[name] != before[name]:
            detail = _("This stands for ever; make another benefit.")
            raise InvalidInput(f"{at}/{name}", detail, reason="fixed")
    return row


def _ensure_one_holder(row: Row, *, at: str) -> None:
    named = [name for name in _HOLDER if row[name] is not None]
    if len(named) != 1 or not isinstance(row[named[0]], str):
        raise InvalidInput(at, _("Name a tier or a plan, not both."), reason="holder")


def _rows(model: Any, names: Sequence[str]) -> dict[str, Row]:
    return {row.code: document_rows.write(row, names) for row in model.objects.order_by("code")}


def _read_rows(model: Any, data: Any, *, names: Sequence[str], at: str) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for index, item in enumerate(document_rows.listed(data, at=at)):
        row = document_rows.read(model, item, names=names, at=f"{at}/{index}")
        document_rows.ensure_new(row["code"], rows, at=f"{at}/{index}")
        rows[row["code"]] = row
    return rows


def _switched_off(saved: Mapping[str, Row], *, kept: Mapping[str, Row]) -> dict[str, Row]:
    return {code: row | {"is_active": False} for code, row in saved.items() if code not in kept}


def _ensure_known_codes(draft: Blueprint, data: Mapping[str, Any]) -> None:
    """Check that what rules and benefits name is there, or comes with the same document.

    Raises:
        InvalidInput
    """
    known = {
        "tiers": {step.code for step in draft.ladder.steps},
        "stores": set(Store.objects.values_list("code", flat=True)),
        "products": set(Product.objects.values_list("code", flat=True)),
        "categories": set(Category.objects.values_list("code", flat=True)),
    }
    holders = {"tier": known["tiers"], "plan": set(draft.plans)}
    refusals = []
    for index, item in enumerate(data.get("earning_rules", ())):
        for name, codes in known.items():
            missing = sorted(set(item.get(name, ())) - codes)
            refusals += [(f"/earning_rules/{index}/{name}", code) for code in missing]
    for index, item in enumerate(data.get("benefits", ())):
        for name, codes in holders.items():
            if item.get(name) is not None and item[name] not in codes:
                refusals.append((f"/benefits/{index}/{name}", item[name]))
    if refusals:
        raise InvalidInput.of_many(
            [(at, _("There is no “%s”.") % code, "unknown-code") for at, code in refusals]
        )


def _place(where: str) -> str:
    return where if where == "programme" else f"tiers/{where}"
