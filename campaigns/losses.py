"""What the cheapest cup costs once an offer meets the others: the search behind the loss guard.

Pure. It makes carts of one article each and lets the one evaluator price them (docs/pricing.md,
“The loss guard”); it knows nothing of how a discount is worked out.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from campaigns.articles import Article
from campaigns.combinations import Combination, badness, is_no_worse
from campaigns.occasions import Occasion
from campaigns.pricing import (
    Cart,
    Conditions,
    Gift,
    Measured,
    Offer,
    Pricing,
    Reason,
    Run,
    Stacking,
    TieredFixedOff,
    TieredPercentOff,
    compare,
    evaluate,
)
from shop.kernel.money import Cents

TOGETHER = 6
"""Of more offers that give something on a cart at once, those that give most by themselves."""
PER_GROUP = 2
"""So many of those in one exclusive group, of which only one can be applied anyway."""
MAX_UNITS = 60
MAX_QUANTITIES = 12
ABOUT_CART = (
    "contains",
    "contains_match",
    "scope",
    "min_spend_cents",
    "max_spend_cents",
    "min_quantity",
    "min_distinct_products",
)
"""The conditions that only the cart answers; the others were asked of the occasion."""


@dataclass(kw_only=True, slots=True)
class Search:
    """One offer against those it may meet; `gift_floors` are those of products given away."""

    candidate: Offer
    articles: Sequence[Article]
    gift_floors: Mapping[str, Cents]
    _kinds: dict[int, Hashable] = field(default_factory=dict)
    """By the id of the article."""
    _alone: dict[tuple[Hashable, int, str], Pricing] = field(default_factory=dict)
    _priced: dict[Hashable, Pricing] = field(default_factory=dict)
    _sales: dict[Hashable, tuple[Cents, Cents, tuple[str, ...]] | None] = field(
        default_factory=dict
    )

    def worst(self, met: Sequence[tuple[Occasion, Sequence[Offer]]]) -> list[Combination]:
        """Return the cheapest sale of each article that the offer takes part in, worst first."""
        meetings = [(occasion, _compatible(self.candidate, others)) for occasion, others in met]
        offers = [self.candidate, *(other for _occasion, others in meetings for other in others)]
        scopes = {scope for offer in offers for scope in offer.rule.scopes}
        self._kinds = {id(article): article.kind(scopes) for article in self.articles}
        alike: dict[Hashable, Combination | None] = {}
        found: list[Combination] = []
        for article in self.articles:
            if not article.is_in(self.candidate.rule.scope):
                continue
            kind = (self._kinds[id(article)], article.floor_cents, article.order_types)
            if kind not in alike:
                alike[kind] = self._worst_of(article, meetings)
            if (worst := alike[kind]) is not None:
                found.append(replace(worst, article=article))
        return sorted(found, key=badness)

    def _worst_of(
        self, article: Article, meetings: Sequence[tuple[Occasion, Sequence[Offer]]]
    ) -> Combination | None:
        worst: Combination | None = None
        for occasion, others in meetings:
            if occasion.order_type not in article.order_types:
                continue
            giving = [offer for offer in others if article.is_in(offer.rule.scope)]
            for quantity in self._quantities(article, [self.candidate, *giving], occasion):
                found = self._combined(article, quantity, giving, occasion, beside=worst)
                if found is not None and (worst is None or badness(found) < badness(worst)):
                    worst = found
        return worst

    def _combined(
        self,
        article: Article,
        quantity: int,
        others: Sequence[Offer],
        occasion: Occasion,
        *,
        beside: Combination | None,
    ) -> Combination | None:
        """Return the cheapest sale of so many units; None without the offer in it.

        What the offers give each by themselves bounds what they give together, so a cart that
        cannot be worse than what was found `beside` it is not looked into.
        """
        gains = {o.key: self._gain(article, quantity, o, occasion) for o in others}
        gain = self._gain(article, quantity, self.candidate, occasion)
        least = max(
            article.list_cents * quantity - gain - _most_together(others, gains),
            -self._given_away([self.candidate, *others], article, quantity, occasion),
        )
        if not gain or is_no_worse(least, quantity, than=beside):
            return None
        chosen = _strongest([offer for offer in others if gains[offer.key]], gains)
        cart = occasion.cart(*article.lines(quantity))
        best = self._told(article, cart, occasion, chosen)
        if best is not None and not (best.loss_cents and best.is_in_vain):
            return best
        # What is as cheap without the offer hides what the offer does beside fewer others.
        effective = self._effective(article, cart, occasion, chosen)
        if effective is None:
            return best
        pays, without, offers = effective
        return Combination(
            article=article,
            quantity=quantity,
            pays_cents=pays,
            without_cents=without,
            offers=offers,
            occasion=occasion,
        )

    def _effective(
        self, article: Article, cart: Cart, occasion: Occasion, others: Sequence[Offer]
    ) -> tuple[Cents, Cents, tuple[str, ...]] | None:
        """Return the cheapest sale that is dearer without the offer, of equals with the fewest.

        That is what it brings, what it would bring without, and the offers of the choice.
        """
        keys = tuple(offer.key for offer in others)
        asked = (self._kinds[id(article)], cart.quantity, id(occasion), keys)
        if asked not in self._sales:
            candidate = _always(self.candidate)
            pairs = compare(cart, occasion.facts, candidate, others, occasion.at)
            sales = [
                (self._left(cart, run), self._left(cart, without), tuple(run.applied))
                for run, without in pairs
                if candidate.key in run.applied
            ]
            self._sales[asked] = min(
                (sale for sale in sales if sale[0] < sale[1]),
                key=lambda sale: (sale[0], len(sale[2])),
                default=None,
            )
        return self._sales[asked]

    def _left(self, cart: Cart, run: Run) -> Cents:
        """Return what the cart brings after a run; see `_brings`."""
        gifts = (gift for given in run.applied.values() for gift in given.gifts)
        return Cents(cart.subtotal_cents - run.discount_cents - self._floors(gifts))

    def _told(
        self,
        article: Article,
        cart: Cart,
        occasion: Occasion,
        others: Sequence[Offer],
    ) -> Combination | None:
        """Return the cheapest sale of a cart with the offer and any of these; None without it."""
        quantity = cart.lines[0].quantity // article.line.quantity
        optional = [_optional(offer) for offer in others]

        def price(*offers: Offer) -> Pricing:
            keys = tuple(offer.key for offer in offers)
            asked = (self._kinds[id(article)], cart.quantity, id(occasion), keys)
            if asked not in self._priced:
                self._priced[asked] = evaluate(
                    cart, occasion.facts, offers, occasion.at, best_deal=True
                )
            return self._priced[asked]

        pricing = price(_always(self.candidate), *optional)
        applied = tuple(each.key for each in pricing.applied)
        pays = self._brings(pricing)
        if self.candidate.key not in applied:
            return None
        is_compared = pays < article.floor_cents * quantity
        return Combination(
            article=article,
            quantity=quantity,
            pays_cents=pays,
            without_cents=self._brings(price(*optional)) if is_compared else pricing.subtotal_cents,
            offers=applied,
            occasion=occasion,
        )

    def _gain(self, article: Article, quantity: int, offer: Offer, occasion: Occasion) -> int:
        """Return what the offer gives by itself, on whatever occasion."""
        pricing = self._by_itself(article, quantity, offer, occasion)
        return pricing.subtotal_cents - self._brings(pricing)

    def _given_away(
        self, offers: Iterable[Offer], article: Article, quantity: int, occasion: Occasion
    ) -> int:
        """Return what all gifts together must bring; the goods themselves cost 0 at least."""
        alone = (self._by_itself(article, quantity, offer, occasion) for offer in offers)
        return sum(pricing.total_cents - self._brings(pricing) for pricing in alone)

    def _by_itself(
        self, article: Article, quantity: int, offer: Offer, occasion: Occasion
    ) -> Pricing:
        key = (self._kinds[id(article)], quantity, offer.key)
        if key not in self._alone:
            cart = occasion.cart(*article.lines(quantity))
            bare = [about_cart(offer)]
            self._alone[key] = evaluate(cart, occasion.facts, bare, occasion.at)
        return self._alone[key]

    def _brings(self, pricing: Pricing) -> Cents:
        """Return what the cart brings: the goods, less the floor price of what is given away."""
        return Cents(pricing.total_cents - self._floors(pricing.gifts))

    def _floors(self, gifts: Iterable[Gift]) -> int:
        return sum(self.gift_floors.get(gift.product, 0) * gift.quantity for gift in gifts)

    def _quantities(
        self, article: Article, offers: Iterable[Offer], occasion: Occasion
    ) -> list[int]:
        """Return one to three units, and as many as the offers ask for; the offer's own first."""
        found = dict.fromkeys((1, 2, 3))
        for offer in offers:
            for threshold in _thresholds(offer, article):
                found[threshold] = None
            units: int | None = 1
            while units and units <= MAX_UNITS:
                found[units] = None
                units = _asked(self._by_itself(article, units, offer, occasion), article)
            if len(found) >= MAX_QUANTITIES:
                break
        return [quantity for quantity in found if 1 <= quantity <= MAX_UNITS]


def _asked(pricing: Pricing, article: Article) -> int | None:
    """Return how many units an offer that was refused asks for; None if that is not what it asks.

    An offer that asks for no more than there is, or for something else, is given up on.
    """
    units = pricing.situation.cart.quantity // article.pieces
    for refusal in pricing.refusals:
        if not isinstance(refusal.needed, int):
            return None
        needed = refusal.needed
        if refusal.reason == Reason.MIN_SPEND_NOT_MET:
            needed = -(-needed // max(article.list_cents, 1))
        elif refusal.reason == Reason.MIN_QTY_NOT_MET:
            needed = -(-needed // article.pieces)
        else:
            return None
        return needed if needed > units else None
    return None


def _thresholds(offer: Offer, article: Article) -> list[int]:
    """Return the units at which the offer gives more than before."""
    effect = offer.rule.effect
    if not isinstance(effect, TieredFixedOff | TieredPercentOff):
        return []
    each = article.pieces if effect.by is Measured.QUANTITY else max(article.list_cents, 1)
    return [max(1, -(-tier.threshold // each)) for tier in effect.tiers]


def _compatible(candidate: Offer, others: Sequence[Offer]) -> list[Offer]:
    """Return the offers that may be applied with the candidate, the rules of stacking granted."""
    group, stacking = candidate.rule.exclusive_group, candidate.rule.stacking
    return [
        other
        for other in others
        if (group is None or other.rule.exclusive_group != group)
        and (
            stacking is Stacking.ALWAYS
            or other.rule.stacking is Stacking.ALWAYS
            or stacking is other.rule.stacking is Stacking.COMMON
        )
    ]


def _always(candidate: Offer) -> Offer:
    """Return the candidate as one that is applied whenever it gives anything.

    Whatever it excludes has been left out before.
    """
    return replace(
        candidate,
        rule=replace(candidate.rule, stacking=Stacking.ALWAYS, exclusive_group=None),
    )


def _optional(offer: Offer) -> Offer:
    """Return an offer that may also be left out: nobody has to use a coupon."""
    rule = offer.rule
    if rule.stacking is not Stacking.ALWAYS or rule.exclusive_group is not None:
        return offer
    return replace(offer, rule=replace(rule, exclusive_group=f"only {offer.key}"))


def about_cart(offer: Offer) -> Offer:
    """Return the offer with nothing asked but about the cart."""
    asked = offer.rule.conditions
    bare = Conditions(**{field: getattr(asked, field) for field in ABOUT_CART})
    return replace(offer, rule=replace(offer.rule, conditions=bare))


def _most_together(offers: Sequence[Offer], gains: Mapping[str, int]) -> int:
    """Return what offers give at most together, of each exclusive group only the best."""
    most: dict[str, int] = {}
    for offer in offers:
        name = f"group {offer.rule.exclusive_group}" if offer.rule.exclusive_group else offer.key
        most[name] = max(most.get(name, 0), gains[offer.key])
    return sum(most.values())


def _strongest(offers: Sequence[Offer], gains: Mapping[str, int]) -> list[Offer]:
    """Return the offers that give most by themselves: so many as can be tried in every way."""
    in_group: Counter[str] = Counter()
    chosen: list[Offer] = []
    for offer in sorted(offers, key=lambda offer: (-gains[offer.key], offer.key)):
        group = offer.rule.exclusive_group
        if group is not None:
            in_group[group] += 1
            if in_group[group] > PER_GROUP:
                continue
        chosen.append(offer)
    return chosen[:TOGETHER]
