"""What deals owe, month by month: drafted, approved by a second person, paid.

A statement holds every order that is the deal's, was paid until the end of its month, and is in no
other statement: so what comes to light late is in the next one. Once approved it is frozen; what is
refunded later is a correction in the next. The only module that writes statements. Every change
holds the lock of the deal; that an order is in one statement only is a unique key's business.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext_lazy as _

from campaigns import deals
from campaigns.models import DealStatement, KolDeal
from shop.kernel.clock import chain_day
from shop.kernel.errors import DomainError, NotFound
from shop.kernel.money import Cents, basis_points_of

State = DealStatement.State
FILLED = [
    "orders",
    "sales_cents",
    "corrections_cents",
    "fee_cents",
    "commission_cents",
    "total_cents",
]


class DealNotSettled(DomainError):
    """Drafts and cancelled deals owe nothing; `deal_status` says which it is."""

    code = "deal-not-settled"
    title = _("Only active and ended deals have statements.")


class StatementOutOfOrder(DomainError):
    """Months are settled one after the other, each once the last is approved; `month` is due."""

    code = "statement-out-of-order"
    title = _("Another month of this deal is due first.")


class StatementDecided(DomainError):
    """Only a draft can be approved, and only what is approved can be paid; `state` says what is."""

    code = "statement-decided"
    title = _("The statement cannot take this step now.")


class MonthNotOver(DomainError):
    """Sales of the month may still come."""

    code = "month-not-over"
    title = _("The month of the statement is not over yet.")


class ApproverIsDrafter(DomainError):
    """A statement takes two people."""

    code = "approver-is-drafter"
    title = _("Somebody else has to approve what you drafted.")


class StatementChanged(DomainError):
    """Refunds or late orders changed it since it was looked at; `total_cents` is what it is now."""

    code = "statement-changed"
    title = _("The statement is not what it was any more.")


@transaction.atomic
def draft(deal_id: int, *, month: date, actor: str, now: datetime) -> DealStatement:
    """Draft the statement of the month that is due, or bring its draft up to date.

    `month` is its first day.

    Raises:
        NotFound, DealNotSettled, StatementOutOfOrder
    """
    deal = deals.lock(deal_id)
    if deal.status not in {KolDeal.Status.ACTIVE, KolDeal.Status.ENDED}:
        raise DealNotSettled(deal_status=deal.status)
    last = deal.statements.order_by("-month").first()
    if last is not None and last.state == State.DRAFT:
        due, statement = last.month, last
    else:
        due = next_month(last.month) if last else deal.starts_on.replace(day=1)
        statement = DealStatement(deal=deal, month=due, drafted_by=actor, drafted_at=now)
    if month != due:
        raise StatementOutOfOrder(month=f"{due:%Y-%m}")
    if statement.pk is None:
        statement.save()
    _fill(statement, deal)
    return statement


@transaction.atomic
def approve(
    deal_id: int, *, month: date, expected_total_cents: Cents, actor: str, now: datetime
) -> DealStatement:
    """Freeze a draft as it stands now, as a person other than who drafted it.

    Raises:
        NotFound, StatementDecided, MonthNotOver, ApproverIsDrafter
        StatementChanged: it comes to another total than expected by now.
    """
    deal = deals.lock(deal_id)
    statement = _find(deal, month)
    if statement.state != State.DRAFT:
        raise StatementDecided(state=statement.state)
    if chain_day(now) < next_month(month):
        raise MonthNotOver
    if statement.drafted_by == actor:
        raise ApproverIsDrafter
    _fill(statement, deal)
    if statement.total_cents != expected_total_cents:
        raise StatementChanged(total_cents=statement.total_cents)
    _move(statement, State.DRAFT, state=State.APPROVED, approved_by=actor, approved_at=now)
    return statement


@transaction.atomic
def note_payment(
    deal_id: int, *, month: date, reference: str, actor: str, now: datetime
) -> DealStatement:
    """Note that an approved statement was paid.

    Raises:
        NotFound, StatementDecided
    """
    statement = _find(deals.lock(deal_id), month)
    _move(
        statement,
        State.APPROVED,
        state=State.PAID,
        paid_by=actor,
        paid_at=now,
        payment_reference=reference,
    )
    return statement


def commission_on(net_cents: int, *, commission: int) -> Cents:
    """Return that many basis points of an amount, rounded half away from zero.

    >>> commission_on(1250, commission=800), commission_on(-1250, commission=1)
    (100, 0)
    >>> commission_on(5000, commission=1), commission_on(-5000, commission=1)
    (1, -1)
    """
    amount = basis_points_of(abs(net_cents), commission)
    return Cents(amount if net_cents >= 0 else -amount)


def next_month(month: date) -> date:
    """Return the first day of the month after.

    >>> next_month(date(2026, 12, 1)).isoformat()
    '2027-01-01'
    """
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def _find(deal: KolDeal, month: date) -> DealStatement:
    statement = deal.statements.filter(month=month).first()
    if statement is None:
        raise NotFound
    return statement


def _move(statement: DealStatement, came_from: str, **changes: object) -> None:
    """Change a statement that stands where it should; of two at once, one."""
    rows = DealStatement.objects.filter(pk=statement.pk, state=came_from)
    if rows.update(**changes) != 1:
        raise StatementDecided(state=statement.state)
    statement.refresh_from_db()


def _fill(statement: DealStatement, deal: KolDeal) -> None:
    """Write the lines of a draft anew, and what they come to."""
    statement.lines.all().delete()
    values: dict[str, Any] = {
        "statement": statement.pk,
        "deal": deal.pk,
        "since": deal.starts_on,
        "until": min(next_month(statement.month), deal.last_on + timedelta(days=1)),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ORDERS_SQL, values)
        cursor.execute(_CORRECTIONS_SQL, values)
    sums = statement.lines.aggregate(
        orders=Count("pk", filter=Q(kind="order")),
        sales=Sum("net_cents", filter=Q(kind="order"), default=0),
        corrections=Sum("net_cents", filter=Q(kind="correction"), default=0),
    )
    statement.orders = sums["orders"]
    statement.sales_cents = Cents(sums["sales"])
    statement.corrections_cents = Cents(sums["corrections"])
    statement.fee_cents = _fee(statement, deal)
    statement.commission_cents = commission_on(
        sums["sales"] + sums["corrections"], commission=deal.commission
    )
    statement.total_cents = Cents(statement.fee_cents + statement.commission_cents)
    statement.save(update_fields=FILLED)  # never the state: that moves by guarded updates only


def _fee(statement: DealStatement, deal: KolDeal) -> Cents:
    is_first = statement.month == deal.starts_on.replace(day=1)
    is_monthly = deal.fee_terms == KolDeal.FeeTerms.MONTHLY
    is_due = is_first or (is_monthly and statement.month <= deal.last_on)
    return Cents(deal.fee_cents if is_due else 0)


# An order is the deal's whose link has the credit for it; of an order without such a link, the
# deal's whose coupon was used; of several, the oldest deal's. Deals count on their own days only.
_ORDERS_SQL = """
WITH mine AS (
    SELECT conversion.order_id
    FROM campaigns_deallink own
    JOIN campaigns_conversion conversion
         ON conversion.link_id = own.link_id AND conversion.kind = 'order'
    WHERE own.deal_id = %(deal)s
    UNION
    SELECT used.order_id
    FROM campaigns_dealcoupon own
    JOIN campaigns_coupon coupon ON coupon.definition_id = own.definition_id
    JOIN campaigns_couponredemption used ON used.coupon_id = coupon.id
    WHERE own.deal_id = %(deal)s AND used.released_at IS NULL
),
counted AS (
    SELECT orders.id, orders.business_date, orders.paid_cents - orders.refunded_cents AS net_cents
    FROM mine JOIN shop_order orders ON orders.id = mine.order_id
    WHERE orders.paid_at IS NOT NULL AND NOT orders.is_complimentary
      AND orders.paid_cents > orders.refunded_cents
      AND orders.business_date >= %(since)s AND orders.business_date < %(until)s
),
claims AS (
    SELECT counted.id, own.deal_id, 0 AS by_coupon, counted.business_date
    FROM counted
    JOIN campaigns_conversion conversion
         ON conversion.order_id = counted.id AND conversion.kind = 'order'
    JOIN campaigns_deallink own ON own.link_id = conversion.link_id
    UNION ALL
    SELECT counted.id, own.deal_id, 1, counted.business_date
    FROM counted
    JOIN campaigns_couponredemption used
         ON used.order_id = counted.id AND used.released_at IS NULL
    JOIN campaigns_coupon coupon ON coupon.id = used.coupon_id
    JOIN campaigns_dealcoupon own ON own.definition_id = coupon.definition_id
),
owners AS (
    SELECT DISTINCT ON (claims.id) claims.id, claims.deal_id
    FROM claims JOIN campaigns_koldeal deal ON deal.id = claims.deal_id
    WHERE deal.status IN ('active', 'ended')
      AND claims.business_date BETWEEN deal.starts_on AND deal.last_on
    ORDER BY claims.id, claims.by_coupon, claims.deal_id
)
INSERT INTO campaigns_statementline (statement_id, kind, order_id, net_cents)
SELECT %(statement)s, 'order', counted.id, counted.net_cents
FROM counted JOIN owners ON owners.id = counted.id AND owners.deal_id = %(deal)s
ORDER BY counted.id
ON CONFLICT (order_id) WHERE kind = 'order' DO NOTHING
"""

_CORRECTIONS_SQL = """
INSERT INTO campaigns_statementline (statement_id, kind, order_id, net_cents)
SELECT %(statement)s, 'correction', orders.id,
       orders.paid_cents - orders.refunded_cents - stated.net_cents
FROM (
    SELECT line.order_id, sum(line.net_cents) AS net_cents
    FROM campaigns_statementline line
    JOIN campaigns_dealstatement statement ON statement.id = line.statement_id
    WHERE statement.deal_id = %(deal)s AND statement.state <> 'draft'
    GROUP BY line.order_id
) stated
JOIN shop_order orders ON orders.id = stated.order_id
WHERE orders.paid_cents - orders.refunded_cents < stated.net_cents
ORDER BY orders.id
"""
