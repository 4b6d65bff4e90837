"""Moments at which members earn without buying: a birthday, a friend for good, a whole profile.

Each is recorded once, and only while a rule gives something for it.
"""

from datetime import date, datetime, timedelta

from django.db import transaction

from campaigns import referrals
from loyalty import earning_events
from loyalty.models import EarningRule
from loyalty.points import WalletClosed
from shop import members
from shop.models import Member

Event = EarningRule.Event
PROFILE = "profile"
"""The key of the one event of its kind that a member can have."""
REMEMBERED = timedelta(days=7)
"""How late a friend is thanked for at most, after a worker was down or a rule was new."""


def celebrate_birthdays(*, now: datetime, limit: int) -> int:
    """Record the birthdays of members, at most so many; each in its own transaction."""
    if not earning_events.is_rewarded(Event.BIRTHDAY, now=now):
        return 0
    due = earning_events.birthdays_due(now=now, limit=limit)
    return sum(
        _record(member_id, event=Event.BIRTHDAY, key=year, actor="beat", now=now)
        for member_id, year in due
    )


def thank_referrers(*, now: datetime, limit: int) -> int:
    """Record friends whose first order can no longer come back, for who brought them."""
    if not earning_events.is_rewarded(Event.REFERRAL, now=now):
        return 0
    due = referrals.matured(since=now - REMEMBERED, now=now)
    known = earning_events.keys_of(Event.REFERRAL, keys=list(due))
    fresh = [key for key in due if key not in known][:limit]
    return sum(
        _record(due[key], event=Event.REFERRAL, key=key, actor="beat", now=now) for key in fresh
    )


@transaction.atomic
def set_birthday(member: Member, *, birthday: date, actor: str, now: datetime) -> None:
    """Set a member's birthday, which may complete their profile.

    Raises:
        whatever members.change_birthday raises.
    """
    members.change_birthday(member, birthday=birthday, now=now)
    member.birthday = birthday
    complete_profile(member, actor=actor, now=now)


def complete_profile(member: Member, *, actor: str, now: datetime) -> None:
    """Record that a member has told both name and birthday, if they have."""
    if member.name and member.birthday and earning_events.is_rewarded(Event.PROFILE, now=now):
        _record(member.pk, event=Event.PROFILE, key=PROFILE, actor=actor, now=now)


def _record(member_id: int, *, event: str, key: str, actor: str, now: datetime) -> bool:
    """Record an event; False where it is known, or the membership is not open any more."""
    member = Member.objects.select_related("store").get(pk=member_id)
    if member.status != Member.Status.ACTIVE:
        return False
    try:
        _event, is_new = earning_events.record(
            member_id, event=event, key=key, store=member.store, actor=actor, now=now
        )
    except WalletClosed:
        return False
    return is_new
