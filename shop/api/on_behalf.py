"""Whose wallet a call is about: the member who calls, or the guest in front of the till."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from shop import members
from shop.kernel.errors import InvalidInput
from shop.kernel.principals import Kind, Principal
from shop.kernel.serializers import StrictSerializer, StrictUUIDField
from shop.models import Member


class OnBehalfRequest(StrictSerializer):
    """Nothing for a member; for a till, whom it acts for."""

    member = StrictUUIDField(required=False, help_text="Tills only: the member's id.")


def acting_member(principal: Principal, body: OnBehalfRequest) -> Member:
    """Return the active member whom a member's or a till's call is about.

    Raises:
        InvalidInput: a member names somebody, or a till names nobody.
        NotFound, members.MemberNotActive
    """
    body.is_valid(raise_exception=True)
    named: Any = body.validated_data.get("member")
    if principal.kind is Kind.MEMBER:
        if named is not None:
            raise InvalidInput("/member", _("Members act for themselves."), reason="unknown-field")
        return members.get_active(principal.extra["public_id"])
    if named is None:
        raise InvalidInput("/member", _("Name the member."), reason="required")
    return members.get_active(named)
