"""A coupon for many with several workers, while members claim it too: each gets one."""

from functools import partial

import pytest
from django.db import transaction

from campaigns import caps, handouts
from campaigns.models import Coupon, CouponDefinition
from shop.kernel import jobs
from shop.models import Member
from shop.storefront import issues
from shop.storefront.audiences import Audience
from tests import make
from tests.concurrency.crowd import at_once, outcomes
from tests.concurrency.test_coupons import claim


@pytest.fixture
def members() -> list[Member]:
    return [make.member() for _each in range(40)]


def definition_for_all(**fields: object) -> CouponDefinition:
    return make.definition("WINBACK_6", is_claimable=True, is_welcome_gift=False, **fields)


@pytest.mark.parametrize("asks_first", [True, False])
def test_one_slice_done_by_four_workers_at_once_gives_each_member_one(
    members: list[Member], monkeypatch: pytest.MonkeyPatch, *, asks_first: bool
) -> None:
    """Two walls: who has one of the issue is left out when a lost slot is tried again; and the
    unique (source, member) of an issue, which the second round meets alone. Without it members get
    as many there as there are workers.
    """
    if not asks_first:
        asked = " AND NOT COALESCE(mine.has_it, false)"
        assert asked in handouts._INSERT_SQL
        bare = handouts._INSERT_SQL.replace(asked, "")
        monkeypatch.setattr(handouts, "_INSERT_SQL", bare)
    definition = definition_for_all(per_member_limit=9)
    ids = [member.pk for member in members]

    def issue() -> int:
        with transaction.atomic():
            return handouts.issue(definition, member_ids=ids, source="issue:race", now=make.NOON)

    issued = at_once([issue] * 4)

    assert sum(issued) == len(members)
    holders = Coupon.objects.filter(source="issue:race").values_list("member", flat=True)
    assert sorted(filter(None, holders)) == ids
    definition.refresh_from_db()
    assert definition.issued_count == len(members)


def test_a_job_with_three_workers_gives_each_member_one(
    members: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock of the job's row in `jobs.advance`, without which progress is counted twice; behind
    it the walls of the test above.
    """
    monkeypatch.setattr(issues, "SLICE", 7)
    definition = definition_for_all(per_member_limit=2)
    job = issues.start(
        "WINBACK_6", audience=Audience(), requested_by="test", reference="r", now=make.NOON
    )

    def work() -> None:
        while jobs.advance(now=make.NOON):
            pass

    at_once([work] * 3)
    jobs.run(job.pk, now=make.NOON)  # what the last worker left, if it saw the job locked

    job.refresh_from_db()
    assert (job.done, job.result) == (40, {"issued": 40, "had_enough": 0})
    assert Coupon.objects.filter(definition=definition).count() == 40


def test_claims_that_come_between_leave_nobody_with_two_and_no_coupon_too_many(
    members: list[Member],
) -> None:
    """The unique (definition, member, slot) and the guarded update of `issued_count`, which
    `caps.take_many` moves by what was inserted; without its condition 25 coupons become 40.
    """
    definition = definition_for_all(per_member_limit=1, total_limit=25)
    ids = [member.pk for member in members]
    issue = partial(handouts.issue, definition, member_ids=ids, source="issue:race", now=make.NOON)

    outcomes([issue, *[partial(claim, who, definition) for who in members[:10]], issue])

    definition.refresh_from_db()
    rows = Coupon.objects.filter(definition=definition)
    assert rows.count() == rows.values("member").distinct().count() == 25
    assert caps.issued(definition) == 25
