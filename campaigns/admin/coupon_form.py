"""The form in which a manager writes a coupon: typed inputs that build the pricing rule."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleTimeWidget,
    UnfoldBooleanSwitchWidget,
)

from campaigns.admin.rules import NEEDED, answers_of_json, rule_of
from campaigns.models import CouponDefinition
from campaigns.pricing import (
    BuyXGetY,
    FixedOff,
    InvalidRule,
    NthItemPercent,
    PercentOff,
    Stacking,
    offer_rule_to_json,
)
from shop.admin.money import YuanField
from shop.models import Category, Product, Store

KINDS = [
    (PercentOff.kind, _("A percentage off")),
    (FixedOff.kind, _("An amount off")),
    (BuyXGetY.kind, _("Buy some, get some free")),
    (NthItemPercent.kind, _("Every nth item cheaper")),
]
STACKINGS = [
    (Stacking.COMMON.value, _("together with others")),
    (Stacking.EXCLUSIVE.value, _("alone")),
]
WEEKDAYS = [
    (1, _("Monday")),
    (2, _("Tuesday")),
    (3, _("Wednesday")),
    (4, _("Thursday")),
    (5, _("Friday")),
    (6, _("Saturday")),
    (7, _("Sunday")),
]
SHOWN_FOR = {
    "percent": [PercentOff.kind, NthItemPercent.kind],
    "amount": [FixedOff.kind],
    "cap": [PercentOff.kind, BuyXGetY.kind, NthItemPercent.kind],
    "buy_quantity": [BuyXGetY.kind],
    "get_quantity": [BuyXGetY.kind],
    "nth": [NthItemPercent.kind],
    "max_applications": [BuyXGetY.kind, NthItemPercent.kind],
}
"""Which inputs belong to which kinds of offer; the others are hidden and not looked at."""


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


def _count(label: Any, *, at_least: int, **kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=at_least,
        max_value=999_999,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        **kwargs,
    )


class RuleForm(forms.Form):
    """The rule's part of the form."""

    kind = forms.ChoiceField(label=_("Offer"), choices=KINDS, widget=UnfoldAdminSelectWidget)
    percent = forms.DecimalField(
        label=_("Percent off"),
        min_value=Decimal("0.01"),
        max_value=100,
        decimal_places=2,
        required=False,
        help_text=_("50 is half price."),
        widget=UnfoldAdminDecimalFieldWidget,
    )
    amount = YuanField(label=_("Amount off"), least_cents=1, required=False)
    buy_quantity = _count(_("Buy"), at_least=1, initial=1)
    get_quantity = _count(_("Get free"), at_least=1, initial=1)
    nth = _count(_("Which item"), at_least=2, help_text=_("2 is the second cup."))
    cap = YuanField(label=_("Discount at most"), least_cents=1, required=False)
    max_applications = _count(_("At most so often per order"), at_least=1)
    categories = Choice(Category, label=_("Categories"), help_text=_("None chosen: everything."))
    products = Choice(Product, label=_("Products"), help_text=_("Beside the categories."))
    min_spend = YuanField(label=_("For orders from"), required=False)
    min_quantity = _count(_("For items from"), at_least=1)
    first_order_only = forms.BooleanField(
        label=_("First order only"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    stores = Choice(Store, label=_("Stores"), help_text=_("None chosen: all stores."))
    weekdays = forms.TypedMultipleChoiceField(
        label=_("On weekdays"),
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        help_text=_("None ticked: every day."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    hours_from = forms.TimeField(
        label=_("From (time)"), required=False, widget=UnfoldAdminSingleTimeWidget
    )
    hours_until = forms.TimeField(
        label=_("Until (time)"), required=False, widget=UnfoldAdminSingleTimeWidget
    )
    stacking = forms.ChoiceField(label=_("Used"), choices=STACKINGS, widget=UnfoldAdminSelectWidget)
    priority = forms.IntegerField(
        label=_("Priority"),
        initial=100,
        min_value=0,
        max_value=10_000,
        help_text=_("Lower goes first."),
        widget=UnfoldAdminIntegerFieldWidget,
    )


RULE_FIELDS = list(RuleForm.base_fields)


class PlainDefinitionForm(forms.ModelForm[CouponDefinition]):
    """Everything about a definition but its rule."""

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        self._check_period(answers)
        self._check_counters(answers)
        return answers

    def _check_period(self, answers: dict[str, Any]) -> None:
        starts, ends = answers.get("claim_starts_at"), answers.get("claim_ends_at")
        if starts and ends and ends <= starts:
            self.add_error("claim_ends_at", _("This must be after the beginning."))
        if not (answers.get("valid_days") or answers.get("valid_until")):
            self.add_error("valid_days", _("Give a number of days, or a last day, or both."))

    def _check_counters(self, answers: dict[str, Any]) -> None:
        """Compare limits with what is out by now; the row stays locked until it is saved."""
        self.current = None
        if self.instance.pk is None:
            return
        rows = CouponDefinition.objects.select_for_update(no_key=True)
        self.current = current = rows.get(pk=self.instance.pk)
        limit, budget = answers.get("total_limit"), answers.get("budget_cents")
        if limit is not None and limit < current.issued_count:
            message = _("%(n)s have been issued already.") % {"n": current.issued_count}
            self.add_error("total_limit", message)
        if budget is not None and budget < current.spent_cents:
            self.add_error("budget_cents", _("More than that has been given already."))


class DefinitionForm(PlainDefinitionForm, RuleForm):
    """A definition with its rule. The rule is fixed once coupons are out under it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial.update(answers_of_json(self.instance.rule) or {})
        if self.instance.issued_count:
            for name in RULE_FIELDS:
                self.fields[name].disabled = True

    @property
    def has_new_rule(self) -> bool:
        """Tell whether the rule was changed by hand."""
        return bool(set(RULE_FIELDS).intersection(self.changed_data))

    def clean(self) -> dict[str, Any]:
        answers = super().clean()
        if self.current is not None and not self.has_new_rule:
            return answers
        if self.current is not None and self.current.issued_count:
            self.add_error("kind", _("Coupons have been issued meanwhile; the offer is fixed now."))
        for name in NEEDED.get(answers.get("kind", ""), ()):
            if answers.get(name) is None and name not in self.errors:
                self.add_error(name, _("This offer needs a value here."))
        if not self.errors:
            self._build(answers)
        return answers

    def _build(self, answers: dict[str, Any]) -> None:
        try:
            self.instance.rule = offer_rule_to_json(rule_of(answers))
        except InvalidRule as fault:
            self.add_error("kind", _("This offer makes no sense: %(why)s.") % {"why": fault})
