"""Joining: everything that a new member gets, in one transaction."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from campaigns import attribution, coupons, referrals
from campaigns.attribution import Origin
from campaigns.models import CouponDefinition
from loyalty import points, tiers
from shop import accounts, external_ids, members
from shop.kernel import outbox
from shop.models import Member, Store
from shop.storefront import milestones


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """What a person joins with. `phone` is in E.164 form."""

    phone: str
    store: Store
    name: str = ""
    birthday: date | None = None
    visitor_id: str = ""
    link_code: str = ""
    referral_code: str = ""


@transaction.atomic
def join(application: Application, *, now: datetime) -> Member:
    """Make a member: wallets, lowest tier, welcome coupons, where they came from, who brought them.

    Who was a member before, even erased since, gets nothing again that is for newcomers.

    Raises:
        members.MemberExists: two at once with one phone make one member.
        referrals.ReferralCodeUnknown
    """
    referrer = (
        referrals.referrer_of(application.referral_code) if application.referral_code else None
    )
    joined_before = accounts.is_remembered(application.phone, now=now)
    member = members.register(
        phone=application.phone,
        store=application.store,
        name=application.name,
        birthday=application.birthday,
        joined_before=joined_before,
        now=now,
    )
    points.open_accounts(member.pk)
    tiers.enrol(member.pk, now=now)
    attribution.acquire(
        member,
        Origin(
            visitor_id=application.visitor_id,
            link_code=application.link_code,
            referrer_id=referrer.pk if referrer else None,
        ),
        now=now,
    )
    if referrer is not None and not joined_before:
        referrals.register(referrer_id=referrer.pk, referee=member, now=now)
    if not joined_before:
        milestones.complete_profile(member, actor=f"member:{member.public_id}", now=now)
        _give_welcome_coupons(member, now=now)
    outbox.add(
        "member.joined",
        key=f"member:{member.public_id}",
        payload={"member": str(member.public_id)},
        now=now,
    )
    return member


@transaction.atomic
def upsert(
    application: Application, *, system: str, external_id: str, actor: str, now: datetime
) -> tuple[Member, bool]:
    """Return the member that another system calls so, and whether they have just joined.

    Who is a member by their phone is bound to the id. Done twice or twice at once it is done once.

    Raises:
        external_ids.ExternalIdTaken: the id is a member's with another phone.
        members.MemberNotActive, referrals.ReferralCodeUnknown
    """
    known = external_ids.find(system, external_id)
    found = members.find_by_phone(application.phone)
    if known is not None:
        members.ensure_active(known)
        if found is None or found.pk != known.pk:
            raise external_ids.ExternalIdTaken(system=system, external_id=external_id)
        return known, False
    member, has_joined = (found, False) if found else _join_once(application, now=now)
    members.ensure_active(member)
    external_ids.bind(member, system=system, external_id=external_id, actor=actor, now=now)
    return member, has_joined


def _join_once(application: Application, *, now: datetime) -> tuple[Member, bool]:
    """Return the new member, or the one whom somebody else has made in this moment."""
    try:
        with transaction.atomic():
            return join(application, now=now), True
    except members.MemberExists:
        member = members.find_by_phone(application.phone)
        if member is None:
            raise
        return member, False


def _give_welcome_coupons(member: Member, *, now: datetime) -> None:
    """Give what every new member gets; one that has run out must not keep anybody from joining."""
    welcome = CouponDefinition.objects.filter(
        is_welcome_gift=True, status=CouponDefinition.Status.ACTIVE
    )
    for definition in welcome.order_by("id"):
        try:
            with transaction.atomic():
                coupons.ensure_claim_period(definition, now=now)
                coupons.issue(definition, member_id=member.pk, source="welcome", now=now)
        except (coupons.CouponExhausted, coupons.CouponNotClaimable):
            continue
