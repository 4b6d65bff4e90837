"""Coupons limited by the day, in a rush: not one more than the day may."""

from functools import partial

from django.utils import timezone

from campaigns.models import Coupon, CouponDefinition, UsageCounter
from tests import make
from tests.concurrency.crowd import answers

LINE = {"product": "MT01", "quantity": 3, "options": make.MILK_TEA}


def test_of_many_guests_at_once_as_many_use_theirs_as_the_day_allows() -> None:
    """The condition of the counters' update; without it every guest gets the discount."""
    CouponDefinition.objects.filter(code="FULL25_5").update(uses_per_day=3)
    till = make.till()
    guests = [make.member() for _ in range(12)]
    mine = [make.coupon(guest, now=timezone.now()) for guest in guests]
    bodies = [
        {
            "member": str(guest.public_id),
            "lines": [LINE],
            "coupons": [coupon.code],
            "expected_total_cents": 3100,
            "pos_order_no": f"L{number}",
        }
        for number, (guest, coupon) in enumerate(zip(guests, mine, strict=True))
    ]

    said = answers([partial(till.post, "/pos/settle", body) for body in bodies])

    assert said["201"] == 3
    assert set(said) <= {"201", "409 offer-limit-reached", "409 quote-changed"}
    assert UsageCounter.objects.get().used == 3
    assert Coupon.objects.filter(status="redeemed").count() == 3
