"""What the cheapest cup costs once an offer meets the others: the search behind the loss guard.

Pure. It makes carts of one article each and lets the one evaluator price them (docs/pricing.md,
“The loss guard”); it knows nothing of how a discount is worked out.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations

from campaigns.occasions import Occasion
from campaigns.pricing import (
    Cart,
    CartLine,
    Conditions,
    Measured,
    Offer,
    Pricing,
    Reason,
    Scope,
    Stacking,
    TieredFixedOff,
    TieredPercentOff,
    evaluate,
)
from shop.kernel.money import Cents

TOGETHER = 6
"""Of more offers that give something on a cart at once, those that give most by themselves."""
PER_GROUP = 2
"""So many of those in one exclusive group, of which only one can be applied anyway."""
MAX_UNITS = 60
MAX_QUANTITIES = 12
NO_CATEGORIES: frozenset[str] = frozenset()
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Article:
    """One way to have a product, as a cart line of one unit, and what it must not go below.

    Or several together, which an offer asks for: the others are `beside` it, and one unit is as
    many of each as their lines say.
    """

    line: CartLine
    floor_cents: Cents
    order_types: frozenset[str]
    name_zh: str = ""
    name_en: str = ""
    topping: str = ""
    beside: tuple[CartLine, ...] = ()

    @property
    def list_cents(self) -> Cents:
        """Return the price of one unit, without any offer."""
        return Cents(sum(line.subtotal_cents for line in self._each))

    @property
    def sku(self) -> str:
        """Return what one unit is, as menus name it."""
        counts = ((f"{line.quantity} × " if line.quantity > 1 else "", line) for line in self._each)
        return " + ".join(count + line.sku for count, line in counts)

    @property
    def pieces(self) -> int:
        """Return how many pieces one unit is."""
        return sum(line.quantity for line in self._each)

    def lines(self, quantity: int) -> list[CartLine]:
        """Return so many units as lines of a cart."""
        return [replace(line, quantity=line.quantity * quantity) for line in self._each]

    def is_in(self, scope: Scope) -> bool:
        """Tell whether a part of it is in a scope."""
        return any(scope.holds(line) for line in self._each)

    def kind(self, scopes: Iterable[Scope]) -> Hashable:
        """Return what all articles share that offers with these scopes cannot tell apart."""
        if self.beside:
            return id(self)
        told = tuple(scope.names(self.line) for scope in scopes)
        nameless = replace(
            self.line, product="", sku="", category="", other_categories=NO_CATEGORIES
        )
        return (told, nameless)

    @property
    def _each(self) -> tuple[CartLine, ...]:
        return (self.line, *self.beside)


@dataclass(frozen=True, kw_only=True, slots=True)
class Combination:
    """Offers that together sell one article at a price.

    `pays_cents` is for the whole cart of `quantity` units, what gifts must bring taken off;
    `without_cents` the same without the offer that is asked about (and with no offer at all where
    that does not matter, because nothing is sold below its floor).
    """

    article: Article
    quantity: int
    pays_cents: Cents
    without_cents: Cents
    offers: tuple[str, ...]
    occasion: Occasion

    @property
    def unit_cents(self) -> Cents:
        """Return what one unit costs on average, rounded down."""
        return Cents(self.pays_cents // self.quantity)

    @property
    def loss_cents(self) -> Cents:
        """Return by how much one unit is sold below its floor, rounded up; 0 if it is not."""
        short = self.article.floor_cents * self.quantity - self.pays_cents
        return Cents(max(0, -(-short // self.quantity)))

    @property
    def is_loss(self) -> bool:
        """Tell whether the offer takes the article below its floor, or further below."""
        return self.loss_cents > 0 and not self.is_in_vain

    @property
    def is_in_vain(self) -> bool:
        """Tell whether the others sell it as cheap without the offer."""
        return self.pays_cents >= self.without_cents


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
        return sorted(found, key=_badness)

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
                if found is not None and (worst is None or _badness(found) < _badness(worst)):
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
        if not gain or _is_no_worse(least, quantity, than=beside):
            return None
        chosen = _strongest([offer for offer in others if gains[offer.key]], gains)
        cart = occasion.cart(*article.lines(quantity))
        best = self._told(article, cart, occasion, chosen, best_deal=True)
        if best is not None and not (best.loss_cents and best.is_in_vain):
            return best
        # What is as cheap without the offer hides what the offer does beside fewer others.
        effective: Combination | None = None
        for subset in _subsets(chosen):
            below = None if effective is None else effective.pays_cents
            alone = article.list_cents * quantity - gain - _most_together(subset, gains)
            if below is not None and alone >= below:
                continue
            found = self._told(article, cart, occasion, subset, best_deal=False, below=below)
            if found is not None and not found.is_in_vain:
                effective = found
                if best is not None and found.pays_cents <= best.pays_cents:
                    break
        return effective or best

    def _told(
        self,
        article: Article,
        cart: Cart,
        occasion: Occasion,
        others: Sequence[Offer],
        *,
        best_deal: bool,
        below: Cents | None = None,
    ) -> Combination | None:
        """Return the sale of a cart with the offer and these; None if it gives nothing there.

        None too if it brings no less than `below`, which is quicker than to say what it brings.
        """
        quantity = cart.lines[0].quantity // article.line.quantity
        optional = [_optional(offer) for offer in others] if best_deal else others

        def price(*offers: Offer) -> Pricing:
            keys = tuple(offer.key for offer in offers)
            asked = (self._kinds[id(article)], quantity, id(occasion), keys, best_deal)
            if asked not in self._priced:
                self._priced[asked] = evaluate(
                    cart, occasion.facts, offers, occasion.at, best_deal=best_deal
                )
            return self._priced[asked]

        pricing = price(_always(self.candidate), *optional)
        applied = tuple(each.key for each in pricing.applied)
        pays = self._brings(pricing)
        if self.candidate.key not in applied or (below is not None and pays >= below):
            return None
        is_compared = pays < article.floor_cents * quantity or not best_deal
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
        given = sum(self.gift_floors.get(g.product, 0) * g.quantity for g in pricing.gifts)
        return Cents(pricing.total_cents - given)

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


def _is_no_worse(least: int, quantity: int, *, than: Combination | None) -> bool:
    """Tell whether so many units for at least so much are no worse than the combination."""
    if than is None or least * than.quantity < than.pays_cents * quantity:
        return False
    return than.is_loss or least >= than.article.floor_cents * quantity


def _badness(combination: Combination) -> tuple[bool, Fraction, int, str]:
    floor = combination.article.floor_cents
    margin = Fraction(combination.pays_cents, combination.quantity) - floor
    return (not combination.is_loss, margin, combination.quantity, combination.article.sku)


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


def _subsets(offers: Sequence[Offer]) -> Iterator[tuple[Offer, ...]]:
    """Yield every choice of the offers, the smallest first.

    Two of one exclusive group come to the same as one of them.
    """
    for size in range(len(offers) + 1):
        for subset in combinations(offers, size):
            groups = [o.rule.exclusive_group for o in subset if o.rule.exclusive_group]
            if len(groups) == len(set(groups)):
                yield subset


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
