"""Deals, statements, visits, co-brandings and swaps, worked out by hand (docs/partners.md)."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns import cobrands, costs, partner_costs, statements, swaps
from campaigns.costs import CostRow
from campaigns.models import Campaign, Channel, PartnerKey, StatementLine
from shop.kernel.money import Cents
from shop.models import Order
from shop.refunds import RefundRequest
from shop.storefront import refunds
from shop.storefront.invariants import suite
from tests import make
from tests.campaigns import partnership as of
from tests.campaigns.partnership import JUNE

pytestmark = pytest.mark.django_db

JULY = date(2026, 7, 1)
A_DAY = timedelta(days=1)


def at(month: int, day: int) -> datetime:
    """Return noon of that day in Shanghai."""
    return datetime(2026, month, day, 4, tzinfo=UTC)


def give_back(order: Order, cents: int, *, now: datetime) -> None:
    request = RefundRequest(amount_cents=Cents(cents))
    refunds.refund_order(number=order.number, request=request, actor="test", now=now)


def settled(deal: Any, month: date, *, now: datetime) -> Any:
    """Return a statement that was drafted and approved as it stood."""
    draft = statements.draft(deal.pk, month=month, actor="staff:1", now=now)
    return statements.approve(
        deal.pk, month=month, expected_total_cents=draft.total_cents, actor="staff:2", now=now
    )


class TestStatement:
    def test_is_the_fee_and_the_commission_on_what_was_sold_net_of_refunds(self) -> None:
        """5 cups at ¥12 less ¥9.99 back: 8 % of ¥50.01 is ¥4.0008, and ¥500 on top."""
        link = make.link("kol", at=None)
        deal = of.deal(links=[link])
        order = of.sold(link, cups=3, now=at(6, 18))
        of.sold(link, cups=2, now=at(6, 30))
        of.sold(make.link(), now=at(6, 18))
        give_back(order, 999, now=at(6, 19))

        june = settled(deal, JUNE, now=at(7, 2))

        assert (june.orders, june.sales_cents, june.commission_cents) == (2, 5001, 400)
        assert june.total_cents == 50_000 + 400

    def test_counts_the_days_of_the_deal_only(self) -> None:
        link = make.link("kol", at=None)
        deal = of.deal(links=[link], starts_on=date(2026, 6, 10), last_on=date(2026, 6, 20))
        for day in (9, 10, 20, 21):
            of.sold(link, now=at(6, day))

        assert settled(deal, JUNE, now=at(7, 2)).sales_cents == 2400

    def test_takes_what_came_back_later_off_the_next_one(self) -> None:
        link = make.link("kol", at=None)
        deal = of.deal(links=[link])
        order = of.sold(link, cups=5, now=at(6, 18))
        june = settled(deal, JUNE, now=at(7, 1))
        of.sold(link, now=at(7, 5))
        give_back(order, 2000, now=at(7, 3))
        give_back(order, 500, now=at(7, 4))

        july = settled(deal, JULY, now=at(8, 1))
        august = settled(deal, date(2026, 8, 1), now=at(9, 1))

        june.refresh_from_db()
        assert (june.sales_cents, june.total_cents) == (6000, 50_480)
        assert (july.sales_cents, july.corrections_cents, july.fee_cents) == (1200, -2500, 0)
        assert (july.commission_cents, july.total_cents) == (-104, -104)
        assert (august.corrections_cents, august.total_cents) == (0, 0)
        assert suite.check_all(now=timezone.now()).broken == []

    def test_holds_what_came_to_light_after_its_month_was_approved(self) -> None:
        link = make.link("kol", at=None)
        deal = of.deal(links=[link], fee_terms="monthly")
        settled(deal, JUNE, now=at(7, 1))
        of.sold(link, now=at(6, 30))

        july = settled(deal, JULY, now=at(8, 1))

        assert (july.sales_cents, july.fee_cents) == (1200, 50_000)

    def test_gives_an_order_to_the_link_before_the_coupon_and_to_one_deal(self) -> None:
        """A guest of the first deal's link uses the second deal's coupon (¥5 off ¥25)."""
        link, coupon = make.link("kol", at=None), make.definition("FULL25_5")
        first, second = of.deal(links=[link]), of.deal(coupons=[coupon])
        for who in (of.brought(link, now=at(6, 18)), make.member(now=at(6, 18))):
            mine = make.coupon(who, "FULL25_5", now=at(6, 18))
            basket = make.basket(who=who, lines=[make.line(quantity=3)], coupon_codes=[mine.code])
            make.paid(what=basket, total=3100, now=at(6, 18))

        june = [settled(deal, JUNE, now=at(7, 1)).sales_cents for deal in (second, first)]

        assert june == [3100, 3100]
        assert StatementLine.objects.count() == 2

    def test_takes_two_people_and_the_end_of_its_month(self) -> None:
        deal, (one, other) = of.deal(), [make.staff_member(group="Head office") for _ in "12"]
        asking, agreeing = make.session_of(one), make.session_of(other)
        path = f"/kol-deals/{deal.pk}/statement"
        june = {"month": "2026-06"}
        approval = june | {"expected_total_cents": 50_000}

        assert asking.post(path, {"month": "2026-07"}).json()["month"] == "2026-06"
        assert asking.post(path, june).status_code == 200
        assert asking.post(f"{path}/payment", june | {"reference": "B1"}).status_code == 409
        refused = [
            asking.post(f"{path}/approval", approval),
            agreeing.post(f"{path}/approval", june | {"expected_total_cents": 1}),
        ]
        approved = agreeing.post(f"{path}/approval", approval)
        again = agreeing.post(f"{path}/approval", approval)
        paid = asking.post(f"{path}/payment", june | {"reference": "B1"})

        assert [answer.json()["code"] for answer in refused] == [
            "approver-is-drafter",
            "statement-changed",
        ]
        assert (approved.status_code, again.json()["code"]) == (200, "statement-decided")
        assert (paid.json()["state"], paid.json()["payment_reference"]) == ("paid", "B1")
        with pytest.raises(statements.MonthNotOver):
            settled(of.deal(), JUNE, now=at(6, 30))

    def test_is_a_file_that_ends_with_what_it_comes_to(self) -> None:
        link = make.link("kol", at=None)
        deal = of.deal(links=[link])
        order = of.sold(link, cups=5, now=at(6, 18))
        settled(deal, JUNE, now=at(7, 1))
        office = make.staff(group="Head office")

        answer = office.get(f"/kol-deals/{deal.pk}/statement", format="csv", month="2026-06")

        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [(row["kind"], row["net_cents"]) for row in rows] == [
            ("order", "6000"),
            ("fee", "50000"),
            ("commission", "480"),
            ("total", "50480"),
        ]
        assert rows[0]["order"] == order.number

    def test_is_approved_by_another_even_where_no_rule_looks(self) -> None:
        june = settled(of.deal(), JUNE, now=at(7, 1))

        with pytest.raises(IntegrityError), transaction.atomic():
            type(june).objects.filter(pk=june.pk).update(approved_by=june.drafted_by)


class TestDeal:
    def test_goes_from_draft_to_its_end_and_nowhere_else(self) -> None:
        office, deal = make.staff(group="Head office"), of.deal(is_active=False)
        path = f"/kol-deals/{deal.pk}/status"

        answers = [
            office.post(path, {"status": status}).status_code
            for status in ("ended", "active", "cancelled", "ended", "active")
        ]

        assert answers == [409, 200, 409, 200, 409]

    def test_shares_no_link_with_another(self) -> None:
        office, link = make.staff(group="Head office"), make.link("kol", at=None)
        who = of.partner()
        body = {
            "partner": who.code,
            "label": "Videos",
            "channel": "kol",
            "starts_on": "2026-06-01",
            "last_on": "2026-06-30",
            "links": [link.code],
        }

        answers = [office.post("/kol-deals", body) for _each in range(2)]

        assert [answer.status_code for answer in answers] == [201, 409]
        assert answers[1].json()["code"] == "deal-source-taken"


class TestVisit:
    def test_has_drinks_on_the_house_once_and_their_goods_are_a_cost(self) -> None:
        """MT01 costs ¥4.10 to make (menu.json); the sale beside it is the only one reported."""
        now = timezone.now()
        today = make.store().business_date(now)
        visit = of.visit(of.deal(last_on=date(2099, 1, 1)), on=today, limit=2400)
        make.paid(now=now)
        till = make.till()
        path = f"/kol-visits/{visit.public_id}/order"
        cups = {"lines": [{"product": "MT01", "options": make.MILK_TEA, "quantity": 2}]}
        many = {"lines": [{"product": "MT01", "options": make.MILK_TEA, "quantity": 3}]}

        refused = till.post(path, many | {"pos_order_no": "K-0"})
        served = till.post(path, cups | {"pos_order_no": "K-1"})
        again = till.post(path, cups | {"pos_order_no": "K-2"})

        assert refused.json()["code"] == "visit-limit-exceeded"
        assert (served.status_code, served.json()["paid_cents"]) == (201, 0)
        assert (again.status_code, again.json()["reason"]) == (409, "served")
        order = Order.objects.get(number=served.json()["number"])
        (line,) = order.lines.all()
        (cost,) = partner_costs.by_channel(since=today, until=today + A_DAY)
        assert (cost.channel, cost.noncash_cents) == ("kol", 0)
        assert cost.cash_cents == 2 * line.unit_cost_cents > 0
        day = make.report_reader("SH001").get("/reports/daily", since=today, until=today + A_DAY)
        assert [row["orders"] for row in day.json()["rows"]] == [1]

    def test_is_of_its_store_and_day(self) -> None:
        now = timezone.now()
        today = make.store().business_date(now)
        tomorrow = of.visit(of.deal(last_on=date(2099, 1, 1)), on=today + A_DAY)
        body = {
            "lines": [{"product": "MT01", "options": make.MILK_TEA}],
            "pos_order_no": "K-3",
        }
        path = f"/kol-visits/{tomorrow.public_id}/order"

        assert make.till("SH002").post(path, body).status_code == 404
        assert make.till().post(path, body).json()["reason"] == "another-day"


class TestCobrand:
    def test_splits_what_it_brought_and_what_it_cost(self) -> None:
        """One uses the bakery's coupon (¥36 − ¥5), one comes by the campaign's link (¥12). 30 % of
        ¥43 is theirs; costs are the ¥5 and ¥20.01 of media, of which half, rounded up, is theirs.
        """
        now = make.NOON
        bakery = of.partner("brand")
        campaign = Campaign.objects.create(
            code="picnic", name_zh="野餐", name_en="Picnic", starts_at=now
        )
        link = make.link("flyer", at=None)
        type(link).objects.filter(pk=link.pk).update(campaign=campaign)
        cobrand = cobrands.create(
            campaign,
            partner=bakery,
            revenue_share=3000,
            cost_share=5000,
            coupons=[make.definition("FULL25_5")],
        )
        mine = make.coupon(who := make.member())
        basket = make.basket(who=who, lines=[make.line(quantity=3)], coupon_codes=[mine.code])
        make.paid(what=basket, total=3100)
        of.sold(link)
        costs.upsert(
            [CostRow(link=link.code, date=now.date(), cost_cents=Cents(2001))],
            links={link.code: link},
        )

        told = of.system_of(bakery).get("/cobrands/picnic").json()
        used = of.system_of(bakery).get("/cobrands/picnic/redemptions")

        assert (told["redemptions"], told["orders"]) == (1, 2)
        assert told["revenue"] == {"total_cents": 4300, "partner_cents": 1290, "own_cents": 3010}
        assert told["costs"] == {"total_cents": 2501, "partner_cents": 1251, "own_cents": 1250}
        (row,) = used.json()["results"]
        assert (row["discount_cents"], row["order_net_cents"]) == (500, 3100)
        for secret in (str(who.public_id), mine.code, who.phone_last4):
            assert secret not in used.content.decode()
        with pytest.raises(cobrands.CobrandTaken):
            cobrands.create(cobrand.campaign, partner=bakery, revenue_share=0, cost_share=0)


class TestPartnerKey:
    def test_opens_what_is_the_partners_until_it_is_revoked(self) -> None:
        who, other = of.partner(), of.partner()
        deal, theirs = of.deal(who), of.deal(other)
        office = make.staff(group="Head office")
        key = office.post(f"/partners/{who.code}/keys").json()["key"]
        system = make.Api(key)

        shown = system.get("/partners/me").json()

        assert (shown["code"], [row["id"] for row in shown["deals"]]) == (who.code, [deal.pk])
        listed = [row["id"] for row in system.get("/kol-deals").json()["results"]]
        assert listed == [deal.pk]
        assert system.get(f"/kol-deals/{theirs.pk}/statement").status_code == 404
        assert key.rsplit("_", 1)[1] not in office.get("/partners").content.decode()
        PartnerKey.objects.update(revoked_at=make.NOON)
        assert system.get("/partners/me").status_code == 401

    def test_shows_no_draft_of_a_statement(self) -> None:
        deal = of.deal()
        statements.draft(deal.pk, month=JUNE, actor="staff:1", now=at(7, 1))

        answer = of.system_of(deal.partner).get(f"/kol-deals/{deal.pk}/statement")

        assert answer.status_code == 404


class TestSwap:
    def test_costs_half_of_its_value_when_half_has_come(self) -> None:
        """¥4500.01 for 90 days of screens: 45 days are worth ¥2250.00, all of them all of it."""
        swap = swaps.agree(
            partner=of.partner("brand"),
            label="Cups for screens",
            channel=Channel.objects.get(code="kol"),
            we_give="cups",
            they_give="screens",
            unit="days",
            agreed_quantity=90,
            agreed_cents=Cents(450_001),
            agreed_on=JUNE,
        )
        office = make.staff(group="Head office")
        path = f"/resource-swaps/{swap.pk}/deliveries"
        june = {"quantity": 45, "delivered_on": "2026-06-30", "reference": "LF-1"}
        july = {"quantity": 45, "delivered_on": "2026-07-31", "reference": "LF-2"}

        values = [office.post(path, body).json()["value_cents"] for body in (june, june, july)]

        assert values == [225_000, 225_000, 225_001]
        assert [
            (cost.cash_cents, cost.noncash_cents)
            for cost in partner_costs.by_channel(since=JUNE, until=JULY)
        ] == [(0, 225_000)]
        told = office.get("/reports/economics", since="2026-06-01", until="2026-07-01").json()
        assert [
            (row["key"], row["cost_cents"], row["non_cash_cents"])
            for row in told["rows"]
            if row["non_cash_cents"]
        ] == [("total", 0, 225_000), ("kol", 0, 225_000)]
        too_much = office.post(path, july | {"reference": "LF-3", "quantity": 1})
        other = office.post(path, june | {"quantity": 44})
        assert (too_much.json()["code"], too_much.json()["left_quantity"]) == (
            "delivery-too-large",
            0,
        )
        assert other.json()["code"] == "delivery-reference-taken"
        assert suite.check_all(now=timezone.now()).broken == []
