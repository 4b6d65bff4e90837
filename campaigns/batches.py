"""Batches of codes: printed ones that nobody can guess, and words that many may use.

The only module that writes them. A million codes are made by a job in slices: each slice is one
COPY in one transaction, numbered on from what is there, so a worker that dies neither loses codes
nor makes any twice.
"""

import csv
import io
import math
import os
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import BatchCode, ChannelLink, CodeBatch, CouponDefinition
from shop.kernel import identifiers, jobs
from shop.kernel.errors import DomainError, InvalidInput
from shop.kernel.models import Job

SLICE = 50_000
"""Codes per transaction: half a second's work, and a few megabytes of memory."""
CODES_PER_WRITE = 5_000
ROWS_PER_READ = 5_000
MOST_CODES = 5_000_000
LEAST_BITS = 60
LEAST_LENGTH = math.ceil(LEAST_BITS / math.log2(len(identifiers.ALPHABET))) + 1
"""As many random characters as guessing must be hopeless for, and the check character."""
MOST_LENGTH = 18
MOST_PRINTED = 120
PREFIX = re.compile(r"[A-Z0-9]{0,6}\Z")
WORD = re.compile(r"[A-Z0-9]{4,24}\Z")
Kind = CodeBatch.Kind


class BatchVoided(DomainError):
    """The batch was voided before; its codes are worth nothing."""

    code = "code-batch-voided"
    title = gettext_lazy("This batch of codes is void already.")


@transaction.atomic
def create(
    definition: CouponDefinition,
    *,
    label: str,
    requested_by: str,
    now: datetime,
    kind: str = Kind.EACH,
    quantity: int | None = None,
    area: str = "",
    link: ChannelLink | None = None,
    prefix: str = "",
    length: int = LEAST_LENGTH,
    word: str = "",
) -> CodeBatch:
    """Create a batch; the codes of papers are made by a job that is queued with it.

    Raises:
        InvalidInput: no quantity, more than the coupon's limit, a word that is taken, or codes that
            could be guessed.
    """
    prefix, word = identifiers.normalise_code(prefix), identifiers.normalise_code(word)
    ensure_consistent(
        definition, kind=kind, quantity=quantity, prefix=prefix, length=length, word=word
    )
    batch = CodeBatch.objects.create(
        definition=definition,
        kind=kind,
        label=label,
        area=area,
        link=link,
        quantity=quantity,
        prefix=prefix,
        length=length,
        word=(word or identifiers.new_code(length - 1)) if kind == Kind.SHARED else None,
        created_at=now,
        created_by=requested_by,
    )
    if kind == Kind.EACH:
        jobs.start(
            "codes.make",
            params={"batch": batch.pk},
            requested_by=requested_by,
            total=quantity,
            key=job_key(batch),
            now=now,
        )
    return batch


def ensure_consistent(
    definition: CouponDefinition,
    *,
    kind: str,
    quantity: int | None,
    prefix: str,
    length: int,
    word: str,
) -> None:
    """Check what a batch shall be; prefix and word in normal form.

    Raises:
        InvalidInput
    """
    if not PREFIX.match(prefix):
        raise InvalidInput("/prefix", _("Up to six letters and digits."), reason="prefix")
    if not LEAST_LENGTH <= length <= MOST_LENGTH:
        text = _("From %(least)d to %(most)d: shorter codes could be guessed.")
        values = {"least": LEAST_LENGTH, "most": MOST_LENGTH}
        raise InvalidInput("/length", text % values, reason="guessable")
    if kind == Kind.EACH and word:
        raise InvalidInput("/word", _("A word is for all; these are one each."), reason="word")
    if word:
        _ensure_free(word)
    _ensure_within_limit(definition, kind=kind, quantity=quantity)


def _ensure_free(word: str) -> None:
    if not WORD.match(word):
        raise InvalidInput("/word", _("Four to 24 letters and digits."), reason="word")
    is_taken = CodeBatch.objects.filter(word=word).exists()
    if is_taken or BatchCode.objects.filter(code=word).exists():
        raise InvalidInput("/word", _("This word is in use already."), reason="taken")


def _ensure_within_limit(definition: CouponDefinition, *, kind: str, quantity: int | None) -> None:
    if quantity is None:
        if kind == Kind.EACH:
            raise InvalidInput("/quantity", _("Say how many."), reason="required")
        return
    if not 1 <= quantity <= MOST_CODES:
        text = _("From 1 to %(most)d.") % {"most": MOST_CODES}
        raise InvalidInput("/quantity", text, reason="out-of-range")
    if definition.total_limit is not None:
        others = CodeBatch.objects.filter(definition=definition, voided_at=None)
        left = definition.total_limit - (others.aggregate(sum=Sum("quantity"))["sum"] or 0)
        if quantity > left:
            text = _("The coupon's limit leaves only %(left)d.") % {"left": max(left, 0)}
            raise InvalidInput("/quantity", text, reason="more-than-limit")


def void(batch: CodeBatch, *, now: datetime) -> None:
    """Make codes that nobody has entered yet worthless; coupons in wallets stay.

    Raises:
        BatchVoided
    """
    if CodeBatch.objects.filter(pk=batch.pk, voided_at=None).update(voided_at=now) != 1:
        raise BatchVoided(batch=batch.pk)


def take(batch: CodeBatch) -> bool:
    """Count one use of a word that may only be used so often; False when it is used up."""
    if batch.kind == Kind.EACH or batch.quantity is None:
        return True
    rows = CodeBatch.objects.filter(Q(used_count__lt=F("quantity")), pk=batch.pk)
    return rows.update(used_count=F("used_count") + 1) == 1


# --- making them ---------------------------------------------------------------------------------


@jobs.runs("codes.make", label=gettext_lazy("Make codes"))
def make_slice(job: Job, now: datetime) -> bool:
    """Make the next codes of a batch; True when all are there, or it was voided meanwhile."""
    batch = CodeBatch.objects.select_for_update(no_key=True).get(pk=job.params["batch"])
    assert batch.quantity is not None  # noqa: S101 - the check of the table
    count = min(SLICE, batch.quantity - batch.made_count)
    if count and batch.voided_at is None:
        _copy(batch, first=batch.made_count + 1, count=count)
        batch.made_count += count
        batch.save(update_fields=["made_count"])
    job.done, job.total = batch.made_count, batch.quantity
    return batch.is_complete or batch.voided_at is not None


def job_of(batch: CodeBatch) -> Job | None:
    """Return the job that makes a batch's codes; None for a word."""
    return Job.objects.filter(key=job_key(batch)).first()


def job_key(batch: CodeBatch) -> str:
    """Return the key of the job that makes a batch's codes."""
    return f"codes.make:{batch.pk}"


def new_codes(count: int, *, length: int, prefix: str = "") -> list[str]:
    """Return many random codes; the last of `length` characters is the check character.

    A hundred times as fast as one by one: bytes of the operating system are turned into letters
    without bias, and check characters are computed for all codes at once, a byte lane for each.

    >>> [len(code) for code in new_codes(3, length=14, prefix="TEA")]
    [17, 17, 17]
    """
    size = length - 1
    body = _random_letters(count * size)
    checks = _check_letters(body, size).decode()
    text = body.decode()
    return [
        f"{prefix}{text[start : start + size]}{check}"
        for start, check in zip(range(0, len(text), size), checks, strict=True)
    ]


_ALPHABET = identifiers.ALPHABET.encode()
_FAIR = 256 // len(_ALPHABET) * len(_ALPHABET)
"""Bytes from here on would make some letters likelier than others."""
_UNFAIR_BYTES = bytes(range(_FAIR, 256))
_LETTERS = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))
_REMAINDERS = bytes(byte % len(_ALPHABET) for byte in range(256))
_CHECKS = bytes(_ALPHABET[-byte % len(_ALPHABET)] for byte in range(256))
_MOST_SUMMANDS = 8
"""So many remainders fit into one byte."""


def _random_letters(count: int) -> bytes:
    letters = b""
    while len(letters) < count:
        wanted = (count - len(letters)) * 256 // _FAIR + 64
        letters += os.urandom(wanted).translate(_LETTERS, _UNFAIR_BYTES)
    return letters[:count]


def _check_letters(body: bytes, size: int) -> bytes:
    """Return the check character of every `size` letters; see identifiers.check_character."""
    count = len(body) // size
    total, summands = 0, 0
    for position in range(size):
        if summands == _MOST_SUMMANDS - 1:
            total, summands = _number(_bytes(total, count).translate(_REMAINDERS)), 1
        total += _number(body[position::size].translate(_weighted(position)))
        summands += 1
    return _bytes(total, count).translate(_CHECKS)


def _weighted(position: int) -> bytes:
    """Return the table from a letter to its weight at a position, as a remainder."""
    table = bytearray(256)
    for index, letter in enumerate(_ALPHABET):
        table[letter] = (position + 2) * index % len(_ALPHABET)
    return bytes(table)


def _number(lanes: bytes) -> int:
    return int.from_bytes(lanes, "little")


def _bytes(number: int, count: int) -> bytes:
    return number.to_bytes(count, "little")


def _copy(batch: CodeBatch, *, first: int, count: int) -> None:
    """Write the next codes; the next piece is made while the server still takes in the last one."""
    last = first + count
    with connection.cursor() as cursor, cursor.copy(_COPY_SQL) as copy:
        for start in range(first, last, CODES_PER_WRITE):
            piece = min(CODES_PER_WRITE, last - start)
            codes = new_codes(piece, length=batch.length, prefix=batch.prefix)
            rows = enumerate(codes, start=start)
            copy.write("".join([f"{batch.pk}\t{number}\t{code}\n" for number, code in rows]))


_COPY_SQL = "COPY campaigns_batchcode (batch_id, number, code) FROM STDIN"


# --- handing them out ----------------------------------------------------------------------------


def as_csv(batch: CodeBatch) -> Iterator[str]:
    """Yield the codes of a batch as CSV, piece by piece, each with what became of it."""
    yield "number,code,status\r\n"
    last = 0
    while found := _codes_after(batch, last):
        out = io.StringIO()
        csv.writer(out).writerows(found)
        yield out.getvalue()
        last = found[-1][0]


def _codes_after(batch: CodeBatch, last: int) -> list[tuple[Any, ...]]:
    values = {"batch": batch.pk, "last": last, "count": ROWS_PER_READ}
    with connection.cursor() as cursor:
        cursor.execute(_CODES_SQL, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


_CODES_SQL = """
SELECT printed.number, printed.code, COALESCE(coupon.status, 'unused')
FROM campaigns_batchcode printed
LEFT JOIN campaigns_coupon coupon ON coupon.code = printed.code COLLATE "default"
WHERE printed.batch_id = %(batch)s AND printed.number > %(last)s
ORDER BY printed.number LIMIT %(count)s
"""


def papers(batch: CodeBatch, *, first: int, count: int) -> list[tuple[int, str]]:
    """Return (number, code) of the papers to print; of a word, its first paper stands for all."""
    if batch.kind == Kind.SHARED:
        return [(1, batch.word or "")]
    rows = batch.codes.filter(number__gte=first, number__lt=first + count).order_by("number")
    return list(rows.values_list("number", "code"))
