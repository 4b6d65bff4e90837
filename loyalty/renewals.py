"""Longer life for points, as a way to win members back: before they expire, or after.

Nothing is updated away: extended points leave their lots by one entry and open a new lot by
another; reinstated points are a new credit that names the entry by which they had expired.
"""

from datetime import date, datetime, time, timedelta
from http import HTTPStatus
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty import expiry, ledger, points
from loyalty.lots import Lot, expired
from loyalty.models import PointsAccount, PointsEntry, PointsLot
from shop.kernel.errors import DomainError, InvalidInput
from shop.kernel.money import Points

Kind = PointsEntry.Kind


class NothingToExtend(DomainError):
    """No free points of the member expire by then."""

    code = "nothing-to-extend"
    title = _("No points expire by then.")


class NothingToReinstate(DomainError):
    """Nothing has expired since then, or it was given back already."""

    code = "nothing-to-reinstate"
    title = _("No points have expired since then.")


FIRST_YEAR, LAST_YEAR = 1900, 3000


class ExpiryNotLater(DomainError):
    """The new expiry is not after the old one, or not in the future."""

    code = "expiry-not-later"
    title = _("The new expiry must be later than the old one, and in the future.")
    status = HTTPStatus.BAD_REQUEST


def extendable(member_id: int, *, expiring_by: datetime, now: datetime) -> Points:
    """Lock a member's wallet and return how many free points expire up to a moment.

    Raises:
        NothingToExtend, points.WalletClosed
    """
    account = _up_to_date(member_id, now=now)
    soon = expired(_open_lots(account), at=expiring_by, held=account.held)
    found = Points(sum(part.points for part in soon))
    if found == 0:
        raise NothingToExtend
    return found


@transaction.atomic
def extend(
    member_id: int,
    *,
    expiring_by: datetime,
    until: datetime,
    source: str,
    reason: str,
    actor: str,
    now: datetime,
    most: Points | None = None,
) -> Points:
    """Let a member's points that expire up to a moment live until another; return how many.

    `most` is how many at most, the soonest to expire first. What is held for an order stays where
    it is. Once per source.

    Raises:
        ExpiryNotLater, NothingToExtend, points.WalletClosed
    """
    ensure_later(until, bound_at=expiring_by, now=now)
    found = extendable(member_id, expiring_by=expiring_by, now=now)
    moved = found if most is None else min(found, most)
    account = points.lock_accounts([member_id]).points(member_id)
    # The soonest-expiring lots are those a debit draws, so this takes from no others.
    ledger.debit(
        account,
        kind=Kind.EXTEND_OUT,
        points=moved,
        source=source,
        now=now,
        note=reason,
        actor=actor,
    )
    ledger.credit(
        account,
        kind=Kind.EXTEND_IN,
        points=moved,
        source=source,
        now=now,
        expires_at=until,
        note=reason,
        actor=actor,
    )
    return moved


@transaction.atomic
def reinstate(
    member_id: int,
    *,
    expired_since: datetime,
    until: datetime,
    reason: str,
    actor: str,
    now: datetime,
    expired_by: datetime | None = None,
) -> Points:
    """Give back what has expired since a moment, to live until another; return how many points.

    What has expired after `expired_by` stays lost. Each entry of expiry is given back at most
    once: its number is the source of the credit.

    Raises:
        ExpiryNotLater, NothingToReinstate, points.WalletClosed
    """
    ensure_later(until, bound_at=now, now=now)
    back = _to_reinstate(member_id, expired_since=expired_since, by=expired_by or now, now=now)
    account = points.lock_accounts([member_id]).points(member_id)
    for entry in back:
        ledger.credit(
            account,
            kind=Kind.REINSTATE,
            points=Points(-entry.points),
            source=f"entry:{entry.pk}",
            now=now,
            expires_at=until,
            note=reason,
            actor=actor,
        )
    return Points(-sum(entry.points for entry in back))


def reinstatable(member_id: int, *, expired_since: datetime, now: datetime) -> Points:
    """Lock a member's wallet and return how many points have expired since a moment.

    Raises:
        NothingToReinstate, points.WalletClosed
    """
    lost = _to_reinstate(member_id, expired_since=expired_since, by=now, now=now)
    return Points(-sum(entry.points for entry in lost))


def ensure_later(until: datetime, *, bound_at: datetime, now: datetime) -> None:
    """Check that points would live longer than they did.

    Raises:
        ExpiryNotLater
    """
    if until <= max(bound_at, now):
        raise ExpiryNotLater


def start_of(day: date, *, timezone: str) -> datetime:
    """Return when a day of a store begins.

    Raises:
        InvalidInput: not even the calendar of the database goes that far.
    """
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidInput("", _("This is too far away."), reason="far-off")
    return datetime.combine(day, time(), tzinfo=ZoneInfo(timezone))


def end_of(day: date, *, timezone: str) -> datetime:
    """Return when a day of a store is over.

    Raises:
        InvalidInput: as `start_of`.
    """
    start_of(day, timezone=timezone)
    return start_of(day + timedelta(days=1), timezone=timezone)


def _to_reinstate(
    member_id: int, *, expired_since: datetime, by: datetime, now: datetime
) -> list[PointsEntry]:
    """Return the expiries of a member's wallet, and of those merged into it, to be given back."""
    account = _up_to_date(member_id, now=now)
    entries = points.of_person(PointsEntry.objects.all(), account)
    lost = list(
        entries.filter(
            kind=Kind.EXPIRE, occurred_at__gte=expired_since, occurred_at__lte=by
        ).order_by("id")
    )
    given_back = set(
        entries.filter(
            kind=Kind.REINSTATE, source__in=[f"entry:{entry.pk}" for entry in lost]
        ).values_list("source", flat=True)
    )
    back = [entry for entry in lost if f"entry:{entry.pk}" not in given_back]
    if not back:
        raise NothingToReinstate
    return back


def _up_to_date(member_id: int, *, now: datetime) -> PointsAccount:
    """Return the locked wallet of spendable points, with everything expired that is due."""
    wallets = points.lock_accounts([member_id])
    wallets.ensure_open(member_id)
    account = wallets.points(member_id)
    expiry.expire_accounts([account.pk], now=now)
    return points.lock_accounts([member_id]).points(member_id)


def _open_lots(account: PointsAccount) -> list[Lot]:
    found = PointsLot.objects.filter(account=account, remaining__gt=0)
    return [Lot(id=lot.pk, remaining=lot.remaining, expires_at=lot.expires_at) for lot in found]
