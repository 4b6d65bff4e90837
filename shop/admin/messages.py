"""What members were told, and what staff should look at."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from shop import messages as shop_messages
from shop.admin.pages import ReadOnlyPage
from shop.admin.scoping import VisibleFilter, principal_of
from shop.models import Alert, Message, Order


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


@admin.register(Alert)
class AlertPage(ReadOnlyPage):
    """Alarms; a manager sees those about orders of their stores."""

    list_display = ["raised_at", "code", "subject", "resolved_at"]
    list_display_links = ["raised_at", "code"]
    list_filter = ["code", ("resolved_at", admin.EmptyFieldListFilter)]
    search_fields = ["code", "subject"]
    search_help_text = _("Code or what it is about")
    date_hierarchy = "raised_at"
    fields = ["code", "subject", "raised_at", "resolved_at", "details"]
    actions = ["resolve"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        principal = principal_of(request)
        if principal.store_ids is None:
            return rows
        source = Concat(Value("order:"), "number", output_field=CharField())
        own = Order.objects.filter(store_id__in=principal.store_ids).annotate(named=source)
        return rows.filter(Exists(own.filter(named=OuterRef("subject"))))

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may say that an alarm is dealt with."""
        return request.user.has_perm("shop.change_alert")

    @admin.action(description=_("Mark as dealt with"), permissions=["resolve"])
    def resolve(self, request: HttpRequest, alerts: QuerySet[Alert]) -> None:
        """Resolve the chosen alarms."""
        count = shop_messages.resolve([alert.pk for alert in alerts], now=timezone.now())
        messages.success(
            request,
            ngettext("%(n)s alarm dealt with.", "%(n)s alarms dealt with.", count) % {"n": count},
        )
