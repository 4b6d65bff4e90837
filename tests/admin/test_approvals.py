"""The inbox of approvals, and the buttons of memberships."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import statements
from campaigns.models import CouponDefinition, DealStatement
from loyalty.models import PointsAccount, PointsAdjustment
from shop.kernel.clock import chain_day
from shop.models import Member, Staff
from tests import make
from tests.admin.test_buttons import press, told
from tests.campaigns import partnership as of

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Staff:
    return make.staff_member(group="Head office")


@pytest.fixture
def office(person: Staff) -> Client:
    client: Client = make.session_of(person).client
    return client


def ask(client: Client, who: Member, points: int, token: str) -> Any:
    answers = {"points": points, "reason": "compensation", "token": token}
    return press(client, "shop_member_adjust_points", who, **answers)


TOKEN = "0197a0de-7c1c-7a3e-9d0a-5b1f1c9a2e11"


class TestInbox:
    def test_offers_the_decision_to_everybody_but_who_asked(self, office: Client) -> None:
        who, manager = make.member(name="小王"), make.staff("SH001").client

        asked = ask(manager, who, 900, TOKEN)
        row = PointsAdjustment.objects.get()
        page = office.get(reverse("approvals")).content.decode()
        approved = press(office, "loyalty_pointsadjustment_approve", row)

        assert "second person" in told(asked)[1]
        assert "小王 +900" in page
        assert reverse("admin:loyalty_pointsadjustment_approve", args=[row.pk]) in page
        assert told(approved) == ("success", "Approved and posted.")
        assert PointsAccount.objects.get(member=who, wallet="points").balance == 900
        assert "小王" not in office.get(reverse("approvals")).content.decode()

    def test_refuses_who_asked(self, office: Client) -> None:
        who = make.member()

        ask(office, who, 900, TOKEN)
        row = PointsAdjustment.objects.get()
        page = office.get(reverse("approvals")).content.decode()
        answer = press(office, "loyalty_pointsadjustment_approve", row)

        assert "for another person to decide" in page

        assert told(answer)[0] == "error"
        assert PointsAdjustment.objects.get().state == "pending"

    def test_shows_offers_that_were_submitted(self, office: Client) -> None:
        make.definition("FULL25_5", status="submitted")

        page = office.get(reverse("approvals")).content.decode()

        definition = CouponDefinition.objects.get(code="FULL25_5")
        assert reverse("admin:campaigns_coupondefinition_change", args=[definition.pk]) in page

    def test_shows_statements_of_deals_to_a_second_person_once_their_month_is_over(
        self, office: Client
    ) -> None:
        this_month = chain_day(timezone.now()).replace(day=1)
        last_month = (this_month - timedelta(days=1)).replace(day=1)
        deal = of.deal(starts_on=last_month, last_on=this_month + timedelta(days=60))
        drafter = make.staff_member(group="Head office")

        def drafted(month: date) -> DealStatement:
            actor = f"staff:{drafter.pk}"
            return statements.draft(deal.pk, month=month, actor=actor, now=timezone.now())

        over = drafted(last_month)
        seen = office.get(reverse("approvals")).content.decode()
        seen_by_drafter = make.session_of(drafter).client.get(reverse("approvals"))
        approved = press(office, "campaigns_dealstatement_approve", over)
        running = drafted(this_month)

        assert reverse("admin:campaigns_dealstatement_approve", args=[over.pk]) in seen
        assert drafter.username in seen
        assert "for another person to decide" in seen_by_drafter.content.decode()
        assert told(approved)[0] == "success"
        assert str(running) not in office.get(reverse("approvals")).content.decode()

    def test_is_closed_to_who_sees_nothing_of_it(self) -> None:
        cashier = make.staff("SH001", group="Cashier").client

        page = cashier.get(reverse("approvals"))

        assert page.status_code == 403


class TestMemberButtons:
    def test_freeze_and_unfreeze(self, office: Client) -> None:
        who = make.member()

        assert told(press(office, "shop_member_freeze", who, reason="lost")) == (
            "success",
            "Frozen.",
        )
        who.refresh_from_db()
        assert who.status == "frozen"
        assert told(press(office, "shop_member_unfreeze", who, reason="found"))[0] == "success"

    def test_merge_by_phone(self, office: Client) -> None:
        source, target = make.member(), make.member(phone="+8613900001111", name="小王")
        make.give_points(source, 30)

        said = press(office, "shop_member_merge", source, into="139 0000 1111", reason="new phone")

        source.refresh_from_db()
        assert told(said)[0] == "success"
        assert "30" in told(said)[1]
        assert source.merged_into == target

    @pytest.mark.parametrize("into", ["139 0000 2222", "nobody", TOKEN])
    def test_merge_into_nobody_is_told(self, office: Client, into: str) -> None:
        said = press(office, "shop_member_merge", make.member(), into=into, reason="new phone")

        assert told(said)[0] == "error"

    def test_close_and_erase(self, office: Client) -> None:
        who = make.member(name="小王")
        make.give_points(who, 30)

        closed = press(office, "shop_member_close", who, reason="moved")
        erased = press(office, "shop_member_erase", who, reason="asked for it")
        page = office.get(reverse("admin:shop_member_change", args=[who.pk]))

        who.refresh_from_db()
        assert "30" in told(closed)[1]
        assert told(erased)[0] == "success"
        assert who.name == ""
        assert "小王" not in page.content.decode().split("<main")[-1]
