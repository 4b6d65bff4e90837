"""The menu: the chain's to write, but for what each store makes of it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from shop.admin.money import YuanField
from shop.admin.pages import Page, Rows
from shop.admin.scoping import VisibleFilter
from shop.kernel.money import MAX_CENTS
from shop.models import (
    Category,
    Option,
    OptionGroup,
    OrderType,
    Product,
    ProductOption,
    StoreProduct,
)

NAME_SEARCH = ["code", "name_zh", "name_en"]


@admin.register(Category)
class CategoryPage(Page):
    """Sections of the menu, in their order."""

    list_display = ["code", "title", "position"]
    list_display_links = ["code", "title"]
    search_fields = NAME_SEARCH
    search_help_text = _("Code or name")
    ordering = ["position", "code"]


class OptionForm(forms.ModelForm[Option]):
    """An option may also be cheaper than none."""

    price_delta_cents = YuanField(
        label=_("price difference"), least_cents=-MAX_CENTS, required=False, initial=0
    )
    cost_delta_cents = YuanField(
        label=_("cost difference"), least_cents=-MAX_CENTS, required=False, initial=0
    )

    class Meta:
        model = Option
        fields = (
            "code",
            "name_zh",
            "name_en",
            "price_delta_cents",
            "cost_delta_cents",
            "position",
        )

    def clean_price_delta_cents(self) -> Any:
        return self.cleaned_data["price_delta_cents"] or 0

    def clean_cost_delta_cents(self) -> Any:
        return self.cleaned_data["cost_delta_cents"] or 0


class OptionRows(Rows):
    """The answers to an option group's question."""

    model = Option
    form = OptionForm
    ordering = ["position"]


@admin.register(OptionGroup)
class OptionGroupPage(Page):
    """Questions asked about a product, with their answers."""

    list_display = ["code", "title", "is_sku_axis", "min_choices", "max_choices", "position"]
    list_display_links = ["code", "title"]
    search_fields = NAME_SEARCH
    search_help_text = _("Code or name")
    ordering = ["position", "code"]
    inlines = [OptionRows]


@admin.register(Option)
class OptionPage(Page):
    """Options by themselves: what other pages search in."""

    form = OptionForm
    list_display = ["title", "code", "group", "price_delta_cents", "cost_delta_cents"]
    list_filter = [("group", VisibleFilter)]
    list_select_related = ["group"]
    search_fields = [*NAME_SEARCH, "group__name_zh", "group__name_en"]
    search_help_text = _("Code or name")
    ordering = ["group__position", "position"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # people come here through their group


class ProductOptionRows(Rows):
    """The options a product may be ordered with."""

    model = ProductOption
    autocomplete_fields = ["option"]
    ordering = ["option__group__position", "option__position"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("option", "product")


class ProductForm(forms.ModelForm[Product]):
    """A product, with the ways it is sold as ticks."""

    sellable = forms.MultipleChoiceField(
        label=_("sold as"),
        choices=OrderType.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


@admin.register(Product)
class ProductPage(Page):
    """What is on the menu; a store's own price stands with the store."""

    form = ProductForm
    list_display = [
        "code",
        "title",
        "category",
        "base_price_cents",
        "cost_cents",
        "is_discountable",
        "is_active",
    ]
    list_display_links = ["code", "title"]
    list_filter = [("category", VisibleFilter), "is_active", "is_discountable"]
    list_select_related = ["category"]
    search_fields = NAME_SEARCH
    search_help_text = _("Code or name")
    ordering = ["category__position", "code"]
    autocomplete_fields = ["category", "included_toppings"]
    inlines = [ProductOptionRows]
    fieldsets = [
        (None, {"fields": [("code", "is_active"), ("name_zh", "name_en"), "category"]}),
        (None, {"fields": ["description_zh", "description_en"]}),
        (_("Money"), {"fields": [("base_price_cents", "cost_cents"), "floor_price_cents"]}),
        (_("Loyalty"), {"fields": [("earns_points", "is_discountable")]}),
        (
            _("Kitchen"),
            {
                "fields": [
                    ("prep_seconds", "caffeine"),
                    ("sellable", "included_toppings"),
                    ("available_from_month", "available_to_month"),
                    ("allergens", "tags"),
                ]
            },
        ),
    ]


@admin.register(StoreProduct)
class StoreProductPage(Page):
    """What a store changes about the menu: its own price, sold out, not listed."""

    store_lookup = "store_id"
    list_display = ["product", "store", "price_cents", "is_sold_out", "is_listed"]
    list_filter = [("store", VisibleFilter), "is_sold_out", "is_listed"]
    list_select_related = ["store", "product"]
    search_fields = ["product__code", "product__name_zh", "product__name_en", "store__code"]
    search_help_text = _("Product or store")
    ordering = ["store__code", "product__code"]
    autocomplete_fields = ["store", "product"]
