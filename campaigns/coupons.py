"""Coupons: issue, claim, give, pass on, expire. What orders do with them is in `redemptions`.

Each step is a guarded update or a unique key whose outcome is checked, so that of any number of
requests at once exactly as many succeed as the rules allow.
"""

from contextlib import suppress
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from campaigns import batches, caps, periods
from campaigns.models import CodeBatch, Coupon, CouponDefinition
from shop.kernel import identifiers, rows
from shop.kernel.errors import DomainError, NotFound
from shop.models import Order

Status = Coupon.Status
CODE_LENGTH = 15
Place = tuple[int, str]
"""A slot of a member's, and the time zone in which their days are counted."""


class CouponNotClaimable(DomainError):
    """The definition is not active, not for claiming, or outside its claim period."""

    code = "coupon-not-claimable"
    title = _("This coupon cannot be claimed now.")


class CouponExhausted(DomainError):
    """All coupons of this definition have been issued."""

    code = "coupon-exhausted"
    title = _("All of these coupons are gone.")


class ClaimLimitReached(DomainError):
    """The member has as many of this coupon as one member may have."""

    code = "claim-limit-reached"
    title = _("You already have as many of this coupon as you may.")


class CouponNotUsable(DomainError):
    """The coupon was used, held by another order, or expired between quote and order."""

    code = "coupon-not-usable"
    title = _("A coupon of the order cannot be used any more.")


@transaction.atomic
def claim(definition_code: str, *, member_id: int, now: datetime) -> Coupon:
    """Put a publicly claimable coupon into a member's wallet.

    Raises:
        NotFound, CouponNotClaimable, CouponExhausted, ClaimLimitReached
    """
    values = {"code": definition_code, "member": member_id}
    found = rows.select(_CLAIM_SQL, values, CouponDefinition)
    if not found:
        raise NotFound
    ((definition, are_gone, slot, timezone),) = found
    ensure_claim_period(definition, now=now)
    if are_gone:  # most of a rush is answered here, and waits for nobody
        raise CouponExhausted(coupon_definition=definition.code)
    new = draft(definition, source="claim", now=now, timezone=timezone)
    return _issue(new, member_id=member_id, at=(slot, timezone))


_NEXT_SLOT = """
(SELECT COALESCE(max(slot), 0) + 1 FROM campaigns_coupon
 WHERE definition_id = campaigns_coupondefinition.id AND member_id = member.id)
"""
_CLAIM_SQL = f"""
SELECT {{columns}}, {caps.ARE_GONE}, {_NEXT_SLOT}, store.timezone
FROM campaigns_coupondefinition
CROSS JOIN shop_member member
JOIN shop_store store ON store.id = member.store_id
WHERE campaigns_coupondefinition.code = %(code)s AND is_claimable
  AND campaigns_coupondefinition.status <> 'draft' AND member.id = %(member)s
"""  # noqa: S608 - constants of ours


def ensure_claim_period(definition: CouponDefinition, *, now: datetime) -> None:
    """Check that coupons may be issued now.

    Raises:
        CouponNotClaimable
    """
    starts, ends = definition.claim_starts_at, definition.claim_ends_at
    if definition.status != CouponDefinition.Status.ACTIVE:
        raise CouponNotClaimable(coupon_definition=definition.code, reason=definition.status)
    if starts is not None and now < starts:
        raise CouponNotClaimable(coupon_definition=definition.code, starts_at=starts.isoformat())
    if (ends is not None and now >= ends) or periods.is_over(definition, now=now):
        raise CouponNotClaimable(coupon_definition=definition.code, reason="ended")


def are_issued(definition: CouponDefinition) -> bool:
    """Tell whether somebody has a coupon under these terms, so that they are fixed."""
    return bool(definition.issued_count) or Coupon.objects.filter(definition=definition).exists()


@transaction.atomic(savepoint=False)
def issue(definition: CouponDefinition, *, member_id: int, source: str, now: datetime) -> Coupon:
    """Give a member one coupon of this definition, if neither limit is reached.

    Raises:
        ClaimLimitReached, CouponExhausted
    """
    new = draft(definition, source=source, now=now, timezone=settings.TIME_ZONE)
    return _issue(new, member_id=member_id)


def _issue(new: Coupon, *, member_id: int, at: Place | None = None) -> Coupon:
    coupon = _take_slot(new, member_id=member_id, at=at)
    # The counter is the hot row of a flash claim: taken last, held shortest.
    count(coupon)
    return coupon


@transaction.atomic(savepoint=False)
def enter(new: Coupon, *, member_id: int) -> Coupon:
    """Put the coupon of a code that somebody entered into their wallet; see campaigns.codes.

    Raises:
        CouponNotUsable: somebody else has entered the code meanwhile.
        ClaimLimitReached, CouponExhausted
    """
    coupon = write(new, member_id=member_id)
    count(coupon)
    return coupon


@transaction.atomic(savepoint=False)
def reward(order: Order, *, now: datetime) -> list[Coupon]:
    """Issue the coupons that come with a paid order; a limit that is reached means one less.

    What was promised at the till never keeps anybody from paying.
    """
    given: list[Coupon] = []
    if not order.coupon_gifts or order.member_id is None:
        return given
    found = CouponDefinition.objects.filter(
        code__in=order.coupon_gifts, status=CouponDefinition.Status.ACTIVE
    )
    for definition in found.order_by("pk"):
        for _each in range(order.coupon_gifts[definition.code]):
            with suppress(ClaimLimitReached, CouponExhausted), transaction.atomic():
                coupon = issue(definition, member_id=order.member_id, source=order.source, now=now)
                given.append(coupon)
    return given


@transaction.atomic
def give(definition_code: str, *, member_id: int, source: str, now: datetime) -> Coupon:
    """Issue a coupon of an active definition by hand, whether or not members may claim it.

    Raises:
        NotFound, CouponNotClaimable, CouponExhausted, ClaimLimitReached
    """
    definition = CouponDefinition.objects.filter(code=definition_code).first()
    if definition is None:
        raise NotFound
    ensure_claim_period(definition, now=now)
    return issue(definition, member_id=member_id, source=source, now=now)


@transaction.atomic(savepoint=False)
def pass_on(coupon: Coupon, *, member_id: int, now: datetime) -> Coupon:
    """Give a locked coupon from one wallet to another, as it is; return the receiver's.

    It keeps its slot and its place in the counters with the giver, and takes a slot of the
    receiver's. Who issued it and why goes with it, so that it is taken back where it went.

    Raises:
        CouponNotUsable: used, held, revoked or expired meanwhile.
        ClaimLimitReached: the receiver has as many as one member may have.
    """
    given = Coupon.objects.filter(
        pk=coupon.pk, status=Status.AVAILABLE, expires_at__gt=now, revoked_at=None
    ).update(status=Status.TRANSFERRED)
    if given != 1:
        raise CouponNotUsable(coupon_codes=[coupon.code])
    new = draft(coupon.definition, source=coupon.source, now=now, timezone=settings.TIME_ZONE)
    new.starts_at, new.expires_at = coupon.starts_at, coupon.expires_at
    new.passed_on_from = coupon
    return _take_slot(new, member_id=member_id)


def count(coupon: Coupon) -> None:
    """Count a new coupon against the limits of its definition and of its batch.

    Raises:
        CouponExhausted
    """
    if not caps.take(coupon.definition):
        raise CouponExhausted(coupon_definition=coupon.definition.code)
    if coupon.batch is not None and not batches.take(coupon.batch):
        raise CouponExhausted(coupon_definition=coupon.definition.code)


def draft(
    definition: CouponDefinition,
    *,
    source: str,
    now: datetime,
    timezone: str,
    code: str = "",
    batch: CodeBatch | None = None,
) -> Coupon:
    """Return a coupon of nobody yet, not written; its days are counted in this time zone."""
    return Coupon(
        code=code or identifiers.new_code(CODE_LENGTH),
        definition=definition,
        batch=batch,
        source=source,
        issued_at=now,
        starts_at=periods.start_of(definition, issued_at=now),
        expires_at=periods.end_of(definition, issued_at=now, timezone=timezone),
    )


def write(new: Coupon, *, member_id: int | None) -> Coupon:
    """Write the coupon of an entered code, uncounted; the unique code lets only one have it.

    Raises:
        CouponNotUsable, ClaimLimitReached
    """
    try:
        with transaction.atomic():
            if member_id is not None:
                return _take_slot(new, member_id=member_id)
            rows.insert(new)
            return new
    except IntegrityError as error:
        raise CouponNotUsable(coupon_codes=[new.code]) from error


def _take_slot(new: Coupon, *, member_id: int, at: Place | None = None) -> Coupon:
    """Insert a coupon as the member's next; the unique slot makes two at once take turns.

    One that is passed on lives as long as it did; others by the days of the member's store. `at`
    is the next slot as it was just read: a lost one is read again.
    """
    definition, new.member_id = new.definition, member_id
    for _attempt in range(definition.per_member_limit):  # a lost attempt is one slot less to have
        new.slot, timezone = at or _next_slot(definition, member_id)
        at = None
        if new.slot > definition.per_member_limit:
            break
        if new.passed_on_from_id is None:
            now = new.issued_at
            new.expires_at = periods.end_of(definition, issued_at=now, timezone=timezone)
        if rows.insert(new, unless_exists="definition_id, member_id, slot"):
            return new
    raise ClaimLimitReached(
        coupon_definition=definition.code, per_member_limit=definition.per_member_limit
    )


def _next_slot(definition: CouponDefinition, member_id: int) -> Place:
    """Return the member's next slot, and the time zone in which their days are counted."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_SLOT_SQL, {"definition": definition.pk, "member": member_id})
        slot, timezone = cursor.fetchone()
    return slot, timezone


_NEXT_SLOT_SQL = f"""
SELECT {_NEXT_SLOT}, store.timezone
FROM shop_member member
JOIN shop_store store ON store.id = member.store_id
CROSS JOIN campaigns_coupondefinition
WHERE member.id = %(member)s AND campaigns_coupondefinition.id = %(definition)s
"""  # noqa: S608 - constants of ours


def expire(*, now: datetime) -> int:
    """Mark available coupons whose time is over; return how many."""
    return Coupon.objects.filter(status=Status.AVAILABLE, expires_at__lte=now).update(
        status=Status.EXPIRED
    )
