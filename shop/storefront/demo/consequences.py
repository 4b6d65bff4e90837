"""What a payment or a refund means for a member, by the rules of the flows, in memory."""

from datetime import datetime, timedelta

from campaigns import referrals
from campaigns.attribution import ORGANIC, WINDOW
from campaigns.models import Conversion, Referral
from loyalty import earning, lots
from loyalty.lots import Draw
from loyalty.models import PendingPoints, Visit
from loyalty.reversals import RefundShare
from shop.kernel.money import Cents, Points
from shop.models import Order, Refund
from shop.storefront.demo.ledger import Ledger
from shop.storefront.demo.regulars import Regular, Regulars
from shop.storefront.demo.tables import Tables

Credit = tuple[int, int | None]


class Consequences:
    """Points, tiers, visits, conversions and referrals of orders that are made in memory."""

    def __init__(self, tables: Tables, *, regulars: Regulars, ledger: Ledger) -> None:
        self.tables = tables
        self.regulars = regulars
        self.ledger = ledger
        self.referral_programme = referrals.programme()
        self._earned: dict[int, tuple[int, int]] = {}
        self._draws: dict[int, list[Draw]] = {}
        self._credits: dict[int, Credit] = {}
        self._visits: dict[int, Visit] = {}

    def of_payment(self, order: Order, regular: Regular, *, now: datetime) -> None:
        """Do what `checkout` does after a payment; the reward has been used before."""
        self._draws[order.pk] = self.ledger.debit(
            regular.points, kind="spend", points=order.points_spent, source=order.source, now=now
        )
        self._earn(order, regular, now)
        self._visits[order.pk] = visit = Visit(
            order_id=order.pk,
            member_id=regular.member.pk,
            store_id=order.store_id,
            business_date=order.business_date,
            visited_at=now,
        )
        self.tables.add(visit)
        regular.order_count += 1
        self.regulars.refresh_tier(regular, source=order.source, now=now)
        self._convert(order, regular, now)

    def of_refund(
        self, refund: Refund, regular: Regular, *, refunded_earning_cents: int, now: datetime
    ) -> None:
        """Do what `refunds` does after the money went back, for the only refund of an order."""
        order = refund.order
        is_whole = order.status == Order.Status.REFUNDED
        self._give_back_spent(refund, regular, is_whole, now)
        earned = _share(order.earning_cents, refunded_earning_cents, is_whole)
        of_points, of_qualifying = self._earned[order.pk]
        lost = earned.of(of_qualifying)
        for wallet, amount in ((regular.points, earned.of(of_points)), (regular.qualifying, lost)):
            self.ledger.debit(
                wallet, kind="reverse_earn", points=amount, source=refund.source, now=now
            )
        if is_whole:
            self._visits[order.pk].reversed_at = now
            regular.order_count -= 1
        self.regulars.refresh_tier(regular, source=refund.source, now=now, lost_points=lost)
        self._conversion(
            Conversion.Kind.REFUND,
            refund.source,
            order,
            credit=self._credits[order.pk],
            amount=-refund.amount_cents,
            now=now,
        )

    def qualify(
        self, order: Order, regular: Regular, referrer: Regular, *, now: datetime
    ) -> list[tuple[PendingPoints, Regular]]:
        """Make a friend's referral good; return what is promised to whom."""
        referral, programme = regular.referral, self.referral_programme
        assert referral is not None  # noqa: S101 - the caller has looked
        regular.referral = None
        referral.status = Referral.Status.QUALIFIED
        referral.qualified_at = now
        referral.order = order
        referrer.friends += 1
        sides = [(referrer, programme.referrer_points), (regular, programme.referee_points)]
        promises = [
            PendingPoints(
                account=side.points.account,
                kind="referral",
                points=Points(amount),
                source=referrals.source_of(referral),
                promised_at=now,
                available_at=now + timedelta(days=programme.reward_after_days),
            )
            for side, amount in sides
        ]
        self.regulars.refresh_tier(referrer, source=referrals.source_of(referral), now=now)
        kept = [self.tables.add(promise) for promise in promises]
        return [(promise, side) for promise, (side, _amount) in zip(kept, sides, strict=True)]

    def pay_out(self, promise: PendingPoints, regular: Regular, *, now: datetime) -> None:
        """Turn a promise that is due into points."""
        promise.state = PendingPoints.State.POSTED
        promise.resolved_at = now
        self.ledger.credit(
            regular.points,
            kind="referral",
            points=promise.points,
            source=promise.source,
            now=now,
            expires_at=self.regulars.programme.lifetime.ends_at(
                now, timezone=regular.store.timezone
            ),
        )

    def _earn(self, order: Order, regular: Regular, now: datetime) -> None:
        cents = order.earning_cents
        percent = regular.tier.points_rate_percent
        spendable = earning.points_for(cents, rates=self.regulars.rates, tier_percent=percent)
        qualifying = earning.qualifying_points_for(cents, rates=self.regulars.rates)
        self._earned[order.pk] = (spendable, qualifying)
        self.ledger.credit(
            regular.points,
            kind="earn",
            points=spendable,
            source=order.source,
            now=now,
            expires_at=self._expiry(now, timezone=order.store.timezone),
        )
        self.ledger.credit(
            regular.qualifying, kind="earn", points=qualifying, source=order.source, now=now
        )

    def _give_back_spent(
        self,
        refund: Refund,
        regular: Regular,
        is_whole: bool,  # noqa: FBT001 - private
        now: datetime,
    ) -> None:
        order = refund.order
        spent = _share(order.paid_cents, order.refunded_cents, is_whole)
        back = lots.restore(
            self._draws[order.pk], returned=0, points=spent.of(order.points_spent), now=now
        )
        for number, part in enumerate(back, start=1):
            self.ledger.credit(
                regular.points,
                kind="reverse_spend",
                points=part.points,
                source=refund.source if number == 1 else f"{refund.source}/{number}",
                now=now,
                expires_at=part.expires_at,
            )

    def _expiry(self, now: datetime, *, timezone: str) -> datetime | None:
        return self.regulars.programme.lifetime.ends_at(now, timezone=timezone)

    def _convert(self, order: Order, regular: Regular, now: datetime) -> None:
        self._credits[order.pk] = credit = _credit(regular, now) or (
            self.regulars.channels[ORGANIC].pk,
            None,
        )
        kinds = Conversion.Kind
        if not regular.has_ordered:
            regular.has_ordered = True
            source = f"member:{regular.member.pk}"
            self._conversion(kinds.FIRST_ORDER, source, order, credit=credit, amount=0, now=now)
        self._conversion(
            kinds.ORDER, order.source, order, credit=credit, amount=order.paid_cents, now=now
        )

    def _conversion(
        self, kind: str, source: str, order: Order, *, credit: Credit, amount: int, now: datetime
    ) -> None:
        channel_id, link_id = credit
        self.tables.add(
            Conversion(
                kind=kind,
                source=source,
                member_id=order.member_id or 0,
                order_id=order.pk,
                channel_id=channel_id,
                link_id=link_id,
                amount_cents=Cents(amount),
                occurred_at=now,
            )
        )


def _credit(regular: Regular, now: datetime) -> Credit | None:
    """Return the channel and link that get the credit for an order, None for nobody."""
    acquisition, since = regular.acquisition, now - WINDOW
    for at, link_id, channel_id in reversed(regular.touches):
        is_after_friend = acquisition.referrer_id is None or at > acquisition.acquired_at
        if since < at <= now and is_after_friend:
            return channel_id, link_id
    if acquisition.acquired_at > since:
        return acquisition.channel_id, acquisition.last_link_id
    return None


def _share(whole: int, refunded: int, is_whole: bool) -> RefundShare:  # noqa: FBT001 - private
    if is_whole and whole == 0:
        return RefundShare(whole=1, before=0, after=1)
    return RefundShare(whole=whole, before=0, after=refunded)
