"""What visitors met and when: a table in months, and what stands beside it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.channels import ChannelLink


class Touch(models.Model):
    """One moment at which somebody met a link; written once, never changed.

    The table is partitioned by the month of `occurred_at`. A partitioned table cannot hold a unique
    key without that column, so `SeenEvent` keeps what was delivered already, and nothing points at
    a touch. The visitor is a random name; neither address nor device is ever stored.

    Invariants:
        The same `event_id` counts once, however often it is delivered.
        Reports and credit use only what is `counted`.
    """

    class Kind(models.TextChoices):
        IMPRESSION = "impression", _("Impression")
        CLICK = "click", _("Click")
        SCAN = "scan", _("Scan")
        VISIT = "visit", _("Visit")
        GROUP_JOIN = "group_join", _("Joined a group")
        SHARE_OPEN = "share_open", _("Opened a share")

    class Quality(models.TextChoices):
        COUNTED = "counted", _("Counted")
        BOT = "bot", _("A machine")
        REPEATED = "repeated", _("Repeated")

    event_id = models.UUIDField(_("event"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    link = models.ForeignKey(
        ChannelLink, models.PROTECT, related_name="touches", verbose_name=_("link")
    )
    visitor_id = models.CharField(_("visitor"), max_length=40)
    occurred_at = models.DateTimeField(_("at"))
    quality = models.CharField(
        _("quality"), max_length=8, choices=Quality, default=Quality.COUNTED, db_default="counted"
    )
    ad_platform = models.CharField(_("ad platform"), max_length=16, default="", db_default="")
    ad_click_id = models.CharField(
        _("click id of the ad"), max_length=300, default="", db_default=""
    )

    class Meta:
        verbose_name = _("touch")
        verbose_name_plural = _("touches")
        indexes = [
            models.Index(name="touch_by_visitor", fields=["visitor_id", "occurred_at"]),
            models.Index(name="touch_by_link", fields=["link", "occurred_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.visitor_id}"


class SeenEvent(models.Model):
    """An event that was delivered; kept as long as one of its age would still be taken."""

    event_id = models.UUIDField(_("event"), primary_key=True)
    occurred_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("seen event")
        verbose_name_plural = _("seen events")
        indexes = [models.Index(name="seen_event_by_age", fields=["occurred_at"])]

    def __str__(self) -> str:
        return str(self.event_id)


class TouchTotal(models.Model):
    """What is kept of the touches of a link on a day after their month was dropped."""

    link = models.ForeignKey(
        ChannelLink, models.PROTECT, related_name="touch_totals", verbose_name=_("link")
    )
    date = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=16, choices=Touch.Kind)
    touches = models.PositiveIntegerField(_("touches"))
    visitors = models.PositiveIntegerField(_("visitors"))
    flagged = models.PositiveIntegerField(
        _("not counted"), help_text=_("Machines and repetitions; not among the touches.")
    )

    class Meta:
        verbose_name = _("touches of a day")
        verbose_name_plural = _("touches by day")
        constraints = [
            models.UniqueConstraint(name="touch_total_once", fields=["link", "date", "kind"])
        ]

    def __str__(self) -> str:
        return f"{self.link_id} {self.date} {self.kind}"
