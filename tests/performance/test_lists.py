"""Lists cost as much with twenty rows as with one: no query per row."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import (
    campaign_changes,
    click_reports,
    cobrands,
    contents,
    costs,
    links,
    partner_credentials,
    swaps,
    transfers,
)
from campaigns.models import (
    AdAccount,
    AdUpload,
    Campaign,
    CampaignPhase,
    Cause,
    Channel,
    Cobrand,
    CouponDefinition,
    Partner,
    Placement,
    Reservation,
    ResourceSwap,
)
from loyalty import adjustments, rewards
from loyalty.models import EarningRule, Reward, Tier, TierChange
from shop import alerts
from shop.kernel.money import Cents, Points
from shop.models import Member, Store, StoreHours
from tests import make
from tests.campaigns import partnership
from tests.make import Api
from tests.performance.counting import statements
from tests.schema import operations

pytestmark = pytest.mark.django_db

NOW = timezone.now()
NAMES = {"name_zh": "一", "name_en": "One"}


class Shop:
    """One member with a till, a phone and a back office around them."""

    def __init__(self) -> None:
        self.member: Member = make.member()
        make.give_points(self.member, 100_000)
        CouponDefinition.objects.update(per_member_limit=99)
        self.till = make.till()
        self.phone = make.phone_of(self.member)
        self.office = make.staff(group="Head office")
        self.number = 0

    def next(self) -> str:
        self.number += 1
        return f"n{self.number}"

    def order(self) -> None:
        make.paid(who=self.member)

    def coupon(self) -> None:
        make.coupon(self.member, now=NOW)

    def transfer(self) -> None:
        make.definition("WINBACK_6", is_transferable=True)
        gift = make.coupon(self.member, "WINBACK_6", now=NOW)
        transfers.offer(gift.code, member_id=self.member.pk, now=NOW)

    def top_up(self) -> None:
        make.stored_value_on()
        make.topped_up(self.member, 100)

    def points(self) -> None:
        make.give_points(self.member, 5)

    def redemption(self) -> None:
        rewards.redeem("FREE_DRINK", member_id=self.member.pk, now=NOW)

    def definition(self) -> None:
        code = self.next()
        chosen = CouponDefinition.objects.get(code="FULL25_5")
        chosen.pk, chosen.code, chosen.is_claimable = None, code, True
        chosen.save(force_insert=True)

    def batch(self) -> None:
        make.batch(kind="shared", word=f"WORD{self.next()}")

    def reward(self) -> None:
        Reward.objects.create(
            code=self.next(), cost_points=Points(5), max_value_cents=Cents(5), **NAMES
        )

    def earning_rule(self) -> None:
        EarningRule.objects.create(code=self.next(), kind="visit", points=5, **NAMES)

    def channel(self) -> None:
        Channel.objects.create(code=self.next(), kind="flyer", **NAMES)

    def placement(self) -> None:
        channel = Channel.objects.get(code="flyer")
        Placement.objects.create(channel=channel, code=self.next(), **NAMES)

    def campaign(self) -> None:
        campaign = Campaign.objects.create(code=self.next(), starts_at=NOW, **NAMES)
        campaign.stores.set(Store.objects.all())
        CampaignPhase.objects.create(
            campaign=campaign, kind="launch", starts_at=NOW, ends_at=NOW + timedelta(days=1)
        )

    def listed(self) -> Campaign:
        campaign, _is_new = Campaign.objects.get_or_create(
            code="listed", defaults={"starts_at": NOW, "status": "active", **NAMES}
        )
        return campaign

    def campaign_change(self) -> None:
        campaign_changes.write(
            self.listed(), come_from="active", to="paused", cause=Cause.STAFF, actor="t", now=NOW
        )

    def reservation(self) -> None:
        Reservation.objects.create(
            campaign=self.listed(), member=make.member(), reserved_at=NOW, coupon=None
        )

    def link(self) -> None:
        links.create(
            channel=Channel.objects.get(code="flyer"),
            label="Metro",
            store=make.store(),
            now=NOW,
            code=self.next(),
        )

    def cost(self) -> None:
        code = self.next()
        link = links.create(
            channel=Channel.objects.get(code="flyer"), label="Metro", now=NOW, code=code
        )
        costs.upsert(
            [costs.CostRow(link=code, date=NOW.date(), cost_cents=Cents(5))], links={code: link}
        )

    def ad_upload(self) -> None:
        account = AdAccount.objects.first() or make.ad_account()
        link = make.link("douyin")
        click = click_reports.report(
            account, link_code=link.code, query={"click_id": f"click-{self.next()}"}, now=NOW
        )
        AdUpload.objects.create(
            click=click,
            event=AdUpload.Event.ORDER,
            source=f"order:{self.next()}",
            member=self.member,
            occurred_at=NOW,
            due_at=NOW,
            created_at=NOW,
        )

    def credential(self) -> None:
        found = Partner.objects.filter(code="listed").first()
        partner_credentials.store(
            found or partnership.partner(code="listed"),
            provider=self.next(),
            account="",
            secret="s3cret",
            actor="test",
            now=NOW,
        )

    def store(self) -> None:
        store = make.store()
        store.pk, store.code = None, self.next()
        store.save(force_insert=True)
        StoreHours.objects.create(store=store, weekday=1, opens_at="10:00", closes_at="22:00")

    def large_adjustment(self) -> None:
        self.number += 1
        adjustments.request(
            self.member,
            amount=Points(9000),
            reason="compensation",
            by=make.staff_member(),
            source=f"large:{self.number}",
            now=NOW,
            expires_at=None,
        )

    def tier_change(self) -> None:
        low, high = Tier.objects.order_by("level")[:2]
        TierChange.objects.create(
            member=self.member, from_tier=low, to_tier=high, source=self.next(), occurred_at=NOW
        )

    def alert(self) -> None:
        alerts.record("late", subject=self.next(), details={}, now=NOW, store_id=make.store().pk)

    def partner(self) -> None:
        partnership.partner()

    def deal(self) -> None:
        partnership.deal(links=[make.link("kol", at=None)])

    def visit(self) -> None:
        partnership.visit(partnership.deal(), on=NOW.date())

    def cobrand(self) -> None:
        code = self.next()
        campaign = Campaign.objects.create(code=code, starts_at=NOW, **NAMES)
        partner = partnership.partner("brand")
        cobrands.create(campaign, partner=partner, revenue_share=1, cost_share=1)

    def pool_use(self) -> None:
        definition = CouponDefinition.objects.get(code="FULL25_5")
        if not Cobrand.objects.exists():
            campaign = Campaign.objects.create(code="joint", starts_at=NOW, **NAMES)
            cobrands.create(
                campaign,
                partner=partnership.partner("brand"),
                revenue_share=1,
                cost_share=1,
                coupons=[definition],
            )
        mine = make.coupon(self.member, now=NOW)
        cups = [make.line(quantity=3)]
        what = make.basket(who=self.member, lines=cups, coupon_codes=[mine.code])
        make.paid(what=what, total=3100, now=NOW)

    def content(self) -> None:
        partnership.content()

    def topic(self) -> None:
        contents.create_topic(code=self.next(), **NAMES)

    def swap(self) -> None:
        self.number += 1
        swaps.agree(
            partner=partnership.partner("brand"),
            label="Screens",
            channel=Channel.objects.get(code="flyer"),
            we_give="cups",
            they_give="screens",
            unit="days",
            agreed_quantity=90,
            agreed_cents=Cents(90),
            agreed_on=NOW.date(),
        )

    def delivery(self) -> None:
        if not ResourceSwap.objects.exists():
            self.swap()
        swaps.deliver(
            ResourceSwap.objects.get().pk,
            quantity=1,
            delivered_on=NOW.date(),
            reference=self.next(),
            actor="test",
            now=NOW,
        )

    def tier(self) -> None:
        level = 100 + self.number
        Tier.objects.create(
            code=self.next(), level=level, role="vip", min_qualifying_points=10**6, **NAMES
        )


Ask = Callable[[Shop], tuple[Api, str]]
LISTS: dict[str, tuple[Ask, Callable[[Shop], None]]] = {
    "orders_list": (lambda shop: (shop.till, "/orders"), Shop.order),
    "me_coupons": (lambda shop: (shop.phone, "/me/coupons"), Shop.coupon),
    "me_coupon_transfers": (lambda shop: (shop.phone, "/me/coupon-transfers"), Shop.transfer),
    "members_coupons": (
        lambda shop: (shop.till, f"/members/{shop.member.public_id}/coupons"),
        Shop.coupon,
    ),
    "me_stored_value_entries": (
        lambda shop: (shop.phone, "/me/stored-value/entries"),
        Shop.top_up,
    ),
    "members_stored_value_entries": (
        lambda shop: (shop.till, f"/members/{shop.member.public_id}/stored-value/entries"),
        Shop.top_up,
    ),
    "me_points_entries": (lambda shop: (shop.phone, "/me/points/entries"), Shop.points),
    "members_points_entries": (
        lambda shop: (shop.till, f"/members/{shop.member.public_id}/points/entries"),
        Shop.points,
    ),
    "me_tier_changes": (lambda shop: (shop.phone, "/me/tier-changes"), Shop.tier_change),
    "members_tier_changes": (
        lambda shop: (shop.till, f"/members/{shop.member.public_id}/tier-changes"),
        Shop.tier_change,
    ),
    "me_redemptions": (lambda shop: (shop.phone, "/me/redemptions"), Shop.redemption),
    "coupon_definitions_list": (
        lambda shop: (shop.phone, "/coupon-definitions"),
        Shop.definition,
    ),
    "points_adjustments_list": (
        lambda shop: (shop.office, "/points-adjustments"),
        Shop.large_adjustment,
    ),
    "members_timeline": (
        lambda shop: (shop.office, f"/members/{shop.member.public_id}/timeline"),
        Shop.tier_change,
    ),
    "code_batches_list": (lambda shop: (shop.office, "/code-batches"), Shop.batch),
    "rewards_list": (lambda shop: (shop.till, "/rewards"), Shop.reward),
    "earning_rules_list": (lambda shop: (shop.office, "/earning-rules"), Shop.earning_rule),
    "channels_list": (lambda shop: (shop.office, "/channels"), Shop.channel),
    "placements_list": (lambda shop: (shop.office, "/placements"), Shop.placement),
    "campaigns_list": (lambda shop: (shop.office, "/campaigns"), Shop.campaign),
    "campaigns_changes": (
        lambda shop: (shop.office, "/campaigns/listed/changes"),
        Shop.campaign_change,
    ),
    "campaigns_reservations": (
        lambda shop: (shop.office, "/campaigns/listed/reservations"),
        Shop.reservation,
    ),
    "channel_links_list": (lambda shop: (shop.office, "/channel-links"), Shop.link),
    "daily_costs_list": (lambda shop: (shop.office, "/daily-costs"), Shop.cost),
    "ad_uploads_list": (lambda shop: (shop.office, "/ad-uploads"), Shop.ad_upload),
    "partners_credentials": (
        lambda shop: (shop.office, "/partners/listed/credentials"),
        Shop.credential,
    ),
    "alerts_list": (lambda shop: (shop.office, "/alerts"), Shop.alert),
    "partners_list": (lambda shop: (shop.office, "/partners"), Shop.partner),
    "kols_list": (lambda shop: (shop.office, "/kols"), Shop.deal),
    "kol_deals_list": (lambda shop: (shop.office, "/kol-deals"), Shop.deal),
    "kol_visits_list": (lambda shop: (shop.office, "/kol-visits"), Shop.visit),
    "cobrands_list": (lambda shop: (shop.office, "/cobrands"), Shop.cobrand),
    "cobrands_redemptions": (
        lambda shop: (shop.office, "/cobrands/joint/redemptions"),
        Shop.pool_use,
    ),
    "contents_list": (lambda shop: (shop.office, "/contents"), Shop.content),
    "topics_list": (lambda shop: (shop.office, "/topics"), Shop.topic),
    "resource_swaps_list": (lambda shop: (shop.office, "/resource-swaps"), Shop.swap),
    "resource_swaps_deliveries": (
        lambda shop: (
            shop.office,
            f"/resource-swaps/{ResourceSwap.objects.get().pk}/deliveries",
        ),
        Shop.delivery,
    ),
    "stores_list": (lambda shop: (Api(), "/stores"), Shop.store),
    "tiers_list": (lambda shop: (Api(), "/tiers"), Shop.tier),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_as_much_with_twenty_rows_as_with_one(name: str) -> None:
    shop = Shop()
    ask, add = LISTS[name]
    add(shop)
    api, path = ask(shop)
    api.get(path)  # what is loaded once per process is loaded now

    one = cost_of(api, path)
    for _row in range(19):
        add(shop)
    twenty = cost_of(api, path)

    assert len(twenty) == len(one), "\n".join(twenty)


def test_every_list_is_measured() -> None:
    paged = {
        operation.id
        for operation in operations()
        if any(parameter["name"] == "cursor" for parameter in operation.query)
    }

    assert paged <= set(LISTS)


def cost_of(api: Api, path: str) -> list[str]:
    """Return the statements of one request for a page of twenty."""
    with statements() as found:
        response: Any = api.get(path, page_size=20)
    assert response.status_code == 200
    return found
