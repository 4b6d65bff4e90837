"""Points corrected by hand: each correction counts, whoever made it and under whatever key."""

from typing import Any

import pytest
from django.db import IntegrityError

from loyalty.models import PointsAccount, PointsAdjustment
from shop.models import Member
from tests import make

pytestmark = pytest.mark.django_db


class TestAdjustment:
    def test_counts_under_long_keys_that_begin_alike(self) -> None:
        who, office = make.member(), make.staff("SH001")
        path = f"/members/{who.public_id}/points-adjustments"
        first, second = ("k" * 100 + ending for ending in "ab")

        for key in (first, second, second):
            response = office.post(path, {"points": 50, "reason": "waited too long"}, key=key)

        assert response.status_code == 200
        assert response.json()["points_balance"] == 100

    def test_counts_for_each_of_two_who_chose_the_same_key(self) -> None:
        who = make.member()
        path = f"/members/{who.public_id}/points-adjustments"

        for office in (make.staff("SH001"), make.staff("SH001")):
            response = office.post(path, {"points": 50, "reason": "waited"}, key="same-key-1")

        assert response.json()["points_balance"] == 100


class TestLargeAdjustment:
    def ask(self, office: make.Api, who: Member, points: int = 501) -> Any:
        path = f"/members/{who.public_id}/points-adjustments"
        return office.post(path, {"points": points, "reason": "compensation"})

    def test_waits_for_a_second_person_who_posts_it(self) -> None:
        who, asker, office = make.member(), make.staff("SH001"), make.staff(group="Head office")

        asked = self.ask(asker, who)
        waiting = office.get("/points-adjustments").json()["results"]
        approved = office.post(f"/points-adjustments/{asked.json()['id']}/approve")
        again = office.post(f"/points-adjustments/{asked.json()['id']}/reject")

        assert (asked.status_code, asked.json()["state"]) == (202, "pending")
        assert [row["points"] for row in waiting] == [501]
        assert approved.json()["state"] == "approved"
        assert balance(who) == 501
        assert (again.status_code, again.json()["code"]) == (409, "adjustment-decided")

    def test_is_not_decided_by_who_asked(self) -> None:
        who, office = make.member(), make.staff(group="Head office")
        asked = self.ask(office, who).json()

        for verb in ("approve", "reject"):
            answer = office.post(f"/points-adjustments/{asked['id']}/{verb}")
            assert (answer.status_code, answer.json()["code"]) == (409, "approver-is-requester")

        assert balance(who) == 0

    def test_cannot_be_decided_by_who_asked_in_the_database_either(self) -> None:
        who, office = make.member(), make.staff(group="Head office")
        row = PointsAdjustment.objects.get(pk=self.ask(office, who).json()["id"])

        with pytest.raises(IntegrityError, match="decided_by_another"):
            PointsAdjustment.objects.filter(pk=row.pk).update(
                state="approved", decided_by=row.requested_by_id, decided_at=make.NOON
            )

    def test_may_be_turned_down(self) -> None:
        who, office = make.member(), make.staff(group="Head office")
        asked = self.ask(make.staff("SH001"), who).json()

        answer = office.post(f"/points-adjustments/{asked['id']}/reject")

        assert answer.json()["state"] == "rejected"
        assert balance(who) == 0

    def test_is_what_many_small_ones_of_a_day_become(self) -> None:
        who, asker = make.member(), make.staff("SH001")

        statuses = [self.ask(asker, who, 500).status_code for _each in range(5)]

        assert statuses == [200, 200, 200, 200, 202]
        assert balance(who) == 2000

    def test_depends_on_the_person(self) -> None:
        who, person = make.member(), make.staff_member("SH001")
        person.adjustment_limit_points = 10
        person.save()

        assert self.ask(make.session_of(person), who, 11).status_code == 202
        assert self.ask(make.session_of(person), who, -11).status_code == 202
        assert self.ask(make.session_of(person), who, 10).status_code == 200

    def test_is_never_of_ones_own_points(self) -> None:
        who, person = make.member(), make.staff_member(group="Head office")
        person.member = who
        person.save()
        other = self.ask(make.staff("SH001"), who).json()
        me = make.session_of(person)

        granted = self.ask(me, who, 1)
        approved = me.post(f"/points-adjustments/{other['id']}/approve")

        for answer in (granted, approved):
            assert (answer.status_code, answer.json()["code"]) == (409, "own-points")
        assert balance(who) == 0


def balance(who: Member) -> int:
    return int(PointsAccount.objects.get(member=who, wallet="points").balance)
