"""Caps: how many coupons of a definition are issued, however many want one at once.

The only module that moves `issued_count`. A definition counts in its own row, which is held until
the claim commits; so claims of one definition take turns. One for a rush has buckets: rows among
which its cap is divided, and a claim takes any bucket that is free. That all is gone is said only
when no bucket has any left, so the last coupon is issued, and none after it.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import OperationalError, connection, transaction
from django.db.models import F, Q, Sum
from django.utils.translation import gettext_lazy as _

from campaigns.models import CapBucket, CouponDefinition
from shop.kernel.errors import DomainError

ARE_GONE = """
CASE WHEN total_limit IS NULL THEN false
     WHEN claim_buckets = 1 THEN campaigns_coupondefinition.issued_count >= total_limit
     ELSE NOT EXISTS (SELECT FROM campaigns_capbucket bucket
                      WHERE bucket.definition_id = campaigns_coupondefinition.id
                        AND bucket.issued_count < bucket.cap)
END
"""
"""For a query of definitions: whether all coupons are issued. It locks nothing; false says nothing
about later."""


TRIES = 50
"""A tenth of a second each; a claim that waits for us is through long before."""


class CapsBusy(DomainError):
    """Claims held the parts of the limit for seconds; try again."""

    code = "caps-busy"
    title = _("The limit cannot be changed in this moment. Try again.")


class CapBelowIssued(DomainError):
    """More have been issued already than the limit would allow."""

    code = "cap-below-issued"
    title = _("More coupons than that have been issued already.")


def take(definition: CouponDefinition) -> bool:
    """Count one more coupon; False when all are gone.

    The definition may be as it was read long ago: whether it has buckets by now is asked again
    before anybody is sent away.
    """
    buckets = definition.claim_buckets
    while True:
        is_taken = _take_from_bucket(definition.pk) if buckets > 1 else _take_undivided(definition)
        if is_taken:
            return True
        (now_buckets,) = CouponDefinition.objects.values_list("claim_buckets").get(pk=definition.pk)
        if (now_buckets > 1) == (buckets > 1):
            return False
        buckets = now_buckets


def take_many(definition: CouponDefinition, number: int) -> bool:
    """Count several coupons; False when fewer are left, and then the caller undoes the rest."""
    is_within = Q(total_limit__isnull=True) | Q(total_limit__gte=F("issued_count") + number)
    undivided = CouponDefinition.objects.filter(pk=definition.pk, claim_buckets=1)
    if undivided.filter(is_within).update(issued_count=F("issued_count") + number):
        return True
    return not undivided.exists() and all(take(definition) for _each in range(number))


def issued(definition: CouponDefinition) -> int:
    """Return how many coupons were issued, buckets included."""
    if definition.claim_buckets == 1:
        return definition.issued_count
    rows = CapBucket.objects.filter(definition=definition)
    return definition.issued_count + (rows.aggregate(sum=Sum("issued_count"))["sum"] or 0)


def lock(definition: CouponDefinition) -> int:
    """Return how many coupons were issued, and keep it so until the transaction ends.

    Raises:
        CapsBusy
    """
    row = CouponDefinition.objects.select_for_update(no_key=True).get(pk=definition.pk)
    return row.issued_count + sum(bucket.issued_count for bucket in _lock_buckets(row))


@transaction.atomic
def divide(definition: CouponDefinition) -> None:
    """Divide what is left of the cap among as many buckets as the definition says now.

    Call it in the transaction that changed the limit or the number of buckets. Claims that are
    under way are waited for, and those that come meanwhile wait.

    Raises:
        CapBelowIssued, CapsBusy
    """
    row = CouponDefinition.objects.select_for_update(no_key=True).get(pk=definition.pk)
    old = _lock_buckets(row)
    row.issued_count += sum(bucket.issued_count for bucket in old)
    if row.total_limit is not None and row.issued_count > row.total_limit:
        raise CapBelowIssued(coupon_definition=row.code, issued=row.issued_count)
    CapBucket.objects.filter(definition=row).delete()
    row.save(update_fields=["issued_count"])
    if row.claim_buckets > 1:
        left = None if row.total_limit is None else row.total_limit - row.issued_count
        shares = _shares(left, row.claim_buckets)
        CapBucket.objects.bulk_create(
            CapBucket(definition=row, number=number, cap=cap)
            for number, cap in enumerate(shares, start=1)
        )
    definition.issued_count = row.issued_count


def _lock_buckets(row: CouponDefinition) -> list[CapBucket]:
    """Return the locked buckets of a locked definition, all of them or none.

    A claim that found a bucket filled meanwhile keeps it locked while it waits for another one. If
    we have that, each waits for the other; so we let go of what we have and begin again.

    Raises:
        CapsBusy
    """
    buckets = CapBucket.objects.filter(definition=row).select_for_update().order_by("number")
    for _try in range(TRIES):
        try:
            with transaction.atomic():
                _run("SET LOCAL lock_timeout = '100ms'")
                found = list(buckets)
                _run("SET LOCAL lock_timeout TO DEFAULT")
                return found
        except OperationalError as error:
            if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise
    raise CapsBusy(coupon_definition=row.code)


def _shares(left: int | None, buckets: int) -> Sequence[int | None]:
    """Return the cap of each bucket; together exactly what is left.

    >>> _shares(10, 4)
    [3, 3, 2, 2]
    >>> _shares(None, 2)
    [None, None]
    """
    if left is None:
        return [None] * buckets
    share, rest = divmod(left, buckets)
    return [share + (number < rest) for number in range(buckets)]


def _take_undivided(definition: CouponDefinition) -> bool:
    return _updates_one(_TAKE_UNDIVIDED_SQL, {"definition": definition.pk})


def _take_from_bucket(definition_id: int) -> bool:
    """Take from a bucket that is free; else wait for one that may still have some.

    Each turn of the loop means that somebody has filled or divided a bucket meanwhile.
    """
    values = {"definition": definition_id}
    while True:
        if _updates_one(_TAKE_FREE_SQL, values) or _updates_one(_TAKE_WAITING_SQL, values):
            return True
        with connection.cursor() as cursor:
            cursor.execute(_HAS_ROOM_SQL, values)
            if cursor.fetchone() is None:
                return False


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _updates_one(sql: str, values: dict[str, Any]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return bool(cursor.rowcount == 1)


_TAKE_UNDIVIDED_SQL = """
UPDATE campaigns_coupondefinition SET issued_count = issued_count + 1
WHERE id = %(definition)s AND claim_buckets = 1
  AND (total_limit IS NULL OR issued_count < total_limit)
"""

_HAS_ROOM_SQL = """
SELECT id FROM campaigns_capbucket
WHERE definition_id = %(definition)s AND (cap IS NULL OR issued_count < cap)
ORDER BY random() LIMIT 1
"""

_TAKE_FREE_SQL = f"""
UPDATE campaigns_capbucket SET issued_count = issued_count + 1
WHERE id = ({_HAS_ROOM_SQL} FOR NO KEY UPDATE SKIP LOCKED)
"""  # noqa: S608 - a constant of ours

# The condition is asked again of the newest version of the row, once whoever had it has committed.
_TAKE_WAITING_SQL = f"""
UPDATE campaigns_capbucket SET issued_count = issued_count + 1
WHERE id = ({_HAS_ROOM_SQL}) AND (cap IS NULL OR issued_count < cap)
"""  # noqa: S608 - a constant of ours
