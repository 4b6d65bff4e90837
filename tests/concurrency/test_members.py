"""People at the door: one phone is one member, one code is one sign-in."""

from collections import Counter
from functools import partial

from django.utils import timezone

from campaigns.models import Acquisition, Conversion
from loyalty.models import Membership, PointsAccount
from shop import members
from shop.models import LoginCode, Member, MemberSession
from tests import make
from tests.concurrency.crowd import answers, at_once, outcomes
from tests.make import Api

PHONE = "+8613800138000"


class TestJoining:
    def test_with_one_phone_makes_one_member_of_twenty(self) -> None:
        """The unique hash of the phone among the living; without it one person has two wallets.

        Peer bug 22.
        """
        till = make.till()

        said = answers([partial(till.post, "/members", {"phone": "13800138000"})] * 20)

        assert said == {"201": 1, "409 member-exists": 19}
        assert Member.objects.count() == Membership.objects.count() == 1
        assert PointsAccount.objects.count() == 2
        assert Acquisition.objects.count() == Conversion.objects.count() == 1

    def test_at_the_till_and_on_the_phone_makes_one_member(self) -> None:
        """The same guard, from two doors: whoever comes second signs in to what the first made."""
        till, phone = make.till(), Api()
        code = members.new_login_code(phone=PHONE, now=timezone.now())

        said = answers(
            [
                partial(till.post, "/members", {"phone": PHONE}),
                partial(phone.post, "/auth/tokens", {"phone": PHONE, "code": code}),
            ]
        )

        assert said in ({"201": 2}, {"201": 1, "409 member-exists": 1})
        assert Member.objects.count() == MemberSession.objects.count() == 1


class TestLoginCode:
    def test_is_sent_once_however_often_it_is_asked_for_at_once(self) -> None:
        """The lock on the phone in `members.new_login_code`; without it every request of a burst
        sends a message that somebody pays for. Peer bug 50.
        """
        phone = Api()

        said = answers([partial(phone.post, "/auth/codes", {"phone": PHONE})] * 10)

        assert said == {"202": 1, "429 rate-limited": 9}
        assert LoginCode.objects.count() == 1

    def test_signs_in_once(self) -> None:
        """The row lock on the code; without it a stolen look at the code is a second session."""
        phone = Api()
        make.member(phone=PHONE)
        code = members.new_login_code(phone=PHONE, now=timezone.now())

        said = answers([partial(phone.post, "/auth/tokens", {"phone": PHONE, "code": code})] * 8)

        assert said == {"201": 1, "401 login-code-wrong": 7}
        assert MemberSession.objects.count() == 1

    def test_is_burnt_by_five_wrong_tries_at_once(self) -> None:
        """The same row lock; without it a burst of guesses counts as one. Peer bug 50."""
        phone = Api()
        make.member(phone=PHONE)
        code = members.new_login_code(phone=PHONE, now=timezone.now())
        wrong = [f"{guess:06d}" for guess in range(6) if f"{guess:06d}" != code][:5]

        tried = answers(
            [
                partial(phone.post, "/auth/tokens", {"phone": PHONE, "code": guess})
                for guess in wrong
            ]
        )
        late = phone.post("/auth/tokens", {"phone": PHONE, "code": code})

        assert tried == {"401 login-code-wrong": 5}
        assert LoginCode.objects.get().attempts == 5
        assert late.status_code == 401


class TestMemberCode:
    def test_shown_at_the_till_works_once(self) -> None:
        """The guarded update of `used_at`; without it a photographed code works again."""
        till = make.till()
        code = members.new_member_code(make.member(), now=timezone.now()).code

        said = answers([partial(till.post, "/members/lookup", {"member_code": code})] * 10)

        assert said == {"200": 1, "404 not-found": 9}


class TestReferralCode:
    def test_asked_for_many_times_at_once_is_the_same(self) -> None:
        """The primary key by member; a lost race reads what the winner wrote."""
        phone = make.phone_of(make.member())

        given = at_once([partial(phone.get, "/me/referral-code")] * 8)

        assert {response.status_code for response in given} == {200}
        assert len({response.json()["code"] for response in given}) == 1


class TestFriendsOfOneMember:
    def test_may_all_join_in_the_same_moment(self) -> None:
        """Nothing of the referrer is locked by joining."""
        referrer = make.member()

        said = outcomes([partial(make.referred, referrer)] * 8)

        assert Counter(said) == {"done": 8}
        assert Acquisition.objects.filter(referrer=referrer).count() == 8
