"""Coupon definitions as a manager switches them: from draft to active, paused, active again."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from campaigns import coupons
from campaigns.models import CouponDefinition
from shop.kernel.errors import DomainError

Status = CouponDefinition.Status


class CouponDefinitionNotSwitchable(DomainError):
    """Only a draft or a paused definition can be activated, only an active one paused."""

    code = "coupon-definition-not-switchable"
    title = _("The coupon definition cannot be switched to that now.")


def activate(definition: CouponDefinition, *, now: datetime) -> None:
    """Let coupons of this definition be issued and used.

    Raises:
        CouponDefinitionNotSwitchable: not a draft or paused, or its coupons would be over at once.
    """
    if coupons.expiry_of(definition, issued_at=now) <= now:
        raise CouponDefinitionNotSwitchable(_("Its coupons would have expired already."))
    _switch(definition, come_from=[Status.DRAFT, Status.PAUSED], to=Status.ACTIVE)


def pause(definition: CouponDefinition) -> None:
    """Stop issuing, and let issued coupons wait.

    Raises:
        CouponDefinitionNotSwitchable: not active.
    """
    _switch(definition, come_from=[Status.ACTIVE], to=Status.PAUSED)


def _switch(definition: CouponDefinition, *, come_from: list[Status], to: Status) -> None:
    rows = CouponDefinition.objects.filter(pk=definition.pk, status__in=come_from)
    if rows.update(status=to) != 1:
        raise CouponDefinitionNotSwitchable(coupon_definition=definition.code)
