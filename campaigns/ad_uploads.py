"""Results of ad clicks, told to their platforms: each once, and only with the member's consent.

A result is written down when its fact is delivered by the outbox, and sent from here: no
transaction is open while a platform thinks, so one that hangs keeps nobody else's message waiting.
Whoever sends takes the row by moving its due time on, so a sender that dies is followed by another;
the platforms count a repeat of our id once. The only module that writes uploads.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta

import structlog
from django.db import IntegrityError, transaction

from campaigns import ad_accounts, ad_platforms, click_reports, links
from campaigns.ad_platforms import NoAnswer, Result, UploadRefused
from campaigns.models import AdAccount, AdClick, AdUpload, Conversion
from shop import consents
from shop.kernel.money import Cents
from shop.kernel.outbox import BACKOFF
from shop.models import Consent, Member, Order, Refund

Event = AdUpload.Event
State = AdUpload.State
LEASE = timedelta(minutes=2)
"""How long a sender may take; far longer than a call may last."""
ORDERS = [Event.FIRST_ORDER, Event.ORDER]
NOT_TOLD = "order-not-told"
POSTPONED = timedelta(minutes=1)

log = structlog.get_logger()


@transaction.atomic
def claim_click(member: Member, *, platform: str, click_id: str, now: datetime) -> AdClick:
    """Let a member name the ad click that brought them, and tell of their joining if it did.

    Raises:
        NotFound, RateLimited
    """
    click = click_reports.claim(member, platform=platform, click_id=click_id, now=now)
    if click.member_id == member.pk:
        report_registration(member, now=now)
    return click


def report_registration(member: Member, *, now: datetime) -> bool:
    """Write down that an ad brought a member; False where nothing is to be told."""
    return _write_down(
        member,
        event=Event.REGISTRATION,
        source=f"member:{member.pk}",
        value_cents=None,
        occurred_at=member.joined_at,
        now=now,
    )


def report_order(order: Order, *, now: datetime) -> bool:
    """Write down what an ad's member paid; False where nothing is to be told."""
    if order.member is None or order.paid_at is None:
        return False
    is_first = Conversion.objects.filter(
        kind=Conversion.Kind.FIRST_ORDER, order=order, member=order.member
    ).exists()
    return _write_down(
        order.member,
        event=Event.FIRST_ORDER if is_first else Event.ORDER,
        source=order.source,
        value_cents=order.paid_cents,
        occurred_at=order.paid_at,
        now=now,
    )


def report_refund(refund: Refund, *, now: datetime) -> bool:
    """Write down that an order which a platform was told of came back, in part or whole."""
    told = (
        AdUpload.objects.filter(event__in=ORDERS, source=refund.order.source)
        .select_related("click__account", "member")
        .first()
    )
    if told is None or not _wants(told.click.account, Event.REFUND):
        return False
    upload = AdUpload(
        click=told.click,
        event=Event.REFUND,
        source=refund.source,
        member=told.member,
        value_cents=refund.amount_cents,
        occurred_at=refund.refunded_at,
        due_at=now,
        created_at=now,
    )
    return _agrees(told.member) and _insert(upload)


def send_next(*, now: datetime, but_not: Collection[int] = ()) -> AdUpload | None:
    """Send what has waited longest; return it as it came out, None when nothing is due.

    `but_not` names accounts that gave no answer a moment ago. Must not run in a transaction.
    """
    upload = _take(now=now, but_not=but_not)
    if upload is None:
        return None
    if not _agrees(upload.member):
        _finish(upload, state=State.WITHDRAWN)
    elif upload.event == Event.REFUND and not _is_told(upload):
        _wait_for_order(upload, now=now)
    else:
        _send(upload, now=now)
    return upload


def had_no_answer(upload: AdUpload) -> bool:
    """Tell whether an upload just sent got no answer that says anything."""
    return upload.state == State.DEAD or (
        upload.state == State.WAITING and bool(upload.platform_message)
    )


def retry(upload_ids: Collection[int], *, now: datetime) -> int:
    """Let refused and given-up uploads wait again; return how many did."""
    return AdUpload.objects.filter(pk__in=upload_ids, state__in=[State.REFUSED, State.DEAD]).update(
        state=State.WAITING, attempts=0, due_at=now, platform_code="", platform_message=""
    )


def withdraw(*, member_id: int) -> None:
    """Tell nothing more about a member."""
    AdUpload.objects.filter(member_id=member_id, state=State.WAITING).update(state=State.WITHDRAWN)


def _write_down(
    member: Member,
    *,
    event: str,
    source: str,
    value_cents: Cents | None,
    occurred_at: datetime,
    now: datetime,
) -> bool:
    if not _agrees(member):
        return False
    click = click_reports.last_of(member.pk, at=occurred_at)
    if click is None or not _wants(click.account, event):
        return False
    return _insert(
        AdUpload(
            click=click,
            event=event,
            source=source,
            member=member,
            value_cents=value_cents,
            occurred_at=occurred_at,
            due_at=now,
            created_at=now,
        )
    )


def _insert(upload: AdUpload) -> bool:
    """Write an upload unless there is one of its click or of its source already."""
    try:
        with transaction.atomic():
            upload.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _agrees(member: Member) -> bool:
    is_here = member.status == Member.Status.ACTIVE
    return is_here and consents.holds(member.pk, Consent.Purpose.AD_MEASUREMENT)


def _wants(account: AdAccount, event: str) -> bool:
    """Tell whether an account tells of this event, and its platform has a word for it."""
    wanted = {
        Event.REGISTRATION: account.sends_registrations,
        Event.FIRST_ORDER: account.sends_first_orders or account.sends_orders,
        Event.ORDER: account.sends_orders,
        Event.REFUND: account.sends_refunds,
    }[Event(event)]
    client = ad_platforms.client(account.platform, ad_accounts.credentials(account))
    return account.is_active and wanted and client.takes(event)


def _take(*, now: datetime, but_not: Collection[int]) -> AdUpload | None:
    with transaction.atomic():
        upload = (
            AdUpload.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("click__account", "click__link", "member")
            .filter(state=State.WAITING, due_at__lte=now, click__account__is_active=True)
            .exclude(click__account__in=but_not)
            .order_by("due_at", "pk")
            .first()
        )
        if upload is None:
            return None
        upload.attempts += 1
        upload.due_at = now + LEASE
        upload.save(update_fields=["attempts", "due_at"])
    return upload


def _send(upload: AdUpload, *, now: datetime) -> None:
    account = upload.click.account
    client = ad_platforms.client(account.platform, ad_accounts.credentials(account))
    try:
        client.upload(_result(upload))
    except UploadRefused as refusal:
        _finish(
            upload,
            state=State.REFUSED,
            platform_code=refusal.code,
            platform_message=refusal.message,
        )
    except NoAnswer as error:
        _try_later(upload, str(error), now=now)
    else:
        _finish(upload, state=State.SENT, sent_at=now)


def _result(upload: AdUpload) -> Result:
    click = upload.click
    return Result(
        id=f"huigan_{upload.pk}",
        event=upload.event,
        click_id=click.click_id,
        occurred_at=upload.occurred_at,
        value_cents=upload.value_cents,
        phone_hash=_phone_hash(upload.member) if click.account.sends_phone_hash else "",
        page_url=links.public_url(click.link.code) if click.link else "",
    )


def _phone_hash(member: Member) -> str:
    """Return the hash by which the platform may know a phone, of who agreed to that as well."""
    if not consents.holds(member.pk, Consent.Purpose.AD_PHONE_MATCH):
        return ""
    return hashlib.sha256(member.phone.removeprefix("+86").encode()).hexdigest()


def _is_told(upload: AdUpload) -> bool:
    return _order_of(upload) == State.SENT


def _wait_for_order(upload: AdUpload, *, now: datetime) -> None:
    """Tell of a refund only after its order; never if the platform does not know the order."""
    if _order_of(upload) == State.WAITING:
        _finish(upload, state=State.WAITING, due_at=now + POSTPONED, attempts=upload.attempts - 1)
    else:
        _finish(upload, state=State.REFUSED, platform_code=NOT_TOLD)


def _order_of(upload: AdUpload) -> str | None:
    order = Refund.objects.select_related("order").get(number=upload.source.removeprefix("refund:"))
    return (
        AdUpload.objects.filter(event__in=ORDERS, source=order.order.source)
        .values_list("state", flat=True)
        .first()
    )


def _try_later(upload: AdUpload, error: str, *, now: datetime) -> None:
    if upload.attempts > len(BACKOFF):
        _finish(upload, state=State.DEAD, platform_message=error[:200])
        return
    _finish(
        upload,
        state=State.WAITING,
        due_at=now + BACKOFF[upload.attempts - 1],
        platform_message=error[:200],
    )


def _finish(upload: AdUpload, *, state: str, **columns: object) -> None:
    """Write down how an attempt came out, unless another sender has taken the upload since."""
    written = AdUpload.objects.filter(
        pk=upload.pk, state=State.WAITING, attempts=upload.attempts
    ).update(state=state, **columns)
    if written != 1:
        log.warning("upload was taken over", upload=upload.pk)
    for name, value in {"state": state, **columns}.items():
        setattr(upload, name, value)
