"""Contents, their snapshots, and topics: growth, rollup and ratings, worked out by hand."""

from typing import Any

import pytest

from campaigns import contents
from campaigns.contents import Counts
from campaigns.models import Content, ContentSnapshot, Topic
from shop.kernel.money import Cents
from shop.refunds import RefundRequest
from shop.storefront import refunds
from tests import make
from tests.campaigns import partnership as of

pytestmark = pytest.mark.django_db

AT = "2026-06-{:02d}T12:00:00+08:00"


@pytest.fixture
def office() -> make.Api:
    return make.staff(group="Head office")


def told(office: make.Api, kind: str = "short_video", **fields: Any) -> int:
    """Return the id of a content that head office follows."""
    body = {"kind": kind, "title": "Tea", "platform": "douyin", "published_at": AT.format(1)}
    answer = office.post("/contents", body | fields)
    assert answer.status_code == 201, answer.content
    number: int = answer.json()["id"]
    return number


def snap(office: make.Api, content: int, day: int, **counts: int) -> Any:
    body = {"taken_at": AT.format(day), "views": 0} | counts
    return office.post(f"/contents/{content}/snapshots", body)


class TestSnapshots:
    def test_show_what_was_gained_and_count_once_a_moment(self, office: make.Api) -> None:
        content = told(office)
        answers = [
            snap(office, content, 2, views=3000, likes=100, rank=9).status_code,
            snap(office, content, 9, views=2900, likes=130).status_code,
            snap(office, content, 2, views=3000, likes=100, rank=9).status_code,
        ]
        other = snap(office, content, 2, views=3001)

        rows = office.get(f"/contents/{content}").json()["snapshots"]

        assert answers == [201, 201, 201]
        assert (other.status_code, other.json()["code"]) == (409, "snapshot-taken")
        assert [(row["views"], row["views_gained"], row["likes_gained"]) for row in rows] == [
            (3000, None, None),
            (2900, -100, 30),
        ]

    def test_come_from_a_file_all_or_none(self, office: make.Api) -> None:
        content = told(office)
        snap(office, content, 2, views=3000)
        head = "content,taken_at,views,likes,rank\n"
        known, new = (
            f"{content},{AT.format(day)},3000,,{rank}\n" for day, rank in ((2, ""), (3, 1))
        )
        bad = [
            f"{content},{AT.format(2)},3001,,\n",
            f"{content},2026-06-04 12:00,1,,\n",
            f"0,{AT.format(5)},1,,\n",
            f"{content},{AT.format(6)},−1,,\n",
            new,
        ]

        tried = office.post(
            "/contents/snapshots/import", {"csv": head + known + new + "".join(bad)}
        ).json()
        stored = office.post("/contents/snapshots/import", {"csv": head + known + new}).json()

        assert not tried["is_stored"]
        assert [line["outcome"] for line in tried["lines"]] == [
            "unchanged",
            "created",
            *["refused"] * 5,
        ]
        assert [line["outcome"] for line in stored["lines"]] == ["unchanged", "created"]
        assert ContentSnapshot.objects.count() == 2


class TestContents:
    def test_of_a_kind_are_listed_with_their_average_rating(self, office: make.Api) -> None:
        for rating in (5, 4, 4):
            told(office, "review", rating=rating)
        told(office)

        reviews = office.get("/contents", kind="review").json()

        assert (len(reviews["results"]), reviews["average_rating"]) == (3, 4.33)
        assert office.get("/contents", kind="live").json()["average_rating"] is None
        video = {"kind": "short_video", "title": "T", "platform": "p", "published_at": AT.format(1)}
        assert office.post("/contents", video | {"rating": 5}).status_code == 400

    def test_show_the_orders_of_their_link(self, office: make.Api) -> None:
        link = make.link("kol", at=None)
        order = of.sold(link, cups=2)
        of.sold(link)
        refunds.refund_order(
            number=order.number,
            request=RefundRequest(amount_cents=Cents(400)),
            actor="test",
            now=make.NOON,
        )

        shown = office.get(f"/contents/{told(office, link=link.code)}").json()

        assert (shown["orders"], shown["sales_cents"]) == (2, 3200)
        body = {"kind": "live", "title": "T", "platform": "p", "published_at": AT.format(1)}
        taken = office.post("/contents", body | {"link": link.code})
        assert taken.json()["code"] == "content-link-taken"


class TestTopic:
    def test_is_the_sum_of_its_contents_newest_snapshots(self, office: make.Api) -> None:
        office.post("/topics", {"code": "tea", "name_zh": "茶", "name_en": "Tea"})
        one, other = (told(office, topics=["tea"]) for _each in range(2))
        snap(office, told(office), 2, views=7)
        snap(office, one, 5, views=30, likes=3, shares=1)
        snap(office, one, 2, views=10, likes=9)
        snap(office, other, 3, views=4, comments=2)

        rollup = office.get("/topics/tea/rollup").json()

        assert rollup == {
            "topic": "tea",
            "contents": 2,
            "views": 34,
            "likes": 3,
            "comments": 2,
            "shares": 1,
        }
        assert contents.latest(Content.objects.filter(topics=Topic.objects.get())).count() == 2
        assert Counts().views == 0
