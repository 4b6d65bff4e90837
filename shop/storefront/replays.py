"""Replays: a promotion over the sales of the last days, as if it had run. Nothing is written.

The evaluator of every quote prices each past cart once without the promotion and once with it. No
change of behaviour is assumed: nobody buys more because of the offer, and nobody stays away.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns import pricing, promotions
from campaigns.limits import REASONS, Dimension, Limits, Place
from campaigns.models import Promotion
from campaigns.pricing import Offer, Pricing, Uses, evaluate
from shop.kernel import jobs
from shop.kernel.errors import DomainError, NotFound
from shop.kernel.models import Job
from shop.kernel.money import Cents
from shop.models import Order, Product, Store
from shop.storefront import past_sales
from shop.storefront.past_sales import PastSale

KIND = "promotions.replay"
SLICE = 400
"""Orders per transaction."""
MOST_DAYS = 92
UNSOLD = [Order.Status.PENDING, Order.Status.CANCELLED, Order.Status.REFUNDED]


class NothingSold(DomainError):
    """There are no paid orders in these days."""

    code = "nothing-sold"
    title = _("Nothing was sold in these days.")


@dataclass(kw_only=True, slots=True)
class Sums:
    """What a replay adds up for one store and business day; amounts in cents.

    `discount_cents` is what the promotion takes off, `displaced_cents` what other offers no longer
    take off because of it; `margin_change_cents` follows from both and from what gifts cost.
    `unclear` orders cannot be priced again as they were, because an offer on them has changed
    since; they count for nothing else.
    """

    orders: int = 0
    unclear: int = 0
    qualified: int = 0
    discount_cents: int = 0
    displaced_cents: int = 0
    revenue_cents: int = 0
    margin_cents: int = 0
    margin_change_cents: int = 0


@dataclass(kw_only=True, slots=True)
class Uncounted:
    """How far the promotion's own limits would be used up by now, by dimension and key."""

    limits: Limits
    counters: dict[str, list[int]] = field(default_factory=dict)

    def limit(self, offer: Offer, place: Place) -> Offer:
        """Return the offer with what is left of its limits here."""
        uses = tuple(
            Uses(
                reason=REASONS[dimension],
                used=self._counter(dimension, place)[0],
                most=most,
            )
            for dimension, most in self.limits.uses.items()
            if dimension in place.keys
        )
        budget = self.limits.budget_cents
        spent = self._counter(Dimension.TOTAL, place)[1]
        left = None if budget is None else Cents(max(budget - spent, 0))
        return replace(offer, uses=uses, budget_left_cents=left)

    def count(self, place: Place, discount_cents: Cents) -> None:
        """Count one use."""
        for dimension in self.limits.dimensions:
            if dimension in place.keys:
                used, spent = self._counter(dimension, place)
                self.counters[f"{dimension}:{place.keys[dimension]}"] = [
                    used + 1,
                    spent + discount_cents,
                ]

    def _counter(self, dimension: str, place: Place) -> list[int]:
        return self.counters.get(f"{dimension}:{place.keys[dimension]}", [0, 0])


def start(
    promotion: Promotion,
    *,
    days: int,
    store_ids: frozenset[int] | None,
    requested_by: str,
    now: datetime,
) -> Job:
    """Queue the replay of a promotion as it is written now over the last business days.

    `store_ids` are the stores whose sales the asker may see; None is every store.

    Raises:
        NothingSold
    """
    bounds = promotions.limits_of(promotion)
    rule = pricing.offer_rule_to_json(pricing.parse_rule(promotion.rule))
    stores = Store.objects.order_by("pk")
    if store_ids is not None:
        stores = stores.filter(pk__in=store_ids)
    last = max((store.business_date(now) for store in stores), default=now.date())
    first = last - timedelta(days=days - 1)
    params: dict[str, Any] = {
        "promotion": promotion.code,
        "rule": rule,
        "uses": dict(bounds.uses),
        "budget_cents": bounds.budget_cents,
        "stores": [store.pk for store in stores],
        "first_day": first.isoformat(),
        "last_day": last.isoformat(),
        "sold_before": now.isoformat(),
    }
    total = _sold(params).count()
    if not total:
        raise NothingSold(promotion=promotion.code, days=days)
    return jobs.start(KIND, params=params, requested_by=requested_by, total=total, now=now)


def promotion_of(code: str, *, store_ids: frozenset[int] | None) -> Promotion:
    """Return a promotion that may apply in one of these stores; None is every store.

    Raises:
        NotFound
    """
    promotion = Promotion.objects.filter(code=code).first()
    if promotion is None:
        raise NotFound
    named = pricing.parse_rule(promotion.rule).conditions.stores
    if store_ids is not None and named:
        theirs = Store.objects.filter(pk__in=store_ids, code__in=named)
        if not theirs.exists():
            raise NotFound
    return promotion


def find(job_id: UUID, *, promotion_code: str, requested_by: str | None) -> Job:
    """Return a replay of this promotion that was asked for by this caller; None: by anybody.

    Raises:
        NotFound
    """
    job = jobs.find(job_id, requested_by=requested_by)
    if job.kind != KIND or job.params["promotion"] != promotion_code:
        raise NotFound
    return job


def told(job: Job) -> dict[str, Any]:
    """Return what a replay tells so far."""
    return job.result or _Result.of(job).as_json()


def register() -> None:
    """Tell the workers how to do it."""
    jobs.runs(KIND, label=_("Replay a promotion over past orders"))(replay_slice)


def replay_slice(job: Job, now: datetime) -> bool:
    """Price the next orders of a day again; True when there are none left.

    Orders come by day and in the order in which they were written, so that limits run out on the
    same ones as they would have.
    """
    day = date.fromisoformat(job.cursor.get("day", job.params["first_day"]))
    sold = _sold(job.params, day=day).filter(pk__gt=job.cursor.get("after", 0))
    orders = list(sold.select_related("store").order_by("pk")[:SLICE])
    limits = _limits_of(job)
    result = _Result.of(job)
    _replay(orders, offer=_offer_of(job), limits=limits, result=result)
    job.result = result.as_json()
    job.done += len(orders)
    is_day_over = len(orders) < SLICE
    job.cursor = {
        "day": (day + timedelta(days=1) if is_day_over else day).isoformat(),
        "after": 0 if is_day_over else orders[-1].pk,
        "counters": limits.counters,
    }
    return is_day_over and day >= date.fromisoformat(job.params["last_day"])


def rule_hash(rule: Mapping[str, Any]) -> str:
    """Return a name of the rule by its content: the same rule has the same."""
    text = json.dumps(rule, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def total_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return the sums of rows of a result, column by column."""
    found = asdict(Sums())
    for row in rows:
        for name in found:
            found[name] += row[name]
    return found


@dataclass(kw_only=True, slots=True)
class _Result:
    """What a replay tells, as it grows."""

    rule: Mapping[str, Any]
    rows: dict[tuple[str, str], Sums]
    refusals: Counter[str]
    displaced: Counter[str]

    @classmethod
    def of(cls, job: Job) -> "_Result":
        rows = {
            (row.pop("store"), row.pop("day")): Sums(**row) for row in job.result.get("rows", [])
        }
        return cls(
            rule=job.params["rule"],
            rows=rows,
            refusals=Counter(job.result.get("refusals", {})),
            displaced=Counter(job.result.get("displaced", {})),
        )

    def as_json(self) -> dict[str, Any]:
        rows = [
            {"store": store, "day": day} | asdict(sums)
            for (store, day), sums in sorted(self.rows.items())
        ]
        return {
            "rule_hash": rule_hash(self.rule),
            "assumes": "no-change-of-behaviour",
            "totals": total_of(rows),
            "rows": rows,
            "refusals": dict(self.refusals.most_common()),
            "displaced": dict(self.displaced.most_common()),
        }


def _replay(orders: Sequence[Order], *, offer: Offer, limits: Uncounted, result: _Result) -> None:
    costs = dict(Product.objects.values_list("code", "cost_cents"))
    for sale in past_sales.load(orders):
        sums = result.rows.setdefault((sale.store, sale.day.isoformat()), Sums())
        sums.orders += 1
        if _price(sale, sale.given).total_cents != sale.offered_cents:
            sums.unclear += 1
            continue
        sums.revenue_cents += sale.paid_cents
        sums.margin_cents += sale.paid_cents - sale.cost_cents
        others = [each for each in sale.given if each.key != offer.key]
        without = _price(sale, others)
        priced = _price(sale, [*others, limits.limit(offer, sale.place)])
        given = next((each for each in priced.applied if each.key == offer.key), None)
        if given is None:
            result.refusals.update(str(r.reason) for r in priced.refusals if r.key == offer.key)
            continue
        limits.count(sale.place, given.discount_cents)
        displaced = without.discount_cents - (priced.discount_cents - given.discount_cents)
        names = {each.key: each.name for each in others}
        result.displaced.update(names[key] for key in _keys(without) - _keys(priced))
        sums.qualified += 1
        sums.discount_cents += given.discount_cents
        sums.displaced_cents += displaced
        sums.margin_change_cents += displaced - given.discount_cents
        sums.margin_change_cents -= _cost_of_gifts(priced, costs) - _cost_of_gifts(without, costs)


def _price(sale: PastSale, offers: Iterable[Offer]) -> Pricing:
    return evaluate(sale.cart, sale.facts, list(offers), sale.at)


def _keys(priced: Pricing) -> set[str]:
    return {each.key for each in priced.applied}


def _cost_of_gifts(priced: Pricing, costs: Mapping[str, int]) -> int:
    return sum(costs.get(gift.product, 0) * gift.quantity for gift in priced.gifts)


def _offer_of(job: Job) -> Offer:
    """Return the promotion as if it had run all the time: its period is not asked."""
    rule = pricing.parse_rule(job.params["rule"])
    asked = replace(rule.conditions, starts_at=None, ends_at=None)
    if Dimension.MEMBER in job.params["uses"]:  # what is counted by member is for members
        asked = replace(asked, members_only=True)
    code = job.params["promotion"]
    return Offer(key=promotions.PREFIX + code, name=code, rule=replace(rule, conditions=asked))


def _limits_of(job: Job) -> Uncounted:
    bounds = Limits(offer=KIND, uses=job.params["uses"], budget_cents=job.params["budget_cents"])
    return Uncounted(limits=bounds, counters=job.cursor.get("counters", {}))


def _sold(params: Mapping[str, Any], *, day: date | None = None) -> QuerySet[Order]:
    """Return the paid orders that were not refunded whole, of one day or of all."""
    days = (day, day) if day else (params["first_day"], params["last_day"])
    return Order.objects.filter(
        store__in=params["stores"],
        business_date__range=days,
        placed_at__lt=params["sold_before"],
        paid_at__isnull=False,
        is_complimentary=False,
    ).exclude(status__in=UNSOLD)
