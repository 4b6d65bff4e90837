"""Long work in the background, with a bar for how far it is."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from shop.admin.buttons import Button, Text, button
from shop.admin.pages import ReadOnlyPage
from shop.admin.scoping import covers_chain, principal_of
from shop.kernel import jobs
from shop.kernel.models import Job


@admin.register(Job)
class JobPage(ReadOnlyPage):
    """Jobs, the newest first. A page of a job that runs shows how far it was when it was opened.

    Head office sees every job, others those that they asked for.
    """

    list_display = ["created_at", "name", "progress", "shown_state", "requested_by", "last_error"]
    list_display_links = ["created_at", "name"]
    list_filter = [("state", ChoicesDropdownFilter), "kind"]
    search_fields = ["kind", "key", "requested_by"]
    search_help_text = _("Kind, key or who asked")
    ordering = ["-created_at"]
    date_hierarchy = "created_at"
    readonly_fields = ["name", "progress"]
    fields = [
        ("name", "kind", "state"),
        "progress",
        ("requested_by", "key"),
        ("created_at", "finished_at"),
        ("attempts", "available_at"),
        "last_error",
        "params",
        "result",
    ]
    actions_detail = ["cancel"]

    def every_row(self, request: HttpRequest) -> QuerySet[Any]:
        jobs_of_all = super().every_row(request)
        if covers_chain(request):
            return jobs_of_all
        return jobs_of_all.filter(requested_by=principal_of(request).key)

    @admin.display(description=_("job"), ordering="kind")
    def name(self, job: Job) -> str:
        """Show what people call it."""
        return jobs.label_of(job)

    @admin.display(description=_("progress"))
    def progress(self, job: Job) -> str:
        """Show how far the job is as a bar, and in numbers."""
        numbers = f"{job.done:,}" if job.total is None else f"{job.done:,} / {job.total:,}"
        return format_html(
            '<div class="flex items-center gap-2"><progress max="100" value="{}"></progress>'
            "<span>{}</span></div>",
            job.percent or 0,
            numbers,
        )

    @display(
        description=_("state"),
        ordering="state",
        label={"done": "success", "failed": "danger", "running": "info", "cancelled": "warning"},
    )
    def shown_state(self, job: Job) -> tuple[str, str]:
        """Show the state in its colour."""
        return job.state, job.get_state_display()

    @button(
        Button(
            label=_("Stop"),
            question=_("What is done stays done; the rest is not done."),
            permission="kernel.change_job",
            when=lambda job: job.state in jobs.OPEN,
        ),
        icon="stop",
        variant=ActionVariant.DANGER,
    )
    def cancel(self, request: HttpRequest, job: Job, answers: dict[str, Any]) -> Text:
        """Stop a job."""
        jobs.cancel(job, now=timezone.now())
        return _("The job was stopped.")
