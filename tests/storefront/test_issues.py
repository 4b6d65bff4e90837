"""Coupons for audiences: who is meant, each once, however often the worker dies."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Acquisition, Channel, Coupon
from loyalty.models import Membership, Tier
from shop.kernel import jobs
from shop.kernel.models import Job
from shop.models import Member
from shop.storefront import audiences, issues
from shop.storefront.audiences import Audience
from tests import make

pytestmark = pytest.mark.django_db

ISSUES = "/coupon-issues"


@pytest.fixture
def members() -> list[Member]:
    make.definition("WINBACK_6", per_member_limit=1, is_welcome_gift=False)
    return [make.member() for _each in range(5)]


def start(**fields: Any) -> Job:
    return issues.start(
        "WINBACK_6", audience=Audience(**fields), requested_by="test", now=make.NOON
    )


def holders() -> list[int]:
    issued = Coupon.objects.filter(source__startswith="issue:")
    return sorted(issued.values_list("member", flat=True))


class TestAudience:
    def meant(self, **fields: Any) -> set[int]:
        rows = audiences.members_of(Audience(**fields), now=make.NOON)
        return set(rows.values_list("pk", flat=True))

    def test_is_everybody_who_is_active_when_nothing_is_asked(self, members: list[Member]) -> None:
        Member.objects.filter(pk=members[0].pk).update(status="frozen")

        assert self.meant() == {member.pk for member in members[1:]}

    def test_asks_for_tier_channel_store_and_birthday(self, members: list[Member]) -> None:
        gold = Tier.objects.order_by("level")[2]
        Membership.objects.filter(member=members[0]).update(tier=gold)
        Acquisition.objects.filter(member=members[1]).update(
            channel=Channel.objects.get(code="flyer")
        )
        elsewhere = make.member(at="SH002")
        Member.objects.filter(pk=members[2].pk).update(birthday="1999-06-30")

        assert self.meant(tiers=(gold.code,)) == {members[0].pk}
        assert self.meant(channels=("flyer",)) == {members[1].pk}
        assert self.meant(stores=("SH002",)) == {elsewhere.pk}
        assert self.meant(birthday_month=6) == {members[2].pk}
        assert self.meant(members=(members[3].public_id,)) == {members[3].pk}
        assert self.meant(tiers=(gold.code,), channels=("flyer",)) == set()
        assert self.meant(of_stores=(elsewhere.store_id,)) == {elsewhere.pk}

    def test_asks_when_members_joined(self) -> None:
        old = make.member(now=make.NOON - timedelta(days=30))
        new = make.member(now=make.NOON - timedelta(days=29))

        assert self.meant(joined_within_days=30) == {new.pk}
        assert self.meant(joined_before=new.joined_at) == {old.pk}

    def test_asks_when_members_came_last(self, members: list[Member]) -> None:
        lapsed, back, never = members[:3]
        long_ago = make.NOON - timedelta(days=60)
        make.paid(who=lapsed, now=long_ago)
        make.paid(who=back, now=long_ago)
        make.paid(who=back)

        assert self.meant(not_seen_for_days=60) == {lapsed.pk}
        assert never.pk not in self.meant(not_seen_for_days=1)

    def test_goes_through_a_job_unchanged(self, members: list[Member]) -> None:
        audience = Audience(
            tiers=("gold",),
            joined_before=make.NOON,
            members=(members[0].public_id,),
            of_stores=(1,),
        )

        assert audiences.from_json(audience.as_json()) == audience


class TestIssue:
    def test_gives_each_member_one_coupon(self, members: list[Member]) -> None:
        job = jobs.run(start().pk, now=make.NOON)

        assert holders() == [member.pk for member in members]
        assert (job.state, job.done, job.total) == ("done", 5, 5)
        assert job.result == {"issued": 5, "had_enough": 0}
        assert make.definition("WINBACK_6").issued_count == 5

    def test_goes_on_where_a_killed_worker_left_it(
        self, members: list[Member], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(issues, "SLICE", 2)
        job = start()

        assert jobs.advance(now=make.NOON)
        assert len(holders()) == 2
        jobs.run(job.pk, now=make.NOON)

        assert holders() == [member.pk for member in members]

    def test_done_anew_from_the_beginning_gives_nothing_twice(self, members: list[Member]) -> None:
        """As if the cursor had been lost: the unique key of source and member holds it."""
        make.definition("WINBACK_6", per_member_limit=9)
        job = jobs.run(start().pk, now=make.NOON)
        Job.objects.filter(pk=job.pk).update(state="waiting", cursor={}, finished_at=None)

        jobs.run(job.pk, now=make.NOON)

        assert holders() == [member.pk for member in members]
        assert make.definition("WINBACK_6").issued_count == 5

    def test_leaves_out_who_has_enough(self, members: list[Member]) -> None:
        make.coupon(members[0], "WINBACK_6")

        job = jobs.run(start().pk, now=make.NOON)

        assert job.result == {"issued": 4, "had_enough": 1}

    def test_stops_when_there_are_no_more(self, members: list[Member]) -> None:
        make.definition("WINBACK_6", total_limit=3)

        job = jobs.run(start().pk, now=make.NOON)

        assert len(holders()) == make.definition("WINBACK_6").issued_count == 3
        assert job.result["issued"] == 3

    def test_stops_when_it_is_paused(
        self, members: list[Member], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(issues, "SLICE", 2)
        job = start()
        jobs.advance(now=make.NOON)
        make.definition("WINBACK_6", status="paused")

        ended = jobs.run(job.pk, now=make.NOON)

        assert len(holders()) == 2
        assert ended.result == {
            "issued": 2,
            "had_enough": 0,
            "ended_by": "coupon-not-claimable",
        }

    def test_takes_as_many_statements_for_many_as_for_few(
        self, members: list[Member], django_assert_max_num_queries: Any
    ) -> None:
        job = start()

        with django_assert_max_num_queries(14):
            jobs.run(job.pk, now=make.NOON)


class TestOverHttp:
    def test_is_counted_then_queued_then_watched(self, members: list[Member]) -> None:
        office = make.staff(group="Head office")

        counted = office.post("/audiences/counts", {"stores": ["SH001"]}, key=None)
        queued = office.post(ISSUES, {"definition": "WINBACK_6", "audience": {"stores": ["SH001"]}})
        jobs.run(queued.json()["id"], now=timezone.now())
        job = office.get(f"/jobs/{queued.json()['id']}").json()

        told = counted.json()
        assert (told["members"], sum(told["tiers"].values())) == (5, 5)
        assert [each["store"] for each in told["sample"]] == ["SH001"] * 5
        assert set(told["sample"][0]) == {"tier", "store", "joined_on"}  # nothing of who they are
        assert queued.status_code == 202
        assert (job["state"], job["percent"], job["result"]["issued"]) == ("done", 100, 5)

    def test_is_counted_by_the_city_of_the_home_store(self, members: list[Member]) -> None:
        make.member(at="HZ001")
        office = make.staff(group="Head office")

        told = office.post("/audiences/counts", {"cities": ["杭州"]}, key=None).json()

        at_home = Member.objects.filter(store__city="杭州").count()
        assert (told["members"], told["sample"][0]["store"]) == (at_home, "HZ001")

    def test_of_one_reference_is_one_issue(self, members: list[Member]) -> None:
        office = make.staff(group="Head office")
        body = {"definition": "WINBACK_6", "audience": {}, "reference": "autumn"}

        ids = {office.post(ISSUES, body).json()["id"] for _each in range(2)}

        assert len(ids) == 1

    def test_reaches_members_of_ones_own_stores_only(self, members: list[Member]) -> None:
        elsewhere = make.member(at="SH002")
        manager = make.staff("SH002")

        queued = manager.post(ISSUES, {"definition": "WINBACK_6", "audience": {}})
        jobs.run(queued.json()["id"], now=timezone.now())

        assert holders() == [elsewhere.pk]

    def test_for_nobody_is_refused(self, members: list[Member]) -> None:
        office = make.staff(group="Head office")

        refused = office.post(ISSUES, {"definition": "WINBACK_6", "audience": {"tiers": ["none"]}})

        assert (refused.status_code, refused.json()["code"]) == (409, "audience-empty")
        assert not Job.objects.exists()
