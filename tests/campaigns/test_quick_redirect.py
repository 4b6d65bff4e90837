"""The redirect in front of Django: the same answer, or none."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from campaigns import clicks
from campaigns.api.click_server import ClickServer
from campaigns.models import ChannelLink, Touch
from tests import make
from tests.campaigns.test_redirect import CRAWLER, WECHAT

pytestmark = pytest.mark.django_db

KNOWN = "known-visitor-0001"
Answer = tuple[str, dict[str, str]]


@pytest.fixture(autouse=True)
def _no_links_of_other_tests() -> Iterator[None]:
    clicks.forget_links()
    yield
    clicks.forget_links()


def ask(path: str, *, query: str = "", method: str = "GET", **headers: str) -> Answer | None:
    """Return status and headers by the quick way; None where Django is asked instead."""
    said: list[Any] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "HTTP_USER_AGENT": WECHAT,
    } | headers

    def hand_on(_environ: Any, _start: Any) -> list[bytes]:
        return [b"Django"]

    body = ClickServer(hand_on)(environ, lambda *answer: said.append(answer))  # type: ignore[arg-type,return-value]
    return None if list(body) == [b"Django"] else (said[0][0], dict(said[0][1]))


@pytest.mark.parametrize(
    "query", ["", "via=qr", "ref=ABC234&coupon=TEA-2026", "gdt_vid=wx0abc&utm_source=x&ref=%00"]
)
def test_leads_a_known_visitor_where_django_does(query: str) -> None:
    link, guest = make.link(), Client(headers={"User-Agent": WECHAT})
    guest.cookies["visitor"] = KNOWN

    slow = guest.get(f"/t/{link.code}?{query}")
    quick = ask(f"/t/{link.code}", query=query, HTTP_COOKIE=f"a=1; visitor={KNOWN}; b=2")

    assert quick is not None
    status, headers = quick
    assert status == "302 Found"
    assert headers["Location"] == slow["Location"]
    assert "Set-Cookie" not in headers
    clicks.flush_now()
    one, other = Touch.objects.values("kind", "visitor_id", "ad_click_id", "link")
    assert one == other
    names = set(headers) - {"Location"}
    assert {name: headers[name] for name in names} == {name: slow[name] for name in names}


def test_leads_to_an_address_in_chinese_as_a_header_can_say_it() -> None:
    link = make.link()
    ChannelLink.objects.filter(pk=link.pk).update(target_url="https://茶.example/活动?券=满减&flag")

    answer = ask(f"/t/{link.code}", HTTP_COOKIE=f"visitor={KNOWN}")

    assert answer is not None
    assert answer[1]["Location"] == (
        "https://%E8%8C%B6.example/%E6%B4%BB%E5%8A%A8?%E5%88%B8=%E6%BB%A1%E5%87%8F&flag="
        f"&link={link.code}&visitor={KNOWN}"
    )


def test_names_a_new_visitor_and_no_machine() -> None:
    path = f"/t/{make.link().code}"

    guest, crawler = ask(path), ask(path, HTTP_USER_AGENT=CRAWLER)
    early, head = ask(path, HTTP_SEC_PURPOSE="prefetch"), ask(path, method="HEAD")

    assert guest is not None
    name = guest[1]["Location"].rpartition("visitor=")[2]
    cookie = f"visitor={name}; HttpOnly; Max-Age=7776000; Path=/; SameSite=Lax"
    assert guest[1]["Set-Cookie"] == cookie
    assert all(answer and "Set-Cookie" not in answer[1] for answer in (crawler, early, head))
    clicks.flush_now()
    assert Touch.objects.exclude(quality="bot").count() == 1


def test_leaves_to_django_what_is_no_plain_click(settings: Any) -> None:
    path = f"/t/{make.link().code}"

    asked = [ask(path, method="POST"), ask("/t/NOSUCH1"), ask(f"{path}/x"), ask("/healthz")]
    many = ask(path, query="&".join(f"a{number}=1" for number in range(101)))
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    in_clear, by_tls = ask(path), ask(path, HTTP_X_FORWARDED_PROTO="https")

    assert asked == [None] * 4
    assert many is None
    assert in_clear is None
    assert by_tls is not None
