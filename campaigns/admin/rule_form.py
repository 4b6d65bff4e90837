"""The rule's part of the forms that make offers."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleTimeWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from campaigns.admin import typed_bundles
from campaigns.admin.rules import answers_of_json, rule_of
from campaigns.admin.typed_effects import KINDS, NEEDED
from campaigns.definitions import NOT_APPROVED
from campaigns.models import CouponDefinition, Promotion
from campaigns.pricing import InvalidRule, Measured, Rule, Stacking, offer_rule_to_json
from shop.admin.choices import Choice
from shop.admin.moments import MomentField
from shop.admin.money import YuanField
from shop.models import Category, OrderType, Product, Store

STACKINGS = [
    (Stacking.COMMON.value, _("together with others")),
    (Stacking.EXCLUSIVE.value, _("alone")),
]
LADDERS = [
    (Measured.SPEND.value, _("yuan spent")),
    (Measured.QUANTITY.value, _("items")),
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


class OneChoice(forms.ModelChoiceField[Any]):
    """A row of the shop chosen by name; the value is its code."""

    def __init__(self, model: Any, **kwargs: Any) -> None:
        super().__init__(
            queryset=model.objects.order_by("code"),
            to_field_name="code",
            required=False,
            widget=UnfoldAdminSelectWidget,
            **kwargs,
        )

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.code} {obj.name}"

    def clean(self, value: Any) -> Any:
        row = super().clean(value)
        return row.code if row else None


def _count(label: Any, *, at_least: int, **kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=at_least,
        max_value=999_999,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        **kwargs,
    )


class RuleForm(typed_bundles.GoodsForm):
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
    amount = YuanField(
        label=_("Amount"),
        least_cents=1,
        required=False,
        help_text=_("What comes off, what each costs, or what a free topping may be worth."),
    )
    ladder = forms.CharField(
        label=_("Steps"),
        max_length=200,
        required=False,
        help_text=_("50:10, 100:25 is 10 off from 50 and 25 off from 100: ¥ or %, as chosen."),
        widget=UnfoldAdminTextInputWidget,
    )
    ladder_by = forms.ChoiceField(
        label=_("Steps count"),
        choices=LADDERS,
        initial=Measured.SPEND.value,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    buy_quantity = _count(_("Buy"), at_least=1, initial=1)
    get_quantity = _count(_("Get free"), at_least=1, initial=1)
    nth = _count(_("Which item"), at_least=2, help_text=_("2 is the second cup."))
    cap = YuanField(label=_("Discount at most"), least_cents=1, required=False)
    max_applications = _count(_("At most so often per order"), at_least=1)
    pieces = _count(_("How many"), at_least=1, initial=1)
    gift_product = OneChoice(Product, label=_("Gift"))
    gift_coupon = OneChoice(CouponDefinition, label=_("Coupon"))
    multiplier = forms.DecimalField(
        label=_("Times the points"),
        min_value=1,
        max_value=100,
        decimal_places=2,
        required=False,
        help_text=_("2 is double points."),
        widget=UnfoldAdminDecimalFieldWidget,
    )
    bonus_points = _count(_("Points on top"), at_least=0)
    categories = Choice(Category, label=_("Categories"), help_text=_("None chosen: everything."))
    products = Choice(Product, label=_("Products"), help_text=_("Beside the categories."))
    min_spend = YuanField(label=_("For orders from"), required=False)
    min_quantity = _count(_("For items from"), at_least=1)
    first_order_only = forms.BooleanField(
        label=_("First order only"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    members_only = forms.BooleanField(
        label=_("Members only"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    birthday_month = forms.BooleanField(
        label=_("In the month of the birthday"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    joined_within_days = _count(_("Joined within days"), at_least=0)
    order_types = forms.MultipleChoiceField(
        label=_("Ways to order"),
        choices=OrderType.choices,
        required=False,
        help_text=_("None ticked: every way."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    starts_at = MomentField(
        label=_("Starts"), required=False, widget=UnfoldAdminSplitDateTimeWidget
    )
    ends_at = MomentField(label=_("Ends"), required=False, widget=UnfoldAdminSplitDateTimeWidget)
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
    exclusive_group = forms.CharField(
        label=_("One of a group"),
        max_length=32,
        required=False,
        help_text=_("Of the offers with this word only one is used per order: coupon, happy-hour."),
        widget=UnfoldAdminTextInputWidget,
    )
    best_deal = forms.BooleanField(
        label=_("Take what saves the guest most"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    priority = forms.IntegerField(
        label=_("Priority"),
        initial=100,
        min_value=0,
        max_value=10_000,
        help_text=_("Lower goes first."),
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def rule(self, answers: dict[str, Any]) -> Rule | None:
        """Return the typed rule; None when something is wrong, which is said at its field."""
        for name in NEEDED.get(answers.get("kind", ""), ()):
            if answers.get(name) in (None, "") and name not in self.errors:
                self.add_error(name, _("This offer needs a value here."))
        if self.errors:
            return None
        try:
            return rule_of(answers)
        except InvalidRule as fault:
            *_path, name = fault.pointer.split("/")
            field = AT_FIELD.get(name, "kind")
            self.add_error(field, _("This offer makes no sense: %(why)s.") % {"why": fault})
            return None


AT_FIELD = {"ends_at": "ends_at", "tiers": "ladder"}
"""Where the form shows what is wrong in a part of the rule; elsewhere at the kind of offer."""
RULE_FIELDS = list(RuleForm.base_fields)
LIMIT_FIELDS = frozenset(
    {
        "budget_cents",
        "per_member_limit",
        "total_limit",
        "uses_total",
        *(f"uses_per_{one}" for one in ("member", "store", "day", "week", "month")),
    }
)


def refuse_zeros(form: forms.BaseForm, answers: dict[str, Any]) -> None:
    """Tell whoever typed 0 as a limit that nothing is left then; no limit is an empty field."""
    for name in LIMIT_FIELDS.intersection(form.changed_data):
        if answers.get(name) == 0:
            form.add_error(name, _("With 0 there would be none at all."))


class OfferForm(RuleForm):
    """A rule that is typed, checked, and put on the row that the form is about.

    The rule is fixed once `is_fixed` says so: what people hold must not change in their hands.
    """

    instance: CouponDefinition | Promotion

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial.update(answers_of_json(self.instance.rule) or {})
        if self.is_fixed(self.instance):
            for name in RULE_FIELDS:
                self.fields[name].disabled = True

    @staticmethod
    def is_fixed(offer: Any) -> bool:
        """Tell whether the rule may not be changed any more."""
        raise NotImplementedError

    @property
    def has_new_rule(self) -> bool:
        """Tell whether the rule was changed by hand."""
        return bool(set(RULE_FIELDS).intersection(self.changed_data))

    def build_rule(self, answers: dict[str, Any]) -> None:
        """Check the typed rule and put it on the row; a changed one is approved by nobody yet."""
        rule = self.rule(answers)
        if rule is not None and self._is_fixed_meanwhile():
            self.add_error("kind", _("It has been switched on meanwhile; the offer is fixed now."))
        elif rule is not None:
            self.instance.rule = offer_rule_to_json(rule)
            for name, nobody in NOT_APPROVED.items():
                setattr(self.instance, name, nobody)

    def _is_fixed_meanwhile(self) -> bool:
        """Tell whether somebody switched it since; the row stays locked until it is saved."""
        if self.instance.pk is None:
            return False
        rows = type(self.instance)._default_manager.select_for_update(no_key=True)
        return self.is_fixed(rows.get(pk=self.instance.pk))
