"""Files of costs that people upload: looked at, then stored or dropped. Their only writer."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns import cost_files, costs
from campaigns.cost_files import PRESETS
from campaigns.costs import ImportReport, Outcome, Reading
from campaigns.models import ChannelLink, CostImport
from shop.kernel.errors import DomainError
from shop.models import Staff

State = CostImport.State


class CostImportDecided(DomainError):
    """A file is stored or dropped once."""

    code = "cost-import-decided"
    title = _("This file has been stored or dropped already.")


class CostLinesRefused(DomainError):
    """Lines that cannot be used stop the others, unless they are left out on purpose."""

    code = "cost-lines-refused"
    title = _("Some lines cannot be used, so nothing was stored; leave them out or mend the file.")


def upload(
    *,
    file_name: str,
    text: str,
    preset: str,
    link: ChannelLink | None,
    currency: str,
    exchange_rate: Decimal | None,
    staff: Staff,
    links: QuerySet[ChannelLink],
    now: datetime,
) -> CostImport:
    """Keep a file to be looked at, with what storing it would do for links of this person.

    Raises:
        InvalidInput: not the columns of its preset, not a CSV, too many lines.
    """
    upload = CostImport(
        file_name=file_name,
        preset=preset,
        text=text,
        link=link,
        currency=currency,
        exchange_rate=exchange_rate,
        created_by=staff,
        created_at=now,
    )
    _count(upload, look_at(upload, links=links))
    upload.save()
    return upload


def look_at(upload: CostImport, *, links: QuerySet[ChannelLink]) -> ImportReport:
    """Return what storing a file would do now; stores nothing."""
    return costs.import_csv(
        upload.text, links=links, is_dry_run=True, reading=_reading(upload, skips_refused=False)
    )


@transaction.atomic
def store(
    upload: CostImport, *, links: QuerySet[ChannelLink], skips_refused: bool, now: datetime
) -> ImportReport:
    """Store the costs of a file, once.

    Raises:
        CostImportDecided, CostLinesRefused, costs.CostsCountedTwice
    """
    taken = CostImport.objects.filter(pk=upload.pk, state=State.PREVIEW).update(
        state=State.STORED, stored_at=now
    )
    if taken != 1:
        raise CostImportDecided(file=upload.file_name)
    reading = _reading(upload, skips_refused=skips_refused)
    report = costs.import_csv(upload.text, links=links, is_dry_run=False, reading=reading)
    if not report.is_stored:
        raise CostLinesRefused(refused=report.count(Outcome.REFUSED))
    upload.refresh_from_db()
    _count(upload, report)
    upload.save(update_fields=["created_count", "updated_count", "refused_count"])
    return report


def drop(upload: CostImport) -> None:
    """Forget a file that is not to be stored.

    Raises:
        CostImportDecided
    """
    dropped = CostImport.objects.filter(pk=upload.pk, state=State.PREVIEW).update(
        state=State.DROPPED, text=""
    )
    if dropped != 1:
        raise CostImportDecided(file=upload.file_name)


def ensure_readable(text: str, *, preset: str, has_link: bool) -> None:
    """Read a file to its end, to tell at once whether it can be used at all.

    Raises:
        InvalidInput
    """
    for _line in cost_files.read(text, preset=PRESETS[preset], has_default_link=has_link):
        pass


def _reading(upload: CostImport, *, skips_refused: bool) -> Reading:
    return Reading(
        preset=PRESETS[upload.preset],
        link=upload.link.code if upload.link else "",
        currency=upload.currency,
        exchange_rate=upload.exchange_rate,
        skips_refused=skips_refused,
    )


def _count(upload: CostImport, report: ImportReport) -> None:
    upload.created_count = report.count(Outcome.CREATED)
    upload.updated_count = report.count(Outcome.UPDATED)
    upload.refused_count = report.count(Outcome.REFUSED)
