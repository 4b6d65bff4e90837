"""How an amount falls on principal and gifts. Pure, exact to the fen."""

from collections.abc import Sequence

from shop.kernel.money import Cents


def spend(amount: Cents, *, principal: Cents, gifts: Sequence[Cents]) -> tuple[Cents, list[Cents]]:
    """Return what principal and each gift pay of an amount that both together cover.

    In proportion to what there is of each, the gifts' part rounded down; gifts in the given order.

    >>> spend(Cents(5500), principal=Cents(10000), gifts=[Cents(400), Cents(600)])
    (5000, [400, 100])
    """
    by_gifts = amount * sum(gifts) // (principal + sum(gifts)) if amount else 0
    parts, left = [], by_gifts
    for gift in gifts:
        parts.append(Cents(min(gift, left)))
        left -= parts[-1]
    return Cents(amount - by_gifts), parts


def forfeited(gift: Cents, *, paid_out: Cents, principal: Cents) -> Cents:
    """Return what is lost of a gift when so much of the principal is paid out, rounded up.

    >>> forfeited(Cents(1000), paid_out=Cents(5000), principal=Cents(10000))
    500
    """
    return Cents(-(-gift * paid_out // principal))
