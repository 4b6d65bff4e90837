"""The price of a basket: what it costs, why, and what it would earn. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from campaigns import coupons, pricing
from campaigns.pricing import PricedLine, Refusal
from loyalty import earning, rewards
from loyalty.rewards import UsableReward
from shop import catalog, orders
from shop.catalog import Choice, MenuProduct, PricedChoice
from shop.kernel.errors import DomainError, InvalidInput
from shop.kernel.money import Cents, Points, split_cents
from shop.models import OrderDiscount, Store
from shop.storefront import facts
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


NO_POINTS = Points(0)


class QuoteChanged(DomainError):
    """The basket no longer costs what the caller expects; `quote` says what it costs now."""

    code = "quote-changed"
    title = _("The price has changed since the quote.")


class MemberRequired(DomainError):
    """Coupons, points and rewards belong to a member, and the basket names none."""

    code = "member-required"
    title = _("Coupons, points and rewards need a member.")


@dataclass(frozen=True, kw_only=True, slots=True)
class BasketLine:
    """A product as chosen."""

    product: str
    quantity: int
    choice: Choice


@dataclass(frozen=True, kw_only=True, slots=True)
class Basket:
    """What a guest wants to buy, and with what they want to pay less."""

    store: Store
    till_id: int | None
    member: UUID | None
    order_type: str
    lines: Sequence[BasketLine]
    coupon_codes: Sequence[str] = ()
    points: Points = NO_POINTS
    reward_code: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class QuoteLine:
    """A basket line with its price at this store."""

    product: MenuProduct
    priced: PricedChoice
    quantity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """A priced basket. `total_cents` is what the guest pays, after points."""

    basket: Basket
    member: MemberFacts | None
    lines: Sequence[QuoteLine]
    pricing: pricing.Pricing
    refusals: Sequence[Refusal]
    points: Points
    points_cents: Cents
    points_shares: Sequence[Cents]

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
    def coupon_discounts(self) -> dict[str, Cents]:
        """Return what each coupon takes off."""
        reward = self.basket.reward_code
        return {a.key: a.discount_cents for a in self.pricing.applied if a.key != reward}

    @property
    def is_reward_applied(self) -> bool:
        """Tell whether the reward's code takes something off."""
        return any(a.key == self.basket.reward_code for a in self.pricing.applied)

    @property
    def points_to_earn(self) -> Points:
        """Return what the member would earn; 0 for a guest."""
        if self.member is None:
            return Points(0)
        net = sum(draft.net_cents for draft in self.line_drafts() if draft.earns_points)
        return earning.points_for(
            Cents(net), rates=self.member.rates, tier_percent=self.member.tier_percent
        )

    def line_drafts(self) -> list[orders.LineDraft]:
        """Return the lines as they would be written, with every discount on its line."""
        rows = zip(self.lines, self.pricing.lines, self.points_shares, strict=True)
        return [self._draft(line, priced, share) for line, priced, share in rows]

    def _draft(self, line: QuoteLine, priced: PricedLine, points_share: Cents) -> orders.LineDraft:
        kinds = OrderDiscount.Kind
        reward = self.basket.reward_code
        allocations = [
            (kinds.REWARD if a.offer_key == reward else kinds.COUPON, a.offer_key, a.amount_cents)
            for a in priced.allocations
        ]
        if points_share:
            allocations.append((kinds.POINTS, "", points_share))
        return orders.LineDraft(
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


def quote(basket: Basket, *, now: datetime) -> Quote:
    """Price a basket: lines from the menu, offers by the evaluator, then points.

    Every code that was entered is either applied or among the refusals.

    Raises:
        InvalidInput: an unknown product, or a choice that the product does not come in.
        catalog.ProductNotAvailable, MemberRequired
        NotFound, members.MemberNotActive: the member.
    """
    lines = _priced_lines(basket, now=now)
    member = facts.find(basket.member, now=now) if basket.member else None
    if member is None and (basket.coupon_codes or basket.points or basket.reward_code):
        raise MemberRequired
    offers, unusable = _offers(basket, member, now=now)
    return price(basket, lines, member=member, offers=offers, unusable=unusable, now=now)


def price(
    basket: Basket,
    lines: Sequence[QuoteLine],
    *,
    member: MemberFacts | None,
    offers: Sequence[pricing.Offer],
    unusable: Sequence[Refusal],
    now: datetime,
) -> Quote:
    """Return the quote of lines from the menu: offers, then points. Reads nothing."""
    priced = pricing.evaluate(
        _cart(basket, lines, now=now),
        member.for_pricing(now=now) if member else GUEST,
        offers,
        now,
    )
    points, points_cents = _points(basket, member, priced.total_cents)
    return Quote(
        basket=basket,
        member=member,
        lines=lines,
        pricing=priced,
        refusals=[*unusable, *priced.refusals],
        points=points,
        points_cents=points_cents,
        points_shares=split_cents(points_cents, [line.net_cents for line in priced.lines]),
    )


def _priced_lines(basket: Basket, *, now: datetime) -> list[QuoteLine]:
    codes = {line.product for line in basket.lines}
    products = catalog.load_products(store_id=basket.store.pk, codes=codes)
    day = basket.store.business_date(now)
    lines = []
    for index, line in enumerate(basket.lines):
        product = products.get(line.product)
        if product is None:
            raise InvalidInput(
                f"/lines/{index}/product",
                _("There is no product %s.") % line.product,
                reason="unknown-product",
            )
        catalog.ensure_available(product, order_type=basket.order_type, day=day)
        priced = catalog.price_choice(product, line.choice, pointer=f"/lines/{index}")
        lines.append(QuoteLine(product=product, priced=priced, quantity=line.quantity))
    return lines


def _cart(basket: Basket, lines: Sequence[QuoteLine], *, now: datetime) -> pricing.Cart:
    return pricing.Cart(
        lines=tuple(
            pricing.CartLine(
                position=position,
                product=line.product.code,
                category=line.product.category,
                sku=line.priced.sku,
                unit_price_cents=line.priced.unit_price_cents,
                toppings_cents=line.priced.toppings_cents,
                quantity=line.quantity,
                is_discountable=line.product.is_discountable,
            )
            for position, line in enumerate(lines, start=1)
        ),
        store=basket.store.code,
        city=basket.store.city,
        order_type=basket.order_type,
        local_time=now.astimezone(ZoneInfo(basket.store.timezone)),
    )


def _offers(
    basket: Basket, member: MemberFacts | None, *, now: datetime
) -> tuple[list[pricing.Offer], list[Refusal]]:
    """Return the offers behind the entered codes, and a refusal for each code without one."""
    member_id = member.id if member else None
    offers = []
    refusals = []
    loaded = {c.code: c for c in coupons.load(basket.coupon_codes, member_id=member_id)}
    for code in basket.coupon_codes:
        coupon = loaded.get(code)
        reason = "unknown-code" if coupon is None else coupons.why_unusable(coupon, now=now)
        if coupon is None or reason is not None:
            refusals.append(Refusal(key=code, reason=reason or "unknown-code"))
        else:
            offers.append(coupons.offer_of(coupon))
    if basket.reward_code and member_id is not None:
        reward = rewards.find_usable(basket.reward_code, member_id=member_id, now=now)
        if reward is None:
            refusals.append(Refusal(key=basket.reward_code, reason="unknown-code"))
        else:
            offers.append(reward_offer(reward))
    return offers, refusals


def reward_offer(reward: UsableReward) -> pricing.Offer:
    """Return what the evaluator needs to know of a reward."""
    effect = pricing.FreeItem(max_value_cents=Cents(reward.max_value_cents))
    rule = pricing.Rule(effect=effect, stacking=pricing.Stacking.ALWAYS, priority=0)
    return pricing.Offer(key=reward.code, name=reward.name, rule=rule)


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
