"""A member's history: everything, newest first, page by page."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from loyalty import rewards
from shop import accounts
from shop.kernel.money import Points
from shop.models import Member, Message
from shop.refunds import RefundRequest
from shop.storefront import merging, refunds, timelines
from shop.storefront.admin.event_texts import tell
from tests import make

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def lively() -> Member:
    """Return a member to whom one of everything has happened, an hour apart."""
    link = make.link()
    make.touch(link, "v-1", now=make.NOON - HOUR)
    who = make.member(visitor_id="v-1")
    make.give_points(who, 2000, now=make.NOON + HOUR)
    coupon = make.coupon(who, now=make.NOON + HOUR)
    lines = [make.line(quantity=3)]
    what = make.basket(who=who, lines=lines, coupon_codes=[coupon.code], points=Points(100))
    order = make.paid(what=what, total=2900, now=make.NOON + 2 * HOUR).order
    refunds.refund_order(
        number=order.number,
        request=RefundRequest(),
        actor="test",
        now=make.NOON + 3 * HOUR,
    )
    rewards.redeem("FREE_DRINK", member_id=who.pk, now=make.NOON + 4 * HOUR)
    make.referred(who, now=make.NOON + 5 * HOUR)
    Message.objects.create(
        member=who, template="receipt", text="谢谢", sent_at=make.NOON + 6 * HOUR
    )
    accounts.freeze(who, reason="lost phone", actor="test", now=make.NOON + 7 * HOUR)
    return who


class TestTexts:
    def test_say_amounts_and_states_in_the_readers_words(self) -> None:
        events = {event.kind: event for event in timelines.page(lively().pk, size=100).events}

        with translation.override("zh-hans"):
            told = {kind: tell(event) for kind, event in events.items()}

        assert told["order"].endswith("¥29.00 · 已退款")
        assert told["status"] == "已冻结 · lost phone"
        assert told["touch"].startswith("扫码")
        assert told["message"] == "谢谢"


class TestTimeline:
    def test_tells_everything_newest_first_in_one_statement(self) -> None:
        who = lively()

        with CaptureQueriesContext(
            connection,
        ) as queries:
            events = timelines.page(who.pk, size=100).events

        moments = [event.at for event in events]
        assert len(queries) == 1
        assert moments == sorted(moments, reverse=True)
        assert {event.kind for event in events} == set(timelines.TEXTS)
        assert (events[0].kind, events[0].details["reason"]) == ("status", "lost phone")
        assert events[-1].kind == "touch"
        assert all(tell(event) for event in events)

    def test_comes_in_pages_that_miss_and_repeat_nothing(self) -> None:
        who = lively()
        whole = timelines.page(who.pk, size=100).events
        office = make.staff(group="Head office")
        path, told = f"/members/{who.public_id}/timeline", []

        answer = office.get(path, page_size=3).json()
        while answer["next"]:
            told += answer["results"]
            cursor = answer["next"].split("cursor=")[1].split("&")[0]
            answer = office.get(path, page_size=3, cursor=cursor).json()
        told += answer["results"]

        assert [(row["kind"], row["details"]) for row in told] == [
            (event.kind, event.details) for event in whole
        ]

    def test_is_one_history_after_a_merge(self) -> None:
        source, target = make.member(), make.member()
        order = make.paid(who=source).order
        by = {"reason": "one person", "actor": "test", "now": make.NOON + HOUR}

        merging.merge_members(source, into=target, **by)

        events = timelines.page(target.pk, size=100).events
        kinds = [event.kind for event in events]
        assert order.number in [event.details.get("order") for event in events]
        assert kinds.count("joined") == 2
        assert [e.details["change"] for e in events if e.kind == "status"] == ["merge"]

    def test_tells_a_manager_of_no_order_elsewhere(self) -> None:
        who = make.member(at="SH001")
        make.paid(what=make.basket(who=who, at="SH002"), total=1000)
        manager = make.staff("SH001")

        answer = manager.get(f"/members/{who.public_id}/timeline").json()

        assert "order" not in {row["kind"] for row in answer["results"]}

    @pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMiwzXQ", "WyIyMDI2LTA2LTE4IiwieCIsMV0"])
    def test_knows_no_made_up_page(self, cursor: str) -> None:
        who = make.member()
        office = make.staff(group="Head office")

        answer = office.get(f"/members/{who.public_id}/timeline", cursor=cursor)

        assert answer.status_code == 404
