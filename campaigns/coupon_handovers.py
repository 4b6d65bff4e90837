"""Handovers: all coupons of one membership become another's, when two are merged."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from campaigns import revocations
from campaigns.models import Coupon


@transaction.atomic(savepoint=False)
def hand_over(*, source_id: int, target_id: int, actor: str, now: datetime) -> int:
    """Move a member's coupons to another membership of theirs; return how many are usable there.

    They take the next slots, so that both limits count together from now on. A coupon that was
    given away stays with its giver; so does one that both got of the same issue, which nobody gets
    twice: it is revoked if it was not used.
    """
    theirs = Coupon.objects.filter(member_id=source_id).select_for_update(no_key=True)
    ids = [row.pk for row in theirs.order_by("pk")]
    values: dict[str, Any] = {"source": source_id, "target": target_id, "coupons": ids}
    with connection.cursor() as cursor:
        cursor.execute(_HAND_OVER_SQL, values)
        (usable,) = cursor.fetchone()
    revocations.mark(
        Coupon.objects.filter(pk__in=ids, member_id=source_id),
        reason="the same issue, after a merge",
        actor=actor,
        now=now,
    )
    return int(usable)


_HAND_OVER_SQL = """
WITH moving AS (
    SELECT coupon.id, COALESCE(theirs.last, 0)
               + row_number() OVER (PARTITION BY coupon.definition_id ORDER BY coupon.slot) AS slot
    FROM campaigns_coupon coupon
    LEFT JOIN LATERAL (
        SELECT max(slot) AS last FROM campaigns_coupon mine
        WHERE mine.member_id = %(target)s AND mine.definition_id = coupon.definition_id
    ) theirs ON true
    WHERE coupon.id = ANY(%(coupons)s) AND coupon.status <> 'transferred'
      AND NOT (coupon.source LIKE 'issue:%%' AND coupon.passed_on_from_id IS NULL AND EXISTS (
          SELECT FROM campaigns_coupon twin
          WHERE twin.member_id = %(target)s AND twin.source = coupon.source
            AND twin.passed_on_from_id IS NULL))
),
moved AS (
    UPDATE campaigns_coupon coupon SET member_id = %(target)s, slot = moving.slot
    FROM moving WHERE moving.id = coupon.id
    RETURNING coupon.status
)
SELECT count(*) FILTER (WHERE status = 'available') FROM moved
"""
