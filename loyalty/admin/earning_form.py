"""The form in which an earning rule is typed, and the rule in plain words."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from loyalty.models import EarningRule, Tier
from shop.admin.choices import Choice
from shop.admin.money import yuan
from shop.models import Category, Product, Store

Kind = EarningRule.Kind
WEEKDAYS = [
    (1, gettext_lazy("Monday")),
    (2, gettext_lazy("Tuesday")),
    (3, gettext_lazy("Wednesday")),
    (4, gettext_lazy("Thursday")),
    (5, gettext_lazy("Friday")),
    (6, gettext_lazy("Saturday")),
    (7, gettext_lazy("Sunday")),
]
ALL = gettext_lazy("None chosen: all.")


class EarningRuleForm(forms.ModelForm[EarningRule]):
    """A rule; what its kind does not use is put to nothing."""

    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("On weekdays"),
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        help_text=gettext_lazy("None ticked: every day."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    tiers = Choice(Tier, label=gettext_lazy("Tiers"), help_text=ALL)
    stores = Choice(Store, label=gettext_lazy("Stores"), help_text=ALL)
    products = Choice(Product, label=gettext_lazy("Products"), help_text=ALL)
    categories = Choice(Category, label=gettext_lazy("Categories"), help_text=ALL)

    def clean(self) -> dict[str, Any]:
        answers: dict[str, Any] = super().clean() or self.cleaned_data
        kind = answers.get("kind")
        if kind == Kind.BOOST:
            answers["points"] = Decimal(0)
        else:
            answers["percent"] = 100
        if kind == Kind.STAMP:
            answers |= {"is_stackable": True, "priority": 0}
        if kind == Kind.EVENT:
            answers |= {"products": [], "categories": [], "min_order_cents": None}
        else:
            answers["event"] = ""
        return answers


def describe(rule: EarningRule) -> str:
    """Return what a rule does, in a sentence."""
    parts = [_amount(rule), *_for_what(rule), *_when(rule), *_caps(rule)]
    if not rule.is_stackable:
        parts.append(_("counts alone"))
    return " · ".join(str(part) for part in parts)


def _amount(rule: EarningRule) -> str:
    points = f"{rule.points.normalize():f}"
    match rule.kind:
        case Kind.BOOST:
            return _("%(times)s times the points") % {"times": f"{rule.percent / 100:g}"}
        case Kind.SPEND:
            return _("%(points)s points for every yuan") % {"points": points}
        case Kind.VISIT:
            return _("%(points)s points for an order") % {"points": points}
        case Kind.ITEM:
            return _("%(points)s points for every item") % {"points": points}
        case Kind.STAMP:
            return _("%(stamps)s stamps for every item") % {"stamps": points}
        case _:
            words = {"points": points, "event": rule.get_event_display()}
            return _("%(points)s points: %(event)s") % words


def _for_what(rule: EarningRule) -> list[str]:
    found = [
        _("of %(what)s") % {"what": " ".join([*rule.categories, *rule.products])}
        if rule.categories or rule.products
        else "",
        _("in %(stores)s") % {"stores": " ".join(rule.stores)} if rule.stores else "",
        _("for %(tiers)s") % {"tiers": " ".join(rule.tiers)} if rule.tiers else "",
        _("from %(amount)s") % {"amount": yuan(rule.min_order_cents)}
        if rule.min_order_cents
        else "",
    ]
    return [part for part in found if part]


def _when(rule: EarningRule) -> list[str]:
    names = dict(WEEKDAYS)
    found = [
        " ".join(str(names.get(day, day)) for day in rule.weekdays),
        f"{rule.from_time:%H:%M}–{rule.until_time:%H:%M}"
        if rule.from_time and rule.until_time
        else "",
        _("from %(day)s") % {"day": date_format(rule.starts_at, "SHORT_DATETIME_FORMAT")}
        if rule.starts_at
        else "",
        _("until %(day)s") % {"day": date_format(rule.ends_at, "SHORT_DATETIME_FORMAT")}
        if rule.ends_at
        else "",
    ]
    return [part for part in found if part]


def _caps(rule: EarningRule) -> list[str]:
    caps = [
        (_("at most %(points)s per order"), rule.max_points_per_order),
        (_("at most %(points)s per day"), rule.max_points_per_day),
        (_("at most %(points)s per member"), rule.max_points_per_member),
    ]
    return [text % {"points": cap} for text, cap in caps if cap is not None]
