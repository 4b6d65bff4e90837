"""One receipt, many hands: it is one member's, once."""

from functools import partial

from loyalty.models import PointsAccount, ReceiptClaim
from shop.storefront import receipt_claims
from tests import make
from tests.concurrency.crowd import outcomes


def test_a_receipt_claimed_by_many_is_one_members() -> None:
    """The guarded update in `orders.give_to`, after the order's lock; else all of them earn."""
    order = make.paid().order
    claims = [
        partial(
            receipt_claims.claim_receipt,
            order.number,
            store=order.store,
            amount_cents=order.paid_cents,
            member_id=who.pk,
            guesser=f"receipt:{who.pk}",
            actor="test",
            now=make.NOON,
        )
        for who in [make.member(), make.member(), make.member()] * 2
    ]

    said = outcomes(claims)

    assert said == {"done": 1, "order-not-claimable": 5}
    claimed = ReceiptClaim.objects.get()
    balances = PointsAccount.objects.filter(wallet="points", balance__gt=0)
    assert [(row.member_id, row.balance) for row in balances] == [(claimed.member_id, 12)]
