"""Points: earned, promised, held, spent, taken back. The only module that writes wallets.

Every public function works on accounts that the flow has locked with `lock_accounts`, all at once
and in ascending id, so that two flows can never wait for each other in a circle.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty import ledger
from loyalty.models import PendingPoints, PointsAccount, PointsDraw, PointsEntry, PointsHold
from shop.kernel import rows
from shop.kernel.errors import DomainError
from shop.kernel.money import Points, share_of

Kind = PointsEntry.Kind
Wallet = PointsAccount.Wallet
GRACE = timedelta(days=30)
"""Points given back after their lot has expired live at least this long again."""


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


def open_accounts(member_id: int) -> None:
    """Give a new member both wallets."""
    PointsAccount.objects.bulk_create(
        [PointsAccount(member_id=member_id, wallet=wallet) for wallet in Wallet]
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

    Once per (account, kind, source). Earning nothing writes nothing.
    """
    if points > 0:
        ledger.credit(
            account, kind=kind, points=points, source=source, now=now, expires_at=expires_at
        )


def promise(
    account: PointsAccount,
    *,
    points: Points,
    source: str,
    now: datetime,
    available_at: datetime,
    kind: str = Kind.REFERRAL,
) -> None:
    """Promise points for later; they enter the ledger when `release_promises` finds them due."""
    if points > 0:
        PendingPoints.objects.create(
            account=account,
            kind=kind,
            points=points,
            source=source,
            promised_at=now,
            available_at=available_at,
        )


def due_promises(*, now: datetime, limit: int) -> list[int]:
    """Return ids of promises whose time has come, oldest first."""
    due = PendingPoints.objects.filter(state="pending", available_at__lte=now)
    return list(due.order_by("available_at").values_list("id", flat=True)[:limit])


@transaction.atomic
def release_promise(promise_id: int, *, now: datetime, expires_at: datetime) -> bool:
    """Turn one due promise into an entry; False when another worker or a refund was first."""
    pending = PendingPoints.objects.select_related("account").get(pk=promise_id)
    account = lock_accounts([pending.account.member_id]).points(pending.account.member_id)
    is_first = PendingPoints.objects.filter(pk=promise_id, state="pending").update(
        state="posted", resolved_at=now
    )
    if is_first:
        earn(
            account,
            points=pending.points,
            source=pending.source,
            now=now,
            expires_at=expires_at,
            kind=pending.kind,
        )
    return bool(is_first)


def revoke_promise(
    account: PointsAccount, *, source: str, now: datetime, is_debt_allowed: bool
) -> None:
    """Take back what was promised: void it while pending, debit it once it was posted.

    Into debt if the programme allows it, else as far as the balance goes.
    """
    voided = PendingPoints.objects.filter(account=account, source=source, state="pending").update(
        state="voided", resolved_at=now
    )
    if voided:
        return
    posted = PendingPoints.objects.filter(account=account, source=source, state="posted").first()
    if posted is None:
        return
    points = posted.points if is_debt_allowed else min(posted.points, account.available)
    if points > 0:
        ledger.debit(account, kind=Kind.REVERSE_REFERRAL, points=points, source=source, now=now)


# --- debits --------------------------------------------------------------------------------------


def spend(account: PointsAccount, *, points: Points, source: str, now: datetime) -> None:
    """Take points for something bought now.

    Raises:
        NotEnoughPoints
    """
    if points > 0:
        _ensure_available(account, points)
        ledger.debit(account, kind=Kind.SPEND, points=points, source=source, now=now)


def hold(account: PointsAccount, *, points: Points, source: str, now: datetime) -> PointsHold:
    """Set points aside; they stop being available at once and leave the balance when posted.

    Raises:
        NotEnoughPoints
    """
    _ensure_available(account, points)
    row = PointsHold.objects.create(account=account, points=points, source=source, held_at=now)
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
    """Release what was held under this source; nothing when nothing was held.

    Raises:
        HoldResolved
    """
    _resolve(account, source=source, state=PointsHold.State.VOIDED, now=now)


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
        AdjustmentEmpty, NotEnoughPoints
    """
    if points == 0:
        raise AdjustmentEmpty
    by = {"note": reason, "actor": actor}
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
        before = share_of(points, part=self.before, of=self.whole)
        return Points(share_of(points, part=self.after, of=self.whole) - before)


def reverse_earn(
    account: PointsAccount,
    *,
    order_source: str,
    refund_source: str,
    share: RefundShare,
    now: datetime,
    is_debt_allowed: bool,
) -> Points:
    """Take back the refunded share of what an order earned, into debt if the programme allows it.

    Return how many points were taken.
    """
    points = share.of(_entry_points(account, Kind.EARN, order_source))
    if not is_debt_allowed:
        points = Points(min(points, account.available))
    if points > 0:
        ledger.debit(account, kind=Kind.REVERSE_EARN, points=points, source=refund_source, now=now)
    return points


def reverse_spend(
    account: PointsAccount,
    *,
    order_source: str,
    refund_source: str,
    share: RefundShare,
    now: datetime,
) -> None:
    """Give back the refunded share of what was spent, with the expiry it had and a grace period."""
    points = share.of(-_entry_points(account, Kind.SPEND, order_source))
    if points > 0:
        ledger.credit(
            account,
            kind=Kind.REVERSE_SPEND,
            points=points,
            source=refund_source,
            now=now,
            expires_at=_restored_expiry(account, order_source, now),
        )


def _entry_points(account: PointsAccount, kind: str, source: str) -> int:
    entry = PointsEntry.objects.filter(account=account, kind=kind, source=source).first()
    return entry.points if entry else 0


def _restored_expiry(account: PointsAccount, source: str, now: datetime) -> datetime | None:
    draws = PointsDraw.objects.filter(
        entry__account=account, entry__kind=Kind.SPEND, entry__source=source
    )
    expiries = list(draws.values_list("lot__expires_at", flat=True))
    dated = [expiry for expiry in expiries if expiry is not None]
    if len(dated) < len(expiries) or not dated:
        return None
    return max([*dated, now + GRACE])


def _ensure_available(account: PointsAccount, points: Points) -> None:
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
