"""What files changed of the programme, and who applied them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from loyalty.models import ProgrammeChange
from shop.admin.pages import ReadOnlyPage


@admin.register(ProgrammeChange)
class ProgrammeChangePage(ReadOnlyPage):
    """Files that were applied: each value that changed, and the programme before."""

    list_display = ["id", "applied_at", "actor", "values"]
    list_display_links = ["id", "applied_at"]
    search_fields = ["actor"]
    search_help_text = _("Who")
    date_hierarchy = "applied_at"
    fields = [("applied_at", "actor"), "changes", "before"]

    @admin.display(description=_("values changed"))
    def values(self, change: ProgrammeChange) -> int:
        """Show how many values a file changed."""
        return len(change.changes)
