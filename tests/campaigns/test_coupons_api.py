"""Claiming coupons, and the wallet, over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from campaigns.models import Coupon, CouponDefinition
from shop.models import Member
from tests import make
from tests.make import Api

pytestmark = pytest.mark.django_db

CLAIM = "/coupon-definitions/FULL25_5/claims"
AN_HOUR = timedelta(hours=1)


def claimable(caller: Api, **query: str) -> dict[str, dict[str, Any]]:
    results = caller.get("/coupon-definitions", **query).json()["results"]
    return {definition["code"]: definition for definition in results}


def codes(caller: Api, path: str = "/me/coupons", **query: str) -> list[str]:
    return [coupon["code"] for coupon in caller.get(path, **query).json()["results"]]


class TestDefinitions:
    def test_are_listed_while_they_may_be_claimed(self) -> None:
        now = timezone.now()
        phone = make.phone_of(make.member())
        assert "FULL25_5" in claimable(phone)

        for change in (
            {"status": "paused"},
            {"is_claimable": False},
            {"claim_starts_at": now + AN_HOUR},
            {"claim_ends_at": now - AN_HOUR},
            {"valid_until": now - AN_HOUR},
            {"total_limit": 0},
        ):
            before = CouponDefinition.objects.filter(code="FULL25_5").values(*change).get()
            make.definition(**change)
            assert "FULL25_5" not in claimable(phone), change
            make.definition(**before)
        assert "FULL25_5" in claimable(phone)

    def test_say_how_many_are_left_and_taken(self) -> None:
        make.definition(total_limit=10, per_member_limit=2)
        guest = make.member()
        phone = make.phone_of(guest)

        phone.post(CLAIM)

        mine = claimable(phone)["FULL25_5"]
        asked = claimable(make.till(), member=str(guest.public_id))["FULL25_5"]
        assert (mine["left"], mine["taken"], mine["per_member_limit"]) == (9, 1, 2)
        assert asked["taken"] == 1
        assert claimable(make.till())["FULL25_5"]["taken"] is None

    def test_of_nobody_are_not_found(self) -> None:
        answer = make.till().get("/coupon-definitions", member=str(uuid4()))

        assert answer.status_code == 404


class TestClaim:
    def test_puts_a_coupon_into_the_wallet(self) -> None:
        phone = make.phone_of(make.member())

        claimed = phone.post(CLAIM)

        assert claimed.status_code == 201
        assert claimed.json()["status"] == "available"
        assert claimed.json() in phone.get("/me/coupons").json()["results"]

    def test_is_made_once_however_often_the_request_is_repeated(self) -> None:
        make.definition(per_member_limit=5)
        phone = make.phone_of(make.member())

        first = phone.post(CLAIM, key="claim-0001")
        again = phone.post(CLAIM, key="claim-0001")

        assert again.content == first.content
        assert Coupon.objects.filter(definition__code="FULL25_5").count() == 1

    def test_needs_a_key(self) -> None:
        answer = make.phone_of(make.member()).post(CLAIM, {}, key=None)

        assert answer.json()["code"] == "idempotency-key-required"

    def test_is_refused_with_a_reason(self) -> None:
        phone = make.phone_of(make.member())
        make.definition(per_member_limit=1)
        phone.post(CLAIM)
        limited = phone.post(CLAIM).json()
        make.definition(per_member_limit=9, total_limit=1)
        gone = phone.post(CLAIM).json()
        make.definition(status="paused")
        paused = phone.post(CLAIM).json()

        assert [limited["code"], gone["code"], paused["code"]] == [
            "claim-limit-reached",
            "coupon-exhausted",
            "coupon-not-claimable",
        ]

    def test_of_what_is_not_for_claiming_is_not_found(self) -> None:
        phone = make.phone_of(make.member())

        for code in ("NEW_BOGO", "NOPE"):
            assert phone.post(f"/coupon-definitions/{code}/claims").status_code == 404

    def test_is_made_by_a_till_for_the_guest_it_names(self) -> None:
        guest = make.member(at="SH002")

        claimed = make.till("SH001").post(CLAIM, {"member": str(guest.public_id)})

        assert claimed.status_code == 201
        assert Coupon.objects.get(code=claimed.json()["code"]).member == guest

    def test_says_whom_it_is_for(self) -> None:
        guest = make.member()
        phone, till = make.phone_of(guest), make.till()
        frozen = make.member()
        Member.objects.filter(pk=frozen.pk).update(status="frozen")

        for_another = phone.post(CLAIM, {"member": str(make.member().public_id)})
        for_nobody = till.post(CLAIM, {})
        for_a_stranger = till.post(CLAIM, {"member": str(uuid4())})
        for_nonsense = till.post(CLAIM, {"member": "me"})
        for_the_frozen = till.post(CLAIM, {"member": str(frozen.public_id)})

        answers = [for_another, for_nobody, for_a_stranger, for_nonsense, for_the_frozen]
        assert [answer.status_code for answer in answers] == [400, 400, 404, 400, 409]
        assert for_the_frozen.json()["code"] == "member-not-active"

    def test_is_not_for_staff(self) -> None:
        assert make.staff().post(CLAIM).status_code == 403


class TestWallet:
    def test_shows_what_can_be_used_the_soonest_to_expire_first(self) -> None:
        now = timezone.now()
        make.definition(per_member_limit=9)
        guest = make.member(now=now)
        (welcome,) = Coupon.objects.filter(member=guest)
        soon, later, over, used = (make.coupon(guest, now=now) for _ in range(4))
        Coupon.objects.filter(pk=soon.pk).update(expires_at=now + AN_HOUR)
        Coupon.objects.filter(pk=later.pk).update(expires_at=now + timedelta(days=300))
        Coupon.objects.filter(pk=over.pk).update(expires_at=now - AN_HOUR)
        Coupon.objects.filter(pk=used.pk).update(status="revoked")
        phone = make.phone_of(guest)

        assert codes(phone) == [soon.code, welcome.code, later.code]
        assert codes(phone, status="expired") == [over.code]
        assert codes(phone, status="revoked") == [used.code]
        assert (
            phone.get("/me/coupons", status="expired").json()["results"][0]["status"] == "expired"
        )
        assert phone.get("/me/coupons", status="lost").status_code == 400

    def test_goes_on_behind_the_cursor(self) -> None:
        make.definition(per_member_limit=9)
        guest = make.member(now=timezone.now())
        for _ in range(4):
            make.coupon(guest, now=timezone.now())
        phone = make.phone_of(guest)

        page = phone.get("/me/coupons", page_size=3).json()
        rest = phone.client.get(page["next"], headers=phone.headers).json()

        seen = [coupon["code"] for coupon in page["results"] + rest["results"]]
        assert len(seen) == len(set(seen)) == 5

    def test_is_shown_to_tills_of_every_store_and_to_staff_of_the_members(self) -> None:
        guest = make.member(at="SH002", now=timezone.now())
        path = f"/members/{guest.public_id}/coupons"
        (welcome,) = codes(make.phone_of(guest))

        assert codes(make.till("SH001"), path) == [welcome]
        assert codes(make.staff("SH002"), path) == [welcome]
        assert make.staff("SH001").get(path).status_code == 404
        assert make.report_reader().get(path).status_code == 403
        assert Api().get(path).status_code == 401
