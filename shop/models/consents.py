"""What members agreed to, and took back: rows that are only ever added."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from shop.models.members import Member


class Consent(models.Model):
    """That a member agreed to a purpose, or took that back; the newest row of a purpose counts.

    Invariants:
        Never changed and never deleted: it is the proof. Without a row there is no consent.
    """

    class Purpose(models.TextChoices):
        AD_MEASUREMENT = "ad_measurement", _("Telling ad platforms what came of their clicks")
        AD_PHONE_MATCH = "ad_phone_match", _("With the phone number as a hash")

    member = models.ForeignKey(
        Member, models.PROTECT, related_name="consents", verbose_name=_("member")
    )
    purpose = models.CharField(_("purpose"), max_length=24, choices=Purpose)
    is_given = models.BooleanField(_("agreed"))
    version = models.CharField(
        _("version of the text"), max_length=40, help_text=_("Which wording the member saw.")
    )
    source = models.CharField(_("said to"), max_length=64)
    recorded_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes = [models.Index(name="consent_newest", fields=["member", "purpose", "-id"])]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.recorded_at:%F %T}"
