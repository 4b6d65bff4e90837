"""Telling members in time that their tier drops, and what keeps it: once for each period."""

from datetime import datetime

from django.db import connection
from django.utils.translation import gettext_lazy as _

from loyalty import tiers
from shop.kernel import jobs
from shop.kernel.models import Job

KIND = "tiers.warn"
TOPIC = "tier.dropping"
SLICE = 2_000
PER_SECOND = 20
"""Messages become due at this pace, so that receipts do not stand behind a million warnings."""


def start_daily(*, now: datetime) -> Job:
    """Start the day's run; once a day, however often called."""
    return jobs.start(KIND, params={}, requested_by="beat", key=f"{KIND}:{now:%F}", now=now)


@jobs.runs(KIND, label=_("Warn of tiers that drop"))
def warn_slice(job: Job, now: datetime) -> bool:
    """Queue messages for the next members whose days are counted; True when there are no more.

    Who has earned the tier again by then hears nothing: that is asked when the message is sent.
    """
    settings = tiers.programme()
    if settings.tier_downgrade == settings.Downgrade.NEVER:
        return True
    values = {
        "after": job.cursor.get("after", 0),
        "grace": settings.tier_grace_days,
        "days": settings.expiry_warning_days,
        "limit": SLICE,
        "topic": TOPIC,
        "now": now,
        "delay": job.done / PER_SECOND,
        "pace": 1 / PER_SECOND,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WARN_SQL, values)
        last, found, queued = cursor.fetchone()
    if last is not None:
        job.cursor = {"after": last}
    job.done += found
    job.result = {"messages": job.result.get("messages", 0) + queued}
    return bool(found < SLICE)


_WARN_SQL = """
WITH soon AS (
    SELECT membership.member_id, membership.kept_until
    FROM loyalty_membership membership
    WHERE membership.member_id > %(after)s
      AND membership.kept_until > %(now)s::timestamptz - %(grace)s * interval '1 day'
      AND membership.kept_until <= %(now)s::timestamptz
                                   + (%(days)s - %(grace)s) * interval '1 day'
      AND NOT EXISTS (SELECT FROM loyalty_tierpin pin
                      WHERE pin.member_id = membership.member_id AND pin.ended_at IS NULL)
    ORDER BY membership.member_id LIMIT %(limit)s
), queued AS (
    INSERT INTO kernel_outboxmessage
           (id, topic, key, payload, state, attempts, available_at, created_at, last_error)
    SELECT gen_random_uuid(), %(topic)s,
           'tier:' || soon.member_id || ':' || extract(epoch FROM soon.kept_until)::bigint,
           jsonb_build_object('member', member.public_id, 'kept_until', soon.kept_until),
           'new', 0,
           %(now)s::timestamptz + make_interval(
               secs => %(delay)s + %(pace)s * row_number() OVER (ORDER BY soon.member_id)),
           %(now)s, ''
    FROM soon JOIN shop_member member ON member.id = soon.member_id AND member.status = 'active'
    ON CONFLICT (topic, key) DO NOTHING
    RETURNING 1
)
SELECT (SELECT max(member_id) FROM soon), (SELECT count(*) FROM soon), (SELECT count(*) FROM queued)
"""
