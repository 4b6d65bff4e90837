"""Who met our links in a period, and clicked. Reads, writes nothing.

A visitor who joined in the period stands where the member stands; any other where their last click,
scan or visit was, without one their last impression. So each person is in one row.
"""

from shop.storefront.reports import rows
from shop.storefront.reports.dimensions import BUCKET, KEYS, LINKS, NAMED
from shop.storefront.reports.scopes import Scope
from shop.storefront.reports.spending import Place, place


def build(scope: Scope) -> dict[Place, dict[str, int]]:
    """Return `reached` and `clicked` by place.

    With periods, a visitor counts in each in which they met us.
    """
    sql = _VISITORS_SQL.format(
        links=LINKS.format(key=KEYS[scope.by]),
        key=KEYS[scope.by],
        named=NAMED.format(row="added"),
        bucket=BUCKET[scope.every].format(day="row.business_date"),
    )
    return {place(row): row for row in rows.select(sql, scope.values())}


_CELL = """
row.business_date, row.met_link_id, row.joined_on, row.store_id, row.channel_id, row.link_id,
row.reached, row.clicked
"""
_MET = "row.business_date >= %(months_since)s AND row.business_date < %(months_until)s"
_STANDING = """
row.met_link_id, row.store_id, row.channel_id, row.link_id,
row.joined_on >= %(since)s AND row.joined_on < %(until)s AND row.store_id = ANY(%(stores)s)
    AS has_joined
"""
# Members of the months at the ends of the period may have joined in it or not: by the month nobody
# can tell, so those come from days.
_AT_THE_ENDS = """
(row.joined_on >= date_trunc('month', %(since)s::timestamp)::date
 AND row.joined_on < %(months_since)s
 OR row.joined_on >= %(months_until)s
 AND row.joined_on < date_trunc('month', %(until)s::timestamp)::date + interval '1 month')
"""

# Who met us once is added up, by months where they are whole; of the others, the last meeting in
# the period counts.
_VISITORS_SQL = f"""
WITH {{links}},
row AS (
    SELECT {_CELL} FROM storefront_metoncemonth row WHERE {_MET} AND NOT {_AT_THE_ENDS}
    UNION ALL
    SELECT {_CELL} FROM storefront_metonceday row WHERE {_MET} AND {_AT_THE_ENDS}
    UNION ALL
    SELECT {_CELL} FROM storefront_metonceday row
    WHERE row.business_date >= %(since)s AND row.business_date < %(until)s AND NOT ({_MET})
),
again AS (
    SELECT DISTINCT ON (row.visitor_id, {{bucket}}) row.*, {{bucket}} AS starts_on
    FROM storefront_meeting row JOIN links ON links.link_id = row.met_link_id
    WHERE NOT row.is_only
      AND row.business_date >= %(since)s AND row.business_date < %(until)s
    ORDER BY row.visitor_id, {{bucket}}, row.is_clicked DESC, row.met_last_at DESC,
             row.met_link_id DESC
),
added AS (
    SELECT {{bucket}} AS starts_on, {_STANDING}, sum(reached) AS reached, sum(clicked) AS clicked
    FROM row GROUP BY 1, 2, 3, 4, 5, 6
    UNION ALL
    SELECT starts_on, {_STANDING}, count(*), count(*) FILTER (WHERE is_clicked)
    FROM again row GROUP BY 1, 2, 3, 4, 5, 6
),
visitor AS (
    SELECT CASE WHEN added.has_joined THEN {{key}} ELSE links.key END AS key,
           added.starts_on, added.reached, added.clicked
    FROM added JOIN links ON links.link_id = added.met_link_id {{named}}
)
SELECT key, starts_on, sum(reached)::bigint AS reached, sum(clicked)::bigint AS clicked
FROM visitor GROUP BY 1, 2
"""
