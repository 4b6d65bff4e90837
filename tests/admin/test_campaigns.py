"""Campaigns in the back office: made from a preset, moved by buttons, seen on one page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import phases
from campaigns.models import Campaign, CampaignChange, CampaignPhase
from tests import make
from tests.admin.test_buttons import press

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Client:
    client: Client = make.staff(group="Head office").client
    return client


def board(client: Client, campaign: Campaign) -> Any:
    return client.get(reverse("admin:campaigns_campaign_board", args=[campaign.pk]))


def test_a_big_sale_is_made_in_one_form(office: Client) -> None:
    """T-0 is 18 June at midnight in Shanghai; the numbers are those of docs/campaigns.md."""
    press(
        office,
        "campaigns_campaign_make_from_preset",
        preset="big-sale",
        code="cup618",
        name_zh="618 大促",
        name_en="618",
        starts_at_0="2026-06-18",
        starts_at_1="00:00:00",
        budget_cents="50000",
        target_joins="2000",
        stores=["SH001"],
    )

    campaign = Campaign.objects.get(code="cup618")
    start = datetime(2026, 6, 17, 16, tzinfo=UTC)
    made = [
        (phase.kind, phase.starts_at - start, phase.budget_cents, phase.target_joins)
        for phase in campaign.phases.order_by("starts_at")
    ]
    assert made == [
        ("preheat", timedelta(days=-30), 1_250_000, 300),
        ("flash72", timedelta(0), 3_000_000, 1_300),
        ("long_tail", timedelta(days=3), 750_000, 400),
    ]
    assert (campaign.status, campaign.ends_at) == ("draft", start + timedelta(days=31))
    assert [store.code for store in campaign.stores.all()] == ["SH001"]


def test_a_phase_is_paused_with_a_reason_which_the_page_shows(office: Client) -> None:
    flash = make.phase(starts_at=make.NOON - timedelta(days=1), budget_cents=100, target_joins=5)
    phases.advance(now=make.NOON)
    make.link(phase=flash)

    silent = press(office, "campaigns_campaignphase_pause_phase", flash)
    paused = press(office, "campaigns_campaignphase_pause_phase", flash, reason="No milk")

    flash.refresh_from_db()
    assert silent.status_code == 200
    assert paused.url == reverse("admin:campaigns_campaign_board", args=[flash.campaign_id])
    assert (flash.status, flash.pause_cause) == ("paused", "staff")
    shown = board(office, flash.campaign).content.decode()
    assert "No milk" in shown
    assert reverse("admin:campaigns_campaignphase_resume_phase", args=[flash.pk]) in shown


def test_a_campaign_of_other_stores_is_not_a_managers_to_see_and_a_shared_one_not_to_move() -> None:
    shared = make.phase().campaign
    theirs = Campaign.objects.create(
        code="theirs", name_zh="他店", name_en="Theirs", starts_at=make.NOON
    )
    theirs.stores.add(make.store("SH002"))
    manager = make.staff("SH001").client

    seen = [board(manager, each).status_code for each in (shared, theirs)]
    moved = press(manager, "campaigns_campaign_pause", shared, reason="?")

    assert (seen, moved.status_code) == ([200, 404], 403)


def test_a_limit_that_is_changed_in_the_form_is_in_the_history(office: Client) -> None:
    flash = make.phase(budget_cents=100_000)
    url = reverse("admin:campaigns_campaignphase_change", args=[flash.pk])
    form = office.get(url).context["adminform"].form
    answers = {
        name: "" if value is None else value
        for name, value in form.initial.items()
        if name in form.fields and not isinstance(value, list | datetime)
    }
    for name in ("starts_at", "ends_at"):
        local = getattr(flash, name) + timedelta(hours=8)
        answers |= {f"{name}_0": f"{local:%Y-%m-%d}", f"{name}_1": f"{local:%H:%M:%S}"}
    plans = {"plans-TOTAL_FORMS": "0", "plans-INITIAL_FORMS": "0"}

    response = office.post(url, {**answers, **plans, "budget_cents": "1500"})

    assert response.status_code == 302, response.context["errors"]
    change = CampaignChange.objects.get(phase=flash)
    assert (change.cause, change.details) == ("terms", {"budget_cents": [100_000, 150_000]})
    assert CampaignPhase.objects.get().budget_cents == 150_000
