"""Inputs by which rows of the shop are chosen by name and kept by code."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelect2MultipleWidget


class Chooser(UnfoldAdminSelect2MultipleWidget):
    """A list to choose several from, all of which is in the page.

    Without the class by which Django's own script would search the server instead.
    """

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = ()) -> None:
        super().__init__(attrs, choices)
        self.attrs["class"] = "unfold-admin-autocomplete"


class Choice(forms.ModelMultipleChoiceField[Any]):
    """Rows of the shop chosen by name; the value is their codes, as rules name them."""

    def __init__(self, model: Any, **kwargs: Any) -> None:
        super().__init__(
            queryset=model.objects.order_by("code"),
            to_field_name="code",
            required=False,
            widget=Chooser,
            **kwargs,
        )

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.code} {obj.name}"

    def clean(self, value: Any) -> Any:
        return sorted(row.code for row in super().clean(value))
