"""Who came again, of 2,357 customers of a record shop, against others' counts.

The data are CDNOW's of 1997 and 1998 (Fader and Hardie); several purchases of a day are one.
"""

import csv
from collections import defaultdict
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.db import connection, transaction

from shop.storefront.reports import economics, loop
from shop.storefront.reports.scopes import Scope
from shop.storefront.rollups import upkeep
from tests import make

ANALYTICS = Path(__file__).parents[3] / "shared" / "oracles" / "analytics"
TRANSACTIONS = ANALYTICS / "cdnow_sample_transactions.csv"
# customer_base.json, repurchase_cdnow_sample; cdnow_cohort_retention_monthly.csv, sizes
CUSTOMERS, WITHIN_7, WITHIN_30, CENTS = 2357, 145, 410, 24_409_194
COHORTS = {date(1997, 1, 1): 781, date(1997, 2, 1): 857, date(1997, 3, 1): 719}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.skipif(not TRANSACTIONS.exists(), reason="the data set is not ours to ship"),
]


def purchases() -> dict[tuple[int, date], int]:
    """Return cents by customer and day."""
    days: dict[tuple[int, date], int] = defaultdict(int)
    with TRANSACTIONS.open(newline="") as file:
        for row in csv.DictReader(file):
            day = datetime.strptime(row["date"], "%Y-%m-%d").replace(tzinfo=UTC).date()
            days[int(row["customer_id"]), day] += round(float(row["amount"]) * 100)
    return days


@pytest.fixture
def record_shop() -> None:
    """The customers as members who joined on the day of their first order."""
    bought = sorted(purchases().items())
    values = {
        "store": make.store().pk,
        "customers": [customer for (customer, _day), _cents in bought],
        "days": [day for (_customer, day), _cents in bought],
        "cents": [cents for _key, cents in bought],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in _STATEMENTS:
            cursor.execute(statement, values)
        cursor.execute("SET LOCAL session_replication_role = origin")
    upkeep.refresh()


def scope(**fields: str) -> Scope:
    return Scope(
        stores=[make.store()],
        since=date(1997, 1, 1),
        until=date(1997, 4, 1),
        now=datetime(1998, 8, 1, tzinfo=UTC),
        **fields,
    )


@pytest.mark.usefixtures("record_shop")
def test_customers_come_again_as_counted_by_others() -> None:
    total = loop.build(scope())[0]
    by_month = {row.starts_on: row for row in economics.build(scope(every="month"))[1:]}

    assert (total.first_order, total.revenue_cents) == (CUSTOMERS, CENTS)
    assert (total.repeat_7, total.repeat_30) == pytest.approx(
        (WITHIN_7 / CUSTOMERS, WITHIN_30 / CUSTOMERS), abs=0.00005
    )
    assert total.second_order == WITHIN_30
    assert {day: row.joined for day, row in by_month.items() if row.joined} == COHORTS


_STATEMENTS = [
    """
    CREATE TEMP TABLE bought ON COMMIT DROP AS
    SELECT 1000000 + customer AS member_id, day, cents,
           (day + time '12:00') AT TIME ZONE 'Asia/Shanghai' AS paid_at
    FROM unnest(%(customers)s::int[], %(days)s::date[], %(cents)s::int[])
         AS bought (customer, day, cents)
    """,
    """
    INSERT INTO shop_member
           (id, public_id, status, name, phone_sealed, phone_hash, phone_last4, store_id, joined_at)
    SELECT member_id, gen_random_uuid(), 'active', '', ''::bytea,
           decode(lpad(to_hex(member_id), 64, '0'), 'hex'), '0000', %(store)s, min(paid_at)
    FROM bought GROUP BY member_id
    """,
    """
    INSERT INTO campaigns_acquisition (member_id, channel_id, visitor_id, acquired_at)
    SELECT member.id, channel.id, '', member.joined_at
    FROM shop_member member JOIN campaigns_channel channel ON channel.code = 'organic'
    WHERE member.id > 1000000
    """,
    """
    INSERT INTO shop_order
           (number, store_id, member_id, order_type, status, subtotal_cents, discount_cents,
            payable_cents, paid_cents, refunded_cents, earning_cents, points_spent, coupon_codes,
            reward_code, boost_points, coupon_gifts, pricing_trace, business_date, placed_at,
            paid_at)
    SELECT 'CD' || row_number() OVER (ORDER BY member_id, day), %(store)s, member_id, 'pickup',
           'completed', cents, 0, cents, cents, 0, 0, 0, '{}', '', 0, '{}', '{}', day, paid_at,
           paid_at
    FROM bought
    """,
    """
    INSERT INTO storefront_rollupmark (member_id)
    SELECT id FROM shop_member WHERE id > 1000000
    """,
]
