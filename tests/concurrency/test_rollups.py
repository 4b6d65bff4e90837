"""Roll-ups that are refreshed from several sides while people go on buying."""

from functools import partial

from shop.storefront.models import MemberRollup, RollupMark, SalesDay
from shop.storefront.rollups import upkeep
from tests import make
from tests.concurrency.crowd import at_once


def test_refreshes_at_once_take_nothing_in_twice_and_lose_nothing() -> None:
    """The lock in `upkeep._take_in_slice`, and that marks are deleted before anything is read: with
    neither (marks taken by SKIP LOCKED), two slices write the same days and break their unique key.
    """
    who = make.member()
    for _round in range(4):
        buying = [partial(make.paid, who=who) for _ in range(2)] + [make.paid]
        at_once([*buying, *[upkeep.refresh] * 4])
    upkeep.refresh()

    assert not RollupMark.objects.exists()
    assert MemberRollup.objects.get(member_id=who.pk).orders == 8
    assert sum(SalesDay.objects.values_list("orders", flat=True)) == 12
