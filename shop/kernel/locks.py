"""Locks on names: for what has no row yet that could be locked."""

import hashlib

from django.db import connection


def wait_for(name: str) -> None:
    """Take the lock of this name until the transaction ends, waiting while another has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number(name)])


def take_if_free(name: str) -> bool:
    """Take the lock of this name until the transaction ends if nobody has it; tell whether."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number(name)])
        (was_free,) = cursor.fetchone()
    return bool(was_free)


def number(name: str) -> int:
    """Return the number under which PostgreSQL knows the lock of this name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
