"""Handouts: one coupon to each of many members, by one statement for a slice of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from campaigns import batches, caps, periods
from campaigns.coupons import CODE_LENGTH, CouponExhausted
from campaigns.models import CouponDefinition
from shop.models import Store


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

    In the order of the members, so that two issues at once wait for each other in one direction
    only. A slot that was lost to a claim is tried anew.
    """
    inserted = 0
    ends = {
        timezone: periods.end_of(definition, issued_at=now, timezone=timezone)
        for timezone in Store.objects.values_list("timezone", flat=True).distinct()
    }
    values: dict[str, Any] = {
        "definition": definition.pk,
        "members": list(member_ids),
        "source": source,
        "limit": definition.per_member_limit,
        "now": now,
        "starts_at": periods.start_of(definition, issued_at=now),
        "timezones": list(ends),
        "ends": list(ends.values()),
    }
    for _attempt in range(3):
        left = most - inserted
        codes = batches.new_codes(left, length=CODE_LENGTH + 1)
        with connection.cursor() as cursor:
            cursor.execute(_INSERT_SQL, values | {"most": left, "codes": codes})
            entitled, given = cursor.fetchone()
        inserted += given
        if given == entitled:
            break
    return inserted


_INSERT_SQL = """
WITH entitled AS MATERIALIZED (
    SELECT member.id, COALESCE(mine.last, 0) + 1 AS slot, store.timezone,
           row_number() OVER (ORDER BY asked.place) AS nth
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
), given AS (
    INSERT INTO campaigns_coupon (code, definition_id, member_id, slot, status, source, issued_at,
                                  starts_at, expires_at)
    SELECT new.code, %(definition)s, entitled.id, entitled.slot, 'available', %(source)s, %(now)s,
           %(starts_at)s, ends.at
    FROM entitled
    JOIN unnest(%(codes)s::text[]) WITH ORDINALITY AS new (code, nth) USING (nth)
    JOIN unnest(%(timezones)s::text[], %(ends)s::timestamptz[]) AS ends (timezone, at)
      USING (timezone)
    ORDER BY entitled.nth
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT (SELECT count(*) FROM entitled), (SELECT count(*) FROM given)
"""
