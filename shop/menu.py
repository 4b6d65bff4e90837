"""The whole menu of a store, and what is sold out there; the only writer of that."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import F, FilteredRelation, OuterRef, Q
from django.db.models.functions import Coalesce

from shop.catalog import is_in_season
from shop.kernel.errors import NotFound
from shop.kernel.fields import CentsField
from shop.models import Category, Option, OptionGroup, Product, ProductOption, Store, StoreProduct


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """An option group with all its options."""

    group: OptionGroup
    options: list[Option]


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupChoice:
    """How one product answers an option group: what it allows, and what it has unless asked."""

    group: str
    allowed: list[str]
    default: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductAtStore:
    """A product as one store sells it."""

    product: Product
    price_cents: int
    is_sold_out: bool
    is_in_season: bool
    options: list[GroupChoice]
    included_toppings: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A category with what it has at this store; never empty."""

    category: Category
    products: list[ProductAtStore]


@dataclass(frozen=True, kw_only=True, slots=True)
class Menu:
    """Everything a till or a guest can choose from at one store."""

    store: Store
    groups: list[Question]
    sections: list[Section]


def of_store(store: Store, *, now: datetime) -> Menu:
    """Return a store's menu in two statements; what the store does not list is left out."""
    options = list(
        Option.objects.select_related("group").order_by("group__position", "position", "id")
    )
    by_id = {option.pk: option for option in options}
    sections: dict[int, Section] = {}
    for row in _listed_products(store):
        section = sections.setdefault(row.category_id, Section(category=row.category, products=[]))
        section.products.append(_product(row, by_id, month=store.business_date(now).month))
    return Menu(store=store, groups=_questions(options), sections=list(sections.values()))


@transaction.atomic
def set_sold_out(store: Store, product_code: str, *, is_sold_out: bool) -> StoreProduct:
    """Mark a product sold out at a store, or back; doing it twice changes nothing.

    Raises:
        NotFound: the store does not list such a product.
    """
    product = _listed_products(store).filter(code=product_code).first()
    if product is None:
        raise NotFound
    row, _is_new = StoreProduct.objects.update_or_create(
        store=store, product=product, defaults={"is_sold_out": is_sold_out}
    )
    return row


def _listed_products(store: Store) -> Any:
    allowed = ProductOption.objects.filter(product=OuterRef("pk"))
    included = Product.included_toppings.through.objects.filter(product=OuterRef("pk"))
    return (
        Product.objects.filter(is_active=True)
        .annotate(here=FilteredRelation("stores", condition=Q(stores__store=store)))
        .filter(Q(here__isnull=True) | Q(here__is_listed=True))
        .annotate(
            price_here=Coalesce("here__price_cents", "base_price_cents", output_field=CentsField()),
            sold_out_here=Coalesce(F("here__is_sold_out"), False),  # noqa: FBT003 - SQL's false
            allowed_ids=ArraySubquery(allowed.values("option_id")),
            default_ids=ArraySubquery(allowed.filter(is_default=True).values("option_id")),
            included_ids=ArraySubquery(included.values("option_id")),
        )
        .select_related("category")
        .order_by("category__position", "category_id", "id")
    )


def _product(row: Any, by_id: dict[int, Option], *, month: int) -> ProductAtStore:
    allowed, defaults = set(row.allowed_ids), set(row.default_ids)
    answers: dict[str, GroupChoice] = {}
    for option in by_id.values():  # in menu order
        if option.pk not in allowed:
            continue
        code = option.group.code
        answer = answers.get(code) or GroupChoice(group=code, allowed=[], default=None)
        answer.allowed.append(option.code)
        if option.pk in defaults:
            answer = GroupChoice(group=code, allowed=answer.allowed, default=option.code)
        answers[code] = answer
    return ProductAtStore(
        product=row,
        price_cents=row.price_here,
        is_sold_out=row.sold_out_here,
        is_in_season=is_in_season(row.available_from_month, row.available_to_month, month=month),
        options=list(answers.values()),
        included_toppings=[by_id[pk].code for pk in row.included_ids],
    )


def _questions(options: Iterable[Option]) -> list[Question]:
    questions: dict[int, Question] = {}
    for option in options:
        question = questions.setdefault(option.group_id, Question(group=option.group, options=[]))
        question.options.append(option)
    return list(questions.values())
