"""Messages to members."""

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
