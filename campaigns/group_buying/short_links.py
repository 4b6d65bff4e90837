"""Douyin's short links, as the QR codes of vouchers hold them.

The text comes from a camera, so it is trusted with nothing: one host is asked, over https, and
where it points to is only read, never followed.
"""

from urllib.parse import parse_qs, urlsplit

from campaigns.group_buying.protocol import VoucherRefused
from shop.kernel import outgoing

SHORT_HOST = "v.douyin.com"
SHORT_ORIGIN = f"https://{SHORT_HOST}"
TARGET_HOSTS = {"www.douyin.com", "www.iesdouyin.com", "life.douyin.com", "open.douyin.com"}


def is_link(code: str) -> bool:
    """Tell whether a scanned text is an address and no code."""
    return "://" in code


def object_id(link: str, *, origin: str = SHORT_ORIGIN) -> str:
    """Return the voucher that a short link stands for: `encrypted_data` of a preparation.

    `origin` is where v.douyin.com is reached; the sandbox stands in for it.

    Raises:
        VoucherRefused: not one of Douyin's links, or it leads elsewhere.
        outgoing.NoAnswer
    """
    try:
        parts = urlsplit(link)
        is_plain = parts.port is None and parts.username is None
    except ValueError:
        raise VoucherRefused(reason="not-a-voucher-link") from None
    if parts.scheme != "https" or parts.hostname != SHORT_HOST or not is_plain:
        raise VoucherRefused(reason="not-a-voucher-link")
    path = parts.path.encode("ascii", "ignore").decode()
    target = urlsplit(outgoing.fetch(origin + path).location)
    found = parse_qs(target.query).get("object_id", [""])[0]
    if target.scheme != "https" or target.hostname not in TARGET_HOSTS or not found:
        raise VoucherRefused(reason="not-a-voucher-link")
    return found
