"""Every invariant: silent over a lively shop, and loud about the one thing that is broken in it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from campaigns import (
    ad_uploads,
    campaigns,
    caps,
    codes,
    costs,
    phases,
    reservations,
    statements,
    swaps,
)
from campaigns.cost_rows import CostRow
from campaigns.models import AdUpload, Promotion
from loyalty import (
    adjustments,
    earning_events,
    pins,
    plan_orders,
    plans,
    prepaid,
    promises,
    rewards,
)
from loyalty.lifetimes import Lifetime
from loyalty.models import Benefit, MembershipPlan, Tier
from shop.kernel import jobs
from shop.kernel.models import Job
from shop.kernel.money import Cents, Points
from shop.models import Alert, Payment, Refund
from shop.orders import Tender
from shop.payments import Notice
from shop.refunds import RefundRequest
from shop.storefront import (
    benefit_grants,
    checkout,
    departures,
    hospitality,
    merging,
    refunds,
    tasks,
)
from shop.storefront.invariants import suite
from shop.storefront.rollups import upkeep
from tests import make
from tests.campaigns import partnership

pytestmark = pytest.mark.django_db

LATER = make.NOON + timedelta(days=8)


@pytest.fixture(scope="module", autouse=True)
def shop(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A shop where a bit of everything has happened; built once, never committed."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # lets durable blocks be within
    with django_db_blocker.unblock(), block:
        live()
        yield
        transaction.set_rollback(True)


def leave_and_ask() -> None:
    """Let one member be merged, one be erased, and an adjustment wait for a second person."""
    duplicate, leaver = make.member(), make.member()
    make.give_points(duplicate, 40)
    make.paid(who=duplicate)
    by = {"reason": "one person", "actor": "test", "now": make.NOON}
    merging.merge_members(duplicate, into=make.member(), **by)
    make.paid(who=leaver)
    departures.erase_member(leaver, **by)
    adjustments.request(
        make.member(),
        amount=Points(9000),
        reason="compensation",
        by=make.staff_member(),
        source="large",
        now=make.NOON,
        expires_at=None,
    )


def pay_with_a_voucher() -> None:
    """Let a guest have two teas for one that was bought on another platform."""
    two = make.basket(lines=[make.line(quantity=2)], vouchers=[make.voucher(price=1300).public_id])
    make.paid(what=two, total=1200)


def pay_in_advance() -> None:
    """Let a member top up, pay with it and with a gift card, and have half of it back."""
    make.stored_value_on()
    who = make.topped_up(make.member(), 5000, gift=500)
    _card, code = make.gift_card(2000)
    order = make.placed(who=who)
    checkout.pay_order(
        number=order.number,
        tenders=[
            Tender(method="stored_value", amount_cents=Cents(700), code=make.pay_code(who)),
            Tender(method="gift_card", amount_cents=Cents(500), code=code),
        ],
        actor="test",
        now=make.NOON,
    )
    refunds.refund_order(
        number=order.number,
        request=RefundRequest(amount_cents=Cents(600)),
        actor="test",
        now=make.NOON,
    )


def start_a_campaign() -> None:
    """Let a member reserve during a preheat and get the coupon when the flash starts."""
    offer = make.definition("WINBACK_6", status="active", valid_until=None, valid_days=30)
    preheat = make.phase(
        "preheat",
        starts_at=make.NOON - timedelta(days=9),
        ends_at=make.NOON,
        reservation_coupon=offer,
    )
    phases.advance(now=make.NOON - timedelta(days=1))
    reservations.reserve(
        preheat.campaign, member_id=make.member().pk, now=make.NOON - timedelta(days=1)
    )
    make.phase("flash72", starts_at=make.NOON).coupon_definitions.add(offer)
    campaigns.advance(now=make.NOON)
    jobs.run(Job.objects.get(kind=reservations.JOB).pk, now=make.NOON)


def advertise() -> None:
    """Let an ad bring a member whose order and refund its platform is told, and cost by keyword."""
    account, who = make.ad_account(), make.agreed(make.member())
    link = make.link("douyin")
    row = CostRow(link=link.code, date=make.NOON.date(), keyword="tea", cost_cents=Cents(100))
    costs.upsert([row], links={link.code: link})
    ad_uploads.claim_click(who, platform=account.platform, click_id="click-0001", now=make.NOON)
    order = make.paid(who=who).order
    ad_uploads.report_order(order, now=make.NOON)
    _refund(order.number)
    ad_uploads.report_refund(Refund.objects.get(order=order), now=make.NOON)
    assert AdUpload.objects.update(state="sent", sent_at=make.NOON) == 3


def work_with_partners() -> None:
    """Let a deal owe something, its visitor have a cup on the house, and a swap deliver."""
    link = make.link("kol", at=None)
    deal = partnership.deal(links=[link])
    partnership.sold(link)
    statements.draft(deal.pk, month=partnership.JUNE, actor="test", now=make.NOON)
    visit = partnership.visit(deal, on=make.NOON.date())
    hospitality.serve_visit(
        visit.public_id, make.basket(), pos_order_no="K-1", actor="test", now=make.NOON
    )
    swap = swaps.agree(
        partner=deal.partner,
        label="Screens",
        channel=link.channel,
        we_give="cups",
        they_give="screens",
        unit="days",
        agreed_quantity=90,
        agreed_cents=Cents(450_000),
        agreed_on=partnership.JUNE,
    )
    swaps.deliver(
        swap.pk,
        quantity=30,
        delivered_on=partnership.JUNE,
        reference="LF-1",
        actor="test",
        now=make.NOON,
    )


def live() -> None:
    """Let a regular, a friend and a guest do what people do."""
    regular = make.member()
    leave_and_ask()
    pay_with_a_voucher()
    pay_in_advance()
    start_a_campaign()
    advertise()
    work_with_partners()
    make.looked_at()
    make.give_points(regular, 1400)
    make.definition("FULL25_5", uses_per_store=50)
    coupon = make.coupon(regular)
    make.coupon(regular)
    three = [make.line(quantity=3)]
    lines = make.basket(who=regular, lines=three, coupon_codes=[coupon.code], points=100)
    order = make.paid(what=lines, total=2900).order
    _refund(order.number, quantities={1: 1})
    _refund(make.paid(who=regular).order.number)
    _refund(make.paid(what=make.basket(who=regular, points=500), total=600).order.number)
    make.paid(what=make.basket(who=regular, lines=[make.line(quantity=26)]), total=31_200)
    held = make.basket(who=regular, points=50)
    make.placed(what=held, total=1100, now=timezone.now())
    taken = rewards.redeem("FREE_DRINK", member_id=regular.pk, now=make.NOON)
    make.paid(what=make.basket(who=regular, reward_code=taken.code), total=0)

    friend, unhappy = make.referred(regular), make.referred(regular)
    make.paid(who=friend)
    bought = make.paid(who=unhappy).order
    for promise in promises.due(now=LATER, limit=10):
        promises.release(
            promise, now=LATER, expires_at=Lifetime().ends_at(LATER, timezone="Asia/Shanghai")
        )
    _refund(bought.number)
    make.paid(who=make.referred(friend), now=timezone.now())
    _refund(make.paid().order.number)
    make.paid()
    promotion = make.promotion(
        {"kind": "fixed_off", "amount_cents": 100}, uses_total=3, budget_cents=1000
    )
    make.paid(total=1100)
    _refund(make.paid(total=1100).order.number)
    Promotion.objects.filter(pk=promotion.pk).update(status="paused")
    make.till().post("/pos/settle", settle_body())
    _give_what_cards_give()
    pins.pin(
        make.member().pk,
        tier_code=Tier.objects.get(level=3).code,
        until=timezone.now() + timedelta(days=30),
        reason="partner",
        actor="test",
        now=make.NOON,
    )

    _enter_codes()
    make.earning_rule("REVIEW", kind="event", event="review", points=5)
    earning_events.record(
        regular.pk, event="review", key="1", store=make.store(), actor="test", now=make.NOON
    )
    upkeep.refresh()


def _give_what_cards_give() -> None:
    """Sell a card twice to one member, who gets its coupon of the month."""
    plan = MembershipPlan.objects.create(
        code="MONTH", name_zh="月卡", name_en="Card", price_cents=Cents(1990), days=30
    )
    benefit = Benefit.objects.create(
        code="CARD", name_zh="月券", name_en="Monthly", kind="coupons", plan=plan
    )
    benefit_grants.append_version(
        benefit,
        month=make.NOON.date().replace(day=1),
        actor="test",
        now=make.NOON,
        coupon="FULL25_5",
    )
    who = make.member()
    for number in range(2):
        plans.purchase(
            plan.code,
            member_id=who.pk,
            store=make.store(),
            method="cash",
            paid_cents=Cents(1990),
            source=f"test:{number}",
            actor="test",
            now=make.NOON,
        )
    order = plan_orders.place(plan.code, member=who, price_cents=Cents(1990), now=make.NOON)
    plan_orders.pay(
        Notice(order_number=order.number, amount_cents=Cents(1990), provider_ref="WX-CARD"),
        method="sandbox",
        now=make.NOON,
    )
    for job in benefit_grants.start_due(now=make.NOON):
        jobs.run(job.pk, now=make.NOON)


def _enter_codes() -> None:
    rush = make.definition("PCT88_CAP8", claim_buckets=3, total_limit=50, per_member_limit=9)
    caps.divide(rush)
    make.batch("PCT88_CAP8", kind="shared", word="TEA2026", quantity=3)
    paper, _unused = make.papers(make.batch("PCT88_CAP8", quantity=2))
    who = make.member()
    for code in ("TEA2026", paper):
        codes.enter(code, member_id=who.pk, guesser="test", now=make.NOON)


def settle_body() -> dict[str, Any]:
    line = {"product": "MT01", "quantity": 1, "options": make.MILK_TEA}
    return {"lines": [line], "expected_total_cents": 1200, "pos_order_no": "wire-1"}


def _refund(number: str, **request: Any) -> None:
    refunds.refund_order(
        number=number, request=RefundRequest(**request), actor="test", now=make.NOON
    )


def tamper(sql: str) -> None:
    """Write to the database as no code of ours could: without triggers, keys and checks."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, name in _constraints(cursor, sql):
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}" CASCADE')
        for index in _unique_indexes(cursor, sql):
            cursor.execute(f'DROP INDEX "{index}"')
        cursor.execute(sql)
        assert cursor.rowcount > 0, "the sabotage changed nothing"


def _constraints(cursor: Any, sql: str) -> list[tuple[str, str]]:
    cursor.execute(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint"
        " WHERE contype IN ('c', 'u') AND conrelid <> 0"
        " AND position(conrelid::regclass::text IN %s) > 0",
        [sql],
    )
    return list(cursor.fetchall())


def _unique_indexes(cursor: Any, sql: str) -> list[str]:
    cursor.execute(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique AND NOT indisprimary"
        " AND position(indrelid::regclass::text IN %s) > 0",
        [sql],
    )
    return [name.strip('"') for (name,) in cursor.fetchall()]


def broken() -> set[str]:
    return {finding.name for finding in suite.check_all(now=timezone.now()).broken}


NEW_ENTRY = """
    INSERT INTO loyalty_pointsentry
        (account_id, kind, points, balance_after, source, note, actor, occurred_at)
    SELECT account_id, '{kind}', {points}, 0, '{source}', '', '', now()
    FROM loyalty_pointsentry ORDER BY id DESC LIMIT 1
"""
OVERPAID = (
    "UPDATE shop_payment SET amount_cents = amount_cents + 1"
    " WHERE method NOT IN ('stored_value', 'gift_card')"
)
ONE = "(SELECT min(id) FROM {})"
SABOTAGE = {
    "stored-value-is-the-sum-of-its-entries": (
        "UPDATE loyalty_moneyaccount SET balance_cents = balance_cents + 1"
    ),
    "each-balance-of-money-follows-from-the-one-before": (
        "UPDATE loyalty_moneyentry SET balance_after_cents = balance_after_cents + 1"
    ),
    "what-stored-value-paid-was-taken-from-it": (
        "DELETE FROM loyalty_moneyentry WHERE kind = 'spend'"
    ),
    "nobody-gets-back-more-than-they-paid": (
        "UPDATE loyalty_moneyentry SET cents = cents + 9999 WHERE kind = 'give_back'"
    ),
    "a-sale-of-stored-value-was-paid-and-booked": (
        "UPDATE loyalty_storedvaluepayment SET amount_cents = amount_cents - 1"
    ),
    "a-gift-that-expired-is-gone": (
        "UPDATE loyalty_moneyaccount SET expires_at = now() - interval '2 days' WHERE kind = 'gift'"
    ),
    "balance-is-the-sum-of-entries": "UPDATE loyalty_pointsaccount SET balance = balance + 1",
    "each-balance-follows-from-the-one-before": (
        "UPDATE loyalty_pointsentry SET balance_after = balance_after + 1"
        " WHERE id = (SELECT min(id) FROM loyalty_pointsentry)"
    ),
    "balance-is-that-of-the-last-entry": (
        "UPDATE loyalty_pointsentry SET balance_after = balance_after + 1"
        " WHERE id = (SELECT max(id) FROM loyalty_pointsentry)"
    ),
    "lots-less-debt-are-the-balance": "UPDATE loyalty_pointslot SET remaining = remaining + 1",
    "only-what-was-taken-back-makes-debt": (
        "UPDATE loyalty_pointsaccount SET held = balance + 1 WHERE NOT EXISTS (SELECT FROM"
        " loyalty_pointsentry WHERE account_id = loyalty_pointsaccount.id AND points < 0)"
    ),
    "held-is-the-sum-of-pending-holds": "UPDATE loyalty_pointsaccount SET held = held + 1",
    "no-hold-outlives-what-it-is-for": (
        "UPDATE shop_order SET status = 'cancelled' WHERE status = 'pending'"
    ),
    "a-resolved-hold-was-spent-or-freed": (
        "UPDATE loyalty_pointshold SET state = 'voided' WHERE state = 'posted'"
    ),
    "a-lot-is-what-its-draws-left": "UPDATE loyalty_pointsdraw SET points = points + 1",
    "a-debit-draws-all-that-there-was": "DELETE FROM loyalty_pointsdraw",
    "promises-come-true-in-time": (
        "UPDATE loyalty_pendingpoints SET available_at = '2000-01-01' WHERE state = 'pending'"
    ),
    "what-moves-or-comes-back-was-there": (
        "UPDATE loyalty_pointsentry SET kind = 'extend_in' WHERE kind = 'earn'"
    ),
    "what-is-given-back-had-expired-and-comes-once": (
        "UPDATE loyalty_pointsentry SET kind = 'reinstate' WHERE kind = 'earn'"
    ),
    "what-has-expired-is-gone": (
        "UPDATE loyalty_pointslot SET expires_at = '2000-01-01' WHERE remaining > 0"
    ),
    "lots-are-drawn-soonest-expiring-first": (
        "UPDATE loyalty_pointslot SET expires_at = '2000-01-01' WHERE remaining > 0"
    ),
    "coupon-counters-are-the-coupons": (
        "UPDATE campaigns_coupondefinition SET issued_count = issued_count + 1"
    ),
    "nobody-has-more-of-a-coupon-than-allowed": "UPDATE campaigns_coupon SET slot = slot + 99",
    "a-coupon-given-on-is-in-one-wallet": (
        "UPDATE campaigns_coupon SET status = 'transferred', held_by_id = NULL"
        " WHERE status = 'available'"
    ),
    "no-revoked-coupon-is-free": (
        "UPDATE campaigns_coupon SET revoked_at = now() WHERE status = 'available'"
    ),
    "a-coupon-is-where-its-order-says": (
        "UPDATE campaigns_coupon SET status = 'available', held_by_id = NULL"
        " WHERE status = 'redeemed'"
    ),
    "a-redemption-is-the-discount-on-its-order": (
        "UPDATE campaigns_couponredemption SET discount_cents = discount_cents + 1"
    ),
    "a-promotion's-use-stands-on-a-standing-order": (
        "UPDATE campaigns_promotionuse SET released_at = now() WHERE released_at IS NULL"
    ),
    "a-promotion's-use-is-the-discount-on-its-order": (
        "UPDATE campaigns_promotionuse SET discount_cents = discount_cents + 1"
    ),
    "limits-of-promotions-are-counted-and-kept": (
        "UPDATE campaigns_usagecounter SET used = used + 1"
    ),
    "limits-of-coupons-are-counted-and-kept": (
        "UPDATE campaigns_usagecounter SET used = used + 1 WHERE offer LIKE 'coupon:%'"
    ),
    "a-reward-is-where-its-points-are": (
        "UPDATE loyalty_rewardredemption SET status = 'expired' WHERE status = 'used'"
    ),
    "a-tier-is-earned-or-kept": (
        "UPDATE loyalty_membership SET tier_id = (SELECT id FROM loyalty_tier WHERE level = 4)"
    ),
    "a-tier-is-kept-no-longer-than-its-period": (
        "UPDATE loyalty_membership SET kept_until = '2020-01-01' WHERE kept_until IS NOT NULL"
    ),
    "a-tier-is-that-of-the-last-change": "DELETE FROM loyalty_tierchange",
    "paid-periods-follow-each-other": (
        "UPDATE loyalty_planpurchase SET starts_at = bought_at - interval '1 day'"
    ),
    "a-paid-plan-order-has-its-period": (
        "UPDATE loyalty_planpayment SET amount_cents = amount_cents + 1"
    ),
    "coupons-of-a-benefit-have-their-grant": "DELETE FROM loyalty_benefitgrant",
    "a-pinned-tier-is-the-members": (
        "UPDATE loyalty_tierpin SET tier_id = (SELECT id FROM loyalty_tier WHERE level = 1)"
    ),
    "a-friend-is-brought-once": (
        "INSERT INTO campaigns_referral (referrer_id, referee_id, status, registered_at)"
        " SELECT referee_id, referrer_id, 'registered', now() FROM campaigns_referral"
        " UNION ALL SELECT referrer_id, referee_id, 'registered', now() FROM campaigns_referral"
    ),
    "nobody-brings-whom-they-came-by": (
        "INSERT INTO campaigns_referral (referrer_id, referee_id, status, registered_at)"
        " SELECT referee_id, referrer_id, 'registered', now() FROM campaigns_referral LIMIT 1"
    ),
    "a-friend-who-bought-is-behind-each-reward": (
        "UPDATE campaigns_referral SET status = 'registered', order_id = NULL"
    ),
    "a-promise-stands-while-its-referral-does": (
        "UPDATE loyalty_pendingpoints SET state = 'pending' WHERE state = 'posted'"
    ),
    "a-qualified-referral-has-its-order": (
        "UPDATE campaigns_referral SET order_id = NULL WHERE status = 'qualified'"
    ),
    "a-member-has-all-that-members-have": "DELETE FROM campaigns_acquisition",
    "an-event-is-one-touch": (
        "INSERT INTO campaigns_touch (event_id, kind, visitor_id, occurred_at, link_id)"
        " SELECT twin, 'scan', 'v', at, 0"
        " FROM (SELECT '0197a0de-7c1c-7a3e-9d0a-5b1f1c9a2e11'::uuid AS twin) one,"
        " unnest(ARRAY['2026-05-01', '2026-06-01']::timestamptz[]) at"
    ),
    "payments-are-what-was-paid": "UPDATE shop_payment SET amount_cents = amount_cents + 1",
    "refunds-are-what-was-given-back": "UPDATE shop_refund SET amount_cents = amount_cents + 1",
    "refund-lines-are-the-refund": "UPDATE shop_refundline SET amount_cents = amount_cents + 1",
    "a-line-knows-its-refunds": "UPDATE shop_orderline SET refunded_cents = refunded_cents + 1",
    "refunded-means-whole": "UPDATE shop_order SET status = 'paid' WHERE status = 'refunded'",
    "a-member's-order-is-one-visit": "DELETE FROM loyalty_visit",
    "a-member's-order-earns-once-in-each-wallet": (
        "DELETE FROM loyalty_pointsentry WHERE kind = 'earn'"
    ),
    "a-member's-order-earns-its-stamps-once": "UPDATE shop_order SET stamps = stamps + 1",
    "nothing-is-earned-without-an-order": NEW_ENTRY.format(
        kind="earn", points=10, source="order:none"
    ),
    "points-spent-are-the-order's": (
        "UPDATE shop_order SET points_spent = points_spent + 1 WHERE paid_at IS NOT NULL"
    ),
    "refunds-take-back-what-was-earned": (
        "UPDATE loyalty_pointsentry SET points = points - 1 WHERE kind = 'reverse_earn'"
    ),
    "refunds-give-back-what-was-spent": (
        "UPDATE loyalty_pointsentry SET points = points - 1 WHERE kind = 'reverse_spend'"
    ),
    "a-member's-order-is-one-conversion": ("DELETE FROM campaigns_conversion WHERE kind = 'order'"),
    "a-refund-is-taken-off-its-channel": "DELETE FROM campaigns_conversion WHERE kind = 'refund'",
    "lines-add-up-to-the-order": "UPDATE shop_orderline SET net_cents = net_cents + 1",
    "a-line's-discount-is-that-of-its-offers": "DELETE FROM shop_orderdiscount",
    "what-a-coupon-took-off-is-its-use": "DELETE FROM campaigns_couponredemption",
    "pickup-numbers-have-no-gaps": (
        "UPDATE shop_order SET pickup_number = pickup_number + 1 WHERE pickup_number > 2"
    ),
    "each-event-has-its-message": (
        "DELETE FROM kernel_outboxmessage WHERE topic = 'order.refunded'"
    ),
    "no-message-is-given-up": "UPDATE kernel_outboxmessage SET state = 'dead'",
    "a-message-is-received-once": (
        "INSERT INTO kernel_inboxreceipt (consumer, message_id, received_at)"
        " SELECT 'test', id, now() FROM kernel_outboxmessage CROSS JOIN generate_series(1, 2)"
    ),
    "buckets-add-up-to-the-cap": "UPDATE campaigns_capbucket SET cap = cap + 1 WHERE number = 1",
    "a-batch-has-the-codes-it-counts": (
        "UPDATE campaigns_codebatch SET made_count = made_count - 1 WHERE kind = 'each'"
    ),
    "a-printed-code-is-a-batch's": "UPDATE campaigns_batchcode SET batch_id = 0",
    "a-coupon-of-a-batch-is-one-of-its-codes": (
        "UPDATE campaigns_coupon SET code = code || 'X' WHERE batch_id IS NOT NULL"
    ),
    "a-word-is-used-as-often-as-counted": (
        "UPDATE campaigns_codebatch SET used_count = used_count + 1 WHERE kind = 'shared'"
    ),
    "a-voucher's-payment-has-its-voucher": (
        "UPDATE shop_payment SET provider_ref = 'voucher:none' WHERE method = 'voucher'"
    ),
    "a-voucher-on-an-order-pays-for-it": (
        "UPDATE shop_payment SET method = 'card' WHERE method = 'voucher'"
    ),
    "a-voucher-goes-back-only-with-its-order": (
        "UPDATE campaigns_voucher SET status = 'cancelled' WHERE order_id IS NOT NULL"
    ),
    "an-open-voucher-is-asked-about": (
        "UPDATE campaigns_voucher SET status = 'unknown', next_check_at = NULL"
        " WHERE order_id IS NULL"
    ),
    "who-left-holds-nothing": (
        "UPDATE shop_member SET status = 'closed', merged_into_id = NULL"
        " WHERE id = (SELECT min(id) FROM shop_member)"
    ),
    "a-merge-takes-what-it-gives": (
        "UPDATE loyalty_pointsentry SET kind = 'merge_in' WHERE kind = 'adjust' AND points > 0"
    ),
    "nobody-is-merged-into-who-left": (
        "UPDATE shop_member SET status = 'closed', merged_into_id = id"
    ),
    "an-adjustment-is-posted-once-agreed": (
        "UPDATE loyalty_pointsadjustment SET state = 'posted' WHERE state = 'pending'"
    ),
    "an-event-earned-what-it-says": "UPDATE loyalty_earningevent SET points = points + 1",
    "what-a-rule-gave-has-its-order-or-event": "UPDATE loyalty_earninggain SET source = 'none'",
    "a-statement-is-the-sum-of-its-lines": (
        "UPDATE campaigns_dealstatement SET sales_cents = sales_cents + 1"
    ),
    "what-is-stated-of-an-order-is-within-what-was-paid": (
        "UPDATE campaigns_statementline SET net_cents = net_cents + 100000"
    ),
    "a-visit-has-an-order-on-the-house": (
        "UPDATE shop_order SET is_complimentary = false WHERE is_complimentary"
    ),
    "a-swap-delivers-what-its-deliveries-say": (
        "UPDATE campaigns_resourceswap SET delivered_quantity = delivered_quantity + 1"
    ),
    "what-is-on-the-house-counts-nowhere": (
        "UPDATE shop_order SET is_complimentary = true"
        " WHERE id = (SELECT max(order_id) FROM loyalty_visit)"
    ),
    "member-rollups-are-the-orders": (
        "UPDATE storefront_memberrollup SET margin_cents = margin_cents + 1 WHERE orders > 0"
    ),
    "cohorts-are-their-members": "UPDATE storefront_cohortday SET orders = orders + 1",
    "months-are-their-days": "UPDATE storefront_cohortmonth SET joined = joined + 1",
    "meetings-are-the-touches": (
        "UPDATE storefront_meeting SET met_last_at = met_last_at + interval '1 second'"
    ),
    "who-met-us-once-is-counted-once": "UPDATE storefront_metonceday SET reached = reached + 1",
    "sales-days-are-the-orders": (
        "UPDATE storefront_salesday SET first_orders = first_orders + 1 WHERE channel_id > 0"
    ),
    "an-offer-of-phases-works-only-while-one-runs": (
        "UPDATE campaigns_campaignphase SET status = 'planned' WHERE kind = 'flash72'"
    ),
    "a-phase-stands-where-its-history-says": (
        "UPDATE campaigns_campaignphase SET status = 'planned' WHERE kind = 'preheat'"
    ),
    "a-list-counts-its-reservations": "DELETE FROM campaigns_reservation",
    "a-reserved-coupon-is-the-member's": "UPDATE campaigns_reservation SET told_at = NULL",
    "nothing-was-told-without-consent": "UPDATE campaigns_adupload SET sent_at = '2001-01-01Z'",
    "a-refund-is-told-only-after-its-order": (
        "UPDATE campaigns_adupload SET state = 'refused', sent_at = NULL"
        " WHERE event = 'first_order'"
    ),
    "a-day-costs-in-all-or-by-keyword": (
        "INSERT INTO campaigns_dailycost (link_id, date, keyword, cost_cents, currency,"
        " impressions, clicks, estimated_reach)"
        " SELECT link_id, date, '', 1, 'CNY', 0, 0, 0 FROM campaigns_dailycost"
        " WHERE keyword <> ''"
    ),
    "each-remembered-request-has-its-answer": "UPDATE kernel_idempotencyrecord SET body = ''",
}


class TestInvariants:
    def test_hold_in_a_lively_shop(self) -> None:
        assert broken() == set()

    def test_are_each_broken_by_a_test(self) -> None:
        assert {check.name for check in suite.CHECKS} == set(SABOTAGE)

    @pytest.mark.parametrize("name", SABOTAGE)
    def test_are_reported_when_broken(self, name: str) -> None:
        tamper(SABOTAGE[name])

        assert name in broken()


class TestTheHourlyCheck:
    def test_raises_one_alarm_per_broken_invariant(self) -> None:
        tamper(OVERPAID)

        tasks.check_invariants()
        tasks.check_invariants()

        alert = Alert.objects.get(code="invariant-broken")
        assert alert.subject.startswith("payments-are-what-was-paid ")
        changed = Payment.objects.exclude(method__in=prepaid.METHODS)
        assert alert.details["violations"] == changed.count()

    def test_says_nothing_when_all_is_well(self) -> None:
        tasks.check_invariants()

        assert not Alert.objects.exists()


class TestCheckInvariants:
    def test_prints_json_and_leaves_quietly_when_all_is_well(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("check_invariants")

        out, err = capsys.readouterr()
        assert json.loads(out)["ok"] is True
        assert "0 broken" in err

    def test_shows_examples_and_exits_with_1_when_something_is_broken(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tamper(OVERPAID)

        with pytest.raises(SystemExit) as exited:
            call_command("check_invariants")

        assert exited.value.code == 1
        report = json.loads(capsys.readouterr().out)
        (bad,) = [check for check in report["checks"] if check["violations"]]
        assert (bad["id"], bad["name"]) == ("I7", "payments-are-what-was-paid")
        assert len(bad["examples"]) == 5
        assert bad["examples"][0]["payments"] == bad["examples"][0]["paid_cents"] + 1
