"""Clicks on ads: told by platforms, or brought by guests. The only module that writes them.

A platform reports a click at the moment at which our own redirect sees it too, if the ad leads to
one of our links. So that each click counts once, a reported one waits a little, and becomes a touch
only if our links have not seen it.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns import ad_platforms, ad_units, touches
from campaigns.models import Acquisition, AdAccount, AdClick, AdPlatform, ChannelLink, Touch
from campaigns.touch_quality import TouchEvent
from shop.kernel import crypto, rows
from shop.kernel.errors import InvalidInput, NotFound, RateLimited
from shop.models import Member

WINDOW = timedelta(days=30)
"""For how long an ad's click has a part in what its guest does."""
SETTLE_AFTER = timedelta(minutes=10)
NEARBY = timedelta(hours=1)
BATCH = 500
CLICK_ID = re.compile(r"[\w.~+/=:-]{4,300}\Z", re.ASCII)
AD_ID = re.compile(r"[\w-]{1,40}\Z", re.ASCII)
MACRO = re.compile(r"__.*__\Z")
MOST_CLAIMS = 20
CLAIMS_PER = timedelta(days=1)
JOINED_A_MOMENT_AGO = timedelta(minutes=10)
EARLIEST = timedelta(days=7)
FORGET_AFTER = timedelta(days=90)
NAMESPACE = UUID("6d4f3f0e-3a0e-5b6f-9a57-0f6a5a0b7c11")


def report(
    account: AdAccount, *, link_code: str, query: Mapping[str, str], now: datetime
) -> AdClick:
    """Take a platform's report of a click, once however often it comes.

    Raises:
        InvalidInput: no such link, or no click id (a macro that the console did not fill in).
    """
    link = ChannelLink.objects.filter(code=link_code, is_active=True).first()
    if link is None:
        raise InvalidInput("/link", _("There is no such link."), reason="unknown-link")
    told = ad_platforms.read_click(account.platform, query)
    if MACRO.match(told.click_id) or not CLICK_ID.match(told.click_id):
        raise InvalidInput("/click_id", _("There is no click id."), reason="click-id")
    ad_id = told.ad_id if AD_ID.match(told.ad_id) and not MACRO.match(told.ad_id) else ""
    clicked_at = told.clicked_at or now
    if not now - EARLIEST < clicked_at <= now:
        clicked_at = now
    with transaction.atomic():
        click = _ensure(account, told.click_id, link_id=link.pk, clicked_at=clicked_at)
        AdClick.objects.filter(pk=click.pk, reported_at=None).update(reported_at=now, ad_id=ad_id)
        AdClick.objects.filter(pk=click.pk, link=None).update(link=link)
        if ad_id:
            ad_units.learn(platform=account.platform, external_id=ad_id, link_id=link.pk)
    return click


def claim(member: Member, *, platform: str, click_id: str, now: datetime) -> AdClick:
    """Let a member's mini-program name the ad click it was opened with; the first member keeps it.

    Who joined a moment ago did so after the click, which nobody else may have told us of.

    Raises:
        NotFound: no active account at this platform.
        RateLimited: more clicks in a day than anybody makes.
    """
    account = _account_of(platform)
    if account is None:
        raise NotFound
    recent = AdClick.objects.filter(member=member, clicked_at__gt=now - CLAIMS_PER)
    if recent.count() >= MOST_CLAIMS:
        raise RateLimited(retry_after_seconds=int(CLAIMS_PER.total_seconds()))
    is_new = member.joined_at > now - JOINED_A_MOMENT_AGO
    clicked_at = min(now, member.joined_at) if is_new else now
    link_id = _link_of(member) if is_new else None
    click = _ensure(account, click_id, link_id=link_id, clicked_at=clicked_at)
    AdClick.objects.filter(pk=click.pk, member=None).update(member=member)
    click.refresh_from_db()
    return click


def last_of(member_id: int, *, at: datetime) -> AdClick | None:
    """Return the last ad click of a member in the window before a moment, on whatever platform.

    Clicks that our links saw of their phone before they joined are theirs too.
    """
    own = AdClick.objects.filter(
        member_id=member_id, clicked_at__gt=at - WINDOW, clicked_at__lte=at
    ).order_by("-clicked_at")
    claimed = own.select_related("account").first()
    seen = _seen_by_links(member_id, at=at)
    if seen is None or (claimed and claimed.clicked_at >= seen.occurred_at):
        return claimed
    account = _account_of(seen.ad_platform)
    if account is None:
        return claimed
    click = _ensure(account, seen.ad_click_id, link_id=seen.link_id, clicked_at=seen.occurred_at)
    AdClick.objects.filter(pk=click.pk, member=None).update(member_id=member_id)
    click.refresh_from_db()
    return click if click.member_id == member_id else claimed


def settle(*, now: datetime) -> int:
    """Make touches of reported clicks that our own links have not seen; return how many.

    Several may settle at once: a click that one has in hand is skipped by the others.
    """
    with transaction.atomic():
        due = list(
            AdClick.objects.select_for_update(skip_locked=True)
            .filter(reported_at__lte=now - SETTLE_AFTER, settled_at=None)
            .order_by("reported_at")[:BATCH]
        )
        unseen = [click for click in due if not _is_seen(click)]
        if unseen:
            touches.ingest([_as_touch(click) for click in sorted(unseen, key=lambda c: c.pk)])
        AdClick.objects.filter(pk__in=[click.pk for click in due]).update(settled_at=now)
    return len(unseen)


def forget_member(*, member_id: int) -> None:
    """Cut the tie between an erased member and the clicks by which a platform knows them."""
    for click in AdClick.objects.filter(member_id=member_id).order_by("pk"):
        AdClick.objects.filter(pk=click.pk).update(click_id=f"erased-{click.pk}")


def forget_old(*, now: datetime) -> int:
    """Delete clicks that led to no member and can lead to none any more; return how many."""
    old = AdClick.objects.filter(
        Q(settled_at__isnull=False) | Q(reported_at=None),
        member=None,
        clicked_at__lt=now - FORGET_AFTER,
        uploads=None,
    )
    deleted, _by_model = AdClick.objects.filter(pk__in=old.values("pk")[: BATCH * 20]).delete()
    return deleted


def visitor_of(click: AdClick) -> str:
    """Return the visitor that stands for whoever made a click that our links did not see."""
    digest = crypto.lookup_hash(f"ad-click/{click.platform}/{click.click_id}")
    return f"ad-{digest.hex()[:32]}"


def _ensure(
    account: AdAccount, click_id: str, *, link_id: int | None, clicked_at: datetime
) -> AdClick:
    """Return the one row of a click, making it if nobody told of it before."""
    fresh = AdClick(
        platform=account.platform,
        click_id=click_id,
        account=account,
        link_id=link_id,
        clicked_at=clicked_at,
    )
    if rows.insert(fresh, unless_exists="platform, click_id"):
        return fresh
    known = AdClick.objects.select_related("account")
    return known.get(platform=account.platform, click_id=click_id)


def _account_of(platform: str) -> AdAccount | None:
    """Return the account for clicks that do not say which: the oldest active one."""
    return AdAccount.objects.filter(platform=platform, is_active=True).order_by("pk").first()


def _link_of(member: Member) -> int | None:
    """Return the link that brought a member."""
    joined = Acquisition.objects.filter(member=member)
    return joined.values_list("last_link_id", flat=True).first()


def _seen_by_links(member_id: int, *, at: datetime) -> Touch | None:
    visitor = (
        Acquisition.objects.filter(member_id=member_id).values_list("visitor_id", flat=True).first()
    )
    if not visitor:
        return None
    return (
        Touch.objects.filter(
            visitor_id=visitor,
            ad_platform__in=AdPlatform.values,
            occurred_at__gt=at - WINDOW,
            occurred_at__lte=at,
            quality=Touch.Quality.COUNTED,
        )
        .exclude(ad_click_id="")
        .order_by("-occurred_at", "-id")
        .first()
    )


def _is_seen(click: AdClick) -> bool:
    return Touch.objects.filter(
        link_id=click.link_id,
        ad_platform=click.platform,
        ad_click_id=click.click_id,
        occurred_at__gt=click.clicked_at - NEARBY,
        occurred_at__lt=click.clicked_at + NEARBY,
    ).exists()


def _as_touch(click: AdClick) -> TouchEvent:
    assert click.link_id is not None  # noqa: S101 - a reported click names its link
    name = hashlib.sha256(f"{click.platform}/{click.click_id}".encode()).hexdigest()
    return TouchEvent(
        event_id=uuid5(NAMESPACE, name),
        kind=Touch.Kind.CLICK,
        link_id=click.link_id,
        visitor_id=visitor_of(click),
        occurred_at=click.clicked_at,
        ad_platform=click.platform,
        ad_click_id=click.click_id,
    )
