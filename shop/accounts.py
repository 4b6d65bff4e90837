"""Memberships frozen, closed, merged and erased. With `members`, the only writer of members.

Each step is a guarded update, written down with who took it and why. Whoever ends a membership
locks the member's row first: no order, coupon or reward can be written for them until it is done.
"""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shop import external_ids
from shop.kernel import crypto, idempotency
from shop.kernel.errors import DomainError
from shop.models import (
    ErasedPhone,
    LoginCode,
    Member,
    MemberCode,
    MemberSession,
    MemberStatusChange,
    Message,
)

Kind = MemberStatusChange.Kind
Status = Member.Status
TOMBSTONE_LIVES = timedelta(days=3 * 365)
"""How long a phone is remembered, as a keyed hash, after its member was erased."""
PATIENCE = "500ms"
"""How long whoever ends a membership waits for others; less than a deadlock takes to find."""


class MemberNotSwitchable(DomainError):
    """Only an active membership can be frozen, only a frozen one unfrozen, and none ends twice."""

    code = "member-not-switchable"
    title = _("This membership cannot be switched to that now.")


class MemberBusy(DomainError):
    """The member pays, is refunded or takes something at this moment; try again."""

    code = "member-busy"
    title = _("Something is being done for this member at this moment; try again.")


@transaction.atomic
def freeze(member: Member, *, reason: str, actor: str, now: datetime) -> None:
    """Keep a member from spending and earning, and sign them out, until they are unfrozen.

    Raises:
        MemberNotSwitchable: not active.
    """
    _switch(member, come_from=[Status.ACTIVE], to=Status.FROZEN)
    _sign_out(member, now=now)
    _write_down(member, Kind.FREEZE, reason=reason, actor=actor, now=now)


@transaction.atomic
def unfreeze(member: Member, *, reason: str, actor: str, now: datetime) -> None:
    """Let a frozen member spend and earn again.

    Raises:
        MemberNotSwitchable: not frozen.
    """
    _switch(member, come_from=[Status.FROZEN], to=Status.ACTIVE)
    _write_down(member, Kind.UNFREEZE, reason=reason, actor=actor, now=now)


def lock(member_ids: Collection[int]) -> dict[int, Member]:
    """Lock members' rows to end a membership, in ascending id; nothing new refers to them then."""
    rows = Member.objects.select_for_update().filter(pk__in=member_ids).order_by("pk")
    return {row.pk: row for row in rows}


@contextmanager
def impatience() -> Iterator[None]:
    """Give up rather than wait for others while a member's row is locked, who may wait for it.

    Raises:
        MemberBusy
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise MemberBusy from error
        raise


def close(member: Member, *, reason: str, actor: str, now: datetime) -> None:
    """End a membership for good; the flow has emptied its wallets.

    Raises:
        MemberNotSwitchable: closed before.
    """
    _switch(member, come_from=[Status.ACTIVE, Status.FROZEN], to=Status.CLOSED)
    _sign_out(member, now=now)
    _write_down(member, Kind.CLOSE, reason=reason, actor=actor, now=now)


def merge(source: Member, *, into: Member, reason: str, actor: str, now: datetime) -> None:
    """Close the locked `source` as the same person as `into`, who joined when the earlier one did.

    Whoever was merged into `source` before is `into` from now on.

    Raises:
        MemberNotSwitchable: closed before.
    """
    _switch(source, come_from=[Status.ACTIVE, Status.FROZEN], to=Status.CLOSED)
    Member.objects.filter(Q(pk=source.pk) | Q(merged_into=source)).update(merged_into=into)
    Member.objects.filter(pk=into.pk, joined_at__gt=source.joined_at).update(
        joined_at=source.joined_at
    )
    _sign_out(source, now=now)
    _write_down(source, Kind.MERGE, reason=reason, actor=actor, now=now)


def erase(member: Member, *, reason: str, actor: str, now: datetime) -> None:
    """Shred who a member is; what they did stays under their public id.

    Whoever was merged into them is the same person, and shredded too. The phone leaves a keyed hash
    that leads nowhere unless the same phone comes again.

    Raises:
        MemberNotSwitchable: erased before.
    """
    for row in Member.objects.filter(Q(pk=member.pk) | Q(merged_into=member)).order_by("pk"):
        if row.erased_at is None:
            _bury(row.phone, now=now)
            _shred(row, now=now)
    _write_down(member, Kind.ERASE, reason=reason, actor=actor, now=now)


def is_remembered(phone: str, *, now: datetime) -> bool:
    """Tell whether somebody with this E.164 phone was a member before and is not any more."""
    buried = ErasedPhone.objects.filter(tombstone=_tombstone(phone), expires_at__gt=now)
    closed = Member.objects.filter(phone_hash=crypto.lookup_hash(phone), status=Status.CLOSED)
    return buried.values("pk").union(closed.values("pk"), all=True).exists()


def forget_tombstones(*, now: datetime) -> int:
    """Delete what is remembered of erased phones once its time is over."""
    deleted, _by_model = ErasedPhone.objects.filter(expires_at__lte=now).delete()
    return deleted


def _bury(phone: str, *, now: datetime) -> None:
    ErasedPhone.objects.update_or_create(
        tombstone=_tombstone(phone), defaults={"expires_at": now + TOMBSTONE_LIVES}
    )
    LoginCode.objects.filter(phone_hash=crypto.lookup_hash(phone)).delete()


def _shred(member: Member, *, now: datetime) -> None:
    """Overwrite all that says who it was; the phone's columns with noise."""
    shredded = Member.objects.filter(pk=member.pk, erased_at=None).update(
        name="",
        birthday=None,
        phone_sealed=b"",
        phone_hash=os.urandom(32),
        phone_last4="",
        status=Status.CLOSED,
        erased_at=now,
    )
    if shredded != 1:
        raise MemberNotSwitchable(member=str(member.public_id))
    external_ids.forget(member.pk)
    _sign_out(member, now=now)
    MemberCode.objects.filter(member=member).delete()
    Message.objects.filter(member=member).update(text="")
    idempotency.forget_answers_to(f"member:{member.pk}")
    LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Member), object_id=str(member.pk)
    ).update(object_repr=str(member.public_id))


def _tombstone(phone: str) -> bytes:
    return crypto.lookup_hash(f"erased/{phone}")


def _switch(member: Member, *, come_from: Collection[str], to: str) -> None:
    switched = Member.objects.filter(pk=member.pk, status__in=come_from).update(status=to)
    if switched != 1:
        raise MemberNotSwitchable(member=str(member.public_id))


def _sign_out(member: Member, *, now: datetime) -> None:
    MemberSession.objects.filter(member=member, revoked_at=None).update(revoked_at=now)


def _write_down(member: Member, kind: str, *, reason: str, actor: str, now: datetime) -> None:
    MemberStatusChange.objects.create(
        member=member, kind=kind, reason=reason, actor=actor, occurred_at=now
    )
