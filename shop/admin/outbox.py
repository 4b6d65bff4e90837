"""What waits to be told to the outside, and answers kept for retries: for head office only."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from shop.admin.pages import ForHeadOffice, ReadOnlyPage
from shop.kernel import outbox
from shop.kernel.models import IdempotencyRecord, InboundCallback, OutboxMessage


@admin.register(OutboxMessage)
class OutboxPage(ForHeadOffice, ReadOnlyPage):
    """Messages to the outside; dead ones are given another life here."""

    list_display = ["created_at", "topic", "key", "state", "attempts", "last_error"]
    list_display_links = ["created_at", "topic"]
    list_filter = [("state", ChoicesDropdownFilter), "topic"]
    search_fields = ["topic", "key"]
    search_help_text = _("Topic or what it is about")
    ordering = ["-created_at"]
    date_hierarchy = "created_at"
    fields = [
        ("topic", "key"),
        ("state", "attempts"),
        ("created_at", "available_at"),
        "sent_at",
        "payload",
        "last_error",
    ]
    actions = ["requeue"]

    def has_requeue_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may send dead messages again."""
        return request.user.has_perm("kernel.change_outboxmessage")

    @admin.action(description=_("Send dead messages again"), permissions=["requeue"])
    def requeue(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        """Give the chosen dead messages another life."""
        count = outbox.requeue([message.pk for message in chosen], now=timezone.now())
        said = ngettext(
            "%(n)s message is waiting again.", "%(n)s messages are waiting again.", count
        )
        messages.success(request, said % {"n": count})


@admin.register(InboundCallback)
class InboundPage(ForHeadOffice, ReadOnlyPage):
    """Notices of other servers, as they came."""

    list_display = ["received_at", "provider", "event", "external_id"]
    list_filter = ["provider"]
    search_fields = ["external_id", "event"]
    search_help_text = _("Their number or event")
    date_hierarchy = "received_at"
    fields = [("provider", "event"), ("external_id", "received_at"), "body"]


@admin.register(IdempotencyRecord)
class IdempotencyPage(ForHeadOffice, ReadOnlyPage):
    """Answers that a retry would get again; the answer itself is not shown."""

    list_display = ["created_at", "principal", "route", "status", "key"]
    list_filter = ["status"]
    search_fields = ["key", "principal"]
    search_help_text = _("Key or caller")
    date_hierarchy = "created_at"
    fields = ["principal", "route", "key", "status", "content_type", "created_at", "expires_at"]
