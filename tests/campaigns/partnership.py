"""Partners, deals and what comes of them, made through the product's own doors."""

import itertools
from datetime import date, datetime
from typing import Any

from campaigns import contents, deals, kol_visits, partners
from campaigns.models import (
    Channel,
    ChannelLink,
    Content,
    DealStatement,
    KolDeal,
    KolVisit,
    Partner,
    Topic,
)
from shop.kernel.money import Cents
from shop.models import Member, Order, Staff
from tests import make
from tests.make import Api

JUNE = date(2026, 6, 1)
_numbers = itertools.count(1)


def partner(kind: str = "kol", code: str = "") -> Partner:
    """Return a new partner."""
    code = code or f"partner{next(_numbers)}"
    return partners.create(code=code, kind=kind, name_zh=f"伙伴{code}", name_en=code)


def system_of(who: Partner, *, now: datetime = make.NOON) -> Api:
    """Return the API as the partner's own system sees it."""
    return Api(partners.issue_key(who, now=now))


def deal(
    who: Partner | None = None, *, is_active: bool = True, now: datetime = make.NOON, **fields: Any
) -> KolDeal:
    """Return an active deal of June: ¥500 once, and 8 % of what its links and coupons sell."""
    terms: dict[str, Any] = {
        "label": f"deal {next(_numbers)}",
        "channel": Channel.objects.get(code="kol"),
        "campaign": None,
        "fee_cents": Cents(50_000),
        "fee_terms": "once",
        "commission": 800,
        "starts_on": JUNE,
        "last_on": date(2026, 8, 31),
    }
    made = deals.create(who or partner(), deals.Terms(**terms | fields))
    return deals.step(made.pk, to="active", now=now) if is_active else made


def brought(link: ChannelLink, *, now: datetime = make.NOON) -> Member:
    """Return a new member whom a link brought."""
    visitor = f"visitor-{next(_numbers)}"
    make.touch(link, visitor, now=now)
    return make.member(visitor_id=visitor, now=now)


def sold(link: ChannelLink, *, cups: int = 1, now: datetime = make.NOON) -> Order:
    """Return an order of so many cups (¥12.00 each) that has the credit of a link."""
    basket = make.basket(who=brought(link, now=now), lines=[make.line(quantity=cups)])
    return make.paid(what=basket, total=1200 * cups, now=now).order


def visit(of: KolDeal, *, on: date, at: str = "SH001", limit: int | None = None) -> KolVisit:
    """Return a planned visit to a store."""
    limit_cents = None if limit is None else Cents(limit)
    return kol_visits.plan(of, store=make.store(at), visit_date=on, limit_cents=limit_cents)


def content() -> Content:
    """Return a video under a topic that was looked at once."""
    topic = Topic.objects.filter(code="tea").first()
    topic = topic or contents.create_topic(code="tea", name_zh="茶", name_en="Tea")
    made = contents.create(
        kind="short_video",
        title=f"video {next(_numbers)}",
        platform="douyin",
        published_at=make.NOON,
        topics=[topic],
    )
    contents.record(made, contents.Counts(views=5), taken_at=make.NOON)
    return made


def statement(of: KolDeal, month: date = JUNE) -> DealStatement:
    """Return the statement of a month as it stands in the database."""
    return DealStatement.objects.get(deal=of, month=month)


def key_of(person: Staff) -> str:
    """Return the name under which what this person does is recorded."""
    return f"staff:{person.pk}"
