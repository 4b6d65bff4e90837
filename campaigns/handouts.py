"""Handouts: one coupon to each of many members, by one statement for a slice of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from campaigns import caps, periods
from campaigns.coupons import CODE_LENGTH, CouponExhausted
from campaigns.models import CouponDefinition
from shop.kernel import identifiers


@transaction.atomic
def issue(
    definition: CouponDefinition, *, member_ids: Sequence[int], source: str, now: datetime
) -> int:
    """Give each of these members one coupon, as far as the limits allow; return how many got one.

    A member who has one of this source, or as many as one may have, is left out: asking again is
    harmless. Members are served in the order given; when coupons run out the last get none.

    Raises:
        CouponExhausted: there was none left for anybody.
    """
    most = len(member_ids)
    while True:
        issued = 0
        try:
            with transaction.atomic():
                issued = _insert_coupons(definition, member_ids, most=most, source=source, now=now)
                if issued and not caps.take_many(definition, issued):
                    raise CouponExhausted(coupon_definition=definition.code)
                return issued
        except CouponExhausted:
            # Others were faster, or there are fewer than members: again with what is left.
            definition.refresh_from_db(fields=["total_limit", "issued_count", "claim_buckets"])
            left = (definition.total_limit or 0) - caps.issued(definition)
            most = min(left, issued)
            if most <= 0:
                raise


def _insert_coupons(
    definition: CouponDefinition,
    member_ids: Sequence[int],
    *,
    most: int,
    source: str,
    now: datetime,
) -> int:
    """Insert one coupon per member who may have another, so many at `most`.

    A slot that was lost to a claim is tried anew.
    """
    inserted = 0
    starts_at = periods.start_of(definition, issued_at=now)
    for _attempt in range(3):
        values: dict[str, Any] = {
            "definition": definition.pk,
            "members": list(member_ids),
            "source": source,
            "limit": definition.per_member_limit,
            "most": most - inserted,
            "now": now,
            "starts_at": starts_at,
        }
        with connection.cursor() as cursor:
            cursor.execute(_NEXT_SLOTS_SQL, values)
            found = cursor.fetchall()
            values["members"] = [member_id for member_id, _slot, _timezone in found]
            values["slots"] = [slot for _member_id, slot, _timezone in found]
            values["codes"] = [identifiers.new_code(CODE_LENGTH) for _row in found]
            values["ends"] = [
                periods.end_of(definition, issued_at=now, timezone=timezone)
                for _member_id, _slot, timezone in found
            ]
            cursor.execute(_INSERT_SQL, values)
            inserted += cursor.rowcount
            if cursor.rowcount == len(found):
                break
    return inserted


_INSERT_SQL = """
INSERT INTO campaigns_coupon
       (code, definition_id, member_id, slot, status, source, issued_at, starts_at, expires_at)
SELECT code, %(definition)s, member_id, slot, 'available', %(source)s, %(now)s, %(starts_at)s, ends
FROM unnest(%(codes)s::text[], %(members)s::bigint[], %(slots)s::int[], %(ends)s::timestamptz[])
     AS given (code, member_id, slot, ends)
ON CONFLICT DO NOTHING
"""
_NEXT_SLOTS_SQL = """
SELECT member.id, COALESCE(mine.last, 0) + 1, store.timezone
FROM unnest(%(members)s::bigint[]) WITH ORDINALITY AS asked (id, place)
JOIN shop_member member ON member.id = asked.id
JOIN shop_store store ON store.id = member.store_id
LEFT JOIN LATERAL (
    SELECT max(slot) AS last, bool_or(source = %(source)s) AS has_it
    FROM campaigns_coupon
    WHERE definition_id = %(definition)s AND member_id = member.id
) mine ON true
WHERE COALESCE(mine.last, 0) < %(limit)s AND NOT COALESCE(mine.has_it, false)
ORDER BY asked.place
LIMIT %(most)s
"""
