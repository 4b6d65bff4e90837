"""Points for what members do beside buying. The only module that writes events.

Other parts call `record`: a check-in, a review, a friend, a birthday, a completed profile.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from loyalty import earning_programme, points, tiers
from loyalty.models import EarningEvent, Membership
from loyalty.order_points import points_of_event
from shop.kernel.money import Points
from shop.models import Store


@transaction.atomic
def record(
    member_id: int, *, event: str, key: str, store: Store, actor: str, now: datetime
) -> tuple[EarningEvent, bool]:
    """Record an event and give what the rules give for it; once per member, event and key.

    Return it, and whether it is new: a second record of the same changes nothing and returns the
    first. Caps are kept under the lock of the member's wallets.
    """
    account = points.lock_accounts([member_id]).points(member_id)
    known = EarningEvent.objects.filter(member_id=member_id, event=event, key=key).first()
    if known is not None:
        return known, False
    rules = earning_programme.rules_for(member_id, now=now)
    day = store.business_date(now)
    outcome = points_of_event(
        rules,
        event,
        tier=Membership.objects.values_list("tier__code", flat=True).get(member_id=member_id),
        store=store.code,
        at=now.astimezone(ZoneInfo(store.timezone)),
        business_date=day.isoformat(),
    )
    row = EarningEvent.objects.create(
        member_id=member_id,
        event=event,
        key=key,
        store=store,
        points=Points(outcome.points),
        actor=actor,
        occurred_at=now,
    )
    points.earn(
        account,
        points=Points(outcome.points),
        source=row.source,
        now=now,
        expires_at=tiers.programme().lifetime.ends_at(now, timezone=store.timezone),
    )
    earning_programme.record(
        outcome, member_id=member_id, source=row.source, business_date=day, now=now
    )
    return row, True
