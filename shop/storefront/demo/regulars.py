"""Members of the demo in memory: those who join in ordinary times, and those of the opening."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from campaigns import periods
from campaigns.attribution import REFERRAL, TOUCH_KINDS
from campaigns.models import (
    Acquisition,
    Channel,
    ChannelLink,
    Conversion,
    Coupon,
    CouponDefinition,
    Referral,
    ReferralCode,
    Touch,
)
from loyalty import tiers
from loyalty.earning import Rates
from loyalty.lifetimes import Waiting
from loyalty.lots import Clawback
from loyalty.models import Membership, PointsAccount, PointsLot, Tier, TierChange, Visit
from shop.kernel import crypto
from shop.kernel.models import OutboxMessage
from shop.models import Member, Store
from shop.storefront.demo.crowd import Person
from shop.storefront.demo.ledger import Wallet
from shop.storefront.demo.tables import Tables
from shop.storefront.facts import MemberFacts

DELIVERED_AFTER = timedelta(seconds=2)


@dataclass(kw_only=True, slots=True)
class Regular:
    """A member with everything that their next order depends on.

    `touches` are the links they have answered to, oldest first.
    """

    member: Member
    store: Store
    membership: Membership
    points: Wallet
    qualifying: Wallet
    acquisition: Acquisition
    touches: list[tuple[datetime, int, int]]
    tier: Tier
    order_count: int = 0
    has_ordered: bool = False
    coupons: list[Coupon] = field(default_factory=list)
    claims: dict[int, int] = field(default_factory=dict)
    referral: Referral | None = None
    referral_code: ReferralCode | None = None
    friends: int = 0
    is_old: bool = False


class Regulars:
    """Makes members as `registration.join` does, and finds those whom it has made."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.programme = tiers.programme()
        self.rates = Rates(
            **{name: getattr(self.programme, name) for name in Rates.__dataclass_fields__}
        )
        self.tiers = list(Tier.objects.order_by("level"))
        self.channels = {channel.code: channel for channel in Channel.objects.all()}
        self.welcome = list(
            CouponDefinition.objects.filter(is_welcome_gift=True, status="active").order_by("id")
        )

    def join(
        self,
        person: Person,
        store: Store,
        *,
        now: datetime,
        touch: tuple[Touch, ChannelLink] | None = None,
        referrer: Regular | None = None,
    ) -> Regular:
        """Make a member who came by a link, by a friend, or by chance."""
        member = self._member(person, store, now)
        acquisition = self._acquisition(member, touch, referrer, now)
        lowest = self.tiers[0]
        membership = Membership(member=member, tier=lowest, tier_since=now)
        self.tables.add(membership)
        change = TierChange(
            member=member,
            to_tier=lowest,
            reason=TierChange.Reason.JOINED,
            source="enrolment",
            occurred_at=now,
        )
        self.tables.add(change)
        wallets = [
            Wallet(account=self.tables.add(PointsAccount(member=member, wallet=wallet)))
            for wallet in PointsAccount.Wallet
        ]
        regular = Regular(
            member=member,
            store=store,
            membership=membership,
            points=wallets[0],
            qualifying=wallets[1],
            acquisition=acquisition,
            touches=[(touch[0].occurred_at, touch[1].pk, touch[1].channel_id)] if touch else [],
            tier=lowest,
        )
        if referrer is not None:
            regular.referral = self._referral(regular, referrer, now)
        for definition in self.welcome:
            self.give_coupon(regular, definition, source="welcome", now=now)
        self.tell(
            "member.joined", f"member:{member.public_id}", {"member": str(member.public_id)}, now
        )
        return regular

    def find(self, member_ids: Iterable[int]) -> dict[int, Regular]:
        """Return members who are in the database already."""
        members = Member.objects.filter(pk__in=list(member_ids)).select_related(
            "store", "membership__tier", "acquisition__channel"
        )
        wallets = self._wallets(members)
        touches: dict[str, list[tuple[datetime, int, int]]] = {}
        for touch in Touch.objects.filter(kind__in=TOUCH_KINDS).select_related("link"):
            found = (touch.occurred_at, touch.link_id, touch.link.channel_id)
            touches.setdefault(touch.visitor_id, []).append(found)
        visits = Counter(Visit.objects.filter(reversed_at=None).values_list("member_id", flat=True))
        buyers = set(Visit.objects.values_list("member_id", flat=True))
        return {
            member.pk: Regular(
                member=member,
                store=member.store,
                membership=member.membership,
                points=wallets[member.pk, PointsAccount.Wallet.POINTS],
                qualifying=wallets[member.pk, PointsAccount.Wallet.QUALIFYING],
                acquisition=member.acquisition,
                touches=sorted(touches.get(member.acquisition.visitor_id, [])),
                tier=member.membership.tier,
                order_count=visits[member.pk],
                has_ordered=member.pk in buyers,
                is_old=True,
            )
            for member in members
        }

    def give_coupon(
        self, regular: Regular, definition: CouponDefinition, *, source: str, now: datetime
    ) -> Coupon | None:
        """Put a coupon into the wallet, if the member may have another one."""
        slot = regular.claims.get(definition.pk, 0) + 1
        if slot > definition.per_member_limit:
            return None
        regular.claims[definition.pk] = slot
        coupon = Coupon(
            code=self.tables.code(15),
            definition=definition,
            member=regular.member,
            slot=slot,
            source=source,
            issued_at=now,
            starts_at=periods.start_of(definition, issued_at=now),
            expires_at=periods.end_of(definition, issued_at=now, timezone=regular.store.timezone),
        )
        regular.coupons.append(self.tables.add(coupon))
        return coupon

    def facts(self, regular: Regular) -> MemberFacts:
        """Return what the flows would read about the member now."""
        member, tier, account = regular.member, regular.tier, regular.points.account
        waiting = regular.referral
        return MemberFacts(
            id=member.pk,
            public_id=member.public_id,
            status=member.status,
            name=member.name,
            phone_last4=member.phone_last4,
            birthday=member.birthday,
            joined_at=member.joined_at,
            joined_before=False,
            store=regular.store.code,
            balance=account.balance,
            held=account.held,
            tier=tier.code,
            tier_name_zh=tier.name_zh,
            tier_name_en=tier.name_en,
            tier_percent=tier.points_rate_percent,
            channel=regular.acquisition.channel.code,
            order_count=regular.order_count,
            qualified_referrals=regular.friends,
            waiting_referrer_id=waiting.referrer_id if waiting else None,
            referrer_since=waiting.registered_at if waiting else None,
            coupons_available=len(regular.coupons),
            rates=self.rates,
            timezone=regular.store.timezone,
            clawback=Clawback.ALLOW_DEBT,
            lifetime=self.programme.lifetime,
            waiting=Waiting(),
        )

    def refresh_tier(
        self, regular: Regular, *, source: str, now: datetime, lost_points: int = 0
    ) -> None:
        """Move the member to the tier they have earned, as `tiers.refresh` does."""
        balance = regular.qualifying.account.balance

        def earned_with(points: int) -> Tier:
            return tiers.choose(self.tiers, points=points, referral_count=regular.friends)

        earned, current = earned_with(balance), regular.tier
        is_carried = lost_points and earned_with(balance + lost_points).level >= current.level
        if earned.level == current.level or (earned.level < current.level and not is_carried):
            return
        regular.tier = regular.membership.tier = earned
        regular.membership.tier_since = now
        regular.membership.kept_until = (
            tiers.keep_from(now, settings=self.programme) if earned is not self.tiers[0] else None
        )
        if regular.is_old:
            self.tables.change(regular.membership, "tier", "tier_since", "kept_until")
        self.tables.add(
            TierChange(
                member=regular.member,
                from_tier=current,
                to_tier=earned,
                reason=TierChange.Reason.REFUNDED if is_carried else TierChange.Reason.EARNED,
                source=source,
                occurred_at=now,
            )
        )

    def tell(self, topic: str, key: str, payload: dict[str, str], now: datetime) -> None:
        """Leave a message that has been delivered since."""
        self.tables.add(
            OutboxMessage(
                id=self.tables.uuid(),
                topic=topic,
                key=key,
                payload=payload,
                state=OutboxMessage.State.SENT,
                attempts=1,
                available_at=now,
                created_at=now,
                sent_at=now + DELIVERED_AFTER,
            )
        )

    def _member(self, person: Person, store: Store, now: datetime) -> Member:
        public_id = self.tables.uuid()
        return self.tables.add(
            Member(
                public_id=public_id,
                name=person.name,
                phone_sealed=crypto.encrypt(person.phone, context=f"member:{public_id}"),
                phone_hash=crypto.lookup_hash(person.phone),
                phone_last4=person.phone[-4:],
                birthday=person.birthday,
                store=store,
                joined_at=now,
            )
        )

    def _acquisition(
        self,
        member: Member,
        touch: tuple[Touch, ChannelLink] | None,
        referrer: Regular | None,
        now: datetime,
    ) -> Acquisition:
        link = touch[1] if touch else None
        if referrer is not None:
            channel = self.channels[REFERRAL]
        else:
            channel = link.channel if link else self.channels["organic"]
        acquisition = Acquisition(
            member=member,
            channel=channel,
            first_link=link,
            last_link=link if referrer is None else None,
            visitor_id=touch[0].visitor_id if touch else "",
            referrer=referrer.member if referrer else None,
            acquired_at=now,
        )
        self.tables.add(acquisition)
        self.tables.add(
            Conversion(
                kind=Conversion.Kind.REGISTRATION,
                source=f"member:{member.pk}",
                member=member,
                channel=channel,
                link=acquisition.last_link,
                occurred_at=now,
            )
        )
        return acquisition

    def _referral(self, regular: Regular, referrer: Regular, now: datetime) -> Referral:
        if referrer.referral_code is None:
            code = ReferralCode(member=referrer.member, code=self.tables.code(7), created_at=now)
            referrer.referral_code = self.tables.add(code)
        return self.tables.add(
            Referral(referrer=referrer.member, referee=regular.member, registered_at=now)
        )

    def _wallets(self, members: Iterable[Member]) -> dict[tuple[int, str], Wallet]:
        accounts = PointsAccount.objects.filter(member__in=members)
        lots: dict[int, list[PointsLot]] = {}
        for lot in PointsLot.objects.filter(account__in=accounts, remaining__gt=0):
            lots.setdefault(lot.account_id, []).append(lot)
        return {
            (account.member_id, account.wallet): Wallet(
                account=account, lots=lots.get(account.pk, []), is_old=True
            )
            for account in accounts
        }
