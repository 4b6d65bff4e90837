"""Where a member came from, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from campaigns import referrals
from shop.models import Member
from tests import make

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def shown(who: Member) -> Any:
    return make.staff("SH001").get(f"/members/{who.public_id}/acquisition").json()


class TestAcquisition:
    def test_tells_first_and_last_touch_and_stays_when_others_follow(self) -> None:
        douyin, flyer = make.link("douyin"), make.link("flyer")
        make.touch(douyin, "Li", now=make.NOON - 2 * HOUR)
        make.touch(flyer, "Li", now=make.NOON - HOUR)
        who = make.member(visitor_id="Li")
        before = shown(who)
        make.touch(douyin, "Li", now=make.NOON + HOUR)

        assert (before["channel"], before["referrer"]) == ("flyer", None)
        assert before["first_link"]["code"] == douyin.code
        assert before["last_link"] == {
            "code": flyer.code,
            "name": flyer.label,
            "channel": "flyer",
            "campaign": None,
        }
        assert shown(who) == before

    def test_names_the_friend_who_outweighs_every_link(self) -> None:
        friend = make.member()
        make.touch(make.link("flyer"), "Wang", now=make.NOON - HOUR)
        code = referrals.code_of(friend, now=make.NOON).code

        found = shown(make.member(visitor_id="Wang", referral_code=code))

        assert (found["channel"], found["last_link"]) == ("referral", None)
        assert found["referrer"] == str(friend.public_id)
        assert found["first_link"]["channel"] == "flyer"
