"""The ladder's editor and the pins of a member, as people use them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty import ladders
from loyalty.models import Membership, Tier, TierPin
from shop.kernel.models import Job
from shop.models import Member
from tests import make

pytestmark = pytest.mark.django_db

LADDER = "/admin/loyalty/tier/ladder/"


@pytest.fixture
def office() -> Client:
    client: Client = make.staff(group="Head office").client
    return client


def form(**changes: Any) -> dict[str, Any]:
    """Return the ladder as the browser would send it, with these fields changed."""
    saved = ladders.load()
    names = ["code", "level", "role", "name_zh", "name_en", "min_qualifying_points"]
    names += ["min_referrals", "points_rate_percent"]
    data: dict[str, Any] = {
        "qualifying_basis": saved.rules.qualifying_basis,
        "qualifying_window": saved.rules.qualifying_window,
        "qualifying_window_days": saved.rules.qualifying_window_days,
        "tier_keep_days": saved.rules.tier_keep_days,
        "tier_grace_days": saved.rules.tier_grace_days,
        "tier_downgrade": saved.rules.tier_downgrade,
        "steps-TOTAL_FORMS": len(saved.steps) + 1,
        "steps-INITIAL_FORMS": len(saved.steps),
    }
    for index, step in enumerate(saved.steps):
        data |= {f"steps-{index}-{name}": getattr(step, name) for name in names}
    empty = {f"steps-{len(saved.steps)}-{name}": "" for name in names}
    return data | empty | {f"steps-{len(saved.steps)}-role": "normal"} | changes


def bought(cups: int) -> Member:
    who = make.member(name="近了")
    what = make.basket(who=who, lines=[make.line(quantity=cups)])
    make.paid(what=what, total=1200 * cups)
    return who


class TestLadder:
    def test_is_saved_after_its_preview_and_then_moves_who_was_shown(self, office: Client) -> None:
        who = bought(5)
        assert office.get(LADDER).status_code == 200

        sent = office.post(LADDER, form(**{"steps-1-min_qualifying_points": 60}))
        page = office.get(sent.url).content.decode()

        assert "近了" in page
        assert Tier.objects.get(level=2).min_qualifying_points != 60
        office.post(sent.url)
        assert Tier.objects.get(level=2).min_qualifying_points == 60
        job = Job.objects.get(kind="tiers.review")
        assert job.params["everybody"]
        assert Membership.objects.get(member=who).tier.level == 1  # until the worker comes

    def test_that_cannot_work_is_told_and_not_previewed(self, office: Client) -> None:
        answer = office.post(LADDER, form(**{"steps-1-level": 1}))

        assert answer.status_code == 200
        assert "This ladder cannot work." in answer.content.decode()
        assert not Job.objects.exists()

    def test_can_get_a_tier_more(self, office: Client) -> None:
        index = Tier.objects.count()
        new = {
            "code": "T9",
            "level": 9,
            "role": "vip",
            "name_zh": "黑金",
            "name_en": "Black",
            "min_qualifying_points": 90_000,
            "min_referrals": 0,
            "points_rate_percent": 300,
        }

        sent = office.post(LADDER, form(**{f"steps-{index}-{k}": v for k, v in new.items()}))
        office.post(sent.url)

        assert Tier.objects.get(code="T9").points_rate_percent == 300

    def test_travels_as_a_file(self, office: Client) -> None:
        exported = json.loads(office.get("/admin/loyalty/tier/ladder.json").content)
        exported["tiers"][1]["min_qualifying_points"] = 77
        sent = SimpleUploadedFile("ladder.json", json.dumps(exported).encode())

        preview = office.post(LADDER, {"file": sent})

        assert "77" in office.get(preview.url).content.decode()
        broken = SimpleUploadedFile("ladder.json", b"{")
        assert "This is not JSON." in office.post(LADDER, {"file": broken}).content.decode()

    def test_is_head_offices(self) -> None:
        manager = make.staff("SH001").client

        assert manager.get(LADDER).status_code == 403
        assert manager.get("/admin/loyalty/tier/ladder.json").status_code == 403


class TestPin:
    def press(self, client: Client, who: Member, name: str, **answers: Any) -> Any:
        address = reverse(f"admin:shop_member_{name}", args=[who.pk])
        answer = client.post(address, answers | {"_form_submitted": "on"})
        assert answer.status_code == 302, answer.content.decode()
        return answer

    def test_is_set_and_ended_on_the_members_page(self) -> None:
        who = make.member(at="SH001")
        manager = make.staff("SH001").client
        gold = Tier.objects.get(level=3)
        until = timezone.localdate() + timedelta(days=9)

        self.press(manager, who, "pin_tier", tier=gold.pk, until=until, reason="partner")

        pin = TierPin.objects.get(member=who)
        midnight = timezone.localtime(pin.until)
        assert (midnight.date(), midnight.hour) == (until + timedelta(days=1), 0)
        page = manager.get(reverse("admin:shop_member_change", args=[who.pk])).content.decode()
        assert "partner" in page
        self.press(manager, who, "unpin_tier")
        assert Membership.objects.get(member=who).tier.level == 1
