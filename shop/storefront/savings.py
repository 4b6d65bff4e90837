"""What the coupons of a wallet would save on a cart: each by itself, and the best together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from campaigns import limits, pricing, promotions, wallets
from campaigns.models import Coupon
from campaigns.pricing import Reason, Refusal
from shop.kernel.money import Cents
from shop.storefront import baskets, facts, quotes
from shop.storefront.baskets import Basket
from shop.storefront.entered_codes import MemberRequired
from shop.storefront.quotes import Quote

MOST = 50
"""So many coupons of a wallet are priced, the soonest to expire first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Saving:
    """A coupon, what the guest pays less with it, and why it does nothing where it does not.

    One that gives something else than money, such as points, saves 0 and has no refusal.
    """

    coupon: Coupon
    saves_cents: Cents
    refusal: Refusal | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Savings:
    """A cart without coupons, each coupon on it, the best first, and the best together."""

    total_cents: Cents
    local_time: datetime
    coupons: Sequence[Saving]
    best_codes: Sequence[str]
    best_total_cents: Cents

    @property
    def best_saves_cents(self) -> Cents:
        """Return what the best coupons save together."""
        return Cents(self.total_cents - self.best_total_cents)


def on(basket: Basket, *, now: datetime) -> Savings:
    """Return what the member's coupons would save on this basket; writes and reserves nothing.

    The best together is what an order with exactly these codes is quoted at.

    Raises:
        InvalidInput, NotFound, MemberRequired
        catalog.ProductNotAvailable, members.MemberNotActive
    """
    lines = baskets.priced_lines(basket, now=now)
    if basket.member is None:
        raise MemberRequired
    member = facts.find(basket.member, now=now)
    place = limits.place_of(basket.store, member_id=member.id, now=now)
    running = promotions.running(place, version=member.promotions_version)

    def quoted(
        codes: Sequence[str], offers: Sequence[pricing.Offer], *, best: bool = False
    ) -> Quote:
        return quotes.price(
            replace(basket, coupon_codes=codes),
            lines,
            member=member,
            offers=offers,
            running=running,
            unusable=[],
            now=now,
            best_deal=best,
        )

    plain = quoted([], [])
    offers: dict[str, pricing.Offer] = {}
    savings: list[Saving] = []
    found: list[tuple[Cents, list[str]]] = [(plain.total_cents, [])]
    mine = wallets.living(member.id, now=now, most=MOST)
    uses = wallets.uses_of(mine, place=place)
    for coupon in mine:
        refusal, saves = wallets.why_unusable(coupon, now=now), Cents(0)
        if refusal is None:
            offers[coupon.code] = wallets.offer_of(coupon, uses.get(coupon.definition_id, ()))
            quote = quoted([coupon.code], [offers[coupon.code]])
            found.append((quote.total_cents, [coupon.code]))
            saves = Cents(max(plain.total_cents - quote.total_cents, 0))
            refusal = _why_not(quote, saves)
        savings.append(Saving(coupon=coupon, saves_cents=saves, refusal=refusal))
    if len(offers) > 1:
        best = quoted(list(offers), list(offers.values()), best=True)
        chosen = sorted(applied.key for applied in best.pricing.applied if applied.key in offers)
        # Quoted once more as the order would be: nobody chooses the best deal for an order.
        quote = quoted(chosen, [offers[code] for code in chosen])
        found.append((quote.total_cents, chosen))
    total, codes = min(found, key=lambda each: (each[0], len(each[1]), each[1]))
    return Savings(
        total_cents=plain.total_cents,
        local_time=plain.pricing.situation.cart.local_time,
        coupons=sorted(savings, key=lambda s: (-s.saves_cents, s.coupon.expires_at, s.coupon.pk)),
        best_codes=codes,
        best_total_cents=total,
    )


def _why_not(quote: Quote, saves: Cents) -> Refusal | None:
    """Return why a coupon gives nothing; None where it gives something."""
    if quote.refusals:
        return quote.refusals[0]
    (code,) = quote.basket.coupon_codes
    if saves or any(a.gifts or a.rewards for a in quote.pricing.applied if a.key == code):
        return None
    return Refusal(key=code, reason=Reason.BETTER_WITHOUT)
