"""Ad platforms: clicks they report, results they are told, and consent, without which none are."""

import hashlib
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import ad_accounts, ad_uploads, click_reports, clicks
from campaigns.models import AdAccount, AdClick, AdUnit, AdUpload, ChannelLink, Touch
from shop.config.sandbox.server import LOSE, REFUSE, Sandbox
from shop.kernel import outbox
from shop.models import Consent, Member
from shop.refunds import RefundRequest
from shop.storefront import departures, refunds
from tests import make
from tests.campaigns import partnership

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
AD = Consent.Purpose.AD_MEASUREMENT


def brought(platform: str = "tencent", click_id: str = "click-0001", **fields: Any) -> Member:
    """Return a new member who agreed, and whose mini-program named the click that brought them."""
    who = make.member(**fields)
    make.agreed(who)
    ad_uploads.claim_click(who, platform=platform, click_id=click_id, now=who.joined_at)
    return who


def deliver() -> None:
    outbox.relay(now=make.NOON + MINUTE)


def send(*, later: timedelta = MINUTE) -> list[AdUpload]:
    """Send all that is due, and return every upload as it stands."""
    silent: set[int] = set()
    while upload := ad_uploads.send_next(now=make.NOON + later, but_not=silent):
        if ad_uploads.had_no_answer(upload):
            silent.add(upload.click.account_id)
    return list(AdUpload.objects.order_by("pk"))


def report_of(ours: AdAccount, where: ChannelLink, /, **filled: str) -> Any:
    """Have the platform fill in its macros and report a click, as the console's address says."""
    url = urlsplit(ad_accounts.click_report_url(ours, where.code))
    return Client().get(url.path, dict(parse_qsl(url.query)) | filled)


class TestClickReport:
    def test_is_taken_once_and_becomes_one_touch(self) -> None:
        ours, link = make.ad_account(), make.link("douyin")
        told = {"click_id": "wx00abcd", "adgroup_id": "778", "click_time": "1763971200"}

        answers = [report_of(ours, link, **told) for _ in range(3)]
        click = AdClick.objects.get()
        soon = click_reports.settle(now=click.reported_at + MINUTE)  # type: ignore[operator]
        later = [
            click_reports.settle(now=click.reported_at + 11 * MINUTE)  # type: ignore[operator]
            for _ in range(2)
        ]

        assert [answer.json()["ret"] for answer in answers] == [0, 0, 0]
        assert (soon, later) == (0, [1, 0])
        touch = Touch.objects.get()
        assert (touch.ad_platform, touch.ad_click_id, touch.kind) == (
            "tencent",
            "wx00abcd",
            "click",
        )
        assert touch.visitor_id == click_reports.visitor_of(click)
        assert AdUnit.objects.get(external_id="778").link == link

    def test_of_an_ad_that_leads_to_our_link_is_counted_there(self) -> None:
        ours, link = make.ad_account(), make.link("douyin")

        report_of(ours, link, click_id="wx00abcd")
        Client(headers={"User-Agent": "Mozilla/5.0 (iPhone)"}).get(
            f"/t/{link.code}", {"gdt_vid": "wx00abcd"}
        )
        clicks.flush_now()
        click = AdClick.objects.get()
        made = click_reports.settle(now=click.reported_at + 11 * MINUTE)  # type: ignore[operator]

        assert made == 0
        assert Touch.objects.get().ad_click_id == "wx00abcd"

    def test_reads_what_ocean_engine_fills_in(self) -> None:
        ours, link = make.ad_account("oceanengine"), make.link("douyin")

        report_of(ours, link, callback="EJiw267wvfQCGKf2g74Z", ts="1763971200000")

        assert AdClick.objects.get().click_id == "EJiw267wvfQCGKf2g74Z"

    def test_is_refused_without_the_key_and_with_macros_left_unfilled(self) -> None:
        ours, link = make.ad_account(), make.link("douyin")

        statuses = [
            report_of(ours, link, click_id="wx00abcd", key="wrong").status_code,
            report_of(ours, link, click_id="wx00abcd", account="nobody").status_code,
            report_of(ours, link).status_code,
            report_of(ours, link, click_id="wx00abcd", link="NOPE").status_code,
        ]
        ad_accounts.renew_click_key(ours)

        assert statuses == [404, 404, 400, 400]
        assert not AdClick.objects.exists()


class TestTencentUpload:
    def test_tells_of_registration_first_order_and_refund_once(self, sandbox: Sandbox) -> None:
        make.ad_account()
        who = brought()
        receipt = make.paid(who=who)
        make.paid(who=who)  # later orders are not told unless the account says so
        deliver()
        send()
        refunds.refund_order(
            number=receipt.order.number, request=RefundRequest(), actor="test", now=make.NOON
        )
        deliver()
        sent = send()
        again = send(later=timedelta(days=2))

        assert [upload.state for upload in sent] == ["sent"] * 3
        assert [upload.attempts for upload in again] == [1, 1, 1]
        told = list(sandbox.ads.taken.values())
        assert [action["action_type"] for action in told] == ["REGISTER", "PURCHASE", "RE_FUND"]
        assert {action["trace"]["click_id"] for action in told} == {"click-0001"}
        assert [action.get("action_param", {}).get("value") for action in told] == [
            None,
            1200,
            1200,
        ]
        assert all("user_id" not in action for action in told)

    def test_sends_a_hashed_phone_only_to_whom_and_of_whom_it_may(self, sandbox: Sandbox) -> None:
        make.ad_account(sends_phone_hash=True)
        shy, open_minded = brought(), brought(click_id="click-0002")
        make.agreed(open_minded, Consent.Purpose.AD_PHONE_MATCH)

        deliver()
        send()

        told = {one["trace"]["click_id"]: one.get("user_id") for one in sandbox.ads.taken.values()}
        number = open_minded.phone.removeprefix("+86")
        assert told == {
            "click-0001": None,
            "click-0002": {"sha256_phone": hashlib.sha256(number.encode()).hexdigest()},
        }
        assert shy.phone not in str(told)


class TestOceanEngineUpload:
    def test_names_the_callback_and_tells_no_refund(self, sandbox: Sandbox) -> None:
        make.ad_account("oceanengine")
        receipt = make.paid(who=brought("oceanengine"))
        refunds.refund_order(
            number=receipt.order.number, request=RefundRequest(), actor="test", now=make.NOON
        )
        deliver()
        send()

        told = list(sandbox.ads.taken.values())
        assert [body["event_type"] for body in told] == ["active_register", "active_pay"]
        assert {body["context"]["ad"]["callback"] for body in told} == {"click-0001"}
        assert told[1]["properties"] == {"pay_amount": 1200}
        assert told[1]["timestamp"] == int(make.NOON.timestamp() * 1000)


class TestTroubles:
    def test_are_waited_out_and_a_lost_answer_counts_once(self, sandbox: Sandbox) -> None:
        make.ad_account()
        brought()
        deliver()
        sandbox.trouble("/user_actions/add", REFUSE, LOSE)

        (first,) = send()
        (second,) = send(later=2 * MINUTE)
        (third,) = send(later=10 * MINUTE)

        assert [first.state, second.state, third.state] == ["waiting", "waiting", "sent"]
        assert "503" in first.platform_message
        assert sandbox.ads.times == {f"huigan_{third.pk}": 2}
        assert len(sandbox.ads.taken) == 1

    def test_end_after_a_day_and_begin_again_when_asked(self, sandbox: Sandbox) -> None:
        make.ad_account()
        brought()
        deliver()
        sandbox.trouble("/user_actions/add", *[REFUSE] * 9)

        for hours in range(0, 20 * 9, 20):
            (upload,) = send(later=timedelta(hours=hours + 1))
        retried = ad_uploads.retry([upload.pk], now=make.NOON)
        (after,) = send()

        assert (upload.state, upload.attempts, retried, after.state) == ("dead", 9, 1, "sent")

    def test_of_ones_own_making_are_kept_with_the_platforms_reason(self, sandbox: Sandbox) -> None:
        make.ad_account()
        brought()
        deliver()
        sandbox.ads.refuse_next(18001, "click_id不存在")

        (refused,) = send()
        office = make.staff(group="Head office")
        page = office.client.get(reverse("admin:campaigns_adupload_changelist")).content.decode()
        office.client.post(
            reverse("admin:campaigns_adupload_retry_one", args=[refused.pk]),
            {"_form_submitted": "on"},
        )
        (after,) = send(later=timedelta(days=999))

        assert (refused.state, refused.platform_code) == ("refused", "18001")
        assert "click_id不存在" in page
        assert after.state == "sent"

    def test_with_a_refused_order_keep_its_refund_back(self, sandbox: Sandbox) -> None:
        make.ad_account(sends_registrations=False)
        receipt = make.paid(who=brought())
        deliver()
        sandbox.ads.refuse_next(18001, "no")
        send()
        refunds.refund_order(
            number=receipt.order.number, request=RefundRequest(), actor="test", now=make.NOON
        )
        deliver()

        _order, refund = send()

        assert (refund.state, refund.platform_code) == ("refused", "order-not-told")
        assert not sandbox.ads.taken


class TestConsent:
    def test_is_what_nothing_is_told_without(self, sandbox: Sandbox) -> None:
        make.ad_account()
        silent = make.member()
        ad_uploads.claim_click(silent, platform="tencent", click_id="click-0009", now=make.NOON)
        make.paid(who=silent)
        deliver()
        make.agreed(silent)  # long after: what was before stays untold
        make.paid(who=silent)

        assert not AdUpload.objects.exists()

    def test_taken_back_stops_what_waits(self, sandbox: Sandbox) -> None:
        make.ad_account(sends_orders=True)
        who = brought()
        phone = make.phone_of(who)
        deliver()
        send()
        make.paid(who=who)
        deliver()

        said = phone.post(
            "/me/consents", {"purpose": AD, "is_given": False, "version": "2"}
        ).json()["results"]
        make.paid(who=who)
        deliver()
        uploads = send()

        assert {one["purpose"]: one["is_given"] for one in said}[AD] is False
        assert [upload.state for upload in uploads] == ["sent", "withdrawn"]
        assert len(sandbox.ads.taken) == 1
        assert Consent.objects.count() == 2

    def test_given_a_moment_after_joining_tells_of_it(self, sandbox: Sandbox) -> None:
        make.ad_account()
        who = make.member()
        phone = make.phone_of(who)
        Member.objects.filter(pk=who.pk).update(joined_at=make.NOON)

        phone.post("/me/ad-clicks", {"platform": "tencent", "click_id": "click-0001"})
        AdClick.objects.update(clicked_at=make.NOON)
        make.agreed(who)
        deliver()

        assert [upload.event for upload in send()] == ["registration"]

    def test_goes_with_the_member(self, sandbox: Sandbox) -> None:
        make.ad_account()
        who = brought()
        deliver()

        departures.erase_member(who, reason="asked", actor="test", now=make.NOON)

        assert [upload.state for upload in send()] == ["withdrawn"]
        assert AdClick.objects.get().click_id.startswith("erased-")


class TestClickOfAMember:
    def test_stays_the_first_ones(self) -> None:
        make.ad_account()
        first, second = make.phone_of(make.member()), make.phone_of(make.member())
        named = {"platform": "tencent", "click_id": "click-0001"}

        mine = [first.post("/me/ad-clicks", named).json() for _ in range(2)]
        theirs = second.post("/me/ad-clicks", named).json()

        assert [*mine, theirs] == [{"is_yours": True}, {"is_yours": True}, {"is_yours": False}]

    def test_is_known_by_the_link_they_came_through(self, sandbox: Sandbox) -> None:
        make.ad_account()
        link = make.link("douyin")
        phone = Client(headers={"User-Agent": "Mozilla/5.0 (iPhone)"})
        phone.get(f"/t/{link.code}", {"gdt_vid": "wx00abcd"})
        clicks.flush_now()
        Touch.objects.update(occurred_at=make.NOON - MINUTE)

        who = make.member(visitor_id=phone.cookies["visitor"].value)
        make.agreed(who)
        deliver()
        (upload,) = send()

        assert upload.click.click_id == "wx00abcd"
        assert upload.click.link == link
        assert next(iter(sandbox.ads.taken.values()))["url"].endswith(f"/t/{link.code}")

    def test_that_nobody_makes_are_refused(self) -> None:
        make.ad_account()
        phone = make.phone_of(make.member())

        bad = phone.post("/me/ad-clicks", {"platform": "tencent", "click_id": "no spaces"})
        nowhere = phone.post("/me/ad-clicks", {"platform": "oceanengine", "click_id": "abcd1234"})
        many = [
            phone.post("/me/ad-clicks", {"platform": "tencent", "click_id": f"click-{n:04}"})
            for n in range(21)
        ]

        assert (bad.status_code, nowhere.status_code) == (400, 404)
        assert [answer.status_code for answer in many][-2:] == [200, 429]


class TestAccount:
    def test_shows_its_token_to_nobody(self) -> None:
        office = make.staff(group="Head office").client
        make.link("douyin")
        form = {
            "name": "腾讯",
            "code": "ours",
            "platform": "tencent",
            "external_id": "1",
            "action_set_id": "2",
            "token": "very-secret-token",
            "is_active": "on",
        }

        office.post(reverse("admin:campaigns_adaccount_add"), form)
        made = AdAccount.objects.get()
        page = office.get(reverse("admin:campaigns_adaccount_change", args=[made.pk]))
        manager = make.staff("SH001").client
        hidden = manager.get(reverse("admin:campaigns_adaccount_change", args=[made.pk]))

        assert ad_accounts.credentials(made).token == "very-secret-token"
        assert b"very-secret-token" not in bytes(made.sealed_token)
        assert "very-secret-token" not in page.content.decode()
        assert "__CLICK_ID__" in page.content.decode()
        assert hidden.status_code in {302, 403}

    def test_of_an_agency_uses_the_access_that_is_stored_with_it_and_told_to_nobody(self) -> None:
        office = make.staff(group="Head office")
        agency = partnership.partner("agency", code="mediahouse")
        ours = make.ad_account("oceanengine", agency=agency)
        ours.sealed_token = b""
        ours.save()
        access = {"provider": "oceanengine", "account": "17", "secret": "very-secret-token"}
        where = "/partners/mediahouse/credentials"

        answers = [office.post(where, access, key=None) for _ in range(2)]
        listed = office.get(where)
        page = office.client.get(reverse("admin:campaigns_partner_change", args=[agency.pk]))
        found = ad_accounts.credentials(ours).token
        gone = [office.post(f"{where}/oceanengine/removal", key=None) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert [row["account"] for row in listed.json()["results"]] == ["17"]
        said = [answer.content.decode() for answer in [*answers, listed, page]]
        assert not any("very-secret-token" in each for each in said)
        assert found == "very-secret-token"
        assert [answer.status_code for answer in gone] == [204, 404]
        assert ad_accounts.credentials(ours).token == ""


class TestReports:
    def test_show_uploads_by_state_and_claims_beside_ours(self, sandbox: Sandbox) -> None:
        make.ad_account()
        link = make.link("douyin")
        make.touch(link, "visitor-known-0001", kind="click", now=make.NOON - MINUTE)
        make.touch(link, "visitor-alone-0001", kind="click", now=make.NOON - MINUTE)
        who = brought(visitor_id="visitor-known-0001")
        make.paid(who=who)
        deliver()
        sandbox.ads.refuse_next(18001, "no")
        send()
        reader = make.report_reader()
        day = make.NOON.date()
        claimed = {"claimed_conversions": 3, "claimed_value_cents": 2400, "estimated_reach": 900}
        row = {"link": link.code, "date": f"{day}", "cost_cents": 5000, **claimed}
        reader.post("/daily-costs", {"rows": [row]})
        period = {"since": f"{day - timedelta(days=1)}", "until": f"{day + timedelta(days=2)}"}

        uploads = reader.get("/reports/ad-uploads", **period).json()["rows"]
        (claim,) = reader.get("/reports/claimed-conversions", **period).json()["rows"]
        refused = reader.get("/ad-uploads", state="refused", platform="tencent").json()["results"]
        none = reader.get("/ad-uploads", event="order").json()["results"]
        reader.headers["Accept"] = "text/csv"
        first_page = reader.get("/ad-uploads", page_size=1)

        assert [(row["event"], row["sent"], row["refused"]) for row in uploads] == [
            ("first_order", 1, 0),
            ("registration", 0, 1),
        ]
        assert [(row["event"], row["platform_code"]) for row in refused] == [
            ("registration", "18001")
        ]
        assert none == []
        assert first_page.content.decode("utf-8-sig").splitlines()[0].startswith("id,platform,")
        assert 'rel="next"' in first_page["Link"]
        assert (claim["claimed_conversions"], claim["orders"], claim["conversions_ratio"]) == (
            3,
            1,
            3.0,
        )
        assert (claim["claimed_value_cents"], claim["revenue_cents"], claim["value_ratio"]) == (
            2400,
            1200,
            2.0,
        )
        people = ("estimated_reach", "anonymous_visitors", "identified_members")
        assert [claim[name] for name in people] == [900, 1, 1]
