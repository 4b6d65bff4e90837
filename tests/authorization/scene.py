"""A shop with one of everything that belongs to somebody, and everybody who might ask for it.

What there is belongs to store SH001 and to the member A; each caller either may have to do with
that, or not.
"""

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from campaigns import (
    batches,
    click_reports,
    cobrands,
    costs,
    links,
    partner_credentials,
    phases,
    reservations,
    statements,
    swaps,
    transfers,
)
from campaigns.group_buying import signatures
from campaigns.group_buying.providers import SANDBOX_SECRET
from campaigns.models import (
    AdUpload,
    Campaign,
    CampaignPhase,
    Channel,
    ChannelLink,
    KolDeal,
    Partner,
    Promotion,
    Voucher,
)
from loyalty import adjustments, expiry, pins, plan_orders, plans, points, rewards
from loyalty.models import MembershipPlan, PlanPurchase, Reward
from shop import accounts, alerts, external_ids, members, payments, tills
from shop.kernel import jobs
from shop.kernel.money import Cents, Points
from shop.models import Alert, Member, MemberSession, Staff, Till, TillKey
from shop.storefront import replays, voucher_desk
from shop.storefront.voucher_desk import Desk
from tests import make, platforms
from tests.campaigns import partnership
from tests.make import Api

A_YEAR = timedelta(days=365)
LINE = {"product": "MT01", "options": make.MILK_TEA}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The things asked for, by the name of the path parameter, and the callers by name."""

    member: str
    phone: str
    code: str
    codes: Mapping[str, str]
    leaver: str
    frozen: str
    heir: str
    adjustment: str
    unpaid: str
    paid: str
    period: str
    plan_order: str
    """A paid membership of A."""
    pinned: str
    """A member of SH001 whose tier staff have pinned."""
    pay_code: str
    """What their phone shows, so that a till may take money from their wallet."""
    redemption: str
    receipt: str
    goods: str
    handed_out: str
    coupon: str
    card: str
    """The code of a gift card."""
    gift: str
    offered: str
    token: str
    link: str
    campaign: str
    phase: str
    batch: str
    paper: str
    job: str
    replay: str
    alert: str
    voucher_code: str
    voucher: str
    verified_voucher: str
    partner: str
    deal: str
    """A deal of the partner: June is approved, July is drafted by somebody else."""
    draft_deal: str
    visit: str
    swap: str
    content: str
    callers: Mapping[str, Api]


def _let_points_expire(who: Member, *, now: datetime) -> None:
    """Give points of which some have just expired and the others will: more than is ever held."""
    account = points.lock_accounts([who.pk]).points(who.pk)
    for source, until in (("t:1", now - timedelta(hours=1)), ("t:2", now + timedelta(days=9))):
        points.earn(account, points=Points(3000), source=source, now=now, expires_at=until)
    expiry.expire_accounts([account.pk], now=now)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How an operation is called: what fills its path, its query, its body."""

    path: Callable[[Scene], dict[str, str]] = lambda scene: {}
    query: dict[str, str] = field(default_factory=dict)
    body: Callable[[Scene, str], Any] = lambda scene, caller: None
    headers: Callable[[bytes], dict[str, str]] = lambda raw: {}
    """Made from the body as it is sent."""
    marker: Callable[[Scene], str] | None = None
    """What an answer contains only if it shows something of SH001 or of A."""


def build() -> Scene:
    """Make the shop and its callers."""
    now = timezone.now()
    here = make.store("SH001")
    joined = make.NOON + timedelta(minutes=7)
    one = make.member(at="SH001", phone="+8613800138000", now=joined)
    other, pinned = make.member(at="SH002"), make.member(at="SH001")
    pins.pin(
        pinned.pk,
        tier_code="T3",
        until=now + timedelta(days=30),
        reason="partner",
        actor="test",
        now=now,
    )
    make.give_points(one, 5000)
    make.give_points(other, 1000)
    _let_points_expire(one, now=now)
    make.stored_value_on()
    make.gifted(one, 7300, now=now)  # with principal nobody's membership could end
    make.topped_up(pinned, 7300, now=now)
    coupon = make.coupon(one, now=now)
    make.definition("WINBACK_6", is_transferable=True, per_member_limit=9)
    planned = make.promotion(
        {"kind": "fixed_off", "amount_cents": 1},
        code="PLANNED",
        status="draft",
        conditions={"stores": ["SH001"]},
    )
    gift, offered = (make.coupon(one, "WINBACK_6", now=now) for _each in range(2))
    transfers.offer(offered.code, member_id=one.pk, now=now)
    friend = make.member()
    friends = make.coupon(friend, "WINBACK_6", now=now)
    offer = transfers.offer(friends.code, member_id=friend.pk, now=now)
    campaign = Campaign.objects.create(
        code="opening",
        name_zh="开业",
        name_en="Opening",
        status=Campaign.Status.ACTIVE,
        starts_at=now - timedelta(days=1),
    )
    campaign.stores.set([here])
    phase = CampaignPhase.objects.create(
        campaign=campaign,
        kind=CampaignPhase.Kind.PREHEAT,
        starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=1),
    )
    phases.advance(now=now)
    reservations.reserve(campaign, member_id=one.pk, now=now)
    link = links.create(
        channel=Channel.objects.get(code="flyer"),
        label="Metro",
        store=here,
        now=now,
        code="METRO01",
    )
    costs.upsert(
        [costs.CostRow(link=link.code, date=now.date(), cost_cents=Cents(12000))],
        links={link.code: link},
    )
    make.touch(link, "passer-by", kind="visit", now=now)
    _advertise(link, make.agreed(one), now=now)
    manager = make.staff_member("SH001")
    batch = make.batch(quantity=3, now=now)
    codes = [_sold_voucher() for _each in range(3)]
    looked_at, verified = (_looked_at(code) for code in codes[:2])
    voucher_desk.verify([verified.public_id], desk=_desk(verified), claim_key="scene", now=now)
    partner, deal = _partner_with_deal(now=now)
    login_codes = {
        "member": members.new_login_code(phone=one.phone, now=now),
        "other_member": members.new_login_code(phone=other.phone, now=now),
    }
    leaver, frozen = make.member(at="SH001"), make.member(at="SH001")
    accounts.freeze(frozen, reason="lost phone", actor="test", now=now)
    adjustment = adjustments.request(
        leaver,
        amount=Points(9999),
        reason="compensation",
        by=manager,
        source="scene",
        now=now,
        expires_at=None,
    )
    external_ids.bind(one, system="old-till", external_id="card-17", actor="test", now=now)
    return Scene(
        member=str(one.public_id),
        phone="13800138000",
        code=login_codes["member"],
        codes=login_codes,
        leaver=str(leaver.public_id),
        frozen=str(frozen.public_id),
        heir=str(pinned.public_id),
        adjustment=str(adjustment.pk),
        unpaid=make.placed(who=one, now=now).number,
        paid=make.paid(who=one, now=now).order.number,
        period=str(_period_of(one).pk),
        plan_order=plan_orders.place(
            "MONTH", member=one, price_cents=Cents(1990), now=timezone.now()
        ).number,
        pinned=str(pinned.public_id),
        pay_code=make.pay_code(pinned, now=now + timedelta(hours=1)),
        receipt=make.paid(now=now).order.number,
        goods=_goods_taken(one.pk, now=now),
        handed_out=_goods_handed_out(one.pk, now=now),
        redemption=rewards.redeem("FREE_DRINK", member_id=one.pk, now=now).code,
        coupon=coupon.code,
        card=make.gift_card(5000, now=now)[1],
        gift=gift.code,
        offered=offered.code,
        token=offer.token,
        link=link.code,
        campaign=campaign.code,
        phase=str(phase.pk),
        batch=str(batch.pk),
        paper=batches.papers(batch, first=1, count=1)[0][1],
        job=_job_of(manager),
        replay=_replay_of(planned, manager),
        alert=_alert_of(here.pk),
        voucher_code=codes[2],
        voucher=str(looked_at.public_id),
        verified_voucher=str(verified.public_id),
        partner=partner.code,
        deal=str(deal.pk),
        draft_deal=str(partnership.deal(partner, is_active=False).pk),
        visit=str(partnership.visit(deal, on=here.business_date(now)).public_id),
        swap=str(_swap_with(partner, now=now)),
        content=str(partnership.content().pk),
        callers={
            "anonymous": Api(),
            "member": make.phone_of(one),
            "other_member": make.phone_of(other),
            "signed_out_member": _signed_out(make.phone_of(one)),
            "till": make.till("SH001"),
            "other_till": make.till("SH002"),
            "scopeless_till": make.till("SH001", scopes=[]),
            "revoked_till": _till(revoked_at=now),
            "expired_till": _till(expires_at=now),
            "analyst": make.report_reader("SH001"),
            "other_analyst": make.report_reader("SH002"),
            "rightless_staff": _rightless_staff(),
            "manager": make.session_of(manager),
            "other_manager": make.staff("SH002"),
            "head_office": make.staff(group="Head office"),
            "partner": partnership.system_of(partner, now=now),
            "other_partner": partnership.system_of(partnership.partner(), now=now),
        },
    )


def _partner_with_deal(*, now: datetime) -> tuple[Partner, KolDeal]:
    """Return a partner with a deal of their own, and a campaign that is theirs too."""
    partner = partnership.partner(code="xiaolin")
    partner_credentials.store(
        partner, provider="oceanengine", account="", secret="s3cret", actor="test", now=now
    )
    deal = partnership.deal(partner, last_on=date(2099, 1, 1))
    statements.draft(deal.pk, month=date(2026, 6, 1), actor="staff:0", now=now)
    statements.approve(
        deal.pk,
        month=date(2026, 6, 1),
        expected_total_cents=Cents(50_000),
        actor="staff:-1",
        now=now,
    )
    statements.draft(deal.pk, month=date(2026, 7, 1), actor="staff:0", now=now)
    names = {"name_zh": "联名", "name_en": "Joint", "starts_at": now}
    joint = Campaign.objects.create(code="joint", **names)
    Campaign.objects.create(code="ours", **names)
    cobrands.create(joint, partner=partner, revenue_share=3000, cost_share=5000)
    return partner, deal


def _swap_with(partner: Partner, *, now: datetime) -> int:
    swap = swaps.agree(
        partner=partner,
        label="Screens",
        channel=Channel.objects.get(code="kol"),
        we_give="cups",
        they_give="screens",
        unit="days",
        agreed_quantity=90,
        agreed_cents=Cents(450_000),
        agreed_on=date(2026, 6, 1),
    )
    swaps.deliver(
        swap.pk,
        quantity=1,
        delivered_on=date(2026, 6, 2),
        reference="LF-0602",
        actor="test",
        now=now,
    )
    return swap.pk


def _advertise(link: ChannelLink, who: Member, *, now: datetime) -> None:
    click = click_reports.report(
        make.ad_account(), link_code=link.code, query={"click_id": "click-0001"}, now=now
    )
    AdUpload.objects.create(
        click=click,
        event=AdUpload.Event.ORDER,
        source="order:scene",
        member=who,
        value_cents=Cents(1200),
        occurred_at=now,
        due_at=now,
        created_at=now,
    )


def _period_of(who: Member) -> PlanPurchase:
    MembershipPlan.objects.create(
        code="MONTH", name_zh="月卡", name_en="Card", price_cents=Cents(1990), days=30
    )
    return plans.purchase(
        "MONTH",
        member_id=who.pk,
        store=make.store("SH001"),
        method="wechat",
        paid_cents=Cents(1990),
        source="scene",
        actor="test",
        now=timezone.now(),
    )


def _goods_taken(member_id: int, *, now: datetime) -> str:
    Reward.objects.get_or_create(
        code="MUG", kind="goods", cost_points=Points(10), name_zh="杯", name_en="Mug"
    )
    return rewards.redeem("MUG", member_id=member_id, now=now).code


def _goods_handed_out(member_id: int, *, now: datetime) -> str:
    code = _goods_taken(member_id, now=now)
    store_id = make.store("SH001").pk
    return rewards.hand_out_goods(code, store_id=store_id, actor="test", now=now).code


def _till(**fields: Any) -> Api:
    machine = Till.objects.create(store=make.store("SH001"), code=f"x{Till.objects.count()}")
    key = tills.issue_till_key(machine, now=timezone.now())
    TillKey.objects.filter(till=machine).update(**fields)
    return Api(key)


def _sold_voucher() -> str:
    """Return the code of a voucher that a platform sold and nobody has used."""
    code = f"3088{random.randrange(10**10):010d}"
    terms = {"deal": make.BOGO_DEAL, "title": "买一送一", "price": 1200, "paid": 1200}
    platforms.shared().shelf.sell("douyin", code, **terms)
    return code


def _looked_at(code: str) -> Voucher:
    machine = Till.objects.create(store=make.store("SH001"), code=f"v{Till.objects.count()}")
    desk = Desk(store=machine.store, till_id=machine.pk)
    (voucher,) = voucher_desk.prepare("douyin", code, desk=desk, now=timezone.now())
    return voucher


def _desk(voucher: Voucher) -> Desk:
    return Desk(store=voucher.store, till_id=voucher.till_id)


def _signed_out(phone: Api) -> Api:
    newest = MemberSession.objects.order_by("-id")[0]
    members.end_session(newest.pk, now=timezone.now())
    return phone


def _job_of(person: Staff) -> str:
    job = jobs.start(
        "test.job", params={}, requested_by=f"staff:{person.pk}", now=timezone.now() + A_YEAR
    )
    return str(job.pk)


def _replay_of(promotion: Promotion, person: Staff) -> str:
    job = replays.start(
        promotion,
        days=1,
        store_ids=None,
        requested_by=f"staff:{person.pk}",
        now=timezone.now() + timedelta(seconds=1),
    )
    return str(job.pk)


def _alert_of(store_id: int) -> str:
    alerts.record("late", subject="order:scene", details={}, now=timezone.now(), store_id=store_id)
    return str(Alert.objects.get().pk)


def _rightless_staff() -> Api:
    person = Staff.objects.create_user("newcomer", is_staff=True)
    person.stores.set([make.store("SH001")])
    api = Api()
    api.client.force_login(person)
    return api


# --- how each operation is called ----------------------------------------------------------------


def _is_member(caller: str) -> bool:
    return "member" in caller


def _basket(scene: Scene, caller: str) -> dict[str, Any]:
    """Return a basket as such a caller sends it: tills name the member, staff the store too."""
    whose = {} if _is_member(caller) else {"member": scene.member}
    where = {} if "till" in caller else {"store": "SH001"}
    return {"lines": [LINE]} | whose | where


def _total(caller: str) -> dict[str, int]:
    """Return what the basket costs: MT01 has a price of its own at the other till's store."""
    return {"expected_total_cents": 1000 if caller == "other_till" else 1200}


def _on_behalf(scene: Scene, caller: str) -> dict[str, str]:
    return {} if _is_member(caller) else {"member": scene.member}


def _order(scene: Scene) -> dict[str, str]:
    return {"number": scene.unpaid}


def _paid_order(scene: Scene) -> dict[str, str]:
    return {"number": scene.paid}


def _batch(scene: Scene) -> dict[str, str]:
    return {"batch_id": scene.batch}


def _member(scene: Scene) -> dict[str, str]:
    return {"member_id": scene.member}


def _external(scene: Scene) -> dict[str, str]:
    return {"system": "old-till", "external_id": "card-17"}


def _leaver(scene: Scene) -> dict[str, str]:
    return {"member_id": scene.leaver}


def _deal(scene: Scene) -> dict[str, str]:
    return {"deal_id": scene.deal}


def _content(scene: Scene) -> dict[str, str]:
    return {"content_id": scene.content}


def _swap(scene: Scene) -> dict[str, str]:
    return {"swap_id": scene.swap}


def _signed(raw: bytes) -> dict[str, str]:
    """Return the headers of a callback that the sandbox provider really sent."""
    timestamp = str(int(timezone.now().timestamp()))
    signature = payments.SandboxPayments().sign(body=raw, timestamp=timestamp)
    return {"X-Sandbox-Timestamp": timestamp, "X-Sandbox-Signature": signature}


def _signed_by_douyin(raw: bytes) -> dict[str, str]:
    """Return the headers of a notice that the sandbox of Douyin really sent."""
    signature = signatures.douyin_webhook(SANDBOX_SECRET, raw)
    return {"X-Douyin-Signature": signature, "Msg-Id": hashlib.sha256(raw).hexdigest()}


ASKED: dict[str, Asked] = {
    "contents_list": Asked(),
    "contents_create": Asked(
        body=lambda scene, caller: {
            "kind": "review",
            "title": "Peach tea",
            "platform": "xiaohongshu",
            "rating": 4,
            "published_at": "2026-06-18T20:00:00+08:00",
            "topics": ["tea"],
        }
    ),
    "contents_retrieve": Asked(path=_content),
    "contents_record_snapshot": Asked(
        path=_content,
        body=lambda scene, caller: {"taken_at": "2026-06-19T12:00:00+08:00", "views": 12000},
    ),
    "contents_import_snapshots": Asked(
        body=lambda scene, caller: {
            "csv": f"content,taken_at,views\n{scene.content},2026-06-19T12:00:00+08:00,5\n"
        }
    ),
    "topics_list": Asked(),
    "topics_create": Asked(
        body=lambda scene, caller: {"code": "cup", "name_zh": "杯", "name_en": "Cup"}
    ),
    "topics_rollup": Asked(path=lambda scene: {"code": "tea"}),
    "partners_list": Asked(marker=lambda scene: scene.partner),
    "partners_create": Asked(
        body=lambda scene, caller: {
            "code": "bakery",
            "kind": "brand",
            "name_zh": "面包",
            "name_en": "Bakery",
        }
    ),
    "partners_issue_key": Asked(path=lambda scene: {"code": scene.partner}),
    "partners_credentials": Asked(
        path=lambda scene: {"code": scene.partner}, marker=lambda scene: '"oceanengine"'
    ),
    "partners_store_credential": Asked(
        path=lambda scene: {"code": scene.partner},
        body=lambda scene, caller: {"provider": "tencent", "secret": "s3cret"},
    ),
    "partners_forget_credential": Asked(
        path=lambda scene: {"code": scene.partner, "provider": "oceanengine"}
    ),
    "partners_me": Asked(marker=lambda scene: scene.partner),
    "kols_list": Asked(marker=lambda scene: scene.partner),
    "kol_deals_list": Asked(marker=lambda scene: scene.partner),
    "kol_deals_create": Asked(
        body=lambda scene, caller: {
            "partner": scene.partner,
            "label": "Videos",
            "channel": "kol",
            "starts_on": "2026-06-01",
            "last_on": "2026-06-30",
        }
    ),
    "kol_deals_step": Asked(
        path=lambda scene: {"deal_id": scene.draft_deal},
        body=lambda scene, caller: {"status": "active"},
    ),
    "kol_deals_statement": Asked(
        path=_deal, query={"month": "2026-06"}, marker=lambda scene: scene.partner
    ),
    "kol_deals_draft_statement": Asked(path=_deal, body=lambda scene, caller: {"month": "2026-07"}),
    "kol_deals_approve_statement": Asked(
        path=_deal, body=lambda scene, caller: {"month": "2026-07", "expected_total_cents": 0}
    ),
    "kol_deals_pay_statement": Asked(
        path=_deal, body=lambda scene, caller: {"month": "2026-06", "reference": "B1"}
    ),
    "kol_visits_list": Asked(marker=lambda scene: scene.visit),
    "kol_visits_create": Asked(
        body=lambda scene, caller: {
            "deal": int(scene.deal),
            "store": "SH001",
            "visit_date": "2026-06-18",
        }
    ),
    "kol_visits_order": Asked(
        path=lambda scene: {"visit_id": scene.visit},
        body=lambda scene, caller: {"lines": [LINE], "pos_order_no": "K-1"},
    ),
    "cobrands_list": Asked(marker=lambda scene: scene.partner),
    "cobrands_create": Asked(
        body=lambda scene, caller: {"campaign": "ours", "partner": scene.partner}
    ),
    "cobrands_report": Asked(
        path=lambda scene: {"code": "joint"}, marker=lambda scene: scene.partner
    ),
    "cobrands_redemptions": Asked(path=lambda scene: {"code": "joint"}),
    "resource_swaps_list": Asked(marker=lambda scene: scene.partner),
    "resource_swaps_create": Asked(
        body=lambda scene, caller: {
            "partner": scene.partner,
            "label": "Screens",
            "channel": "kol",
            "we_give": "cups",
            "they_give": "screens",
            "unit": "days",
            "agreed_quantity": 90,
            "agreed_cents": 450000,
            "agreed_on": "2026-06-01",
        }
    ),
    "resource_swaps_deliveries": Asked(path=_swap, marker=lambda scene: "LF-0602"),
    "resource_swaps_deliver": Asked(
        path=_swap,
        body=lambda scene, caller: {
            "quantity": 30,
            "delivered_on": "2026-06-30",
            "reference": "LF-0630",
        },
    ),
    "vouchers_prepare": Asked(
        body=lambda scene, caller: {"platform": "douyin", "code": scene.voucher_code}
    ),
    "vouchers_verify": Asked(body=lambda scene, caller: {"vouchers": [scene.voucher]}),
    "vouchers_cancel": Asked(path=lambda scene: {"voucher_id": scene.verified_voucher}),
    "vouchers_retrieve": Asked(
        path=lambda scene: {"voucher_id": scene.verified_voucher},
        marker=lambda scene: scene.verified_voucher,
    ),
    "vouchers_douyin_callback": Asked(
        body=lambda scene, caller: {"event": "notice", "content": {"certificate_id": "1"}},
        headers=_signed_by_douyin,
    ),
    "auth_send_code": Asked(body=lambda scene, caller: {"phone": "13900139000"}),
    "auth_create_token": Asked(
        body=lambda scene, caller: {"phone": scene.phone, "code": scene.code}
    ),
    "auth_logout": Asked(),
    "stores_list": Asked(),
    "stores_menu": Asked(path=lambda scene: {"code": "SH001"}),
    "stores_set_availability": Asked(
        path=lambda scene: {"code": "SH001", "product": "MT01"},
        body=lambda scene, caller: {"is_sold_out": True},
    ),
    "tiers_list": Asked(),
    "quotes_create": Asked(body=_basket),
    "quotes_explain": Asked(body=_basket),
    "orders_list": Asked(marker=lambda scene: scene.paid),
    "orders_create": Asked(body=lambda scene, caller: _basket(scene, caller) | _total(caller)),
    "orders_retrieve": Asked(path=_order, marker=lambda scene: scene.unpaid),
    "orders_pricing": Asked(path=_order, marker=lambda scene: scene.unpaid),
    "orders_pay": Asked(
        path=_order,
        body=lambda scene, caller: {
            "tenders": [
                {
                    "method": "stored_value" if caller == "member" else "cash",
                    "amount_cents": 1200,
                }
            ]
        },
    ),
    "orders_cancel": Asked(path=_order),
    "orders_refund": Asked(path=_paid_order, body=lambda scene, caller: {}),
    "orders_advance": Asked(path=_paid_order, body=lambda scene, caller: {"status": "ready"}),
    "pos_settle": Asked(
        body=lambda scene, caller: _basket(scene, caller) | _total(caller) | {"pos_order_no": "X-1"}
    ),
    "offline_sales_create": Asked(
        body=lambda scene, caller: {
            "sales": [
                {
                    "pos_order_no": "X-2",
                    "sold_at": timezone.now().isoformat(),
                    "lines": _basket(scene, caller)["lines"],
                }
            ]
        }
    ),
    "payments_sandbox_callback": Asked(
        body=lambda scene, caller: {
            "order": scene.unpaid,
            "amount_cents": 1200,
            "provider_ref": "P-1",
        },
        headers=_signed,
    ),
    "me_retrieve": Asked(marker=lambda scene: scene.member),
    "me_create_code": Asked(),
    "me_referral_code": Asked(),
    "me_coupons": Asked(marker=lambda scene: "FULL25_5"),
    "me_enter_coupon_code": Asked(body=lambda scene, caller: {"code": scene.paper}),
    "stored_value_plans_list": Asked(),
    "me_stored_value": Asked(marker=lambda scene: "7300"),
    "me_stored_value_code": Asked(),
    "me_merges": Asked(),
    "members_merges": Asked(path=_member),
    "me_stored_value_entries": Asked(marker=lambda scene: '"cents":7300'),
    "members_stored_value": Asked(path=_member, marker=lambda scene: "7300"),
    "members_stored_value_entries": Asked(path=_member, marker=lambda scene: '"cents":7300'),
    "stored_value_top_up": Asked(
        path=_member,
        body=lambda scene, caller: {
            "amount_cents": 100,
            "tenders": [{"method": "cash", "amount_cents": 100}],
        },
    ),
    "stored_value_pay_out": Asked(
        path=lambda scene: {"member_id": scene.pinned},
        body=lambda scene, caller: {
            "amount_cents": 100,
            "method": "cash",
            "code": scene.pay_code,
        },
    ),
    "gift_cards_sell": Asked(
        body=lambda scene, caller: {
            "face_value_cents": 5000,
            "tenders": [{"method": "cash", "amount_cents": 5000}],
        }
    ),
    "gift_cards_issue": Asked(
        body=lambda scene, caller: {"count": 1, "face_value_cents": 5000, "is_paid": False}
    ),
    "gift_cards_lookup": Asked(body=lambda scene, caller: {"code": scene.card}),
    "reports_stored_value": Asked(marker=lambda scene: '"SH001"'),
    "me_points_entries": Asked(marker=lambda scene: '"points":5000'),
    "me_points_expiring": Asked(),
    "me_tier_changes": Asked(marker=lambda scene: "12:07:00"),
    "me_redemptions": Asked(marker=lambda scene: scene.redemption),
    "members_create": Asked(body=lambda scene, caller: {"phone": "13900139000"}),
    "members_lookup": Asked(
        body=lambda scene, caller: {"phone": scene.phone}, marker=lambda scene: scene.member
    ),
    "members_external_retrieve": Asked(path=_external, marker=lambda scene: scene.member),
    "members_external_upsert": Asked(
        path=_external, body=lambda scene, caller: {"phone": scene.phone}
    ),
    "members_retrieve": Asked(path=_member, marker=lambda scene: scene.member),
    "members_coupons": Asked(path=_member, marker=lambda scene: "FULL25_5"),
    "members_enter_coupon_code": Asked(
        path=_member, body=lambda scene, caller: {"code": scene.paper}
    ),
    "members_points_entries": Asked(path=_member, marker=lambda scene: '"points":5000'),
    "members_record_event": Asked(
        path=_member, body=lambda scene, caller: {"event": "check_in", "key": "2026-06-18"}
    ),
    "earning_rules_list": Asked(),
    "points_adjustments_list": Asked(marker=lambda scene: "9999"),
    "points_adjustments_approve": Asked(path=lambda scene: {"adjustment_id": scene.adjustment}),
    "points_adjustments_reject": Asked(path=lambda scene: {"adjustment_id": scene.adjustment}),
    "members_acquisition": Asked(path=_member, marker=lambda scene: '"channel":"organic"'),
    "members_timeline": Asked(path=_member, marker=lambda scene: scene.paid),
    "members_lifecycle_transitions": Asked(path=_member, marker=lambda scene: "one_timer"),
    "members_freeze": Asked(path=_leaver, body=lambda scene, caller: {"reason": "lost phone"}),
    "members_unfreeze": Asked(
        path=lambda scene: {"member_id": scene.frozen},
        body=lambda scene, caller: {"reason": "found it"},
    ),
    "members_close": Asked(path=_leaver, body=lambda scene, caller: {"reason": "asked for it"}),
    "members_erase": Asked(path=_leaver, body=lambda scene, caller: {"reason": "asked for it"}),
    "members_merge": Asked(
        path=_leaver, body=lambda scene, caller: {"into": scene.heir, "reason": "same person"}
    ),
    "me_erase": Asked(body=lambda scene, caller: {"code": scene.codes.get(caller, "000000")}),
    "members_adjust_points": Asked(
        path=_member, body=lambda scene, caller: {"points": 50, "reason": "waited too long"}
    ),
    "quotes_wallet": Asked(body=_basket),
    "audiences_count": Asked(body=lambda scene, caller: {"stores": ["SH001"]}),
    "coupon_issues_create": Asked(
        body=lambda scene, caller: {"definition": "WINBACK_6", "audience": {}}
    ),
    "members_extend_points": Asked(
        path=_member,
        body=lambda scene, caller: {
            "expiring_by": "2098-12-31",
            "last_day": "2099-12-31",
            "reason": "come back",
        },
    ),
    "members_reinstate_points": Asked(
        path=_member,
        body=lambda scene, caller: {
            "expired_since": "2026-01-01",
            "last_day": "2099-12-31",
            "reason": "come back",
        },
    ),
    "coupon_definitions_give": Asked(
        path=lambda scene: {"code": "WINBACK_6"},
        body=lambda scene, caller: {"member": scene.member},
    ),
    "coupons_revoke": Asked(
        path=lambda scene: {"code": scene.coupon}, body=lambda scene, caller: {"reason": "mistake"}
    ),
    "me_coupons_transfer": Asked(path=lambda scene: {"code": scene.gift}),
    "me_coupons_transfer_cancel": Asked(path=lambda scene: {"code": scene.offered}),
    "coupon_transfers_accept": Asked(body=lambda scene, caller: {"token": scene.token}),
    "me_coupon_transfers": Asked(marker=lambda scene: scene.offered),
    "benefits_list": Asked(),
    "membership_plans_list": Asked(),
    "membership_plans_purchase": Asked(
        path=lambda scene: {"code": "MONTH"},
        body=lambda scene, caller: {
            "member": scene.member,
            "method": "wechat",
            "paid_cents": 1990,
        },
    ),
    "memberships_refund": Asked(
        path=lambda scene: {"purchase_id": scene.period},
        body=lambda scene, caller: {"member": scene.member},
    ),
    "me_plan_orders_place": Asked(
        body=lambda scene, caller: {"plan": "MONTH", "price_cents": 1990}
    ),
    "me_plan_order": Asked(
        path=lambda scene: {"number": scene.plan_order}, marker=lambda scene: scene.plan_order
    ),
    "me_memberships": Asked(marker=lambda scene: '"MONTH"'),
    "me_consents_list": Asked(marker=lambda scene: '"is_given":true'),
    "me_consents_record": Asked(
        body=lambda scene, caller: {
            "purpose": "ad_measurement",
            "is_given": False,
            "version": "2026-11",
        }
    ),
    "me_ad_clicks_claim": Asked(
        body=lambda scene, caller: {"platform": "tencent", "click_id": "wx0abcdefg1234567"}
    ),
    "me_set_birthday": Asked(body=lambda scene, caller: {"birthday": "2000-02-29"}),
    "members_tier_changes": Asked(path=_member, marker=lambda scene: "12:07:00"),
    "members_pin_tier": Asked(
        path=_member,
        body=lambda scene, caller: {
            "tier": "T3",
            "until": (timezone.now() + timedelta(days=30)).isoformat(),
            "reason": "partner",
        },
    ),
    "members_unpin_tier": Asked(path=lambda scene: {"member_id": scene.pinned}),
    "coupon_definitions_list": Asked(),
    "coupon_definitions_loss_check": Asked(path=lambda scene: {"code": "PCT88_CAP8"}),
    "promotions_loss_check": Asked(path=lambda scene: {"code": "PLANNED"}),
    "promotion_replays_create": Asked(
        path=lambda scene: {"code": "PLANNED"}, body=lambda scene, caller: {"days": 2}
    ),
    "promotion_replays_retrieve": Asked(
        path=lambda scene: {"code": "PLANNED", "job_id": scene.replay},
        marker=lambda scene: scene.replay,
    ),
    "coupon_definitions_claim": Asked(path=lambda scene: {"code": "PCT88_CAP8"}, body=_on_behalf),
    "code_batches_list": Asked(),
    "code_batches_create": Asked(
        body=lambda scene, caller: {
            "definition": "PCT88_CAP8",
            "label": "Metro",
            "quantity": 5,
            "area": "Metro exit 3",
            "prefix": "TEA",
            "length": 14,
        }
    ),
    "code_batches_retrieve": Asked(path=_batch),
    "code_batches_codes": Asked(path=_batch),
    "code_batches_void": Asked(path=_batch),
    "coupon_codes_retrieve": Asked(path=lambda scene: {"code": scene.paper}),
    "rewards_list": Asked(),
    "rewards_redeem": Asked(path=lambda scene: {"code": "FREE_DRINK"}, body=_on_behalf),
    "receipt_claims_create": Asked(
        body=lambda scene, caller: (
            _on_behalf(scene, caller)
            | ({} if "till" in caller else {"store": "SH001"})
            | {"receipt": scene.receipt, "amount_cents": 1200}
        )
    ),
    "redemptions_retrieve": Asked(path=lambda scene: {"code": scene.redemption}),
    "redemptions_use": Asked(path=lambda scene: {"code": scene.goods}),
    "redemptions_refund": Asked(
        path=lambda scene: {"code": scene.handed_out},
        body=lambda scene, caller: {"reason": "broken", "restock": True},
    ),
    "redemptions_cancel": Asked(path=lambda scene: {"code": scene.redemption}, body=_on_behalf),
    "channels_list": Asked(),
    "channels_create": Asked(
        body=lambda scene, caller: {
            "code": "metro",
            "kind": "flyer",
            "name_zh": "地铁传单",
            "name_en": "Metro flyers",
        }
    ),
    "placements_list": Asked(),
    "placements_create": Asked(
        body=lambda scene, caller: {
            "channel": "flyer",
            "code": "exit-3",
            "name_zh": "三号口",
            "name_en": "Exit 3",
        }
    ),
    "campaigns_list": Asked(marker=lambda scene: '"opening"'),
    "campaigns_retrieve": Asked(
        path=lambda scene: {"code": scene.campaign}, marker=lambda scene: '"opening"'
    ),
    "campaigns_phases": Asked(
        path=lambda scene: {"code": scene.campaign}, marker=lambda scene: '"preheat"'
    ),
    "campaigns_hourly": Asked(
        path=lambda scene: {"code": scene.campaign}, marker=lambda scene: '"touches"'
    ),
    "campaigns_add_phase": Asked(
        path=lambda scene: {"code": scene.campaign},
        body=lambda scene, caller: {
            "kind": "long_tail",
            "starts_at": (timezone.now() + A_YEAR).isoformat(),
            "ends_at": (timezone.now() + 2 * A_YEAR).isoformat(),
            "budget_cents": 100000,
            "target_joins": 50,
            "plan": [{"channel": "flyer", "cost_cents": 100000, "reach": 900, "joins": 50}],
        },
    ),
    "campaigns_move_phase": Asked(
        path=lambda scene: {"code": scene.campaign, "phase_id": scene.phase},
        body=lambda scene, caller: {"to": "ended", "reason": "Sold out"},
    ),
    "campaigns_change_phase_limits": Asked(
        path=lambda scene: {"code": scene.campaign, "phase_id": scene.phase},
        body=lambda scene, caller: {"budget_cents": 5000000, "reason": "It pays"},
    ),
    "campaigns_plan": Asked(
        path=lambda scene: {"code": scene.campaign}, marker=lambda scene: '"preheat"'
    ),
    "campaigns_performance": Asked(
        path=lambda scene: {"code": scene.campaign}, marker=lambda scene: '"carrying_orders"'
    ),
    "campaigns_move": Asked(
        path=lambda scene: {"code": scene.campaign},
        body=lambda scene, caller: {"to": "paused", "reason": "No milk"},
    ),
    "campaigns_changes": Asked(
        path=lambda scene: {"code": scene.campaign}, marker=lambda scene: '"to_status":"running"'
    ),
    "campaigns_reservations": Asked(
        path=lambda scene: {"code": scene.campaign}, marker=lambda scene: scene.member
    ),
    "campaigns_reserve": Asked(path=lambda scene: {"code": scene.campaign}, body=_on_behalf),
    "campaigns_create": Asked(
        body=lambda scene, caller: {
            "code": "summer",
            "name_zh": "夏季",
            "name_en": "Summer",
            "starts_at": "2026-05-11T00:00:00+08:00",
            "stores": ["SH001"],
        }
    ),
    "channel_links_list": Asked(marker=lambda scene: scene.link),
    "channel_links_create": Asked(
        body=lambda scene, caller: {"label": "Metro 3", "channel": "flyer", "store": "SH001"}
    ),
    "channel_links_qr": Asked(path=lambda scene: {"code": scene.link}),
    "touches_create": Asked(
        body=lambda scene, caller: {
            "events": [
                {
                    "event_id": "0197a0de-7c1c-7a3e-9d0a-5b1f1c9a2e11",
                    "kind": "scan",
                    "link": scene.link,
                    "visitor": "v-2f6c1e",
                    "occurred_at": "2026-05-18T09:00:00+08:00",
                }
            ]
        }
    ),
    "daily_costs_list": Asked(marker=lambda scene: scene.link),
    "daily_costs_upsert": Asked(
        body=lambda scene, caller: {
            "rows": [{"link": scene.link, "date": "2026-05-18", "cost_cents": 100}]
        }
    ),
    "daily_costs_import": Asked(
        body=lambda scene, caller: {
            "csv": f"link,date,cost_cents\n{scene.link},2026-05-18,12000\n",
            "dry_run": False,
        }
    ),
    "alerts_list": Asked(marker=lambda scene: "order:scene"),
    "alerts_acknowledge": Asked(path=lambda scene: {"alert_id": scene.alert}),
    "alerts_resolve": Asked(path=lambda scene: {"alert_id": scene.alert}),
    "jobs_retrieve": Asked(
        path=lambda scene: {"job_id": scene.job}, marker=lambda scene: scene.job
    ),
    "jobs_cancel": Asked(path=lambda scene: {"job_id": scene.job}),
    "reports_opening_funnel": Asked(query={"store": "SH001"}, marker=lambda scene: "SH001"),
    "reports_daily": Asked(marker=lambda scene: '"SH001"'),
    "reports_points_liability": Asked(),
    "reports_loop": Asked(marker=lambda scene: '"cost_cents":12000'),
    "reports_economics": Asked(marker=lambda scene: '"cost_cents":12000'),
    "reports_channel_ranking": Asked(marker=lambda scene: '"flyer"'),
    "reports_campaign_pnl": Asked(marker=lambda scene: '"opening"'),
    "reports_claimed_conversions": Asked(marker=lambda scene: '"METRO01"'),
    "ad_uploads_list": Asked(marker=lambda scene: '"tencent"'),
    "reports_ad_uploads": Asked(marker=lambda scene: '"tencent"'),
    "reports_signups": Asked(marker=lambda scene: '"flyer"'),
    "reports_cannibalisation": Asked(),
    "reports_attribution": Asked(marker=lambda scene: '"amount_cents":1200'),
    "orders_attribution": Asked(path=_paid_order, marker=lambda scene: scene.paid),
    "reports_vouchers": Asked(marker=lambda scene: '"douyin"'),
    "reports_channels": Asked(marker=lambda scene: "12000"),
    "reports_membership_conversion": Asked(marker=lambda scene: '"revenue_cents":1990'),
    "reports_tier_distribution": Asked(marker=lambda scene: '"to_tier":"T3"'),
    "reports_lifecycle_distribution": Asked(marker=lambda scene: '"stage":"one_timer","members":1'),
}
