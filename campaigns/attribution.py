"""Which link brought a member, and which gets the credit for what they buy.

Last non-direct touch within the window: the newest thing that the member's visitor id did at a link
(click, scan, visit, joining a group, opening a share) in the 30 days before; machines' and repeated
touches are left out. One of an organic link, such as the sticker at the counter, counts only if
there is no other.
The only module that writes acquisitions and conversions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from campaigns.models import Acquisition, Channel, ChannelLink, Conversion, Touch
from shop.kernel.money import Cents
from shop.models import Member, Order

WINDOW = timedelta(days=30)
TOUCH_KINDS = [kind for kind in Touch.Kind if kind != Touch.Kind.IMPRESSION]
"""What somebody did; an impression only reached them."""
ORGANIC = "organic"
REFERRAL = "referral"


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """What a new member brought along from their phone."""

    visitor_id: str = ""
    link_code: str = ""
    referrer_id: int | None = None


@transaction.atomic(savepoint=False)
def acquire(member: Member, origin: Origin, *, now: datetime) -> Acquisition:
    """Freeze where a new member came from, and count the registration.

    A friend's code wins over any link; a link named by the mini-program wins over older touches;
    without either it is organic.
    """
    first, last = _touched_links(origin, now)
    if origin.referrer_id is not None:
        channel = Channel.objects.get(code=REFERRAL)
    else:
        channel = last.channel if last else Channel.objects.get(code=ORGANIC)
    acquisition = Acquisition.objects.create(
        member=member,
        channel=channel,
        first_link=first,
        last_link=None if origin.referrer_id is not None else last,
        visitor_id=origin.visitor_id,
        referrer_id=origin.referrer_id,
        acquired_at=now,
    )
    Conversion.objects.create(
        kind=Conversion.Kind.REGISTRATION,
        source=f"member:{member.pk}",
        member=member,
        channel=channel,
        link=acquisition.last_link,
        occurred_at=now,
    )
    return acquisition


def convert(order: Order, *, now: datetime) -> None:
    """Credit a member's paid order to their last touch in the window, in one statement.

    Without a touch in the window the acquisition keeps the credit while it is itself in the window;
    after that the order is organic. A friend's code outweighs the touches that came before it. The
    member's first paid order also counts as the one first-order conversion they can have.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CONVERT_SQL,
            {
                "touch_kinds": [str(kind) for kind in TOUCH_KINDS],
                "source": order.source,
                "member_source": f"member:{order.member_id}",
                "member": order.member_id,
                "order": order.pk,
                "amount": order.paid_cents,
                "now": now,
                "since": now - WINDOW,
                "organic": ORGANIC,
            },
        )


def credit_papers(order: Order, *, batch_ids: Sequence[int]) -> None:
    """Credit an order that was just converted to the link of the papers whose codes it used.

    They were handed over with it, so they come after every other touch. One statement, and none
    for an order without papers.
    """
    if batch_ids:
        with connection.cursor() as cursor:
            cursor.execute(_CREDIT_PAPERS_SQL, {"order": order.pk, "batches": list(batch_ids)})


_CREDIT_PAPERS_SQL = """
UPDATE campaigns_conversion SET channel_id = paper.channel_id, link_id = paper.id
FROM (
    SELECT link.id, link.channel_id
    FROM campaigns_codebatch batch JOIN campaigns_channellink link ON link.id = batch.link_id
    WHERE batch.id = ANY(%(batches)s)
    ORDER BY batch.id LIMIT 1
) paper
WHERE order_id = %(order)s AND kind IN ('order', 'first_order')
"""


def unconvert(order: Order, *, amount_cents: Cents, refund_source: str, now: datetime) -> None:
    """Take a refund back from the channel that had the credit for the order."""
    credited = Conversion.objects.filter(kind=Conversion.Kind.ORDER, source=order.source).first()
    if credited is not None:
        Conversion.objects.create(
            kind=Conversion.Kind.REFUND,
            source=refund_source,
            member_id=credited.member_id,
            order=order,
            channel_id=credited.channel_id,
            link_id=credited.link_id,
            amount_cents=Cents(-amount_cents),
            occurred_at=now,
        )


def hand_over(*, source_id: int, target_id: int) -> None:
    """Let the target of a merge have come from where the earlier of the two memberships came.

    The two exchange where they came from, and what their registrations say, so that no channel
    gains or loses a registration. Nobody came by themselves.
    """
    with connection.cursor() as cursor:
        cursor.execute(_EXCHANGE_SQL, {"source": source_id, "target": target_id})
    both = [source_id, target_id]
    Acquisition.objects.filter(member_id__in=both, referrer_id__in=both).update(referrer=None)
    Acquisition.objects.filter(referrer_id=source_id).update(referrer_id=target_id)


def forget_visitor(*, member_id: int) -> None:
    """Cut the tie between an erased member and the visitor that they were before they joined."""
    Acquisition.objects.filter(member_id=member_id).update(visitor_id="")


_EXCHANGE_SQL = """
WITH pair AS (
    SELECT one.member_id AS member_id, other.channel_id, other.first_link_id, other.last_link_id,
           other.visitor_id, other.referrer_id, other.acquired_at
    FROM campaigns_acquisition source
    JOIN campaigns_acquisition target
         ON target.member_id = %(target)s AND source.acquired_at < target.acquired_at
    JOIN campaigns_acquisition one ON one.member_id IN (source.member_id, target.member_id)
    JOIN campaigns_acquisition other
         ON other.member_id IN (source.member_id, target.member_id)
        AND other.member_id <> one.member_id
    WHERE source.member_id = %(source)s
),
acquisitions AS (
    UPDATE campaigns_acquisition acquisition
    SET channel_id = pair.channel_id, first_link_id = pair.first_link_id,
        last_link_id = pair.last_link_id, visitor_id = pair.visitor_id,
        referrer_id = pair.referrer_id, acquired_at = pair.acquired_at
    FROM pair WHERE pair.member_id = acquisition.member_id
)
UPDATE campaigns_conversion conversion
SET channel_id = pair.channel_id, link_id = pair.last_link_id, occurred_at = pair.acquired_at
FROM pair
WHERE conversion.kind = 'registration' AND conversion.source = 'member:' || pair.member_id
"""


def _touched_links(origin: Origin, now: datetime) -> tuple[ChannelLink | None, ChannelLink | None]:
    links = ChannelLink.objects.select_related("channel")
    touches = (
        Touch.objects.filter(
            visitor_id=origin.visitor_id,
            kind__in=TOUCH_KINDS,
            quality=Touch.Quality.COUNTED,
            occurred_at__gte=now - WINDOW,
            occurred_at__lte=now,
        )
        if origin.visitor_id
        else Touch.objects.none()
    )
    first = touches.order_by("occurred_at", "id").first()
    paid_first = touches.annotate(is_organic=Q(link__channel__kind=Channel.Kind.ORGANIC))
    last = paid_first.order_by("is_organic", "-occurred_at", "-id").first()
    named = links.filter(code=origin.link_code).first() if origin.link_code else None
    last_link = named or (links.get(pk=last.link_id) if last else None)
    return (links.get(pk=first.link_id) if first else last_link), last_link


_CONVERT_SQL = """
WITH touched AS (
    SELECT link.id AS link_id, channel.id AS channel_id
    FROM campaigns_acquisition acquisition
    JOIN campaigns_touch touch ON touch.visitor_id = acquisition.visitor_id
    JOIN campaigns_channellink link ON link.id = touch.link_id
    JOIN campaigns_channel channel ON channel.id = link.channel_id
    WHERE acquisition.member_id = %(member)s AND acquisition.visitor_id <> ''
      AND touch.kind = ANY(%(touch_kinds)s) AND touch.quality = 'counted'
      AND touch.occurred_at > %(since)s AND touch.occurred_at <= %(now)s
      AND (acquisition.referrer_id IS NULL OR touch.occurred_at > acquisition.acquired_at)
    ORDER BY channel.kind = 'organic', touch.occurred_at DESC, touch.id DESC LIMIT 1
),
credited AS (
    SELECT COALESCE(touched.channel_id,
                    CASE WHEN acquisition.acquired_at > %(since)s THEN acquisition.channel_id END,
                    organic.id) AS channel_id,
           COALESCE(touched.link_id,
                    CASE WHEN acquisition.acquired_at > %(since)s
                         THEN acquisition.last_link_id END) AS link_id
    FROM campaigns_acquisition acquisition
    CROSS JOIN (SELECT id FROM campaigns_channel WHERE code = %(organic)s) organic
    LEFT JOIN touched ON true
    WHERE acquisition.member_id = %(member)s
)
INSERT INTO campaigns_conversion
       (kind, source, member_id, order_id, channel_id, link_id, amount_cents, occurred_at)
SELECT row.kind, row.source, %(member)s, %(order)s, credited.channel_id, credited.link_id,
       row.amount, %(now)s
FROM credited CROSS JOIN (VALUES
    ('order', %(source)s, %(amount)s::bigint),
    ('first_order', %(member_source)s, 0)
) AS row (kind, source, amount)
ON CONFLICT (kind, source) DO NOTHING
"""
