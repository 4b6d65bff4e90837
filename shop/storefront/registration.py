"""Joining: everything that a new member gets, in one transaction."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from campaigns import attribution, coupons, referrals
from campaigns.attribution import Origin
from campaigns.models import CouponDefinition
from loyalty import points, tiers
from shop import accounts, members
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
