"""Ad platforms, raced: each click, each result and each call once."""

from datetime import timedelta
from functools import partial

from campaigns import ad_uploads, click_reports, costs
from campaigns.cost_rows import CostRow
from campaigns.models import AdClick, AdUpload, ChannelLink, DailyCost
from shop.config.sandbox.server import STALL, Sandbox
from shop.kernel.money import Cents
from tests import make
from tests.concurrency.crowd import at_once, outcomes

LATER = make.NOON + timedelta(minutes=1)


class TestClick:
    def test_reported_by_many_is_one(self) -> None:
        """The unique (platform, click id)."""
        ours, link = make.ad_account(), make.link("douyin")
        report = partial(
            click_reports.report,
            ours,
            link_code=link.code,
            query={"click_id": "click-0001"},
            now=make.NOON,
        )

        found = at_once([report] * 8)

        assert len({click.pk for click in found}) == AdClick.objects.count() == 1

    def test_named_by_two_members_is_one_s(self) -> None:
        """The guarded update of a click without a member."""
        make.ad_account()
        people = [make.member() for _ in range(4)]

        named = at_once(
            [
                partial(
                    click_reports.claim,
                    who,
                    platform="tencent",
                    click_id="click-0001",
                    now=make.NOON,
                )
                for who in people
            ]
        )

        owner = AdClick.objects.get().member
        assert [click.member for click in named] == [owner] * 4


class TestUpload:
    def test_written_down_by_many_is_one(self) -> None:
        """The unique (click, event); peer bug: an order told twice is paid for twice."""
        make.ad_account()
        who = make.agreed(make.member())
        click_reports.claim(who, platform="tencent", click_id="click-0001", now=make.NOON)

        said = at_once([partial(ad_uploads.report_registration, who, now=make.NOON)] * 8)

        assert sorted(said) == [False] * 7 + [True]
        assert AdUpload.objects.count() == 1

    def test_sent_by_many_is_sent_once(self, sandbox: Sandbox) -> None:
        """The skipping row lock and the lease; without them every sender makes the same calls."""
        make.ad_account()
        for number in range(4):
            who = make.agreed(make.member())
            ad_uploads.claim_click(
                who, platform="tencent", click_id=f"click-{number:04}", now=make.NOON
            )
        sandbox.trouble("/user_actions/add", *[STALL] * 4)

        def send() -> int:
            sent = 0
            while ad_uploads.send_next(now=LATER):
                sent += 1
            return sent

        assert sum(at_once([send] * 4)) == 4
        assert sorted(sandbox.ads.times.values()) == [1, 1, 1, 1]
        assert set(AdUpload.objects.values_list("state", flat=True)) == {"sent"}


class TestCosts:
    def test_in_all_and_by_keyword_at_once_keep_one_of_the_two(self) -> None:
        """The lock on the link; without it both look before either has written."""
        link = make.link()

        def enter(keyword: str) -> None:
            row = CostRow(
                link=link.code, date=make.NOON.date(), keyword=keyword, cost_cents=Cents(1)
            )
            costs.upsert([row], links={link.code: ChannelLink.objects.get(pk=link.pk)})

        said = outcomes([partial(enter, word) for word in ("", "茶", "", "奶茶")])

        words = set(DailyCost.objects.filter(link=link).values_list("keyword", flat=True))
        assert words in ({""}, {"茶", "奶茶"})
        assert said["costs-counted-twice"] == 2
