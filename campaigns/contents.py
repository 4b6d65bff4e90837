"""Contents, and snapshots of how far they came. The only module that writes them.

Growth is the difference of two snapshots that follow each other; a topic's rollup is the sum of its
contents' latest ones.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Avg, QuerySet, Sum
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.models import Content, ContentSnapshot, Topic
from shop.kernel.clock import YEARS
from shop.kernel.errors import CodeTaken, DomainError, InvalidInput

COUNTS = ["views", "likes", "comments", "shares"]
COLUMNS = ["content", "taken_at", *COUNTS, "rank"]
MOST_COUNT = 10**15
MOST_DIGITS = 18
MOST_RANK = 2_000_000_000
MOST_ROWS = 10_000


class SnapshotTaken(DomainError):
    """A content has one snapshot of a moment, and that one says something else."""

    code = "snapshot-taken"
    title = _("There is another snapshot of this content at that moment.")


class ContentLinkTaken(DomainError):
    """A link shows what it sells under one content, and has one."""

    code = "content-link-taken"
    title = _("The link belongs to another content.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """What a platform told at a moment."""

    views: int = 0
    likes: int = 0
    comments: int = 0
    shares: int = 0
    rank: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LineReport:
    """What became of one line of a file; `line` counts from 1, the header included."""

    line: int
    outcome: str
    detail: str | Promise = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What an import did or would do; a refused line or a dry run stores nothing."""

    is_stored: bool
    lines: list[LineReport]


class _Unreadable(Exception):
    """A line that is no snapshot; says why."""

    def __init__(self, detail: str | Promise) -> None:
        self.detail = detail


def create_topic(*, code: str, name_zh: str, name_en: str) -> Topic:
    """Create a topic.

    Raises:
        CodeTaken
    """
    try:
        with transaction.atomic():
            return Topic.objects.create(code=code, name_zh=name_zh, name_en=name_en)
    except IntegrityError as error:
        raise CodeTaken from error


@transaction.atomic
def create(*, topics: Sequence[Topic] = (), **fields: Any) -> Content:
    """Note a content; `fields` are the columns of the model.

    Raises:
        InvalidInput: something else than a review is rated.
        ContentLinkTaken
    """
    if fields.get("rating") is not None and fields["kind"] != Content.Kind.REVIEW:
        raise InvalidInput("/rating", _("Only reviews are rated."), reason="no-review")
    try:
        with transaction.atomic():
            content = Content.objects.create(**fields)
    except IntegrityError as error:
        raise ContentLinkTaken from error
    content.topics.set(topics)
    return content


@transaction.atomic
def record(content: Content, counts: Counts, *, taken_at: datetime) -> ContentSnapshot:
    """Keep a snapshot; the same one a second time changes nothing.

    Raises:
        SnapshotTaken
    """
    snapshot, is_new = ContentSnapshot.objects.get_or_create(
        content=content, taken_at=taken_at, defaults=asdict(counts)
    )
    if not is_new and _counts_of(snapshot) != counts:
        raise SnapshotTaken
    return snapshot


@transaction.atomic
def import_csv(text: str, *, is_dry_run: bool) -> ImportReport:
    """Keep the snapshots of a file, all lines or none; lines known already change nothing.

    Raises:
        InvalidInput: it is no CSV, or has other columns.
    """
    lines = _lines(text)
    known_ids = set(Content.objects.values_list("pk", flat=True))
    reports, found = [], {}
    for number, cells in enumerate(lines, start=2):
        try:
            content_id, taken_at, counts = _parse(cells, known_ids)
            if (content_id, taken_at) in found:
                raise _Unreadable(_("This content and moment stand here twice."))
            found[content_id, taken_at] = (number, counts)
        except _Unreadable as why:
            reports.append(LineReport(line=number, outcome="refused", detail=why.detail))
    stored = {
        (row.content_id, row.taken_at): _counts_of(row)
        for row in ContentSnapshot.objects.filter(
            content__in={key[0] for key in found}, taken_at__in={key[1] for key in found}
        )
    }
    reports += [
        _verdict(number, counts, stored.get(key)) for key, (number, counts) in found.items()
    ]
    is_stored = not is_dry_run and all(report.outcome != "refused" for report in reports)
    if is_stored:
        ContentSnapshot.objects.bulk_create(
            [
                ContentSnapshot(content_id=key[0], taken_at=key[1], **asdict(counts))
                for key, (_number, counts) in found.items()
                if key not in stored
            ],
            ignore_conflicts=True,
        )
    return ImportReport(is_stored=is_stored, lines=sorted(reports, key=lambda row: row.line))


def with_growth(content: Content) -> list[dict[str, Any]]:
    """Return the snapshots of a content, oldest first, each with what it gained since the last."""
    rows: list[dict[str, Any]] = []
    for snapshot in content.snapshots.order_by("taken_at"):
        row: dict[str, Any] = {"taken_at": snapshot.taken_at} | asdict(_counts_of(snapshot))
        for name in COUNTS:
            row[f"{name}_gained"] = row[name] - rows[-1][name] if rows else None
        rows.append(row)
    return rows


def latest(rows: QuerySet[Content]) -> QuerySet[ContentSnapshot]:
    """Return the newest snapshot of each of these contents."""
    newest = ContentSnapshot.objects.filter(content__in=rows).order_by("content", "-taken_at")
    return ContentSnapshot.objects.filter(pk__in=newest.distinct("content").values("pk"))


def rollup(topic: Topic) -> Mapping[str, Any]:
    """Return what all contents of a topic came to: the sums of their newest snapshots."""
    contents = topic.contents.all()
    sums = latest(contents).aggregate(**{name: Sum(name, default=0) for name in COUNTS})
    return {"contents": contents.count(), **sums}


def average_rating(rows: QuerySet[Content]) -> float | None:
    """Return the average rating of contents to two digits; None where none is rated."""
    average = rows.aggregate(average=Avg("rating"))["average"]
    return None if average is None else round(float(average), 2)


def sales(content: Content) -> Mapping[str, int]:
    """Return the orders that have the credit of a content's link, and their net sales."""
    with connection.cursor() as cursor:
        cursor.execute(_SALES_SQL, {"link": content.link_id})
        orders, net_cents = cursor.fetchone()
    return {"orders": orders, "sales_cents": net_cents}


def _counts_of(row: ContentSnapshot) -> Counts:
    return Counts(
        views=row.views, likes=row.likes, comments=row.comments, shares=row.shares, rank=row.rank
    )


def _verdict(line: int, counts: Counts, stored: Counts | None) -> LineReport:
    if stored is None:
        return LineReport(line=line, outcome="created")
    if stored == counts:
        return LineReport(line=line, outcome="unchanged")
    return LineReport(line=line, outcome="refused", detail=SnapshotTaken.title)


def _lines(text: str) -> list[dict[str, str | None]]:
    try:
        reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
        columns = reader.fieldnames or []
        lines = [dict(row) for row in reader]
    except csv.Error as error:
        raise InvalidInput("/csv", _("This is no CSV."), reason="csv") from error
    if set(columns) - set(COLUMNS) or not {"content", "taken_at", "views"} <= set(columns):
        raise InvalidInput(
            "/csv",
            _("The columns are %(columns)s.") % {"columns": ", ".join(COLUMNS)},
            reason="columns",
        )
    if len(lines) > MOST_ROWS:
        raise InvalidInput(
            "/csv", _("At most %(count)s lines.") % {"count": MOST_ROWS}, reason="too-long"
        )
    return lines


def _parse(cells: Mapping[str, str | None], known_ids: set[int]) -> tuple[int, datetime, Counts]:
    if None in cells or None in cells.values():
        raise _Unreadable(_("The line has other columns than the header."))
    content_id = _whole(cells["content"], most=2**62)
    if content_id not in known_ids:
        raise _Unreadable(_("There is no such content."))
    try:
        taken_at = parse_datetime((cells["taken_at"] or "").strip())
    except ValueError:
        taken_at = None
    if taken_at is None or taken_at.tzinfo is None or taken_at.year not in YEARS:
        raise _Unreadable(_("Say the offset from UTC, as in 2026-05-18T09:00:00+08:00."))
    counts = {name: _whole(cells.get(name) or "0", most=MOST_COUNT) for name in COUNTS}
    rank = _whole(cells["rank"], most=MOST_RANK) if cells.get("rank") else None
    return content_id, taken_at, Counts(**counts, rank=rank)


def _whole(text: str | None, *, most: int) -> int:
    digits = (text or "").strip()
    if (
        not (digits.isascii() and digits.isdigit())
        or len(digits) > MOST_DIGITS
        or int(digits) > most
    ):
        raise _Unreadable(_("“%(text)s” is no whole number.") % {"text": digits[:20]})
    return int(digits)


_SALES_SQL = """
SELECT count(*), COALESCE(sum(orders.paid_cents - orders.refunded_cents), 0)::bigint
FROM campaigns_conversion conversion
JOIN shop_order orders ON orders.id = conversion.order_id AND orders.status <> 'refunded'
WHERE conversion.link_id = %(link)s AND conversion.kind = 'order'
"""
