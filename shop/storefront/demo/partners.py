"""Whom the demo's chain works with: an opinion leader, a bakery, a cinema, and what they told.

Nothing of it is by chance, and nothing of it touches the opening's numbers.
"""

from datetime import date, datetime, timedelta

from campaigns import cobrands, contents, coupons, deals, kol_visits, partners, statements, swaps
from campaigns.contents import Counts
from campaigns.models import (
    Campaign,
    Channel,
    ChannelLink,
    Content,
    CouponDefinition,
    KolDeal,
    Partner,
)
from shop.catalog import Choice
from shop.kernel.clock import chain_day
from shop.kernel.money import Cents
from shop.models import Member, Staff, Store
from shop.storefront import checkout, hospitality, quotes, registration
from shop.storefront.baskets import Basket, BasketLine
from shop.storefront.demo.crowd import PHONE_PREFIX
from shop.storefront.registration import Application

OPENING_LINK = "OPENKOL"
MONTHS_SETTLED = 3
CUP = BasketLine(
    product="MT01",
    quantity=1,
    choice=Choice(options={"size": "M", "temp": "ice_std", "sugar": "s70"}, toppings={}),
)
THREE_CUPS = BasketLine(product="MT01", quantity=3, choice=CUP.choice)
VIEWS = [(1, 3_000, 180, 60, 25), (2, 11_500, 720, 210, 130), (7, 26_000, 1_500, 420, 310)]
"""What the opening's video had come to after so many days."""


def load(store: Store, *, now: datetime) -> None:
    """Make the partners of the demo, with what came of them until now."""
    deal = _deal_with_a_kol(store)
    _visit(deal, store)
    _settle(deal, now=now)
    _follow_contents(deal, store)
    _bake_together(store, now=now)
    _swap_screens(now=now)
    partners.create(
        code="oceanengine", kind="ad_platform", name_zh="巨量引擎", name_en="Ocean Engine"
    )


def _deal_with_a_kol(store: Store) -> KolDeal:
    kol = partners.create(
        code="xiaolin",
        kind=Partner.Kind.KOL,
        name_zh="小林探店",
        name_en="Xiaolin eats out",
        contact="小林，微信 xiaolin-tandian",
    )
    link = ChannelLink.objects.select_related("campaign").get(code=OPENING_LINK)
    opened = store.business_day_start(store.opened_on)
    deal = deals.create(
        kol,
        deals.Terms(
            label="开业探店与三个月分佣",
            channel=Channel.objects.get(code="kol"),
            campaign=link.campaign,
            fee_cents=Cents(300_000),
            fee_terms=KolDeal.FeeTerms.ONCE,
            commission=800,
            starts_on=store.opened_on,
            last_on=store.opened_on + timedelta(days=89),
            links=[link],
        ),
    )
    return deals.step(deal.pk, to=KolDeal.Status.ACTIVE, now=opened)


def _visit(deal: KolDeal, store: Store) -> None:
    noon = store.business_day_start(store.opened_on) + timedelta(hours=7)
    visit = kol_visits.plan(
        deal,
        store=store,
        visit_date=store.opened_on,
        content_url="https://www.douyin.com/video/7260000000000000042",
        limit_cents=Cents(5_000),
    )
    hospitality.serve_visit(
        visit.public_id,
        _basket(store, CUP),
        pos_order_no="KOL-1",
        actor="demo",
        now=noon,
    )


def _settle(deal: KolDeal, *, now: datetime) -> None:
    """Settle the first months; the last one waits for a second person."""
    asks, agrees = (f"staff:{Staff.objects.get(username=name).pk}" for name in ("hq", "controller"))
    month = deal.starts_on.replace(day=1)
    for number in range(1, MONTHS_SETTLED + 1):
        drafted = statements.draft(deal.pk, month=month, actor=asks, now=now)
        if number == MONTHS_SETTLED:
            break
        statements.approve(
            deal.pk,
            month=month,
            expected_total_cents=Cents(drafted.total_cents),
            actor=agrees,
            now=now,
        )
        statements.note_payment(
            deal.pk, month=month, reference=f"BANK-{month:%y%m}", actor=agrees, now=now
        )
        month = statements.next_month(month)


def _follow_contents(deal: KolDeal, store: Store) -> None:
    opened = store.business_day_start(store.opened_on)
    topic = contents.create_topic(
        code="first-cup", name_zh="人民广场第一杯", name_en="First cup at the square"
    )
    video = contents.create(
        kind=Content.Kind.SHORT_VIDEO,
        title="探店：人民广场新开的奶茶",
        platform="douyin",
        url="https://www.douyin.com/video/7260000000000000042",
        deal=deal,
        link=ChannelLink.objects.get(code=OPENING_LINK),
        topics=[topic],
        published_at=opened,
    )
    for days, views, likes, comments, shares in VIEWS:
        contents.record(
            video,
            Counts(views=views, likes=likes, comments=comments, shares=shares, rank=12 - days),
            taken_at=opened + timedelta(days=days),
        )
    for title, rating, views in (("珍珠奶茶测评", 5, 4_200), ("三家奶茶横评", 4, 9_800)):
        review = contents.create(
            kind=Content.Kind.REVIEW,
            title=title,
            platform="xiaohongshu",
            rating=rating,
            topics=[topic],
            published_at=opened + timedelta(days=3),
        )
        contents.record(
            review,
            Counts(views=views, likes=views // 20, comments=views // 100, shares=views // 150),
            taken_at=opened + timedelta(days=10),
        )


def _bake_together(store: Store, *, now: datetime) -> None:
    """Let three newcomers of today use the bakery's coupon."""
    bakery = partners.create(
        code="maixiang",
        kind=Partner.Kind.BRAND,
        name_zh="麦香面包",
        name_en="Maixiang Bakery",
        contact="市场部 周小姐",
    )
    definition = CouponDefinition.objects.create(
        code="BAKERY5",
        name_zh="麦香联名立减 5 元",
        name_en="¥5 off with Maixiang",
        rule={"version": 1, "effect": {"kind": "fixed_off", "amount_cents": 500}},
        status=CouponDefinition.Status.ACTIVE,
        valid_days=30,
        per_member_limit=1,
    )
    campaign = Campaign.objects.create(
        code="tea-and-bread",
        name_zh="一杯一面包",
        name_en="Tea and bread",
        status=Campaign.Status.ACTIVE,
        starts_at=now - timedelta(days=14),
        ends_at=now + timedelta(days=14),
    )
    cobrands.create(
        campaign, partner=bakery, revenue_share=1_000, cost_share=5_000, coupons=[definition]
    )
    for number in range(1, 4):
        at = now - timedelta(hours=number)
        application = Application(phone=f"{PHONE_PREFIX}9000000{number}", store=store)
        member = registration.join(application, now=at - timedelta(minutes=20))
        coupon = coupons.issue(definition, member_id=member.pk, source="partner:maixiang", now=at)
        basket = _basket(store, THREE_CUPS, member=member, coupon=coupon.code)
        checkout.settle_order(
            basket,
            tenders=None,
            expected_total_cents=quotes.quote(basket, now=at).total_cents,
            pos_order_no=f"BREAD-{number}",
            actor="demo",
            now=at,
        )


def _basket(
    store: Store, line: BasketLine, *, member: Member | None = None, coupon: str = ""
) -> Basket:
    return Basket(
        store=store,
        till_id=None,
        member=member.public_id if member else None,
        order_type="pickup",
        lines=[line],
        coupon_codes=[coupon] if coupon else (),
    )


def _swap_screens(*, now: datetime) -> None:
    """Give cups for ninety days of screens, of which half have been shown."""
    today: date = chain_day(now)
    cinema = partners.create(
        code="starlight", kind=Partner.Kind.BRAND, name_zh="星光影院", name_en="Starlight Cinema"
    )
    channel, _is_new = Channel.objects.get_or_create(
        code="swap",
        defaults={"name_zh": "资源置换", "name_en": "Swaps", "kind": Channel.Kind.SWAP},
    )
    swap = swaps.agree(
        partner=cinema,
        label="奶茶换大堂屏",
        channel=channel,
        campaign=None,
        we_give="500 杯珍珠奶茶券",
        they_give="大堂屏幕广告",
        unit="天",
        agreed_quantity=90,
        agreed_cents=Cents(450_000),
        agreed_on=today - timedelta(days=60),
    )
    for number, quantity in enumerate((15, 30), start=1):
        swaps.deliver(
            swap.pk,
            quantity=quantity,
            delivered_on=today - timedelta(days=60 - 20 * number),
            reference=f"LP-{number}",
            actor="demo",
            now=now,
        )
