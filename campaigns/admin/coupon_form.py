"""The form in which a coupon definition is typed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns import caps, coupons
from campaigns.admin.rule_form import OfferForm, refuse_zeros
from campaigns.models import CouponDefinition
from campaigns.models.coupons import FIXED_TERMS

ISSUED_MEANWHILE = _("Coupons have been issued meanwhile; the offer is fixed now.")

Status = CouponDefinition.Status


class PlainDefinitionForm(forms.ModelForm[CouponDefinition]):
    """Everything about a definition but its rule.

    What its coupons are is fixed once one is out; how many more there may be is not.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.is_fixed(self.instance):
            for name in self._fixed_fields():
                self.fields[name].disabled = True

    @staticmethod
    def is_fixed(offer: Any) -> bool:
        """Tell whether coupons are known to be out under these terms."""
        return bool(offer.issued_count)

    def _fixed_fields(self) -> list[str]:
        return [name for name in FIXED_TERMS if name in self.fields]

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        self._check_period(answers)
        self._check_limits(answers)
        self._check_counters(answers)
        return answers

    def _check_period(self, answers: dict[str, Any]) -> None:
        starts, ends = answers.get("claim_starts_at"), answers.get("claim_ends_at")
        if starts and ends and ends <= starts:
            self.add_error("claim_ends_at", _("This must be after the beginning."))
        starts, ends = answers.get("valid_from"), answers.get("valid_until")
        if starts and ends and ends <= starts:
            self.add_error("valid_until", _("This must be after the beginning."))
        if not (answers.get("valid_days") or answers.get("valid_until")):
            self.add_error("valid_days", _("Give a number of days, or a last day, or both."))

    def _check_limits(self, answers: dict[str, Any]) -> None:
        refuse_zeros(self, answers)
        total, each = answers.get("total_limit"), answers.get("per_member_limit")
        if total and each and each > total:
            self.add_error("per_member_limit", _("That is more than there are in all."))

    def _check_counters(self, answers: dict[str, Any]) -> None:
        """Compare with what is out by now; the row stays locked until it is saved.

        The lock waits for coupons that are being issued, and lets none be issued meanwhile.
        """
        self.current = None
        if self.instance.pk is None:
            return
        rows = CouponDefinition.objects.select_for_update(no_key=True)
        self.current = current = rows.get(pk=self.instance.pk)
        limit, budget = answers.get("total_limit"), answers.get("budget_cents")
        try:
            issued = caps.lock(current)
        except caps.CapsBusy as busy:
            self.add_error(None, str(busy.title))
            return
        if limit is not None and limit < issued:
            message = _("%(n)s have been issued already.") % {"n": issued}
            self.add_error("total_limit", message)
        if budget is not None and budget < current.spent_cents:
            self.add_error("budget_cents", _("More than that has been given already."))
        for name in self._fixed_fields():
            if name in self.changed_data and coupons.are_issued(current):
                self.add_error(name, ISSUED_MEANWHILE)


class DefinitionForm(PlainDefinitionForm, OfferForm):
    """A definition with its rule. The rule is fixed once coupons are out under it."""

    @staticmethod
    def is_fixed(offer: Any) -> bool:
        return bool(offer.issued_count) or offer.status in {Status.ACTIVE, Status.SUBMITTED}

    def clean(self) -> dict[str, Any]:
        answers = super().clean()
        if self.current is not None and not self.has_new_rule:
            return answers
        if self.current is not None and coupons.are_issued(self.current):
            self.add_error("kind", ISSUED_MEANWHILE)
        self.build_rule(answers)
        return answers
