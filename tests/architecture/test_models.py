"""Every table says what it is and what always holds in it."""

from typing import Any

import pytest
from django.apps import apps
from django.db import models

OURS = {"kernel", "shop", "campaigns", "loyalty", "storefront"}
MODELS = [
    model
    for model in apps.get_models()
    if model._meta.app_label in OURS and not model._meta.auto_created
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
class TestModel:
    def test_has_a_docstring_of_its_own(self, model: type[models.Model]) -> None:
        generated = f"{model.__name__}("  # what Django writes where nobody has

        assert model.__doc__
        assert not model.__doc__.startswith(generated)

    def test_says_which_row_it_is(self, model: type[models.Model]) -> None:
        assert model.__str__ is not models.Model.__str__

    def test_has_no_order_of_its_own(self, model: type[models.Model]) -> None:
        """An order in Meta sorts every query, also those that need none."""
        assert list(model._meta.ordering) == []

    def test_names_its_constraints_for_what_they_say(self, model: type[models.Model]) -> None:
        names = [constraint.name for constraint in model._meta.constraints]
        own_names = [name for name in names if not name.startswith(model._meta.db_table)]

        assert names == own_names

    def test_keeps_times_aware_and_money_whole(self, model: type[models.Model]) -> None:
        inexact: list[Any] = [
            field.name
            for field in model._meta.get_fields()
            if isinstance(field, models.FloatField)
            or (isinstance(field, models.DecimalField) and field.name.endswith("_cents"))
        ]

        assert inexact == []


def test_there_are_models() -> None:
    assert len(MODELS) > 30
