"""Wallets of points, and what enters and leaves them at once.

What waits or comes back stands in `holds`, `promises` and `reversals`.

Every public function works on accounts that the flow has locked with `lock_accounts`, all at once
and in ascending id, so that two flows can never wait for each other in a circle.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from loyalty import ledger
from loyalty.ledger import Posting
from loyalty.models import PendingPoints, PointsAccount, PointsEntry
from shop.kernel import rows
from shop.kernel.errors import DomainError
from shop.kernel.money import Points

Kind = PointsEntry.Kind
Wallet = PointsAccount.Wallet
NOTHING = Points(0)
RowT = TypeVar("RowT", PointsEntry, PendingPoints)


class NotEnoughPoints(DomainError):
    """The wallet has fewer points than asked for."""

    code = "not-enough-points"
    title = _("There are not enough points.")


class AdjustmentEmpty(DomainError):
    """An adjustment of nothing."""

    code = "adjustment-empty"
    title = _("An adjustment needs a number of points other than zero.")
    status = HTTPStatus.BAD_REQUEST


class WalletClosed(DomainError):
    """The membership ended while something was being done for it."""

    code = "wallet-closed"
    title = _("This membership has ended.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wallets:
    """The locked accounts of one flow, by (member id, wallet)."""

    accounts: dict[tuple[int, str], PointsAccount]

    def points(self, member_id: int) -> PointsAccount:
        """Return the account of spendable points."""
        return self.accounts[member_id, Wallet.POINTS]

    def qualifying(self, member_id: int) -> PointsAccount:
        """Return the account of qualifying points."""
        return self.accounts[member_id, Wallet.QUALIFYING]

    def stamps(self, member_id: int) -> PointsAccount | None:
        """Return the account of stamps, if the member ever had one."""
        return self.accounts.get((member_id, Wallet.STAMPS))

    def earning(self, member_id: int) -> list[PointsAccount]:
        """Return every account that an order earns into; that of spendable points first."""
        card = self.stamps(member_id)
        both = [self.points(member_id), self.qualifying(member_id)]
        return both if card is None else [*both, card]

    def ensure_open(self, member_id: int) -> None:
        """Check that the membership did not end before its wallets were locked.

        Raises:
            WalletClosed
        """
        if self.points(member_id).is_closed:
            raise WalletClosed

    def of(self, account: PointsAccount) -> PointsAccount:
        """Return the locked row of an account."""
        return self.accounts[account.member_id, account.wallet]


def open_accounts(member_id: int) -> None:
    """Give a new member the two wallets that every sale needs; others are opened when used."""
    PointsAccount.objects.bulk_create(
        [
            PointsAccount(member_id=member_id, wallet=wallet)
            for wallet in (Wallet.POINTS, Wallet.QUALIFYING)
        ]
    )


def open_account(member_id: int, *, wallet: str) -> None:
    """Give a member one more wallet, unless they have it; lock it with `lock_accounts` then."""
    rows.insert(
        PointsAccount(member_id=member_id, wallet=wallet), unless_exists="member_id, wallet"
    )


def open_stamps(wallets: Wallets, member_id: int) -> None:
    """Add a member's wallet of stamps to the locked ones; opened if this is their first stamp.

    It is the youngest of their wallets, so taking its lock last keeps to the order of ids.
    """
    if wallets.stamps(member_id) is None:
        open_account(member_id, wallet=Wallet.STAMPS)
        key = (member_id, Wallet.STAMPS)
        wallets.accounts[key] = lock_accounts([member_id]).accounts[key]


def lock_accounts(member_ids: Collection[int]) -> Wallets:
    """Lock every wallet of these members until the transaction ends, in ascending id."""
    found = rows.select(
        "SELECT {columns} FROM loyalty_pointsaccount WHERE member_id = ANY(%(members)s)"
        " ORDER BY id FOR NO KEY UPDATE",
        {"members": list(set(member_ids))},
        PointsAccount,
    )
    return Wallets(accounts={(row.member_id, row.wallet): row for (row,) in found})


def earn(
    account: PointsAccount,
    *,
    points: Points,
    source: str,
    now: datetime,
    expires_at: datetime | None = None,
    kind: str = Kind.EARN,
) -> None:
    """Add points to a locked account; debt is repaid first, the rest becomes a lot.

    Once per (account, kind, source). Earning nothing writes nothing, nor does a closed wallet earn.
    """
    if points > 0 and not account.is_closed:
        ledger.credit(
            account, kind=kind, points=points, source=source, now=now, expires_at=expires_at
        )


def exchange(
    wallets: Wallets,
    member_id: int,
    *,
    spent: Points,
    earned: Points,
    qualifying: Points,
    stamps: Points = NOTHING,
    source: str,
    now: datetime,
    expires_at: datetime | None,
) -> None:
    """Take what was spent on a purchase and give what it earns, in one statement.

    As `spend` and then `earn` into each wallet would; `expires_at` is of what is earned to spend.
    Stamps do not expire; their wallet was opened by `open_stamps`.

    Raises:
        NotEnoughPoints, WalletClosed
    """
    account = wallets.points(member_id)
    if spent > 0:
        ensure_available(account, spent)
    postings = [
        Posting(account=account, kind=Kind.SPEND, points=-spent),
        Posting(account=account, kind=Kind.EARN, points=earned, expires_at=expires_at),
        Posting(account=wallets.qualifying(member_id), kind=Kind.EARN, points=qualifying),
    ]
    if stamps > 0:
        card = wallets.accounts[member_id, Wallet.STAMPS]
        postings.append(Posting(account=card, kind=Kind.EARN, points=stamps))
    ledger.post(
        [posting for posting in postings if posting.points and not posting.account.is_closed],
        source=source,
        now=now,
    )


def spend(account: PointsAccount, *, points: Points, source: str, now: datetime) -> None:
    """Take points for something bought now.

    Raises:
        NotEnoughPoints
    """
    if points > 0:
        ensure_available(account, points)
        ledger.debit(account, kind=Kind.SPEND, points=points, source=source, now=now)


def adjust(
    account: PointsAccount,
    *,
    points: Points,
    source: str,
    reason: str,
    actor: str,
    now: datetime,
    expires_at: datetime | None,
) -> None:
    """Correct a balance by hand; the reason and the person stay on the entry.

    Raises:
        AdjustmentEmpty, NotEnoughPoints, WalletClosed
    """
    if points == 0:
        raise AdjustmentEmpty
    if account.is_closed:
        raise WalletClosed
    by: Any = {"note": reason, "actor": actor}
    if points > 0:
        ledger.credit(
            account,
            kind=Kind.ADJUST,
            points=points,
            source=source,
            now=now,
            expires_at=expires_at,
            **by,
        )
    else:
        ensure_available(account, Points(-points))
        ledger.debit(
            account, kind=Kind.ADJUST, points=Points(-points), source=source, now=now, **by
        )


HISTORY_SQL = """ANY(ARRAY(
    SELECT %(account)s::bigint
    UNION ALL
    SELECT former.id FROM loyalty_pointsaccount former
    JOIN shop_member merged ON merged.id = former.member_id
    WHERE merged.merged_into_id = %(member)s AND former.wallet = %(wallet)s))"""
"""The wallet itself, and those of memberships that were merged into its member's."""


def of_person(found: QuerySet[RowT], account: PointsAccount) -> QuerySet[RowT]:
    """Keep the rows of this wallet, and those of the wallets that were merged into it."""
    own = PointsAccount.objects.filter(pk=account.pk).values("pk")
    former = PointsAccount.objects.filter(
        member__merged_into=account.member_id, wallet=account.wallet
    ).values("pk")
    # A union, because an OR with a subquery would read the whole ledger.
    return found.filter(account__in=own.union(former, all=True))


def ensure_available(account: PointsAccount, points: Points) -> None:
    """Check that a locked wallet has so many points to spend.

    Raises:
        NotEnoughPoints, WalletClosed
    """
    if account.is_closed:
        raise WalletClosed
    if points > account.available:
        raise NotEnoughPoints(needed_points=points, available_points=account.available)
