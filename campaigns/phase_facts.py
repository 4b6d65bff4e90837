"""How far phases have gone, in money, new members and uses of their offers. Reads, writes nothing.

What a link costs and brings counts for the phase that the link names.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django_stubs_ext import WithAnnotations

from campaigns.guards import Limits, Spent
from campaigns.models import CampaignPhase, DailyCost
from shop.kernel import rows
from shop.kernel.clock import chain_day
from shop.kernel.fields import CentsField
from shop.kernel.money import Cents


class Costed(TypedDict):
    """What `with_cost` adds to a phase."""

    cost_cents: Cents


def with_cost(
    phases: QuerySet[CampaignPhase],
) -> "QuerySet[WithAnnotations[CampaignPhase, Costed]]":
    """Add `cost_cents`: what the links of each phase have cost so far."""
    costs = (
        DailyCost.objects.filter(link__phase=OuterRef("pk"))
        .order_by()
        .values("link__phase")
        .annotate(total=Sum("cost_cents"))
        .values("total")
    )
    return phases.annotate(cost_cents=Coalesce(Subquery(costs), 0, output_field=CentsField()))


def limits_of(phase: CampaignPhase) -> Limits:
    """Return how far a phase may go."""
    return Limits(
        budget_cents=phase.budget_cents,
        daily_budget_cents=phase.daily_budget_cents,
        redemptions=phase.redemption_limit,
        cpa_cents=phase.cpa_limit_cents,
        cpa_min_joins=phase.cpa_min_joins,
    )


def measure(phases: Iterable[CampaignPhase], *, now: datetime) -> dict[int, Spent]:
    """Return how far each phase has gone; today is the chain's calendar day."""
    values = {
        "phases": [phase.pk for phase in phases],
        "today": chain_day(now),
        "now": now,
    }
    if not values["phases"]:
        return {}
    return {
        pk: Spent(cost_cents=cost, cost_today_cents=today, joined=joined, redemptions=redemptions)
        for pk, cost, today, joined, redemptions in rows.select(_MEASURE_SQL, values)
    }


_MEASURE_SQL = """
SELECT phase.id, COALESCE(spent.cost, 0)::bigint, COALESCE(spent.today, 0)::bigint,
       (SELECT count(*) FROM campaigns_conversion conversion
        JOIN campaigns_channellink link ON link.id = conversion.link_id
        WHERE link.phase_id = phase.id AND conversion.kind = 'registration'),
       (SELECT count(*) FROM campaigns_couponredemption redemption
        JOIN campaigns_coupon coupon ON coupon.id = redemption.coupon_id
        JOIN campaigns_campaignphase_coupon_definitions unlocked
             ON unlocked.coupondefinition_id = coupon.definition_id
        WHERE unlocked.campaignphase_id = phase.id AND redemption.released_at IS NULL
          AND redemption.redeemed_at >= phase.starts_at AND redemption.redeemed_at < %(now)s)
       + (SELECT count(*) FROM campaigns_promotionuse used
          JOIN campaigns_campaignphase_promotions unlocked
               ON unlocked.promotion_id = used.promotion_id
          WHERE unlocked.campaignphase_id = phase.id AND used.released_at IS NULL
            AND used.used_at >= phase.starts_at AND used.used_at < %(now)s)
FROM campaigns_campaignphase phase
LEFT JOIN LATERAL (
    SELECT sum(cost.cost_cents) AS cost,
           sum(cost.cost_cents) FILTER (WHERE cost.date = %(today)s) AS today
    FROM campaigns_dailycost cost JOIN campaigns_channellink link ON link.id = cost.link_id
    WHERE link.phase_id = phase.id
) spent ON true
WHERE phase.id = ANY(%(phases)s)
"""
