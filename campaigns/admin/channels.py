"""Where people come from: channels with their placements."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns import clicks
from campaigns.models import Channel, Placement
from shop.admin.pages import Page, Rows
from shop.admin.scoping import VisibleFilter


class PlacementRows(Rows):
    """The places within a channel."""

    model = Placement
    fields = ["code", "name_zh", "name_en"]
    ordering = ["code"]
    tab = False


@admin.register(Channel)
class ChannelPage(Page):
    """A source of traffic, the same for all stores."""

    list_display = ["code", "title", "kind"]
    list_display_links = ["code", "title"]
    list_filter = [("kind", ChoicesDropdownFilter)]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["code"]
    inlines = [PlacementRows]
    fieldsets = [
        (None, {"fields": [("code", "kind"), ("name_zh", "name_en"), "utm_template"]}),
    ]

    def save_model(
        self, request: HttpRequest, obj: Channel, form: ModelForm[Channel], change: Any
    ) -> None:
        super().save_model(request, obj, form, change)
        clicks.forget_links()


@admin.register(Placement)
class PlacementPage(Page):
    """Placements by themselves: what links name. People come here through their channel."""

    list_display = ["channel", "code", "title"]
    list_display_links = ["code", "title"]
    list_filter = [("channel", VisibleFilter)]
    list_select_related = ["channel"]
    search_fields = ["code", "name_zh", "name_en", "channel__code"]
    search_help_text = _("Code or name")
    ordering = ["channel__code", "code"]
    autocomplete_fields = ["channel"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False
