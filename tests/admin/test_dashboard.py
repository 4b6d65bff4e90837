"""The first page: figures of the stores its reader sees, a friendly word where there are none."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shop import alerts
from shop.kernel.models import OutboxMessage
from shop.models import Alert, Store
from tests import make
from tests.admin import world

pytestmark = pytest.mark.django_db


def board(client: Client, **query: Any) -> Any:
    """Return what the page has to show."""
    response = client.get(reverse("admin:index"), query)
    assert response.status_code == 200
    return response.context["board"]


def office() -> Client:
    client: Client = make.staff(group="Head office").client
    return client


def manager(*stores: str) -> Client:
    client: Client = make.staff(*stores).client
    return client


def sell(at: str, *, days_ago: int = 0, total: int = 1200) -> None:
    now = timezone.now() - timedelta(days=days_ago)
    make.paid(what=make.basket(at=at, lines=[make.line()]), total=total, now=now)


class TestFigures:
    def test_compare_today_with_the_same_weekday_before(self) -> None:
        for days_ago in (0, 7, 7, 7, 7):
            sell("SH001", days_ago=days_ago)

        orders, revenue, _joined, _came_back = board(office(), store="SH001")["cards"]

        assert (orders["value"], orders["before"], orders["percent"]) == ("1", "4", 25)
        assert (revenue["value"], revenue["before"]) == ("¥12.00", "¥48.00")

    def test_sum_the_stores_that_are_not_chosen_between(self) -> None:
        sell("SH001")
        sell("SH002", total=_price("SH002"))

        assert board(office())["cards"][0]["value"] == "2"
        assert board(office(), store="SH002")["cards"][0]["value"] == "1"

    def test_draw_a_bar_per_day_of_the_period(self) -> None:
        sell("SH001", days_ago=2)

        data = json.loads(board(office(), days="7")["daily"]["data"])

        assert len(data["labels"]) == 7
        assert [dataset["data"][-3] for dataset in data["datasets"]] == [1, 12.0]

    def test_lead_from_the_opening_to_friends(self) -> None:
        make.touch(make.link(), "someone")
        store = make.store()
        Store.objects.filter(pk=store.pk).update(opened_on=make.NOON.date())

        funnel = board(office(), store="SH001")["funnel"]

        assert [row["people"] for row in funnel["rows"]] == [1, 1, 0, 0, 0, 0, 0]
        assert [row["width"] for row in funnel["rows"]][:3] == [100, 100, 0]

    @pytest.mark.parametrize("query", [{"store": "NOWHERE"}, {"days": "0"}, {"days": "x"}])
    def test_take_what_is_not_known_as_not_chosen(self, query: dict[str, str]) -> None:
        view = board(office(), **query)["view"]

        assert (view.chosen, view.days) == (None, 28)


class TestReader:
    def test_of_one_store_has_nothing_to_choose(self) -> None:
        sell("SH002", total=_price("SH002"))

        shown = board(manager("SH001"), store="SH002")

        assert shown["view"].chosen.code == "SH001"
        assert shown["cards"][0]["value"] == "0"

    def test_of_two_stores_chooses_between_them(self) -> None:
        shown = board(manager("SH001", "HZ001"))

        assert [store.code for store in shown["view"].stores] == ["HZ001", "SH001"]

    def test_of_no_store_is_told_whom_to_ask(self) -> None:
        client = manager("SH001")
        person_id = client.session["_auth_user_id"]
        Store.objects.get(code="SH001").staff.remove(person_id)

        page = client.get(reverse("admin:index")).content.decode()

        assert "Ask head office" in page

    def test_without_the_right_to_reports_sees_no_figures(self) -> None:
        client = manager("SH001")
        client_person = Store.objects.get(code="SH001").staff.get()
        client_person.groups.clear()

        response = client.get(reverse("admin:index"))

        assert response.context["board"] is None
        assert response.status_code == 200

    def test_needs_few_queries(self, django_assert_max_num_queries: Any) -> None:
        client = office()
        client.get(reverse("admin:index"))

        with django_assert_max_num_queries(20):
            client.get(reverse("admin:index"))


class TestConcerns:
    def test_are_open_alarms_and_dead_messages(self) -> None:
        make.member()
        OutboxMessage.objects.update(state="dead")
        alerts.record("till-clock", subject="t1", details={}, now=make.NOON)

        shown = board(office())

        assert (shown["dead"], [alert.code for alert in shown["alerts"]]) == (1, ["till-clock"])
        Alert.objects.update(resolved_at=make.NOON)
        assert board(office())["alerts"] == []

    def test_of_other_stores_are_not_a_managers(self) -> None:
        theirs = make.placed(what=make.basket(at="SH002"), total=_price("SH002"))
        mine = make.placed()
        for order in (theirs, mine):
            alerts.record(
                "late", subject=order.source, details={}, now=make.NOON, store_id=order.store_id
            )

        shown = board(manager("SH001"))

        assert [alert.subject for alert in shown["alerts"]] == [mine.source]
        assert shown["dead"] == 0


def _price(code: str) -> int:
    return world.price(make.basket(at=code))
