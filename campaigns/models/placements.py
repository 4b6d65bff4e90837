"""Where in a channel a link stands."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from shop.models.named import Named


class Placement(Named):
    """A place within a channel: the feed's third card, the metro's exit, a group's notice."""

    channel = models.ForeignKey(
        "campaigns.Channel",
        models.PROTECT,
        related_name="placements",
        verbose_name=_("channel"),
    )
    code = models.SlugField(_("code"), max_length=32)

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        constraints = [
            models.UniqueConstraint(name="placement_once_per_channel", fields=["channel", "code"])
        ]
