"""What staff do with a membership: adjust its points, freeze, close, merge, erase it."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from loyalty import adjustments, plans, renewals, tiers
from loyalty.adjustments import Renewal
from loyalty.models import MembershipPlan, PointsAdjustment
from loyalty.models.money import PAYMENT_METHODS
from shop import accounts, members
from shop.admin.buttons import Button, Text, button
from shop.admin.days import DayWidget
from shop.admin.money import yuan
from shop.admin.scoping import principal_of
from shop.kernel.errors import InvalidInput
from shop.kernel.money import Cents, Points
from shop.models import Member, Staff
from shop.storefront import departures, merging

MOST_POINTS = 1_000_000
Renewed, Status = PointsAdjustment.Kind, Member.Status
Pressed = dict[str, Any]


class PlanChoice(forms.ModelChoiceField):
    """A plan on offer, with its price and how long it lasts."""

    def label_from_instance(self, obj: Any) -> str:
        days = _("%(days)s days") % {"days": obj.days}
        return f"{obj.name} · {yuan(obj.price_cents)} · {days}"


class ReasonForm(BaseDialogForm):
    """Why; it stays with the member."""

    reason = forms.CharField(label=_("reason"), max_length=200, widget=UnfoldAdminTextInputWidget)


class AdjustmentForm(BaseDialogForm):
    """How many points, and why. The token makes a second press of the button harmless."""

    points = forms.IntegerField(
        label=_("points"),
        min_value=-MOST_POINTS,
        max_value=MOST_POINTS,
        help_text=_("Negative takes away."),
        widget=UnfoldAdminIntegerFieldWidget,
    )
    reason = forms.CharField(label=_("reason"), max_length=200, widget=UnfoldAdminTextInputWidget)
    token = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)


class RenewalForm(ReasonForm):
    """Which points, until when, and why. The token makes a second press harmless."""

    last_day = forms.DateField(label=_("to live through"), widget=DayWidget)
    token = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)


class ExtensionForm(RenewalForm):
    """Points that expire soon."""

    day = forms.DateField(
        label=_("expiring by"),
        help_text=_("All free points that expire up to the end of this day."),
        widget=DayWidget,
    )
    field_order = ["day", "last_day", "reason"]


class ReinstatementForm(RenewalForm):
    """Points that are lost."""

    day = forms.DateField(
        label=_("expired since"),
        help_text=_("All points that have expired from the beginning of this day on."),
        widget=DayWidget,
    )
    field_order = ["day", "last_day", "reason"]


class PlanForm(BaseDialogForm):
    """Which plan, how it was paid. The token makes a second press of the button harmless."""

    plan = PlanChoice(
        label=_("plan"),
        queryset=MembershipPlan.objects.filter(is_active=True).order_by("code"),
        widget=UnfoldAdminSelectWidget,
    )
    method = forms.ChoiceField(
        label=_("method"), choices=PAYMENT_METHODS, widget=UnfoldAdminSelectWidget
    )
    reference = forms.CharField(
        label=_("receipt number"),
        max_length=64,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )
    token = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)


class MergeForm(ReasonForm):
    """Which membership stays, by its phone or its public id."""

    into = forms.CharField(
        label=_("membership that stays"),
        max_length=40,
        help_text=_("Its whole phone number or its public id."),
        widget=UnfoldAdminTextInputWidget,
    )
    field_order = ["into", "reason"]


def _is_open(member: Member) -> bool:
    return member.status != Status.CLOSED


class MemberButtons:
    """The buttons of the member page."""

    @button(
        Button(
            label=_("Adjust points"),
            question=_(
                "The reason and your name stay in the ledger. More than you may adjust alone waits"
                " for a second person."
            ),
            permission="loyalty.add_pointsentry",
            form=AdjustmentForm,
            when=_is_open,
        ),
        icon="exposure",
        variant=ActionVariant.PRIMARY,
    )
    def adjust_points(self, request: HttpRequest, member: Any, answers: Pressed) -> Text:
        """Correct a balance by hand, or ask for it."""
        now = timezone.now()
        source = f"adjust:{answers['token'].hex}"
        if PointsAdjustment.objects.filter(source=source).exists():
            return _("That was done already.")
        asked = adjustments.request(
            member,
            amount=Points(answers["points"]),
            reason=answers["reason"],
            by=_person(request),
            source=source,
            now=now,
            expires_at=tiers.programme().lifetime.ends_at(now, timezone=member.store.timezone),
        )
        if asked.state == PointsAdjustment.State.PENDING:
            return _("%(points)s points wait for a second person to agree.") % {
                "points": f"{answers['points']:+d}"
            }
        return _("%(points)s points; the balance is %(balance)s now.") % {
            "points": f"{answers['points']:+d}",
            "balance": asked.account.balance,
        }

    @button(
        Button(
            label=_("Extend points"),
            question=_(
                "Points that expire soon live longer, to win the member back. More than you may"
                " adjust alone waits for a second person."
            ),
            permission="loyalty.add_pointsentry",
            form=ExtensionForm,
            when=_is_open,
        ),
        icon="more_time",
    )
    def extend_points(self, request: HttpRequest, member: Any, answers: Pressed) -> Text:
        """Let points live longer."""
        zone = member.store.timezone
        bound_at = renewals.end_of(answers["day"], timezone=zone)
        return _renew(request, member, answers, kind=Renewed.EXTEND, bound_at=bound_at)

    @button(
        Button(
            label=_("Give expired points back"),
            question=_(
                "Each expiry is given back at most once. More than you may adjust alone waits for"
                " a second person."
            ),
            permission="loyalty.add_pointsentry",
            form=ReinstatementForm,
            when=_is_open,
        ),
        icon="history",
    )
    def reinstate_points(self, request: HttpRequest, member: Any, answers: Pressed) -> Text:
        """Give expired points back."""
        zone = member.store.timezone
        bound_at = renewals.start_of(answers["day"], timezone=zone)
        return _renew(request, member, answers, kind=Renewed.REINSTATE, bound_at=bound_at)

    @button(
        Button(
            label=_("Sell a paid membership"),
            question=_("For money that was taken. A renewal begins where the last period ends."),
            permission="loyalty.add_planpurchase",
            form=PlanForm,
            when=lambda member: member.status == Status.ACTIVE,
        ),
        icon="card_membership",
    )
    def sell_plan(self, request: HttpRequest, member: Any, answers: Pressed) -> Text:
        """Sell a plan at the desk of the member's store."""
        plan: MembershipPlan = answers["plan"]
        bought = plans.purchase(
            plan.code,
            member_id=member.pk,
            store=member.store,
            method=answers["method"],
            paid_cents=Cents(plan.price_cents),
            reference=answers["reference"],
            source=f"staff:{answers['token'].hex}",
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        until = bought.ends_at.astimezone(ZoneInfo(member.store.timezone))
        return _("Sold: it lasts until %(until)s.") % {"until": f"{until:%F %H:%M}"}

    @button(
        Button(
            label=_("Freeze"),
            question=_("The member is signed out, and can neither spend nor earn until unfrozen."),
            permission="shop.freeze_member",
            form=ReasonForm,
            when=lambda member: member.status == Status.ACTIVE,
        ),
        icon="ac_unit",
    )
    def freeze(self, request: HttpRequest, member: Any, answers: Pressed) -> Text:
        """Freeze a membership."""
        accounts.freeze(member, **_by(request, answers))
        return _("Frozen.")

    @button(
        Button(
            label=_("Unfreeze"),
            question=_("The member can spend and earn again."),
            permission="shop.freeze_member",
            form=ReasonForm,
            when=lambda member: member.status == Status.FROZEN,
        ),
        icon="sunny",
    )
    def unfreeze(self, request: HttpRequest, member: Any, answers: Pressed) -> Text:
        """Unfreeze a membership."""
        accounts.unfreeze(member, **_by(request, answers))
        return _("Unfrozen.")

    @button(
        Button(
            label=_("Merge"),
            question=_(
                "Everything that this member has goes to the other membership of the same person."
                " This one is closed for good."
            ),
            permission="shop.merge_member",
            form=MergeForm,
            when=_is_open,
        ),
        icon="merge",
    )
    def merge(self, request: HttpRequest, member: Any, answers: Pressed) -> Text:
        """Merge this membership into another."""
        into = _named(request, answers.pop("into"))
        merged = merging.merge_members(member, into=into, **_by(request, answers))
        return _("Merged into %(target)s: %(points)s points, %(coupons)s coupons.") % {
            "target": merged.target,
            "points": merged.points.get("points", 0),
            "coupons": merged.coupons,
        }

    @button(
        Button(
            label=_("Close"),
            question=_("Points, coupons and rewards of this member are given up, for good."),
            permission="shop.freeze_member",
            form=ReasonForm,
            when=_is_open,
        ),
        icon="door_front",
        variant=ActionVariant.DANGER,
    )
    def close(self, request: HttpRequest, member: Any, answers: Pressed) -> Text:
        """Close a membership."""
        lost = departures.close_member(member, **_by(request, answers))
        return _("Closed; %(points)s points were given up.") % {"points": lost}

    @button(
        Button(
            label=_("Erase"),
            question=_(
                "Name, phone and birthday are shredded, and all that the member has is given up."
                " Orders and points stay without a name. Nothing of this can be undone."
            ),
            permission="shop.erase_member",
            form=ReasonForm,
            when=lambda member: member.erased_at is None and member.merged_into_id is None,
        ),
        icon="person_remove",
        variant=ActionVariant.DANGER,
    )
    def erase(self, request: HttpRequest, member: Any, answers: Pressed) -> Text:
        """Erase a member."""
        departures.erase_member(member, **_by(request, answers))
        return _("Erased.")


def _renew(
    request: HttpRequest, member: Member, answers: Pressed, *, kind: str, bound_at: datetime
) -> Text:
    asked = adjustments.request_renewal(
        member,
        Renewal(
            kind=kind,
            bound_at=bound_at,
            until=renewals.end_of(answers["last_day"], timezone=member.store.timezone),
        ),
        reason=answers["reason"],
        by=_person(request),
        source=f"{kind}:{answers['token'].hex}",
        now=timezone.now(),
    )
    if asked.state == PointsAdjustment.State.PENDING:
        return _("%(points)s points wait for a second person to agree.") % {"points": asked.points}
    return _("%(points)s points live through %(day)s.") % {
        "points": asked.points,
        "day": answers["last_day"],
    }


def _by(request: HttpRequest, answers: Pressed) -> dict[str, Any]:
    return {
        "reason": answers["reason"],
        "actor": principal_of(request).key,
        "now": timezone.now(),
    }


def _person(request: HttpRequest) -> Staff:
    return Staff.objects.get(pk=principal_of(request).id)


def _named(request: HttpRequest, name: str) -> Member:
    """Return the visible member with this phone or public id."""
    try:
        public_id = UUID(name)
    except ValueError:
        found = members.find_by_phone(members.parse_phone(name, pointer="/into"))
        if found is None:
            raise InvalidInput("/into", _("There is no such member."), reason="unknown") from None
        public_id = found.public_id
    return members.find_visible(public_id, principal_of(request))
