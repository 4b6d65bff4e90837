"""Points and rewards, as a mini-program and a till see them."""

import pytest
from django.utils import timezone

from loyalty.models import Reward
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

    def test_are_taken_once_however_often_the_request_is_repeated(self) -> None:
        guest = make.member()
        make.give_points(guest, 2000)
        phone = make.phone_of(guest)

        first = phone.post("/rewards/FREE_DRINK/redemptions", {}, key="reward-0001")
        again = phone.post("/rewards/FREE_DRINK/redemptions", {}, key="reward-0001")

        assert again.content == first.content
        assert phone.get("/me").json()["points_available"] == 1000

    def test_are_taken_and_given_back_by_a_till_for_the_guest_it_names(self) -> None:
        guest = make.member(at="SH002")
        make.give_points(guest, 1000)
        till, named = make.till("SH001"), {"member": str(guest.public_id)}

        code = till.post("/rewards/FREE_DRINK/redemptions", named).json()["code"]
        nobody = till.post(f"/redemptions/{code}/cancellation", {})
        returned = till.post(f"/redemptions/{code}/cancellation", named)

        assert nobody.json()["errors"][0]["pointer"] == "/member"
        assert returned.json()["status"] == "returned"

    def test_out_of_stock_or_off_the_list_cannot_be_had(self) -> None:
        guest = make.member()
        make.give_points(guest, 5000)
        phone = make.phone_of(guest)

        for change in ({"stock": 0}, {"stock": None, "is_active": False}):
            Reward.objects.filter(code="FREE_DRINK").update(**change)
            answer = phone.post("/rewards/FREE_DRINK/redemptions", {})
            assert answer.json()["code"] == "reward-not-available"
        assert phone.post("/rewards/NOPE/redemptions", {}).status_code == 404
        assert phone.get("/me").json()["points_held"] == 0


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

    def test_that_expire_together_are_told_together_and_the_soonest_first(self) -> None:
        guest = make.member()
        make.give_points(guest, 7)
        for _ in range(2):
            make.paid(who=guest)

        lots = make.phone_of(guest).get("/me/points/expiring").json()["lots"]

        assert [(lot["remaining"], lot["expires_at"] is None) for lot in lots] == [
            (24, False),
            (7, True),
        ]

    def test_that_qualify_have_a_ledger_of_their_own(self) -> None:
        guest = make.member()
        make.give_points(guest, 7)
        make.paid(who=guest)
        phone = make.phone_of(guest)

        entries = phone.get("/me/points/entries", wallet="qualifying").json()["results"]

        assert [(entry["points"], entry["lot"]) for entry in entries] == [(12, None)]
        assert phone.get("/me/points/entries", wallet="pocket").status_code == 400

    def test_are_shown_page_by_page(self) -> None:
        guest = make.member()
        for amount in range(1, 6):
            make.give_points(guest, amount)
        phone = make.phone_of(guest)

        page = phone.get("/me/points/entries", page_size=3).json()
        rest = phone.client.get(page["next"], headers=phone.headers).json()

        seen = [entry["points"] for entry in page["results"] + rest["results"]]
        assert seen == [5, 4, 3, 2, 1]

    def test_are_shown_to_staff_of_the_store_where_the_member_joined(self) -> None:
        path = f"/members/{make.member(at='SH002').public_id}/points/entries"

        assert make.staff("SH002").get(path).status_code == 200
        assert make.staff("SH001").get(path).status_code == 404

    def test_are_shown_to_the_till_in_front_of_the_guest(self) -> None:
        guest = make.member()
        make.paid(who=guest)

        entries = make.till().get(f"/members/{guest.public_id}/points/entries").json()

        assert [entry["points"] for entry in entries["results"]] == [12]

    def test_climb_a_ladder_that_everybody_may_see(self) -> None:
        tiers = make.Api().get("/tiers").json()

        assert [tier["code"] for tier in tiers] == ["T1", "T2", "T3", "T4"]
