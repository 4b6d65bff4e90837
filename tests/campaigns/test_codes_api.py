"""Printed codes and words: made, entered, used and refused, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import batches, codes
from campaigns.models import BatchCode, CodeBatch, Coupon
from shop.kernel import identifiers, jobs
from shop.storefront.invariants import suite
from tests import make
from tests.make import Api

pytestmark = pytest.mark.django_db

LINE = {"product": "MT01", "quantity": 3, "options": make.MILK_TEA}
FULL, LESS = 3600, 3100
"""Three MT01 without and with FULL25_5."""


@pytest.fixture(autouse=True)
def _books_balance() -> Any:
    make.definition(per_member_limit=1)
    yield
    broken = suite.check_all(now=timezone.now()).broken
    assert broken == [], "\n".join(f"{found.name}: {found.examples}" for found in broken)


def batch(**fields: Any) -> CodeBatch:
    return make.batch(now=timezone.now(), **fields)


def quote(caller: Api, *coupons: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = caller.post(
        "/quotes", {"lines": [LINE], "coupons": list(coupons)} | more
    ).json()
    return answer


def settle(caller: Api, *coupons: str, total: int = LESS, **more: Any) -> Any:
    number = f"T-{make.phone()}"
    body = {"lines": [LINE], "coupons": list(coupons), "expected_total_cents": total}
    return caller.post("/pos/settle", body | {"pos_order_no": number} | more)


def enter(caller: Api, code: str, **more: Any) -> Any:
    return caller.post("/me/coupons", {"code": code}, **more)


class TestMaking:
    def test_gives_codes_that_nobody_can_guess(self) -> None:
        made = batch(quantity=200, prefix="tea", length=14)

        found = make.papers(made)
        assert len(set(found)) == 200
        assert all(code.startswith("TEA") and len(code) == 17 for code in found)
        assert {code[-1] for code in found} > set("ABC")  # the check character varies
        assert all(identifiers.check_character(code[3:-1]) == code[-1] for code in found)

    def test_uses_every_letter_about_as_often(self) -> None:
        text = "".join(code[:-1] for code in batches.new_codes(20_000, length=14))

        counts = [text.count(letter) for letter in identifiers.ALPHABET]
        assert sum(counts) == 260_000  # no other characters
        fair = 260_000 / 31
        chi_square = sum((count - fair) ** 2 / fair for count in counts)
        assert chi_square < 80  # 30 degrees of freedom: fair letters stay below with p > 0.999999

    @pytest.mark.parametrize("length", [14, 15, 18])
    def test_computes_check_characters_as_they_are_defined(self, length: int) -> None:
        for code in batches.new_codes(300, length=length):
            assert identifiers.check_character(code[:-1]) == code[-1]

    def test_goes_on_where_a_killed_worker_left_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(batches, "SLICE", 40)
        made = batches.create(
            make.definition(), label="x", quantity=100, requested_by="t", now=make.NOON
        )
        job = batches.job_of(made)
        assert job is not None
        jobs.advance(now=make.NOON)
        real_copy = batches._copy

        def die(*args: Any, **kwargs: Any) -> None:
            real_copy(*args, **kwargs)
            raise KeyboardInterrupt

        monkeypatch.setattr(batches, "_copy", die)
        with pytest.raises(KeyboardInterrupt):
            jobs.advance(now=make.NOON)
        half = BatchCode.objects.filter(batch=made).count()
        monkeypatch.setattr(batches, "_copy", real_copy)
        done = jobs.run(job.pk, now=make.NOON)

        numbers = list(made.codes.order_by("number").values_list("number", flat=True))
        assert half == 40
        assert numbers == list(range(1, 101))
        assert (done.state, done.done, done.total) == ("done", 100, 100)

    def test_is_refused_what_could_be_guessed_or_makes_no_sense(self) -> None:
        office = make.staff(group="Head office")
        make.definition(total_limit=50)
        batch(kind="shared", word="TEA2026", quantity=10)
        ask: dict[str, Any] = {"definition": "FULL25_5", "label": "x", "quantity": 10}
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"length": 13}, "/length"),
            ({"length": 19}, "/length"),
            ({"prefix": "TEA!"}, "/prefix"),
            ({"quantity": 41}, "/quantity"),
            ({"quantity": 0}, "/quantity"),
            ({"definition": "NOPE"}, "/definition"),
            ({"word": "TEA2027"}, "/word"),
            ({"kind": "shared", "word": "tea-2026"}, "/word"),
            ({"kind": "shared", "word": "TEE"}, "/word"),
            ({"colour": "red"}, "/colour"),
        ]
        for change, pointer in wrong:
            answer = office.post("/code-batches", ask | change)
            assert answer.status_code == 400, change
            assert answer.json()["errors"][0]["pointer"] == pointer, change
        del ask["quantity"]
        assert office.post("/code-batches", ask).json()["errors"][0]["pointer"] == "/quantity"
        assert CodeBatch.objects.count() == 1

    def test_is_told_by_its_job(self) -> None:
        office = make.staff(group="Head office")
        asked = {"definition": "FULL25_5", "label": "Metro", "quantity": 7}

        made = office.post("/code-batches", asked).json()
        waiting = office.get(f"/jobs/{made['job']}").json()
        jobs.advance(now=timezone.now())
        done = office.get(f"/jobs/{made['job']}").json()

        assert (waiting["state"], waiting["percent"]) == ("waiting", 0)
        assert (done["state"], done["percent"], done["done"]) == ("done", 100, 7)
        assert office.get(f"/code-batches/{made['id']}").json()["made_count"] == 7


class TestFile:
    def test_has_every_code_with_what_became_of_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(batches, "ROWS_PER_READ", 2)
        made = batch(quantity=5)
        used, entered, *_rest = make.papers(made)
        guest = make.member()
        enter(make.phone_of(guest), entered)
        make.definition(per_member_limit=9)
        settle(make.till(), used, member=str(guest.public_id))

        answer = make.staff(group="Head office").get(f"/code-batches/{made.pk}/codes")

        lines = b"".join(answer.streaming_content).decode().splitlines()
        assert answer["Content-Type"].startswith("text/csv")
        assert lines[0] == "number,code,status"
        assert lines[1:3] == [f"1,{used},redeemed", f"2,{entered},available"]
        assert [line.rpartition(",")[2] for line in lines[3:]] == ["unused"] * 3

    def test_tells_the_redemption_rate(self) -> None:
        made = batch(quantity=8, area="People's Square")
        guest = make.member()
        settle(make.till(), make.papers(made)[0], member=str(guest.public_id))

        shown = make.staff("SH001").get(f"/code-batches/{made.pk}").json()

        assert (shown["entered"], shown["redeemed"], shown["redemption_rate"]) == (1, 1, 0.125)
        assert shown["area"] == "People's Square"


class TestEntering:
    def test_puts_the_coupon_into_the_wallet_once(self) -> None:
        phone = make.phone_of(make.member())
        (code,) = make.papers(batch(quantity=1))
        typed = f"{code[:5].lower()}-{code[5:]} "

        first, again = enter(phone, typed), enter(phone, code)

        assert first.status_code == again.status_code == 201
        assert first.json()["code"] == again.json()["code"] == code
        assert Coupon.objects.filter(code=code).count() == 1
        assert code in [c["code"] for c in phone.get("/me/coupons").json()["results"]]

    def test_of_what_cannot_be_used_is_always_answered_the_same(self) -> None:
        """U30: no oracle, whatever the reason."""
        now = timezone.now()
        make.definition(per_member_limit=9)
        taken, *_rest = make.papers(batch(quantity=1))
        enter(make.phone_of(make.member()), taken)
        voided = batch(quantity=1)
        batches.void(voided, now=now)
        others = make.coupon(make.member(), now=now)
        over = batch(code="PCT88_CAP8", quantity=1)
        make.definition("PCT88_CAP8", claim_ends_at=now - timedelta(hours=1))
        used_up = batch(kind="shared", word="GONE2026", quantity=1)
        enter(make.phone_of(make.member()), "GONE2026")
        assert used_up.word == "GONE2026"
        phone = make.phone_of(make.member())

        answers = [
            enter(phone, code).content
            for code in (
                "NOSUCHCODE",
                taken,
                make.papers(voided)[0],
                others.code,
                make.papers(over)[0],
                "GONE2026",
            )
        ]
        reasons = [
            refusal["reason"]
            for code in (taken, others.code, "GONE2026")
            for refusal in quote(phone, code, store="SH001")["refusals"]
        ]

        assert len(set(answers)) == 1
        assert b"coupon-code-unknown" in answers[0]
        assert reasons == ["unknown-code"] * 3

    def test_of_more_than_one_may_have_is_refused(self) -> None:
        phone = make.phone_of(make.member())
        first, second = make.papers(batch(quantity=2))

        enter(phone, first)

        assert enter(phone, second).json()["code"] == "claim-limit-reached"
        assert quote(phone, second, store="SH001")["refusals"][0]["reason"] == "unknown-code"

    def test_is_done_by_a_till_for_the_guest_it_names(self) -> None:
        guest = make.member()
        (code,) = make.papers(batch(quantity=1))

        answer = make.till().post(f"/members/{guest.public_id}/coupons", {"code": code})

        assert answer.status_code == 201
        assert Coupon.objects.get(code=code).member == guest


class TestTries:
    def test_are_ten_bad_ones_a_minute(self) -> None:
        """RELIABILITY 4.6: the eleventh is told when to come back; so is a good code."""
        phone = make.phone_of(make.member())
        (code,) = make.papers(batch(quantity=1))

        said = [enter(phone, f"WRONG{number}").status_code for number in range(10)]
        refused, good = enter(phone, "WRONG10"), enter(phone, code)

        assert said == [404] * 10
        assert (refused.status_code, good.status_code) == (429, 429)
        assert 0 < int(refused["Retry-After"]) <= 60

    def test_count_in_quotes_and_orders_too(self) -> None:
        till = make.till()
        guest = str(make.member().public_id)
        for number in range(4):
            quote(till, f"WRONGA{number}", f"WRONGB{number}", member=guest)
        settled = settle(till, "WRONGC", member=guest)  # rolled back, and counted all the same
        quote(till, "WRONGD", member=guest)

        refused = till.post("/quotes", {"lines": [LINE], "coupons": ["X"], "member": guest})

        assert settled.json()["code"] == "quote-changed"
        assert (refused.status_code, refused.json()["code"]) == (429, "rate-limited")

    def test_of_good_codes_are_free(self) -> None:
        make.definition(per_member_limit=99)
        phone = make.phone_of(make.member())
        papers = make.papers(batch(quantity=12))

        assert [enter(phone, code).status_code for code in papers] == [201] * 12

    def test_of_one_do_not_count_for_another(self) -> None:
        for number in range(11):
            enter(make.phone_of(make.member()), f"WRONG{number}")

        assert enter(make.phone_of(make.member()), "WRONG").status_code == 404

    def test_begin_anew_after_the_window(self) -> None:
        member = make.member()
        for minute in range(3):
            now = make.NOON + minute * codes.TRIES_WINDOW
            for _try in range(codes.MOST_TRIES):
                with pytest.raises(codes.CouponCodeUnknown):
                    codes.enter("WRONG", member_id=member.pk, guesser="test", now=now)

    def test_cannot_be_made_while_they_cannot_be_counted(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_args: Any, **_kwargs: Any) -> None:
            raise ConnectionError

        monkeypatch.setattr("shop.kernel.tries.cache.incr", away)

        assert enter(make.phone_of(make.member()), "WRONG").status_code == 429


class TestAtTheTill:
    def test_a_printed_code_is_used_once(self) -> None:
        till, guest = make.till(), make.member()
        (code,) = make.papers(batch(quantity=1))
        member = {"member": str(guest.public_id)}

        priced = quote(till, code.lower(), **member)
        sold = settle(till, code.lower(), **member)
        again = settle(till, code, **member)
        by_another = settle(till, code, member=str(make.member().public_id))

        assert priced["total_cents"] == LESS
        assert priced["applied"][0]["code"] == code.lower()
        assert Coupon.objects.filter(code=code).count() == 1
        assert sold.status_code == 201
        assert again.json()["quote"]["refusals"][0]["reason"] == "usage-limit-reached"
        assert by_another.json()["quote"]["refusals"][0]["reason"] == "unknown-code"

    def test_a_quote_leaves_the_code_free(self) -> None:
        till = make.till()
        (code,) = make.papers(batch(quantity=1))

        quote(till, code, member=str(make.member().public_id))

        assert not Coupon.objects.filter(code=code).exists()
        assert settle(till, code, member=str(make.member().public_id)).status_code == 201

    def test_a_word_is_used_by_many_and_by_each_as_often_as_the_coupon_says(self) -> None:
        made = batch(kind="shared", word="TEA2026", quantity=2)
        till = make.till()
        guests = [str(make.member().public_id) for _ in range(3)]

        said = [settle(till, "tea2026", member=guest) for guest in guests]
        twice = settle(till, "TEA2026", member=guests[0])

        made.refresh_from_db()
        assert [answer.status_code for answer in said] == [201, 201, 409]
        assert twice.json()["quote"]["refusals"][0]["reason"] == "usage-limit-reached"
        assert made.used_count == 2

    def test_a_word_finds_the_coupon_that_waits_in_the_wallet(self) -> None:
        batch(kind="shared", word="TEA2026")
        guest = make.member()
        entered = enter(make.phone_of(guest), "TEA2026").json()

        sold = settle(make.till(), "TEA2026", member=str(guest.public_id))

        assert sold.status_code == 201
        assert Coupon.objects.get(code=entered["code"]).status == "redeemed"

    def test_a_word_and_its_coupon_are_one(self) -> None:
        batch(kind="shared", word="TEA2026")
        guest = make.member()
        mine = enter(make.phone_of(guest), "TEA2026").json()["code"]

        priced = quote(make.till(), "TEA2026", mine, member=str(guest.public_id))

        assert len(priced["applied"]) == len(priced["refusals"]) == 1

    def test_an_order_holds_the_code_and_gives_it_back(self) -> None:
        guest, till = make.member(), make.till()
        (code,) = make.papers(batch(quantity=1))
        body = {"lines": [LINE], "coupons": [code], "expected_total_cents": LESS}

        placed = till.post("/orders", body | {"member": str(guest.public_id)})
        held = Coupon.objects.get(code=code).status
        till.post(f"/orders/{placed.json()['number']}/cancellation")

        assert (placed.status_code, held) == (201, "held")
        assert Coupon.objects.get(code=code).status == "available"

    def test_a_guest_uses_a_paper_where_guests_may(self) -> None:
        make.definition(is_for_guests=True)
        till = make.till()
        first, second = make.papers(batch(quantity=2))

        sold, again = settle(till, first), settle(till, first)
        by_a_member = settle(till, second, member=str(make.member().public_id))

        assert (sold.status_code, by_a_member.status_code) == (201, 201)
        assert Coupon.objects.get(code=first).member is None
        assert again.json()["code"] == "member-required"

    def test_a_guest_gets_the_paper_back_after_a_refund(self) -> None:
        make.definition(is_for_guests=True, after_refund="reusable")
        till = make.till()
        (code,) = make.papers(batch(quantity=1))
        number = settle(till, code).json()["order"]["number"]

        till.post(f"/orders/{number}/refunds", {})

        assert settle(till, code, member=str(make.member().public_id)).status_code == 201

    def test_guests_learn_nothing_of_codes_for_members(self) -> None:
        till = make.till()
        (code,) = make.papers(batch(quantity=1))

        said = [
            till.post("/quotes", {"lines": [LINE], "coupons": [typed]}).content
            for typed in (code, "NOPE")
        ]

        assert said[0] == said[1]
        assert b"member-required" in said[0]


class TestInspecting:
    def test_tells_staff_everything(self) -> None:
        till = make.till()
        made = batch(quantity=2, label="Metro")
        used, unused = make.papers(made)
        number = settle(till, used, member=str(make.member().public_id)).json()["order"]["number"]
        batch(kind="shared", word="TEA2026")

        states = {
            code: till.get(f"/coupon-codes/{code}").json() for code in (used, unused, "TEA2026")
        }

        assert [state["state"] for state in states.values()] == ["redeemed", "unused", "word"]
        assert till.get("/coupon-codes/NOPE").json()["code"] == "coupon-code-unknown"
        assert (states[used]["order"], states[used]["batch"]) == (number, "Metro")
        batches.void(made, now=timezone.now())
        assert make.staff("SH001").get(f"/coupon-codes/{unused}").json()["state"] == "void"
