"""The opening of a store as a funnel: from people reached to people who bring friends.

docs/metrics.md says what each stage means. Visitors are read from roll-ups, which outlive touches,
members and orders as they are now. Writes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from campaigns.attribution import ORGANIC, REFERRAL
from shop.models import Store
from shop.storefront.reports import rows
from shop.storefront.reports.ratios import per_person, rate

TOTAL = "total"
"""What stands for a channel's code in the row that sums all channels."""


class Stage(StrEnum):
    """The stages in their order."""

    REACHED = "reached"
    SCANNED = "scanned"
    JOINED = "joined"
    FIRST_ORDER = "first_order"
    SECOND_ORDER = "second_order"
    LONG_TERM = "long_term"
    REFERRER = "referrer"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """The numbers in the definitions of the stages, in days.

    `lead_days` is how long before the opening its promotion counts; `days` are business days.
    """

    days: int = 3
    second_within_days: int = 30
    long_term_days: int = 90
    long_term_orders: int = 4
    lead_days: int = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class StageRow:
    """How many people got to a stage, and what each has cost so far.

    Rates and cost are None where there is nobody to divide by.
    """

    stage: Stage
    people: int
    rate_of_previous: float | None
    rate_of_first: float | None
    cost_per_person_cents: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelRow:
    """The funnel of one channel, or of all together. Each person is in exactly one channel.

    `friends_referred` are friends whom this channel's people brought and who have bought.
    `revenue_cents` is net of refunds, of the people who placed a first order.
    """

    channel: str
    name_zh: str
    name_en: str
    cost_cents: int
    reached_estimated: int
    stages: Sequence[StageRow]
    friends_referred: int
    revenue_cents: int

    def people(self, stage: Stage) -> int:
        """Return how many people of this channel got to a stage."""
        return next(row.people for row in self.stages if row.stage is stage)


@dataclass(frozen=True, kw_only=True, slots=True)
class FriendsRow:
    """Friends whom people of the opening brought and who have bought, by their own channel."""

    channel: str
    people: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OpeningFunnel:
    """The whole report. Periods are half-open; `first_until` is the first moment after them."""

    store: str
    opened_on: date
    rules: Rules
    reached_from: datetime
    first_from: datetime
    first_until: datetime
    total: ChannelRow
    channels: Sequence[ChannelRow]
    friends: Sequence[FriendsRow]

    @property
    def stages(self) -> Sequence[StageRow]:
        """Return the funnel of all channels together."""
        return self.total.stages

    def people(self, stage: Stage) -> int:
        """Return how many people got to a stage."""
        return self.total.people(stage)


def build(*, store: Store, rules: Rules | None = None) -> OpeningFunnel:
    """Return the opening funnel of a store, as it stands now."""
    rules = rules or Rules()
    first_from = store.business_day_start(store.opened_on)
    first_until = store.business_day_start(store.opened_on + timedelta(days=rules.days))
    reached_from = store.business_day_start(store.opened_on - timedelta(days=rules.lead_days))
    values = {
        "store": store.pk,
        "opened_on": store.opened_on,
        "first_until_date": store.opened_on + timedelta(days=rules.days),
        "lead_from_date": store.opened_on - timedelta(days=rules.lead_days),
        "reached_from": reached_from,
        "first_until": first_until,
        "second_within": timedelta(days=rules.second_within_days),
        "long_term": timedelta(days=rules.long_term_days),
        "long_term_orders": rules.long_term_orders,
        "organic": ORGANIC,
        "always": [ORGANIC, REFERRAL],
    }
    channels = rows.select(_PEOPLE_SQL + _CHANNELS_SQL, values)
    return OpeningFunnel(
        store=store.code,
        opened_on=store.opened_on,
        rules=rules,
        reached_from=reached_from,
        first_from=first_from,
        first_until=first_until,
        total=_channel_row(_sum(channels)),
        channels=[_channel_row(row) for row in channels],
        friends=[FriendsRow(**row) for row in rows.select(_PEOPLE_SQL + _FRIENDS_SQL, values)],
    )


def _sum(channels: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = ("cost_cents", "reached_estimated", "friends_referred", "revenue_cents", *Stage)
    sums = {name: sum(row[name] for row in channels) for name in names}
    return {"channel": TOTAL, "name_zh": "合计", "name_en": "Total"} | sums


def _channel_row(row: Mapping[str, Any]) -> ChannelRow:
    return ChannelRow(
        channel=row["channel"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        cost_cents=row["cost_cents"],
        reached_estimated=row["reached_estimated"],
        stages=_stage_rows(row),
        friends_referred=row["friends_referred"],
        revenue_cents=row["revenue_cents"],
    )


def _stage_rows(row: Mapping[str, Any]) -> list[StageRow]:
    stages: list[StageRow] = []
    for stage in Stage:
        people = row[stage]
        stages.append(
            StageRow(
                stage=stage,
                people=people,
                rate_of_previous=rate(people, stages[-1].people) if stages else None,
                rate_of_first=rate(people, stages[0].people if stages else people),
                cost_per_person_cents=per_person(row["cost_cents"], people),
            )
        )
    return stages


# One row per visitor and one per new member, each with exactly one channel: so channels add up.
_PEOPLE_SQL = """
WITH links AS (
    SELECT link.id, link.channel_id
    FROM campaigns_channellink link
    WHERE link.store_id = %(store)s
       OR (link.store_id IS NULL AND link.campaign_id IN (
               SELECT campaign_id FROM campaigns_campaign_stores
               GROUP BY campaign_id HAVING array_agg(store_id) = ARRAY[%(store)s::bigint]))
),
newcomers AS (
    SELECT member.id AS member_id, acquisition.visitor_id,
           COALESCE(acquisition.channel_id, organic.id) AS channel_id
    FROM shop_member member
    CROSS JOIN (SELECT id FROM campaigns_channel WHERE code = %(organic)s) organic
    LEFT JOIN campaigns_acquisition acquisition ON acquisition.member_id = member.id
    WHERE member.store_id = %(store)s
      AND member.joined_at >= %(reached_from)s AND member.joined_at < %(first_until)s
),
touched AS (
    SELECT DISTINCT ON (meeting.visitor_id) meeting.visitor_id, links.channel_id,
           meeting.is_clicked AS is_scanned
    FROM storefront_meeting meeting
    JOIN links ON links.id = meeting.met_link_id
    WHERE meeting.business_date >= %(lead_from_date)s
      AND meeting.business_date < %(first_until_date)s
    ORDER BY meeting.visitor_id, meeting.is_clicked DESC, meeting.met_last_at DESC,
             meeting.met_link_id DESC
),
visitors AS (
    SELECT DISTINCT ON (touched.visitor_id) touched.visitor_id, touched.is_scanned,
           COALESCE(newcomers.channel_id, touched.channel_id) AS channel_id
    FROM touched
    LEFT JOIN newcomers ON newcomers.visitor_id = touched.visitor_id
    ORDER BY touched.visitor_id, newcomers.member_id
),
standing AS (
    SELECT orders.member_id, orders.paid_at, orders.business_date,
           orders.paid_cents - orders.refunded_cents AS net_cents,
           first_value(orders.paid_at) OVER person AS first_at,
           row_number() OVER person AS nth
    FROM shop_order orders
    JOIN newcomers ON newcomers.member_id = orders.member_id
    WHERE orders.store_id = %(store)s AND orders.paid_at IS NOT NULL
      AND orders.status <> 'refunded' AND orders.business_date >= %(opened_on)s
    WINDOW person AS (PARTITION BY orders.member_id ORDER BY orders.paid_at, orders.id)
),
buyers AS (
    SELECT member_id,
           bool_or(nth = 2 AND paid_at <= first_at + %(second_within)s::interval) AS has_second,
           count(*) FILTER (WHERE paid_at < first_at + %(long_term)s::interval) AS orders,
           COALESCE(sum(net_cents) FILTER (
               WHERE paid_at < first_at + %(long_term)s::interval), 0) AS revenue_cents
    FROM standing
    GROUP BY member_id
    HAVING min(business_date) < %(first_until_date)s
),
people AS (
    SELECT newcomers.channel_id, buyers.member_id, COALESCE(buyers.has_second, false) AS has_second,
           COALESCE(buyers.has_second, false)
               AND (buyers.orders >= %(long_term_orders)s OR tier.level >= 2) AS is_long_term,
           COALESCE(buyers.revenue_cents, 0) AS revenue_cents,
           CASE WHEN buyers.member_id IS NULL THEN 0 ELSE (
               SELECT count(*) FROM campaigns_referral referral
               WHERE referral.referrer_id = buyers.member_id AND referral.status = 'qualified'
           ) END AS friends
    FROM newcomers
    LEFT JOIN buyers ON buyers.member_id = newcomers.member_id
    LEFT JOIN loyalty_membership membership ON membership.member_id = newcomers.member_id
    LEFT JOIN loyalty_tier tier ON tier.id = membership.tier_id
)
"""

_CHANNELS_SQL = """,
parts (channel_id, reached, scanned, joined, first_order, second_order, long_term, referrer,
       friends_referred, revenue_cents, cost_cents, reached_estimated) AS (
    SELECT channel_id, count(*), count(*) FILTER (WHERE is_scanned), 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM visitors GROUP BY channel_id
    UNION ALL
    SELECT channel_id, 0, 0, count(*), count(member_id), count(*) FILTER (WHERE has_second),
           count(*) FILTER (WHERE is_long_term), count(*) FILTER (WHERE friends > 0),
           sum(friends), sum(revenue_cents), 0, 0
    FROM people GROUP BY channel_id
    UNION ALL
    SELECT links.channel_id, 0, 0, 0, 0, 0, 0, 0, 0, 0,
           sum(cost.cost_cents), sum(cost.estimated_reach)
    FROM campaigns_dailycost cost JOIN links ON links.id = cost.link_id
    WHERE cost.date >= %(lead_from_date)s AND cost.date < %(first_until_date)s
    GROUP BY links.channel_id
    UNION ALL
    SELECT id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM campaigns_channel WHERE code = ANY(%(always)s)
)
SELECT channel.code AS channel, channel.name_zh, channel.name_en,
       sum(parts.reached)::bigint AS reached, sum(parts.scanned)::bigint AS scanned,
       sum(parts.joined)::bigint AS joined, sum(parts.first_order)::bigint AS first_order,
       sum(parts.second_order)::bigint AS second_order, sum(parts.long_term)::bigint AS long_term,
       sum(parts.referrer)::bigint AS referrer,
       sum(parts.friends_referred)::bigint AS friends_referred,
       sum(parts.revenue_cents)::bigint AS revenue_cents,
       sum(parts.cost_cents)::bigint AS cost_cents,
       sum(parts.reached_estimated)::bigint AS reached_estimated
FROM parts JOIN campaigns_channel channel ON channel.id = parts.channel_id
GROUP BY channel.id, channel.code, channel.name_zh, channel.name_en
ORDER BY cost_cents DESC, channel.id
"""

_FRIENDS_SQL = """
SELECT channel.code AS channel, count(*) AS people
FROM people
JOIN campaigns_referral referral
     ON referral.referrer_id = people.member_id AND referral.status = 'qualified'
JOIN campaigns_acquisition acquisition ON acquisition.member_id = referral.referee_id
JOIN campaigns_channel channel ON channel.id = acquisition.channel_id
GROUP BY channel.code
ORDER BY people DESC, channel.code
"""
