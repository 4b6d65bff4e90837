"""Points of another system, taken over once from a file."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from loyalty.models import Membership, PointsAccount, PointsEntry
from shop import external_ids
from shop.models import Staff
from shop.storefront import merging
from shop.storefront.invariants import suite
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> Staff:
    return make.staff_member(group="Head office")


def take(path: Path, rows: str, *, by: Staff) -> tuple[str, str, int]:
    path.write_text(rows, encoding="utf-8-sig")  # as spreadsheets write it
    out, err = StringIO(), StringIO()
    try:
        call_command("import_points", str(path), "--by", by.username, stdout=out, stderr=err)
    except SystemExit as end:
        return out.getvalue(), err.getvalue(), int(str(end.code))
    return out.getvalue(), err.getvalue(), 0


def balances() -> list[tuple[str, int]]:
    found = PointsAccount.objects.exclude(balance=0).order_by("wallet", "balance")
    return list(found.values_list("wallet", "balance"))


def test_takes_each_line_over_once_by_phone_id_or_number(tmp_path: Path, boss: Staff) -> None:
    by_phone = make.member(phone="+8613800138999")
    by_id, by_number = make.member(), make.member()
    now = timezone.now()
    external_ids.bind(by_number, system="old-till", external_id="17", actor="test", now=now)
    rows = (
        "member,points,reference,expires_on,wallet\n"
        "13800138999,30,a1,2099-12-31,\n"
        f"{by_id.public_id},20,a2,,points\n"
        "old-till:17,500,a3,,qualifying\n"
    )

    said = [take(tmp_path / "old.csv", rows, by=boss)[0] for _ in range(2)]

    assert said == [
        "3 taken over, 0 had been before, 0 refused\n",
        "0 taken over, 3 had been before, 0 refused\n",
    ]
    assert balances() == [("points", 20), ("points", 30), ("qualifying", 500)]
    entry = PointsEntry.objects.get(account__member=by_phone)
    assert (entry.kind, entry.source, entry.actor) == ("adjust", "import:a1", f"staff:{boss.pk}")
    assert f"{entry.lot.expires_at:%F %H:%M}" == "2099-12-31 16:00"  # midnight in Shanghai
    assert Membership.objects.get(member=by_number).tier.level == 2
    assert not suite.check_all(now=now).broken


def test_says_what_is_wrong_with_a_line_and_takes_the_others(tmp_path: Path, boss: Staff) -> None:
    make.member(phone="+8613800138999")
    rows = (
        "member,points,reference\n13800138999,-3,b1\nnobody,3,b2\n13800138999,many,b3\n"
        "13800138999,3,\n13800138999,3,b5\n"
    )

    said, complaints, code = take(tmp_path / "old.csv", rows, by=boss)

    assert (said, code) == ("1 taken over, 0 had been before, 4 refused\n", 1)
    assert [line.split(":")[0] for line in complaints.splitlines()] == [
        "line 2",
        "line 3",
        "line 4",
        "line 5",
    ]


def test_knows_after_a_merge_what_was_taken_over_before(tmp_path: Path, boss: Staff) -> None:
    source, into = make.member(phone="+8613800138999"), make.member()
    rows = "member,points,reference\n{},30,c1\n"
    take(tmp_path / "old.csv", rows.format("13800138999"), by=boss)
    merging.merge_members(source, into=into, reason="one", actor="t", now=timezone.now())

    said = take(tmp_path / "old.csv", rows.format(into.public_id), by=boss)[0]

    assert said.startswith("0 taken over, 1 had been before")


def test_needs_the_columns_and_somebody_who_may(tmp_path: Path, boss: Staff) -> None:
    for rows, by in (
        ("phone,points\n", boss),
        ("member,points,reference\n", make.staff_member("SH001")),
    ):
        with pytest.raises(CommandError):
            take(tmp_path / "old.csv", rows, by=by)


def test_says_so_too_of_what_no_database_or_calendar_holds(tmp_path: Path, boss: Staff) -> None:
    make.member(phone="+8613800138999")
    rows = (
        "member,points,reference,expires_on\n"
        f"13800138999,{10**22},d1,\n"
        "13800138999,3,d2,9999-12-31\n"
        "13800138999,3,d3,0001-01-01\n"
        "13800138999,3,d\0004,\n"
        "13800138999,3,d5,2099-12-31\n"
        "13800138999,3,d6,2020-12-31\n"
    )

    said, complaints, _code = take(tmp_path / "old.csv", rows, by=boss)

    assert said == "1 taken over, 0 had been before, 5 refused\n"
    assert len(complaints.splitlines()) == 5
