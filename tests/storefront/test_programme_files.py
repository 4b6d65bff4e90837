"""The programme as a file: exported, planned and applied by the command, all of it or nothing."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.utils import timezone

from loyalty.models import (
    Benefit,
    EarningRule,
    LoyaltyProgramme,
    MembershipPlan,
    ProgrammeChange,
    Tier,
)
from shop.kernel.clock import chain_day
from shop.kernel.models import Job
from shop.models import Staff
from shop.storefront import benefit_grants, programme_changes, programme_files
from tests import make

pytestmark = pytest.mark.django_db

NAMES = {"name_zh": "名", "name_en": "Name"}


@pytest.fixture
def boss() -> Staff:
    return make.staff_member(group="Head office")


@pytest.fixture
def edited(tmp_path: Path, programme: None) -> Callable[..., Path]:
    """Return a function that exports the programme, changes the document and writes it."""

    def edit(change: Callable[[dict[str, Any]], object]) -> Path:
        path = tmp_path / "programme.yaml"
        run("export", str(path))
        data = programme_files.read(path.read_text()).data
        change(data)
        path.write_text(programme_files.write(data, is_json=False))
        return path

    return edit


@pytest.fixture
def programme() -> None:
    """A programme that has something of every section."""
    EarningRule.objects.create(
        code="tuesday",
        kind="boost",
        percent=200,
        weekdays=[2],
        from_time="14:00",
        until_time="17:00",
        tiers=["T2"],
        **NAMES,
    )
    EarningRule.objects.create(code="cup", kind="item", points="1.50", products=["MT01"], **NAMES)
    MembershipPlan.objects.create(code="card", price_cents=1990, days=30, **NAMES)
    tier = Tier.objects.get(level=2)
    benefit = Benefit.objects.create(code="monthly", kind="points_boost", tier=tier, **NAMES)
    benefit_grants.append_version(
        benefit,
        month=chain_day(timezone.now()).replace(day=1),
        actor="test",
        now=timezone.now(),
        percent=150,
    )


def run(*arguments: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("programme", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


def test_what_was_exported_changes_nothing(edited: Callable[..., Path], boss: Staff) -> None:
    path = edited(lambda data: None)

    assert run("plan", str(path)) == ("0 values would change.\n", 0)
    assert run("apply", str(path), "--by", boss.username) == ("Nothing to change.\n", 0)
    assert not ProgrammeChange.objects.exists()


def test_json_says_the_same_as_yaml(tmp_path: Path, programme: None) -> None:
    for name in ("programme.json", "programme.yaml"):
        run("export", str(tmp_path / name))

    texts = [(tmp_path / name).read_text() for name in ("programme.json", "programme.yaml")]

    assert programme_files.read(texts[0]).data == programme_files.read(texts[1]).data
    assert yaml.safe_load(texts[1]) == programme_files.read(texts[0]).data  # for other readers too


def change_everything(data: dict[str, Any]) -> None:
    data["programme"]["points_live_count"] = 2
    data["tiers"][1]["min_qualifying_points"] = 7
    by_code = {rule["code"]: rule for rule in data["earning_rules"]}
    by_code["tuesday"]["percent"] = 300
    data["earning_rules"] = [
        by_code["tuesday"],
        {"code": "visit", "kind": "visit", "points": 5, **NAMES},
    ]
    data["plans"] = [{"code": "year", "price_cents": 9900, "days": 365, **NAMES}]
    data["benefits"] = [
        {
            "code": "words",
            "kind": "text",
            "plan": "year",
            **NAMES,
            "versions": [{"from_month": "2020-01", "text_zh": "茶", "text_en": "Tea"}],
        },
    ]


def test_applied_it_is_what_the_file_says(edited: Callable[..., Path], boss: Staff) -> None:
    who = make.member(now=make.NOON)
    make.paid(what=make.basket(who=who), total=1200, now=timezone.now())
    path = edited(change_everything)

    said, code = run("plan", str(path))
    assert code == 2
    assert "programme: points_live_count: 1 -> 2" in said
    assert "earning_rules/tuesday: percent: 200 -> 300" in said
    assert "earning_rules/cup: is_active: True -> False" in said
    assert "1 members T1 -> T2 at once" in said
    assert not Job.objects.exists()  # a plan writes nothing
    assert EarningRule.objects.get(code="tuesday").percent == 200

    run("apply", str(path), "--by", boss.username)

    assert run("plan", str(path))[1] == 0
    assert LoyaltyProgramme.objects.get().points_live_count == 2
    rules = EarningRule.objects.values_list("code", "percent", "points", "is_active")
    assert sorted((code, pc, float(pts), on) for code, pc, pts, on in rules) == [
        ("cup", 100, 1.5, False),
        ("tuesday", 300, 0, True),
        ("visit", 100, 5, True),
    ]
    assert Benefit.objects.get(code="words").plan == MembershipPlan.objects.get(code="year")
    assert Job.objects.get().kind == "tiers.review"
    change = ProgrammeChange.objects.get()
    assert change.actor == f"staff:{boss.pk}"
    assert {"where": "tiers/T2", "field": "min_qualifying_points", "from": 300, "to": 7} in (
        change.changes
    )


def test_what_was_before_can_be_applied_again(
    edited: Callable[..., Path], boss: Staff, tmp_path: Path
) -> None:
    run("apply", str(edited(change_everything)), "--by", boss.username)
    back = tmp_path / "back.yaml"

    run("export", str(back), "--before", str(ProgrammeChange.objects.get().pk))
    run("apply", str(back), "--by", boss.username)

    assert Tier.objects.get(code="T2").min_qualifying_points == 300
    assert EarningRule.objects.get(code="cup").is_active
    assert not EarningRule.objects.get(code="visit").is_active  # history may point at it


def broken(section: str, index: int, **fields: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        data[section][index] |= fields

    return change


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (broken("tiers", 1, levle=3), "/tiers/1/levle: There is no such field."),
        (broken("tiers", 1, min_qualifying_points="many"), "/tiers/1/min_qualifying_points: This"),
        (broken("tiers", 1, min_qualifying_points=99999), "/tiers/2: A higher tier must ask"),
        (broken("tiers", 1, name_en="Regu\0lar"), "/tiers/1/name_en: This must be a text."),
        (
            lambda data: data["programme"].update(points_per_redeemed_yuan=0),
            "/programme/points_per_redeemed_yuan: A yuan costs at least one point.",
        ),
        (broken("earning_rules", 1, percent=90), "/earning_rules/1/percent: "),
        (broken("earning_rules", 1, stores=["SH999"]), "/earning_rules/1/stores: There is no"),
        (broken("earning_rules", 0, code="tuesday"), "/earning_rules/1: This is in the list"),
        (broken("plans", 0, days=0), "/plans/0"),
        (broken("benefits", 0, kind="text"), "/benefits/0/kind: This stands for ever"),
        (
            broken("benefits", 0, versions=[{"from_month": "2020-01", "percent": 170}]),
            "/benefits/0/versions: What members have this month stands",
        ),
        (lambda data: data["programme"].update(points_expire="date"), "/programme/points_last_day"),
        (lambda data: data.update(version=9), "/version: This is not a programme of version 1."),
    ],
)
def test_a_bad_file_is_refused_with_its_line_and_changes_nothing(
    edited: Callable[..., Path], boss: Staff, change: Callable[[dict[str, Any]], None], place: str
) -> None:
    def spoil(data: dict[str, Any]) -> None:
        data["programme"]["claim_days"] = 9
        change(data)

    path = edited(spoil)

    for verb in (["plan", str(path)], ["apply", str(path), "--by", boss.username]):
        with pytest.raises(CommandError) as refusal:
            run(*verb)
        where, said = str(refusal.value).split(": ", 1)
        line = path.read_text().splitlines()[int(where.rpartition(":")[2]) - 1]
        assert said.startswith(place)
        assert line.strip()
    assert LoyaltyProgramme.objects.get().claim_days == 7


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("version: 1\ntiers: [", 2, ""),
        ("version: 1\nplans: []\nplans: []\n", 3, "“plans” is written twice"),
        ("version: !!python/object:os.system 1\n", 1, "could not determine a constructor"),
    ],
)
def test_text_that_is_no_document_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(programme_files.FileUnreadable) as refusal:
        programme_files.read(text)

    assert refusal.value.line == line
    assert what in refusal.value.detail


def test_a_section_that_is_left_out_stays(programme: None) -> None:
    plan = programme_changes.plan({"version": 1, "plans": []}, actor="test", now=timezone.now())

    assert [(c["where"], c["field"], c["to"]) for c in plan.changes] == [
        ("plans/card", "is_active", False)
    ]


def test_only_who_may_change_the_programme_applies(edited: Callable[..., Path]) -> None:
    manager = make.staff_member()

    with pytest.raises(CommandError, match="may not change"):
        run("apply", str(edited(change_everything)), "--by", manager.username)
