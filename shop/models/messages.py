"""Messages to members, and alarms to people who run the shop."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from shop.models.members import Member


class Message(models.Model):
    """A message that a provider took for delivery."""

    member = models.ForeignKey(
        Member, models.CASCADE, related_name="messages", verbose_name=_("member")
    )
    template = models.CharField(_("template"), max_length=40)
    text = models.CharField(_("text"), max_length=500)
    sent_at = models.DateTimeField(_("sent"))

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return f"{self.template} {self.sent_at:%F %T}"


class Alert(models.Model):
    """Something a person has to look at; one row per cause, however often it happens."""

    code = models.CharField(_("code"), max_length=64)
    subject = models.CharField(_("about"), max_length=128)
    details = models.JSONField(_("details"), default=dict)
    raised_at = models.DateTimeField(_("raised"))
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(name="alert_once_per_subject", fields=["code", "subject"])
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.subject}"
