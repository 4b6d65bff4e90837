"""What is kept back of a partial return: discounts that the rest would not have got by itself.

Only offers whose terms say `reprice` do so. Reads what was frozen at the sale; writes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from campaigns import pricing, promotions, redemptions
from campaigns.pricing import Cart, CartLine, Conditions, Portion
from shop.kernel.money import Cents, share_of, split_cents
from shop.models import Order, OrderDiscount, OrderLine

Rules = Mapping[tuple[str, str], pricing.Rule]
"""The rules of offers that are priced anew, by kind and code of their discount on the order."""
KEY = "repriced"


def kept_back(order: Order, quantities: Mapping[int, int], *, now: datetime) -> Cents | None:
    """Return how much more the rest costs once these pieces are back too; None: nothing is.

    For each offer: what is frozen on the rest, less what its rule gives on the rest alone. That is
    never more than what was taken off the rest, so an order that comes back whole keeps nothing.
    """
    if not order.discount_cents or not quantities:
        return None
    rules = {
        **{(OrderDiscount.Kind.COUPON.value, c): r for c, r in redemptions.repriced(order)},
        **{(OrderDiscount.Kind.PROMOTION.value, c): r for c, r in promotions.repriced(order)},
    }
    if not rules:
        return None
    lines = list(order.lines.select_related("product__category").order_by("position"))
    back = {
        line.position: min(line.refunded_quantity + quantities.get(line.position, 0), line.quantity)
        for line in lines
    }
    frozen = _frozen_on_the_rest(rules, lines, back)
    cart = _rest(order, lines, back)
    return Cents(
        sum(
            max(frozen[offer] - _given(rule, cart, frozen[offer], now=now), 0)
            for offer, rule in rules.items()
            if frozen[offer]
        )
    )


def _frozen_on_the_rest(
    rules: Rules, lines: Sequence[OrderLine], back: Mapping[int, int]
) -> dict[tuple[str, str], Cents]:
    """Return what each offer took off the pieces that the guest keeps.

    A line's discount on them is their price less what is not given back for them, to the cent; of
    that each offer has its share.
    """
    sums = dict.fromkeys(rules, 0)
    parts: dict[int, list[OrderDiscount]] = {line.pk: [] for line in lines}
    for part in OrderDiscount.objects.filter(line__in=lines).order_by("pk"):
        parts[part.line_id].append(part)
    for line in lines:
        kept = line.quantity - back[line.position]
        given_back = share_of(line.net_cents, part=back[line.position], of=line.quantity)
        discount = Cents(line.unit_price_cents * kept - (line.net_cents - given_back))
        shares = split_cents(discount, [part.amount_cents for part in parts[line.pk]])
        for part, share in zip(parts[line.pk], shares, strict=True):
            if (part.kind, part.code) in sums:
                sums[part.kind, part.code] += share
    return {offer: Cents(cents) for offer, cents in sums.items()}


def _rest(order: Order, lines: Iterable[OrderLine], back: Mapping[int, int]) -> Cart:
    """Return what the guest keeps as a cart, at the prices of the sale."""
    return Cart(
        lines=tuple(
            CartLine(
                position=line.position,
                product=line.product.code,
                category=line.product.category.code,
                sku=line.sku,
                unit_price_cents=Cents(line.unit_price_cents),
                quantity=line.quantity - back[line.position],
                options=frozenset(
                    option["code"] for option in line.options.get("options", {}).values()
                ),
                is_discountable=line.product.is_discountable,
            )
            for line in lines
            if back[line.position] < line.quantity and not line.is_gift
        ),
        store=order.store.code,
        city=order.store.city,
        order_type=order.order_type,
        local_time=order.placed_at.astimezone(ZoneInfo(order.store.timezone)),
    )


def _given(rule: pricing.Rule, cart: Cart, frozen: Cents, *, now: datetime) -> Cents:
    """Return what a rule gives on the rest alone.

    Who bought, where and when was right at the sale and is not asked again. Of an offer on a part
    of the price (toppings, sizes) only the thresholds are asked: the parts are not on the receipt.
    """
    asked = replace(
        rule,
        conditions=Conditions(
            scope=rule.conditions.scope,
            contains=rule.conditions.contains,
            contains_match=rule.conditions.contains_match,
            min_spend_cents=rule.conditions.min_spend_cents,
            min_quantity=rule.conditions.min_quantity,
            min_distinct_products=rule.conditions.min_distinct_products,
        ),
    )
    offer = pricing.Offer(key=KEY, name=KEY, rule=asked)
    if rule.effect.chooses_portion or rule.scope.portion is not Portion.WHOLE:
        situation = pricing.Situation(cart=cart, facts=pricing.Facts(), now=now)
        return frozen if all(check.passed for check in offer.checks(situation)) else Cents(0)
    return pricing.evaluate(cart, pricing.Facts(), [offer], now).discount_cents
