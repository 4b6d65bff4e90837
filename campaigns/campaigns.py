"""Campaigns and their phases; the only module that writes them outside of the back office."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from campaigns import phases
from campaigns.models import Campaign, CampaignPhase
from shop.kernel.errors import CodeTaken, InvalidInput
from shop.kernel.money import Cents
from shop.models import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseDraft:
    """A stretch of a campaign to be; half-open. A flash without an end lasts its 72 hours."""

    kind: str
    starts_at: datetime
    ends_at: datetime | None = None
    budget_cents: Cents | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignDraft:
    """A campaign to be. Without stores it runs in all of them."""

    code: str
    name_zh: str
    name_en: str
    starts_at: datetime
    ends_at: datetime | None = None
    status: str = Campaign.Status.DRAFT
    budget_cents: Cents | None = None
    stores: Sequence[Store] = ()
    phases: Sequence[PhaseDraft] = ()


@transaction.atomic
def create(draft: CampaignDraft) -> Campaign:
    """Create a campaign with its phases.

    Raises:
        CodeTaken
        InvalidInput: something ends before it starts, a phase lies outside of the campaign, or is
            not as long as its kind.
    """
    _ensure_periods(draft)
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
    CampaignPhase.objects.bulk_create(
        [
            CampaignPhase(
                campaign=campaign,
                kind=phase.kind,
                starts_at=phase.starts_at,
                ends_at=phases.end_of(phase.kind, phase.starts_at, phase.ends_at),
                budget_cents=phase.budget_cents,
            )
            for phase in draft.phases
        ]
    )
    return campaign


def _ensure_periods(draft: CampaignDraft) -> None:
    if draft.ends_at is not None and draft.ends_at <= draft.starts_at:
        raise InvalidInput("/ends_at", _("It must end after it starts."), reason="period")
    for index, phase in enumerate(draft.phases):
        ends_at = phases.end_of(phase.kind, phase.starts_at, phase.ends_at)
        phases.ensure_span(phase.kind, phase.starts_at, ends_at, pointer=f"/phases/{index}/ends_at")
        is_within = phase.starts_at >= draft.starts_at and (
            draft.ends_at is None or (ends_at is not None and ends_at <= draft.ends_at)
        )
        if not is_within:
            raise InvalidInput(
                f"/phases/{index}", _("The phase is not within the campaign."), reason="period"
            )
