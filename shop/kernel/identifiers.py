"""Codes that people read aloud: unguessable, unambiguous, checked."""

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 characters without 0/O, 1/I/L; a prime number, so the check character catches every slip."""


def new_code(length: int) -> str:
    """Return a random code of `length` characters plus its check character."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(length))
    return body + check_character(body)


def check_character(body: str) -> str:
    """Return the character that makes the weighted sum of a code divisible by 31.

    Any single wrong character and any swap of two neighbours changes it.
    """
    total = sum((position + 2) * ALPHABET.index(char) for position, char in enumerate(body))
    return ALPHABET[-total % len(ALPHABET)]


def normalise_code(text: str) -> str:
    """Return what a person typed as a code is stored: upper case, without spaces and dashes."""
    return text.upper().replace("-", "").replace(" ", "")


def new_secret(prefix: str) -> tuple[str, str]:
    """Return a public id and a 256-bit secret for a key of the form ``prefix_id_secret``."""
    return prefix + "_" + secrets.token_hex(6), secrets.token_urlsafe(32)
