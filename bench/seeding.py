"""A chain with thousands of members, written set-based, and the calls that tills make on it."""

import itertools
import json
import random
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.db import connection, transaction

from bench.load import request
from campaigns import caps, links
from campaigns.models import Channel, CouponDefinition, Promotion
from shop import tills
from shop.kernel import crypto
from shop.models import Store, Till
from shop.storefront.demo import chain

STORES = 20
"""Tills at once work in stores of their own, as they mostly do: pickup numbers are per store."""
DEFINITIONS = 20
COUPONS_EACH = 20
"""Coupons per member. The first is only ever quoted; each of the others can be settled once.

The last is of the one definition that a crowd redeems.
"""
REDEEMED_BY_ALL = "BENCH_ALL"
CLAIMS = {"BENCH_CLAIM": 1, "BENCH_CLAIM_DIVIDED": 16}
"""Coupons that a crowd claims, with their buckets."""
SOLD_OUT = "BENCH_GONE"
LAST_ONES = "BENCH_LAST"
LAST = 50
"""Fewer than the crowd, so that they are gone however slow the machine is."""
PROMOTIONS = 50
MATCHING = 2
"""Active at once. Two give something to a basket of the bench; the others find it too small."""
POINTS = 100_000
POINTS_SPENT = 100
LINK = "BENCH7"
BASKET = {
    "order_type": "pickup",
    "lines": [
        {"product": "MT01", "options": {"size": "M", "temp": "ice_std", "sugar": "s70"}},
        {
            "product": "MT01",
            "quantity": 2,
            "options": {"size": "L", "temp": "ice_less", "sugar": "s50"},
            "toppings": {"pudding": 1},
        },
    ],
    "points": POINTS_SPENT,
}
"""Two lines, one coupon, some points: what the floor's payment does too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seeded:
    """What the calls need to know of the data."""

    members: int
    till_keys: list[str]


@transaction.atomic
def seed(*, members: int, now: datetime) -> Seeded:
    """Fill an empty database: the demo menu, more stores, and members with points and coupons."""
    chain.load(opened_on=(now - timedelta(days=365)).date())
    keys = [tills.issue_till_key(_till(number), now=now) for number in range(STORES)]
    links.create(channel=Channel.objects.get(code="flyer"), label="benchmark", now=now, code=LINK)
    for number in range(DEFINITIONS):
        _copy_definition(f"BENCH_{number}")
    _copy_definition(REDEEMED_BY_ALL)
    for code, buckets in CLAIMS.items():
        _copy_definition(code, is_claimable=True, total_limit=10_000_000, claim_buckets=buckets)
    _copy_definition(SOLD_OUT, is_claimable=True, total_limit=0)
    _copy_definition(LAST_ONES, is_claimable=True, total_limit=LAST)
    Promotion.objects.bulk_create(_promotion(number) for number in range(PROMOTIONS))
    store_id = Store.objects.values_list("id", flat=True).get(code="B00")
    with connection.cursor() as cursor:
        with cursor.copy(_COPY_MEMBERS) as copy:
            for number in range(members):
                copy.write_row(_member_row(number, store_id=store_id, now=now))
        values: dict[str, Any] = {
            "now": now,
            "points": POINTS,
            "expires_at": now + timedelta(days=365),
            "coupons": COUPONS_EACH,
            "definitions": DEFINITIONS,
            "redeemed_by_all": REDEEMED_BY_ALL,
        }
        for statement in _STATEMENTS:
            cursor.execute(statement, values)
    return Seeded(members=members, till_keys=keys)


def get_ready() -> None:
    """Do what would otherwise disturb a run: give the planner statistics, write everything back."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def quoted_total(tills: "Tills", *, port: int) -> int:
    """Ask the server what the basket costs with its coupon and points."""
    with socket.create_connection(("127.0.0.1", port)) as till, till.makefile("rb") as answer:
        till.sendall(next(tills.quotes(0)))
        status, length = int(answer.readline().split()[1]), 0
        while line := answer.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        quote = json.loads(answer.read(length))
    if status != HTTPStatus.OK or quote["refusals"] or quote["points_spent"] != POINTS_SPENT:
        raise AssertionError(f"the basket is not priced as intended: {quote}")
    return int(quote["total_cents"])


def phone(number: int) -> str:
    """Return the phone of the nth member."""
    return f"+86138{number:08d}"


def member_id(number: int) -> uuid.UUID:
    """Return the public id of the nth member."""
    return uuid.UUID(int=(4 << 76) + (2 << 62) + number)


def coupon_code(number: int, slot: int) -> str:
    """Return the code of the nth member's coupon in that slot."""
    return f"BENCH{number:08d}{slot:02d}"


class Tills:
    """The calls of many tills, as bytes ready to send. Every settlement is a new one."""

    def __init__(self, seeded: Seeded) -> None:
        self.seeded = seeded
        self.total_cents = 0
        self._random = random.Random(1)
        self._sales = self._endless_sales()
        self._contended = self._contended_sales()
        self._claimants = itertools.count()

    def quotes(self, till: int) -> Iterator[bytes]:
        """Yield quotes for random members with a coupon and points."""
        while True:
            number = self._random.randrange(self.seeded.members)
            body = self._basket(number, slot=1)
            yield request("POST", "/api/v1/quotes", headers=self._headers(till), body=body)

    def settlements(self, till: int) -> Iterator[bytes]:
        """Yield sales at the quoted total, each with a coupon that was never used."""
        yield from (self._sale(till, *sale) for sale in self._sales)

    def contended_settlements(self, till: int) -> Iterator[bytes]:
        """Yield the same with coupons that all count in one row."""
        yield from (self._sale(till, *sale) for sale in self._contended)

    def claims(self, code: str, till: int) -> Iterator[bytes]:
        """Yield claims of one coupon, the next member's with each."""
        for number in self._claimants:
            headers = f"{self._headers(till)}Idempotency-Key: bench-claim-{number}\r\n"
            body = json.dumps({"member": str(member_id(number % self.seeded.members))})
            path = f"/api/v1/coupon-definitions/{code}/claims"
            yield request("POST", path, headers=headers, body=body)

    def lookups(self, till: int) -> Iterator[bytes]:
        """Yield lookups of random members by phone."""
        while True:
            body = json.dumps({"phone": phone(self._random.randrange(self.seeded.members))})
            yield request("POST", "/api/v1/members/lookup", headers=self._headers(till), body=body)

    def clicks(self, _visitor: int) -> Iterator[bytes]:
        """Yield clicks on one link."""
        agent = "User-Agent: Mozilla/5.0 (iPhone) MicroMessenger/8.0.42\r\n"
        return itertools.repeat(request("GET", f"/t/{LINK}", headers=agent))

    def pings(self, _anyone: int) -> Iterator[bytes]:
        """Yield calls that only pass through the web server and Django."""
        return itertools.repeat(request("GET", "/healthz"))

    def _headers(self, till: int) -> str:
        return f"Authorization: Bearer {self.seeded.till_keys[till % STORES]}\r\n"

    def _sale(self, till: int, sale: str, number: int, slot: int) -> bytes:
        body = self._basket(
            number, slot, pos_order_no=f"bench-{sale}", expected_total_cents=self.total_cents
        )
        headers = f"{self._headers(till)}Idempotency-Key: bench-settle-{sale}\r\n"
        return request("POST", "/api/v1/pos/settle", headers=headers, body=body)

    def _basket(self, number: int, slot: int, **more: object) -> str:
        member = {"member": str(member_id(number)), "coupons": [coupon_code(number, slot)]}
        return json.dumps(BASKET | member | more)

    def _contended_sales(self) -> Iterator[tuple[str, int, int]]:
        for number in range(self.seeded.members):
            yield f"all-{number}", number, COUPONS_EACH
        raise RuntimeError("every coupon is used; seed more members")

    def _endless_sales(self) -> Iterator[tuple[str, int, int]]:
        """Yield (sale, member, slot) until every coupon for settling is used."""
        order = list(range(self.seeded.members))
        self._random.shuffle(order)
        slots = range(2, COUPONS_EACH)
        for sale, (slot, number) in enumerate(itertools.product(slots, order)):
            yield str(sale), number, slot
        raise RuntimeError("every coupon is used; seed more members")


def _till(number: int) -> Till:
    store = Store.objects.get(code="SH001")
    store.pk, store.code, store.pickup_prefix = None, f"B{number:02d}", "B"
    store._state.adding = True
    store.save()
    return Till.objects.create(store=store, code="bench")


def _copy_definition(code: str, **fields: Any) -> None:
    definition = CouponDefinition.objects.get(code="FULL25_5")
    definition.pk, definition.code = None, code
    definition.per_member_limit = COUPONS_EACH
    for name, value in fields.items():
        setattr(definition, name, value)
    definition._state.adding = True
    definition.save()
    caps.divide(definition)


def _promotion(number: int) -> Promotion:
    """Return a promotion of one of four kinds; the first two of all ask for nothing."""
    effects: list[dict[str, Any]] = [
        {"kind": "percent_off", "percent_bp": 500},
        {"kind": "nth_item_percent", "nth": 2, "percent_bp": 5000},
        {"kind": "fixed_off", "amount_cents": 500},
        {"kind": "buy_x_get_y", "buy_quantity": 2, "get_quantity": 1},
    ]
    conditions = {"min_spend_cents": 0 if number < MATCHING else 100_000 + number}
    return Promotion(
        code=f"BENCH-{number}",
        name_zh=f"促销 {number}",
        name_en=f"Promotion {number}",
        status=Promotion.Status.ACTIVE,
        rule={
            "version": 1,
            "effect": effects[number % len(effects)],
            "scope": {"categories": ["milk_tea"]},
            "conditions": conditions,
        },
    )


def _member_row(number: int, *, store_id: int, now: datetime) -> tuple[object, ...]:
    public_id, number_called = member_id(number), phone(number)
    return (
        public_id,
        "active",
        "",
        crypto.encrypt(number_called, context=f"member:{public_id}"),
        crypto.lookup_hash(number_called),
        number_called[-4:],
        store_id,
        now,
    )


_COPY_MEMBERS = """
COPY shop_member
     (public_id, status, name, phone_sealed, phone_hash, phone_last4, store_id, joined_at)
FROM STDIN
"""

_STATEMENTS = [
    """
    INSERT INTO kernel_outboxmessage
           (id, topic, key, payload, state, attempts, available_at, created_at, sent_at, last_error)
    SELECT gen_random_uuid(), 'member.joined', 'member:' || public_id,
           jsonb_build_object('member', public_id), 'sent', 1, joined_at, joined_at, joined_at, ''
    FROM shop_member
    """,
    """
    INSERT INTO loyalty_pointsaccount (member_id, wallet, balance, held)
    SELECT id, wallet, CASE wallet WHEN 'points' THEN %(points)s ELSE 0 END, 0
    FROM shop_member CROSS JOIN unnest(ARRAY['points', 'qualifying']) AS wallet
    """,
    """
    INSERT INTO loyalty_pointsentry
           (account_id, kind, points, balance_after, source, note, actor, occurred_at)
    SELECT id, 'adjust', balance, balance, 'bench:start', 'to start with', 'bench', %(now)s
    FROM loyalty_pointsaccount WHERE wallet = 'points'
    """,
    """
    INSERT INTO loyalty_pointslot (account_id, entry_id, points, remaining, expires_at)
    SELECT account_id, id, points, points, %(expires_at)s FROM loyalty_pointsentry
    """,
    """
    INSERT INTO loyalty_membership (member_id, tier_id, tier_since)
    SELECT member.id, tier.id, %(now)s FROM shop_member member, loyalty_tier tier
    WHERE tier.level = 1
    """,
    """
    INSERT INTO loyalty_tierchange (member_id, to_tier_id, source, occurred_at)
    SELECT member_id, tier_id, 'enrolment', tier_since FROM loyalty_membership
    """,
    """
    INSERT INTO campaigns_acquisition (member_id, channel_id, visitor_id, acquired_at)
    SELECT member.id, channel.id, '', %(now)s FROM shop_member member, campaigns_channel channel
    WHERE channel.code = 'organic'
    """,
    """
    INSERT INTO campaigns_conversion
           (kind, source, member_id, channel_id, amount_cents, occurred_at)
    SELECT 'registration', 'member:' || member_id, member_id, channel_id, 0, acquired_at
    FROM campaigns_acquisition
    """,
    """
    INSERT INTO campaigns_coupon
           (code, definition_id, member_id, slot, status, source, issued_at, expires_at)
    SELECT 'BENCH' || lpad(number::text, 8, '0') || lpad(slot::text, 2, '0'),
           definition.id, member.id, slot, 'available', 'bench', %(now)s, %(expires_at)s
    FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS number FROM shop_member) member
    CROSS JOIN generate_series(1, %(coupons)s) AS slot
    JOIN campaigns_coupondefinition definition
      ON definition.code = CASE slot WHEN %(coupons)s THEN %(redeemed_by_all)s
                           ELSE 'BENCH_' || (number %% %(definitions)s) END
    """,
    """
    UPDATE campaigns_coupondefinition definition SET issued_count = coupons.number
    FROM (SELECT definition_id, count(*) AS number FROM campaigns_coupon GROUP BY 1) coupons
    WHERE coupons.definition_id = definition.id
    """,
]
