"""What members agreed to: rows that are only ever added."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from shop.admin.pages import ReadOnlyPage
from shop.models import Consent


@admin.register(Consent)
class ConsentPage(ReadOnlyPage):
    """Who agreed to what, or took it back, and when; the newest of a purpose counts."""

    store_lookup = "member__store_id"
    list_display = ["recorded_at", "member", "purpose", "is_given", "version", "source"]
    list_display_links = ["recorded_at"]
    list_filter = [("purpose", ChoicesDropdownFilter), "is_given"]
    list_select_related = ["member"]
    search_fields = ["member__phone_last4", "member__name"]
    search_help_text = _("Last four digits or name")
    date_hierarchy = "recorded_at"
    fields = ["member", ("purpose", "is_given"), ("version", "source"), "recorded_at"]
