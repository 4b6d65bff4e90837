"""Who changed the programme by a file, when, and what it was before."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _


class ProgrammeChange(models.Model):
    """One file that was applied to the programme. Never changed: to go back, apply `before`."""

    changes = models.JSONField(_("changes"), help_text=_("Where, which field, from what, to what."))
    before = models.JSONField(_("programme before"))
    actor = models.CharField(_("by"), max_length=64)
    applied_at = models.DateTimeField(_("applied"))

    class Meta:
        verbose_name = _("programme change")
        verbose_name_plural = _("programme changes")
        triggers = [
            pgtrigger.Protect(
                name="programme_change_append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.applied_at:%F %T} {self.actor}"
