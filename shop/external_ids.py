"""What other systems call members: a card number of the old till, an id of a mini-program.

The only module that writes them. Each names one member; a member may have several.
"""

from datetime import datetime
from http import HTTPStatus

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shop.kernel import rows
from shop.kernel.errors import DomainError
from shop.models import ExternalId, Member

CLOSED = Member.Status.CLOSED


class ExternalIdTaken(DomainError):
    """This id of the other system is another member's."""

    code = "external-id-taken"
    title = _("This number of the other system belongs to another member.")
    status = HTTPStatus.CONFLICT


def find(system: str, external_id: str) -> Member | None:
    """Return the living member that another system calls so."""
    known = ExternalId.objects.select_related("member__store").exclude(member__status=CLOSED)
    row = known.filter(system=system, external_id=external_id).first()
    return None if row is None else row.member


def bind(member: Member, *, system: str, external_id: str, actor: str, now: datetime) -> None:
    """Remember what another system calls a member; once, however often it is said.

    What named a membership that has ended names the one that comes after it.

    Raises:
        ExternalIdTaken
    """
    row = ExternalId(
        member=member, system=system, external_id=external_id, actor=actor, bound_at=now
    )
    if rows.insert(row, unless_exists="system, external_id"):
        return
    free = Q(member=member) | Q(member__status=CLOSED)
    known = ExternalId.objects.filter(free, system=system, external_id=external_id)
    if not known.update(member=member):
        raise ExternalIdTaken(system=system, external_id=external_id)


def hand_over(*, source_id: int, target_id: int) -> None:
    """Let what named one membership name the one that it became part of."""
    ExternalId.objects.filter(member_id=source_id).update(member_id=target_id)


def forget(member_id: int) -> None:
    """Delete what other systems call somebody who is erased."""
    ExternalId.objects.filter(member_id=member_id).delete()
