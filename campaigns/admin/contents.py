"""Contents with how far they came, drawn small, and topics with what they came to."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns import contents
from campaigns.models import Content, ContentSnapshot, Topic
from shop.admin.money import yuan
from shop.admin.pages import Page, ReadOnlyRows, Rows
from shop.admin.scoping import VisibleFilter

WIDTH, HEIGHT = 320, 64


class SnapshotRows(ReadOnlyRows):
    """The newest snapshots of a content; they are imported or sent by the API."""

    model = ContentSnapshot
    fields = ["taken_at", "views", "likes", "comments", "shares", "rank"]
    readonly_fields = fields
    newest_by = "-taken_at"
    tab = False


@admin.register(Content)
class ContentPage(Page):
    """A content: what it is, how it grew, what its link sold. Head office keeps them."""

    list_display = ["title", "kind", "platform", "rating", "deal", "published_at"]
    list_filter = [("kind", ChoicesDropdownFilter), ("topics", VisibleFilter)]
    list_select_related = ["deal"]
    search_fields = ["title", "platform", "url"]
    search_help_text = _("Title, platform or address")
    ordering = ["-published_at", "-pk"]
    date_hierarchy = "published_at"
    autocomplete_fields = ["deal", "link", "topics"]
    inlines = [SnapshotRows]
    readonly_fields = ["growth", "sold"]
    fieldsets = [
        (None, {"fields": ["title", ("kind", "rating"), ("platform", "published_at"), "url"]}),
        (None, {"fields": [("deal", "link"), "topics"]}),
        (_("How far it came"), {"fields": [("growth", "sold")]}),
    ]

    def layout(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return list(self.fieldsets if obj is not None else self.fieldsets[:2])

    @admin.display(description=_("views over time"))
    def growth(self, content: Any) -> SafeString | str:
        """Draw the views of the snapshots."""
        rows = contents.with_growth(content)
        if not rows:
            return "–"
        gained = rows[-1]["views_gained"]
        return format_html(
            "{}<div>{}{}</div>",
            sparkline([row["views"] for row in rows]),
            f"{rows[-1]['views']:,}",
            "" if gained is None else f" ({gained:+,})",
        )

    @admin.display(description=_("orders by its link, net sales"))
    def sold(self, content: Any) -> str:
        """Show what the link of the content sold."""
        found = contents.sales(content)
        return f"{found['orders']} · {yuan(found['sales_cents'])}"


class ContentRows(Rows):
    """The contents of a topic."""

    model = Content.topics.through
    autocomplete_fields = ["content"]
    hide_title = True
    verbose_name = _("content")
    verbose_name_plural = _("contents")
    tab = False

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        # Django names the columns of a table of its own in English.
        return super().formfield_for_foreignkey(db_field, request, label=_("content"), **kwargs)


@admin.register(Topic)
class TopicPage(Page):
    """A topic with its contents, and what they came to."""

    list_display = ["code", "title"]
    list_display_links = ["code", "title"]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["code"]
    inlines = [ContentRows]
    readonly_fields = ["views", "reactions"]
    fieldsets = [
        (None, {"fields": ["code", ("name_zh", "name_en")]}),
        (_("How far it came"), {"fields": [("views", "reactions")]}),
    ]

    def layout(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None:
            return list(self.fieldsets[:1])
        obj.told = contents.rollup(obj)
        return list(self.fieldsets)

    @admin.display(description=_("views of all contents"))
    def views(self, topic: Any) -> str:
        """Show how often all contents were seen."""
        return f"{topic.told['views']:,}"

    @admin.display(description=_("likes · comments · shares"))
    def reactions(self, topic: Any) -> str:
        """Show how people answered to all contents."""
        return " · ".join(f"{topic.told[name]:,}" for name in ("likes", "comments", "shares"))


def sparkline(values: Sequence[int]) -> SafeString:
    """Draw numbers as a small line, from 0 to the largest."""
    most, steps = max(*values, 1), max(len(values) - 1, 1)
    places = [
        (index * WIDTH / steps, HEIGHT - value * (HEIGHT - 4) / most - 2)
        for index, value in enumerate(values)
    ]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return format_html(
        '<svg viewBox="0 0 {} {}" width="{}" height="{}" role="img" class="text-primary-600">'
        '<polyline points="{}" fill="none" stroke="currentColor" stroke-width="2"/>'
        '<circle cx="{}" cy="{}" r="3" fill="currentColor"/></svg>',
        WIDTH,
        HEIGHT,
        WIDTH,
        HEIGHT,
        points,
        f"{min(places[-1][0], WIDTH - 3):.1f}",
        f"{places[-1][1]:.1f}",
    )
