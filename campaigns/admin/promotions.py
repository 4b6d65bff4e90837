"""Promotions: what applies by itself, how far it has been used, and its uses."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet, Sum
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns import promotions
from campaigns.admin.offers import USE_LIMITS, Measure, OfferPage, Status
from campaigns.admin.rule_form import OfferForm, refuse_zeros
from campaigns.models import Promotion, PromotionUse
from shop.admin.money import yuan
from shop.admin.pages import ReadOnlyPage
from shop.admin.scoping import VisibleFilter

FIXED_WHILE_ACTIVE = _(
    "This promotion runs or waits for approval. Pause it, or duplicate it and change the copy."
)
LIMITS = ["uses_total", "uses_per_member", "budget_cents", *(n for row in USE_LIMITS for n in row)]


class PlainPromotionForm(ModelForm[Promotion]):
    """Everything about a promotion but its rule."""

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        refuse_zeros(self, answers)
        return answers


class PromotionForm(PlainPromotionForm, OfferForm):
    """A promotion with its rule, which is fixed while it runs."""

    @staticmethod
    def is_fixed(offer: Any) -> bool:
        return offer.status in {Status.ACTIVE, Status.SUBMITTED}

    def clean(self) -> dict[str, Any]:
        answers = super().clean()
        if self.instance._state.adding or self.has_new_rule:
            self.build_rule(answers)
        return answers


class PromotionPage(OfferPage):
    """An offer for whoever meets its conditions; the chain's to write.

    The storefront registers it, with the button that tries it on past orders.
    """

    typed_form = PromotionForm
    plain_form = PlainPromotionForm
    why_fixed = FIXED_WHILE_ACTIVE
    list_display = ["code", "title", "offer", "state", "uses", "given"]
    list_filter = [("status", ChoicesDropdownFilter)]
    readonly_fields = ["status", "rule", "uses", "given", "progress", "answer_for"]

    def layout(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        money = ("budget_cents", "partial_return")
        limits = [("uses_total", "uses_per_member"), *USE_LIMITS, money]
        fieldsets = [
            (None, {"fields": [("code", "campaign"), ("name_zh", "name_en")]}),
            *self.rule_fieldsets(request, obj),
            (_("Limits"), {"fields": limits, "description": _("Empty: no limit.")}),
        ]
        if obj is not None:
            fieldsets.append((_("So far"), {"fields": [("status", "answer_for"), "progress"]}))
        return fieldsets

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        standing = Q(uses__released_at=None)
        return (
            super()
            .get_queryset(request)
            .annotate(
                use_count=Count("uses", filter=standing),
                given_cents=Sum("uses__discount_cents", filter=standing),
            )
        )

    @admin.display(description=_("uses"))
    def uses(self, row: Any) -> str:
        """Show how often it was used, and how often it may be."""
        return f"{row.use_count} / {row.uses_total}" if row.uses_total else str(row.use_count)

    @admin.display(description=_("discount given"))
    def given(self, row: Any) -> str:
        """Show what it has given, and what it may give."""
        given = yuan(row.given_cents or 0)
        return f"{given} / {yuan(row.budget_cents)}" if row.budget_cents else given

    def measures(self, row: Any) -> list[Measure]:
        return [
            (_("uses"), row.use_count, row.uses_total, str),
            (_("discount given"), row.given_cents or 0, row.budget_cents, yuan),
        ]

    def save_model(
        self, request: HttpRequest, obj: Promotion, form: ModelForm[Any], change: Any
    ) -> None:
        super().save_model(request, obj, form, change)
        if change and set(LIMITS).intersection(form.changed_data):
            promotions.recount(obj)


@admin.register(PromotionUse)
class PromotionUsePage(ReadOnlyPage):
    """Orders to which promotions applied, and what those were worth."""

    store_lookup = "order__store_id"
    list_display = ["used_at", "promotion", "order", "discount_cents", "released_at"]
    list_display_links = ["used_at"]
    list_filter = [("promotion", VisibleFilter), ("order__store", VisibleFilter)]
    list_select_related = ["promotion", "order"]
    search_fields = ["promotion__code", "order__number"]
    search_help_text = _("Code or order number")
    date_hierarchy = "used_at"
    fields = ["promotion", "order", "discount_cents", "used_at", "released_at"]
