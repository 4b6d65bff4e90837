"""The price of a basket: what it costs, why, and what it would earn. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from campaigns import limits, pricing, promotions, vouchers
from campaigns.models import Coupon, Voucher
from campaigns.pricing import CouponReward, FreeItem, PointsReward, PricedLine, Refusal
from campaigns.promotions import PREFIX, RunningPromotion
from loyalty import earning, order_points
from loyalty.earning_rules import Outcome
from loyalty.order_points import PaidLine, ProgrammeRule, Sale
from shop.kernel import versions
from shop.kernel.errors import DomainError
from shop.kernel.money import Cents, Points, split_cents
from shop.models import OrderDiscount
from shop.order_drafts import LineDraft
from shop.storefront import entered_codes, facts, member_prices
from shop.storefront.baskets import Basket, QuoteLine, cart_of, gift_lines, priced_lines
from shop.storefront.entered_codes import MemberRequired
from shop.storefront.facts import MemberFacts

GUEST = pricing.Facts(
    member=None,
    order_count=0,
    tier=None,
    acquisition_channel=None,
    birthday=None,
    segments=frozenset(),
    days_since_joined=None,
)

NOTHING = Outcome(points=0, parts=())

UNASKED = (PREFIX, member_prices.PREFIX)
"""Offers that nobody enters a code for."""


class QuoteChanged(DomainError):
    """The basket no longer costs what the caller expects; `quote` says what it costs now."""

    code = "quote-changed"
    title = _("The price has changed since the quote.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """A priced basket. `total_cents` is what the guest pays, after points.

    `refusals` are those of entered codes; `promotions` are all that run here, applied or not;
    `gifts` are what the offers add for nothing.
    """

    basket: Basket
    member: MemberFacts | None
    lines: Sequence[QuoteLine]
    pricing: pricing.Pricing
    refusals: Sequence[Refusal]
    promotions: Sequence[RunningPromotion]
    gifts: Sequence[QuoteLine]
    points: Points
    points_cents: Cents
    points_shares: Sequence[Cents]
    at: datetime
    """The moment it is for, in the store's time zone."""
    earning_rules: Sequence[ProgrammeRule] = ()
    coupons: Mapping[str, Coupon] = field(default_factory=dict)
    """The coupon behind each entered code that can be used; drafts where a code is new."""
    vouchers: Sequence[Voucher] = ()

    @property
    def subtotal_cents(self) -> Cents:
        """Return the sum before any discount."""
        return self.pricing.subtotal_cents

    @property
    def discount_cents(self) -> Cents:
        """Return all discounts, points included."""
        return Cents(self.pricing.discount_cents + self.points_cents)

    @property
    def total_cents(self) -> Cents:
        """Return what the guest pays."""
        return Cents(self.subtotal_cents - self.discount_cents)

    @property
    def all_refusals(self) -> list[Refusal]:
        """Return the refusals of promotions and of entered codes, those that are no offer too."""
        known = {refusal.key for refusal in self.pricing.refusals}
        return [*self.pricing.refusals, *(r for r in self.refusals if r.key not in known)]

    @property
    def trace(self) -> dict[str, Any]:
        """Return how every offer and every entered code fared, to be kept with the order."""
        trace = self.pricing.trace
        offers = trace["offers"]
        known = {offer["key"] for offer in offers}
        codes = [
            {"key": refusal.key, "refusal": refusal.as_json()}
            for refusal in self.refusals
            if refusal.key not in known
        ]
        return trace | {"offers": [*offers, *codes]}

    @property
    def voucher_shares(self) -> list[Cents]:
        """Return what each voucher pays of the total; its platform has that money already."""
        return vouchers.shares(self.vouchers, payable_cents=self.total_cents)

    @property
    def voucher_cents(self) -> Cents:
        """Return what all vouchers pay."""
        return Cents(sum(self.voucher_shares))

    @property
    def due_cents(self) -> Cents:
        """Return what is left to pay at the till."""
        return Cents(self.total_cents - self.voucher_cents)

    @property
    def coupon_discounts(self) -> dict[str, Cents]:
        """Return what each coupon takes off, by the coupon's own code."""
        return {
            self.coupons[a.key].code: a.discount_cents
            for a in self.pricing.applied
            if a.key in self.coupons
        }

    @property
    def new_coupons(self) -> list[Coupon]:
        """Return the drafts among the applied coupons."""
        applied = (self.coupons.get(a.key) for a in self.pricing.applied)
        return [coupon for coupon in applied if coupon is not None and coupon.is_draft]

    @property
    def applied_promotions(self) -> list[tuple[RunningPromotion, Cents]]:
        """Return the promotions that give something, with what each takes off."""
        given = {a.key: a.discount_cents for a in self.pricing.applied}
        return [(p, given[p.offer.key]) for p in self.promotions if p.offer.key in given]

    @property
    def is_reward_applied(self) -> bool:
        """Tell whether the reward's code takes something off."""
        return any(a.key == self.basket.reward_code for a in self.pricing.applied)

    @property
    def points_to_earn(self) -> Points:
        """Return what the member would earn, boosts included; 0 for a guest."""
        if self.member is None:
            return Points(0)
        net = sum(line.net_cents for line in self._paid_lines())
        return Points(self._points_for(net) + self.boost_points)

    @property
    def boost_points(self) -> Points:
        """Return the points that offers and earning rules add to those of the bill; 0 for a guest.

        An exclusive rule may give less than the bill alone would: then they are negative.
        """
        if self.member is None:
            return Points(0)
        if not self.earning_rules:
            return self._points_by_offers
        net = sum(line.net_cents for line in self._paid_lines())
        return Points(self.earned.points - self._points_for(net) + self._points_by_offers)

    @property
    def earned(self) -> Outcome:
        """Return what the bill earns by the base rate and by each rule; nothing for a guest."""
        if self.member is None:
            return NOTHING
        return order_points.points_of_sale(
            self.earning_rules,
            self._sale(self.member),
            rates=self.member.rates,
            tier_percent=self.member.tier_percent,
        )

    @property
    def stamped(self) -> Outcome:
        """Return the stamps that the bill earns, and by which rule; nothing for a guest."""
        if self.member is None or not self.earning_rules:
            return NOTHING
        return order_points.stamps_of_sale(self.earning_rules, self._sale(self.member))

    @property
    def stamps_to_earn(self) -> Points:
        """Return how many stamps the member would get."""
        return Points(self.stamped.points)

    def _sale(self, member: MemberFacts) -> Sale:
        return Sale(
            lines=self._paid_lines(),
            store=self.basket.store.code,
            tier=member.tier,
            at=self.at,
            business_date=self.basket.store.business_date(self.at).isoformat(),
        )

    def _paid_lines(self) -> list[PaidLine]:
        rows = zip(self.lines, self.pricing.lines, self._net_cents(), strict=True)
        return [
            PaidLine(
                product=line.product.code,
                category=line.product.category,
                quantity=line.quantity,
                net_cents=net,
                free=int(self._has_free_drink(priced)),
            )
            for line, priced, net in rows
            if line.product.earns_points
        ]

    def _has_free_drink(self, priced: PricedLine) -> bool:
        """Tell whether one of a line's cups was had for the reward."""
        code = self.basket.reward_code
        return (
            bool(code)
            and self.is_reward_a_drink
            and any(part.offer_key == code and part.amount_cents for part in priced.allocations)
        )

    @property
    def is_reward_a_drink(self) -> bool:
        """Tell whether the reward takes a whole drink off, rather than a topping."""
        return any(
            offer.key == self.basket.reward_code and isinstance(offer.rule.effect, FreeItem)
            for offer in self.pricing.offers
        )

    @property
    def _points_by_offers(self) -> Points:
        """Return the points that offers add.

        A boost is measured on what its lines really cost, points rounded down once per boost.
        """
        nets = self._net_cents()
        return Points(
            sum(
                reward.bonus_points
                + self._points_for(
                    sum(
                        nets[position - 1]
                        for position in reward.positions
                        if self.lines[position - 1].product.earns_points
                    )
                    * (reward.multiplier_percent - 100)
                    // 100
                )
                for reward in self.pricing.rewards
                if isinstance(reward, PointsReward)
            )
        )

    @property
    def coupon_gifts(self) -> dict[str, int]:
        """Return the coupons that come after the purchase: how many of which definition."""
        gifts: dict[str, int] = {}
        if self.member is not None:
            for reward in self.pricing.rewards:
                if isinstance(reward, CouponReward):
                    gifts[reward.coupon] = gifts.get(reward.coupon, 0) + reward.quantity
        return gifts

    def _points_for(self, net_cents: int) -> Points:
        assert self.member is not None  # noqa: S101 - asked of members only
        return earning.points_for(
            Cents(net_cents), rates=self.member.rates, tier_percent=self.member.tier_percent
        )

    def _net_cents(self) -> list[Cents]:
        """Return what each line really costs, after points too."""
        rows = zip(self.pricing.lines, self.points_shares, strict=True)
        return [Cents(line.net_cents - share) for line, share in rows]

    def line_drafts(self) -> list[LineDraft]:
        """Return the lines as they would be written, with every discount on its line."""
        rows = zip(self.lines, self.pricing.lines, self.points_shares, strict=True)
        return [self._draft(line, priced, share) for line, priced, share in rows]

    def gift_drafts(self) -> list[LineDraft]:
        """Return the gifts as lines that cost the guest nothing."""
        return [
            LineDraft(
                product_id=gift.product.id,
                sku=gift.priced.sku,
                name_zh=gift.product.name_zh,
                name_en=gift.product.name_en,
                options=gift.priced.snapshot,
                quantity=gift.quantity,
                unit_price_cents=Cents(0),
                unit_cost_cents=gift.priced.unit_cost_cents,
                discount_cents=Cents(0),
                earns_points=False,
                is_gift=True,
                allocations=[],
            )
            for gift in self.gifts
        ]

    def _draft(self, line: QuoteLine, priced: PricedLine, points_share: Cents) -> LineDraft:
        kinds = OrderDiscount.Kind
        allocations = [(*self.origin(a.offer_key), a.amount_cents) for a in priced.allocations]
        if points_share:
            allocations.append((kinds.POINTS.value, "", points_share))
        return LineDraft(
            product_id=line.product.id,
            sku=line.priced.sku,
            name_zh=line.product.name_zh,
            name_en=line.product.name_en,
            options=line.priced.snapshot,
            quantity=line.quantity,
            unit_price_cents=line.priced.unit_price_cents,
            unit_cost_cents=line.priced.unit_cost_cents,
            discount_cents=Cents(priced.discount_cents + points_share),
            earns_points=line.product.earns_points,
            allocations=allocations,
        )

    def origin(self, key: str) -> tuple[str, str]:
        """Return the kind and the code that an offer's discount is written under."""
        if key.startswith(PREFIX):
            return OrderDiscount.Kind.PROMOTION, key.removeprefix(PREFIX)
        if key.startswith(member_prices.PREFIX):
            return OrderDiscount.Kind.MEMBER_PRICE, key.removeprefix(member_prices.PREFIX)
        if key.startswith(vouchers.PREFIX):
            return OrderDiscount.Kind.VOUCHER, key.rsplit(":", 1)[1]
        if key == self.basket.reward_code:
            return OrderDiscount.Kind.REWARD, key
        coupon = self.coupons.get(key)
        return OrderDiscount.Kind.COUPON, coupon.code if coupon else key


def quote(basket: Basket, *, now: datetime) -> Quote:
    """Price a basket: lines from the menu, offers by the evaluator, then points.

    Every code that was entered is either applied or among the refusals.

    Raises:
        InvalidInput: an unknown product, or a choice that the product does not come in.
        catalog.ProductNotAvailable, MemberRequired, vouchers.VoucherNotUsable
        NotFound, members.MemberNotActive: the member.
    """
    member = facts.find(basket.member, now=now) if basket.member else None
    menu_version, promotions_version = _versions(member)
    lines = priced_lines(basket, now=now, menu_version=menu_version)
    if member is None and (basket.points or basket.reward_code):
        raise MemberRequired
    place = limits.place_of(basket.store, member_id=member.id if member else None, now=now)
    found = entered_codes.coupons_of(basket, member, now=now)
    offers, unusable = entered_codes.offers_of(basket, found, member, place=place, now=now)
    paying = vouchers.find_usable(basket.vouchers, store_id=basket.store.pk)
    offers += [offer for voucher in paying if (offer := vouchers.offer_of(voucher)) is not None]
    priced = price(
        basket,
        lines,
        member=member,
        offers=offers,
        running=promotions.running(place, version=promotions_version),
        unusable=unusable,
        paying=paying,
        menu_version=menu_version,
        now=now,
    )
    return replace(priced, coupons=found)


def price(
    basket: Basket,
    lines: Sequence[QuoteLine],
    *,
    member: MemberFacts | None,
    offers: Sequence[pricing.Offer],
    running: Sequence[RunningPromotion] = (),
    unusable: Sequence[Refusal],
    paying: Sequence[Voucher] = (),
    menu_version: int | None = None,
    now: datetime,
    best_deal: bool = False,
) -> Quote:
    """Return the quote of lines from the menu: offers, then points. Reads nothing but gifts."""
    own = _member_prices(lines, member)
    priced = pricing.evaluate(
        cart_of(basket, lines, now=now),
        member.for_pricing(now=now) if member else GUEST,
        [*own, *offers, *(promotion.offer for promotion in running)],
        now,
        best_deal=best_deal,
    )
    points, points_cents = _points(basket, member, priced.total_cents)
    return Quote(
        basket=basket,
        member=member,
        lines=lines,
        pricing=priced,
        refusals=[*unusable, *(r for r in priced.refusals if not r.key.startswith(UNASKED))],
        promotions=running,
        gifts=gift_lines(basket, priced, menu_version=menu_version),
        points=points,
        points_cents=points_cents,
        points_shares=split_cents(points_cents, [line.net_cents for line in priced.lines]),
        at=now.astimezone(ZoneInfo(basket.store.timezone)),
        earning_rules=member.earning_rules if member else (),
        vouchers=paying,
    )


def _member_prices(lines: Sequence[QuoteLine], member: MemberFacts | None) -> list[pricing.Offer]:
    if member is None or member.prices_json is None:
        return []
    goods = {(line.product.code, line.product.category) for line in lines}
    return member_prices.offers(member_prices.parse(member.prices_json), goods=sorted(goods))


def _versions(member: MemberFacts | None) -> tuple[int | None, int | None]:
    """Return the versions of the menu and of the promotions, which a member's facts bring along."""
    if member is None:
        menu_version, promotions_version = versions.read(["menu", "promotions"])
        return menu_version, promotions_version
    return member.menu_version, member.promotions_version


def _points(
    basket: Basket, member: MemberFacts | None, payable_cents: Cents
) -> tuple[Points, Cents]:
    if member is None or basket.points == 0:
        return Points(0), Cents(0)
    return earning.points_discount(
        basket.points,
        available=member.available,
        payable_cents=payable_cents,
        rates=member.rates,
    )
