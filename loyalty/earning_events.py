"""Points for what members do beside buying. The only module that writes events.

Other parts call `record`: a check-in, a review, a friend, a birthday, a completed profile.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q

from loyalty import benefits, earning_programme, points, reversals, tiers
from loyalty.lots import Clawback
from loyalty.models import EarningEvent, EarningRule, Membership, PointsAccount
from loyalty.order_points import points_of_event
from loyalty.reversals import RefundShare
from shop.kernel.money import Points
from shop.models import Store

Event = EarningRule.Event


@transaction.atomic
def record(
    member_id: int, *, event: str, key: str, store: Store, actor: str, now: datetime
) -> tuple[EarningEvent, bool]:
    """Record an event and give what the rules give for it; once per member, event and key.

    Return it, and whether it is new: a second record of the same changes nothing and returns the
    first. Caps are kept under the lock of the member's wallets.

    Raises:
        points.WalletClosed
    """
    wallets = points.lock_accounts([member_id])
    wallets.ensure_open(member_id)
    account = wallets.points(member_id)
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
        outcome.parts, member_id=member_id, source=row.source, business_date=day, now=now
    )
    return row, True


def take_back(
    account: PointsAccount, *, event: str, key: str, reference: str, policy: Clawback, now: datetime
) -> None:
    """Take back what an event of the wallet's member earned, as far as the policy goes; once."""
    row = EarningEvent.objects.filter(member_id=account.member_id, event=event, key=key).first()
    if row is not None:
        reversals.reverse_earn(
            account,
            order_source=row.source,
            refund_source=reference,
            share=RefundShare(whole=1, before=0, after=1),
            now=now,
            policy=policy,
        )


def is_rewarded(event: str, *, now: datetime) -> bool:
    """Tell whether a rule gives anything for this event now."""
    running = Q(starts_at=None) | Q(starts_at__lte=now)
    running &= Q(ends_at=None) | Q(ends_at__gt=now)
    return EarningRule.objects.filter(running, event=event, is_active=True).exists()


def keys_of(event: str, *, keys: Sequence[str]) -> set[str]:
    """Return under which of these keys such an event is recorded, whoever's it is."""
    known = EarningEvent.objects.filter(event=event, key__in=keys)
    return set(known.values_list("key", flat=True))


def birthdays_due(*, now: datetime, limit: int) -> list[tuple[int, str]]:
    """Return members whose birthday it is, or was lately, and its year; not whose is recorded."""
    with connection.cursor() as cursor:
        cursor.execute(_BIRTHDAYS_SQL, {"now": now, "limit": limit})
        return [(member_id, year) for member_id, year in cursor.fetchall()]


_BIRTHDAYS_SQL = f"""
SELECT DISTINCT ON (member.id) member.id, to_char(day.date, 'YYYY') AS year
FROM shop_member member
JOIN shop_store store ON store.id = member.store_id
CROSS JOIN LATERAL ({benefits.RECENT_DAYS_SQL}) day
WHERE member.status = 'active' AND {benefits.IS_BIRTHDAY_SQL}
  AND NOT EXISTS (SELECT FROM loyalty_earningevent event
                  WHERE event.member_id = member.id AND event.event = 'birthday'
                    AND event.key = to_char(day.date, 'YYYY'))
ORDER BY member.id, day.date LIMIT %(limit)s
"""  # noqa: S608 - our own expressions
