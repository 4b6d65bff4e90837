"""Alarms to the people who run the shop."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shop.models.stores import Store


class Alert(models.Model):
    """Something a person has to look at.

    An event (a payment for a cancelled order) stays until somebody has dealt with it. A condition
    (a budget that is spent) is over when it does not hold any more, and may come again.

    Invariants:
        One row per event, however often it is reported, and one open row per condition.
    """

    class Severity(models.TextChoices):
        INFO = "info", _("Note")
        WARNING = "warning", _("Warning")
        CRITICAL = "critical", _("Critical")

    code = models.CharField(_("code"), max_length=64)
    subject = models.CharField(_("about"), max_length=128)
    severity = models.CharField(
        _("severity"),
        max_length=8,
        choices=Severity,
        default=Severity.WARNING,
        db_default=Severity.WARNING.value,
    )
    is_condition = models.BooleanField(_("passes by itself"), default=False, db_default=False)
    store = models.ForeignKey(
        Store,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("store"),
        help_text=_("Without one it is for head office."),
    )
    details = models.JSONField(_("details"), default=dict)
    raised_at = models.DateTimeField(_("raised"))
    acknowledged_at = models.DateTimeField(_("seen"), null=True, blank=True)
    acknowledged_by = models.CharField(
        _("seen by"), max_length=64, blank=True, default="", db_default=""
    )
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                name="alert_event_once",
                fields=["code", "subject"],
                condition=Q(is_condition=False),
            ),
            models.UniqueConstraint(
                name="alert_condition_open_once",
                fields=["code", "subject"],
                condition=Q(is_condition=True, resolved_at=None),
            ),
        ]
        indexes = [
            models.Index(
                name="alert_open", fields=["store", "-raised_at"], condition=Q(resolved_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.subject}"
