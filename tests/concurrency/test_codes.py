"""Codes in a rush: a paper is worth one coupon, a word so many, a divided cap its sum."""

from collections.abc import Callable
from functools import partial
from threading import Event, Thread
from time import sleep
from typing import Any

import pytest
from django.db import connections, transaction
from django.urls import reverse
from django.utils import timezone

from campaigns import batches, caps, codes, coupons
from campaigns.models import BatchCode, CapBucket, CodeBatch, Coupon, CouponDefinition
from shop.kernel import jobs
from shop.models import Member, Order
from shop.storefront.baskets import Basket
from tests import make
from tests.concurrency.crowd import answers, at_once, outcomes
from tests.concurrency.test_coupons import claim, settle

LINE = {"product": "MT01", "quantity": 3, "options": make.MILK_TEA}
SALE = {"lines": [LINE], "expected_total_cents": 3100}
REFUSED = {coupons.CouponNotUsable.code, coupons.ClaimLimitReached.code}
TOO_LATE = {"201", "409 coupon-not-usable", "409 quote-changed"}


def enter(who: Member, code: str) -> Coupon:
    with transaction.atomic():
        return codes.enter(code, member_id=who.pk, guesser=f"test:{who.pk}", now=make.NOON)


def divided(buckets: int, **fields: Any) -> CouponDefinition:
    """Return a definition for claiming whose cap is divided."""
    definition = make.definition(claim_buckets=buckets, is_claimable=True, **fields)
    caps.divide(definition)
    return definition


def as_typed(form: Any) -> dict[str, Any]:
    """Return the answers that a form shows, as a browser sends them back."""
    values = {}
    for bound in form:
        value = bound.field.prepare_value(bound.value())
        if value not in (None, "", False, []):
            values[bound.name] = "on" if value is True else value
    return values


class TestOnePaper:
    def test_entered_by_twenty_members_is_one_coupon(self) -> None:
        """The unique code of `Coupon` holds it; with a code of its own for each coupon everybody
        gets one. U1, U29; peer bugs 8, 11.
        """
        (code,) = make.papers(make.batch(quantity=1))
        members = [make.member() for _ in range(20)]

        said = outcomes([partial(enter, who, code) for who in members])

        assert said == {"done": 1, "coupon-code-unknown": 19}
        assert Coupon.objects.filter(code=code).count() == 1
        assert Coupon.objects.get(code=code).definition.issued_count == 1

    def test_entered_eight_times_by_its_member_is_told_as_theirs(self) -> None:
        (code,) = make.papers(make.batch(quantity=1))
        guest = make.member()

        said = outcomes([partial(enter, guest, code) for _ in range(8)])

        assert said == {"done": 8}
        assert Coupon.objects.filter(code=code, member=guest).count() == 1

    def test_brought_to_eight_tills_is_used_at_one(self) -> None:
        """The same unique code, and the savepoint around the whole sale: no order of a loser
        stays. Peer bugs 10, 12, 14.
        """
        (code,) = make.papers(make.batch(quantity=1, now=timezone.now()))
        guests = [str(make.member().public_id) for _ in range(8)]
        till = make.till()

        said = answers(
            [
                partial(
                    till.post,
                    "/pos/settle",
                    SALE | {"coupons": [code], "member": guest, "pos_order_no": f"R{guest}"},
                )
                for guest in guests
            ]
        )

        assert said["201"] == 1
        assert set(said) <= TOO_LATE
        assert Order.objects.count() == 1

    def test_of_a_guest_is_used_at_one_till(self) -> None:
        make.definition(is_for_guests=True)
        (code,) = make.papers(make.batch(quantity=1, now=timezone.now()))
        till = make.till()

        said = answers(
            [
                partial(
                    till.post,
                    "/pos/settle",
                    SALE | {"coupons": [code], "pos_order_no": f"G{number}"},
                )
                for number in range(6)
            ]
        )

        assert said["201"] == 1
        assert set(said) <= TOO_LATE | {"409 member-required"}
        assert Order.objects.count() == Coupon.objects.filter(code=code).count() == 1


class TestOneWord:
    def test_is_used_as_often_as_it_may_be(self) -> None:
        """The guarded update of `used_count` in `batches.take`; without its condition all get it
        until the check of the table crashes the rest.
        """
        batch = make.batch(kind="shared", word="TEA2026", quantity=5)
        members = [make.member() for _ in range(24)]

        said = outcomes([partial(enter, who, "TEA2026") for who in members])

        batch.refresh_from_db()
        assert said["done"] == 5
        assert set(said) <= {"done", "coupon-exhausted", "coupon-code-unknown"}
        assert batch.used_count == Coupon.objects.filter(batch=batch).count() == 5

    def test_of_one_member_is_used_as_often_as_one_member_may(self) -> None:
        make.definition(per_member_limit=2)
        make.batch(kind="shared", word="TEA2026")
        guest = make.member()
        what = make.basket(who=guest, lines=[make.line(quantity=3)], coupon_codes=["TEA2026"])

        said = outcomes([partial(settle, what, 3100, f"T-{number}") for number in range(8)])

        assert said["done"] == 2
        assert Order.objects.count() == 2


class TestTries:
    def test_of_thirty_at_once_ten_are_looked_at(self) -> None:
        """Counting and asking in one atomic step; if asked first and counted after, all thirty
        pass. RELIABILITY 4.6, U30.
        """
        phone = make.phone_of(make.member())

        said = answers([partial(phone.post, "/me/coupons", {"code": f"W{n}"}) for n in range(30)])

        assert said == {"404 coupon-code-unknown": 10, "429 rate-limited": 20}


class TestBuckets:
    @pytest.mark.parametrize(("cap", "buckets"), [(1, 4), (10, 4), (13, 16)])
    def test_of_forty_members_as_many_get_one_as_there_are(self, cap: int, buckets: int) -> None:
        """The conditions of the updates of `campaigns.caps`; without them the check of the table
        crashes claims. Peer bugs 1, 4, 11, 13.
        """
        definition = divided(buckets, total_limit=cap)
        members = [make.member() for _ in range(40)]

        said = outcomes([partial(claim, who, definition) for who in members])

        assert said == {"done": cap, "coupon-exhausted": 40 - cap}
        assert Coupon.objects.filter(definition=definition).count() == cap
        assert caps.issued(definition) == cap

    def test_that_others_have_locked_are_waited_for_before_anybody_is_sent_away(self) -> None:
        """Whoever has the last coupon may still give it back: with SKIP LOCKED alone the claimant
        would be told that all are gone.
        """
        definition = divided(2, total_limit=1)
        guest = make.member()
        is_locked, has_waited = Event(), Event()

        def take_and_give_back() -> None:
            try:
                with transaction.atomic():
                    assert caps.take(definition)
                    is_locked.set()
                    has_waited.wait(0.3)
                    transaction.set_rollback(True)
            finally:
                connections.close_all()

        other = Thread(target=take_and_give_back)
        other.start()
        is_locked.wait(10)
        said = outcomes([partial(claim, guest, definition)])
        other.join()

        assert said == {"done": 1}

    def test_are_divided_anew_while_claims_go_on(self) -> None:
        """`caps.take` asks again how many buckets there are before it says that all are gone, and
        the undivided row issues nothing while there are buckets; without either, coupons are lost
        or too many are issued.
        """
        definition = make.definition(is_claimable=True, total_limit=30)
        members = [make.member() for _ in range(36)]

        def divide(buckets: int) -> None:
            with transaction.atomic():
                CouponDefinition.objects.filter(pk=definition.pk).update(claim_buckets=buckets)
                caps.divide(CouponDefinition.objects.get(pk=definition.pk))

        calls: list[Callable[[], Any]] = [partial(claim, who, definition) for who in members]
        for place, buckets in ((9, 4), (18, 1), (27, 7)):
            calls.insert(place, partial(divide, buckets))
        said = outcomes(calls)

        fresh = CouponDefinition.objects.get(pk=definition.pk)
        assert said == {"done": 30 + 3, "coupon-exhausted": 6}
        assert caps.issued(fresh) == Coupon.objects.filter(definition=definition).count() == 30

    def test_are_divided_by_three_at_once_while_claims_go_on(self) -> None:
        """The row lock of `caps.divide`; without it two count the same buckets, and what was issued
        is forgotten or the unique number of a bucket crashes one.
        """
        definition = divided(4, total_limit=30)
        members = [make.member() for _ in range(36)]

        calls: list[Callable[[], Any]] = [partial(claim, who, definition) for who in members]
        for place in (8, 16, 24):
            calls.insert(place, partial(caps.divide, definition))
        said = outcomes(calls)

        fresh = CouponDefinition.objects.get(pk=definition.pk)
        assert said == {"done": 30 + 3, "coupon-exhausted": 6}
        assert caps.issued(fresh) == Coupon.objects.filter(definition=definition).count() == 30

    def test_are_changed_on_the_form_while_claims_go_on(self) -> None:
        """The form locks the definition without its key: a full lock, and a claim that has its
        bucket waits for it at its commit, where the foreign key is checked, while the form waits
        for the bucket. Either is shot, or both wait for seconds.
        """
        definition = divided(2, total_limit=30)
        guest = make.member()
        page = reverse("admin:campaigns_coupondefinition_change", args=[definition.pk])
        office = make.staff(group="Head office").client
        answers = as_typed(office.get(page).context["adminform"].form) | {"total_limit": 40}
        has_bucket, is_saving = Event(), Event()

        def claim_slowly() -> str:
            with transaction.atomic():
                claim(guest, definition)
                has_bucket.set()
                is_saving.wait(10)
                sleep(0.3)  # the form has the definition by now
            return "done"

        def save() -> str:
            has_bucket.wait(10)
            is_saving.set()
            return str(office.post(page, answers).status_code)

        assert at_once([claim_slowly, save]) == ["done", "302"]
        fresh = CouponDefinition.objects.get(pk=definition.pk)
        assert (fresh.total_limit, caps.issued(fresh)) == (40, 1)
        assert sum(CapBucket.objects.values_list("cap", flat=True)) == 39

    def test_never_get_a_cap_below_what_is_issued(self) -> None:
        definition = divided(4, total_limit=20)
        for _ in range(6):
            claim(make.member(), definition)
        CouponDefinition.objects.filter(pk=definition.pk).update(total_limit=5)

        with pytest.raises(caps.CapBelowIssued):
            caps.divide(definition)

        CouponDefinition.objects.filter(pk=definition.pk).update(total_limit=20)
        assert sum(CapBucket.objects.values_list("cap", flat=True)) == 20


class TestMakingCodes:
    def test_with_three_workers_makes_every_code_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lock of the job's row, and behind it the unique number of a batch's codes."""
        monkeypatch.setattr(batches, "SLICE", 20)
        batch = batches.create(
            make.definition(), label="x", quantity=100, requested_by="test", now=make.NOON
        )

        def work() -> None:
            while jobs.advance(now=make.NOON):
                pass

        at_once([work] * 3)
        job = batches.job_of(batch)
        assert job is not None
        jobs.run(job.pk, now=make.NOON)

        numbers = BatchCode.objects.filter(batch=batch).values_list("number", flat=True)
        assert sorted(numbers) == list(range(1, 101))
        assert CodeBatch.objects.get(pk=batch.pk).made_count == 100


class TestOrdersWithNewCodes:
    def test_of_one_member_cannot_wait_for_each_other_in_a_circle(self) -> None:
        """Coupons first, in one order of codes, and counters last; counted when entered, a sale
        with a wallet coupon and another with a paper of the same kind can deadlock.
        """
        make.definition(per_member_limit=9)
        for number in range(4):
            guest = make.member()
            mine = make.coupon(guest).code
            papers = make.papers(make.batch("WINBACK_6", quantity=2))
            baskets: list[Basket] = [
                make.basket(who=guest, lines=[make.line(quantity=4)], coupon_codes=named)
                for named in ([mine, papers[0]], [papers[0], mine], [papers[1], mine])
            ]

            said = outcomes(
                [
                    partial(settle, what, 3700, f"C-{number}-{position}")
                    for position, what in enumerate(baskets)
                ]
            )

            assert said["done"] == 1
            assert set(said) <= {"done", "quote-changed", *REFUSED}
