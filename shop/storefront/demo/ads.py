"""The demo chain advertises: an account at each platform, and members whom ads brought."""

from datetime import datetime, timedelta

from campaigns import ad_accounts, ad_uploads, click_reports
from campaigns.ad_platforms.providers import SANDBOX_TOKEN
from campaigns.models import Acquisition, AdAccount, AdPlatform, Channel
from shop import consents
from shop.models import Consent, Member, Order

RECENT = timedelta(days=25)
MEMBERS = 16
WORDING = "2026-11"


def advertise(*, now: datetime) -> None:
    """Open the accounts, and have the platforms told of the newest members of the feed ads."""
    accounts = [
        _open(
            AdPlatform.TENCENT, "腾讯广告（演示）", "10000001", action_set_id="20000001", now=now
        ),
        _open(AdPlatform.OCEAN_ENGINE, "巨量引擎（演示）", "30000001", now=now),
    ]
    brought = Acquisition.objects.filter(
        channel__kind=Channel.Kind.AD_FEED,
        acquired_at__gt=now - RECENT,
        member__status=Member.Status.ACTIVE,
    ).select_related("member")
    for index, acquisition in enumerate(brought.order_by("-acquired_at")[:MEMBERS]):
        _tell(acquisition.member, accounts[index % 2], number=index, now=now)


def _open(
    platform: str, name: str, external_id: str, *, now: datetime, action_set_id: str = ""
) -> AdAccount:
    account = AdAccount(
        code=f"demo-{platform}",
        platform=platform,
        name=name,
        external_id=external_id,
        action_set_id=action_set_id,
        sends_orders=True,
        created_at=now,
    )
    ad_accounts.give_keys(account, token=SANDBOX_TOKEN)
    return account


def _tell(member: Member, account: AdAccount, *, number: int, now: datetime) -> None:
    consents.record(
        member.pk,
        purpose=Consent.Purpose.AD_MEASUREMENT,
        is_given=True,
        version=WORDING,
        source="demo",
        now=member.joined_at,
    )
    click_reports.claim(
        member,
        platform=account.platform,
        click_id=f"demo-click-{number:04d}",
        now=member.joined_at,
    )
    ad_uploads.report_registration(member, now=now)
    for order in Order.objects.filter(member=member, paid_at__isnull=False).order_by("paid_at"):
        ad_uploads.report_order(order, now=now)
