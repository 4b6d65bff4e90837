"""The signatures of the platforms, ours and theirs."""

import hashlib
import hmac
from collections.abc import Mapping


def meituan(sign_key: str, fields: Mapping[str, str]) -> str:
    """Return the sign of a form sent to Meituan: SHA-1 over the key and the sorted pairs.

    Empty fields and the sign itself are left out.

    >>> meituan("k", {"b": "2", "a": "1", "sign": "x", "c": ""}) == _sha1(b"ka1b2")
    True
    """
    pairs = sorted((name, value) for name, value in fields.items() if value and name != "sign")
    return _sha1((sign_key + "".join(name + value for name, value in pairs)).encode())


def douyin_webhook(client_secret: str, body: bytes) -> str:
    """Return what Douyin puts into X-Douyin-Signature of a notice."""
    return _sha1(client_secret.encode() + body)


def douyin_life(client_secret: str, query: Mapping[str, str], body: bytes | None) -> str:
    """Return what Douyin puts into x-life-sign when it calls a service of ours.

    `body` are the raw bytes of a POST, and None for other methods.
    """
    pairs = sorted((name, value) for name, value in query.items() if name != "sign")
    text = "&".join([client_secret, *(f"{name}={value}" for name, value in pairs)])
    raw = text.encode() if body is None else text.encode() + b"&http_body=" + body
    return hashlib.sha256(raw).hexdigest()


def is_same(expected: str, given: str) -> bool:
    """Compare signatures in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode())


def _sha1(raw: bytes) -> str:
    return hashlib.sha1(raw, usedforsecurity=False).hexdigest()
