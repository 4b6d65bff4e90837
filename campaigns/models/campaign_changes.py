"""What was done to a campaign and its phases: by whom, when and why."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.channels import Campaign
from campaigns.models.phases import CampaignPhase, Cause


class CampaignChange(models.Model):
    """One move of a campaign, or of one of its phases, or a change of a phase's limits.

    Invariants:
        Written with the guarded update that it tells of, and never changed.
    """

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, related_name="changes", verbose_name=_("campaign")
    )
    phase = models.ForeignKey(
        CampaignPhase,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="changes",
        verbose_name=_("phase"),
    )
    from_status = models.CharField(_("from"), max_length=8)
    to_status = models.CharField(_("to"), max_length=8)
    cause = models.CharField(_("why"), max_length=16, choices=Cause)
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    actor = models.CharField(_("by"), max_length=64)
    details = models.JSONField(_("details"), default=dict)
    occurred_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("change of a campaign")
        verbose_name_plural = _("changes of campaigns")
        indexes = [models.Index(name="campaign_history", fields=["campaign", "-occurred_at"])]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status} {self.occurred_at:%F %T}"
