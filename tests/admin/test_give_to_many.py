"""A coupon for many: chosen, counted, and only then given, to those who were counted."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Coupon, CouponDefinition, Promotion
from shop.kernel import jobs
from shop.kernel.models import Job
from shop.models import Member, Product
from shop.storefront.admin import issues as give_page
from tests import make
from tests.admin.test_buttons import is_offered, told

pytestmark = pytest.mark.django_db

BUTTON = "campaigns_coupondefinition_give_to_many"


@pytest.fixture
def office() -> Client:
    client: Client = make.staff(group="Head office").client
    return client


@pytest.fixture
def coupon() -> CouponDefinition:
    """Return a coupon of a shop with one product: the page looks for losses over the whole menu."""
    Product.objects.exclude(code="MT01").update(is_active=False)
    return make.definition("WINBACK_6", per_member_limit=1, is_welcome_gift=False)


@pytest.fixture
def members(coupon: CouponDefinition) -> list[Member]:
    return [make.member() for _each in range(3)] + [make.member(at="SH002")]


def place(coupon: CouponDefinition) -> str:
    return reverse("admin:campaigns_coupondefinition_audience", args=[coupon.pk])


def count(client: Client, coupon: CouponDefinition, **answers: Any) -> tuple[str, str]:
    """Return the page that tells how many are meant, and what it sends to give to them."""
    text = client.post(place(coupon), answers).content.decode()
    found = re.search(r'name="counted" value="([^"]+)"', text)
    return text, found[1] if found else ""


def give(client: Client, coupon: CouponDefinition, counted: str) -> Any:
    return client.post(place(coupon), {"counted": counted})


def holders() -> set[int]:
    issued = Coupon.objects.filter(source__startswith="issue:")
    return {row.member_id for row in issued if row.member_id}


class TestGiveToMany:
    def test_counts_first_then_gives_and_leads_to_the_jobs_page(
        self, office: Client, coupon: CouponDefinition, members: list[Member]
    ) -> None:
        text, counted = count(office, coupon, stores=["SH001"])
        assert 'data-members="3"' in text
        assert not Job.objects.exists()

        sent = give(office, coupon, counted)
        job = Job.objects.get()
        jobs.run(job.pk, now=timezone.now())

        assert sent.url == reverse("admin:kernel_job_change", args=[job.pk])
        assert told(sent) == ("success", "Being given to 3 members.")
        assert "3 / 3" in office.get(sent.url).content.decode()
        assert holders() == {who.pk for who in members[:3]}
        page = office.get(reverse("admin:campaigns_coupondefinition_change", args=[coupon.pk]))
        assert "Being given to 3 members." in page.content.decode()

    def test_pressed_twice_is_one_issue(
        self, office: Client, coupon: CouponDefinition, members: list[Member]
    ) -> None:
        _text, counted = count(office, coupon)

        assert give(office, coupon, counted).url == give(office, coupon, counted).url
        assert Job.objects.count() == 1

    def test_asks_for_what_is_filled_in(
        self, office: Client, coupon: CouponDefinition, members: list[Member]
    ) -> None:
        Member.objects.filter(pk=members[0].pk).update(birthday="1999-06-30")
        tomorrow = timezone.localdate() + timedelta(days=1)

        june, _counted = count(office, coupon, birthday_month=6, joined_before=tomorrow)
        lapsed, nobody = count(office, coupon, not_seen_for_days=60, tiers=["T2"])

        assert 'data-members="1"' in june
        assert "Birthday in month: 6" in june
        assert 'data-members="0"' in lapsed
        assert told(give(office, coupon, nobody))[0] == "error"
        assert not Job.objects.exists()

    @pytest.mark.parametrize(
        "answers", [{"not_seen_for_days": 0}, {"birthday_month": 13}, {"stores": ["none"]}]
    )
    def test_says_what_is_wrong(
        self, office: Client, coupon: CouponDefinition, answers: dict[str, Any]
    ) -> None:
        response = office.post(place(coupon), answers)

        assert list(response.context["form"].errors) == list(answers)
        assert "data-counted" not in response.content.decode()

    def test_warns_when_there_are_fewer_than_members(
        self, office: Client, coupon: CouponDefinition, members: list[Member]
    ) -> None:
        CouponDefinition.objects.filter(pk=coupon.pk).update(total_limit=2)

        assert "Only 2 are left" in count(office, coupon)[0]

    def test_warns_when_it_sells_below_a_floor_price(
        self, office: Client, coupon: CouponDefinition, members: list[Member]
    ) -> None:
        CouponDefinition.objects.exclude(pk=coupon.pk).update(status="ended")
        Promotion.objects.update(status="ended")
        assert "data-loss" not in count(office, coupon)[0]
        rule = {"version": 1, "effect": {"kind": "percent_off", "percent_bp": 9000}}
        CouponDefinition.objects.filter(pk=coupon.pk).update(rule=rule)

        assert "the floor price is" in count(office, coupon)[0]

    def test_gives_nothing_on_what_it_did_not_count_itself(
        self,
        office: Client,
        coupon: CouponDefinition,
        members: list[Member],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        _text, counted = count(office, coupon)

        forged = give(office, coupon, counted[:-2] + "xx")
        elsewhere = give(office, make.definition("FULL25_5"), counted)
        monkeypatch.setattr(give_page, "COUNTED_FOR_SECONDS", -1)
        late = give(office, coupon, counted)

        for response in (forged, elsewhere, late):
            assert told(response)[1] == "That was counted too long ago. Count again."
        assert not Job.objects.exists()


class TestWho:
    def test_a_manager_gives_to_their_own_members_and_sees_their_own_job(
        self, office: Client, coupon: CouponDefinition, members: list[Member]
    ) -> None:
        manager = make.staff("SH002").client
        _text, of_all = count(office, coupon)

        text, counted = count(manager, coupon)
        sent = give(manager, coupon, of_all)  # what head office counted is no way around
        jobs.run(Job.objects.get().pk, now=timezone.now())
        others = jobs.start("test.job", params={}, requested_by="staff:0", now=make.NOON)

        assert is_offered(manager, coupon, BUTTON)
        assert counted
        assert 'data-members="1"' in text
        assert holders() == {members[3].pk}
        assert "1 / 1" in manager.get(sent.url).content.decode()
        listed = manager.get(reverse("admin:kernel_job_changelist")).content.decode()
        assert sent.url in listed
        assert str(others.pk) not in listed

    def test_who_may_not_issue_neither_sees_nor_opens_it(self, coupon: CouponDefinition) -> None:
        analyst = make.staff("SH001", group="Analyst").client

        assert not is_offered(analyst, coupon, BUTTON)
        assert analyst.get(place(coupon)).status_code == 403

    def test_is_not_offered_for_a_coupon_that_is_not_active(self, office: Client) -> None:
        paused = make.definition("WINBACK_6", status="paused")

        assert not is_offered(office, paused, BUTTON)
