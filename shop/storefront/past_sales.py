"""Past sales as the evaluator saw them: cart, buyer and offers of an order, worked out again.

Reads only. Prices, costs and what was given are those of the receipt; what receipts do not say (the
part of a price that toppings and sizes make up) is asked of the menu of today.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Sum

from campaigns import losses, pricing, promotions, vouchers, wallets
from campaigns.cart_lines import line_of
from campaigns.limits import Place
from campaigns.models import CouponRedemption, PromotionUse, Voucher
from campaigns.pricing import Cart, CartLine, Facts, Offer
from loyalty import rewards
from loyalty.models import RewardRedemption
from shop import catalog
from shop.catalog import Choice, MenuProduct
from shop.kernel.errors import InvalidInput
from shop.kernel.money import Cents
from shop.models import Order, OrderDiscount, OrderLine, Store
from shop.storefront import entered_codes, quotes

Menus = Mapping[int, Mapping[str, MenuProduct]]
"""What can be ordered, by store and code."""
COUPON, VOUCHER, REWARD = "coupon:", "voucher:", "reward:"
"""What the names of offers begin with that an order got; those of promotions as their keys."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PastSale:
    """One paid order. `given` are the offers that it got, which are not asked for whom they are.

    `offered_cents` is the price of the goods after these offers and before points, `paid_cents`
    after points; `cost_cents` is what the goods cost the shop, gifts included.
    """

    place: Place
    store: str
    day: date
    at: datetime
    cart: Cart
    facts: Facts
    given: tuple[Offer, ...]
    offered_cents: Cents
    paid_cents: Cents
    cost_cents: Cents


def load(orders: Sequence[Order]) -> list[PastSale]:
    """Return the sales of these orders, each loaded with its store, in the order given."""
    lines = _lines_of(orders)
    menus = _menus(orders, lines)
    facts = _facts(orders)
    given = _given(orders)
    points = _points(orders)
    return [
        PastSale(
            place=Place(
                store_id=order.store_id, member_id=order.member_id, day=order.business_date
            ),
            store=order.store.code,
            day=order.business_date,
            at=order.placed_at,
            cart=_cart(order, lines[order.pk], menus[order.store_id]),
            facts=facts.get(order.pk, quotes.GUEST),
            given=tuple(given[order.pk]),
            offered_cents=Cents(order.payable_cents + points.get(order.pk, 0)),
            paid_cents=Cents(order.payable_cents),
            cost_cents=Cents(sum(x.unit_cost_cents * x.quantity for x in lines[order.pk])),
        )
        for order in orders
        if any(not line.is_gift for line in lines[order.pk])
    ]


def _lines_of(orders: Sequence[Order]) -> Mapping[int, list[OrderLine]]:
    found: dict[int, list[OrderLine]] = defaultdict(list)
    rows = OrderLine.objects.filter(order__in=orders).select_related("product__category")
    for line in rows.order_by("order_id", "position"):
        found[line.order_id].append(line)
    return found


def _points(orders: Sequence[Order]) -> dict[int, int]:
    """Return what points paid of each order, in cents."""
    by_points = OrderDiscount.objects.filter(line__order__in=orders, kind=OrderDiscount.Kind.POINTS)
    return dict(by_points.values_list("line__order").annotate(Sum("amount_cents")))


def _menus(orders: Iterable[Order], lines: Mapping[int, Sequence[OrderLine]]) -> Menus:
    codes: dict[int, set[str]] = defaultdict(set)
    for order in orders:
        codes[order.store_id].update(line.product.code for line in lines[order.pk])
    return {
        store_id: catalog.load_products(store_id=store_id, codes=found)
        for store_id, found in codes.items()
    }


def _cart(order: Order, lines: Sequence[OrderLine], menu: Mapping[str, MenuProduct]) -> Cart:
    store: Store = order.store
    return Cart(
        lines=tuple(_cart_line(line, menu) for line in lines if not line.is_gift),
        store=store.code,
        city=store.city,
        order_type=order.order_type,
        local_time=order.placed_at.astimezone(ZoneInfo(store.timezone)),
    )


def _cart_line(line: OrderLine, menu: Mapping[str, MenuProduct]) -> CartLine:
    """Return a line at the price of the sale; its parts where the menu still explains them."""
    price = Cents(line.unit_price_cents)
    product = menu.get(line.product.code)
    if product is not None:
        try:
            priced = catalog.price_choice(product, _choice(line.options))
        except InvalidInput:  # no longer to be had like that
            pass
        else:
            now = line_of(product, priced, position=line.position, quantity=line.quantity)
            if now.toppings_cents + now.upsize_cents <= price:
                return replace(now, sku=line.sku, unit_price_cents=price)
    return CartLine(
        position=line.position,
        product=line.product.code,
        category=line.product.category.code,
        sku=line.sku,
        unit_price_cents=price,
        quantity=line.quantity,
        options=frozenset(_choice(line.options).options.values()),
        is_discountable=line.product.is_discountable,
    )


def _choice(snapshot: Mapping[str, Any]) -> Choice:
    return Choice(
        options={group: each["code"] for group, each in snapshot.get("options", {}).items()},
        toppings={each["code"]: each["quantity"] for each in snapshot.get("toppings", [])},
    )


def _given(orders: Sequence[Order]) -> Mapping[int, list[Offer]]:
    """Return the offers that each order got, by the rules that they have today."""
    found: dict[int, list[Offer]] = defaultdict(list)
    uses = PromotionUse.objects.filter(order__in=orders, released_at=None)
    for use in uses.select_related("promotion"):
        promotion = use.promotion
        key = promotions.PREFIX + promotion.code
        rule = pricing.parse_rule(use.repriced_by or promotion.rule)
        found[use.order_id].append(Offer(key=key, name=key, rule=rule))
    redeemed = CouponRedemption.objects.filter(order__in=orders, released_at=None)
    for redemption in redeemed.select_related("coupon__definition"):
        coupon = redemption.coupon
        offer = wallets.offer_of(coupon)
        name = COUPON + coupon.definition.code
        found[redemption.order_id].append(replace(offer, name=name, budget_left_cents=None))
    for voucher in Voucher.objects.filter(order__in=orders):
        if (bought := vouchers.offer_of(voucher)) is not None:
            name = VOUCHER + voucher.title
            found[voucher.order_id or 0].append(replace(bought, name=name))
    by_code = {order.reward_code: order.pk for order in orders if order.reward_code}
    used = RewardRedemption.objects.filter(code__in=by_code).select_related("reward")
    for row in used:
        bought = entered_codes.reward_offer(rewards.usable(row))
        found[by_code[row.code]].append(replace(bought, name=REWARD + row.reward.code))
    return {
        order.pk: [losses.about_cart(offer) for offer in found.get(order.pk, ())]
        for order in orders
    }


def _facts(orders: Sequence[Order]) -> dict[int, Facts]:
    """Return what was known of each order's buyer at that moment."""
    with connection.cursor() as cursor:
        cursor.execute(_FACTS_SQL, {"orders": [order.pk for order in orders]})
        return {
            order_id: Facts(
                member=str(member),
                order_count=max(count, int(joined_before)),
                tier=tier,
                acquisition_channel=channel,
                birthday=birthday,
                segments=frozenset(),
                days_since_joined=days,
            )
            for order_id, member, count, joined_before, tier, channel, birthday, days in cursor
        }


_FACTS_SQL = """
SELECT sale.id, member.public_id,
       (SELECT count(*) FROM loyalty_visit visit
        WHERE visit.member_id = member.id
          AND (visit.visited_at, visit.order_id) < (sale.placed_at, sale.id)
          AND (visit.reversed_at IS NULL OR visit.reversed_at > sale.placed_at)),
       member.joined_before,
       COALESCE(
           (SELECT tier.code FROM loyalty_tierchange change
            JOIN loyalty_tier tier ON tier.id = change.to_tier_id
            WHERE change.member_id = member.id AND change.occurred_at < sale.placed_at
            ORDER BY change.occurred_at DESC, change.id DESC LIMIT 1),
           (SELECT tier.code FROM loyalty_tierchange change
            JOIN loyalty_tier tier ON tier.id = change.from_tier_id
            WHERE change.member_id = member.id
            ORDER BY change.occurred_at, change.id LIMIT 1),
           tier.code),
       channel.code, member.birthday,
       GREATEST(EXTRACT(day FROM sale.placed_at - member.joined_at)::int, 0)
FROM shop_order sale
JOIN shop_member member ON member.id = sale.member_id
JOIN loyalty_membership membership ON membership.member_id = member.id
JOIN loyalty_tier tier ON tier.id = membership.tier_id
LEFT JOIN campaigns_acquisition acquisition ON acquisition.member_id = member.id
LEFT JOIN campaigns_channel channel ON channel.id = acquisition.channel_id
WHERE sale.id = ANY(%(orders)s)
"""
