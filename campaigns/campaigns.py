"""Campaigns: made with their phases, switched on and off. Their only writer but for plain edits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from campaigns import campaign_changes, phase_drafts, phases, reservations
from campaigns.campaign_changes import BEAT
from campaigns.models import Campaign, Cause
from campaigns.phase_drafts import PhaseDraft
from shop.kernel.errors import CodeTaken, DomainError, InvalidInput
from shop.kernel.money import Cents
from shop.models import Store

Status = Campaign.Status
COME_FROM = {
    Status.ACTIVE: [Status.DRAFT, Status.PAUSED],
    Status.PAUSED: [Status.ACTIVE],
    Status.ENDED: [Status.DRAFT, Status.ACTIVE, Status.PAUSED],
}
"""From where a campaign may be moved to each status."""


class CampaignNotMovable(DomainError):
    """A campaign goes from draft to active, pauses, goes on, and ends for good."""

    code = "campaign-not-movable"
    title = _("The campaign cannot be moved there now.")


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignDraft:
    """A campaign to be. Without stores it runs in all of them."""

    code: str
    name_zh: str
    name_en: str
    starts_at: datetime
    ends_at: datetime | None = None
    status: str = Status.DRAFT
    budget_cents: Cents | None = None
    stores: Sequence[Store] = ()
    phases: Sequence[PhaseDraft] = ()


@transaction.atomic
def create(draft: CampaignDraft) -> Campaign:
    """Create a campaign with its phases.

    Raises:
        CodeTaken
        InvalidInput: something ends before it starts, a phase lies outside of the campaign, is
            not as long as its kind, or names what does not exist.
    """
    if draft.ends_at is not None and draft.ends_at <= draft.starts_at:
        raise InvalidInput("/ends_at", _("It must end after it starts."), reason="period")
    for index, phase in enumerate(draft.phases):
        phase_drafts.ensure_within(
            phase, starts_at=draft.starts_at, ends_at=draft.ends_at, pointer=f"/phases/{index}"
        )
    campaign = Campaign(
        code=draft.code,
        name_zh=draft.name_zh,
        name_en=draft.name_en,
        status=draft.status,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        budget_cents=draft.budget_cents,
    )
    try:
        with transaction.atomic():
            campaign.save(force_insert=True)
    except IntegrityError as error:
        raise CodeTaken from error
    campaign.stores.set(draft.stores)
    for index, phase in enumerate(draft.phases):
        phase_drafts.write(campaign, phase, pointer=f"/phases/{index}")
    return campaign


@transaction.atomic
def move(campaign: Campaign, *, to: str, reason: str, actor: str, now: datetime) -> Campaign:
    """Switch a campaign on, pause it or end it for good, and its phases with it.

    What people have paused stays paused; phases that are due start.

    Raises:
        CampaignNotMovable
    """
    _move(campaign, to=Status(to), cause=Cause.STAFF, reason=reason, actor=actor, now=now)
    phases.follow_campaign(campaign, now=now)
    return campaign


def advance(*, now: datetime) -> phases.Moves:
    """Move campaigns and their phases on, and start to serve who waits for those that began."""
    end_overdue(now=now)
    moves = phases.advance(now=now)
    reservations.start_due(now=now)
    return moves


def end_overdue(*, now: datetime) -> int:
    """End the campaigns whose time is over; return how many."""
    overdue = Campaign.objects.filter(ends_at__lte=now, status__in=[Status.ACTIVE, Status.PAUSED])
    ended = 0
    for campaign in overdue.order_by("pk"):
        with transaction.atomic():
            locked = Campaign.objects.select_for_update(skip_locked=True)
            row = locked.filter(pk=campaign.pk, status=campaign.status).first()
            if row is not None:
                _move(row, to=Status.ENDED, cause=Cause.TIME, reason="", actor=BEAT, now=now)
                ended += 1
    return ended


def _move(campaign: Campaign, *, to: Status, now: datetime, **why: Any) -> None:
    come_from = Campaign.objects.select_for_update().values_list("status").get(pk=campaign.pk)[0]
    moved = Campaign.objects.filter(pk=campaign.pk, status__in=COME_FROM.get(to, []))
    if moved.update(status=to) != 1:
        raise CampaignNotMovable(campaign=campaign.code, campaign_status=come_from)
    campaign.status = to
    campaign_changes.write(campaign, come_from=come_from, to=to, now=now, **why)
