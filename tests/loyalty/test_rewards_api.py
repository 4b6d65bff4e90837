"""Points and rewards, as a mini-program and a till see them."""

import pytest
from django.utils import timezone

from tests import make

pytestmark = pytest.mark.django_db


class TestRewards:
    def test_are_taken_with_points_and_used_at_the_till(self) -> None:
        guest = make.member()
        make.give_points(guest, 1100)
        phone, till = make.phone_of(guest), make.till()

        taken = phone.post("/rewards/FREE_DRINK/redemptions", {}).json()
        sold = till.post(
            "/pos/settle",
            {
                "member": str(guest.public_id),
                "lines": [{"product": "MT01", "options": make.MILK_TEA}],
                "reward": taken["code"],
                "expected_total_cents": 0,
                "pos_order_no": "R1",
            },
        )

        assert sold.status_code == 201
        assert sold.json()["balance"] == 100
        assert phone.get("/me/redemptions").json()["results"][0]["status"] == "used"

    def test_are_refused_without_the_points(self) -> None:
        guest = make.member()

        answer = make.phone_of(guest).post("/rewards/FREE_DRINK/redemptions", {})

        assert answer.status_code == 409
        problem = answer.json()
        assert (problem["code"], problem["needed_points"]) == ("not-enough-points", 1000)

    def test_come_back_unused(self) -> None:
        guest = make.member()
        make.give_points(guest, 1000)
        phone = make.phone_of(guest)
        code = phone.post("/rewards/FREE_DRINK/redemptions", {}).json()["code"]

        answers = [phone.post(f"/redemptions/{code}/cancellation", {}) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 409]
        assert phone.get("/me").json()["points_available"] == 1000

    def test_are_not_another_members_to_give_back(self) -> None:
        guest = make.member()
        make.give_points(guest, 1000)
        code = make.phone_of(guest).post("/rewards/FREE_DRINK/redemptions", {}).json()["code"]

        answer = make.phone_of(make.member()).post(f"/redemptions/{code}/cancellation", {})

        assert answer.status_code == 404

    def test_are_listed_while_there_are_any(self) -> None:
        listed = make.till().get("/rewards").json()["results"]

        assert [reward["code"] for reward in listed] == ["FREE_DRINK"]


class TestPoints:
    def test_tell_where_they_came_from_and_when_they_go(self) -> None:
        guest = make.member(now=timezone.now())
        make.paid(who=guest, now=timezone.now())
        phone = make.phone_of(guest)

        (entry,) = phone.get("/me/points/entries").json()["results"]
        expiring = phone.get("/me/points/expiring").json()

        assert (entry["kind"], entry["points"], entry["balance_after"]) == ("earn", 12, 12)
        assert entry["lot"]["remaining"] == 12
        assert sum(lot["remaining"] for lot in expiring["lots"]) == expiring["balance"] == 12
        assert expiring["lots"][0]["expires_at"] == entry["lot"]["expires_at"]

    def test_are_shown_to_the_till_in_front_of_the_guest(self) -> None:
        guest = make.member()
        make.paid(who=guest)

        entries = make.till().get(f"/members/{guest.public_id}/points/entries").json()

        assert [entry["points"] for entry in entries["results"]] == [12]

    def test_climb_a_ladder_that_everybody_may_see(self) -> None:
        tiers = make.Api().get("/tiers").json()

        assert [tier["code"] for tier in tiers] == ["T1", "T2", "T3", "T4"]
