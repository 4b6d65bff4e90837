"""The one rule of tiers as pieces of SQL, for one member at the till and for a million at night.

What counts for a tier are events (points, money paid or visits) within a window that ends now.
The pieces speak of the rows `programme`, `member` and `store` of the statement that they stand in.
"""

from loyalty.models import LoyaltyProgramme

Basis = LoyaltyProgramme.Basis

UNITS = {Basis.POINTS: 1, Basis.SPEND: 100, Basis.VISITS: 1}
"""How many units of an event's amount make one of a tier's threshold: money is counted in cents."""

EVENTS = {
    Basis.POINTS: """
        SELECT account.member_id, entry.occurred_at AS at, entry.points::bigint AS amount
        FROM loyalty_pointsaccount account
        JOIN loyalty_pointsentry entry ON entry.account_id = account.id
        WHERE account.wallet = 'qualifying'
    """,
    Basis.SPEND: """
        SELECT orders.member_id, orders.paid_at AS at,
               (orders.payable_cents - orders.refunded_cents)::bigint AS amount
        FROM shop_order orders WHERE orders.paid_at IS NOT NULL
    """,
    Basis.VISITS: """
        SELECT visit.member_id, visit.visited_at AS at, 1::bigint AS amount
        FROM loyalty_visit visit WHERE visit.reversed_at IS NULL
    """,
}
"""The events of each basis: whose, when, how much. Net of what was refunded."""


def amount_since(since: str) -> str:
    """Return SQL for what the member has collected since then, whatever the programme counts.

    Only the branch of the programme's basis is run.
    """
    return _over_events("COALESCE(sum(event.amount), 0)::bigint", since)


def collected_since(since: str, since_then: str) -> str:
    """Return SQL for a JSON object of what the member has collected, in one pass over the events.

    `amount` counts from the one moment, `amount_then` from the other; `oldest` is when the oldest
    event happened that counts for `amount`.
    """
    return _over_events(
        f"""jsonb_build_object(
            'amount', COALESCE(sum(event.amount) FILTER (WHERE event.at >= {since}), 0)::bigint,
            'amount_then',
            COALESCE(sum(event.amount) FILTER (WHERE event.at >= {since_then}), 0)::bigint,
            'oldest', min(event.at) FILTER (WHERE event.at >= {since}))""",
        f"LEAST({since}, {since_then})",
    )


def window_start(at: str, *, member: str = "member", store: str = "store") -> str:
    """Return SQL for the beginning of the window that a moment lies in.

    What happened exactly so many days ago counts no more, like what happened in the year before.
    """
    joined = _joined_day(member, store)
    return f"""CASE COALESCE(programme.qualifying_window, 'rolling')
        WHEN 'calendar' THEN date_trunc('year', {at}, {store}.timezone)
        WHEN 'anniversary' THEN
            ({joined} + make_interval(years => {_years(at, joined, store)}))
            AT TIME ZONE {store}.timezone
        ELSE {at} + interval '1 microsecond'
            - make_interval(days => COALESCE(programme.qualifying_window_days, 365))
    END"""


def window_before(end: str) -> str:
    """Return SQL for the beginning of the window that ended then.

    What lifted a member at the beginning of a period counts no more at its end, a window later.
    """
    return f"""CASE COALESCE(programme.qualifying_window, 'rolling')
        WHEN 'rolling' THEN {window_start(end)}
        ELSE {window_start(f"({end} - interval '1 microsecond')")}
    END"""


def window_end(at: str, *, member: str = "member", store: str = "store") -> str:
    """Return SQL for the end of the year that a moment lies in; the moment itself if rolling."""
    joined = _joined_day(member, store)
    return f"""CASE COALESCE(programme.qualifying_window, 'rolling')
        WHEN 'calendar' THEN
            (date_trunc('year', {at} AT TIME ZONE {store}.timezone) + interval '1 year')
            AT TIME ZONE {store}.timezone
        WHEN 'anniversary' THEN
            ({joined} + make_interval(years => 1 + {_years(at, joined, store)}))
            AT TIME ZONE {store}.timezone
        ELSE {at}
    END"""


def kept_until(at: str) -> str:
    """Return SQL for how long a tier reached at that moment is kept: to the end of its year."""
    kept = f"({at} + make_interval(days => COALESCE(programme.tier_keep_days, 365)))"
    return window_end(kept)


def _over_events(expression: str, since: str) -> str:
    found = {
        basis: f"""(SELECT {expression} FROM ({events}) event
                    WHERE event.member_id = member.id AND event.at >= {since})"""
        for basis, events in EVENTS.items()
    }
    return f"""CASE COALESCE(programme.qualifying_basis, 'points')
        WHEN 'spend' THEN {found[Basis.SPEND]}
        WHEN 'visits' THEN {found[Basis.VISITS]}
        ELSE {found[Basis.POINTS]}
    END"""


def _joined_day(member: str, store: str) -> str:
    return f"date_trunc('day', {member}.joined_at AT TIME ZONE {store}.timezone)"


def _years(at: str, joined: str, store: str) -> str:
    """Return SQL for the whole years from the day of joining to a moment, store time."""
    return f"EXTRACT(YEAR FROM age({at} AT TIME ZONE {store}.timezone, {joined}))::int"
