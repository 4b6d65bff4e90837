"""Points corrected by hand: small corrections at once, large ones once a second person agrees.

The only module that writes adjustments. Whoever's own membership it is neither asks nor agrees.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Abs
from django.utils.translation import gettext_lazy as _

from loyalty import points, renewals
from loyalty.models import LoyaltyProgramme, PointsAccount, PointsAdjustment
from shop.kernel import locks
from shop.kernel.errors import DomainError
from shop.kernel.money import Points
from shop.models import Member, Staff

Kind, State = PointsAdjustment.Kind, PointsAdjustment.State
A_DAY = timedelta(days=1)


class OwnPoints(DomainError):
    """Nobody adjusts their own points, nor agrees to it."""

    code = "own-points"
    title = _("Another person must do this: these points are your own.")


class ApproverIsRequester(DomainError):
    """Nobody decides on what they have asked for themselves."""

    code = "approver-is-requester"
    title = _("Another person must decide on this than the one who asked for it.")


class AdjustmentDecided(DomainError):
    """The adjustment was approved or rejected before, or never needed it."""

    code = "adjustment-decided"
    title = _("This adjustment was decided on before.")


@transaction.atomic
def request(
    member: Member,
    *,
    amount: Points,
    reason: str,
    by: Staff,
    source: str,
    now: datetime,
    expires_at: datetime | None,
) -> PointsAdjustment:
    """Correct a balance within the person's limits, or leave it to a second person.

    Once per source: asking again returns what was asked before. `expires_at` is that of points
    added now; those of an approved adjustment are the approver's to say.

    Raises:
        points.AdjustmentEmpty, OwnPoints
        points.NotEnoughPoints: more would be taken than there are, now.
    """
    if amount == 0:
        raise points.AdjustmentEmpty
    _ensure_not_own(member.pk, by)
    locks.wait_for(f"adjustments of {by.pk}")  # what one person did today is counted one by one
    before = PointsAdjustment.objects.filter(source=source).first()
    if before is not None:
        return before
    account = points.lock_accounts([member.pk]).points(member.pk)
    is_within = _is_within_limits(by, amount=amount, now=now)
    if is_within:
        points.adjust(
            account,
            points=amount,
            source=source,
            reason=reason,
            actor=_key_of(by),
            now=now,
            expires_at=expires_at,
        )
    elif account.is_closed:
        raise points.WalletClosed
    return PointsAdjustment.objects.create(
        account=account,
        points=amount,
        reason=reason,
        state=State.POSTED if is_within else State.PENDING,
        source=source,
        requested_by=by,
        requested_at=now,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Renewal:
    """Longer life for points that expire by `bound_at`, or have expired since, until `until`."""

    kind: str
    bound_at: datetime
    until: datetime


@transaction.atomic
def request_renewal(
    member: Member, renewal: Renewal, *, reason: str, by: Staff, source: str, now: datetime
) -> PointsAdjustment:
    """Let points live longer within the person's limits, or leave it to a second person.

    Once per source: asking again returns what was asked before. A second person agrees to no more
    than there is now.

    Raises:
        OwnPoints, renewals.ExpiryNotLater, renewals.NothingToExtend, renewals.NothingToReinstate
        points.WalletClosed
    """
    _ensure_not_own(member.pk, by)
    locks.wait_for(f"adjustments of {by.pk}")  # what one person did today is counted one by one
    before = PointsAdjustment.objects.filter(source=source).first()
    if before is not None:
        return before
    is_extension = renewal.kind == Kind.EXTEND
    bound_at = renewal.bound_at if is_extension else now
    renewals.ensure_later(renewal.until, bound_at=bound_at, now=now)
    amount = (
        renewals.extendable(member.pk, expiring_by=renewal.bound_at, now=now)
        if is_extension
        else renewals.reinstatable(member.pk, expired_since=renewal.bound_at, now=now)
    )
    is_within = _is_within_limits(by, amount=amount, now=now)
    row = PointsAdjustment.objects.create(
        account=PointsAccount.objects.get(member=member, wallet=PointsAccount.Wallet.POINTS),
        kind=renewal.kind,
        points=amount,
        bound_at=renewal.bound_at,
        until=renewal.until,
        reason=reason,
        state=State.POSTED if is_within else State.PENDING,
        source=source,
        requested_by=by,
        requested_at=now,
    )
    if is_within:
        _renew(row, by=by, now=now)
    return row


@transaction.atomic
def approve(
    adjustment: PointsAdjustment, *, by: Staff, now: datetime, expires_at: datetime | None
) -> None:
    """Post an adjustment that waits, as a person other than who asked for it; once.

    Raises:
        ApproverIsRequester, OwnPoints, AdjustmentDecided
        points.NotEnoughPoints: more would be taken than there are by now.
        and of longer life what request_renewal raises.
    """
    member_id = adjustment.account.member_id
    _ensure_not_own(member_id, by)
    account = points.lock_accounts([member_id]).points(member_id)
    _decide(adjustment, to=State.APPROVED, by=by, now=now)
    if adjustment.kind != Kind.ADJUST:
        _renew(adjustment, by=by, now=now)
        return
    points.adjust(
        account,
        points=adjustment.points,
        source=adjustment.source,
        reason=adjustment.reason,
        actor=_key_of(by),
        now=now,
        expires_at=expires_at,
    )


@transaction.atomic
def reject(adjustment: PointsAdjustment, *, by: Staff, now: datetime) -> None:
    """Turn an adjustment that waits down, as a person other than who asked for it.

    Raises:
        ApproverIsRequester, AdjustmentDecided
    """
    _decide(adjustment, to=State.REJECTED, by=by, now=now)


def _renew(row: PointsAdjustment, *, by: Staff, now: datetime) -> None:
    """Do what a row of longer life says, for no more than was asked for."""
    assert row.bound_at is not None  # noqa: S101 - a check of the table
    assert row.until is not None  # noqa: S101 - a check of the table
    told: dict[str, Any] = {"reason": row.reason, "actor": _key_of(by), "now": now}
    if row.kind == Kind.EXTEND:
        renewals.extend(
            row.account.member_id,
            expiring_by=row.bound_at,
            until=row.until,
            source=row.source,
            most=row.points,
            **told,
        )
    else:
        renewals.reinstate(
            row.account.member_id,
            expired_since=row.bound_at,
            expired_by=row.requested_at,
            until=row.until,
            **told,
        )


def hand_over(*, source_id: int, target_id: int) -> None:
    """Let what waits for a member be decided for the membership that they were merged into."""
    target = PointsAccount.objects.get(member=target_id, wallet=PointsAccount.Wallet.POINTS)
    waiting = PointsAdjustment.objects.filter(account__member=source_id, state=State.PENDING)
    waiting.update(account=target)


def _decide(adjustment: PointsAdjustment, *, to: str, by: Staff, now: datetime) -> None:
    if adjustment.requested_by_id == by.pk:
        raise ApproverIsRequester
    decided = PointsAdjustment.objects.filter(pk=adjustment.pk, state=State.PENDING).update(
        state=to, decided_by=by, decided_at=now
    )
    if decided != 1:
        raise AdjustmentDecided
    adjustment.refresh_from_db()


def _is_within_limits(by: Staff, *, amount: Points, now: datetime) -> bool:
    programme = LoyaltyProgramme.objects.filter(pk=1).first() or LoyaltyProgramme(pk=1)
    limit = by.adjustment_limit_points
    if limit is None:
        limit = programme.adjustment_limit_points
    mine = PointsAdjustment.objects.filter(
        requested_by=by, state=State.POSTED, requested_at__gt=now - A_DAY
    )
    done = mine.aggregate(points=Sum(Abs("points")))["points"] or 0
    day_limit = max(programme.adjustment_day_limit_points, limit)
    return abs(amount) <= limit and abs(amount) + done <= day_limit


def _ensure_not_own(member_id: int, by: Staff) -> None:
    if by.member_id == member_id:
        raise OwnPoints


def _key_of(person: Staff) -> str:
    return f"staff:{person.pk}"
