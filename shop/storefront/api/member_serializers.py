"""What goes in and out where members join, log in and are found."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shop.kernel.serializers import (
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
    shown,
)
from shop.storefront.api.basket_serializers import MAX_POINTS
from shop.storefront.api.standing_serializers import StandingOut, standing_of
from shop.storefront.facts import MemberFacts

EARLIEST_BIRTHDAY = date(1900, 1, 1)


class JoinFields(StrictSerializer):
    """What somebody joins with, beside the phone."""

    name = StrictCharField(max_length=40, required=False, allow_blank=True)
    birthday = serializers.DateField(required=False)
    visitor = StrictCharField(
        max_length=40, required=False, help_text="Visitor id that the link's redirect gave."
    )
    link = StrictCharField(max_length=12, required=False, help_text="Code of the channel link.")
    referral_code = StrictCharField(max_length=16, required=False)


class MemberRequest(JoinFields):
    """A new member at the till."""

    phone = StrictCharField(max_length=24)


class ExternalIdPath(StrictSerializer):
    """What another system calls a member."""

    system = serializers.RegexField(r"^[a-z0-9][a-z0-9_-]*$", max_length=32)
    external_id = serializers.RegexField(r"^[A-Za-z0-9][A-Za-z0-9._:@-]*$", max_length=64)


class LookupRequest(StrictSerializer):
    """A member by phone, or by the code on their phone's screen."""

    phone = StrictCharField(max_length=24, required=False)
    member_code = StrictCharField(max_length=16, required=False)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of the two."""
        if len(data) != 1:
            raise serializers.ValidationError(
                _("Send either phone or member_code."), code="ambiguous"
            )
        return data


class MemberOut(serializers.Serializer[Any]):
    """A member as the till or they themselves see them; the phone is never given out."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    phone_last4 = serializers.CharField()
    store = serializers.CharField(help_text="Where they joined.")
    joined_at = serializers.DateTimeField()
    tier = serializers.CharField()
    points_available = serializers.IntegerField(source="available")
    points_balance = serializers.IntegerField(source="balance")
    points_held = serializers.IntegerField(source="held")
    stamps_available = serializers.IntegerField(
        source="stamps", allow_null=True, help_text="Null where `standing` is."
    )
    order_count = serializers.IntegerField()
    coupons_available = serializers.IntegerField()
    standing = serializers.SerializerMethodField()

    @extend_schema_field(StandingOut(allow_null=True))
    def get_standing(self, member: MemberFacts) -> dict[str, Any] | None:
        """Return how far the next tier is, and what is at risk."""
        standing = standing_of(member)
        return None if standing is None else shown(StandingOut, standing)


class BirthdayRequest(StrictSerializer):
    """The day somebody was born."""

    birthday = serializers.DateField()

    def validate_birthday(self, day: date) -> date:
        """Refuse days before anybody who lives."""
        if day < EARLIEST_BIRTHDAY:
            raise serializers.ValidationError(_("This is too far away."), code="far-off")
        return day


class LoginCodeRequest(StrictSerializer):
    """The phone that wants to sign in."""

    phone = StrictCharField(max_length=24)


class LoginCodeSent(serializers.Serializer[Any]):
    """The code is on its way; only the sandbox shows it."""

    sandbox_code = serializers.CharField(allow_null=True)


class TokenRequest(JoinFields):
    """A phone and its code; whoever is not a member yet joins."""

    phone = StrictCharField(max_length=24)
    code = StrictCharField(max_length=6, min_length=6)
    store = StrictCharField(
        max_length=16, required=False, help_text="Where to join; else where the link belongs."
    )


class Token(serializers.Serializer[Any]):
    """A member token for `Authorization: Bearer`."""

    token = serializers.CharField()
    member = MemberOut()
    is_new = serializers.BooleanField(help_text="True when this call made them a member.")


class MemberCodeOut(serializers.Serializer[Any]):
    """What to show at the till; lives 30 seconds, works once."""

    code = serializers.CharField()
    expires_at = serializers.DateTimeField()


class ReferralCodeOut(serializers.Serializer[Any]):
    """The code to hand to friends, and how far it got."""

    code = serializers.CharField()
    friends_joined = serializers.IntegerField()
    friends_bought = serializers.IntegerField()
    points_per_friend = serializers.IntegerField()


class AdjustmentRequest(StrictSerializer):
    """Points to add (positive) or take (negative), and why."""

    points = StrictIntegerField(min_value=-MAX_POINTS, max_value=MAX_POINTS)
    reason = StrictCharField(max_length=200, min_length=3)
