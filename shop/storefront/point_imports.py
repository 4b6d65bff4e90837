"""Points of another system taken over from a table, each line once however often it is read."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty import points, renewals
from loyalty.models import PointsAccount, PointsEntry
from shop import external_ids, members
from shop.kernel.errors import InvalidInput
from shop.kernel.money import Points
from shop.models import Member
from shop.storefront import tier_reviews

COLUMNS = ["member", "points", "reference"]
OPTIONAL = ["wallet", "expires_on"]
WALLETS = [PointsAccount.Wallet.POINTS, PointsAccount.Wallet.QUALIFYING]
LONGEST_REFERENCE = 50
MOST_POINTS = 1_000_000_000


class LineUnusable(Exception):
    """A line, or the whole table, cannot be taken over; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """So many points for somebody; `reference` is what the other system calls this."""

    number: int
    member: str
    points: Points
    wallet: str
    reference: str
    expires_on: date | None

    @property
    def source(self) -> str:
        """Return the name under which the points stand in the ledger."""
        return f"import:{self.reference}"


def read(text: Iterable[str]) -> Iterator[Line | tuple[int, str]]:
    """Yield each line of a CSV table, or its number and what is wrong with it.

    Raises:
        LineUnusable: the table lacks a column, or has one that means nothing.
    """
    table = csv.DictReader(text)
    found = set(table.fieldnames or ())
    if not set(COLUMNS) <= found or not found <= {*COLUMNS, *OPTIONAL}:
        raise LineUnusable(_("The columns are %s.") % ", ".join([*COLUMNS, *OPTIONAL]))
    for row in table:
        try:
            yield _line(table.line_num, {name: row.get(name) or "" for name in found})
        except ValueError as error:
            yield table.line_num, str(error)


@transaction.atomic
def take_over(line: Line, *, actor: str, now: datetime) -> bool:
    """Give a line's points to its member; False when that was done before, even before a merge.

    Qualifying points count from today on, and lift the member at once.

    Raises:
        LineUnusable: nobody is known by that phone, id or number elsewhere, or it has expired.
        InvalidInput, members.MemberNotActive, points.WalletClosed
    """
    member = _find(line.member)
    expires_at = _end_of(line.expires_on, timezone=member.store.timezone)
    if expires_at is not None and expires_at <= now:
        raise LineUnusable(_("These points have expired."))
    members.ensure_active(member)
    account = points.lock_accounts([member.pk]).accounts[member.pk, line.wallet]
    before = PointsEntry.objects.filter(kind=PointsEntry.Kind.ADJUST, source=line.source)
    if points.of_person(before, account).exists():
        return False
    points.adjust(
        account,
        points=line.points,
        source=line.source,
        reason="taken over from another system",
        actor=actor,
        now=now,
        expires_at=expires_at,
    )
    if line.wallet == PointsAccount.Wallet.QUALIFYING:
        tier_reviews.place(member.pk, source=line.source, now=now)
    return True


def _line(number: int, row: dict[str, str]) -> Line:
    """Return a line of the table.

    Raises:
        ValueError
    """
    if any("\0" in value for value in row.values()):
        raise ValueError("a NUL byte in a text")
    amount = _amount(row["points"])
    wallet = row.get("wallet") or PointsAccount.Wallet.POINTS
    day = row.get("expires_on")
    if not 0 < amount <= MOST_POINTS or wallet not in WALLETS:
        raise ValueError(f"1 to {MOST_POINTS:,} points, in one of {', '.join(WALLETS)}")
    if not 0 < len(row["reference"]) <= LONGEST_REFERENCE:
        raise ValueError(f"a reference of 1 to {LONGEST_REFERENCE} characters")
    return Line(
        number=number,
        member=row["member"].strip(),
        points=Points(amount),
        wallet=wallet,
        reference=row["reference"],
        expires_on=date.fromisoformat(day) if day else None,
    )


def _end_of(day: date | None, *, timezone: str) -> datetime | None:
    return None if day is None else renewals.end_of(day, timezone=timezone)


def _amount(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ValueError("points are a whole number") from error


def _find(text: str) -> Member:
    """Return a member by public id, by `system:number`, or by phone.

    Raises:
        LineUnusable
    """
    system, is_external, external_id = text.partition(":")
    found: Member | None
    if is_external:
        found = external_ids.find(system, external_id)
    else:
        found = _by_id(text) or _by_phone(text)
    if found is None:
        raise LineUnusable(_("Nobody is known by this."))
    return found


def _by_id(text: str) -> Member | None:
    try:
        return Member.objects.select_related("store").filter(public_id=UUID(text)).first()
    except ValueError:
        return None


def _by_phone(text: str) -> Member | None:
    try:
        return members.find_by_phone(members.parse_phone(text))
    except InvalidInput:
        return None
