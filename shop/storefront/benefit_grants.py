"""Giving members what their tier or plan promises: every month, and for their birthday.

Coupons come with a note of the grant in the same transaction, a slice of members at once. Whoever
rises within a month has the benefits of the new tier the day after.
"""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns import coupons, handouts
from campaigns.models import Coupon, CouponDefinition
from loyalty import benefits
from loyalty.models import Benefit, BenefitVersion
from shop.kernel import jobs
from shop.kernel.clock import chain_day
from shop.kernel.errors import InvalidInput
from shop.kernel.models import Job
from shop.models import Category, Product

MONTHLY, BIRTHDAYS = "benefits.grant", "benefits.birthdays"
KINDS = {MONTHLY: Benefit.Kind.COUPONS, BIRTHDAYS: Benefit.Kind.BIRTHDAY}
PERIODS = {MONTHLY: 7, BIRTHDAYS: 4}
"""How much of a day names the period: its month, or its year."""
SLICE = 5_000
"""Members per transaction."""


@transaction.atomic
def append_version(
    benefit: Benefit, *, month: date, actor: str, now: datetime, **what: Any
) -> BenefitVersion:
    """Say what a benefit is from a month on, if there is what it names.

    Raises:
        InvalidInput
    """
    code = what.get("coupon", "")
    if code and not CouponDefinition.objects.filter(code=code).exists():
        raise InvalidInput("/coupon", _("There is no such coupon."), reason="unknown-coupon")
    for name, model in (("products", Product), ("categories", Category)):
        codes = set(what.get(name, ()))
        if model.objects.filter(code__in=codes).count() < len(codes):
            raise InvalidInput(f"/{name}", _("There is no such code."), reason="unknown-code")
    return benefits.append_version(
        benefit, month=month, actor=actor, now=now, today=chain_day(now), **what
    )


def start_due(*, now: datetime) -> list[Job]:
    """Start the day's grants and the hour's birthdays; each once, however often called."""
    day = chain_day(now)
    started = {MONTHLY: f"{MONTHLY}:{day}", BIRTHDAYS: f"{BIRTHDAYS}:{now:%FT%H}"}
    return [
        jobs.start(kind, params={"day": day.isoformat()}, requested_by="beat", key=key, now=now)
        for kind, key in started.items()
    ]


@jobs.runs(MONTHLY, label=_("Give the month’s benefits"))
@jobs.runs(BIRTHDAYS, label=_("Give birthday benefits"))
def grant_slice(job: Job, now: datetime) -> bool:
    """Give the next members of the next benefit their coupons; True when all have theirs."""
    versions = benefits.effective(on=date.fromisoformat(job.params["day"]), kinds=[KINDS[job.kind]])
    left = [v for v in versions if v.benefit_id >= job.cursor.get("benefit", 0)]
    if not left:
        return True
    version = left[0]
    is_same = version.benefit_id == job.cursor.get("benefit")
    after = job.cursor.get("after", 0) if is_same else 0
    given = _give(job, version, after=after, now=now)
    if given is None or len(given) < SLICE:
        job.cursor = {"benefit": version.benefit_id + 1, "after": 0}
        return len(left) == 1
    job.cursor = {"benefit": version.benefit_id, "after": given[-1]}
    return False


def _give(job: Job, version: BenefitVersion, *, after: int, now: datetime) -> list[int] | None:
    """Give a slice of members their coupons; None where the coupon cannot be had any more."""
    benefit = version.benefit
    definition = CouponDefinition.objects.get(code=version.coupon)
    result = {"members": 0, "coupons": 0, "ended": {}} | job.result
    try:
        with transaction.atomic():
            coupons.ensure_claim_period(definition, now=now)
            given = _note(job, benefit, after=after, now=now)
            issued = _issue(definition, version, given, job=job, now=now)
    except (coupons.CouponNotClaimable, coupons.CouponExhausted) as refusal:
        job.result = result | {"ended": result["ended"] | {benefit.code: refusal.code}}
        return None
    job.done += len(given)
    job.result = result | {
        "members": result["members"] + len(given),
        "coupons": result["coupons"] + issued,
    }
    return given


def _note(job: Job, benefit: Benefit, *, after: int, now: datetime) -> list[int]:
    if job.kind == BIRTHDAYS:
        return benefits.grant_birthdays(benefit, after=after, now=now, limit=SLICE)
    month = date.fromisoformat(job.params["day"]).replace(day=1)
    return benefits.grant_month(benefit, month=month, after=after, now=now, limit=SLICE)


def _issue(
    definition: CouponDefinition,
    version: BenefitVersion,
    member_ids: list[int],
    *,
    job: Job,
    now: datetime,
) -> int:
    if not member_ids:
        return 0
    period = job.params["day"][: PERIODS[job.kind]]
    source = f"{benefits.source_of(version.benefit_id)}{period}"
    issued = sum(
        handouts.issue(definition, member_ids=member_ids, source=f"{source}:{nth}", now=now)
        for nth in range(version.quantity)
    )
    if issued < len(member_ids) * version.quantity:
        had = Coupon.objects.filter(member_id__in=member_ids, source=f"{source}:0")
        missed = set(member_ids).difference(had.values_list("member_id", flat=True))
        benefits.forget(version.benefit, sorted(missed), now=now)
    return issued
