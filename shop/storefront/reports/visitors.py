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
        cells=NAMED.format(row="added"),
        members=NAMED.format(row="member"),
        cell_bucket=BUCKET[scope.every].format(day="row.business_date"),
        bucket=BUCKET[scope.every].format(day="meeting.business_date"),
    )
    return {place(row): row for row in rows.select(sql, scope.values())}


_CELL = """
row.business_date, row.met_link_id, row.joined_on, row.store_id, row.channel_id, row.link_id,
row.reached, row.clicked
"""
_OF_MONTHS = "{day} >= %(months_since)s AND {day} < %(months_until)s"
_MET = _OF_MONTHS.format(day="row.business_date")
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
added AS (
    SELECT {{cell_bucket}} AS starts_on, row.met_link_id, row.store_id, row.channel_id,
           row.link_id,
           row.joined_on >= %(since)s AND row.joined_on < %(until)s
               AND row.store_id = ANY(%(stores)s) AS has_joined,
           sum(row.reached) AS reached, sum(row.clicked) AS clicked
    FROM row
    GROUP BY 1, 2, 3, 4, 5, 6
),
once AS (
    SELECT CASE WHEN added.has_joined THEN {{key}} ELSE links.key END AS key,
           added.starts_on, added.reached, added.clicked
    FROM added JOIN links ON links.link_id = added.met_link_id {{cells}}
),
again AS (
    SELECT DISTINCT ON (meeting.visitor_id, {{bucket}}) meeting.visitor_id, links.key,
           {{bucket}} AS starts_on, meeting.is_clicked
    FROM storefront_meeting meeting JOIN links ON links.link_id = meeting.link_id
    WHERE NOT meeting.is_only
      AND meeting.business_date >= %(since)s AND meeting.business_date < %(until)s
    ORDER BY meeting.visitor_id, {{bucket}}, meeting.is_clicked DESC, meeting.met_last_at DESC,
             meeting.link_id DESC
),
owners AS (
    SELECT DISTINCT ON (acquisition.visitor_id) acquisition.visitor_id, {{key}} AS key
    FROM (SELECT DISTINCT visitor_id FROM again) seen
    JOIN campaigns_acquisition acquisition ON acquisition.visitor_id = seen.visitor_id
     AND acquisition.visitor_id <> ''
    JOIN storefront_memberrollup member ON member.member_id = acquisition.member_id
     AND member.joined_on >= %(since)s AND member.joined_on < %(until)s
     AND member.store_id = ANY(%(stores)s)
    {{members}}
    ORDER BY acquisition.visitor_id, acquisition.acquired_at
)
SELECT key, starts_on, sum(reached)::bigint AS reached, sum(clicked)::bigint AS clicked
FROM (
    SELECT * FROM once
    UNION ALL
    SELECT COALESCE(owners.key, again.key), again.starts_on, 1, again.is_clicked::int
    FROM again LEFT JOIN owners USING (visitor_id)
) visitor
GROUP BY 1, 2
"""
