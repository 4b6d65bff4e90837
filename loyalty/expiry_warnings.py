"""Telling members what they are about to lose: one message for each wallet and day of expiry."""

from datetime import datetime, timedelta

from django.db import connection
from django.utils.translation import gettext_lazy as _

from loyalty.models import LoyaltyProgramme
from shop.kernel import jobs
from shop.kernel.models import Job

KIND = "points.warn"
TOPIC = "points.expiring"
SLICE = 2_000
PER_SECOND = 20
"""Messages become due at this pace, so that receipts do not stand behind a million warnings."""


def start(*, requested_by: str, now: datetime, key: str | None = None) -> Job:
    """Queue a run that warns of everything that expires within the programme's days."""
    programme = LoyaltyProgramme.objects.filter(pk=1).first() or LoyaltyProgramme()
    until = now + timedelta(days=programme.expiry_warning_days)
    params = {"from": now.isoformat(), "until": until.isoformat()}
    return jobs.start(KIND, params=params, requested_by=requested_by, now=now, key=key)


@jobs.runs(KIND, label=_("Warn of points that expire"))
def warn_slice(job: Job, now: datetime) -> bool:
    """Queue the messages for the next wallets; True when there are no more.

    A message is queued once for a wallet and a moment of expiry, however often this runs.
    """
    values = {
        "after": (job.cursor or {}).get("account", 0),
        "from": job.params["from"],
        "until": job.params["until"],
        "limit": SLICE,
        "topic": TOPIC,
        "now": now,
        "delay": job.done / PER_SECOND,
        "pace": 1 / PER_SECOND,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WARN_SQL, values)
        last, wallets, messages = cursor.fetchone()
    if last is not None:
        job.cursor = {"account": last}
    job.done += wallets
    job.result = {"messages": (job.result or {}).get("messages", 0) + messages}
    return bool(wallets < SLICE)


_WARN_SQL = """
WITH wallets AS (
    SELECT DISTINCT lot.account_id
    FROM loyalty_pointslot lot
    JOIN loyalty_pointsaccount account
         ON account.id = lot.account_id AND account.wallet = 'points'
    WHERE lot.account_id > %(after)s AND lot.remaining > 0
      AND lot.expires_at > %(from)s::timestamptz AND lot.expires_at <= %(until)s::timestamptz
    ORDER BY lot.account_id LIMIT %(limit)s
),
soon AS (
    SELECT lot.account_id, lot.expires_at, sum(lot.remaining) AS points
    FROM loyalty_pointslot lot JOIN wallets USING (account_id)
    WHERE lot.remaining > 0
      AND lot.expires_at > %(from)s::timestamptz AND lot.expires_at <= %(until)s::timestamptz
    GROUP BY lot.account_id, lot.expires_at
),
queued AS (
    INSERT INTO kernel_outboxmessage
           (id, topic, key, payload, state, attempts, available_at, created_at, last_error)
    SELECT gen_random_uuid(), %(topic)s,
           'points:' || soon.account_id || ':' || extract(epoch FROM soon.expires_at)::bigint,
           jsonb_build_object('member', member.public_id, 'points', soon.points,
                              'expires_at', soon.expires_at),
           'new', 0,
           %(now)s::timestamptz + make_interval(
               secs => %(delay)s + %(pace)s * row_number() OVER (ORDER BY soon.account_id)),
           %(now)s, ''
    FROM soon
    JOIN loyalty_pointsaccount account ON account.id = soon.account_id
    JOIN shop_member member ON member.id = account.member_id AND member.status = 'active'
    ON CONFLICT (topic, key) DO NOTHING
    RETURNING 1
)
SELECT (SELECT max(account_id) FROM wallets), (SELECT count(*) FROM wallets),
       (SELECT count(*) FROM queued)
"""
