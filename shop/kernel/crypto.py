"""Personal data at rest: encrypted columns, keyed hashes for lookup, hashed secrets."""

import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_BYTES = 12


def encrypt(text: str, *, context: str) -> bytes:
    """Return `text` under AES-256-GCM with the first key of FIELD_KEYS.

    `context` is bound to the ciphertext: it decrypts only with the same context.
    """
    key_id, key = _keys()[0]
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), context.encode())
    return key_id.encode() + b":" + nonce + sealed


def decrypt(sealed: bytes, *, context: str) -> str:
    """Return the clear text of `encrypt`.

    Raises:
        cryptography.exceptions.InvalidTag: tampered with, or another context.
        KeyError: sealed with a key that FIELD_KEYS no longer has.
    """
    key_id, _, body = bytes(sealed).partition(b":")
    key = dict(_keys())[key_id.decode()]
    return AESGCM(key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], context.encode()).decode()


def lookup_hash(text: str) -> bytes:
    """Return the keyed hash by which an encrypted value is found; useless without the pepper."""
    return hmac.digest(settings.LOOKUP_PEPPER.encode(), text.encode(), "sha256")


def secret_hash(secret: str) -> bytes:
    """Return the stored form of a 256-bit random secret, which needs no salt and no stretching."""
    return hashlib.sha256(secret.encode()).digest()


def _keys() -> list[tuple[str, bytes]]:
    pairs = (entry.split(":", 1) for entry in settings.FIELD_KEYS)
    return [(key_id, bytes.fromhex(key)) for key_id, key in pairs]
