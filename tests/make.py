"""Test data as plain typed functions; each makes one thing through the product's own doors."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.utils import timezone

from campaigns import (
    ad_accounts,
    batches,
    coupons,
    links,
    referrals,
    touches,
    verifications,
    vouchers,
)
from campaigns.ad_platforms.providers import SANDBOX_TOKEN
from campaigns.group_buying import Certificate, Prepared, Receipt
from campaigns.models import (
    AdAccount,
    Campaign,
    CampaignPhase,
    Channel,
    ChannelLink,
    CodeBatch,
    Coupon,
    CouponDefinition,
    Promotion,
    Voucher,
)
from campaigns.pricing import offer_rule_to_json, parse_rule
from campaigns.touch_quality import TouchEvent
from loyalty import gift_cards, money, pay_codes, points, stored_value
from loyalty.models import EarningRule, GiftCard, LoyaltyProgramme, StoredValuePlan
from loyalty.stored_value import Desk
from shop import consents, members, tills
from shop.catalog import Choice
from shop.kernel import jobs
from shop.kernel.money import Cents, Points
from shop.models import Member, Order, Staff, Store, Till
from shop.orders import Tender
from shop.storefront import checkout, registration
from shop.storefront.baskets import Basket, BasketLine
from shop.storefront.checkout import Receipt as OrderReceipt
from shop.storefront.registration import Application

OPENING_DAY = date(2026, 5, 18)
NOON = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
"""12:00 on a Thursday in Shanghai."""
BOGO_DEAL = "7260000000000000001"
"""The demo's deal of Douyin: buy one milk tea, get one."""
MILK_TEA = {"size": "M", "temp": "ice_std", "sugar": "s70"}
"""How MT01 (¥12.00 at SH001) is ordered when it does not matter how."""

_numbers = itertools.count(1)


def store(code: str = "SH001") -> Store:
    """Return a store of the demo chain."""
    return Store.objects.get(code=code)


def phone() -> str:
    """Return a phone number that no other member has."""
    return f"+86138{next(_numbers):08d}"


def member(*, at: str = "SH001", now: datetime = NOON, **fields: Any) -> Member:
    """Return a new member."""
    application = Application(phone=fields.pop("phone", None) or phone(), store=store(at), **fields)
    return registration.join(application, now=now)


@transaction.atomic
def give_points(
    who: Member, amount: int, *, now: datetime = NOON, until: datetime | None = None
) -> None:
    """Put points into a member's wallet by adjustment."""
    account = points.lock_accounts([who.pk]).points(who.pk)
    points.adjust(
        account,
        points=Points(amount),
        source=f"test:{next(_numbers)}",
        reason="test",
        actor="test",
        now=now,
        expires_at=until,
    )


def stored_value_on(**fields: Any) -> None:
    """Switch wallets and gift cards on, with these settings."""
    LoyaltyProgramme.objects.update_or_create(
        pk=1, defaults={"has_stored_value": True, "has_gift_cards": True, **fields}
    )


def topped_up(
    who: Member, amount: int, *, gift: int = 0, days: int | None = None, now: datetime = NOON
) -> Member:
    """Return a member who has paid so much into their wallet in cash, and got a gift on top."""
    plan = None
    if gift:
        plan, _is_new = StoredValuePlan.objects.get_or_create(
            code=f"pay{amount}get{gift}",
            defaults={
                "name_zh": "充值有礼",
                "name_en": "Top up, get more",
                "pay_cents": amount,
                "gift_cents": gift,
                "gift_valid_days": days,
            },
        )
    stored_value.top_up(
        who,
        amount_cents=Cents(amount),
        plan=plan,
        tenders=[Tender(method="cash", amount_cents=Cents(amount))],
        desk=Desk(store=who.store, till_id=None, actor="test"),
        now=now,
    )
    return who


def pay_code(who: Member, *, now: datetime = NOON) -> str:
    """Return the code on a member's phone that lets a till take money from the wallet."""
    return pay_codes.renew(who, now=now)[0]


@transaction.atomic
def gifted(who: Member, amount: int, *, now: datetime = NOON) -> None:
    """Put a gift of stored value into a member's wallet, without principal."""
    money.post(
        money.open_gift(who, expires_at=None),
        kind="gift",
        cents=amount,
        source=f"test:{next(_numbers)}",
        store_id=who.store_id,
        now=now,
    )


def gift_card(amount: int, *, at: str = "SH001", now: datetime = NOON) -> tuple[GiftCard, str]:
    """Return a gift card that was sold for cash, and its code."""
    return gift_cards.sell(
        face_value_cents=Cents(amount),
        tenders=[Tender(method="cash", amount_cents=Cents(amount))],
        desk=Desk(store=store(at), till_id=None, actor="test"),
        now=now,
    )


def line(product: str = "MT01", quantity: int = 1, **options: str) -> BasketLine:
    """Return a basket line; MT01's options unless others are given."""
    return BasketLine(
        product=product,
        quantity=quantity,
        choice=Choice(options=options or MILK_TEA, toppings={}),
    )


def basket(
    *,
    who: Member | None = None,
    lines: Sequence[BasketLine] = (),
    at: str = "SH001",
    **fields: Any,
) -> Basket:
    """Return a basket of one MT01 unless other lines are given."""
    return Basket(
        store=store(at),
        till_id=None,
        member=who.public_id if who else None,
        order_type="pickup",
        lines=lines or [line()],
        **fields,
    )


def placed(
    *,
    total: int = 1200,
    now: datetime = NOON,
    what: Basket | None = None,
    who: Member | None = None,
) -> Order:
    """Return an order that waits for payment."""
    return checkout.place_order(what or basket(who=who), expected_total_cents=Cents(total), now=now)


def paid(
    *,
    total: int = 1200,
    now: datetime = NOON,
    what: Basket | None = None,
    who: Member | None = None,
) -> OrderReceipt:
    """Return the receipt of an order settled in cash, but for what vouchers pay."""
    return checkout.settle_order(
        what or basket(who=who),
        tenders=None,
        expected_total_cents=Cents(total),
        pos_order_no=f"T{next(_numbers)}",
        actor="test",
        now=now,
    )


def pay(order: Order, *, now: datetime = NOON) -> Order:
    """Return a placed order, paid in cash."""
    tenders = [Tender(method="cash", amount_cents=Cents(order.payable_cents))]
    return checkout.pay_order(number=order.number, tenders=tenders, actor="test", now=now).order


def definition(code: str = "FULL25_5", **fields: Any) -> CouponDefinition:
    """Return a coupon definition of the demo, with these fields changed."""
    CouponDefinition.objects.filter(code=code).update(**fields)
    return CouponDefinition.objects.get(code=code)


def promotion(effect: dict[str, Any], *, code: str = "PROMO", **fields: Any) -> Promotion:
    """Return an active promotion with this effect; `conditions` and `scope` go into its rule."""
    rule: dict[str, Any] = {"version": 1, "effect": effect}
    for part in ("conditions", "scope", "limits", "stacking", "priority"):
        if part in fields:
            rule[part] = fields.pop(part)
    return Promotion.objects.create(
        **{"code": code, "name_zh": "自动优惠", "name_en": "Promotion", "status": "active"}
        | fields,
        rule=offer_rule_to_json(parse_rule(rule)),
    )


def earning_rule(code: str = "RULE", **fields: Any) -> EarningRule:
    """Return an active earning rule."""
    names = {"name_zh": "积分规则", "name_en": "Earning rule"}
    return EarningRule.objects.create(code=code, **names | fields)


def coupon(who: Member, code: str = "FULL25_5", *, now: datetime = NOON) -> Coupon:
    """Return a coupon in a member's wallet."""
    return coupons.issue(definition(code), member_id=who.pk, source="test", now=now)


def batch(code: str = "FULL25_5", *, now: datetime = NOON, **fields: Any) -> CodeBatch:
    """Return a batch of codes with all its codes made; ten papers unless fields say otherwise."""
    what = {"kind": "each", "label": f"batch {next(_numbers)}", "requested_by": "test"} | fields
    if what["kind"] == "each":
        what.setdefault("quantity", 10)
    return made(batches.create(definition(code), **what, now=now), now=now)


def made(of: CodeBatch, *, now: datetime = NOON) -> CodeBatch:
    """Return a batch whose codes are all there."""
    job = batches.job_of(of)
    if job is not None:
        jobs.run(job.pk, now=now)
    of.refresh_from_db()
    return of


def papers(of: CodeBatch) -> list[str]:
    """Return the codes of a batch in the order of their numbers."""
    return list(of.codes.order_by("number").values_list("code", flat=True))


def looked_at(
    *, at: str = "SH001", deal: str = BOGO_DEAL, price: int = 1200, now: datetime = NOON
) -> Voucher:
    """Return a Douyin voucher that a till has looked at, without asking anybody."""
    machine = Till.objects.create(store=store(at), code=f"t{next(_numbers)}")
    certificate = Certificate(
        ref=f"ref-{next(_numbers)}",
        identity=f"certificate-{next(_numbers)}",
        deal=deal,
        title="珍珠奶茶买一送一",
        price_cents=Cents(price),
        guest_cents=Cents(price),
        platform_cents=Cents(0),
        shop_cents=Cents(0),
        expires_at=None,
    )
    prepared = Prepared(token=f"token-{next(_numbers)}", certificates=[certificate])
    (row,) = vouchers.keep(
        prepared, platform="douyin", store=machine.store, till_id=machine.pk, now=now
    )
    return row


def voucher(*, at: str = "SH001", price: int = 1200, now: datetime = NOON) -> Voucher:
    """Return a verified Douyin voucher, buy one get one, without asking anybody."""
    row = looked_at(at=at, price=price, now=now)
    key = f"claim-{next(_numbers)}"
    verifications.claim(
        [row.public_id], store_id=row.store_id, till_id=row.till_id, claim_key=key, now=now
    )
    number = str(next(_numbers))
    receipt = Receipt(verify_id=f"v-{number}", certificate_id=f"c-{number}")
    verifications.record_verification({row.pk: receipt}, now=now)
    return Voucher.objects.get(pk=row.pk)


def link(
    channel: str = "flyer", *, at: str | None = "SH001", phase: CampaignPhase | None = None
) -> ChannelLink:
    """Return a new link of a channel, of no store when `at` is None."""
    return links.create(
        campaign=phase.campaign if phase else None,
        phase=phase,
        channel=Channel.objects.get(code=channel),
        label=f"{channel} {next(_numbers)}",
        store=store(at) if at else None,
        now=NOON,
    )


def phase(
    kind: str = "flash72", *, starts_at: datetime | None = None, **columns: Any
) -> CampaignPhase:
    """Return a phase of the running campaign cup618, of 72 hours unless it says otherwise."""
    starts_at = starts_at or datetime(2026, 5, 18, 2, tzinfo=UTC)
    whole, _is_new = Campaign.objects.get_or_create(
        code="cup618",
        defaults={
            "name_zh": "618 大促",
            "name_en": "618",
            "status": "active",
            "starts_at": starts_at - timedelta(days=60),
        },
    )
    ends_at = columns.pop("ends_at", starts_at + timedelta(hours=72))
    return CampaignPhase.objects.create(
        campaign=whole, kind=kind, starts_at=starts_at, ends_at=ends_at, **columns
    )


def touch(where: ChannelLink, visitor: str, *, kind: str = "scan", now: datetime = NOON) -> None:
    """Have a visitor meet a link."""
    event = TouchEvent(
        event_id=uuid4(), kind=kind, link_id=where.pk, visitor_id=visitor, occurred_at=now
    )
    touches.ingest([event])


def ad_account(platform: str = "tencent", **fields: Any) -> AdAccount:
    """Return a new account at an ad platform, whose keys the sandbox knows."""
    number = next(_numbers)
    account = AdAccount(
        **{
            "code": f"{platform}-{number}",
            "platform": platform,
            "name": f"{platform} {number}",
            "external_id": str(number),
            "action_set_id": "2002",
            "created_at": NOON,
        }
        | fields
    )
    ad_accounts.give_keys(account, token=SANDBOX_TOKEN)
    return account


def agreed(who: Member, purpose: str = "ad_measurement", *, is_given: bool = True) -> Member:
    """Let a member agree to a purpose, or take it back."""
    consents.record(
        who.pk, purpose=purpose, is_given=is_given, version="1", source="test", now=NOON
    )
    return who


class Api:
    """An API client that holds one bearer key and speaks JSON."""

    def __init__(self, key: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def get(self, path: str, **query: Any) -> Any:
        """Return the response of a GET."""
        return self.client.get(f"/api/v1{path}", query, headers=self.headers)

    def post(
        self,
        path: str,
        body: Any = None,
        *,
        key: str | None = "",
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the response of a POST with a fresh Idempotency-Key (none when `key` is None)."""
        headers = {**self.headers, **(headers or {})}
        if key is not None:
            headers["Idempotency-Key"] = key or f"test-key-{next(_numbers)}"
        return self.client.post(
            f"/api/v1{path}", body, content_type="application/json", headers=headers
        )

    def put(self, path: str, body: Any) -> Any:
        """Return the response of a PUT."""
        return self.client.put(
            f"/api/v1{path}", body, content_type="application/json", headers=self.headers
        )


def till(at: str = "SH001", *, scopes: list[str] | None = None) -> Api:
    """Return the API as a till of that store sees it."""
    machine = Till.objects.create(store=store(at), code=f"t{next(_numbers)}")
    return Api(tills.issue_till_key(machine, now=timezone.now(), scopes=scopes))


def phone_of(who: Member) -> Api:
    """Return the API as this member's mini-program sees it."""
    return Api(members.start_session(who, now=timezone.now()))


def report_reader(*stores: str) -> Api:
    """Return the API as an analyst of these stores (none named: all) sees it."""
    chosen = [store(code) for code in stores] or None
    return Api(
        tills.issue_report_key(f"report {next(_numbers)}", stores=chosen, now=timezone.now())
    )


def referred(by: Member, *, now: datetime = NOON) -> Member:
    """Return a new member whom another one brought."""
    return member(referral_code=referral_code(by, now=now), now=now)


def referral_code(of: Member, *, now: datetime = NOON) -> str:
    """Return the code by which a member brings friends."""
    return referrals.code_of(of, now=now).code


def staff_member(*stores: str, group: str = "Store manager", password: str = "") -> Staff:
    """Return a person of the staff of these stores (none named: of all)."""
    person = Staff.objects.create_user(
        f"staff{next(_numbers)}", password=password or None, is_staff=True
    )
    person.groups.add(Group.objects.get(name=group))
    person.covers_all_stores = not stores
    person.save(update_fields=["covers_all_stores"])
    person.stores.set([store(code) for code in stores])
    return person


def staff(*stores: str, group: str = "Store manager") -> Api:
    """Return the API as a person of the staff of these stores (none named: all) sees it."""
    return session_of(staff_member(*stores, group=group))


def session_of(person: Staff) -> Api:
    """Return the API as this person of the staff sees it."""
    api = Api()
    api.client.force_login(person)
    return api
