"""The points ledger in PostgreSQL against the pure rules of `loyalty.lots`."""

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

from loyalty import expiry, holds, lots, points, promises, reversals
from loyalty.holds import HoldResolved
from loyalty.lots import Clawback, Draw, Wallet
from loyalty.models import PendingPoints, PointsAccount, PointsEntry, PointsHold, PointsLot
from loyalty.points import NotEnoughPoints
from loyalty.reversals import RefundShare
from shop.kernel.money import Points, share_of
from tests import make

some_points = st.integers(min_value=1, max_value=400).map(Points)
expiries = st.sampled_from([None, *(make.NOON + timedelta(days=days) for days in (10, 90, 400))])
policies = st.sampled_from(Clawback)
percents = st.integers(min_value=1, max_value=100)


@dataclass(kw_only=True)
class Model:
    """What the ledger should say: the pure rules, and what is held and written beside them."""

    wallet: Wallet = field(default_factory=Wallet)
    entries: list[int] = field(default_factory=list)
    holds: dict[str, int] = field(default_factory=dict)

    @property
    def available(self) -> int:
        return max(self.wallet.balance - sum(self.holds.values()), 0)

    def credit(self, amount: int, expires_at: datetime | None) -> int:
        self.entries.append(amount)
        return self.wallet.credit(amount, expires_at=expires_at).id

    def debit(self, amount: int, *, first: int | None = None) -> list[Draw]:
        self.entries.append(-amount)
        return self.wallet.debit(amount, first=first)

    def expire(self, at: datetime) -> None:
        lost = self.wallet.expire(at=at, held=sum(self.holds.values()))
        self.entries += [-drawn.points for drawn in lost]


@dataclass(kw_only=True)
class Bought:
    """What an order earned or spent, and how much of it has been refunded, in percent."""

    source: str
    points: int
    refunded: int = 0
    lot: int | None = None
    pending: int = 0
    draws: list[Draw] = field(default_factory=list)

    def refund(self, percent: int) -> tuple[RefundShare, int, int]:
        """Return the share that a refund stands for, the points it is due, and those before."""
        before, self.refunded = self.refunded, min(self.refunded + percent, 100)
        due = [share_of(self.points, part=part, of=100) for part in (before, self.refunded)]
        share = RefundShare(whole=100, before=before, after=self.refunded)
        return share, due[1] - due[0], due[0]


class LedgerMachine(RuleBasedStateMachine):
    """Everything that can happen to a wallet, in any order.

    Peer bugs 15, 24, 25, 27, 28: balances that drift, go below zero or are given back twice.
    """

    earned = Bundle("earned")
    spent = Bundle("spent")
    held = Bundle("held")
    promised = Bundle("promised")
    waiting = Bundle("waiting")

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
    def earn(self, amount: int, expires_at: datetime | None) -> Bought:
        order = Bought(source=self.source(), points=amount)
        points.earn(
            self.account(),
            points=Points(amount),
            source=order.source,
            now=make.NOON,
            expires_at=expires_at,
        )
        if amount:
            order.lot = self.model.credit(amount, expires_at)
        return order

    @rule(
        target=earned,
        spent=st.integers(min_value=0, max_value=400).map(Points),
        amount=st.integers(min_value=0, max_value=400).map(Points),
        expires_at=expiries,
    )
    def buy(self, spent: Points, amount: Points, expires_at: datetime | None) -> Any:
        """A purchase is what spending and then earning would be."""
        order = Bought(source=self.source(), points=amount)
        wallets = points.lock_accounts([self.member])

        def exchange() -> None:
            points.exchange(
                wallets,
                self.member,
                spent=spent,
                earned=amount,
                qualifying=amount,
                source=order.source,
                now=make.NOON,
                expires_at=expires_at,
            )

        if spent > self.model.available:
            with pytest.raises(NotEnoughPoints):
                exchange()
            return multiple()
        exchange()
        if spent:
            self.model.debit(spent)
        if amount:
            order.lot = self.model.credit(amount, expires_at)
        return order

    @rule(order=earned)
    def earn_again(self, order: Bought) -> None:
        """The same order cannot earn twice: the unique key of the ledger."""
        if order.lot is not None:
            with pytest.raises(IntegrityError), transaction.atomic():
                points.earn(self.account(), points=Points(9), source=order.source, now=make.NOON)

    @rule(target=waiting, amount=some_points)
    def earn_later(self, amount: Points) -> Bought:
        order = Bought(source=self.source(), points=amount, pending=amount)
        promises.make(
            self.account(),
            kind=points.Kind.EARN,
            points=amount,
            source=order.source,
            now=make.NOON,
            available_at=None,
        )
        return order

    @rule(target=earned, order=consumes(waiting), expires_at=expiries)
    def complete(self, order: Bought, expires_at: datetime | None) -> Bought:
        """What waited for its order is available, but for what refunds took back meanwhile."""
        promises.complete(order.source, available_at=make.NOON)
        row = PendingPoints.objects.get(account__member=self.member, source=order.source)
        is_first = promises.release(row.pk, now=make.NOON, expires_at=expires_at)
        assert is_first == bool(order.pending)
        if order.pending:
            order.lot = self.model.credit(order.pending, expires_at)
        order.pending = 0
        return order

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
        promises.make(
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
        is_first = promises.release(row.pk, now=make.NOON, expires_at=expires_at)
        assert is_first == (row.state == PendingPoints.State.PENDING)
        if is_first:
            self.model.credit(amount, expires_at)

    @rule(promise=consumes(promised), policy=policies)
    def revoke(self, promise: tuple[str, Points], policy: Clawback) -> None:
        """Taken back whether or not it was released; once released, as the programme says."""
        source, amount = promise
        taken = self._claw_back(amount, 0, policy)
        row = PendingPoints.objects.get(account__member=self.member, source=source)
        lot = PointsLot.objects.filter(entry__source=source).first()
        promises.revoke(self.account(), source=source, now=make.NOON, policy=policy)
        if row.state == PendingPoints.State.POSTED and taken.from_balance:
            self.model.debit(taken.from_balance, first=self._number(lot))

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
        return Bought(source=source, points=amount, draws=self.model.debit(amount))

    @rule(target=held, amount=some_points)
    def hold(self, amount: Points) -> Any:
        source = self.source()

        def write() -> None:
            holds.take(self.account(), points=amount, source=source, now=make.NOON)

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
                holds.post(self.account(), source=source, now=make.NOON)
            return multiple()
        holds.post(self.account(), source=source, now=make.NOON)
        amount = self.model.holds.pop(source)
        drawn = self.model.debit(amount)
        uncovered = amount - sum(part.points for part in drawn)
        if uncovered:  # a clawback into debt took what was held
            drawn.append(Draw(lot_id=-1, points=uncovered, expires_at=make.NOON))
        return Bought(source=source, points=amount, draws=drawn)

    @rule(source=held)
    def void(self, source: str) -> None:
        if source not in self.model.holds:
            with pytest.raises(HoldResolved), transaction.atomic():
                holds.void(self.account(), source=source, now=make.NOON)
        else:
            holds.void(self.account(), source=source, now=make.NOON)
            self.model.holds.pop(source)

    @rule(source=consumes(held))
    def forget(self, source: str) -> None:
        """A hold that nobody resolved expires, once; voiding it then is harmless."""
        row = PointsHold.objects.get(account__member=self.member, source=source)
        is_first = holds.expire(row.pk, now=make.NOON)
        assert is_first == (source in self.model.holds)
        self.model.holds.pop(source, None)
        if is_first:
            holds.void(self.account(), source=source, now=make.NOON)

    @rule(days=st.sampled_from([9, 10, 91, 400]))
    def expire(self, days: int) -> None:
        """Every lot that is due, but for what is held; the same run again finds nothing."""
        at = make.NOON + timedelta(days=days)
        for _run in range(2):
            expiry.expire_accounts([self.account().pk], now=at)
        self.model.expire(at)

    # --- refunds -------------------------------------------------------------------------------

    def _claw_back(self, due: int, pending: int, policy: Clawback) -> Any:
        return lots.claw_back(due, pending=pending, available=self.model.available, policy=policy)

    @rule(target=earned, order=consumes(earned), percent=percents, policy=policies)
    def reverse_earn(self, order: Bought, percent: int, policy: Clawback) -> Bought:
        return self._reverse_earn(order, percent, policy)

    @rule(target=waiting, order=consumes(waiting), percent=percents, policy=policies)
    def reverse_waiting(self, order: Bought, percent: int, policy: Clawback) -> Bought:
        return self._reverse_earn(order, percent, policy)

    def _reverse_earn(self, order: Bought, percent: int, policy: Clawback) -> Bought:
        share, due, _before = order.refund(percent)
        taken = self._claw_back(due, order.pending, policy)
        said = reversals.reverse_earn(
            self.account(),
            order_source=order.source,
            refund_source=self.source(),
            share=share,
            now=make.NOON,
            policy=policy,
        )
        assert said == taken.from_pending + taken.from_balance
        order.pending -= taken.from_pending
        if taken.from_balance:
            self.model.debit(taken.from_balance, first=order.lot)
        return order

    @rule(target=spent, order=consumes(spent), percent=percents)
    def reverse_spend(self, order: Bought, percent: int) -> Bought:
        share, due, before = order.refund(percent)
        reversals.reverse_spend(
            self.account(),
            order_source=order.source,
            refund_source=self.source(),
            share=share,
            now=make.NOON,
        )
        for part in lots.restore(order.draws, returned=before, points=due, now=make.NOON):
            assert part.expires_at is None or part.expires_at >= make.NOON + lots.GRACE
            self.model.credit(part.points, part.expires_at)
        return order

    # --- what always holds ---------------------------------------------------------------------

    def _number(self, lot: PointsLot | None) -> int | None:
        return None if lot is None else list(self._lots()).index(lot)

    def _lots(self) -> Any:
        return PointsLot.objects.filter(account__member=self.member).order_by("id")

    @invariant()
    def the_ledger_says_what_the_model_says(self) -> None:
        account = PointsAccount.objects.get(member=self.member, wallet="points")
        entries = PointsEntry.objects.filter(account=account).order_by("id")
        assert account.balance == self.model.wallet.balance
        assert account.held == sum(self.model.holds.values())
        assert account.available == self.model.available
        assert [entry.points for entry in entries] == self.model.entries

    @invariant()
    def each_entry_continues_the_one_before(self) -> None:
        balances: dict[int, int] = {}
        for entry in PointsEntry.objects.filter(account__member=self.member).order_by("id"):
            balances[entry.account_id] = balances.get(entry.account_id, 0) + entry.points
            assert entry.balance_after == balances[entry.account_id]

    @invariant()
    def lots_are_drawn_soonest_expiring_first(self) -> None:
        found = [(lot.expires_at, lot.remaining) for lot in self._lots()]
        assert found == [(lot.expires_at, lot.remaining) for lot in self.model.wallet.lots]
        assert sum(left for _expires, left in found) == max(self.model.wallet.balance, 0)

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
