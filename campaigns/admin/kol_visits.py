"""Visits of opinion leaders to stores."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campaigns.models import (
    KolVisit,
)
from shop.admin.pages import Page
from shop.admin.scoping import VisibleFilter


@admin.register(KolVisit)
class VisitPage(Page):
    """A visit of an opinion leader to a store, and what was on the house."""

    store_lookup = "store_id"
    list_display = ["visit_date", "store", "deal", "limit_cents", "order"]
    list_filter = [("store", VisibleFilter)]
    list_select_related = ["store", "deal", "order"]
    search_fields = ["deal__label", "deal__partner__code"]
    search_help_text = _("Deal or partner")
    date_hierarchy = "visit_date"
    ordering = ["-visit_date", "-pk"]
    autocomplete_fields = ["deal", "store"]
    readonly_fields = ["order"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("deal", "store"),
                    ("visit_date", "limit_cents"),
                    "content_url",
                    "order",
                ]
            },
        )
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("deal", "store", "order")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return getattr(obj, "order_id", None) is None and super().has_delete_permission(
            request, obj
        )
