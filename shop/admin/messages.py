"""What members were told."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from shop.admin.pages import ReadOnlyPage
from shop.admin.scoping import VisibleFilter
from shop.models import Message


@admin.register(Message)
class MessagePage(ReadOnlyPage):
    """Messages that a provider took."""

    store_lookup = "member__store_id"
    list_display = ["sent_at", "member", "template", "text"]
    list_display_links = ["sent_at"]
    list_filter = [("member__store", VisibleFilter), "template"]
    list_select_related = ["member"]
    search_fields = ["member__phone_last4", "member__name", "text"]
    search_help_text = _("Last four digits, name or text")
    date_hierarchy = "sent_at"
    fields = ["member", "template", "text", "sent_at"]
