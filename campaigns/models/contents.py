"""What is told of us: videos, reviews, posts and lives, the topics they are under, who saw them."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campaigns.models.channels import ChannelLink
from campaigns.models.deals import DEAL, KolDeal
from shop.models.named import Named


class Topic(Named):
    """A subject under which many contents are told, such as a hashtag."""

    code = models.SlugField(_("code"), max_length=40, unique=True)

    class Meta:
        verbose_name = pgettext_lazy("of contents", "topic")
        verbose_name_plural = _("topics")


class Content(models.Model):
    """One video, review or post on a platform; what its link sells shows under it.

    Invariants:
        Only reviews are rated, from 1 to 5; a link is one content's at most.
    """

    class Kind(models.TextChoices):
        SHORT_VIDEO = "short_video", _("Short video")
        REVIEW = "review", _("Review")
        IMAGE_TEXT = "image_text", _("Images and text")
        LIVE = "live", _("Live")
        OTHER = "other", _("Other")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    title = models.CharField(_("title"), max_length=120)
    platform = models.CharField(_("platform"), max_length=40)
    url = models.CharField(_("address"), max_length=300, blank=True, default="")
    rating = models.PositiveSmallIntegerField(
        _("rating"), null=True, blank=True, help_text=_("Of a review: 1 to 5.")
    )
    deal = models.ForeignKey(
        KolDeal,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="contents",
        verbose_name=DEAL,
    )
    link = models.OneToOneField(
        ChannelLink,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="content",
        verbose_name=_("link"),
    )
    topics = models.ManyToManyField(
        Topic, related_name="contents", blank=True, verbose_name=_("topics")
    )
    published_at = models.DateTimeField(_("published"))

    class Meta:
        verbose_name = _("content")
        verbose_name_plural = _("contents")
        constraints = [
            models.CheckConstraint(
                name="content_rating_of_a_review",
                condition=Q(rating=None) | Q(kind="review", rating__gte=1, rating__lte=5),
            )
        ]

    def __str__(self) -> str:
        return self.title


class ContentSnapshot(models.Model):
    """How far a content had come at a moment; written once, never changed.

    Invariants:
        One per content and moment. Numbers are the platform's; they may fall.
    """

    content = models.ForeignKey(
        Content, models.PROTECT, related_name="snapshots", verbose_name=_("content")
    )
    taken_at = models.DateTimeField(_("at"))
    views = models.PositiveBigIntegerField(_("views"), default=0)
    likes = models.PositiveBigIntegerField(_("likes"), default=0)
    comments = models.PositiveBigIntegerField(_("comments"), default=0)
    shares = models.PositiveBigIntegerField(_("shares"), default=0)
    rank = models.PositiveIntegerField(
        _("rank"), null=True, blank=True, help_text=_("On the platform's list, 1 is the top.")
    )

    class Meta:
        verbose_name = _("snapshot of a content")
        verbose_name_plural = _("snapshots of contents")
        constraints = [
            models.UniqueConstraint(
                name="content_snapshot_once_a_moment", fields=["content", "taken_at"]
            )
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.content_id} {self.taken_at:%F %T}"
