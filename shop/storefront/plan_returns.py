"""A paid membership given back: its money, and what it gave that nobody has used yet."""

from datetime import datetime

from django.db import transaction

from campaigns import revocations
from loyalty import benefits, plan_orders, plans
from loyalty.models import PlanPurchase
from shop.kernel import outbox


@transaction.atomic
def give_back(purchase_id: int, *, member_id: int, actor: str, now: datetime) -> PlanPurchase:
    """Give a period back, and take back the coupons that it gave as far as they were not used.

    Else a card would be bought for its coupons and given back the day after. What the month gave
    stays noted, so that buying the card again gives it no second time. Money that a provider took
    goes back through it.

    Raises:
        NotFound, plans.PlanNotRefundable
    """
    bought = plans.refund(purchase_id, member_id=member_id, now=now)
    revocations.revoke_given(
        member_id=member_id,
        by=benefits.sources_of(bought.plan),
        since=bought.starts_at,
        reason="paid membership given back",
        actor=actor,
        now=now,
    )
    _send_money_back(bought, now=now)
    return bought


def _send_money_back(bought: PlanPurchase, *, now: datetime) -> None:
    """Have the provider return what it took; a till and staff hand out what they took."""
    paid = plan_orders.payment_of(bought)
    if paid is not None and bought.refunded_cents:
        details = {
            "membership": bought.pk,
            "order": paid.order_id,
            "provider_ref": paid.provider_ref,
            "amount_cents": bought.refunded_cents,
        }
        outbox.add("payment.refund", key=f"membership:{bought.pk}", payload=details, now=now)
