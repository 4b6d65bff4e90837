"""Referrals: a code to hand on, a friend who joins with it, a reward once the friend has bought.

The only module that writes them. What the reward is worth in points is said here; the flow posts
it, because this package knows nothing of the ledger.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models import Referral, ReferralCode, ReferralProgramme
from shop.kernel import identifiers
from shop.kernel.errors import DomainError
from shop.models import Member, Order

CODE_LENGTH = 7
Status = Referral.Status


class ReferralCodeUnknown(DomainError):
    """No member has this referral code."""

    code = "referral-code-unknown"
    title = _("Nobody has this referral code.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Qualified:
    """A referral that an order has just made good."""

    source: str
    referrer_id: int
    referee_id: int
    referrer_points: int
    referee_points: int
    available_at: datetime


def programme() -> ReferralProgramme:
    """Return the programme's settings; the defaults when nobody has saved any."""
    return ReferralProgramme.objects.filter(pk=1).first() or ReferralProgramme(pk=1)


def code_of(member: Member, *, now: datetime) -> ReferralCode:
    """Return a member's own code, made when first asked for."""
    code, _is_new = ReferralCode.objects.get_or_create(
        member=member,
        defaults={"code": identifiers.new_code(CODE_LENGTH), "created_at": now},
    )
    return code


def referrer_of(code: str) -> Member:
    """Return whose code this is.

    Raises:
        ReferralCodeUnknown
    """
    row = (
        ReferralCode.objects.select_related("member")
        .filter(code=identifiers.normalise_code(code), member__status=Member.Status.ACTIVE)
        .first()
    )
    if row is None:
        raise ReferralCodeUnknown
    return row.member


def register(*, referrer_id: int, referee: Member, now: datetime) -> Referral:
    """Record that a new member was brought by another; once per friend."""
    return Referral.objects.create(referrer_id=referrer_id, referee=referee, registered_at=now)


def waiting_referrer(member_id: int) -> int | None:
    """Return who would be rewarded if this member bought now; flows lock that account too."""
    waiting = Referral.objects.filter(referee_id=member_id, status=Referral.Status.REGISTERED)
    return waiting.values_list("referrer_id", flat=True).first()


def count_qualified(member_id: int, *, since: datetime) -> int:
    """Return how many friends of this member have bought since then."""
    return Referral.objects.filter(
        referrer_id=member_id, status=Referral.Status.QUALIFIED, qualified_at__gte=since
    ).count()


def qualified_of(member_ids: Sequence[int]) -> list[tuple[int, datetime]]:
    """Return, for each friend of these members who has bought, the member and when it was."""
    with connection.cursor() as cursor:
        cursor.execute(_QUALIFIED_SQL, [list(member_ids)])
        return list(cursor.fetchall())


_QUALIFIED_SQL = """
SELECT referrer_id, qualified_at FROM campaigns_referral
WHERE referrer_id = ANY(%s) AND status = 'qualified' AND qualified_at IS NOT NULL
"""  # one array instead of thousands of parameters


def qualify(order: Order, *, now: datetime) -> Qualified | None:
    """Make the payer's referral good with a first paid order that is large enough; once."""
    settings = programme()
    if not settings.is_active or order.paid_cents < settings.min_order_cents:
        return None
    is_first = Referral.objects.filter(
        referee_id=order.member_id, status=Referral.Status.REGISTERED
    ).update(status=Referral.Status.QUALIFIED, qualified_at=now, order=order)
    if not is_first:
        return None
    referral = Referral.objects.get(referee_id=order.member_id)
    return Qualified(
        source=source_of(referral),
        referrer_id=referral.referrer_id,
        referee_id=referral.referee_id,
        referrer_points=settings.referrer_points,
        referee_points=settings.referee_points,
        available_at=now + timedelta(days=settings.reward_after_days),
    )


def matured(*, since: datetime, now: datetime) -> dict[str, int]:
    """Return whose friends became certain since then, by the name of the referral.

    Their first orders stand, and the time in which they could be refunded is over.
    """
    waited = timedelta(days=programme().reward_after_days)
    found = Referral.objects.filter(
        status=Referral.Status.QUALIFIED,
        qualified_at__gt=since - waited,
        qualified_at__lte=now - waited,
    )
    return {source_of(row): row.referrer_id for row in found.order_by("pk")}


def qualified_by(order: Order) -> Referral | None:
    """Return the referral that this order made good."""
    return Referral.objects.filter(order=order, status=Referral.Status.QUALIFIED).first()


def revoke(referral: Referral) -> None:
    """Void a referral whose order was refunded whole; the flow takes the points back."""
    Referral.objects.filter(pk=referral.pk, status=Referral.Status.QUALIFIED).update(
        status=Referral.Status.VOID
    )


def source_of(referral: Referral) -> str:
    """Return the name under which both rewards are recorded."""
    return f"referral:{referral.pk}"


def between(one_id: int, other_id: int) -> list[Referral]:
    """Return the referrals by which one of two members brought the other."""
    both = [one_id, other_id]
    return list(Referral.objects.filter(referrer_id__in=both, referee_id__in=both))


def hand_over(*, source_id: int, target_id: int) -> None:
    """Let one person's two memberships have one history of friends.

    Whom the source brought, the target brought. Of two that brought this person the earlier counts,
    unless the later has its reward already. Nobody brings themselves: those are void.
    """
    both = [source_id, target_id]
    Referral.objects.filter(
        referrer_id__in=both, referee_id__in=both, status=Status.REGISTERED
    ).update(status=Status.VOID)
    Referral.objects.filter(referrer_id=source_id).exclude(referee_id__in=both).update(
        referrer_id=target_id
    )
    brought = Referral.objects.filter(referee_id__in=both).exclude(referrer_id__in=both)
    by_referee = {row.referee_id: row for row in brought}
    theirs, mine = by_referee.get(source_id), by_referee.get(target_id)
    if theirs is None:
        return
    if mine is not None and _counts(mine, rather_than=theirs):
        _void(theirs)
        return
    if mine is not None:
        mine.delete()  # it came to nothing, and a friend is brought once
    if not Referral.objects.filter(referee_id=target_id).exists():
        Referral.objects.filter(pk=theirs.pk).update(referee_id=target_id)


def void_waiting(*, member_id: int) -> None:
    """Void the referrals that wait for a purchase of a member, or of a friend of theirs."""
    waiting = Referral.objects.filter(status=Status.REGISTERED)
    waiting.filter(Q(referee_id=member_id) | Q(referrer_id=member_id)).update(status=Status.VOID)


def _counts(mine: Referral, *, rather_than: Referral) -> bool:
    is_rewarded = mine.status != Status.REGISTERED
    return is_rewarded or mine.registered_at <= rather_than.registered_at


def _void(referral: Referral) -> None:
    Referral.objects.filter(pk=referral.pk, status=Status.REGISTERED).update(status=Status.VOID)
