"""Reports of what people cost and brought, as JSON or CSV."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from shop.kernel.errors import NotFound
from shop.storefront.api import economics_serializers as serializers
from shop.storefront.api.reports import (
    CSV,
    JSON,
    ReportView,
    as_rows,
    is_whole_chain,
    stores_and_period,
    visible_stores,
)
from shop.storefront.reports import campaign_pnl, channel_ranking, economics, loop
from shop.storefront.reports.scopes import Scope
from shop.storefront.rollups import upkeep

NULLS = "Quotients are null where there is nothing to divide by."


class LoopView(ReportView):
    """From money spent to friends brought, for the newcomers of a period."""

    @extend_schema(
        operation_id="reports_loop",
        tags=["reports"],
        summary="Follow the newcomers of a period from cost to friends brought",
        description=(
            "Who was reached, clicked, joined, bought, came again, stayed and brought friends, what"
            " that cost, when it paid back, and how long it took; docs/metrics.md defines each"
            f" number. {NULLS} At most 400 days. CSV has the same rows. 406 for other formats."
        ),
        parameters=[serializers.LoopQuery],
        responses={JSON: serializers.LoopOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show the loop."""
        scope = _scope(request, serializers.LoopQuery(data=request.query_params.dict()))
        report = _of(scope) | {"rows": loop.build(scope)}
        return as_rows(request, serializers.LoopOut(report).data, f"loop-by-{scope.by}")


class EconomicsView(ReportView):
    """What channels cost and brought."""

    @extend_schema(
        operation_id="reports_economics",
        tags=["reports"],
        summary="Show CPM, CPC, CTR, CVR, CAC, ROAS, ROI, LTV, payback and repeats",
        description=(
            "By channel, link, campaign, phase, store or city; per day, week or month where asked"
            " so. `roas` is revenue per cost, which ad desks call ROI; `roi` is (margin − cost) per"
            " cost, and all cost counts, also what was given instead of money. docs/metrics.md"
            f" defines each number. {NULLS} At most 400 days. CSV has the same rows. 406 for other"
            " formats."
        ),
        parameters=[serializers.EconomicsQuery],
        responses={JSON: serializers.EconomicsOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show what channels cost and brought."""
        scope = _scope(request, serializers.EconomicsQuery(data=request.query_params.dict()))
        report = _of(scope) | {"rows": economics.build(scope)}
        return as_rows(request, serializers.EconomicsOut(report).data, f"economics-by-{scope.by}")


class ChannelRankingView(ReportView):
    """Which channel brings the next guest cheapest."""

    @extend_schema(
        operation_id="reports_channel_ranking",
        tags=["reports"],
        summary="Rank channels by what one more buyer costs, and divide a budget among them",
        description=(
            "Each channel's curve of buyers over cost is fitted to its own days; the budget (what"
            " was spent, if none is named) is divided so that one more buyer costs the same"
            " everywhere. docs/metrics.md gives the formula and its limits. Ties go by id; parts"
            " add up to the budget exactly. At most 400 days. CSV has the same rows. 406 for other"
            " formats."
        ),
        parameters=[serializers.RankingQuery],
        responses={JSON: serializers.RankingOut, CSV: OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "One channel that is given everything",
                value={
                    "since": "2026-06-01",
                    "until": "2026-07-01",
                    "by": "channel",
                    "budget_cents": 100000,
                    "days": 30,
                    "expected_buyers": 36.5,
                    "rows": [
                        {
                            "rank": 1,
                            "key": "douyin",
                            "cost_cents": 90000,
                            "new_buyers": 34,
                            "days": 30,
                            "cac_cents": 2647,
                            "roi": 0.42,
                            "marginal_cac_cents": 3781,
                            "elasticity": 0.7,
                            "basis": "assumed",
                            "proposed_cents": 100000,
                            "expected_buyers": 36.5,
                            "proposed_marginal_cac_cents": 3902,
                            "is_beyond_seen": False,
                        }
                    ],
                },
                response_only=True,
                media_type="application/json",
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Rank channels."""
        query = serializers.RankingQuery(data=request.query_params.dict())
        stores, since, until = stores_and_period(request, query)
        asked = query.validated_data
        scope = Scope(
            stores=stores,
            since=since,
            until=until,
            now=timezone.now(),
            by=asked["by"],
            is_whole_chain=is_whole_chain(request),
        )
        upkeep.catch_up()
        found = channel_ranking.build(
            scope, budget_cents=asked.get("budget_cents"), days=asked["days"]
        )
        report = _of(scope) | {
            "budget_cents": found.budget_cents,
            "days": found.days,
            "expected_buyers": found.expected_buyers,
            "rows": found.rows,
        }
        return as_rows(request, serializers.RankingOut(report).data, f"ranking-by-{scope.by}")


class CampaignPnlView(ReportView):
    """Whether campaigns earn what they cost."""

    @extend_schema(
        operation_id="reports_campaign_pnl",
        tags=["reports"],
        summary="Show profit and loss of campaigns since they began, and what is wrong with them",
        description=(
            "The newest campaign first; alarms tell of cost that is not paid back in time and of"
            " buyers who come again too seldom, by limits of the back office. 404 for a campaign"
            " that does not exist. CSV has the same rows. 406 for other formats."
        ),
        parameters=[serializers.CampaignPnlQuery],
        responses={JSON: serializers.CampaignPnlOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show profit and loss."""
        query = serializers.CampaignPnlQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        code = query.validated_data.get("campaign")
        upkeep.catch_up()
        found = campaign_pnl.build(
            stores=visible_stores(request, None),
            now=timezone.now(),
            code=code,
            is_whole_chain=is_whole_chain(request),
        )
        if code is not None and not found:
            raise NotFound
        return as_rows(request, serializers.CampaignPnlOut({"rows": found}).data, "campaign-pnl")


def _scope(request: Request, query: serializers.EconomicsQuery) -> Scope:
    """Return what is asked, after what has just happened is taken into the roll-ups."""
    stores, since, until = stores_and_period(request, query)
    upkeep.catch_up()
    return query.to_scope(
        stores=stores,
        since=since,
        until=until,
        now=timezone.now(),
        is_whole=is_whole_chain(request),
    )


def _of(scope: Scope) -> dict[str, Any]:
    return {"since": scope.since, "until": scope.until, "by": scope.by}
