"""The tiers, and the editor of the ladder: no change is saved before its preview was seen."""

import json
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from loyalty import ladders
from loyalty.ladders import Ladder, LadderInvalid
from loyalty.models import LoyaltyProgramme, Tier
from shop.admin.buttons import Button, address, explain, list_button
from shop.admin.pages import Page
from shop.admin.scoping import principal_of
from shop.kernel import jobs
from shop.kernel.models import Job
from shop.models import Member
from shop.storefront import tier_reviews

AT_ONCE = 20_000
"""Up to so many members the preview is there when the page opens; beyond, a worker counts."""
LARGEST_FILE = 200_000
MOST = 32_000


def _number(label: Any, most: int = MOST) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=0, max_value=most, widget=UnfoldAdminIntegerFieldWidget
    )


def _choice(label: Any, choices: Any) -> forms.ChoiceField:
    """Return a choice whose first is what an untouched row holds: such a row is empty."""
    return forms.ChoiceField(
        label=label, choices=choices, initial=choices[0][0], widget=UnfoldAdminSelectWidget
    )


def _text(label: Any, most: int) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, widget=UnfoldAdminTextInputWidget)


class RulesForm(forms.Form):
    """How tiers are reached, kept and lost."""

    qualifying_basis = _choice(_("tiers are reached by"), LoyaltyProgramme.Basis.choices)
    qualifying_window = _choice(_("counted within"), LoyaltyProgramme.Window.choices)
    qualifying_window_days = _number(_("qualifying window (days)"))
    tier_keep_days = _number(_("a tier is kept for (days)"))
    tier_grace_days = _number(_("and for as many days of grace"))
    tier_downgrade = _choice(_("after that it drops"), LoyaltyProgramme.Downgrade.choices)


class StepForm(forms.Form):
    """One tier."""

    code = forms.SlugField(label=_("code"), max_length=16, widget=UnfoldAdminTextInputWidget)
    level = _number(_("level"))
    role = _choice(_("role"), Tier.Role.choices)
    name_zh = _text(_("Chinese name"), 80)
    name_en = _text(_("English name"), 80)
    min_qualifying_points = _number(_("threshold"), 2_000_000_000)
    min_referrals = _number(_("and friends brought"))
    points_rate_percent = _number(_("earns points at (%)"))


StepForms = forms.formset_factory(StepForm, extra=1)


@admin.register(Tier)
class TierPage(Page):
    """The steps of the programme; what they ask for is changed in the ladder, with its preview."""

    list_display = [
        "level",
        "title",
        "role",
        "min_qualifying_points",
        "min_referrals",
        "points_rate_percent",
    ]
    list_display_links = ["level", "title"]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["level"]
    readonly_fields = ["code", "level", "role", "min_qualifying_points", "min_referrals"]
    fieldsets = [
        (None, {"fields": [("code", "level"), ("name_zh", "name_en"), "role"]}),
        (_("Reached"), {"fields": [("min_qualifying_points", "min_referrals")]}),
        (_("Gives"), {"fields": ["points_rate_percent", "benefits"]}),
    ]
    actions_list = ["open_ladder"]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    @list_button(
        Button(
            label=_("Change the ladder"),
            question=_("Nothing is saved before you have seen who would move."),
            permission="loyalty.change_tier",
        ),
        icon="stairs",
        variant=ActionVariant.PRIMARY,
    )
    def open_ladder(self, request: HttpRequest, row: None, answers: Any) -> HttpResponse:
        """Go to the editor."""
        return _to(request, reverse("admin:loyalty_tier_ladder"))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("ladder/", view(self.edit_ladder), name="loyalty_tier_ladder"),
            path("ladder.json", view(self.export_ladder), name="loyalty_tier_ladder_json"),
            path("ladder/<uuid:job_id>/", view(self.show_preview), name="loyalty_tier_preview"),
            *super().get_urls(),
        ]

    def edit_ladder(self, request: HttpRequest) -> HttpResponse:
        """Show the ladder as a form; a form or a file that is sent becomes a draft to preview."""
        self._ensure_may_edit(request)
        saved = ladders.load()
        draft = _draft_named(request) or saved
        rules = RulesForm(request.POST or None, initial=_rules_of(draft))
        steps = StepForms(request.POST or None, initial=_steps_of(draft), prefix="steps")
        if request.method == "POST":
            try:
                ladder = _from_file(request) or _from_forms(saved, rules, steps)
                if ladder is not None:
                    return redirect("admin:loyalty_tier_preview", self._start(request, ladder).pk)
            except LadderInvalid as error:
                messages.error(request, explain(error))
        return self._render(request, "admin/tier_ladder.html", {"rules": rules, "steps": steps})

    def export_ladder(self, request: HttpRequest) -> HttpResponse:
        """Answer with the ladder as a file, to be carried to another chain or kept."""
        self._ensure_may_edit(request)
        text = json.dumps(ladders.load().to_json(), ensure_ascii=False, indent=2)
        disposition = 'attachment; filename="ladder.json"'
        return HttpResponse(
            text, content_type="application/json", headers={"Content-Disposition": disposition}
        )

    def show_preview(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """Show what a draft would change and whom it would move; save it when that is wanted."""
        self._ensure_may_edit(request)
        job = Job.objects.filter(pk=job_id, kind=tier_reviews.PREVIEW).first()
        if job is None:
            raise Http404
        saved = ladders.load()
        draft = ladders.parse(job.params["ladder"])
        if request.method == "POST" and job.state == Job.State.DONE:
            tier_reviews.save_ladder(
                draft, requested_by=principal_of(request).key, now=timezone.now()
            )
            messages.success(request, _("The ladder is saved; members move in the background."))
            return redirect(address(self))
        moves = _moves(job, draft)
        context = {
            "job": job,
            "edit_url": f"{reverse('admin:loyalty_tier_ladder')}?draft={job.pk}",
            "changes": [_shown(change) for change in ladders.compare(saved, draft)],
            "rising": [move for move in moves if move["reason"] != "later"],
            "losing": [move for move in moves if move["reason"] == "later"],
        }
        return self._render(request, "admin/tier_preview.html", context)

    def _start(self, request: HttpRequest, ladder: Ladder) -> Job:
        now = timezone.now()
        job = tier_reviews.start_preview(ladder, requested_by=principal_of(request).key, now=now)
        return jobs.run(job.pk, now=now) if (job.total or 0) <= AT_ONCE else job

    def _ensure_may_edit(self, request: HttpRequest) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied

    def _render(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        title = _("Ladder of tiers")
        return render(
            request, template, {**self.admin_site.each_context(request), "title": title, **context}
        )


def _to(request: HttpRequest, url: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)


def _draft_named(request: HttpRequest) -> Ladder | None:
    """Return the draft of the preview that somebody comes back from."""
    name = request.GET.get("draft", "")
    try:
        job = Job.objects.filter(pk=UUID(name), kind=tier_reviews.PREVIEW).first()
    except ValueError:
        return None
    return ladders.parse(job.params["ladder"]) if job else None


def _rules_of(ladder: Ladder) -> dict[str, Any]:
    return {name: getattr(ladder.rules, name) for name in RulesForm.base_fields}


def _steps_of(ladder: Ladder) -> list[dict[str, Any]]:
    return [{name: getattr(s, name) for name in StepForm.base_fields} for s in ladder.steps]


def _from_forms(saved: Ladder, rules: RulesForm, steps: Any) -> Ladder | None:
    if not (rules.is_valid() and steps.is_valid()):
        return None
    benefits = {step.code: step.benefits for step in saved.steps}
    rows = [
        row | {"benefits": list(benefits.get(row["code"], ()))} for row in steps.cleaned_data if row
    ]
    merged = ladders.with_rules(saved, **rules.cleaned_data).to_json()
    return ladders.parse(merged | {"tiers": rows})


def _from_file(request: HttpRequest) -> Ladder | None:
    """Return the ladder of a file that was sent.

    Raises:
        LadderInvalid
    """
    sent = request.FILES.get("file")
    if sent is None:
        return None
    try:
        data = json.loads(sent.read(LARGEST_FILE))
    except ValueError as error:
        raise LadderInvalid(reason="json", detail=_("This is not JSON.")) from error
    return ladders.parse(data)


def _moves(job: Job, draft: Ladder) -> list[dict[str, Any]]:
    names = {step.code: step for step in draft.steps}
    found = job.result.get("moves", [])
    ids = {member_id for move in found for member_id in move["examples"]}
    people = Member.objects.in_bulk(ids)
    return [
        move
        | {
            "from": _name(names, move["from_tier"]),
            "to": _name(names, move["to_tier"]),
            "examples": [people[i] for i in move["examples"] if i in people],
        }
        for move in found
    ]


def _name(names: dict[str, Any], code: str) -> str:
    step = names.get(code)
    return str(Tier(name_zh=step.name_zh, name_en=step.name_en).name) if step else code


def _shown(change: dict[str, Any]) -> dict[str, Any]:
    """Return a difference with its field named as the pages name it."""
    model = LoyaltyProgramme if change["where"] == "programme" else Tier
    label: Any = model._meta.get_field(change["field"])
    return change | {"label": label.verbose_name, "old": change["from"], "new": change["to"]}
