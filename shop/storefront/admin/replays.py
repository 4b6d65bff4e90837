"""Promotions, and trying one on the sales of the last days before it runs."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from campaigns import hints, promotions
from campaigns.admin.promotions import PromotionPage
from campaigns.models import CouponDefinition, Promotion
from campaigns.pricing import Reason, Refusal
from shop.admin.buttons import Button, address, back, button
from shop.admin.money import yuan
from shop.admin.scoping import principal_of
from shop.kernel import jobs
from shop.kernel.errors import NotFound
from shop.kernel.models import Job
from shop.models import Store
from shop.storefront import past_sales, replays

AT_ONCE = 2000
"""Up to so many orders the result is there when the page opens; beyond, a worker prices them."""
USUAL_DAYS = 28
PREFIXES: dict[str, Any] = {promotions.PREFIX: Promotion, past_sales.COUPON: CouponDefinition}
USED_UP = _("One of its limits was used up.")
IN_GENERAL: dict[str, Any] = {
    Reason.MIN_SPEND_NOT_MET: _("The bill was too small."),
    Reason.MAX_SPEND_EXCEEDED: _("The bill was too large."),
    Reason.MIN_QTY_NOT_MET: _("There were too few items."),
    Reason.MIN_PRODUCTS_NOT_MET: _("There were too few different products."),
    Reason.OUTSIDE_HOURS: _("It was at another time."),
    Reason.NTH_ORDER_MISMATCH: _("It was another order of the member's."),
    Reason.NOT_BIRTHDAY: _("It was not the member's birthday."),
    Reason.NOT_BIRTHDAY_MONTH: _("It was not the month of the member's birthday."),
    Reason.USAGE_LIMIT_REACHED: USED_UP,
    Reason.PER_MEMBER_LIMIT_REACHED: USED_UP,
    Reason.STORE_LIMIT_REACHED: USED_UP,
    Reason.DAILY_LIMIT_REACHED: USED_UP,
    Reason.WEEKLY_LIMIT_REACHED: USED_UP,
    Reason.MONTHLY_LIMIT_REACHED: USED_UP,
    Reason.BUDGET_EXHAUSTED: _("Its budget was spent."),
}
"""Reasons whose usual sentence names amounts, which differ from order to order."""


class DaysForm(BaseDialogForm):
    """How far back."""

    days = forms.IntegerField(
        label=_("days"),
        initial=USUAL_DAYS,
        min_value=1,
        max_value=replays.MOST_DAYS,
        widget=UnfoldAdminIntegerFieldWidget,
    )


@admin.register(Promotion)
class ReplayedPage(PromotionPage):
    """A promotion with the button that tries it on past sales."""

    actions_detail = [*PromotionPage.actions_detail, "replay"]

    @button(
        Button(
            label=_("Try on past orders"),
            question=_(
                "The paid orders of the last days are priced again with this promotion as it is"
                " saved. Nothing is changed."
            ),
            permission="campaigns.view_promotion",
            form=DaysForm,
            for_readers=True,
        ),
        icon="history",
    )
    def replay(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> HttpResponse:
        """Price past orders again."""
        principal, now = principal_of(request), timezone.now()
        job = replays.start(
            row,
            days=answers["days"],
            store_ids=principal.store_ids,
            requested_by=principal.key,
            now=now,
        )
        if (job.total or 0) <= AT_ONCE:
            jobs.run(job.pk, now=now)
        return back(request, reverse("admin:campaigns_promotion_replayed", args=[row.pk, job.pk]))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.show_replay)
        route = "<int:object_id>/replays/<uuid:job_id>/"
        return [path(route, view, name="campaigns_promotion_replayed"), *super().get_urls()]

    def show_replay(self, request: HttpRequest, object_id: int, job_id: UUID) -> HttpResponse:
        """Show what the promotion would have done, in all, by day and by store."""
        promotion: Any = self.get_object(request, str(object_id))
        if promotion is None:
            raise Http404
        if not self.has_view_permission(request, promotion):
            raise PermissionDenied
        principal = principal_of(request)
        asker = None if principal.store_ids is None else principal.key
        try:
            job = replays.find(job_id, promotion_code=promotion.code, requested_by=asker)
        except NotFound as error:
            raise Http404 from error
        context = {
            **self.admin_site.each_context(request),
            "title": _("“%(name)s” on past orders") % {"name": promotion.name},
            "job": job,
            "promotion_url": address(self, promotion),
            "is_as_saved": replays.rule_hash(promotion.rule) == replays.told(job)["rule_hash"],
            **_shown(job),
        }
        return render(request, "admin/replay.html", context)


def _shown(job: Job) -> dict[str, Any]:
    """Return a result as people read it: money in yuan, reasons and offers by name."""
    result = replays.told(job)
    names = dict(Store.objects.values_list("code", _name_column()))
    rows = result["rows"]
    by_store = [_with_name(row, names[row["store"]]) for row in _grouped(rows, "store")]
    by_day = [_with_name(row, row["day"]) for row in _grouped(rows, "day")]
    return {
        "totals": _as_money(result["totals"]),
        "by_store": _with_bars(by_store),
        "by_day": _with_bars(by_day),
        "refusals": [(_why(reason), n) for reason, n in result["refusals"].items()],
        "displaced": _named(result["displaced"]),
    }


def _grouped(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    values = sorted({row[name] for row in rows})
    return [
        {name: value} | replays.total_of([row for row in rows if row[name] == value])
        for value in values
    ]


def _with_name(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {"name": name} | _as_money(row)


def _as_money(row: dict[str, Any]) -> dict[str, Any]:
    """Return the sums with amounts as text, and the share of orders that qualified."""
    shown = {
        name.removesuffix("_cents"): yuan(value) if name.endswith("_cents") else value
        for name, value in row.items()
    }
    priced = row["orders"] - row["unclear"]
    share = row["qualified"] * 100 / priced if priced else 0
    return shown | {"share": f"{share:.1f}%", "cents": row["discount_cents"]}


def _with_bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    most = max((row["cents"] for row in rows), default=0)
    return [row | {"bar": row["cents"] * 100 // most if most else 0} for row in rows]


def _why(reason: str) -> str:
    """Return a reason as a sentence that holds for every order."""
    said = IN_GENERAL.get(reason)
    return str(said or hints.explain(Refusal(key="", reason=reason), local_time=timezone.now()))


def _named(displaced: dict[str, int]) -> list[tuple[str, int]]:
    """Return the names of the offers that gave way."""
    column = _name_column()
    names: dict[str, str] = {}
    for prefix, model in PREFIXES.items():
        codes = [key.removeprefix(prefix) for key in displaced if key.startswith(prefix)]
        found = model._default_manager.filter(code__in=codes).values_list("code", column)
        names |= {f"{prefix}{code}": name for code, name in found}
    return [(names.get(key, key), number) for key, number in displaced.items()]


def _name_column() -> str:
    return "name_zh" if (get_language() or "").startswith("zh") else "name_en"
