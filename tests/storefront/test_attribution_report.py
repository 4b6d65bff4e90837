"""Who gets the credit for what was sold, counted by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns import credit
from campaigns.models import Acquisition, ChannelLink
from shop.kernel.money import Cents
from shop.models import Member, Order
from shop.refunds import RefundRequest
from shop.storefront import refunds
from tests import make

pytestmark = pytest.mark.django_db

PERIOD = {"since": "2026-06-01", "until": "2026-07-01"}


def at(day: int, hour: int = 12) -> datetime:
    """Return a moment in June on a Shanghai wall."""
    return datetime(2026, 6, day, hour, tzinfo=UTC) - timedelta(hours=8)


def ask(**query: Any) -> dict[str, Any]:
    answer = make.report_reader().get("/reports/attribution", **PERIOD | query)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def credits_of(**query: Any) -> dict[str | None, tuple[float, int]]:
    return {row["key"]: (row["conversions"], row["amount_cents"]) for row in ask(**query)["rows"]}


@pytest.fixture
def links() -> dict[str, ChannelLink]:
    return {code: make.link(code) for code in ("flyer", "douyin", "kol", "organic")}


@pytest.fixture
def guest(links: dict[str, ChannelLink]) -> Member:
    """A guest who meets a flyer, then Douyin, joins on the spot and buys a cup for ¥12."""
    make.touch(links["flyer"], "v1", now=at(4))
    make.touch(links["douyin"], "v1", kind="click", now=at(18, 11))
    return make.member(visitor_id="v1", now=at(18, 11))


@pytest.fixture
def order(guest: Member) -> Order:
    return make.paid(who=guest, now=at(18)).order


class TestModels:
    @pytest.mark.parametrize(
        ("model", "flyer", "douyin"),
        [
            ("first", (1, 1200), None),
            ("last", None, (1, 1200)),
            ("last_non_direct", None, (1, 1200)),
            ("linear", (0.5, 600), (0.5, 600)),
            ("position", (0.5, 600), (0.5, 600)),
            ("shapley", (0.5, 600), (0.5, 600)),
            ("markov", (0.5, 600), (0.5, 600)),
        ],
    )
    def test_divide_an_order_between_what_its_guest_met(
        self,
        order: Order,
        model: str,
        flyer: tuple[float, int] | None,
        douyin: tuple[float, int] | None,
    ) -> None:
        found = {key: value for key, value in credits_of(model=model).items() if value != (0, 0)}

        expected = {"flyer": flyer, "douyin": douyin}
        assert found == {key: value for key, value in expected.items() if value}

    def test_time_decay_halves_with_each_week(self, order: Order) -> None:
        """The flyer was seen two weeks (and an hour) before the ad: a quarter of its weight."""
        found = credits_of(model="time_decay")

        assert found["douyin"][0] == pytest.approx(0.8, abs=0.02)
        assert sum(cents for _share, cents in found.values()) == 1200

    def test_of_every_kind_sum_to_the_net_amount(
        self, links: dict[str, ChannelLink], guest: Member
    ) -> None:
        make.touch(links["kol"], "v1", kind="click", now=at(19))
        make.paid(who=guest, now=at(19))
        refunded = make.paid(who=guest, now=at(20)).order
        refunds.refund_order(
            number=refunded.number,
            request=RefundRequest(amount_cents=Cents(501)),
            actor="test",
            now=at(20),
        )

        for model in credit.MODELS:
            report = ask(model=model)

            assert (report["conversions"], report["amount_cents"]) == (2, 1899)
            assert sum(row["amount_cents"] for row in report["rows"]) == 1899
            assert sum(row["conversions"] for row in report["rows"]) == pytest.approx(2, abs=1e-5)

    def test_markov_knows_who_came_for_nothing(
        self, order: Order, links: dict[str, ChannelLink]
    ) -> None:
        """Flyer → douyin converts, a flyer alone does not: without either nobody converts."""
        make.touch(links["flyer"], "somebody else", now=at(18))

        rows = {row["key"]: row for row in ask(model="markov")["rows"]}

        assert (rows["flyer"]["removal_effect"], rows["douyin"]["removal_effect"]) == (1, 1)
        make.touch(links["kol"], "a third", now=at(18))
        rows = {row["key"]: row for row in ask(model="markov")["rows"]}
        assert (rows["kol"]["conversions"], rows["kol"]["removal_effect"]) == (0, 0)


class TestWays:
    def test_leave_out_what_was_met_longer_ago_than_the_window(
        self, guest: Member, links: dict[str, ChannelLink]
    ) -> None:
        make.touch(links["kol"], "v1", now=at(25))
        make.paid(who=guest, now=at(18) + timedelta(days=30, hours=2))

        found = credits_of(model="first", until="2026-08-01")

        assert found["kol"] == (1, 1200)

    def test_of_who_met_nothing_are_organic(self) -> None:
        make.paid(who=make.member(now=at(18)), now=at(18))

        assert credits_of(model="linear") == {"organic": (1, 1200)}

    def test_of_a_friend_begin_with_the_friend(self, links: dict[str, ChannelLink]) -> None:
        friend = make.member(now=at(10))
        make.touch(links["flyer"], "v2", now=at(11))
        guest = make.member(referral_code=make.referral_code(friend), visitor_id="v2", now=at(12))
        make.touch(links["douyin"], "v2", now=at(13))
        make.paid(who=guest, now=at(14))

        assert credits_of(model="linear") == {"referral": (0.5, 600), "douyin": (0.5, 600)}

    def test_may_be_told_by_link_and_by_campaign(
        self, order: Order, links: dict[str, ChannelLink]
    ) -> None:
        assert set(credits_of(model="linear", by="link")) == {
            links["flyer"].code,
            links["douyin"].code,
        }
        assert credits_of(model="linear", by="campaign") == {None: (1, 1200)}

    def test_of_a_registration_have_no_money(self, guest: Member) -> None:
        assert credits_of(model="linear", kind="registration") == {
            "flyer": (0.5, 0),
            "douyin": (0.5, 0),
        }

    def test_of_an_order_taken_back_whole_are_gone(self, order: Order) -> None:
        refunds.refund_order(number=order.number, request=RefundRequest(), actor="t", now=at(19))

        assert ask()["rows"] == []


class TestStickerAtTheCounter:
    def test_does_not_take_the_credit_from_the_ad(self, links: dict[str, ChannelLink]) -> None:
        """The sticker is an organic link: whoever scans it to join came because of something."""
        make.touch(links["douyin"], "v3", kind="click", now=at(17))
        make.touch(links["organic"], "v3", now=at(18))
        guest = make.member(visitor_id="v3", now=at(18))
        make.paid(who=guest, now=at(18))

        assert Acquisition.objects.get(member=guest).channel.code == "douyin"
        (row,) = ask()["rows"]
        assert (row["key"], row["frozen_conversions"], row["amount_cents"]) == ("douyin", 1, 1200)

    def test_has_the_credit_where_there_was_nothing_else(
        self, links: dict[str, ChannelLink]
    ) -> None:
        make.touch(links["organic"], "v3", now=at(18))
        guest = make.member(visitor_id="v3", now=at(18))

        assert Acquisition.objects.get(member=guest).last_link == links["organic"]


class TestFrozenCredit:
    def test_stays_with_who_had_it_when_it_happened(
        self, order: Order, links: dict[str, ChannelLink]
    ) -> None:
        """An event that is delivered late changes what is computed, not what was frozen."""
        make.touch(links["kol"], "v1", kind="click", now=at(18, 12) - timedelta(seconds=1))

        rows = {row["key"]: row for row in ask()["rows"]}

        assert (rows["kol"]["conversions"], rows["kol"]["frozen_conversions"]) == (1, 0)
        assert (rows["douyin"]["conversions"], rows["douyin"]["frozen_conversions"]) == (0, 1)
        assert rows["douyin"]["frozen_amount_cents"] == 1200


class TestOrder:
    def test_is_divided_by_each_model_to_the_cent(self, order: Order) -> None:
        answer = make.report_reader().get(f"/orders/{order.number}/attribution").json()

        assert set(answer["models"]) == set(credit.SINGLE)
        assert answer["models"]["linear"] == [
            {"key": "flyer", "share": 0.5, "amount_cents": 600},
            {"key": "douyin", "share": 0.5, "amount_cents": 600},
        ]

    def test_of_a_guest_cannot_be_followed(self) -> None:
        order = make.paid(now=at(18)).order

        answer = make.report_reader().get(f"/orders/{order.number}/attribution")

        assert answer.status_code == 404

    def test_of_another_store_is_not_found(self, order: Order) -> None:
        answer = make.report_reader("SH002").get(f"/orders/{order.number}/attribution")

        assert answer.status_code == 404


@pytest.mark.parametrize(
    "query", [{"model": "magic"}, {"kind": "refund"}, {"by": "zodiac"}, {"model": ""}]
)
def test_refuses_what_it_does_not_know(query: dict[str, str]) -> None:
    answer = make.report_reader().get("/reports/attribution", **PERIOD | query)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-input")
