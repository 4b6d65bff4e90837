"""What a member had goes to another membership of theirs, or is given up. Writes by the ledger.

The flow has locked all wallets of both with `points.lock_accounts`, and the members before.
"""

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext_lazy as _

from loyalty import ledger
from loyalty.models import (
    EarningEvent,
    EarningGain,
    PendingPoints,
    PointsAccount,
    PointsEntry,
    PointsHold,
    PointsLot,
    ReceiptClaim,
    RewardRedemption,
    Visit,
)
from loyalty.points import Wallets
from shop.kernel.errors import DomainError
from shop.kernel.money import Points

Kind = PointsEntry.Kind
Wallet = PointsAccount.Wallet


class PointsHeld(DomainError):
    """Points are held for an order or a reward, which has to be used or given back before."""

    code = "points-held"
    title = _("Points are held for an order or a reward; use it or give it back first.")


def ensure_nothing_held(wallets: Wallets, *, member_id: int) -> None:
    """Check that no order and no reward waits for a member's points.

    Raises:
        PointsHeld
    """
    held = PointsHold.objects.filter(account__member=member_id, state=PointsHold.State.PENDING)
    if held.exists():
        raise PointsHeld(sources=sorted(held.values_list("source", flat=True)))


def hand_over(
    wallets: Wallets, *, source_id: int, target_id: int, reference: str, now: datetime
) -> dict[str, int]:
    """Move every wallet, promise, reward and visit of one member to another; close the wallets.

    Each lot arrives as a lot with the expiry that it had; a debt as a debt. Qualifying points keep
    the days on which they were earned. Return how many points moved, by wallet.
    """
    moved = {}
    for (member_id, wallet), account in sorted(wallets.accounts.items()):
        if member_id != source_id:
            continue
        target = wallets.accounts[target_id, wallet]
        moved[wallet] = int(account.balance)
        if wallet == Wallet.QUALIFYING:
            _move_by_day(account, target, reference=reference)
        else:
            _move_lots(account, target, reference=reference, now=now)
        _move_promises(account, target, now=now)
        _close(account)
    Visit.objects.filter(member=source_id).update(member=target_id)
    # Used rewards still count towards a limit, but two may have had the same number.
    RewardRedemption.objects.filter(member=source_id).update(member=target_id, slot=None)
    _move_gains(source_id, target_id)
    return moved


def brought_to(member_id: int) -> dict[str, dict[str, int]]:
    """Return what merges brought to a member's wallets, by reference and wallet; debts negative."""
    entries = PointsEntry.objects.filter(
        account__member=member_id, kind__in=[Kind.MERGE_IN, Kind.MERGE_OUT]
    )
    found: dict[str, dict[str, int]] = {}
    for source, wallet, amount in entries.values_list("source", "account__wallet", "points"):
        by_wallet = found.setdefault(source.partition("/")[0], {})
        by_wallet[wallet] = by_wallet.get(wallet, 0) + int(amount)
    return found


def give_up(wallets: Wallets, *, member_id: int, reference: str, now: datetime) -> int:
    """Empty and close every wallet of a member whose membership ends; return the points lost."""
    lost = 0
    for (owner, wallet), account in sorted(wallets.accounts.items()):
        if owner != member_id:
            continue
        balance = int(account.balance)
        lost += max(balance, 0) if wallet == Wallet.POINTS else 0
        if balance > 0:
            ledger.debit(
                account, kind=Kind.FORFEIT, points=Points(balance), source=reference, now=now
            )
        elif balance < 0:
            ledger.credit(
                account,
                kind=Kind.ADJUST,
                points=Points(-balance),
                source=reference,
                now=now,
                expires_at=None,
                note="debt written off with the membership",
            )
        PendingPoints.objects.filter(account=account, state=PendingPoints.State.PENDING).update(
            state=PendingPoints.State.VOIDED, resolved_at=now
        )
        _close(account)
    return lost


def _move_gains(source_id: int, target_id: int) -> None:
    """Let caps and events count on; what both did stays where it is."""
    EarningGain.objects.filter(member=source_id).update(member=target_id)
    ReceiptClaim.objects.filter(member=source_id).update(member=target_id)
    theirs = EarningEvent.objects.filter(
        member=target_id, event=OuterRef("event"), key=OuterRef("key")
    )
    EarningEvent.objects.filter(~Exists(theirs), member=source_id).update(member=target_id)


def _move_lots(
    account: PointsAccount, target: PointsAccount, *, reference: str, now: datetime
) -> None:
    balance = int(account.balance)
    if balance < 0:
        debt = Points(-balance)
        ledger.debit(target, kind=Kind.MERGE_OUT, points=debt, source=reference, now=now)
        ledger.credit(
            account, kind=Kind.MERGE_IN, points=debt, source=reference, now=now, expires_at=None
        )
        return
    in_order = F("expires_at").asc(nulls_last=True)
    open_lots = list(
        PointsLot.objects.filter(account=account, remaining__gt=0).order_by(in_order, "id")
    )
    if balance > 0:
        ledger.debit(
            account, kind=Kind.MERGE_OUT, points=Points(balance), source=reference, now=now
        )
    for lot in open_lots:
        ledger.credit(
            target,
            kind=Kind.MERGE_IN,
            points=lot.remaining,
            source=f"{reference}/{lot.pk}",
            now=now,
            expires_at=lot.expires_at,
        )


def _move_by_day(account: PointsAccount, target: PointsAccount, *, reference: str) -> None:
    """Write the sum of each day into both wallets, as of that day: tiers count by it."""
    values: dict[str, Any] = {
        "account": account.pk,
        "account_balance": account.balance,
        "target": target.pk,
        "target_balance": target.balance,
        "reference": reference,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY_SQL, values)
        cursor.execute(
            "UPDATE loyalty_pointsaccount SET balance = CASE id WHEN %(account)s THEN 0"
            " ELSE balance + %(account_balance)s END WHERE id IN (%(account)s, %(target)s)",
            values,
        )
    target.balance = Points(target.balance + account.balance)
    account.balance = Points(0)


_BY_DAY_SQL = """
WITH days AS (
    SELECT sum(points)::bigint AS points, max(occurred_at) AS at,
           row_number() OVER (ORDER BY max(occurred_at)) AS number
    FROM loyalty_pointsentry WHERE account_id = %(account)s
    GROUP BY date_trunc('day', occurred_at AT TIME ZONE 'UTC') HAVING sum(points) <> 0
),
sums AS (SELECT *, sum(points) OVER (ORDER BY number) AS upto FROM days)
INSERT INTO loyalty_pointsentry
       (account_id, kind, points, balance_after, source, note, actor, occurred_at)
SELECT side.account_id,
       CASE WHEN points * side.sign > 0 THEN 'merge_in' ELSE 'merge_out' END,
       points * side.sign, side.balance + upto * side.sign, %(reference)s || '/' || number,
       '', '', at
FROM sums CROSS JOIN (VALUES (%(account)s::bigint, -1, %(account_balance)s::bigint),
                             (%(target)s::bigint, 1, %(target_balance)s::bigint))
     AS side (account_id, sign, balance)
ORDER BY side.account_id, number
"""


def _move_promises(account: PointsAccount, target: PointsAccount, *, now: datetime) -> None:
    """Move what is still promised; what one of the two was promised for the other is void."""
    pending = PendingPoints.objects.filter(account=account, state=PendingPoints.State.PENDING)
    twice = PendingPoints.objects.filter(
        account=target, source__in=pending.values("source")
    ).values_list("kind", "source")
    for kind, source in list(twice):
        PendingPoints.objects.filter(
            account__in=[account, target],
            kind=kind,
            source=source,
            state=PendingPoints.State.PENDING,
        ).update(state=PendingPoints.State.VOIDED, resolved_at=now)
    pending.update(account=target)


def _close(account: PointsAccount) -> None:
    account.is_closed = True
    account.save(update_fields=["is_closed"])
