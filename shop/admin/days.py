"""A day, picked from the browser's own calendar: it works in dialogs too, which load late."""

from typing import Any

from django.utils.formats import localize_input
from unfold.widgets import UnfoldAdminTextInputWidget


class DayWidget(UnfoldAdminTextInputWidget):
    """A date input; the browser shows it in the reader's way and sends it in ISO form."""

    input_type = "date"

    def format_value(self, value: Any) -> str | None:
        return None if value is None else str(localize_input(value, "%Y-%m-%d"))
