"""The customer's story, over HTTP: money brings people, they stay, and they bring friends."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client

from campaigns import clicks
from shop.storefront import tasks
from tests import make
from tests.make import Api

pytestmark = pytest.mark.django_db

FLYER_CENTS, DOUYIN_CENTS = 20_000, 60_000
CUP_CENTS = 1_200


class Clock:
    """The wall clock of the story, in Shanghai; the product asks it through `timezone.now`."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 10, tzinfo=UTC)

    def set(self, month: int, day: int, hour: int = 12, minute: int = 0) -> None:
        """Move to a moment of 2026."""
        self.now = datetime(2026, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.now)
    return clock


class Guest:
    """Somebody with a phone: a browser that remembers, and later a membership."""

    def __init__(self, *, visitor: str = "") -> None:
        self.browser = Client(
            raise_request_exception=False, headers={"User-Agent": "MicroMessenger/8.0.42"}
        )
        if visitor:
            self.browser.cookies["visitor"] = visitor
        self.arrived_with: dict[str, str] = {}
        self.number = make.phone()
        self.phone = Api()
        self.id = ""

    def open(self, url: str) -> None:
        """Follow a link, and keep what it hands on to whoever joins."""
        target = urlsplit(url)
        answer = self.browser.get(f"{target.path}?{target.query}")
        query = parse_qs(urlsplit(answer["Location"]).query)
        self.arrived_with = {name: query[name][0] for name in ("link", "visitor")}

    def join(self, *, referral_code: str = "") -> None:
        """Prove the phone and become a member at SH001."""
        brought = {"referral_code": referral_code} if referral_code else {}
        assert self.sign_in(store="SH001", **self.arrived_with, **brought)["is_new"]

    def sign_in(self, **origin: str) -> dict[str, Any]:
        """Get a token for this phone; whoever has none yet becomes a member."""
        sent = Api().post("/auth/codes", {"phone": self.number}, key=None).json()
        body = {"phone": self.number, "code": sent["sandbox_code"]} | origin
        answer: dict[str, Any] = Api().post("/auth/tokens", body, key=None).json()
        self.phone = Api(answer["token"])
        self.id = answer["member"]["id"]
        return answer

    @property
    def coupons(self) -> list[str]:
        """Return the codes in the wallet."""
        return [coupon["code"] for coupon in self.phone.get("/me/coupons").json()["results"]]

    @property
    def points(self) -> int:
        """Return the points in the wallet; the token of the opening is too old by the end."""
        return int(self.sign_in()["member"]["points_balance"])

    @property
    def referral_code(self) -> str:
        """Return the code for friends."""
        self.sign_in()
        return str(self.phone.get("/me/referral-code").json()["code"])


class TillAtSH001:
    """The till, as its programmer sees the API: quote, settle at the quoted price, refund."""

    def __init__(self) -> None:
        self.api = make.till("SH001")
        self.count = 0

    def sell(self, guest: Guest | None = None, *, cups: int = 1, **basket: Any) -> dict[str, Any]:
        """Sell cups of MT01, and return the receipt."""
        line = {"product": "MT01", "quantity": cups, "options": make.MILK_TEA}
        body: dict[str, Any] = {"lines": [line]} | basket
        if guest is not None:
            body["member"] = guest.id
        quote = self.api.post("/quotes", body, key=None).json()
        self.count += 1
        order = body | {
            "expected_total_cents": quote["total_cents"],
            "pos_order_no": f"story-{self.count}",
        }
        answer = self.api.post("/pos/settle", order)
        assert answer.status_code == 201, answer.json()
        receipt: dict[str, Any] = answer.json()
        return receipt

    def give_back(self, receipt: dict[str, Any], **what: Any) -> None:
        """Refund an order, or a part of it."""
        number = receipt["order"]["number"]
        assert self.api.post(f"/orders/{number}/refunds", what).status_code == 201


class Story:
    """Everybody in it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.hq = make.staff(group="Head office")
        self.analyst = make.report_reader()
        self.till = TillAtSH001()
        self.flyer: list[Guest] = []
        self.douyin: list[Guest] = []
        self.friends: list[Guest] = []

    def spend(self) -> None:
        """10 to 17 May: head office makes a campaign with two links; money goes into them."""
        campaign = {
            "code": "opening-sh001",
            "name_zh": "开业",
            "name_en": "Opening",
            "status": "active",
            "starts_at": "2026-05-10T00:00:00+08:00",
            "stores": ["SH001"],
        }
        assert self.hq.post("/campaigns", campaign).status_code == 201
        self.links = {channel: self._link(channel) for channel in ("flyer", "douyin")}
        self.clock.set(5, 17)
        rows = [
            {
                "link": self.links["flyer"]["code"],
                "cost_cents": FLYER_CENTS,
                "estimated_reach": 500,
            },
            {
                "link": self.links["douyin"]["code"],
                "cost_cents": DOUYIN_CENTS,
                "estimated_reach": 9_000,
                "impressions": 12_000,
                "clicks": 300,
            },
        ]
        dated = {"rows": [row | {"date": "2026-05-17"} for row in rows]}
        assert self.analyst.post("/daily-costs", dated).json() == {"created": 2, "updated": 0}

    def reach(self) -> None:
        """17 May: eight people scan a flyer; twelve see the ad, seven of them tap on it."""
        self.flyer = [Guest() for _ in range(8)]
        for guest in self.flyer:
            guest.open(self.links["flyer"]["qr_url"])
        visitors = [f"douyin-visitor-{number:04d}" for number in range(12)]
        self.douyin = [Guest(visitor=visitor) for visitor in visitors]
        seen = [
            {
                "event_id": str(uuid4()),
                "kind": "impression",
                "link": self.links["douyin"]["code"],
                "visitor": visitor,
                "occurred_at": self.clock.now.isoformat(),
            }
            for visitor in visitors
        ]
        for _retry in range(2):  # the platform did not hear our answer, and sends them again
            self.analyst.post("/touches", {"events": seen}, key=None)
        self.clock.set(5, 17, 13)
        for guest in self.douyin[:7]:
            guest.open(self.links["douyin"]["url"])
        clicks.flush_now()

    def open(self) -> None:
        """18 to 20 May: eleven join, ten buy, one of the eleven takes everything back."""
        self.clock.set(5, 18)
        regular, devoted, spiller, neighbour, once, unhappy = self.flyer[:6]
        for guest in self.flyer[:6]:
            guest.join()
        receipt = self.till.sell(regular, cups=2, coupons=regular.coupons)
        assert receipt["order"]["discount_cents"] == CUP_CENTS
        assert receipt["order"]["pickup_code"] == "A001"
        for guest in (devoted, spiller, neighbour, once):
            self.till.sell(guest)
        self.till.give_back(self.till.sell(unhappy))
        self.till.sell()  # a guest who stays unknown
        self.clock.set(5, 19)
        for guest in self.douyin[:3]:
            guest.join()
            self.till.sell(guest)
        self.clock.set(5, 21, 1, 30)  # after midnight it is still the third day
        for guest in self.douyin[3:5]:
            guest.join()
            self.till.sell(guest)

    def come_back(self) -> None:
        """25 May to 6 June: six come again, two of them so often that they stay."""
        regular, devoted, spiller, neighbour = self.flyer[:4]
        self.clock.set(5, 25)
        for guest in (regular, devoted, neighbour, *self.douyin[:2]):
            self.till.sell(guest)
        two_cups = self.till.sell(spiller, cups=2)
        self.till.give_back(two_cups, lines=[{"line": 1, "quantity": 1}])
        for day in (1, 6):
            self.clock.set(6, day)
            self.till.sell(regular)
            self.till.sell(devoted)
        self.clock.set(6, 25)
        self.till.sell(self.douyin[2])  # on the 37th day: again, but not within thirty

    def bring_friends(self) -> None:
        """26 June to 10 July: the two bring three friends; the points come after a week."""
        regular, devoted = self.flyer[:2]
        self.clock.set(6, 26)
        regulars_code = regular.referral_code
        for code in (regulars_code, regulars_code, devoted.referral_code):
            friend = Guest()
            friend.join(referral_code=code)
            self.till.sell(friend)
            self.friends.append(friend)
        self.clock.set(7, 4)
        tasks.release_pending_points()
        self.clock.set(7, 10)
        receipt = self.till.sell(regular, points=100)
        assert receipt["order"]["paid_cents"] == CUP_CENTS - 200

    def _link(self, channel: str) -> dict[str, Any]:
        body = {"label": channel, "channel": channel, "store": "SH001", "campaign": "opening-sh001"}
        answer = self.hq.post("/channel-links", body)
        assert answer.status_code == 201, answer.json()
        link: dict[str, Any] = answer.json()
        return link


@pytest.fixture
def story(clock: Clock) -> Story:
    """The whole story, told to its end."""
    story = Story(clock)
    story.spend()
    story.reach()
    story.open()
    story.come_back()
    story.bring_friends()
    return story


def test_the_opening_in_numbers(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    report = story.analyst.get("/reports/opening-funnel", store="SH001").json()

    assert [(stage["stage"], stage["people"]) for stage in report["stages"]] == [
        ("reached", 20),
        ("scanned", 15),
        ("joined", 11),
        ("first_order", 10),
        ("second_order", 6),
        ("long_term", 2),
        ("referrer", 2),
    ]
    _what_it_cost(report)
    _what_each_channel_brought(report)
    _who_has_how_many_points(story)
    _what_the_days_sold(story)
    _what_the_channels_earned(story)

    call_command("check_invariants")
    assert json.loads(capsys.readouterr().out)["ok"] is True


def _what_it_cost(report: dict[str, Any]) -> None:
    assert (report["cost_cents"], report["reached_estimated"]) == (80_000, 9_500)
    assert [stage["cost_per_person_cents"] for stage in report["stages"]] == [
        4_000,
        5_333,
        7_273,
        8_000,
        13_333,
        40_000,
        40_000,
    ]
    assert report["stages"][3]["rate_of_first"] == 0.5  # of all who were reached, half have bought
    assert report["stages"][4]["rate_of_previous"] == 0.6
    assert report["stages"][5]["rate_of_previous"] == 0.3333


def _what_each_channel_brought(report: dict[str, Any]) -> None:
    channels = {row["channel"]: row for row in report["channels"]}

    assert _people(channels["flyer"]) == [8, 8, 6, 5, 4, 2, 2]
    assert _people(channels["douyin"]) == [12, 7, 5, 5, 2, 0, 0]
    assert _people(channels["organic"]) == _people(channels["referral"]) == [0] * 7
    assert [stage["cost_per_person_cents"] for stage in channels["douyin"]["stages"]] == [
        5_000,
        8_571,
        12_000,
        12_000,
        30_000,
        None,
        None,
    ]
    # The regular: 4 × 12.00 and once 10.00; the devoted 4 × 12.00; the spiller 12.00 and one of two
    # cups; the neighbour 2 × 12.00; once 12.00. Douyin's five: 3 + 5 cups of 12.00.
    revenue = {channel: row["revenue_cents"] for channel, row in channels.items()}
    assert revenue == {"flyer": 16_600, "douyin": 9_600, "organic": 0, "referral": 0}
    assert channels["flyer"]["friends_referred"] == report["friends_referred"] == 3
    assert report["friends"] == [{"channel": "referral", "people": 3}]


def _who_has_how_many_points(story: Story) -> None:
    regular, devoted, spiller = story.flyer[:3]

    assert regular.points == 4 * 12 + 2 * 50 - 100 + 10
    assert devoted.points == 4 * 12 + 50
    assert spiller.points == 12 + 24 - 12
    assert story.flyer[5].points == 0
    assert [friend.points for friend in story.friends] == [12 + 20] * 3


def _what_the_days_sold(story: Story) -> None:
    answer = story.analyst.get(
        "/reports/daily", store="SH001", since="2026-05-18", until="2026-05-21"
    )

    rows = [
        (row["orders"], row["refunds"], row["revenue_cents"], row["new_members"])
        for row in answer.json()["rows"]
    ]
    assert rows == [
        (7, 1, 6 * CUP_CENTS, 6),
        (3, 0, 3 * CUP_CENTS, 3),
        (2, 0, 2 * CUP_CENTS, 2),
    ]


def _what_the_channels_earned(story: Story) -> None:
    answer = story.analyst.get(
        "/reports/channels", store="SH001", since="2026-05-10", until="2026-08-01"
    )
    rows = {row["channel"]: row for row in answer.json()["rows"]}

    assert (rows["douyin"]["cac_cents"], rows["douyin"]["cpc_cents"]) == (12_000, 200)
    assert (rows["referral"]["joined"], rows["referral"]["first_buyers"]) == (3, 3)
    assert rows["referral"]["revenue_cents"] == 3 * CUP_CENTS
    # After thirty days without a touch nobody but the tea gets the credit: the regular's last cup,
    # and that of the one who came back on the 37th day.
    assert rows["organic"]["revenue_cents"] == 1_000 + CUP_CENTS
    assert rows["flyer"]["revenue_cents"] == 16_600 - 1_000
    assert rows["flyer"]["roas"] == 0.78


def _people(row: dict[str, Any]) -> list[int]:
    return [stage["people"] for stage in row["stages"]]
