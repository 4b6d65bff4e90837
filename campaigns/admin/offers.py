"""What the pages of coupon definitions and promotions share: the list, the typed rule, its use."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from campaigns import definitions, offer_texts
from campaigns.admin import history, presets, preview, typed_bundles
from campaigns.admin.offer_switches import OfferSwitches
from campaigns.admin.rules import answers_of_json
from campaigns.admin.typed_effects import SHOWN_FOR
from campaigns.models import CouponDefinition
from campaigns.models.offers import OfferTerms
from shop.admin.money import yuan
from shop.admin.scoping import principal_of
from shop.models import Store

Status = OfferTerms.Status
Measure = tuple[Any, int, int | None, Callable[[int], str]]
"""What is counted, how much of it there is, the limit if any, and how to write it."""
RULE_FIELDSETS: list[Any] = [
    (
        _("Offer"),
        {
            "fields": [
                "kind",
                ("percent", "amount"),
                ("ladder", "ladder_by"),
                *typed_bundles.rows(),
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
                "exclude",
                ("min_spend", "min_quantity"),
                ("first_order_only", "members_only"),
                ("birthday_month", "joined_within_days"),
                ("order_types", "stores"),
                ("starts_at", "ends_at"),
                "weekdays",
                ("hours_from", "hours_until"),
                ("stacking", "exclusive_group"),
                ("best_deal", "priority"),
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


def bars(measures: list[Measure]) -> SafeString:
    """Return use against limits; what has no limit is only a number."""
    rows = []
    for label, used, limit, write in measures:
        share = min(100, used * 100 // limit) if limit else 0
        bar = format_html('<span class="board-bar"><i style="width: {}%"></i></span>', share)
        said = f"{write(used)} / {write(limit)} · {share}%" if limit else write(used)
        rows.append((label, said, bar if limit else ""))
    return format_html(
        '<div class="offer-bars">{}</div>',
        format_html_join("", "<div><span>{}</span><b>{}</b>{}</div>", rows),
    )


def in_language(text: Any) -> str:
    """Return a text in the language of the request."""
    return str(text.zh if (get_language() or "").startswith("zh") else text.en)


class OfferPage(OfferSwitches):
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
    change_form_before_template = "campaigns/presets.html"
    change_form_after_template = "campaigns/preview.html"
    typed_form: Any
    """The form in which the rule is typed, and the one without it."""
    plain_form: Any
    why_fixed: Any

    class Media:
        js = ["huigan/offer.js"]

    @admin.display(description=_("offer"))
    def offer(self, row: Any) -> str:
        """Show what the offer says, in the reader's language."""
        return in_language(offer_texts.of_json(row.rule, names=offer_texts.load_names()))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        names = cache(offer_texts.load_names)  # once for the whole list

        @admin.display(description=_("offer"))
        def offer(row: Any) -> str:
            return in_language(offer_texts.of_json(row.rule, names=names()))

        columns = super().get_list_display(request)
        return [offer if column == "offer" else column for column in columns]

    def measures(self, row: Any) -> list[Measure]:
        """Return how far the offer has been used, each with its limit if there is one."""
        raise NotImplementedError

    @admin.display(description=_("used"))
    def progress(self, row: Any) -> SafeString:
        """Show use against limits as bars."""
        return bars(self.measures(row))

    @admin.display(description=_("approval"))
    def answer_for(self, row: Any) -> str:
        """Show who answers for the offer, and which loss a second person agreed to."""
        parts = []
        if row.submitted_by is not None:
            parts.append(_("submitted by %(who)s") % {"who": row.submitted_by})
        if row.approved_by is not None:
            loss = yuan(row.approved_loss_cents or 0)
            parts.append(
                _("approved by %(who)s, up to %(loss)s below the floor price")
                % {"who": row.approved_by, "loss": loss}
            )
        return ", ".join(parts) or "–"

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        preset = presets.BY_CODE.get(initial.pop("preset", ""))
        if preset is not None:
            initial |= preset.answers(is_coupon=self.model is CouponDefinition)
        return initial

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        row = self.get_object(request, object_id) if object_id else None
        more = {
            "presets": [] if object_id else presets.PRESETS,
            "preset": request.GET.get("preset", ""),
            "changes": history.changes_of(row) if row is not None else [],
            "sample": preview.SampleForm(),
            "preview_url": self._asking("preview", object_id),
            "losses_url": self._asking("losses", object_id),
        }
        return super().changeform_view(request, object_id, form_url, (extra_context or {}) | more)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: Any = None
    ) -> Any:
        if add:
            return super().construct_change_message(request, form, formsets, add)
        return history.message(history.differences_of(form))

    def get_urls(self) -> list[Any]:
        def ask(name: str, answer: Any) -> list[Any]:
            view = self.admin_site.admin_view(
                lambda request, object_id=None: self._answer(request, object_id, answer)
            )
            label = f"campaigns_{self.model._meta.model_name}_{name}"
            return [
                path(f"{name}/", view, name=label),
                path(f"<path:object_id>/{name}/", view, name=f"{label}_of"),
            ]

        return [
            *ask("preview", preview.show_prices),
            *ask("losses", preview.show_losses),
            *super().get_urls(),
        ]

    def _asking(self, name: str, object_id: str | None) -> str:
        label = f"admin:campaigns_{self.model._meta.model_name}_{name}"
        return reverse(f"{label}_of", args=[object_id]) if object_id else reverse(label)

    def _answer(self, request: HttpRequest, object_id: str | None, answer: Any) -> HttpResponse:
        """Answer with a piece of the page about the offer as it is typed; nothing is written."""
        row = self.get_object(request, object_id) if object_id else None
        if object_id and row is None:
            raise Http404
        may_see = (
            self.has_view_permission(request, row) if row else self.has_add_permission(request)
        )
        if not may_see:
            raise PermissionDenied
        is_typed = self.is_typed(request, row) and not (row and self.typed_form.is_fixed(row))
        found: HttpResponse = answer(request, self.model, row, is_typed=is_typed)
        return found

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
        rule = ["rule", *definitions.NOT_APPROVED] if has_new_rule else []
        return [*super().changed_columns(form), *rule]

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
