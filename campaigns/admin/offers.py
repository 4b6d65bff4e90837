"""What the pages of coupon definitions and promotions share: the typed rule, switching it."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from campaigns import definitions
from campaigns.admin.rules import answers_of_json, describe
from campaigns.admin.typed_effects import SHOWN_FOR
from campaigns.models.offers import OfferTerms
from shop.admin.buttons import Button, Text, button
from shop.admin.pages import Page
from shop.admin.scoping import principal_of
from shop.models import Store

Status = OfferTerms.Status
RULE_FIELDSETS: list[Any] = [
    (
        _("Offer"),
        {
            "fields": [
                "kind",
                ("percent", "amount"),
                "ladder",
                ("buy_quantity", "get_quantity"),
                "nth",
                ("gift_product", "gift_coupon"),
                ("multiplier", "bonus_points"),
                "pieces",
                ("cap", "max_applications"),
            ]
        },
    ),
    (
        _("For what and when"),
        {
            "fields": [
                ("categories", "products"),
                ("min_spend", "min_quantity"),
                ("first_order_only", "members_only"),
                ("birthday_month", "joined_within_days"),
                ("order_types", "stores"),
                ("starts_at", "ends_at"),
                "weekdays",
                ("hours_from", "hours_until"),
                ("stacking", "priority"),
            ]
        },
    ),
]
USE_LIMITS = [
    ("uses_per_store", "uses_per_day"),
    ("uses_per_week", "uses_per_month"),
]
FIXED_BECAUSE_UNKNOWN = _(
    "This offer has more to it than this form knows. It is shown as it is stored, and changed over"
    " the API."
)


class OfferPage(Page):
    """An offer whose rule names stores is shown to those stores only."""

    list_display_links = ["code", "title"]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["-pk"]
    autocomplete_fields = ["campaign"]
    conditional_fields = {
        name: " || ".join(f"kind == '{kind}'" for kind in kinds)
        for name, kinds in SHOWN_FOR.items()
    }
    actions_detail = ["activate", "pause", "end"]
    typed_form: Any
    """The form in which the rule is typed, and the one without it."""
    plain_form: Any
    why_fixed: Any

    @admin.display(description=_("offer"))
    def offer(self, row: OfferTerms) -> str:
        """Show the rule as a line."""
        return describe(row.rule)

    @display(
        description=_("status"),
        ordering="status",
        label={"active": "success", "paused": "warning", "draft": "info"},
    )
    def state(self, row: OfferTerms) -> tuple[str, str]:
        """Show the status in its colour."""
        return row.status, row.get_status_display()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        stores = principal_of(request).store_ids
        if stores is None:
            return rows
        codes = list(Store.objects.filter(pk__in=stores).values_list("code", flat=True))
        names_none = Q(rule__conditions__stores__isnull=True) | Q(rule__conditions__stores=[])
        return rows.filter(names_none | Q(rule__conditions__stores__has_any_keys=codes))

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = self.typed_form if self.is_typed(request, obj) else self.plain_form
        return super().get_form(request, obj, **kwargs | {"form": form})

    def changed_columns(self, form: Any) -> list[str]:
        has_new_rule = getattr(form, "has_new_rule", False)
        return [*super().changed_columns(form), *(["rule"] if has_new_rule else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_readonly_fields(request, obj), "offer"]

    def is_typed(self, request: HttpRequest, obj: Any) -> bool:
        """Tell whether the typed inputs stand for the rule."""
        if obj is None:
            return True
        return self.has_change_permission(request, obj) and answers_of_json(obj.rule) is not None

    def rule_fieldsets(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Return the part of the page that is about the rule."""
        if not self.is_typed(request, obj):
            is_known = answers_of_json(obj.rule) is not None
            why = "" if is_known else FIXED_BECAUSE_UNKNOWN
            return [(_("Offer"), {"fields": ["offer", "rule"], "description": why})]
        if obj is None or not self.typed_form.is_fixed(obj):
            return RULE_FIELDSETS
        (title, offer), *others = RULE_FIELDSETS
        return [(title, offer | {"description": self.why_fixed}), *others]

    @button(
        Button(
            label=_("Activate"),
            question=_("From now on it is given and used as this offer says."),
            permission="campaigns.change_coupondefinition",
            when=lambda row: row.status in {Status.DRAFT, Status.PAUSED},
        ),
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    def activate(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> Text:
        """Switch an offer on."""
        definitions.activate(row, now=timezone.now())
        return _("“%(name)s” is active.") % {"name": row.name}

    @button(
        Button(
            label=_("Pause"),
            question=_("Nothing is given or used until it is activated again."),
            permission="campaigns.change_coupondefinition",
            when=lambda row: row.status == Status.ACTIVE,
        ),
        icon="pause",
        variant=ActionVariant.WARNING,
    )
    def pause(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> Text:
        """Switch an offer off for a while."""
        definitions.pause(row)
        return _("“%(name)s” is paused.") % {"name": row.name}

    @button(
        Button(
            label=_("End"),
            question=_("It is over for good. Coupons that people hold stay theirs to use."),
            permission="campaigns.change_coupondefinition",
            when=lambda row: row.status in {Status.ACTIVE, Status.PAUSED},
        ),
        icon="stop",
        variant=ActionVariant.DANGER,
    )
    def end(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> Text:
        """Switch an offer off for good."""
        definitions.end(row)
        return _("“%(name)s” has ended.") % {"name": row.name}
