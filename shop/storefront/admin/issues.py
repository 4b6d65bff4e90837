"""Coupon definitions, and giving one to many: whom, how many that are, then the job's page."""

import secrets
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from campaigns import caps, definitions, loss_guard
from campaigns.admin import preview
from campaigns.admin.coupons import CouponDefinitionPage
from campaigns.models import Channel, CouponDefinition
from loyalty.models import Tier
from shop.admin.buttons import Button, address, back, button, explain
from shop.admin.choices import Choice
from shop.admin.scoping import principal_of
from shop.kernel.errors import DomainError
from shop.kernel.models import Job
from shop.models import Store
from shop.storefront import audiences, issues
from shop.storefront.audiences import Audience

MOST_DAYS = 3650
COUNTED_FOR_SECONDS = 3600
"""So long after it was counted an audience can be given to; then it is counted again."""
SALT = "coupons.issue"
MAY_GIVE = "campaigns.add_coupon"


def _days(label: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=MOST_DAYS,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class AudienceForm(forms.Form):
    """Who is meant: all that is filled in must hold."""

    tiers = Choice(Tier, label=_("tier"))
    channels = Choice(Channel, label=_("came from"))
    stores = Choice(Store, label=_("home store"))
    not_seen_for_days = _days(_("not seen for (days)"))
    joined_within_days = _days(_("joined within (days)"))
    joined_before = forms.DateField(
        label=_("joined before"), required=False, widget=UnfoldAdminDateWidget
    )
    birthday_month = forms.TypedChoiceField(
        label=_("birthday in month"),
        coerce=int,
        empty_value=None,
        choices=[("", "–"), *((month, month) for month in range(1, 13))],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, store_ids: frozenset[int] | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._store_ids = store_ids
        stores: Any = self.fields["stores"]
        if store_ids is not None:
            stores.queryset = stores.queryset.filter(pk__in=store_ids)

    @property
    def audience(self) -> Audience:
        """Return who is meant, of the members whom the person may address."""
        answers = dict(self.cleaned_data)
        for name in ("tiers", "channels", "stores"):
            answers[name] = tuple(answers[name])
        if day := answers["joined_before"]:
            answers["joined_before"] = timezone.make_aware(datetime.combine(day, time()))
        return Audience(**answers, of_stores=_own_stores(self._store_ids))

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Return what was filled in, each with its label, as people read it."""
        found = []
        for name, value in self.cleaned_data.items():
            field: Any = self.fields[name]
            if isinstance(field, Choice):
                value = _names(field, value)  # noqa: PLW2901 - as people read it
            if value:
                found.append((str(field.label), str(value)))
        return found


@admin.register(CouponDefinition)
class GivenPage(CouponDefinitionPage):
    """A definition with the button that gives its coupon to an audience."""

    actions_detail = [*CouponDefinitionPage.actions_detail, "give_to_many"]

    @button(
        Button(
            label=_("Give to many"),
            question=_("Nothing is given before you have seen how many members are meant."),
            permission=MAY_GIVE,
            when=lambda row: row.status == CouponDefinition.Status.ACTIVE,
            for_readers=True,
        ),
        icon="group_add",
        variant=ActionVariant.PRIMARY,
    )
    def give_to_many(self, request: HttpRequest, row: Any, answers: Any) -> HttpResponse:
        """Go to the page on which the audience is chosen."""
        return back(request, reverse("admin:campaigns_coupondefinition_audience", args=[row.pk]))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.choose_audience)
        name = "campaigns_coupondefinition_audience"
        return [path("<path:object_id>/audience/", view, name=name), *super().get_urls()]

    def choose_audience(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the audience and show how many that are; give to those that were counted."""
        definition: CouponDefinition | None = self.get_object(request, object_id)
        if definition is None:
            raise Http404
        if not request.user.has_perm(MAY_GIVE):
            raise PermissionDenied
        if "counted" in request.POST:
            job = self._give(request, definition)
            return redirect(_where(job) if job else request.path)
        stores = principal_of(request).store_ids
        typed = request.POST if request.method == "POST" else None
        form = AudienceForm(typed, store_ids=stores)
        counted = _count(definition, form) if form.is_valid() else {}
        context = {
            **self.admin_site.each_context(request),
            "title": _("Give “%(name)s” to many") % {"name": definition.name},
            "definition": definition,
            "definition_url": address(self, definition),
            "form": form,
            "media": self.media + form.media,
            **counted,
        }
        return render(request, "admin/give_to_many.html", context)

    def _give(self, request: HttpRequest, definition: CouponDefinition) -> Job | None:
        """Start the issue to the audience that was counted; pressed twice it is one issue."""
        principal = principal_of(request)
        try:
            code, audience, reference = signing.loads(
                request.POST["counted"], salt=SALT, max_age=COUNTED_FOR_SECONDS
            )
            if code != definition.code:
                raise signing.BadSignature
        except signing.BadSignature:
            messages.error(request, _("That was counted too long ago. Count again."))
            return None
        mine = replace(audiences.from_json(audience), of_stores=_own_stores(principal.store_ids))
        try:
            job = issues.start(
                code,
                audience=mine,
                requested_by=principal.key,
                reference=reference,
                now=timezone.now(),
            )
        except DomainError as refusal:
            messages.error(request, explain(refusal))
            return None
        said = _("Being given to %(count)s members.") % {"count": f"{job.total or 0:,}"}
        self.log_change(request, definition, str(said))
        messages.success(request, said)
        return job


def _count(definition: CouponDefinition, form: AudienceForm) -> dict[str, Any]:
    """Return how many are meant, and what to know before they get it, sealed for the next step."""
    audience = form.audience
    limit = definition.total_limit
    left = None if limit is None else max(0, limit - caps.issued(definition))
    meant = audiences.preview(audience, now=timezone.now())
    members = meant.members
    sealed = [definition.code, audience.as_json(), secrets.token_hex(8)]
    return {
        "members": members,
        "shown": f"{members:,}",
        "tiers": _by_tier(meant.tiers),
        "sample": _sample(meant.sample),
        "left": f"{left or 0:,}",
        "are_too_few": left is not None and left < members,
        "worst": _worst_sale(definition),
        "asked": form.asked,
        "counted": signing.dumps(sealed, salt=SALT, compress=True),
    }


def _by_tier(tiers: dict[str, int]) -> list[tuple[str, str]]:
    names = {tier.code: str(tier.name) for tier in Tier.objects.filter(code__in=tiers)}
    return [(names[code], f"{members:,}") for code, members in tiers.items()]


def _sample(people: list[dict[str, Any]]) -> list[tuple[str, str, date]]:
    tiers = {tier.code: str(tier.name) for tier in Tier.objects.all()}
    codes = {each["store"] for each in people}
    stores = {store.code: str(store.name) for store in Store.objects.filter(code__in=codes)}
    return [(tiers[e["tier"]], stores[e["store"]], e["joined_on"]) for e in people]


def _worst_sale(definition: CouponDefinition) -> str:
    """Return what it sells furthest below a floor price today, if further than was approved."""
    found = loss_guard.losses(loss_guard.check(definition, now=timezone.now()))
    if definitions.worst_loss(found) <= (definition.approved_loss_cents or 0):
        return ""
    return preview.told(definitions.as_json(found[0]))


def _names(field: Any, codes: list[str]) -> str:
    return ", ".join(str(row.name) for row in field.queryset.filter(code__in=codes))


def _own_stores(store_ids: frozenset[int] | None) -> tuple[int, ...] | None:
    return None if store_ids is None else tuple(sorted(store_ids))


def _where(job: Job) -> str:
    return reverse("admin:kernel_job_change", args=[job.pk])
