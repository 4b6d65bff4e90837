"""The loss guard: what an offer may meet today and on which menu, for `losses` to search.

docs/pricing.md, “The loss guard”, says what is looked at and what is not.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from django.db.models import Min, Q, QuerySet

from campaigns import mixed_carts, occasions
from campaigns.cart_lines import line_of
from campaigns.losses import Article, Combination, Search
from campaigns.models import (
    Campaign,
    CampaignPhase,
    Coupon,
    CouponDefinition,
    Promotion,
)
from campaigns.pricing import InvalidRule, Offer, Rule, parse_rule
from shop import catalog
from shop.catalog import Choice, MenuProduct
from shop.kernel.errors import InvalidInput
from shop.kernel.money import Cents
from shop.models import Product, Store, StoreProduct

AnyOffer = CouponDefinition | Promotion
Status = CouponDefinition.Status
Goods = tuple[str, str]
NO_STORE = 0
PERCENTAGES = frozenset({"percent_off", "tiered_percent_off", "nth_item_percent"})
AMOUNTS = frozenset({"fixed_off", "fixed_off_each", "tiered_fixed_off"})


class Standing(Protocol):
    """What goods cost less anyway, as offers that a condition keeps to their buyers."""

    def __call__(self, *, goods: Collection[Goods], now: datetime) -> Sequence[Offer]:
        """Return the offers for goods, as (product, category)."""


_standing: list[Standing] = []


def meet(standing: Standing) -> None:
    """Let offers be checked together with what goods cost less anyway, such as member prices."""
    _standing.append(standing)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One combination, with the names of the offers that it is made of."""

    combination: Combination
    offers: tuple[str, ...]


def check(offer: AnyOffer, *, now: datetime, also: Sequence[AnyOffer] = ()) -> list[Finding]:
    """Return the cheapest sale of each article that the offer takes part in, worst first.

    It meets what runs, what runs again with a phase, and what is in wallets; and `also` these;
    and what goods cost less anyway.
    """
    rows = {
        (type(row), row.pk): row for row in [*_running(now=now), *also] if _is_other(row, offer)
    }
    candidate, *copies = _offers_of(offer)
    others = [
        *copies,
        *(each for row in rows.values() for each in _offers_of(row)),
        *_cheaper_anyway(now=now),
    ]
    places = [
        occasions.Place(store=s.code, city=s.city, timezone=s.timezone)
        for s in Store.objects.order_by("pk")
    ]
    articles, floors = _menu([candidate, *others])
    if not places or not articles:
        return []
    ways = sorted(frozenset[str]().union(*(article.order_types for article in articles)))
    met = occasions.together(candidate, others, places=places, order_types=ways, now=now)
    mixed = [*articles, *mixed_carts.sets([candidate, *others], articles)]
    search = Search(candidate=candidate, articles=mixed, gift_floors=floors)
    names = {each.key: each.name for each in (candidate, *others)}
    return [
        Finding(combination=found, offers=tuple(names[key] for key in found.offers))
        for found in search.worst(met)
    ]


def losses(findings: Iterable[Finding]) -> list[Finding]:
    """Return those that sell something below its floor because of the offer."""
    return [finding for finding in findings if finding.combination.is_loss]


def _is_other(row: AnyOffer, offer: AnyOffer) -> bool:
    return (type(row), row.pk) != (type(offer), offer.pk)


def _running(*, now: datetime) -> Iterator[AnyOffer]:
    """Yield every offer that may be applied now, or without anybody's doing later."""
    coming = CampaignPhase.objects.filter(
        campaign__status=Campaign.Status.ACTIVE,
        status__in=[CampaignPhase.Status.PLANNED, CampaignPhase.Status.RUNNING],
    )
    waits = Q(status=Status.PAUSED, phases__in=coming)
    held = Coupon.objects.filter(
        status__in=[Coupon.Status.AVAILABLE, Coupon.Status.HELD], expires_at__gt=now
    )
    in_wallets = Q(status=Status.ENDED, pk__in=held.values("definition_id"))
    yield from _distinct(Promotion.objects.filter(Q(status=Status.ACTIVE) | waits))
    yield from _distinct(
        CouponDefinition.objects.filter(Q(status=Status.ACTIVE) | waits | in_wallets)
    )


def _distinct(rows: QuerySet[AnyOffer]) -> QuerySet[AnyOffer]:
    return rows.order_by("pk").distinct("pk")


def _cheaper_anyway(*, now: datetime) -> Iterator[Offer]:
    goods = list(Product.objects.filter(is_active=True).values_list("code", "category__code"))
    for standing in _standing:
        yield from standing(goods=goods, now=now)


def _offers_of(row: AnyOffer) -> list[Offer]:
    """Return the row as the evaluator may meet it: a coupon twice, if a member may have two.

    Coupons of equal priority are applied in the order of their codes, which is chance. Here it is
    the worst one: percentages first, amounts last.
    """
    try:
        rule = parse_rule(row.rule)
    except InvalidRule:
        return []
    if isinstance(row, Promotion):
        keys = [f"promotion:{row.code}"]
    else:
        copies = 2 if row.per_member_limit > 1 or row.is_transferable else 1
        keys = [f"Coupon {_turn(rule)} {row.code} {copy}" for copy in range(copies)]
    return [Offer(key=key, name=row.code, rule=rule) for key in keys]


def _turn(rule: Rule) -> int:
    kind = rule.effect.kind
    return 0 if kind in PERCENTAGES else 2 if kind in AMOUNTS else 1


def _menu(offers: Sequence[Offer]) -> tuple[list[Article], dict[str, Cents]]:
    """Return every article that is sold, at its lowest price anywhere, and the products' floors."""
    products = Product.objects.filter(is_active=True)
    floors = {row.code: row.floor_price_cents for row in products}
    own_prices = StoreProduct.objects.filter(is_listed=True, price_cents__isnull=False)
    lowest = dict(own_prices.values_list("product__code").annotate(Min("price_cents")))
    named = _named_options(offers)
    articles: list[Article] = []
    found = catalog.load_products(store_id=NO_STORE, codes=floors)
    for code in sorted(found):
        product = found[code]
        price = Cents(min(product.price_cents, lowest.get(code, product.price_cents)))
        articles += _articles(replace(product, price_cents=price), floors[code], named)
    return articles, floors


def _named_options(offers: Iterable[Offer]) -> frozenset[str]:
    """Return the options that the offers ask for, such as a hot drink."""
    scopes = [
        scope
        for offer in offers
        for scope in (offer.rule.scope, offer.rule.conditions.contains, offer.rule.conditions.scope)
        if scope is not None
    ]
    return frozenset[str]().union(*(scope.options for scope in scopes))


def _articles(product: MenuProduct, floor: Cents, named: frozenset[str]) -> Iterator[Article]:
    """Yield the product in each size and option that matters, and with its dearest topping.

    The floor is the product's; what a larger cup or a topping costs to make comes on top. Without
    one there is none for the larger cup either.
    """
    for choice in _choices(product, named):
        try:
            priced = catalog.price_choice(product, choice)
        except InvalidInput:  # a product that cannot be ordered like that
            continue
        extra = priced.unit_cost_cents - product.cost_cents
        yield Article(
            line=line_of(product, priced, position=1, quantity=1),
            floor_cents=Cents(max(0, floor + extra) if floor else 0),
            order_types=frozenset(product.sellable),
            name_zh=product.name_zh,
            name_en=product.name_en,
            topping=next(iter(choice.toppings), ""),
        )


def _choices(product: MenuProduct, named: frozenset[str]) -> Iterator[Choice]:
    usual = catalog.default_choice(product)
    first = {o.group: o.code for o in reversed(product.options) if not o.is_topping and o.group_min}
    usual = Choice(options=first | dict(usual.options), toppings={})
    yield usual
    for option in product.options:
        is_other = usual.options.get(option.group) != option.code
        if not option.is_topping and is_other and (option.is_sku_axis or option.code in named):
            yield Choice(options={**usual.options, option.group: option.code}, toppings={})
    toppings = [option for option in product.options if option.is_topping]
    if toppings:
        dearest = max(toppings, key=lambda option: option.price_delta_cents)
        yield Choice(options=usual.options, toppings={dearest.code: 1})
