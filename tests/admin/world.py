"""One store's day: at least one row of every model that belongs to a store."""

from collections.abc import Sequence
from datetime import timedelta

from django.contrib import admin
from django.db.models import Model

from campaigns import (
    ad_uploads,
    campaigns,
    click_reports,
    cobrands,
    cost_imports,
    costs,
    definitions,
    links,
    placements,
    referrals,
    statements,
    swaps,
    transfers,
)
from campaigns.costs import CostRow
from campaigns.models import (
    AdUnit,
    Campaign,
    CampaignPhase,
    Channel,
    ChannelLink,
    CodeBatch,
    Content,
    PhasePlan,
    Reservation,
    TouchTotal,
)
from loyalty import adjustments, earning_events, pins, plan_orders, plans, rewards
from loyalty.models import Benefit, BenefitGrant, EarningRule, MembershipPlan
from shop import alerts, external_ids, tills
from shop.kernel import callbacks, jobs
from shop.kernel.money import Cents, Points
from shop.models import Member, Message, Product, Store, StoreHours, StoreProduct, Till
from shop.orders import Tender
from shop.payments import Notice
from shop.refunds import RefundRequest
from shop.storefront import (
    benefit_grants,
    checkout,
    departures,
    programme_changes,
    quotes,
    receipt_claims,
    refunds,
    tasks,
    tier_reviews,
)
from shop.storefront.baskets import Basket
from shop.storefront.models import CampaignLimits
from tests import make
from tests.campaigns import partnership

Rows = dict[type[Model], set[object]]


def populate(code: str) -> None:
    """Let a store have tills, promotion, members, orders, refunds, coupons, points, rewards."""
    store = make.store(code)
    _furnish(store)
    link = _promote(store)
    _work_with_a_partner(store, link)
    make.touch(link, f"visitor-{code}")
    regular = make.member(at=code, name=f"熟客{code}", visitor_id=f"visitor-{code}")
    invitation = referrals.code_of(regular, now=make.NOON).code
    friend = make.member(at=code, name=f"朋友{code}", referral_code=invitation)
    make.give_points(regular, 2000)
    _advertise(link, regular)
    _pay_with_coupon_and_points(code, regular)
    _buy_and_refund(make.basket(who=friend, at=code))
    _end_and_ask(code)
    _buy_with_a_promotion(code)
    _buy_with_a_voucher(code)
    _pay_in_advance(code, regular)
    callbacks.take_once("douyin", external_id=code, event="refund", body="{}", now=make.NOON)
    rewards.redeem("FREE_DRINK", member_id=regular.pk, now=make.NOON)
    rule = EarningRule.objects.filter(code="CHECK_IN").first()
    rule = rule or make.earning_rule("CHECK_IN", kind="event", event="check_in", points=5)
    earning_events.record(
        regular.pk, event=rule.event, key=code, store=store, actor="test", now=make.NOON
    )
    receipt = make.paid(what=make.basket(at=code), total=price(make.basket(at=code))).order
    receipt_claims.claim_receipt(
        receipt.number,
        store=store,
        amount_cents=receipt.paid_cents,
        member_id=regular.pk,
        guesser="receipt:test",
        actor="test",
        now=make.NOON,
    )
    make.coupon(friend)
    make.definition("WINBACK_6", is_transferable=True)
    gift = make.coupon(friend, "WINBACK_6")
    offer = transfers.offer(gift.code, member_id=friend.pk, now=make.NOON)
    transfers.accept(offer.token, member_id=regular.pk, now=make.NOON)
    if not CodeBatch.objects.exists():  # the whole chain's
        make.batch(quantity=3)
    pins.pin(
        friend.pk,
        tier_code="T3",
        until=make.NOON + timedelta(days=30),
        reason="partner",
        actor="test",
        now=make.NOON,
    )
    tier_reviews.count_tiers(now=make.NOON)
    _have_benefits(code, friend)
    waiting = make.basket(who=regular, at=code)
    order = make.placed(what=waiting, total=price(waiting))
    alerts.record(
        "payment-orphan",
        subject=order.source,
        details={"why": "迟到"},
        now=make.NOON,
        store_id=order.store_id,
    )
    tasks.keep_liability()
    jobs.start("test.job", params={}, requested_by="staff:1", now=make.NOON)
    Message.objects.create(member=regular, template="receipt", text="谢谢", sent_at=make.NOON)


def _have_benefits(code: str, who: Member) -> None:
    plan, _is_new = MembershipPlan.objects.get_or_create(
        code="MONTH", name_zh="月卡", name_en="Card", price_cents=Cents(1990), days=30
    )
    plans.purchase(
        "MONTH",
        member_id=who.pk,
        store=make.store(code),
        method="wechat",
        paid_cents=Cents(1990),
        source=f"world:{code}",
        actor="test",
        now=make.NOON,
    )
    order = plan_orders.place("MONTH", member=who, price_cents=Cents(1990), now=make.NOON)
    plan_orders.pay(
        Notice(order_number=order.number, amount_cents=Cents(1990), provider_ref=f"WX-{code}"),
        method="sandbox",
        now=make.NOON,
    )
    external_ids.bind(who, system="old-till", external_id=code, actor="test", now=make.NOON)
    change = {"version": 1, "programme": {"expiry_warning_days": 31}}
    programme_changes.apply(change, actor="test", now=make.NOON)  # the whole chain's, once
    benefit, is_new = Benefit.objects.get_or_create(
        code="CARD", name_zh="月卡福利", name_en="Card's", kind="points_boost", plan=plan
    )
    if is_new:
        benefit_grants.append_version(
            benefit,
            month=make.NOON.date().replace(day=1),
            actor="test",
            now=make.NOON,
            percent=150,
        )
    BenefitGrant.objects.create(member=who, benefit=benefit, period="2026-06", granted_at=make.NOON)


def _end_and_ask(code: str) -> None:
    """Let a membership be closed, and an adjustment wait for a second person."""
    leaver = make.member(at=code, name=f"离开{code}")
    departures.close_member(leaver, reason="搬家", actor="test", now=make.NOON)
    adjustments.request(
        make.member(at=code, name=f"等待{code}"),
        amount=Points(9000),
        reason="补偿",
        by=make.staff_member(code),
        source=f"large:{code}",
        now=make.NOON,
        expires_at=None,
    )


def price(basket: Basket) -> Cents:
    """Return what a basket costs."""
    return quotes.quote(basket, now=make.NOON).total_cents


def snapshot() -> Rows:
    """Return the keys of all rows that the back office knows."""
    return {
        model: set(model._default_manager.values_list("pk", flat=True))
        for model in admin.site._registry
    }


def added_since(before: Rows) -> Rows:
    """Return the keys of rows made since a snapshot."""
    return {model: keys - before[model] for model, keys in snapshot().items()}


def _furnish(store: Store) -> None:
    till = Till.objects.create(store=store, code=f"till-{store.code}".lower())
    tills.issue_till_key(till, now=make.NOON)
    tills.issue_report_key(f"reader of {store.code}", stores=[store], now=make.NOON)
    StoreProduct.objects.update_or_create(
        store=store, product=Product.objects.get(code="MT02"), defaults={"price_cents": Cents(1500)}
    )
    CampaignLimits.objects.get_or_create(pk=1)
    StoreHours.objects.filter(store=store, weekday=7).delete()
    StoreHours.objects.create(store=store, weekday=7, opens_at="10:00", closes_at="22:00")


def _promote(store: Store) -> ChannelLink:
    campaign = Campaign.objects.create(
        code=f"opening-{store.code}".lower(),
        name_zh=f"开业{store.code}",
        name_en=f"Opening {store.code}",
        starts_at=make.NOON,
    )
    campaign.stores.set([store])
    launch = CampaignPhase.objects.create(
        campaign=campaign,
        kind=CampaignPhase.Kind.LAUNCH,
        starts_at=make.NOON,
        ends_at=make.NOON + timedelta(days=30),
        target_joins=100,
        budget_cents=Cents(100_000),
    )
    flyer = Channel.objects.get(code="flyer")
    PhasePlan.objects.create(phase=launch, channel=flyer, cost_cents=Cents(50_000), joins=60)
    campaigns.move(campaign, to="active", reason="开业", actor="test", now=make.NOON)
    Reservation.objects.create(
        campaign=campaign, member=make.member(at=store.code), reserved_at=make.NOON
    )
    channel = Channel.objects.get(code="flyer")
    placement = channel.placements.first() or placements.create(
        channel, code="door", name_zh="门口", name_en="At the door"
    )
    link = links.create(
        channel=channel,
        placement=placement,
        label=f"door of {store.code}",
        store=store,
        campaign=campaign,
        now=make.NOON,
    )
    row = CostRow(link=link.code, date=make.NOON.date(), cost_cents=Cents(12345))
    costs.upsert([row], links={link.code: link})
    AdUnit.objects.create(platform="tencent", external_id=f"9{store.pk}", link=link)
    cost_imports.upload(
        file_name=f"{store.code}.csv",
        text=f"date,cost_cents\n{make.NOON:%F},700\n",
        preset="plain",
        link=link,
        currency="CNY",
        exchange_rate=None,
        staff=make.staff_member(store.code),
        links=ChannelLink.objects.filter(pk=link.pk),
        now=make.NOON,
    )
    TouchTotal.objects.create(
        link=link, date=make.NOON.date(), kind="scan", touches=3, visitors=2, flagged=1
    )
    return link


def _work_with_a_partner(store: Store, link: ChannelLink) -> None:
    partner = partnership.partner(code=f"partner-{store.code}".lower())
    deal = partnership.deal(partner, links=[link])
    statements.draft(deal.pk, month=partnership.JUNE, actor="staff:0", now=make.NOON)
    if not Content.objects.exists():  # the whole chain's
        partnership.content()
    partnership.visit(deal, on=make.NOON.date(), at=store.code)
    campaign = Campaign.objects.get(code=f"opening-{store.code}".lower())
    cobrands.create(campaign, partner=partner, revenue_share=3000, cost_share=5000)
    swap = swaps.agree(
        partner=partner,
        label="Screens",
        channel=link.channel,
        we_give="cups",
        they_give="screens",
        unit="days",
        agreed_quantity=90,
        agreed_cents=Cents(450_000),
        agreed_on=make.NOON.date(),
    )
    swaps.deliver(
        swap.pk,
        quantity=30,
        delivered_on=make.NOON.date(),
        reference="LF-1",
        actor="test",
        now=make.NOON,
    )


def _advertise(link: ChannelLink, who: Member) -> None:
    account = make.ad_account()
    click = click_reports.report(
        account, link_code=link.code, query={"click_id": f"click-{link.code}"}, now=who.joined_at
    )
    make.agreed(who)
    click_reports.claim(who, platform=account.platform, click_id=click.click_id, now=who.joined_at)
    ad_uploads.report_registration(who, now=make.NOON)


def _pay_with_coupon_and_points(code: str, who: Member) -> None:
    basket = make.basket(
        who=who,
        at=code,
        lines=[make.line(quantity=4)],
        coupon_codes=[make.coupon(who).code],
        points=Points(100),
    )
    total = price(basket)
    order = checkout.place_order(basket, expected_total_cents=total, now=make.NOON)
    tenders: Sequence[Tender] = [Tender(method="cash", amount_cents=total)]
    checkout.pay_order(number=order.number, tenders=tenders, actor="test", now=make.NOON)


def _buy_with_a_promotion(code: str) -> None:
    promotion = make.promotion(
        {"kind": "fixed_off", "amount_cents": 100},
        code=f"SALE_{code}",
        conditions={"stores": [code]},
        uses_total=9,
    )
    basket = make.basket(at=code)
    make.paid(what=basket, total=price(basket))
    promotion.refresh_from_db()
    definitions.pause(promotion)


def _pay_in_advance(code: str, who: Member) -> None:
    make.stored_value_on()
    make.topped_up(who, 10000, gift=1000)
    make.gift_card(5000, at=code)


def _buy_with_a_voucher(code: str) -> None:
    two = make.basket(
        at=code, lines=[make.line(quantity=2)], vouchers=[make.voucher(at=code).public_id]
    )
    make.paid(what=two, total=price(two))


def _buy_and_refund(basket: Basket) -> None:
    receipt = make.paid(what=basket, total=price(basket))
    refunds.refund_order(
        number=receipt.order.number,
        request=RefundRequest(amount_cents=Cents(100), reason="凉了"),
        actor="test",
        now=make.NOON,
    )
