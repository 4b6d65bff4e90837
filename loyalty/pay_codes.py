"""Codes by which members pay from their wallet at a till. The only module that writes them.

A till can name any member; that this one is here and wants to pay, their phone has to say.
"""

import secrets
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from loyalty.models import PayCode
from shop import members
from shop.kernel import crypto, tries
from shop.kernel.errors import DomainError
from shop.models import Member

LIVES = timedelta(seconds=60)
MOST_TRIES = 10
TRIES_WINDOW = timedelta(minutes=1)


class PayCodeWrong(DomainError):
    """Unknown, used up, too old, another member's or none: all look the same from outside."""

    code = "pay-code-wrong"
    title = _("This code does not pay from this wallet; the member's phone shows a new one.")


def renew(member: Member, *, now: datetime) -> tuple[str, datetime]:
    """Return a fresh code and until when it pays, once; the member's earlier code stops working.

    It starts with 8, so that no till mistakes it for a member code or another payment code.

    Raises:
        members.MemberNotActive
    """
    members.ensure_active(member)
    code = f"8{secrets.randbelow(10**11):011d}"
    PayCode.objects.update_or_create(
        member=member,
        defaults={
            "code_hash": _hash(member.pk, code),
            "expires_at": now + LIVES,
            "used_at": None,
        },
    )
    return code, now + LIVES


def use(typed: str, *, member_id: int, guesser: str, now: datetime) -> None:
    """Use up the code that a member shows.

    Raises:
        PayCodeWrong
        RateLimited: too many wrong codes within a minute.
    """
    who = f"pay-code:{guesser}"
    tries.count(who, tries=1, most=MOST_TRIES, window=TRIES_WINDOW, now=now)
    used = PayCode.objects.filter(
        member_id=member_id, code_hash=_hash(member_id, typed), used_at=None, expires_at__gt=now
    ).update(used_at=now)
    if used != 1:
        raise PayCodeWrong
    tries.forgive(who, tries=1)


def _hash(member_id: int, code: str) -> bytes:
    return crypto.lookup_hash(f"pay {member_id}/{code}")
