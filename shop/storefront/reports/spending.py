"""What was spent on people in a period, and what platforms say of it. Reads, writes nothing."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from campaigns.partner_costs import PARTNER_COSTS_SQL
from shop.storefront.reports import rows
from shop.storefront.reports.dimensions import BUCKET, KEYS, LINKS
from shop.storefront.reports.scopes import Scope

COLUMNS = ["cost_cents", "non_cash_cents", "impressions", "platform_clicks", "reached_estimated"]
Place = tuple[str, date | None]
"""A key, and the first day of its period."""


def build(scope: Scope) -> dict[Place, dict[str, int]]:
    """Return what was spent, by place. What is given instead of money is cost too."""
    sql = _SPENT_SQL.format(
        links=LINKS.format(key=KEYS[scope.by]),
        key=KEYS[scope.by],
        bucket=BUCKET[scope.every].format(day="cost.date"),
    )
    return {place(row): row for row in rows.select(sql, scope.values())}


def place(row: Mapping[str, Any]) -> Place:
    """Return where a row belongs, and take that off it."""
    taken = dict(row)
    return taken["key"], taken["starts_on"]


def days(scope: Scope) -> dict[str, list[tuple[date, int]]]:
    """Return what was spent on each day by key, oldest first; days without cost are left out."""
    found: dict[str, list[tuple[date, int]]] = {}
    sql = _DAYS_SQL.format(links=LINKS.format(key=KEYS[scope.by]))
    for row in rows.select(sql, scope.values()):
        found.setdefault(row["key"], []).append((row["date"], row["cost_cents"]))
    return found


_COSTS = """
costs AS (
    SELECT cost.link_id, cost.date, cost.cost_cents, 0 AS non_cash_cents, cost.impressions,
           cost.clicks AS platform_clicks, cost.estimated_reach AS reached_estimated
    FROM campaigns_dailycost cost
    WHERE cost.date >= %(since)s AND cost.date < %(until)s
)
"""

# Partners cost no link but a channel and a campaign. Statements are left out: fees are entered as
# daily costs of the links of a deal, on the days for which they were agreed.
_IN_KIND = f"""
in_kind AS (
    SELECT {{key}} AS key, cost.date,
           CASE cost.kind WHEN 'visit' THEN cost.cash_cents ELSE cost.noncash_cents END
               AS non_cash_cents
    FROM ({PARTNER_COSTS_SQL}) cost
    JOIN campaigns_channel channel ON channel.id = cost.channel_id
    LEFT JOIN campaigns_campaign campaign ON campaign.id = cost.campaign_id
    LEFT JOIN shop_store store ON store.id = cost.store_id
    LEFT JOIN campaigns_channellink link ON false
    LEFT JOIN campaigns_campaignphase phase ON false
    WHERE cost.kind <> 'statement' AND cost.date >= %(since)s AND cost.date < %(until)s
      AND (cost.store_id = ANY(%(stores)s)
           OR cost.store_id IS NULL AND %(whole_chain)s::boolean)
)
"""

_SPENT_SQL = f"""
WITH {{links}}, {_COSTS}, {_IN_KIND}
SELECT cost.key, {{bucket}} AS starts_on,
       {", ".join(f"sum(cost.{name})::bigint AS {name}" for name in COLUMNS)}
FROM (
    SELECT links.key, costs.date, {", ".join(COLUMNS)} FROM costs JOIN links USING (link_id)
    UNION ALL
    SELECT key, date, {", ".join("0" if name != "non_cash_cents" else name for name in COLUMNS)}
    FROM in_kind
) cost
GROUP BY 1, 2
"""

_DAYS_SQL = f"""
WITH {{links}}, {_COSTS}
SELECT links.key, cost.date, sum(cost.cost_cents)::bigint AS cost_cents
FROM costs cost JOIN links USING (link_id)
GROUP BY 1, 2
HAVING sum(cost.cost_cents) > 0
ORDER BY 1, 2
"""
