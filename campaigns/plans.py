"""Plan and actual of phases, by channel and link. Reads, writes nothing.

What a link costs and brings counts for the phase that the link names; docs/campaigns.md says what
each number means. A line is a link that has a plan of its own, or all the other links of a channel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from campaigns.models import CampaignPhase, ChannelLink, PhasePlan

DAY = timedelta(days=1)
WHOLE = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What was done and came of it. Money in fen, sales net of refunds.

    `reached_estimated` is the platforms' word; `reached` are visitors whom we met.
    """

    cost_cents: int = 0
    reached_estimated: int = 0
    reached: int = 0
    joined: int = 0
    first_orders: int = 0
    orders: int = 0
    sales_cents: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )

    @property
    def cpa_cents(self) -> int | None:
        """Return what a new member cost; None without one."""
        return _divided(self.cost_cents, self.joined)

    @property
    def roas_percent(self) -> int | None:
        """Return sales per cost in percent; None where nothing was spent."""
        return self.sales_cents * 100 // self.cost_cents if self.cost_cents > 0 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A channel or a link of a phase: what was planned, and what came; percent of the plan."""

    channel: str
    link: str
    planned_cost_cents: int
    planned_reach: int
    planned_joins: int
    actual: Figures

    @property
    def cost_percent(self) -> int | None:
        """Return how much of the planned money is spent."""
        return percent(self.actual.cost_cents, self.planned_cost_cents)

    @property
    def reach_percent(self) -> int | None:
        """Return how much of the planned reach the platforms report."""
        return percent(self.actual.reached_estimated, self.planned_reach)

    @property
    def joins_percent(self) -> int | None:
        """Return how many of the planned new members came."""
        return percent(self.actual.joined, self.planned_joins)


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """One aim of a phase and how far it is; `expected` is what this pace leads to at the end.

    For `cpa_cents` less is better; there and for ratios nothing is expected.
    """

    name: str
    target: int
    actual: int | None
    percent: int | None
    expected: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """A phase against its plan. `day` of `days` as people count; None for what has no end."""

    phase_id: int
    kind: str
    status: str
    day: int
    days: int | None
    elapsed_percent: int | None
    total: Figures
    goals: Sequence[Goal]
    lines: Sequence[Line]


def percent(actual: int, plan: int | None) -> int | None:
    """Return actual of plan in percent, rounded down; None without a plan.

    >>> percent(22, 100), percent(1, 3), percent(5, 0), percent(5, None)
    (22, 33, None, None)
    """
    return actual * 100 // plan if plan else None


def compare(phases: Sequence[CampaignPhase], *, now: datetime) -> list[Progress]:
    """Return each phase against its plan, in the order given."""
    lines = _lines(phases)
    figures, reached = _figures(lines)
    return [_progress(phase, lines, figures, reached.get(phase.pk, 0), now) for phase in phases]


def summary(phase: CampaignPhase, *, now: datetime) -> dict[str, Any]:
    """Return a phase against its plan as JSON, to be kept as it stood."""
    (progress,) = compare([phase], now=now)
    kept = {"as_of": now.isoformat(), **asdict(progress)}
    kept["status"] = CampaignPhase.Status.ENDED
    return kept


def elapsed(phase: CampaignPhase, *, now: datetime) -> tuple[int, int | None, int | None]:
    """Return the day, the days in all, and how much of the time is over in percent.

    The day before the start is 0; after the end it stays the last.
    """
    until = min(now, phase.ended_at or now, phase.ends_at or now)
    gone = max(until - phase.starts_at, timedelta(0))
    day = 0 if now < phase.starts_at else gone // DAY + 1
    if phase.ends_at is None:
        return day, None, None
    length = phase.ends_at - phase.starts_at
    days = -(-length // DAY)
    return min(day, days), days, int(gone / length * 100)


def _progress(
    phase: CampaignPhase,
    lines: Mapping[tuple[int, int, int | None], "_Line"],
    figures: Mapping[int, Figures],
    reached: int,
    now: datetime,
) -> Progress:
    mine = [line for key, line in lines.items() if key[0] == phase.pk]
    shown = [
        Line(
            channel=line.channel,
            link=line.link,
            planned_cost_cents=line.plan.cost_cents if line.plan else 0,
            planned_reach=line.plan.reach if line.plan else 0,
            planned_joins=line.plan.joins if line.plan else 0,
            actual=figures.get(line.number, Figures()),
        )
        for line in sorted(mine, key=lambda line: (line.channel, line.link))
    ]
    total = sum((line.actual for line in shown), Figures())
    total = Figures(**{**asdict(total), "reached": reached})  # who met two channels counts once
    day, days, share = elapsed(phase, now=now)
    return Progress(
        phase_id=phase.pk,
        kind=phase.kind,
        status=phase.status,
        day=day,
        days=days,
        elapsed_percent=share,
        total=total,
        goals=_goals(phase, total, share),
        lines=shown,
    )


def _goals(phase: CampaignPhase, total: Figures, share: int | None) -> list[Goal]:
    sums = [
        ("cost_cents", phase.budget_cents, total.cost_cents),
        ("joins", phase.target_joins, total.joined),
        ("first_orders", phase.target_first_orders, total.first_orders),
        ("sales_cents", phase.target_sales_cents, total.sales_cents),
    ]
    ratios = [
        ("cpa_cents", phase.target_cpa_cents, total.cpa_cents),
        ("roas_percent", phase.target_roas_percent, total.roas_percent),
    ]
    return [
        Goal(
            name=name,
            target=target,
            actual=actual,
            percent=percent(actual, target),
            expected=actual * WHOLE // share if share and share < WHOLE else None,
        )
        for name, target, actual in sums
        if target
    ] + [
        Goal(
            name=name,
            target=target,
            actual=ratio,
            percent=None if ratio is None else percent(ratio, target),
            expected=None,
        )
        for name, target, ratio in ratios
        if target
    ]


def _divided(amount: int, number: int) -> int | None:
    return (amount + number // 2) // number if number else None


@dataclass(kw_only=True, slots=True)
class _Line:
    """A line in the making: the links that count for it are found by its number."""

    number: int
    channel: str
    link: str
    plan: PhasePlan | None
    links: list[int]


def _lines(phases: Sequence[CampaignPhase]) -> dict[tuple[int, int, int | None], _Line]:
    """Return the lines by phase, channel and, if it has a plan of its own, link."""
    ids = [phase.pk for phase in phases]
    lines: dict[tuple[int, int, int | None], _Line] = {}
    plans = PhasePlan.objects.filter(phase__in=ids).select_related("channel", "link")
    for plan in plans.order_by("pk"):
        lines[plan.phase_id, plan.channel_id, plan.link_id] = _Line(
            number=len(lines),
            channel=plan.channel.code,
            link=plan.link.code if plan.link else "",
            plan=plan,
            links=[],
        )
    links = ChannelLink.objects.filter(phase__in=ids).select_related("channel")
    for link in links.order_by("pk"):
        assert link.phase_id is not None  # noqa: S101 - chosen by it
        own = lines.get((link.phase_id, link.channel_id, link.pk))
        line = own or lines.setdefault(
            (link.phase_id, link.channel_id, None),
            _Line(number=len(lines), channel=link.channel.code, link="", plan=None, links=[]),
        )
        line.links.append(link.pk)
    return lines


def _figures(
    lines: Mapping[tuple[int, int, int | None], _Line],
) -> tuple[dict[int, Figures], dict[int, int]]:
    """Return the figures of each line by its number, and the visitors met by phase."""
    rows = [
        (link, line.number, phase)
        for (phase, _channel, _link), line in lines.items()
        for link in line.links
    ]
    if not rows:
        return {}, {}
    columns = [list(column) for column in zip(*rows, strict=True)]
    values = dict(zip(("links", "lines", "phases"), columns, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES_SQL, values)
        figures = {number: Figures(**numbers) for number, numbers in cursor.fetchall()}
        cursor.execute(_REACHED_SQL, values)
        reached = dict(cursor.fetchall())
    return figures, reached


_LINES = """
lines AS (
    SELECT * FROM unnest(%(links)s::bigint[], %(lines)s::int[], %(phases)s::bigint[])
                  AS lines (link_id, line, phase_id)
)
"""
_FIGURES_SQL = f"""
WITH {_LINES},
spent AS (
    SELECT line, sum(cost_cents) AS cost_cents, sum(estimated_reach) AS reached_estimated
    FROM campaigns_dailycost JOIN lines USING (link_id) GROUP BY line
),
met AS (
    SELECT line, count(DISTINCT visitor_id) AS reached
    FROM campaigns_touch JOIN lines USING (link_id) WHERE quality = 'counted' GROUP BY line
),
came AS (
    SELECT line, count(*) FILTER (WHERE kind = 'registration') AS joined,
           count(*) FILTER (WHERE kind = 'first_order') AS first_orders,
           count(*) FILTER (WHERE kind = 'order') AS orders,
           sum(amount_cents) FILTER (WHERE kind IN ('order', 'refund')) AS sales_cents
    FROM campaigns_conversion JOIN lines USING (link_id) GROUP BY line
)
SELECT line, json_build_object(
    'cost_cents', COALESCE(cost_cents, 0), 'reached_estimated', COALESCE(reached_estimated, 0),
    'reached', COALESCE(reached, 0), 'joined', COALESCE(joined, 0),
    'first_orders', COALESCE(first_orders, 0), 'orders', COALESCE(orders, 0),
    'sales_cents', COALESCE(sales_cents, 0)
)
FROM (SELECT DISTINCT line FROM lines) AS every
LEFT JOIN spent USING (line) LEFT JOIN met USING (line) LEFT JOIN came USING (line)
"""  # noqa: S608 - the interpolated part is a constant
_REACHED_SQL = f"""
WITH {_LINES}
SELECT phase_id, count(DISTINCT visitor_id)
FROM campaigns_touch JOIN lines USING (link_id) WHERE quality = 'counted' GROUP BY phase_id
"""  # noqa: S608 - the interpolated part is a constant
