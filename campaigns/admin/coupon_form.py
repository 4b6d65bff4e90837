"""The form in which a coupon definition is typed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.admin.rule_form import OfferForm
from campaigns.models import CouponDefinition


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


class DefinitionForm(PlainDefinitionForm, OfferForm):
    """A definition with its rule. The rule is fixed once coupons are out under it."""

    @staticmethod
    def is_fixed(offer: Any) -> bool:
        return bool(offer.issued_count)

    def clean(self) -> dict[str, Any]:
        answers = super().clean()
        if self.current is not None and not self.has_new_rule:
            return answers
        if self.current is not None and self.current.issued_count:
            self.add_error("kind", _("Coupons have been issued meanwhile; the offer is fixed now."))
        self.build_rule(answers)
        return answers
