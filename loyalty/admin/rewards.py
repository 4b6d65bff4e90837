"""Rewards, head office's to write."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from loyalty.models import Reward
from shop.admin.pages import Page

Kind = Reward.Kind


class RewardForm(forms.ModelForm[Reward]):
    """A reward; what its kind does not use is put to nothing."""

    def clean(self) -> dict[str, Any]:
        answers: dict[str, Any] = super().clean() or self.cleaned_data
        kind = answers.get("kind")
        if kind in {Kind.DRINK, Kind.TOPPING}:
            if not answers.get("max_value_cents") and "max_value_cents" not in self.errors:
                self.add_error("max_value_cents", _("Say what it may be worth at most."))
        else:
            answers["max_value_cents"] = 0
        if kind != Kind.COUPON:
            answers["coupon"] = ""
        elif not answers.get("coupon") and "coupon" not in self.errors:
            self.add_error("coupon", _("Name the coupon definition."))
        if not answers.get("cost_points") and "cost_points" not in self.errors:
            self.add_error("cost_points", _("A reward costs points."))
        starts, ends = answers.get("starts_at"), answers.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", _("This must be after the beginning."))
        return answers


@admin.register(Reward)
class RewardPage(Page):
    """What points and stamps buy."""

    form = RewardForm
    list_display = ["code", "title", "kind", "cost_points", "wallet", "stock", "is_active"]
    list_display_links = ["code", "title"]
    list_filter = [
        "is_active",
        ("kind", ChoicesDropdownFilter),
        ("wallet", ChoicesDropdownFilter),
    ]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["cost_points", "code"]
    conditional_fields = {
        "max_value_cents": "kind == 'drink' || kind == 'topping'",
        "coupon": "kind == 'coupon'",
    }
    fieldsets = [
        (None, {"fields": [("code", "is_active"), ("name_zh", "name_en")]}),
        (
            None,
            {
                "fields": [
                    "kind",
                    ("max_value_cents", "coupon"),
                    ("cost_points", "wallet"),
                    "valid_days",
                ]
            },
        ),
        (
            _("For whom and when"),
            {
                "fields": [
                    ("starts_at", "ends_at"),
                    ("min_tier", "limit_per_member"),
                    "stock",
                ],
                "description": _("Empty: no limit."),
            },
        ),
    ]
