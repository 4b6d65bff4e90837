"""Goods as they are typed, categories and products in one list, and up to three parts of a set."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from campaigns.pricing import BundlePart, Scope
from shop.admin.choices import Chooser
from shop.models import Category, Product

PARTS = 3
"""As many as `GoodsForm` has inputs for."""
CATEGORY, PRODUCT = "category:", "product:"
Answers = dict[str, Any]


def _choices() -> list[Any]:
    groups: list[tuple[Any, str, Any]] = [
        (_("Categories"), CATEGORY, Category),
        (_("Products"), PRODUCT, Product),
    ]
    return [
        (
            title,
            [
                (f"{prefix}{row.code}", f"{row.code} {row.name}")
                for row in model.objects.order_by("code")
            ],
        )
        for title, prefix, model in groups
    ]


class Goods(forms.MultipleChoiceField):
    """Categories and products in one list; the value is their codes, each with what it is."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=Chooser, **kwargs)


def _quantity() -> forms.IntegerField:
    return forms.IntegerField(
        label=_("Of the set"),
        min_value=1,
        max_value=99,
        required=False,
        help_text=_("How many."),
        widget=UnfoldAdminIntegerFieldWidget,
    )


def _goods() -> Goods:
    return Goods(
        label=_("of these goods"), help_text=_("None chosen: of anything the offer is for.")
    )


class GoodsForm(forms.Form):
    """The inputs that choose goods: what is left out, and the parts of a set."""

    exclude = Goods(label=_("But not"))
    part_1_quantity, part_1_goods = _quantity(), _goods()
    part_2_quantity, part_2_goods = _quantity(), _goods()
    part_3_quantity, part_3_goods = _quantity(), _goods()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = _choices()  # read once for all of them
        for field in self.fields.values():
            if isinstance(field, Goods):
                field.choices = choices


def names() -> tuple[str, ...]:
    """Return the names of the inputs."""
    parts = range(1, PARTS + 1)
    return tuple(f"part_{number}_{each}" for number in parts for each in ("quantity", "goods"))


def rows() -> list[tuple[str, str]]:
    """Return the inputs as rows of the form."""
    return [(f"part_{number}_quantity", f"part_{number}_goods") for number in range(1, PARTS + 1)]


def parts_of(answers: Answers) -> tuple[BundlePart, ...]:
    """Return the parts that have a quantity."""
    return tuple(
        BundlePart(
            quantity=answers[f"part_{number}_quantity"],
            scope=Scope(
                products=coded(answers[f"part_{number}_goods"], PRODUCT),
                categories=coded(answers[f"part_{number}_goods"], CATEGORY),
            ),
        )
        for number in range(1, PARTS + 1)
        if answers.get(f"part_{number}_quantity")
    )


def answers_of(parts: Sequence[BundlePart]) -> Answers:
    """Return the inputs of the first parts."""
    answers: Answers = dict.fromkeys(names())
    for number, part in enumerate(parts[:PARTS], start=1):
        answers[f"part_{number}_quantity"] = part.quantity
        answers[f"part_{number}_goods"] = listed(part.scope.products, part.scope.categories)
    return answers


def listed(products: Iterable[str], categories: Iterable[str]) -> list[str]:
    """Return codes as the list has them."""
    return [
        *(CATEGORY + code for code in sorted(categories)),
        *(PRODUCT + code for code in sorted(products)),
    ]


def coded(goods: Iterable[str] | None, prefix: str) -> frozenset[str]:
    """Return the codes of the products, or of the categories, among the chosen."""
    return frozenset(g.removeprefix(prefix) for g in goods or () if g.startswith(prefix))
