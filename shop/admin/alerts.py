"""What staff should look at."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from shop import alerts
from shop.admin.buttons import tell
from shop.admin.pages import ReadOnlyPage
from shop.admin.scoping import VisibleFilter, principal_of
from shop.models import Alert


@admin.register(Alert)
class AlertPage(ReadOnlyPage):
    """Alarms; a manager sees those of their stores."""

    store_lookup = "store_id"
    list_display = [
        "raised_at",
        "shown_severity",
        "code",
        "subject",
        "store",
        "acknowledged_by",
        "resolved_at",
    ]
    list_display_links = ["raised_at", "code"]
    list_filter = [
        ("severity", ChoicesDropdownFilter),
        ("store", VisibleFilter),
        "code",
        ("acknowledged_at", admin.EmptyFieldListFilter),
        ("resolved_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ["store"]
    search_fields = ["code", "subject"]
    search_help_text = _("Code or what it is about")
    date_hierarchy = "raised_at"
    fields = [
        ("code", "subject"),
        ("severity", "store"),
        ("raised_at", "is_condition"),
        ("acknowledged_at", "acknowledged_by"),
        "resolved_at",
        "details",
    ]
    actions = ["acknowledge", "resolve"]

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may say that an alarm is seen or dealt with."""
        return request.user.has_perm("shop.change_alert")

    @display(
        description=_("severity"),
        ordering="severity",
        label={"info": "info", "warning": "warning", "critical": "danger"},
    )
    def shown_severity(self, alert: Alert) -> tuple[str, str]:
        """Show the severity in its colour."""
        return alert.severity, alert.get_severity_display()

    @admin.action(description=_("Note as seen"), permissions=["resolve"])
    def acknowledge(self, request: HttpRequest, rows: QuerySet[Alert]) -> None:
        """Note who has seen the chosen alarms."""
        count = alerts.acknowledge(
            [alert.pk for alert in rows], by=principal_of(request).key, now=timezone.now()
        )
        said = ngettext("%(n)s alarm noted as seen.", "%(n)s alarms noted as seen.", count)
        messages.success(request, said % {"n": count})

    @admin.action(description=_("Mark as dealt with"), permissions=["resolve"])
    def resolve(self, request: HttpRequest, rows: QuerySet[Alert]) -> None:
        """Resolve the chosen alarms."""

        def run() -> str:
            count = alerts.resolve(
                [alert.pk for alert in rows], by=principal_of(request).key, now=timezone.now()
            )
            said = ngettext("%(n)s alarm dealt with.", "%(n)s alarms dealt with.", count)
            return said % {"n": count}

        tell(request, run)
