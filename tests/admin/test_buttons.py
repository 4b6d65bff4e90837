"""Buttons: each asks, then runs one flow; a refusal is told, and nothing is done twice."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import CouponDefinition
from loyalty import expiry
from loyalty.models import MembershipPlan, PlanPurchase, PointsAccount, PointsAdjustment
from shop.kernel.models import OutboxMessage
from shop.kernel.money import Cents
from shop.models import Member, Order, ReportKey, Staff, Till, TillKey
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Client:
    client: Client = make.staff("SH001").client
    return client


@pytest.fixture
def office() -> Client:
    client: Client = make.staff(group="Head office").client
    return client


def press(client: Client, action: str, row: Any = None, **answers: Any) -> Any:
    """Return the answer to a button whose question was answered."""
    address = reverse(f"admin:{action}", args=[] if row is None else [row.pk])
    return client.post(address, {"_form_submitted": "on", **answers})


def told(response: Any) -> tuple[str, str]:
    """Return what the person is told last."""
    *_earlier, note = get_messages(response.wsgi_request)
    return note.level_tag, str(note)


def is_offered(client: Client, row: Any, action: str) -> bool:
    meta = row._meta
    page = client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk]))
    return reverse(f"admin:{action}", args=[row.pk]) in page.content.decode()


class TestOrderButtons:
    def test_cancel_frees_an_unpaid_order_once(self, manager: Client) -> None:
        order = make.placed()

        assert is_offered(manager, order, "shop_order_cancel")
        first = press(manager, "shop_order_cancel", order)
        second = press(manager, "shop_order_cancel", order)

        order.refresh_from_db()
        assert order.status == Order.Status.CANCELLED
        assert told(first)[0] == "success"
        assert told(second) == ("error", "Only an order that waits for payment can be cancelled.")
        assert not is_offered(manager, order, "shop_order_cancel")

    def test_refund_gives_all_back_and_says_who_and_why(self, manager: Client) -> None:
        who = make.member()
        order = make.paid(who=who).order

        response = press(manager, "shop_order_refund_whole", order, reason="too sweet")

        order.refresh_from_db()
        refund = order.refunds.get()
        assert order.status == Order.Status.REFUNDED
        assert (refund.amount_cents, refund.reason) == (1200, "too sweet")
        assert refund.actor == f"staff:{manager.session['_auth_user_id']}"
        assert told(response) == ("success", "¥12.00 given back.")
        assert PointsAccount.objects.get(member=who, wallet="points").balance == 0

    def test_a_refund_without_a_reason_asks_again(self, manager: Client) -> None:
        order = make.paid().order

        response = press(manager, "shop_order_refund_whole", order)

        assert response.status_code == 200
        assert 'name="reason"' in response.content.decode()
        assert not order.refunds.exists()

    def test_looking_at_the_question_does_nothing(self, manager: Client) -> None:
        order = make.placed()

        page = manager.get(reverse("admin:shop_order_cancel", args=[order.pk]))

        assert page.status_code == 200
        order.refresh_from_db()
        assert order.status == Order.Status.PENDING

    def test_needs_the_permission(self) -> None:
        analyst = make.staff("SH001", group="Analyst").client
        order = make.placed()

        assert press(analyst, "shop_order_cancel", order).status_code == 403
        assert not is_offered(analyst, order, "shop_order_cancel")

    def test_leaves_the_dialog_it_was_asked_in(self, manager: Client) -> None:
        address = reverse("admin:shop_order_cancel", args=[make.placed().pk])

        response = manager.post(address, {"_form_submitted": "on"}, headers={"HX-Request": "true"})

        assert response.headers["HX-Redirect"].endswith("/change/")


class TestAdjustPoints:
    def test_a_second_press_adjusts_no_second_time(self, manager: Client) -> None:
        who, answers = make.member(), {"points": 50, "reason": "waited long", "token": uuid4()}

        for _press in range(2):
            press(manager, "shop_member_adjust_points", who, **answers)

        account = PointsAccount.objects.get(member=who, wallet="points")
        entry = account.entries.get()
        assert (account.balance, entry.note) == (50, "waited long")
        assert entry.actor == f"staff:{manager.session['_auth_user_id']}"

    def test_takes_no_more_than_there_is(self, manager: Client) -> None:
        answers = {"points": -10, "reason": "mistake", "token": uuid4()}

        response = press(manager, "shop_member_adjust_points", make.member(), **answers)

        assert told(response) == ("error", "There are not enough points.")

    def test_shows_on_the_members_page(self, manager: Client) -> None:
        who = make.member(name="李雷")
        make.give_points(who, 321)

        page = manager.get(reverse("admin:shop_member_change", args=[who.pk])).content.decode()

        assert "data-ledger" in page
        assert "321" in page


class TestKeys:
    def test_a_tills_key_is_shown_once_and_works_until_revoked(self, manager: Client) -> None:
        till = Till.objects.create(store=make.store(), code="t9")

        response = press(manager, "shop_till_issue_key", till)

        key = response.context["key"]
        assert key in response.content.decode()
        assert "no-store" in response.headers["Cache-Control"]
        assert make.Api(key).get("/orders").status_code == 200
        page = manager.get(reverse("admin:shop_till_change", args=[till.pk])).content.decode()
        assert key.split("_", 2)[2] not in page

        press(manager, "shop_till_revoke_key", till, key=TillKey.objects.get(till=till).pk)

        assert make.Api(key).get("/orders").status_code == 401

    def test_a_till_cannot_revoke_another_tills_key(self, manager: Client) -> None:
        mine = Till.objects.create(store=make.store(), code="t8")
        make.till("SH002")
        theirs = TillKey.objects.get(till__store__code="SH002")

        response = press(manager, "shop_till_revoke_key", mine, key=theirs.pk)

        assert response.status_code == 200
        theirs.refresh_from_db()
        assert theirs.revoked_at is None

    def test_head_office_gives_and_takes_a_readers_key(
        self, office: Client, manager: Client
    ) -> None:
        response = press(
            office, "shop_reportkey_issue_key", name="BI", stores=[make.store("SH002").pk]
        )
        key = ReportKey.objects.get(name="BI")

        assert [store.code for store in key.stores.all()] == ["SH002"]
        assert response.context["key"].startswith(key.public_id)
        assert press(manager, "shop_reportkey_issue_key", name="mine").status_code == 403
        press(office, "shop_reportkey_revoke_key", key)
        key.refresh_from_db()
        assert key.revoked_at is not None


class TestCouponSwitches:
    def test_an_active_definition_pauses_and_goes_on(self, office: Client) -> None:
        CouponDefinition.objects.update(status=CouponDefinition.Status.ENDED)  # no floor in the way
        definition = make.definition(status=CouponDefinition.Status.ACTIVE)

        press(office, "campaigns_coupondefinition_pause", definition)
        definition.refresh_from_db()
        paused = definition.status
        press(office, "campaigns_coupondefinition_activate", definition)
        definition.refresh_from_db()

        assert (paused, definition.status) == ("paused", "active")

    def test_an_ended_definition_stays_ended(self, office: Client) -> None:
        definition = make.definition(status=CouponDefinition.Status.ENDED)

        response = press(office, "campaigns_coupondefinition_activate", definition)

        definition.refresh_from_db()
        assert definition.status == "ended"
        assert told(response)[0] == "error"

    def test_a_definition_whose_coupons_would_be_over_is_not_activated(
        self, office: Client
    ) -> None:
        definition = make.definition(status="draft", valid_days=None, valid_until=make.NOON)

        response = press(office, "campaigns_coupondefinition_activate", definition)

        assert "expired already" in told(response)[1]

    def test_is_head_offices_alone(self, manager: Client) -> None:
        definition = make.definition()

        response = press(manager, "campaigns_coupondefinition_pause", definition)

        assert response.status_code == 403


class TestLists:
    def test_dead_messages_get_another_life_and_others_stay(self, office: Client) -> None:
        make.member()
        message = OutboxMessage.objects.get()
        OutboxMessage.objects.update(state="dead", attempts=8)

        response = office.post(
            reverse("admin:kernel_outboxmessage_changelist"),
            {"action": "requeue", "_selected_action": [message.pk], "index": "0"},
        )

        message.refresh_from_db()
        assert (message.state, message.attempts) == ("new", 0)
        assert told(response) == ("success", "1 message is waiting again.")

    def test_the_outbox_is_head_offices(self, manager: Client) -> None:
        manager_person = Staff.objects.get(pk=manager.session["_auth_user_id"])
        manager_person.is_staff = True

        assert manager.get(reverse("admin:kernel_outboxmessage_changelist")).status_code == 403

    def test_a_member_is_not_made_by_hand(self, office: Client) -> None:
        assert office.get(reverse("admin:shop_member_add")).status_code == 403
        assert not Member.objects.exists()


class TestLongerLifeButtons:
    def test_give_expired_points_back_or_leave_many_to_a_second_person(
        self, manager: Client, office: Client
    ) -> None:
        make.stored_value_on(adjustment_limit_points=20)
        few, many = make.member(), make.member()
        now = timezone.now()
        for who, amount in ((few, 15), (many, 30)):
            make.give_points(who, amount, until=now - timedelta(days=1))
            expiry.expire_accounts(
                PointsAccount.objects.filter(member=who).values_list("pk", flat=True), now=now
            )
        answers = {
            "day": f"{now - timedelta(days=3):%Y-%m-%d}",
            "last_day": f"{now + timedelta(days=60):%Y-%m-%d}",
            "reason": "come back",
        }

        for who in (few, many, many):
            token = {"token": str(uuid4())}
            press(manager, "shop_member_reinstate_points", who, **answers, **token)
        waiting = PointsAdjustment.objects.filter(state="pending")
        for row in list(waiting):
            press(office, "loyalty_pointsadjustment_approve", row)

        balances = PointsAccount.objects.filter(wallet="points", member__in=[few, many])
        assert sorted(balances.values_list("balance", flat=True)) == [15, 30]
        assert waiting.all().count() == 1  # nothing is left for the second request of the same


class TestPlanButtons:
    def test_sell_a_card_once_and_take_it_back(self, manager: Client) -> None:
        plan = MembershipPlan.objects.create(
            code="MONTH", name_zh="月卡", name_en="Card", price_cents=Cents(1990), days=30
        )
        who, token = make.member(), str(uuid4())

        for _press in range(2):
            press(manager, "shop_member_sell_plan", who, plan=plan.pk, method="cash", token=token)
        sold = PlanPurchase.objects.get()
        said = told(press(manager, "loyalty_planpurchase_give_back", sold))

        sold.refresh_from_db()
        assert (sold.member, sold.price_cents, sold.store) == (who, 1990, who.store)
        assert said[0] == "success"
        assert sold.refunded_cents == 1990 * 29 // 30
