"""The points ledger in PostgreSQL against a model in a few lines of Python."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from loyalty import points
from loyalty.models import PendingPoints, PointsAccount, PointsEntry, PointsHold, PointsLot
from loyalty.points import HoldResolved, NotEnoughPoints, RefundShare
from shop.kernel.money import Points, share_of
from tests import make

some_points = st.integers(min_value=1, max_value=400).map(Points)
expiries = st.sampled_from([None, *(make.NOON + timedelta(days=days) for days in (10, 90, 400))])
NEVER = make.NOON + timedelta(days=10**5)


@dataclass(kw_only=True)
class Model:
    """What the ledger should say; a lot is [when it expires, what is left of it]."""

    balance: int = 0
    entries: list[int] = field(default_factory=list)
    holds: dict[str, int] = field(default_factory=dict)
    lots: list[list[Any]] = field(default_factory=list)

    @property
    def available(self) -> int:
        return max(self.balance - sum(self.holds.values()), 0)

    def credit(self, amount: int, expires_at: datetime | None) -> None:
        owed = max(-self.balance, 0)
        self._write(amount)
        self.lots.append([expires_at, max(amount - owed, 0)])

    def debit(self, amount: int) -> None:
        self._write(-amount)
        for lot in sorted(self.lots, key=lambda lot: lot[0] or NEVER):
            taken = min(lot[1], amount)
            lot[1] -= taken
            amount -= taken

    def _write(self, amount: int) -> None:
        self.balance += amount
        self.entries.append(amount)


class LedgerMachine(RuleBasedStateMachine):
    """Everything that can happen to a wallet, in any order.

    Peer bugs 15, 24, 25, 27, 28: balances that drift, go below zero or are given back twice.
    """

    earned = Bundle("earned")
    spent = Bundle("spent")
    held = Bundle("held")
    promised = Bundle("promised")

    def __init__(self) -> None:
        super().__init__()
        self.sandbox = transaction.atomic()
        self.sandbox.__enter__()
        self.member = make.member().pk
        self.model = Model()
        self.number = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.sandbox.__exit__(None, None, None)

    def account(self) -> PointsAccount:
        return points.lock_accounts([self.member]).points(self.member)

    def source(self) -> str:
        self.number += 1
        return f"order:{self.number}"

    # --- credits -------------------------------------------------------------------------------

    @rule(target=earned, amount=st.integers(min_value=0, max_value=400), expires_at=expiries)
    def earn(self, amount: int, expires_at: datetime | None) -> tuple[str, int, int]:
        source = self.source()
        points.earn(
            self.account(),
            points=Points(amount),
            source=source,
            now=make.NOON,
            expires_at=expires_at,
        )
        if amount:
            self.model.credit(amount, expires_at)
        return source, amount, 0

    @rule(order=earned)
    def earn_again(self, order: tuple[str, int, int]) -> None:
        """The same order cannot earn twice: the unique key of the ledger."""
        source, amount, _reversed = order
        if amount:
            with pytest.raises(IntegrityError), transaction.atomic():
                points.earn(self.account(), points=Points(9), source=source, now=make.NOON)

    @rule(amount=st.integers(min_value=-400, max_value=400).filter(bool))
    def adjust(self, amount: int) -> None:
        def write() -> None:
            points.adjust(
                self.account(),
                points=Points(amount),
                source=self.source(),
                reason="test",
                actor="test",
                now=make.NOON,
                expires_at=None,
            )

        if -amount > self.model.available:
            with pytest.raises(NotEnoughPoints), transaction.atomic():
                write()
        elif amount > 0:
            write()
            self.model.credit(amount, None)
        else:
            write()
            self.model.debit(-amount)

    @rule(target=promised, amount=some_points)
    def promise(self, amount: Points) -> tuple[str, Points]:
        source = self.source()
        points.promise(
            self.account(),
            points=amount,
            source=source,
            now=make.NOON,
            available_at=make.NOON,
        )
        return source, amount

    @rule(promise=promised, expires_at=expiries.filter(bool))
    def release(self, promise: tuple[str, Points], expires_at: datetime) -> None:
        source, amount = promise
        row = PendingPoints.objects.get(account__member=self.member, source=source)
        is_first = points.release_promise(row.pk, now=make.NOON, expires_at=expires_at)
        assert is_first == (row.state == PendingPoints.State.PENDING)
        if is_first:
            self.model.credit(amount, expires_at)

    @rule(promise=consumes(promised), is_debt_allowed=st.booleans())
    def revoke(self, promise: tuple[str, Points], *, is_debt_allowed: bool) -> None:
        """Taken back whether or not it was released; once released, as the programme says."""
        source, amount = promise
        taken = amount if is_debt_allowed else min(amount, self.model.available)
        row = PendingPoints.objects.get(account__member=self.member, source=source)
        points.revoke_promise(
            self.account(), source=source, now=make.NOON, is_debt_allowed=is_debt_allowed
        )
        if row.state == PendingPoints.State.POSTED and taken:
            self.model.debit(taken)

    # --- debits --------------------------------------------------------------------------------

    @rule(target=spent, amount=some_points)
    def spend(self, amount: Points) -> Any:
        source = self.source()

        def write() -> None:
            points.spend(self.account(), points=amount, source=source, now=make.NOON)

        if amount > self.model.available:
            with pytest.raises(NotEnoughPoints), transaction.atomic():
                write()
            return multiple()
        write()
        self.model.debit(amount)
        return source, amount, 0

    @rule(target=held, amount=some_points)
    def hold(self, amount: Points) -> Any:
        source = self.source()

        def write() -> None:
            points.hold(self.account(), points=amount, source=source, now=make.NOON)

        if amount > self.model.available:
            with pytest.raises(NotEnoughPoints), transaction.atomic():
                write()
            return multiple()
        write()
        self.model.holds[source] = amount
        return source

    @rule(target=spent, source=held)
    def post(self, source: str) -> Any:
        if source not in self.model.holds:
            with pytest.raises(HoldResolved), transaction.atomic():
                points.post_hold(self.account(), source=source, now=make.NOON)
            return multiple()
        points.post_hold(self.account(), source=source, now=make.NOON)
        amount = self.model.holds.pop(source)
        self.model.debit(amount)
        return source, amount, 0

    @rule(source=held)
    def void(self, source: str) -> None:
        if source not in self.model.holds:
            with pytest.raises(HoldResolved), transaction.atomic():
                points.void_hold(self.account(), source=source, now=make.NOON)
        else:
            points.void_hold(self.account(), source=source, now=make.NOON)
            self.model.holds.pop(source)

    # --- refunds -------------------------------------------------------------------------------

    @rule(
        target=earned,
        order=consumes(earned),
        percent=st.integers(min_value=1, max_value=100),
        is_debt_allowed=st.booleans(),
    )
    def reverse_earn(
        self, order: tuple[str, int, int], percent: int, *, is_debt_allowed: bool
    ) -> tuple[str, int, int]:
        source, amount, before = order
        after = min(before + percent, 100)
        due = share_of(amount, part=after, of=100) - share_of(amount, part=before, of=100)
        taken = due if is_debt_allowed else min(due, self.model.available)
        said = points.reverse_earn(
            self.account(),
            order_source=source,
            refund_source=self.source(),
            share=RefundShare(whole=100, before=before, after=after),
            now=make.NOON,
            is_debt_allowed=is_debt_allowed,
        )
        assert said == taken
        if taken:
            self.model.debit(taken)
        return source, amount, after

    @rule(target=spent, order=consumes(spent), percent=st.integers(min_value=1, max_value=100))
    def reverse_spend(self, order: tuple[str, int, int], percent: int) -> tuple[str, int, int]:
        source, amount, before = order
        after = min(before + percent, 100)
        due = share_of(amount, part=after, of=100) - share_of(amount, part=before, of=100)
        points.reverse_spend(
            self.account(),
            order_source=source,
            refund_source=self.source(),
            share=RefundShare(whole=100, before=before, after=after),
            now=make.NOON,
        )
        if due:
            expires_at = self._lots().last().expires_at
            assert expires_at is None or expires_at >= make.NOON + points.GRACE
            self.model.credit(due, expires_at)
        return source, amount, after

    # --- what always holds ---------------------------------------------------------------------

    def _lots(self) -> Any:
        return PointsLot.objects.filter(account__member=self.member).order_by("id")

    @invariant()
    def the_ledger_says_what_the_model_says(self) -> None:
        account = PointsAccount.objects.get(member=self.member, wallet="points")
        entries = PointsEntry.objects.filter(account=account).order_by("id")
        assert account.balance == self.model.balance
        assert account.held == sum(self.model.holds.values())
        assert account.available == self.model.available
        assert [entry.points for entry in entries] == self.model.entries

    @invariant()
    def each_entry_continues_the_one_before(self) -> None:
        balance = 0
        for entry in PointsEntry.objects.filter(account__member=self.member).order_by("id"):
            balance += entry.points
            assert entry.balance_after == balance

    @invariant()
    def lots_are_drawn_soonest_expiring_first(self) -> None:
        lots = [[lot.expires_at, lot.remaining] for lot in self._lots()]
        assert lots == self.model.lots
        assert sum(left for _expires, left in lots) == max(self.model.balance, 0)

    @invariant()
    def holds_pending_are_what_is_held(self) -> None:
        holds = PointsHold.objects.filter(account__member=self.member, state="pending")
        assert {hold.source: hold.points for hold in holds} == self.model.holds


def _run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],  # shrinking takes minutes; a failing run prints its steps
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_the_ledger_agrees_with_its_model() -> None:
    _run(examples=12, steps=20)


@pytest.mark.slow
@pytest.mark.django_db
def test_the_ledger_agrees_with_its_model_for_long() -> None:
    _run(examples=400, steps=50)
