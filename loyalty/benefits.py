"""What members have by tier or plan, month by month. The only writer of versions and grants.

A version is never changed: the next month gets another, and what was promised this month stands.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from loyalty.models import Benefit, BenefitGrant, BenefitVersion, MembershipPlan
from shop.kernel.errors import InvalidInput

Kind = Benefit.Kind
BIRTHDAY_DAYS = 7
"""A birthday is remembered this many days late at most, after a worker was down."""


@transaction.atomic
def append_version(
    benefit: Benefit, *, month: date, actor: str, now: datetime, today: date, **what: Any
) -> BenefitVersion:
    """Say what a benefit is from a later month on; a new benefit may begin this month.

    Raises:
        InvalidInput: the month has begun, or what it gives is not of its kind.
    """
    first_month = today.replace(day=1)
    is_new = not benefit.versions.exists()
    if month.day != 1 or month < first_month or (month == first_month and not is_new):
        raise InvalidInput(
            "/effective_month",
            _("What members have this month stands; choose a later month."),
            reason="month-begun",
        )
    version = BenefitVersion(
        benefit=benefit, effective_month=month, actor=actor, created_at=now, **what
    )
    _ensure_of_kind(benefit, version)
    version.save(force_insert=True)
    return version


def source_of(benefit_id: int) -> str:
    """Return what the sources of the coupons begin with that a benefit gives."""
    return f"benefit:{benefit_id}:"


def sources_of(plan: MembershipPlan) -> list[str]:
    """Return what the sources of the coupons begin with that a plan gives."""
    return [source_of(pk) for pk in plan.benefits.order_by("pk").values_list("pk", flat=True)]


def effective(*, on: date, kinds: Sequence[str] = ()) -> list[BenefitVersion]:
    """Return the version of each benefit that stands in the month of that day, if it is given."""
    found = BenefitVersion.objects.filter(effective_month__lte=on)
    if kinds:
        found = found.filter(benefit__kind__in=kinds)
    latest = found.order_by("benefit_id", "-effective_month", "-id").distinct("benefit_id")
    return [version for version in latest.select_related("benefit") if version.is_active]


def from_now_on(today: date) -> list[BenefitVersion]:
    """Return every member price that is given this month or in a later one."""
    coming = BenefitVersion.objects.filter(
        benefit__kind=Kind.MEMBER_PRICE, effective_month__gt=today, is_active=True
    ).select_related("benefit")
    return [*effective(on=today, kinds=[Kind.MEMBER_PRICE]), *coming.order_by("pk")]


def grant_month(
    benefit: Benefit, *, month: date, after: int, now: datetime, limit: int
) -> list[int]:
    """Note for the next holders that they have had this month; return those who had not.

    The unique key makes a second note impossible, whoever runs at the same time.
    """
    return _grant(_MONTH_SQL, benefit, after=after, now=now, limit=limit, period=f"{month:%Y-%m}")


def grant_birthdays(benefit: Benefit, *, after: int, now: datetime, limit: int) -> list[int]:
    """Note for the next holders whose birthday it is, at their store, that they have had it.

    Once a year; who was born on 29 February has it on the 28th where there is no 29th.
    """
    return _grant(_BIRTHDAY_SQL, benefit, after=after, now=now, limit=limit, period="")


def forget(benefit: Benefit, member_ids: Sequence[int], *, now: datetime) -> None:
    """Take back the notes of this moment for whom nothing was left; they may come again."""
    BenefitGrant.objects.filter(benefit=benefit, member_id__in=member_ids, granted_at=now).delete()


def hand_over(*, source_id: int, target_id: int) -> None:
    """Remember for one membership of a person what the other was given: nothing comes twice."""
    for grant in BenefitGrant.objects.filter(member_id=source_id).order_by("pk"):
        if not BenefitGrant.objects.filter(
            member_id=target_id, benefit_id=grant.benefit_id, period=grant.period
        ).exists():
            BenefitGrant.objects.filter(pk=grant.pk).update(member_id=target_id)


def _grant(sql: str, benefit: Benefit, **values: Any) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {
                "benefit": benefit.pk,
                "tier": benefit.tier_id,
                "plan": benefit.plan_id,
                **values,
            },
        )
        return sorted(member_id for (member_id,) in cursor.fetchall())


def _ensure_of_kind(benefit: Benefit, version: BenefitVersion) -> None:
    wrong = {
        Kind.COUPONS: not version.coupon or not 1 <= version.quantity <= 9,
        Kind.BIRTHDAY: not version.coupon or not 1 <= version.quantity <= 9,
        Kind.POINTS_BOOST: not 101 <= version.percent <= 1000,
        Kind.MEMBER_PRICE: version.amount_cents < 1,
        Kind.TEXT: not (version.text_zh and version.text_en),
    }
    if version.is_active and wrong[Kind(benefit.kind)]:
        raise InvalidInput(
            "/benefit",
            _(
                "Name coupons (1 to 9), points (101 to 1000 %), how much less, or both texts, as"
                " the kind asks."
            ),
            reason="kind",
        )


_HOLDS = """(
    %(tier)s::bigint IS NULL OR EXISTS (
        SELECT FROM loyalty_membership membership
        WHERE membership.member_id = member.id AND membership.tier_id = %(tier)s)
) AND (
    %(plan)s::bigint IS NULL OR EXISTS (
        SELECT FROM loyalty_planpurchase bought
        WHERE bought.member_id = member.id AND bought.plan_id = %(plan)s
          AND bought.refunded_at IS NULL
          AND bought.starts_at <= %(now)s AND bought.ends_at > %(now)s)
)"""
_MONTH_SQL = f"""
WITH holder AS (
    SELECT member.id FROM shop_member member
    WHERE member.id > %(after)s AND member.status = 'active' AND {_HOLDS}
      AND NOT EXISTS (SELECT FROM loyalty_benefitgrant had
                      WHERE had.benefit_id = %(benefit)s AND had.period = %(period)s
                        AND had.member_id = member.id)
    ORDER BY member.id LIMIT %(limit)s
)
INSERT INTO loyalty_benefitgrant (member_id, benefit_id, period, granted_at)
SELECT holder.id, %(benefit)s, %(period)s, %(now)s FROM holder ORDER BY holder.id
ON CONFLICT (benefit_id, period, member_id) DO NOTHING RETURNING member_id
"""
RECENT_DAYS_SQL = f"""
    SELECT (%(now)s::timestamptz AT TIME ZONE store.timezone)::date - late AS date
    FROM generate_series(0, {BIRTHDAY_DAYS - 1}) AS late
"""
"""The days of which a birthday is remembered, at a `store`."""
IS_BIRTHDAY_SQL = """(
    (to_char(member.birthday, 'MM-DD') = to_char(day.date, 'MM-DD')
     OR (to_char(member.birthday, 'MM-DD') = '02-29'
         AND to_char(day.date, 'MM-DD') = '02-28'
         AND to_char(day.date + 1, 'MM-DD') = '03-01'))
    AND (member.joined_at AT TIME ZONE store.timezone)::date <= day.date
)"""
"""Whether it is a `member`'s birthday on a `day` at their `store`, and they were one by then."""
_BIRTHDAY_SQL = f"""
WITH holder AS (
    SELECT DISTINCT ON (member.id) member.id, to_char(day.date, 'YYYY') AS period
    FROM shop_member member
    JOIN shop_store store ON store.id = member.store_id
    CROSS JOIN LATERAL ({RECENT_DAYS_SQL}) day
    WHERE member.id > %(after)s AND member.status = 'active' AND {_HOLDS}
      AND {IS_BIRTHDAY_SQL}
      AND NOT EXISTS (SELECT FROM loyalty_benefitgrant had
                      WHERE had.benefit_id = %(benefit)s AND had.member_id = member.id
                        AND had.period = to_char(day.date, 'YYYY'))
    ORDER BY member.id, day.date LIMIT %(limit)s
)
INSERT INTO loyalty_benefitgrant (member_id, benefit_id, period, granted_at)
SELECT holder.id, %(benefit)s, holder.period, %(now)s FROM holder ORDER BY holder.id
ON CONFLICT (benefit_id, period, member_id) DO NOTHING RETURNING member_id
"""

_HAD_SQL = """
    FROM loyalty_benefit benefit
    CROSS JOIN LATERAL (
        SELECT latest.* FROM loyalty_benefitversion latest
        WHERE latest.benefit_id = benefit.id
          AND latest.effective_month <= (%(now)s::timestamptz AT TIME ZONE store.timezone)::date
        ORDER BY latest.effective_month DESC, latest.id DESC LIMIT 1
    ) version
    WHERE version.is_active
      AND (benefit.tier_id = membership.tier_id OR EXISTS (
          SELECT FROM loyalty_planpurchase bought
          WHERE bought.member_id = member.id AND bought.plan_id = benefit.plan_id
            AND bought.refunded_at IS NULL
            AND bought.starts_at <= %(now)s AND bought.ends_at > %(now)s))
"""
"""What a member has by tier or plan; of rows `member`, `membership`, `store`."""
POINTS_PERCENT_SQL = (
    f"COALESCE((SELECT max(version.percent) {_HAD_SQL} AND benefit.kind = 'points_boost'), 0)"
)
"""At what rate a member earns by benefits, 0 without."""
PRICES_SQL = f"""(
    SELECT jsonb_agg(jsonb_build_object(
        'code', benefit.code, 'amount_cents', version.amount_cents,
        'products', version.products, 'categories', version.categories))::text
    {_HAD_SQL} AND benefit.kind = 'member_price'
)"""
"""A member's own prices as JSON, null without."""
