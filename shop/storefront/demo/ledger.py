"""The points ledger in memory, by the rules of `loyalty.points`; check_invariants compares."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from loyalty.lots import Draw
from loyalty.models import PointsAccount, PointsDraw, PointsEntry, PointsLot
from shop.kernel.money import Points
from shop.storefront.demo.tables import Tables

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(kw_only=True, slots=True)
class Wallet:
    """An account with its open lots."""

    account: PointsAccount
    lots: list[PointsLot] = field(default_factory=list)
    is_old: bool = False

    @property
    def available(self) -> Points:
        """Return what may be spent."""
        return self.account.available


class Ledger:
    """Writes entries, lots and draws into the tables."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def credit(
        self,
        wallet: Wallet,
        *,
        kind: str,
        points: int,
        source: str,
        now: datetime,
        expires_at: datetime | None = None,
    ) -> None:
        """Add points; debt is repaid first, the rest is a lot."""
        if points <= 0:
            return
        debt = max(-wallet.account.balance, 0)
        entry = self._entry(wallet, kind=kind, points=points, source=source, now=now)
        if wallet.account.wallet == PointsAccount.Wallet.POINTS:
            lot = PointsLot(
                account_id=wallet.account.pk,
                entry_id=entry.pk,
                points=Points(points),
                remaining=Points(max(points - debt, 0)),
                expires_at=expires_at,
            )
            wallet.lots.append(self.tables.add(lot))

    def debit(
        self, wallet: Wallet, *, kind: str, points: int, source: str, now: datetime
    ) -> list[Draw]:
        """Take points from the lots that expire soonest, the rest as debt; return the draws."""
        if points <= 0:
            return []
        entry = self._entry(wallet, kind=kind, points=-points, source=source, now=now)
        drawn = []
        for lot in sorted(wallet.lots, key=lambda lot: (lot.expires_at or NEVER, lot.pk)):
            taken = min(lot.remaining, points)
            if taken > 0:
                points -= taken
                lot.remaining = Points(lot.remaining - taken)
                self.tables.add(PointsDraw(entry_id=entry.pk, lot_id=lot.pk, points=Points(taken)))
                drawn.append(Draw(lot_id=lot.pk, points=taken, expires_at=lot.expires_at))
                if not self.tables.is_new(lot):
                    self.tables.change(lot, "remaining")
        wallet.lots = [lot for lot in wallet.lots if lot.remaining]
        return drawn

    def _entry(
        self, wallet: Wallet, *, kind: str, points: int, source: str, now: datetime
    ) -> PointsEntry:
        account = wallet.account
        account.balance = Points(account.balance + points)
        if wallet.is_old:
            self.tables.change(account, "balance", "held")
        return self.tables.add(
            PointsEntry(
                account_id=account.pk,
                kind=kind,
                points=Points(points),
                balance_after=account.balance,
                source=source,
                occurred_at=now,
            )
        )
