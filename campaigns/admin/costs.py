"""What links cost, day by day, and which ad leads to which link."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns import costs, queries
from campaigns.currencies import MINOR_DIGITS
from campaigns.models import AdUnit, ChannelLink, DailyCost
from shop.admin.buttons import Button, back, list_button
from shop.admin.pages import Page
from shop.admin.scoping import VisibleFilter, principal_of
from shop.kernel.errors import DomainError
from shop.kernel.principals import scope


class DailyCostForm(ModelForm[DailyCost]):
    """A cost that does not count a day twice."""

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        link = answers.get("link") or (self.instance.link_id and self.instance.link)
        if link and answers.get("date"):
            try:
                costs.ensure_counted_once(
                    link_id=link.pk,
                    day=answers["date"],
                    keyword=answers.get("keyword", ""),
                    except_id=self.instance.pk,
                )
            except DomainError as refusal:
                self.add_error("keyword", str(refusal.title))
        return answers


@admin.register(DailyCost)
class DailyCostPage(Page):
    """What a link cost on a day; entered here, or imported from a file or over the API."""

    store_lookup = "link__store_id"
    form = DailyCostForm
    list_display = [
        "date",
        "link",
        "channel",
        "keyword",
        "cost_cents",
        "impressions",
        "clicks",
        "claimed_conversions",
    ]
    list_display_links = ["date", "link"]
    list_filter = [("link__channel", VisibleFilter), ("link__store", VisibleFilter)]
    list_select_related = ["link__channel"]
    search_fields = ["link__code", "link__label", "keyword"]
    search_help_text = _("Code or label of the link, or keyword")
    ordering = ["-date", "link__code", "keyword"]
    date_hierarchy = "date"
    autocomplete_fields = ["link"]
    readonly_fields = ["paid"]
    fieldsets = [
        (None, {"fields": [("link", "date"), ("cost_cents", "keyword"), "paid"]}),
        (
            _("What the platform says"),
            {
                "fields": [
                    ("impressions", "clicks"),
                    "estimated_reach",
                    ("claimed_conversions", "claimed_value_cents"),
                ]
            },
        ),
    ]
    actions_list = ["import_file"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        is_foreign = obj is not None and obj.original_minor is not None
        fixed = ["cost_cents", "claimed_value_cents"] if is_foreign else []
        return [*super().get_readonly_fields(request, obj), *(self.columns[f] for f in fixed)]

    @admin.display(description=_("channel"), ordering="link__channel__code")
    def channel(self, cost: DailyCost) -> str:
        """Show the channel that the link belongs to."""
        return str(cost.link.channel)

    @admin.display(description=_("paid"))
    def paid(self, cost: DailyCost) -> str:
        """Show what was paid in another currency, and at which rate."""
        if cost.original_minor is None:
            return cost.currency
        digits = MINOR_DIGITS[cost.currency]
        amount = f"{cost.original_minor / 10**digits:,.{digits}f}"
        return f"{cost.currency} {amount} × {cost.exchange_rate.normalize():f}"  # type: ignore[union-attr]

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest
    ) -> QuerySet[Any] | None:
        """Offer only links whose costs are this person's to write."""
        if db_field.name == "link":
            return scope(ChannelLink.objects.all(), principal_of(request), store="store_id")
        return super().get_field_queryset(db, db_field, request)

    @list_button(
        Button(
            label=_("Import a file"),
            question=_("Upload what a platform exports, look at every line, then store it."),
            permission="campaigns.add_costimport",
        ),
        icon="upload_file",
    )
    def import_file(self, request: HttpRequest, _row: None, answers: dict[str, Any]) -> Any:
        """Go to the upload."""
        return back(request, reverse("admin:campaigns_costimport_add"))


@admin.register(AdUnit)
class AdUnitPage(Page):
    """Which link an ad leads to; learnt from clicks that platforms report, or entered here."""

    store_lookup = "link__store_id"
    list_display = ["external_id", "platform", "link"]
    list_filter = [("platform", ChoicesDropdownFilter), ("link__store", VisibleFilter)]
    list_select_related = ["link"]
    search_fields = ["external_id", "link__code", "link__label"]
    search_help_text = _("Id of the ad, code or label of the link")
    ordering = ["platform", "external_id"]
    autocomplete_fields = ["link"]
    fieldsets = [(None, {"fields": [("platform", "external_id"), "link"]})]

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest
    ) -> QuerySet[Any] | None:
        """Offer only links whose costs are this person's to write."""
        if db_field.name == "link":
            return queries.writable_links(principal_of(request))
        return super().get_field_queryset(db, db_field, request)
