"""Plan and actual of phases, and a flash hour by hour."""

from datetime import date, timedelta

import pytest

from campaigns import hours, performance, plans
from campaigns.api.phase_serializers import ProgressOut
from campaigns.models import DailyCost, PhasePlan
from shop.kernel.money import Cents
from shop.models import Store
from shop.refunds import RefundRequest
from shop.storefront import refunds
from tests import make
from tests.campaigns import partnership

pytestmark = pytest.mark.django_db

NOON = make.NOON
HOUR = timedelta(hours=1)


def test_day_5_of_30_with_22_percent_of_the_budget_and_17_of_the_joins() -> None:
    """Two of twelve new members by a planned link, one by a channel that nobody planned."""
    launch = make.phase(
        "launch",
        starts_at=NOON - timedelta(days=4, hours=12),
        ends_at=NOON + timedelta(days=25, hours=12),
        budget_cents=100_000,
        target_joins=12,
        target_cpa_cents=12_000,
        target_roas_percent=50,
    )
    planned, other = make.link("flyer", phase=launch), make.link("kol", phase=launch)
    PhasePlan.objects.create(
        phase=launch, channel=planned.channel, link=planned, cost_cents=44_000, reach=1000, joins=4
    )
    DailyCost.objects.create(link=planned, date=NOON.date(), cost_cents=22_000, estimated_reach=700)
    for link in (planned, planned, other):
        who = make.member(link_code=link.code, now=NOON - 2 * HOUR)
    make.paid(who=who, now=NOON - HOUR)
    for visitor, link in (("v1", planned), ("v2", planned), ("v1", other)):
        make.touch(link, visitor, now=NOON - HOUR)

    (progress,) = plans.compare([launch], now=NOON)
    shown = ProgressOut(progress).data

    assert (shown["day"], shown["days"], shown["elapsed_percent"]) == (5, 30, 15)
    goals = {goal["name"]: (goal["actual"], goal["percent"]) for goal in shown["goals"]}
    assert goals == {
        "cost_cents": (22_000, 22),
        "joins": (3, 25),
        "cpa_cents": (7_333, 61),
        "roas_percent": (5, 10),
    }
    assert (shown["total"]["reached"], shown["total"]["sales_cents"]) == (2, 1_200)
    first, second = sorted(shown["lines"], key=lambda line: line["link"], reverse=True)
    assert (first["link"], first["cost_percent"], first["reach_percent"]) == (planned.code, 50, 70)
    assert (first["joins_percent"], first["actual"]["reached"]) == (50, 2)
    assert (second["channel"], second["joins_percent"]) == (other.channel.code, None)
    assert second["actual"]["first_orders"] == 1


def test_a_flash_is_counted_by_the_hours_on_the_stores_wall() -> None:
    """¥2.40 a day are 10 fen an hour; in Urumqi the clock shows two hours less."""
    flash = make.phase(starts_at=NOON - timedelta(hours=2, minutes=30))
    link = make.link(phase=flash)
    offer = make.definition("WINBACK_6", is_claimable=True, valid_until=None, valid_days=30)
    flash.coupon_definitions.add(offer)
    DailyCost.objects.create(link=link, date=date(2026, 6, 18), cost_cents=240)
    make.member(link_code=link.code, now=NOON - 2 * HOUR)
    make.coupon(make.member(), "WINBACK_6", now=NOON - HOUR)

    seen = hours.build(flash.campaign, flash, now=NOON + timedelta(minutes=1))

    assert [hour.local[-5:] for hour in seen] == ["09:00", "10:00", "11:00", "12:00"]
    assert [hour.joined for hour in seen] == [0, 1, 0, 0]
    assert [hour.coupons_issued for hour in seen] == [0, 0, 1, 0]
    assert {hour.cost_cents for hour in seen} == {10}
    store = make.store()
    Store.objects.filter(pk=store.pk).update(timezone="Asia/Urumqi")
    flash.campaign.stores.add(store)
    (first, *_rest) = hours.build(flash.campaign, flash, now=NOON)
    assert first.local == "2026-06-18 07:00"


def test_hours_of_another_campaigns_phase_are_refused() -> None:
    make.phase()

    answer = make.report_reader().get("/campaigns/cup618/hourly", phase=10**9)

    assert answer.status_code == 400


def test_a_refund_lowers_what_a_campaign_performed() -> None:
    """One link sold ¥24 and ¥12: first ¥9.99 go back, then the second order whole."""
    flash = make.phase()
    link = make.link("flyer", phase=flash)
    orders = [partnership.sold(link, cups=cups, now=NOON) for cups in (2, 1)]
    office, path = make.report_reader(), f"/campaigns/{flash.campaign.code}/performance"
    before = office.get(path).json()

    for order, cents in zip(orders, (999, 1200), strict=True):
        request = RefundRequest(amount_cents=Cents(cents))
        refunds.refund_order(number=order.number, request=request, actor="test", now=NOON + HOUR)
    after = office.get(path).json()

    names = ("attributed_orders", "attributed_sales_cents", "orders", "sales_cents")
    assert [before[name] for name in names] == [2, 3600, 2, 3600]
    assert [after[name] for name in names] == [1, 1401, 1, 1401]
    assert sum(day.sales_cents for day in performance.by_day(flash.campaign, now=NOON + HOUR)) == (
        1401
    )
