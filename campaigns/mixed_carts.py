"""Carts of several articles for the loss guard: sets, gifts for another thing, “with a cake”.

Each part has the articles that make it worst. Pure. One set is one unit of a cart; `losses` buys as
many of them as of a single article.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product

from campaigns.losses import Article
from campaigns.pricing import BundlePrice, BuyXGetY, Match, Offer, Rule, Scope
from shop.kernel.money import Cents

MOST_PARTS = 4
"""Of an offer with more parts no cart is made up; docs/pricing.md says so."""
Part = tuple[Scope, int]


def sets(offers: Iterable[Offer], articles: Sequence[Article]) -> Iterator[Article]:
    """Yield the carts that these offers need several articles for, each as one article."""
    seen = set()
    for offer in offers:
        parts = _parts(offer.rule)
        if not 1 < len(parts) <= MOST_PARTS:
            continue
        for chosen in product(*(_worst(scope, articles) for scope, _quantity in parts)):
            key = tuple((id(article), parts[i][1]) for i, article in enumerate(chosen))
            order_types = frozenset.intersection(*(article.order_types for article in chosen))
            if order_types and key not in seen:
                seen.add(key)
                yield _together(chosen, [n for _scope, n in parts], order_types)


def _parts(rule: Rule) -> list[Part]:
    """Return what must be in a cart together for the rule; one part where any article will do."""
    effect, asked = rule.effect, rule.conditions
    if isinstance(effect, BundlePrice):
        parts = [(_both(rule.scope, part.scope), part.quantity) for part in effect.parts]
    elif isinstance(effect, BuyXGetY) and effect.buy_scope is not None:
        parts = [(effect.buy_scope, effect.buy_quantity or 1), (rule.scope, effect.get_quantity)]
    else:
        parts = [(rule.scope, 1)]
    if asked.contains is not None and asked.contains_match is Match.ANY:
        parts.append((asked.contains, 1))
    elif asked.contains is not None and asked.contains_match is Match.ALL:
        parts += [(Scope(products=frozenset({code})), 1) for code in asked.contains.products]
        parts += [(Scope(categories=frozenset({code})), 1) for code in asked.contains.categories]
    return parts


def _both(whole: Scope, part: Scope) -> Scope:
    """Return a part of an offer's scope, without what the offer leaves out."""
    return replace(
        part,
        exclude_products=part.exclude_products | whole.exclude_products,
        exclude_categories=part.exclude_categories | whole.exclude_categories,
    )


def _worst(scope: Scope, articles: Sequence[Article]) -> list[Article]:
    """Return the articles that can make a part worst.

    The dearest to make, the dearest to buy, and the one that earns least.
    """
    fitting = [article for article in articles if scope.holds(article.line)]
    if not fitting:
        return []
    found = (
        max(fitting, key=lambda article: article.floor_cents),
        max(fitting, key=lambda article: article.list_cents),
        min(fitting, key=lambda article: article.list_cents - article.floor_cents),
    )
    return list({id(article): article for article in found}.values())


def _together(
    chosen: Sequence[Article], quantities: Sequence[int], order_types: frozenset[str]
) -> Article:
    lines = [
        replace(article.line, position=position, quantity=quantity)
        for position, (article, quantity) in enumerate(
            zip(chosen, quantities, strict=True), start=1
        )
    ]
    floor = sum(a.floor_cents * n for a, n in zip(chosen, quantities, strict=True))
    return Article(
        line=lines[0],
        beside=tuple(lines[1:]),
        floor_cents=Cents(floor),
        order_types=order_types,
        name_zh=" + ".join(article.name_zh for article in chosen),
        name_en=" + ".join(article.name_en for article in chosen),
    )
