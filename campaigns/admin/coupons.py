"""Coupons: the definitions that managers write, and the codes in wallets."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from campaigns import definitions
from campaigns.admin.coupon_form import (
    SHOWN_FOR,
    DefinitionForm,
    PlainDefinitionForm,
)
from campaigns.admin.rules import answers_of_json, describe
from campaigns.models import Coupon, CouponDefinition, CouponRedemption
from shop.admin.buttons import Button, Text, button
from shop.admin.pages import Page, ReadOnlyPage
from shop.admin.scoping import VisibleFilter, principal_of
from shop.models import Store

Status = CouponDefinition.Status
RULE_FIELDSETS: list[Any] = [
    (
        _("Offer"),
        {
            "fields": [
                "kind",
                ("percent", "amount"),
                ("buy_quantity", "get_quantity"),
                "nth",
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
                ("first_order_only", "stores"),
                "weekdays",
                ("hours_from", "hours_until"),
                ("stacking", "priority"),
            ]
        },
    ),
]
FIXED_BECAUSE_ISSUED = _(
    "Coupons have been issued under this offer, so it is fixed: what people hold must not change"
    " in their hands. Pause this definition and write a new one instead."
)
FIXED_BECAUSE_UNKNOWN = _(
    "This offer has more to it than this form knows. It is shown as it is stored, and changed over"
    " the API."
)


@admin.register(CouponDefinition)
class CouponDefinitionPage(Page):
    """What a coupon gives and to whom; the chain's to write.

    A definition whose rule names stores is shown to those stores only.
    """

    list_display = [
        "code",
        "title",
        "offer",
        "state",
        "issued_count",
        "redeemed_count",
        "spent_cents",
    ]
    list_display_links = ["code", "title"]
    list_filter = [("status", ChoicesDropdownFilter), "is_claimable", "is_welcome_gift"]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["-pk"]
    autocomplete_fields = ["campaign"]
    readonly_fields = ["status", "rule", "issued_count", "redeemed_count", "spent_cents"]
    conditional_fields = {
        name: " || ".join(f"kind == '{kind}'" for kind in kinds)
        for name, kinds in SHOWN_FOR.items()
    }
    actions_detail = ["activate", "pause"]

    @admin.display(description=_("offer"))
    def offer(self, definition: CouponDefinition) -> str:
        """Show the rule as a line."""
        return describe(definition.rule)

    @display(
        description=_("status"),
        ordering="status",
        label={"active": "success", "paused": "warning", "draft": "info"},
    )
    def state(self, definition: CouponDefinition) -> tuple[str, str]:
        """Show the status in its colour."""
        return definition.status, definition.get_status_display()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        stores = principal_of(request).store_ids
        if stores is None:
            return rows
        codes = list(Store.objects.filter(pk__in=stores).values_list("code", flat=True))
        names_none = Q(rule__conditions__stores__isnull=True) | Q(rule__conditions__stores=[])
        return rows.filter(names_none | Q(rule__conditions__stores__has_any_keys=codes))

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = DefinitionForm if self._is_typed(request, obj) else PlainDefinitionForm
        return super().get_form(request, obj, **kwargs | {"form": form})

    def layout(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets = [
            (None, {"fields": [("code", "campaign"), ("name_zh", "name_en")]}),
            *self._rule_fieldsets(request, obj),
            (
                _("Issue and validity"),
                {
                    "fields": [
                        ("is_claimable", "is_welcome_gift"),
                        ("claim_starts_at", "claim_ends_at"),
                        ("valid_days", "valid_until"),
                        ("total_limit", "per_member_limit"),
                        ("budget_cents", "after_refund"),
                    ]
                },
            ),
        ]
        if obj is not None:
            counters = [("status", "issued_count"), ("redeemed_count", "spent_cents")]
            fieldsets.append((_("So far"), {"fields": counters}))
        return fieldsets

    def changed_columns(self, form: Any) -> list[str]:
        has_new_rule = getattr(form, "has_new_rule", False)
        return [*super().changed_columns(form), *(["rule"] if has_new_rule else [])]

    @button(
        Button(
            label=_("Activate"),
            question=_("From now on coupons are issued and used under this offer."),
            permission="campaigns.change_coupondefinition",
            when=lambda definition: definition.status in {Status.DRAFT, Status.PAUSED},
        ),
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    def activate(self, request: HttpRequest, definition: Any, answers: dict[str, Any]) -> Text:
        """Switch a definition on."""
        definitions.activate(definition, now=timezone.now())
        return _("“%(name)s” is active.") % {"name": definition.name}

    @button(
        Button(
            label=_("Pause"),
            question=_("No coupon is issued or used until it is activated again."),
            permission="campaigns.change_coupondefinition",
            when=lambda definition: definition.status == Status.ACTIVE,
        ),
        icon="pause",
        variant=ActionVariant.WARNING,
    )
    def pause(self, request: HttpRequest, definition: Any, answers: dict[str, Any]) -> Text:
        """Switch a definition off for a while."""
        definitions.pause(definition)
        return _("“%(name)s” is paused.") % {"name": definition.name}

    def _is_typed(self, request: HttpRequest, obj: Any) -> bool:
        """Tell whether the typed inputs stand for the rule."""
        if obj is None:
            return True
        return self.has_change_permission(request, obj) and answers_of_json(obj.rule) is not None

    def _rule_fieldsets(self, request: HttpRequest, obj: Any) -> list[Any]:
        if not self._is_typed(request, obj):
            is_known = answers_of_json(obj.rule) is not None
            why = "" if is_known else FIXED_BECAUSE_UNKNOWN
            return [(_("Offer"), {"fields": ["offer", "rule"], "description": why})]
        if obj is None or not obj.issued_count:
            return RULE_FIELDSETS
        (title, offer), *others = RULE_FIELDSETS
        return [(title, offer | {"description": FIXED_BECAUSE_ISSUED}), *others]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_readonly_fields(request, obj), "offer"]


@admin.register(Coupon)
class CouponPage(ReadOnlyPage):
    """Coupons in wallets."""

    store_lookup = "member__store_id"
    list_display = ["code", "definition", "member", "status", "issued_at", "expires_at"]
    list_filter = [("status", ChoicesDropdownFilter), ("definition", VisibleFilter)]
    list_select_related = ["definition", "member"]
    search_fields = ["code", "member__phone_last4", "member__name"]
    search_help_text = _("Code, last four digits or name")
    date_hierarchy = "issued_at"
    fields = [
        ("code", "status"),
        ("definition", "member"),
        ("issued_at", "expires_at"),
        ("source", "slot"),
        "held_by",
    ]


@admin.register(CouponRedemption)
class RedemptionPage(ReadOnlyPage):
    """Uses of coupons, and what they were worth."""

    store_lookup = "order__store_id"
    list_display = ["redeemed_at", "coupon", "order", "discount_cents", "released_at"]
    list_display_links = ["redeemed_at"]
    list_filter = [("order__store", VisibleFilter)]
    list_select_related = ["coupon", "order"]
    search_fields = ["coupon__code", "order__number"]
    search_help_text = _("Code or order number")
    date_hierarchy = "redeemed_at"
    fields = ["coupon", "order", "discount_cents", "redeemed_at", "released_at"]
