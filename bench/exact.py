"""What a crowd left behind: nothing issued or used twice, nothing too many, nothing lost.

A speed of anything else means nothing, so a bench that finds it stops.
"""

from http import HTTPStatus

from django.db.models import Count

from bench import load, seeding
from bench.measuring import CROWD
from campaigns import caps
from campaigns.models import Coupon, CouponDefinition, CouponRedemption

SECONDS = 2.0


class NotExact(Exception):
    """More were issued than there are, somebody has too many, or a use was counted wrongly."""


def check(tills: seeding.Tills, *, port: int) -> None:
    """Check everything that was claimed and redeemed, and claim the last ones of a coupon.

    Raises:
        NotExact
    """
    for code in seeding.CLAIMS:
        ensure_issued_exactly(code)
    _ensure_redeemed_exactly(seeding.REDEEMED_BY_ALL)
    claims = [tills.claims(seeding.LAST_ONES, number) for number in range(CROWD)]
    said = load.run(port, claims, seconds=SECONDS).statuses
    if set(said) != {HTTPStatus.CREATED, HTTPStatus.CONFLICT}:
        raise NotExact(f"claims of the last ones were answered with {dict(said)}")
    if said[HTTPStatus.CREATED] != seeding.LAST:
        raise NotExact(f"{said[HTTPStatus.CREATED]} of {seeding.LAST} were given")
    ensure_issued_exactly(seeding.LAST_ONES)


def ensure_issued_exactly(code: str) -> None:
    """Compare the coupons of a definition with its counters and its limits.

    Raises:
        NotExact
    """
    definition = CouponDefinition.objects.get(code=code)
    mine = Coupon.objects.filter(definition=definition)
    found, counted = mine.count(), caps.issued(definition)
    if not found == counted <= (definition.total_limit or 0):
        raise NotExact(f"{code}: {found} coupons, {counted} counted")
    per_member = mine.values("member").annotate(coupons=Count("pk"))
    if per_member.filter(coupons__gt=definition.per_member_limit).exists():
        raise NotExact(f"{code}: somebody has more than {definition.per_member_limit}")


def _ensure_redeemed_exactly(code: str) -> None:
    definition = CouponDefinition.objects.get(code=code)
    used = CouponRedemption.objects.filter(coupon__definition=definition)
    numbers = (
        definition.redeemed_count,
        used.count(),
        used.values("order").distinct().count(),
        Coupon.objects.filter(definition=definition, status="redeemed").count(),
    )
    if len(set(numbers)) != 1:
        raise NotExact(f"{code}: counted, redemptions, orders, coupons used: {numbers}")
