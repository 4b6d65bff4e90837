"""What tiers and plans give: versions by month, grants once, birthdays, paid memberships."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from campaigns.models import Coupon
from loyalty import benefits, plans
from loyalty.models import (
    Benefit,
    BenefitGrant,
    BenefitVersion,
    Membership,
    MembershipPlan,
    PlanPurchase,
    Tier,
)
from shop import members
from shop.kernel import jobs
from shop.kernel.errors import InvalidInput
from shop.kernel.money import Cents
from shop.models import Member
from shop.storefront import benefit_grants, facts, plan_returns
from shop.storefront.invariants import suite
from tests import make

pytestmark = pytest.mark.django_db

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
DAY = timedelta(days=1)
CARD = 1990


def benefit(kind: str = "coupons", *, level: int | None = 1, **fields: Any) -> Benefit:
    """Return a benefit of a tier, which gives from June on."""
    what: dict[str, Any] = {"coupons": {"coupon": "FULL25_5"}, "birthday": {"coupon": "FULL25_5"}}
    what |= {"points_boost": {"percent": 200}, "text": {"text_zh": "优先", "text_en": "First"}}
    make.definition("FULL25_5", per_member_limit=99)
    row = Benefit.objects.create(
        code=f"b{Benefit.objects.count()}",
        name_zh="月券",
        name_en="Monthly",
        kind=kind,
        tier=Tier.objects.get(level=level) if level else None,
        plan=fields.pop("plan", None),
    )
    append(row, JUNE, **what[kind] | fields)
    return row


def append(row: Benefit, month: date, *, now: datetime = make.NOON, **what: Any) -> BenefitVersion:
    return benefit_grants.append_version(row, month=month, actor="test", now=now, **what)


def run(*, now: datetime) -> list[dict[str, Any]]:
    """Do all that is due at that moment."""
    return [jobs.run(job.pk, now=now).result for job in benefit_grants.start_due(now=now)]


def coupons_of(who: Member) -> int:
    return Coupon.objects.filter(member=who, source__startswith="benefit:").count()


def plan(price: int = CARD, days: int = 30) -> MembershipPlan:
    return MembershipPlan.objects.create(
        code="MONTH", name_zh="月卡", name_en="Monthly card", price_cents=Cents(price), days=days
    )


def bought(who: Member, *, now: datetime = make.NOON, source: str = "") -> PlanPurchase:
    return plans.purchase(
        "MONTH",
        member_id=who.pk,
        store=make.store(),
        method="wechat",
        paid_cents=Cents(CARD),
        source=source or f"test:{PlanPurchase.objects.count()}",
        actor="test",
        now=now,
    )


class TestMonth:
    def test_gives_each_holder_once_however_often_it_is_done(self) -> None:
        row = benefit(quantity=2)
        who, other = make.member(), make.member()

        run(now=make.NOON)
        run(now=make.NOON + DAY)
        run(now=make.NOON + DAY)

        assert (coupons_of(who), coupons_of(other)) == (2, 2)
        assert BenefitGrant.objects.filter(benefit=row, period="2026-06").count() == 2
        assert suite.check_all(now=make.NOON).broken == []

    def test_gives_again_next_month(self) -> None:
        benefit()
        who = make.member()

        run(now=make.NOON)
        run(now=make.NOON + 30 * DAY)

        assert coupons_of(who) == 2

    def test_begins_at_midnight_of_the_chain(self) -> None:
        benefit()
        who = make.member(now=make.NOON)
        last_second = datetime(2026, 6, 30, 15, 59, 59, tzinfo=UTC)

        run(now=make.NOON)
        run(now=last_second)
        assert coupons_of(who) == 1
        run(now=last_second + timedelta(seconds=1))
        assert coupons_of(who) == 2

    def test_gives_nothing_to_other_tiers_and_to_who_is_frozen(self) -> None:
        benefit(level=2)
        frozen = make.member()
        Member.objects.filter(pk=frozen.pk).update(status="frozen")
        below, above = make.member(), make.member()
        make.paid(what=make.basket(who=above, lines=[make.line(quantity=26)]), total=31_200)

        run(now=make.NOON)

        assert [coupons_of(who) for who in (frozen, below, above)] == [0, 0, 1]

    def test_goes_on_after_a_slice_where_it_was(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(benefit_grants, "SLICE", 1)
        benefit()
        benefit()
        everybody = [make.member() for _each in range(3)]
        job = benefit_grants.start_due(now=make.NOON)[0]

        assert not benefit_grants.grant_slice(job, make.NOON)
        assert [coupons_of(who) for who in everybody] == [1, 0, 0]
        while not benefit_grants.grant_slice(job, make.NOON):
            pass

        assert [coupons_of(who) for who in everybody] == [2, 2, 2]
        assert job.result["members"] == 6

    def test_says_when_coupons_ran_out_and_gives_the_rest_later(self) -> None:
        benefit()
        everybody = [make.member() for _each in range(3)]
        make.definition("FULL25_5", total_limit=2)

        run(now=make.NOON)
        assert sorted(coupons_of(who) for who in everybody) == [0, 1, 1]
        assert run(now=make.NOON + DAY)[0]["ended"] == {"b0": "coupon-exhausted"}
        make.definition("FULL25_5", total_limit=9)
        run(now=make.NOON + 2 * DAY)

        assert [coupons_of(who) for who in everybody] == [1, 1, 1]


class TestVersion:
    def test_of_a_later_month_leaves_this_one_as_it_is(self) -> None:
        row = benefit(quantity=1)
        who = make.member()
        append(row, JULY, coupon="FULL25_5", quantity=3)

        run(now=make.NOON)
        assert coupons_of(who) == 1
        run(now=make.NOON + 30 * DAY)

        assert coupons_of(who) == 4

    def test_can_end_the_benefit(self) -> None:
        row = benefit()
        who = make.member()
        append(row, JULY, is_active=False)

        run(now=make.NOON + 30 * DAY)

        assert coupons_of(who) == 0

    def test_of_this_month_or_of_a_wrong_kind_is_refused(self) -> None:
        row = benefit()

        for month, what in (
            (JUNE, {"coupon": "FULL25_5"}),
            (date(2026, 7, 2), {"coupon": "FULL25_5"}),
            (JULY, {"coupon": "NO_SUCH"}),
            (JULY, {"coupon": "FULL25_5", "quantity": 10}),
            (JULY, {}),
        ):
            with pytest.raises(InvalidInput):
                append(row, month, **what)

        assert row.versions.count() == 1

    def test_is_changed_by_nobody(self) -> None:
        benefit()

        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE loyalty_benefitversion SET quantity = 9")


class TestBoost:
    def test_of_the_tier_shows_in_the_points_of_an_order(self) -> None:
        benefit("points_boost", percent=250)
        who = make.member()

        assert make.paid(who=who).points_earned == 30

    def test_of_a_plan_ends_with_it(self) -> None:
        benefit("points_boost", level=None, plan=plan(), percent=300)
        who = make.member()
        bought(who)

        assert make.paid(who=who).points_earned == 36
        assert make.paid(who=who, now=make.NOON + 30 * DAY).points_earned == 12


class TestBirthday:
    def born(self, day: date) -> Member:
        return make.member(birthday=day, now=make.NOON - 400 * DAY)

    @pytest.mark.parametrize(
        ("birthday", "midnight"),
        [
            (date(2000, 6, 19), datetime(2026, 6, 18, 16, tzinfo=UTC)),
            (date(2000, 2, 29), datetime(2027, 2, 27, 16, tzinfo=UTC)),
            (date(2000, 2, 29), datetime(2028, 2, 28, 16, tzinfo=UTC)),
        ],
    )
    def test_brings_its_gift_at_local_midnight(self, birthday: date, midnight: datetime) -> None:
        benefit("birthday")
        who = self.born(birthday)

        run(now=midnight - timedelta(seconds=1))
        assert coupons_of(who) == 0
        run(now=midnight)
        run(now=midnight + timedelta(hours=1))

        assert coupons_of(who) == 1

    def test_comes_once_a_year_even_if_it_moves(self) -> None:
        benefit("birthday")
        who = self.born(date(2000, 6, 18))
        run(now=make.NOON)
        members.change_birthday(who, birthday=date(2000, 6, 20), now=make.NOON)

        run(now=make.NOON + 2 * DAY)
        assert coupons_of(who) == 1
        run(now=make.NOON + 367 * DAY)
        assert coupons_of(who) == 2

    def test_is_remembered_late_and_not_before_somebody_joined(self) -> None:
        benefit("birthday")
        late = self.born(date(2000, 6, 15))
        new = make.member(birthday=date(2000, 6, 15), now=make.NOON)

        run(now=make.NOON)

        assert (coupons_of(late), coupons_of(new)) == (1, 0)

    def test_can_be_changed_once_a_year(self) -> None:
        phone = make.phone_of(make.member(now=timezone.now()))

        first = phone.post("/me/birthday", {"birthday": "2000-02-29"})
        again = phone.post("/me/birthday", {"birthday": "2000-06-19"})
        future = phone.post("/me/birthday", {"birthday": "2150-01-01"})

        assert first.status_code == 200
        assert again.json()["code"] == "birthday-fixed"
        assert future.status_code == 400


class TestPlan:
    def test_is_sold_at_the_till_and_renewed_from_its_end(self) -> None:
        plan()
        who, till = make.member(), make.till()
        body = {"member": str(who.public_id), "method": "wechat", "paid_cents": CARD}

        first = till.post("/membership-plans/MONTH/purchases", body, key="card-0001")
        replay = till.post("/membership-plans/MONTH/purchases", body, key="card-0001")
        renewal = till.post("/membership-plans/MONTH/purchases", body).json()

        assert (first.status_code, replay.json()) == (201, first.json())
        assert renewal["starts_at"] == first.json()["ends_at"]
        assert PlanPurchase.objects.count() == 2
        mine = make.phone_of(who).get("/me/memberships").json()
        assert [each["id"] for each in mine] == [renewal["id"], first.json()["id"]]

    def test_for_another_price_is_refused_with_the_one_it_has(self) -> None:
        plan(price=2990)
        body = {"member": str(make.member().public_id), "method": "cash", "paid_cents": CARD}

        answer = make.till().post("/membership-plans/MONTH/purchases", body)

        assert answer.status_code == 409
        assert answer.json()["code"] == "plan-price-changed"
        assert answer.json()["price_cents"] == 2990

    @pytest.mark.parametrize(
        ("days_used", "hours", "cents"), [(0, 0, 1990), (0, 1, 1923), (10, 0, 1326), (29, 23, 0)]
    )
    def test_given_back_costs_its_used_days(self, days_used: int, hours: int, cents: int) -> None:
        """¥19.90 for 30 days: 29 unused days are 1990 × 29 / 30 = 1923.67, 20 are 1326.67."""
        plan()
        who = make.member()
        sold = bought(who)
        now = make.NOON + timedelta(days=days_used, hours=hours)

        assert plans.refund(sold.pk, member_id=who.pk, now=now).refunded_cents == cents

    def test_given_back_ends_what_it_gave(self) -> None:
        benefit("points_boost", level=None, plan=plan(), percent=300)
        who, till = make.member(now=timezone.now()), make.till()
        sold = bought(who, now=timezone.now())

        answer = till.post(f"/memberships/{sold.pk}/refund", {"member": str(who.public_id)})

        assert answer.json()["refunded_cents"] >= 1923
        assert facts.load(who.pk, now=timezone.now()).tier_percent == 100
        again = till.post(f"/memberships/{sold.pk}/refund", {"member": str(who.public_id)})
        assert again.json()["code"] == "plan-not-refundable"

    def test_gives_its_coupons_while_it_lasts(self) -> None:
        benefit(level=None, plan=plan())
        who = make.member()
        bought(who)

        run(now=make.NOON)
        run(now=make.NOON + 13 * DAY)  # July, still running
        run(now=make.NOON + 45 * DAY)  # August, over

        assert coupons_of(who) == 2

    def test_converts_so_many_of_those_who_could_buy(self) -> None:
        plan()
        now = timezone.now()
        people = [make.member(now=now) for _each in range(4)]
        bought(people[0], now=now)
        bought(people[0], now=now + timedelta(seconds=1))

        (row,) = make.report_reader().get("/reports/membership-conversion").json()["rows"]

        assert (row["eligible"], row["buyers"], row["purchases"], row["renewals"]) == (4, 1, 2, 1)
        assert row["conversion_rate"] == 0.25
        assert row["revenue_cents"] == 2 * CARD


class TestPages:
    def test_show_what_members_have_this_month(self) -> None:
        now = timezone.now()
        row = benefit("text")
        versions = make.Api().get("/benefits").json()

        assert [(each["code"], each["text_en"]) for each in versions] == [(row.code, "First")]
        assert benefits.effective(on=now.date()) != []
        assert make.Api().get("/membership-plans").json() == []
        assert not Membership.objects.exists()


def test_a_card_given_back_takes_its_unused_coupons_along() -> None:
    plan()
    benefit(level=None, plan=MembershipPlan.objects.get(), quantity=2)
    benefit()  # of the tier: stays
    who = make.member(now=make.NOON)
    first = bought(who)
    run(now=make.NOON + DAY)
    used = Coupon.objects.filter(member=who, source__contains=":2026-06").order_by("pk").first()
    assert used is not None
    lines = [make.line(quantity=3)]
    basket = make.basket(who=who, lines=lines, coupon_codes=[used.code])
    make.paid(what=basket, total=3600 - 500, now=make.NOON + DAY)

    plan_returns.give_back(first.pk, member_id=who.pk, actor="test", now=make.NOON + 2 * DAY)

    left = Coupon.objects.filter(member=who, source__startswith="benefit:")
    assert sorted(left.values_list("status", flat=True)) == ["available", "redeemed", "revoked"]
    bought(who, now=make.NOON + 2 * DAY)
    run(now=make.NOON + 3 * DAY)
    assert left.filter(status="available").count() == 1
    assert suite.check_all(now=make.NOON + 3 * DAY).broken == []
