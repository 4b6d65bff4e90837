"""What guests paid in advance, store by store and day by day. Reads, writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shop.models import Store
from shop.storefront.reports import rows


@dataclass(frozen=True, kw_only=True, slots=True)
class FundsRow:
    """One store's business day; movements count where they happened.

    closing = opening + received − spent + returned − paid_out, of principal alone. A store where
    others' money is spent closes below zero; all stores together close at what the chain owes,
    less the cards that head office issued.
    """

    store: str
    date: date
    opening_cents: int
    received_cents: int
    spent_cents: int
    returned_cents: int
    paid_out_cents: int
    closing_cents: int
    gift_given_cents: int
    gift_spent_cents: int
    gift_lost_cents: int


def build(*, stores: Sequence[Store], since: date, until: date) -> list[FundsRow]:
    """Return a row per store and business day in [since, until) on which anything moved."""
    values = {"stores": [store.pk for store in stores], "since": since, "until": until}
    return [FundsRow(**row) for row in rows.select(_FUNDS_SQL, values)]


# Sums run over all days up to the last, so that the first row knows what there was before.
_FUNDS_SQL = """
WITH moved AS (
    SELECT store.code AS store, account.kind AS part, entry.kind, entry.cents,
           ((entry.occurred_at AT TIME ZONE store.timezone) - store.day_starts_at::interval)::date
               AS date
    FROM loyalty_moneyentry entry
    JOIN loyalty_moneyaccount account ON account.id = entry.account_id
    JOIN shop_store store ON store.id = entry.store_id
    WHERE entry.store_id = ANY(%(stores)s) AND entry.occurred_at < %(until)s::date + 2
),
days AS (
    SELECT store, date,
           COALESCE(sum(cents) FILTER (WHERE part = 'principal'), 0) AS net,
           COALESCE(sum(cents) FILTER (WHERE part = 'principal' AND kind IN ('top_up', 'issue')), 0)
               AS received,
           COALESCE(-sum(cents) FILTER (WHERE part = 'principal' AND kind = 'spend'), 0) AS spent,
           COALESCE(sum(cents) FILTER (WHERE part = 'principal' AND kind = 'give_back'), 0)
               AS returned,
           COALESCE(-sum(cents) FILTER (WHERE part = 'principal' AND kind = 'cash_out'), 0)
               AS paid_out,
           COALESCE(sum(cents) FILTER (WHERE part = 'gift' AND kind IN ('gift', 'issue')), 0)
               AS gift_given,
           COALESCE(-sum(cents) FILTER (WHERE part = 'gift' AND kind IN ('spend', 'give_back')), 0)
               AS gift_spent,
           COALESCE(-sum(cents) FILTER (WHERE part = 'gift' AND kind IN ('expire', 'forfeit')), 0)
               AS gift_lost
    FROM moved GROUP BY store, date
),
running AS (
    SELECT *, sum(net) OVER (PARTITION BY store ORDER BY date) AS closing FROM days
)
SELECT store, date, (closing - net)::bigint AS opening_cents, received::bigint AS received_cents,
       spent::bigint AS spent_cents, returned::bigint AS returned_cents,
       paid_out::bigint AS paid_out_cents, closing::bigint AS closing_cents,
       gift_given::bigint AS gift_given_cents, gift_spent::bigint AS gift_spent_cents,
       gift_lost::bigint AS gift_lost_cents
FROM running
WHERE date >= %(since)s AND date < %(until)s
ORDER BY store, date
"""
