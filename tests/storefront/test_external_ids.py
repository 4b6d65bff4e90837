"""What other systems call members: bound with the phone, found, handed over, forgotten."""

from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from shop.models import ExternalId, Member
from shop.storefront import departures, merging, registration
from shop.storefront.registration import Application
from tests import make
from tests.concurrency.crowd import at_once

PATH = "/members/external/old-till/card-17"


def upsert(phone: str, path: str = PATH) -> Any:
    return make.till().put(path, {"phone": phone})


@pytest.mark.django_db
class TestUpsert:
    def test_lets_a_new_person_join_and_then_finds_them(self) -> None:
        answers = [upsert("13800138999") for _ in range(2)]
        found = make.till().get(PATH)

        assert [answer.status_code for answer in answers] == [201, 200]
        assert len({answer.json()["id"] for answer in [*answers, found]}) == 1

    def test_binds_who_is_a_member_by_the_phone(self) -> None:
        guest = make.member(phone="+8613800138999")

        answer = upsert("138 0013 8999")

        assert (answer.status_code, answer.json()["id"]) == (200, str(guest.public_id))
        assert upsert("13800138999", "/members/external/crm/9").status_code == 200
        assert ExternalId.objects.filter(member=guest).count() == 2

    def test_leaves_a_number_with_the_member_who_has_it(self) -> None:
        upsert("13800138999")

        answer = upsert("13800138998")

        assert (answer.status_code, answer.json()["code"]) == (409, "external-id-taken")
        assert Member.objects.count() == 1

    def test_needs_a_number_of_sense(self) -> None:
        assert upsert("13800138999", f"/members/external/old-till/{'9' * 65}").status_code == 400
        assert make.till().get("/members/external/old-till/none").status_code == 404


@pytest.mark.django_db
class TestNumber:
    def test_follows_a_merge(self) -> None:
        upsert("13800138999")
        source, into = Member.objects.get(), make.member()

        merging.merge_members(source, into=into, reason="one", actor="t", now=timezone.now())

        assert make.till().get(PATH).json()["id"] == str(into.public_id)

    def test_of_who_left_names_who_comes_next_and_goes_with_erasure(self) -> None:
        upsert("13800138999")
        leaver = Member.objects.get()
        departures.close_member(leaver, reason="moves away", actor="t", now=timezone.now())

        again = upsert("13800138998")

        assert again.status_code == 201
        member = Member.objects.get(public_id=again.json()["id"])
        departures.erase_member(member, reason="asked", actor="t", now=timezone.now())
        assert not ExternalId.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_member() -> None:
    """`member_once_per_phone` and `external_id_once` hold it; `rows.insert` waits for the second.

    Without the second constraint one number names the member twice.
    """
    who = Application(phone="+8613800138999", store=make.store())
    told = {"system": "old-till", "external_id": "card-17", "actor": "test", "now": make.NOON}

    said = at_once([partial(registration.upsert, who, **told)] * 5)

    assert [has_joined for _member, has_joined in said].count(True) == 1
    assert Member.objects.count() == ExternalId.objects.count() == 1
