"""What head office types about links and partners."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import cobrands, statements
from campaigns.models import Campaign, Channel, ChannelLink, Cobrand, DealLink
from tests import make
from tests.campaigns import partnership

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Client:
    client: Client = make.staff(group="Head office").client
    return client


@pytest.fixture
def cobrand() -> Cobrand:
    picnic = Campaign.objects.create(
        code="picnic", name_zh="野餐", name_en="Picnic", starts_at=make.NOON
    )
    bakery = partnership.partner("brand")
    return cobrands.create(picnic, partner=bakery, revenue_share=1000, cost_share=3333)


def shares(office: Client, cobrand: Cobrand, revenue_share: str) -> Any:
    page = reverse("admin:campaigns_cobrand_change", args=[cobrand.pk])
    answers: dict[str, Any] = {
        "campaign": cobrand.campaign_id,
        "partner": cobrand.partner_id,
        "revenue_share": revenue_share,
        "cost_share": "33.33",
        "pools-TOTAL_FORMS": 0,
        "pools-INITIAL_FORMS": 0,
    }
    return office.post(page, answers)


class TestShares:
    def test_are_typed_and_read_in_percent(self, office: Client, cobrand: Cobrand) -> None:
        page = office.get(reverse("admin:campaigns_cobrand_change", args=[cobrand.pk]))
        saved = shares(office, cobrand, "12.5")
        listed = office.get(reverse("admin:campaigns_cobrand_changelist")).content.decode()

        assert 'value="10"' in page.content.decode()
        assert 'value="33.33"' in page.content.decode()
        assert "asis points" not in page.content.decode()
        assert saved.status_code == 302
        cobrand.refresh_from_db()
        assert (cobrand.revenue_share, cobrand.cost_share) == (1250, 3333)
        assert "12.5 %" in listed
        assert "33.33 %" in listed

    @pytest.mark.parametrize("typed", ["100.01", "-1", "12.345", "ten"])
    def test_are_shares(self, office: Client, cobrand: Cobrand, typed: str) -> None:
        assert shares(office, cobrand, typed).status_code == 200
        cobrand.refresh_from_db()
        assert cobrand.revenue_share == 1000

    def test_of_a_fixed_deal_are_shown_in_percent(self, office: Client) -> None:
        fixed = partnership.deal(commission=825)
        page = office.get(reverse("admin:campaigns_koldeal_change", args=[fixed.pk]))

        assert "8.25 %" in page.content.decode()
        assert "asis points" not in page.content.decode()


def test_a_statement_says_who_drafted_it_by_name(office: Client) -> None:
    deal, author = partnership.deal(), make.staff_member(group="Head office")
    partnership.sold(link := make.link("kol"))
    DealLink.objects.create(deal=deal, link=link)
    by = partnership.key_of(author)
    statements.draft(deal.pk, month=partnership.JUNE, actor=by, now=make.NOON)

    page = office.get(
        reverse("admin:campaigns_dealstatement_change", args=[partnership.statement(deal).pk])
    ).content.decode()

    assert author.username in page
    assert "staff:" not in page


class TestLink:
    @pytest.mark.parametrize(
        ("field", "typed"), [("target_url", "javascript:alert(1)"), ("phase", "other")]
    )
    def test_that_does_not_fit_together_is_refused(
        self, office: Client, field: str, typed: str
    ) -> None:
        phase = make.phase()
        answers: dict[str, Any] = {
            "label": "a door",
            "is_active": "on",
            "channel": Channel.objects.get(code="flyer").pk,
            "target_url": "/menu",
        }
        change = {field: phase.pk if typed == "other" else typed}

        refused = office.post(reverse("admin:campaigns_channellink_add"), answers | change)
        taken = office.post(reverse("admin:campaigns_channellink_add"), answers)

        assert refused.context["adminform"].form.errors.keys() == {field}
        assert taken.status_code == 302
        assert ChannelLink.objects.filter(label="a door").count() == 1
