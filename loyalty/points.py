"""Points: earned, promised, held, spent, taken back. The only module that writes wallets.

Every public function works on accounts that the flow has locked with `lock_accounts`, all at once
and in ascending id, so that two flows can never wait for each other in a circle.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from loyalty import ledger, lots
from loyalty.ledger import Posting
from loyalty.lots import Clawback, Draw
from loyalty.models import PendingPoints, PointsAccount, PointsDraw, PointsEntry, PointsHold
from shop.kernel import rows
from shop.kernel.errors import DomainError
from shop.kernel.money import Points, share_of

Kind = PointsEntry.Kind
Wallet = PointsAccount.Wallet
RowT = TypeVar("RowT", PointsEntry, PendingPoints)


class NotEnoughPoints(DomainError):
    """The wallet has fewer points than asked for."""

    code = "not-enough-points"
    title = _("There are not enough points.")


class HoldResolved(DomainError):
    """The hold was posted or voided before; a hold is resolved at most once."""

    code = "hold-resolved"
    title = _("These points were already spent or released.")


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


def lock_accounts(member_ids: Collection[int]) -> Wallets:
    """Lock every wallet of these members until the transaction ends, in ascending id."""
    found = rows.select(
        "SELECT {columns} FROM loyalty_pointsaccount WHERE member_id = ANY(%(members)s)"
        " ORDER BY id FOR NO KEY UPDATE",
        {"members": list(set(member_ids))},
        PointsAccount,
    )
    return Wallets(accounts={(row.member_id, row.wallet): row for (row,) in found})


# --- credits -------------------------------------------------------------------------------------


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
    source: str,
    now: datetime,
    expires_at: datetime | None,
) -> None:
    """Take what was spent on a purchase and give what it earns, in one statement.

    As `spend` and then `earn` into each wallet would; `expires_at` is of what is earned to spend.

    Raises:
        NotEnoughPoints, WalletClosed
    """
    account = wallets.points(member_id)
    if spent > 0:
        _ensure_available(account, spent)
    postings = [
        Posting(account=account, kind=Kind.SPEND, points=-spent),
        Posting(account=account, kind=Kind.EARN, points=earned, expires_at=expires_at),
        Posting(account=wallets.qualifying(member_id), kind=Kind.EARN, points=qualifying),
    ]
    ledger.post(
        [posting for posting in postings if posting.points and not posting.account.is_closed],
        source=source,
        now=now,
    )


def promise(
    account: PointsAccount,
    *,
    points: Points,
    source: str,
    now: datetime,
    available_at: datetime | None,
    kind: str = Kind.REFERRAL,
) -> None:
    """Promise points for later; they enter the ledger when their time has come.

    Without `available_at` they wait until `complete` names it. A closed wallet is promised nothing.
    """
    if points > 0 and not account.is_closed:
        PendingPoints.objects.create(
            account=account,
            kind=kind,
            points=points,
            source=source,
            promised_at=now,
            available_at=available_at,
        )


def complete(source: str, *, available_at: datetime) -> None:
    """Say when promises that waited for this order's completion are available."""
    PendingPoints.objects.filter(source=source, available_at=None, state="pending").update(
        available_at=available_at
    )


def due_promises(*, now: datetime, limit: int) -> list[int]:
    """Return ids of promises whose time has come, oldest first."""
    due = PendingPoints.objects.filter(state="pending", available_at__lte=now)
    return list(due.order_by("available_at").values_list("id", flat=True)[:limit])


@transaction.atomic
def release_promise(promise_id: int, *, now: datetime, expires_at: datetime | None) -> bool:
    """Turn one due promise into an entry; False when another worker or a refund was first."""
    pending = PendingPoints.objects.select_related("account").get(pk=promise_id)
    account = lock_accounts([pending.account.member_id]).of(pending.account)
    left = _resolve_promise(promise_id, state=PendingPoints.State.POSTED, now=now)
    if left is not None:
        earn(
            account,
            points=left,
            source=pending.source,
            now=now,
            expires_at=expires_at,
            kind=pending.kind,
        )
    return left is not None


def revoke_promise(account: PointsAccount, *, source: str, now: datetime, policy: Clawback) -> None:
    """Take back what was promised: void it while pending, debit it once it was posted.

    A posted promise is taken back as far as the programme's policy goes.
    """
    promised = _of_person(PendingPoints.objects.filter(source=source), account).first()
    if promised is None:
        return
    if _resolve_promise(promised.pk, state=PendingPoints.State.VOIDED, now=now) is not None:
        return
    entries = PointsEntry.objects.filter(kind=promised.kind, source=source)
    posted = _of_person(entries, account).first()
    if posted is None or account.is_closed:
        return
    taken = lots.claw_back(posted.points, pending=0, available=account.available, policy=policy)
    if taken.from_balance > 0:
        ledger.debit(
            account,
            kind=Kind.REVERSE_REFERRAL,
            points=Points(taken.from_balance),
            source=source,
            now=now,
            first=posted.pk,
        )


def _resolve_promise(promise_id: int, *, state: str, now: datetime) -> Points | None:
    """Post or void a pending promise; return what is left of it, None if it was resolved before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE loyalty_pendingpoints SET state = %s, resolved_at = %s"
            " WHERE id = %s AND state = 'pending' RETURNING points - taken_back",
            [state, now, promise_id],
        )
        found = cursor.fetchone()
    return None if found is None else Points(found[0])


# --- debits --------------------------------------------------------------------------------------


def spend(account: PointsAccount, *, points: Points, source: str, now: datetime) -> None:
    """Take points for something bought now.

    Raises:
        NotEnoughPoints
    """
    if points > 0:
        _ensure_available(account, points)
        ledger.debit(account, kind=Kind.SPEND, points=points, source=source, now=now)


def hold(
    account: PointsAccount,
    *,
    points: Points,
    source: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> PointsHold:
    """Set points aside; they stop being available at once and leave the balance when posted.

    While they are held they do not expire. Whoever holds them posts or voids; `expires_at` is for
    `expire_hold`, which frees what was forgotten.

    Raises:
        NotEnoughPoints
    """
    _ensure_available(account, points)
    row = PointsHold.objects.create(
        account=account, points=points, source=source, held_at=now, expires_at=expires_at
    )
    account.held = Points(account.held + points)
    account.save(update_fields=["held"])
    return row


def post_hold(account: PointsAccount, *, source: str, now: datetime) -> None:
    """Spend what was held under this source; nothing when nothing was held.

    Raises:
        HoldResolved
    """
    held = _resolve(account, source=source, state=PointsHold.State.POSTED, now=now)
    if held is not None:
        ledger.debit(account, kind=Kind.SPEND, points=held.points, source=source, now=now)


def void_hold(account: PointsAccount, *, source: str, now: datetime) -> None:
    """Release what was held under this source; nothing when nothing was held or it has expired.

    Raises:
        HoldResolved
    """
    try:
        _resolve(account, source=source, state=PointsHold.State.VOIDED, now=now)
    except HoldResolved as resolved:
        if resolved.members["state"] != PointsHold.State.EXPIRED:
            raise


def overdue_holds(*, now: datetime, limit: int) -> list[int]:
    """Return ids of pending holds whose time is over, oldest first."""
    due = PointsHold.objects.filter(state="pending", expires_at__lte=now)
    return list(due.order_by("expires_at").values_list("id", flat=True)[:limit])


@transaction.atomic
def expire_hold(hold_id: int, *, now: datetime) -> bool:
    """Free one hold that nobody posted or voided in time; False when somebody was first."""
    row = PointsHold.objects.select_related("account").get(pk=hold_id)
    account = lock_accounts([row.account.member_id]).of(row.account)
    try:
        _resolve(account, source=row.source, state=PointsHold.State.EXPIRED, now=now)
    except HoldResolved:
        return False
    return True


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
        _ensure_available(account, Points(-points))
        ledger.debit(
            account, kind=Kind.ADJUST, points=Points(-points), source=source, now=now, **by
        )


# --- refunds -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundShare:
    """How much of an order had been given back before and after one refund, in money."""

    whole: int
    before: int
    after: int

    def of(self, points: int) -> Points:
        """Return the part of `points` that this refund stands for.

        The difference of two rounded shares, so that halves add up to the whole.

        >>> halves = [(0, 1000), (1000, 1999)]
        >>> [RefundShare(whole=1999, before=b, after=a).of(19) for b, a in halves]
        [9, 10]
        """
        return Points(share_of(points, part=self.after, of=self.whole) - self.of_before(points))

    def of_before(self, points: int) -> Points:
        """Return the part of `points` that earlier refunds stood for."""
        return Points(share_of(points, part=self.before, of=self.whole))


def reverse_earn(
    account: PointsAccount,
    *,
    order_source: str,
    refund_source: str,
    share: RefundShare,
    now: datetime,
    policy: Clawback,
) -> Points:
    """Take back the refunded share of what an order earned, as far as the policy goes.

    What is still pending goes first, then the lot that the order itself opened. Return how many
    points were taken.
    """
    if account.is_closed:
        return Points(0)
    earned = _earned(account, order_source)
    taken = lots.claw_back(
        share.of(earned.points), pending=earned.pending, available=account.available, policy=policy
    )
    if taken.from_pending > 0:
        _take_from_promise(earned, Points(taken.from_pending), now=now)
    if taken.from_balance > 0:
        ledger.debit(
            account,
            kind=Kind.REVERSE_EARN,
            points=Points(taken.from_balance),
            source=refund_source,
            now=now,
            first=earned.entry_id,
        )
    return Points(taken.from_pending + taken.from_balance)


def reverse_spend(
    account: PointsAccount,
    *,
    order_source: str,
    refund_source: str,
    share: RefundShare,
    now: datetime,
) -> None:
    """Give back the refunded share of what was spent, each part with the expiry that it had.

    Parts that expire within the grace period, or have expired, live until it ends. Each expiry is
    an entry and a lot of its own: the first under `refund_source`, the next under `…/2`.
    """
    entries = PointsEntry.objects.filter(kind=Kind.SPEND, source=order_source)
    spent = _of_person(entries, account).first()
    if spent is None or account.is_closed:
        return
    back = lots.restore(
        _draws(spent, now=now),
        returned=share.of_before(-spent.points),
        points=share.of(-spent.points),
        now=now,
    )
    for number, part in enumerate(back, start=1):
        ledger.credit(
            account,
            kind=Kind.REVERSE_SPEND,
            points=Points(part.points),
            source=refund_source if number == 1 else f"{refund_source}/{number}",
            now=now,
            expires_at=part.expires_at,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Earned:
    """What an order earned: in the ledger, or promised with so much of it still pending."""

    entry_id: int | None
    promise_id: int | None
    points: int
    pending: int


def _earned(account: PointsAccount, source: str) -> _Earned:
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "account": account.pk,
            "member": account.member_id,
            "wallet": account.wallet,
            "source": source,
        }
        cursor.execute(_EARNED_SQL, values)
        entry_id, promise_id, points, pending = cursor.fetchone()
    return _Earned(entry_id=entry_id, promise_id=promise_id, points=points, pending=pending)


_HISTORY_SQL = """ANY(ARRAY(
    SELECT %(account)s::bigint
    UNION ALL
    SELECT former.id FROM loyalty_pointsaccount former
    JOIN shop_member merged ON merged.id = former.member_id
    WHERE merged.merged_into_id = %(member)s AND former.wallet = %(wallet)s))"""
"""The wallet itself, and those of memberships that were merged into its member's."""

_EARNED_SQL = f"""
SELECT entry.id, promise.id, COALESCE(promise.points, entry.points, 0),
       CASE WHEN promise.state = 'pending' THEN promise.points - promise.taken_back ELSE 0 END
FROM (VALUES (%(source)s)) AS asked (source)
LEFT JOIN loyalty_pointsentry entry
       ON entry.account_id = {_HISTORY_SQL} AND entry.source = asked.source
      AND entry.kind = 'earn'
LEFT JOIN loyalty_pendingpoints promise
       ON promise.account_id = {_HISTORY_SQL} AND promise.source = asked.source
      AND promise.kind = 'earn'
"""  # noqa: S608 - our own expression


def _of_person(found: QuerySet[RowT], account: PointsAccount) -> QuerySet[RowT]:
    """Keep the rows of this wallet, and those of the wallets that were merged into it."""
    own = PointsAccount.objects.filter(pk=account.pk).values("pk")
    former = PointsAccount.objects.filter(
        member__merged_into=account.member_id, wallet=account.wallet
    ).values("pk")
    # A union, because an OR with a subquery would read the whole ledger.
    return found.filter(account__in=own.union(former, all=True))


def _draws(spent: PointsEntry, *, now: datetime) -> list[Draw]:
    """Return what a debit drew, in the order in which it did.

    What no lot covered was debt and had no expiry: it comes back for the grace period.
    """
    drawn = [
        Draw(lot_id=row.lot_id, points=row.points, expires_at=row.lot.expires_at)
        for row in PointsDraw.objects.filter(entry=spent)
        .select_related("lot")
        .order_by(F("lot__expires_at").asc(nulls_last=True), "lot_id")
    ]
    uncovered = -spent.points - sum(draw.points for draw in drawn)
    return [*drawn, Draw(lot_id=0, points=uncovered, expires_at=now)] if uncovered else drawn


def _take_from_promise(earned: _Earned, points: Points, *, now: datetime) -> None:
    """Shrink a pending promise; one that has nothing left is void."""
    is_void = points == earned.pending
    PendingPoints.objects.filter(pk=earned.promise_id or 0).update(
        taken_back=F("taken_back") + points,
        state=PendingPoints.State.VOIDED if is_void else PendingPoints.State.PENDING,
        resolved_at=now if is_void else None,
    )


def _ensure_available(account: PointsAccount, points: Points) -> None:
    if account.is_closed:
        raise WalletClosed
    if points > account.available:
        raise NotEnoughPoints(needed_points=points, available_points=account.available)


def _resolve(
    account: PointsAccount, *, source: str, state: str, now: datetime
) -> PointsHold | None:
    row = PointsHold.objects.filter(account=account, source=source).first()
    if row is None:
        return None
    is_first = PointsHold.objects.filter(pk=row.pk, state="pending").update(
        state=state, resolved_at=now
    )
    if not is_first:
        raise HoldResolved(source=source, state=row.state)
    account.held = Points(account.held - row.points)
    account.save(update_fields=["held"])
    return row
