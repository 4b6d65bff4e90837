"""Flyers that lead through a channel link: scans are touches, and what they bring is theirs."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import clicks, links
from campaigns.models import ChannelLink, CodeBatch, Conversion, Touch
from shop.models import Member, Order
from tests import make

pytestmark = pytest.mark.django_db

LINE = {"product": "MT01", "quantity": 3, "options": make.MILK_TEA}
LESS = 3100
PERSON = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"


@pytest.fixture
def flyers() -> ChannelLink:
    return make.link("flyer")


@pytest.fixture
def batch(flyers: ChannelLink) -> CodeBatch:
    return make.batch(quantity=10, link=flyers, now=timezone.now())


def settle(who: Member, code: str) -> Any:
    body = {
        "member": str(who.public_id),
        "lines": [LINE],
        "coupons": [code],
        "expected_total_cents": LESS,
        "pos_order_no": make.phone(),
    }
    return make.till().post("/pos/settle", body)


def credited(who: Member) -> list[tuple[str, str | None]]:
    rows = Conversion.objects.filter(member=who).exclude(kind="registration").order_by("kind")
    return [(row.kind, row.link.code if row.link else None) for row in rows]


class TestScan:
    def test_of_a_paper_is_a_touch_and_leads_to_joining_with_the_code(
        self, batch: CodeBatch, flyers: ChannelLink
    ) -> None:
        code = make.papers(batch)[0]
        address = urlsplit(links.paper_url(flyers, coupon_code=code))

        answer = Client().get(f"{address.path}?{address.query}", HTTP_USER_AGENT=PERSON)
        clicks.flush_now()

        asked = parse_qs(urlsplit(answer.url).query)
        assert (asked["coupon"], asked["link"]) == ([code], [flyers.code])
        touch = Touch.objects.get(link=flyers)
        assert (touch.kind, touch.visitor_id) == ("scan", asked["visitor"][0])

    def test_passes_nothing_on_that_is_no_code(self, flyers: ChannelLink) -> None:
        answer = Client().get(f"/t/{flyers.code}", {"coupon": "<x>&a=b"}, HTTP_USER_AGENT=PERSON)

        assert "coupon" not in parse_qs(urlsplit(answer.url).query)


class TestCode:
    def test_handed_over_at_the_till_gives_the_order_to_the_flyer(
        self, batch: CodeBatch, flyers: ChannelLink
    ) -> None:
        guest = make.member()
        assert settle(guest, make.papers(batch)[0]).status_code == 201

        assert credited(guest) == [("first_order", flyers.code), ("order", flyers.code)]
        order = Conversion.objects.get(member=guest, kind="order")
        assert (order.channel.code, order.amount_cents) == ("flyer", LESS)

    def test_outweighs_a_later_touch_of_another_channel_and_is_taken_back_with_a_refund(
        self, batch: CodeBatch, flyers: ChannelLink
    ) -> None:
        guest = make.member(visitor_id="visitor-of-a-video-ad")
        make.touch(make.link("douyin"), "visitor-of-a-video-ad", now=timezone.now())
        phone, code = make.phone_of(guest), make.papers(batch)[0]
        phone.post("/me/coupons", {"code": code})

        settled = settle(guest, code)
        assert settled.status_code == 201, settled.json()
        number = Order.objects.get(member=guest).number
        make.till().post(f"/orders/{number}/refunds", {"reason": "cold"})

        assert credited(guest)[-2:] == [("order", flyers.code), ("refund", flyers.code)]

    def test_of_papers_without_a_link_changes_nothing(self) -> None:
        guest = make.member()
        settle(guest, make.papers(make.batch(quantity=1, now=timezone.now()))[0])

        assert credited(guest) == [("first_order", None), ("order", None)]


class TestBatch:
    def test_over_http_tells_link_scans_and_redemption_rate(self, flyers: ChannelLink) -> None:
        make.definition()
        office = make.staff(group="Head office")
        body = {"definition": "FULL25_5", "label": "Metro", "quantity": 4, "link": flyers.code}
        made = office.post("/code-batches", body).json()
        make.touch(flyers, "visitor-one", now=timezone.now())
        make.touch(flyers, "visitor-two", now=timezone.now())
        row = CodeBatch.objects.get(pk=made["id"])
        make.made(row)
        settle(make.member(), make.papers(row)[0])

        found = office.get(f"/code-batches/{row.pk}").json()
        listed = office.get("/code-batches").json()["results"][0]

        assert (found["link"], found["scans"], found["redemption_rate"]) == (flyers.code, 2, 0.25)
        assert listed["link"] == flyers.code
        unknown = office.post("/code-batches", body | {"link": "NOSUCH"})
        assert unknown.json()["errors"][0]["pointer"] == "/link"

    def test_page_and_sheet_show_the_link(self, batch: CodeBatch, flyers: ChannelLink) -> None:
        office = make.staff(group="Head office").client
        make.touch(flyers, "visitor-one", now=timezone.now())

        page = office.get(reverse("admin:campaigns_codebatch_change", args=[batch.pk]))
        sheet = office.get(reverse("admin:campaigns_codebatch_sheet", args=[batch.pk]))

        assert flyers.label in page.content.decode()
        assert sheet.content.count(b"<svg") == 10
