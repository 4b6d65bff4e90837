"""Channels ranked by what the next buyer costs, with a proposal for a budget. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

from django.db.models import Model

from campaigns.models import Campaign, Channel, ChannelLink
from shop.kernel.money import Cents
from shop.storefront.reports import budget, economics, spending
from shop.storefront.reports.budget import Curve, History
from shop.storefront.reports.ratios import per_person, rate
from shop.storefront.reports.scopes import Scope

RANKED: dict[str, type[Model]] = {"channel": Channel, "link": ChannelLink, "campaign": Campaign}
"""What can be ranked: each has an id, by which ties go."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RankingRow:
    """A channel's rank and why, and its part of the budget."""

    rank: int
    history: History
    curve: Curve
    cac_cents: int | None
    roi: float | None
    marginal_cents: int | None
    basis: str
    proposed_cents: Cents
    expected_buyers: float
    proposed_marginal_cents: int | None
    is_beyond_seen: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """The whole proposal; `expected_buyers` is what the curves say it brings."""

    budget_cents: Cents
    days: int
    expected_buyers: float
    rows: Sequence[RankingRow]


def build(scope: Scope, *, budget_cents: int | None, days: int) -> Ranking:
    """Rank what was given money in the period; without a budget, divide what it was given anew."""
    histories = _histories(scope)
    spent = sum(history.cost_cents for history in histories)
    wanted = Cents(spent if budget_cents is None else budget_cents)
    shares = budget.propose(histories, budget_cents=wanted, days=days)
    sold = economics.sold(scope)
    rows = [
        RankingRow(
            cac_cents=per_person(share.history.cost_cents, share.history.buyers),
            roi=rate(
                sold.get((share.history.key, None), {}).get("margin_cents", 0)
                - share.history.cost_cents,
                share.history.cost_cents,
            ),
            basis=_basis(share.curve),
            rank=share.rank,
            history=share.history,
            curve=share.curve,
            marginal_cents=share.marginal_cents,
            proposed_cents=share.proposed_cents,
            expected_buyers=share.expected_buyers,
            proposed_marginal_cents=share.proposed_marginal_cents,
            is_beyond_seen=share.is_beyond_seen,
        )
        for share in shares
    ]
    return Ranking(
        budget_cents=wanted if rows else Cents(0),
        days=days,
        expected_buyers=round(sum(map(attrgetter("expected_buyers"), rows)), 2),
        rows=rows,
    )


def _histories(scope: Scope) -> list[History]:
    """Return what each was given by day, and the new buyers of these days."""
    ids = dict(RANKED[scope.by]._default_manager.values_list("code", "id"))
    buyers = {where: row["new_buyers"] for where, row in economics.sold(_daily(scope)).items()}

    def brought(key: str, day: date) -> int:
        return buyers.get((key, day), 0)

    return [
        History(id=ids[key], key=key, days=[(cost, brought(key, day)) for day, cost in days])
        for key, days in sorted(spending.days(scope).items())
        if key in ids
    ]


def _daily(scope: Scope) -> Scope:
    return Scope(
        stores=scope.stores,
        since=scope.since,
        until=scope.until,
        now=scope.now,
        by=scope.by,
        every="day",
        is_whole_chain=scope.is_whole_chain,
    )


def _basis(curve: Curve) -> str:
    if curve.scale <= 0:
        return "no-buyers"
    return "assumed" if curve.is_assumed else "fitted"
