"""Issues: one coupon to each member of an audience, in the background, each once."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns import coupons, handouts
from campaigns.models import CouponDefinition
from shop.kernel import jobs
from shop.kernel.errors import DomainError, NotFound
from shop.kernel.models import Job
from shop.storefront import audiences
from shop.storefront.audiences import Audience

KIND = "coupons.issue"
SLICE = 500
"""Members per transaction."""


class AudienceEmpty(DomainError):
    """Nobody is meant."""

    code = "audience-empty"
    title = _("There is no such member.")


@transaction.atomic
def start(
    definition_code: str,
    *,
    audience: Audience,
    requested_by: str,
    now: datetime,
    reference: str = "",
) -> Job:
    """Queue the issue; with a reference, the same one again is the same issue.

    Who is meant is asked slice by slice, of the state of now: a "last 30 days" does not move on
    while the job runs.

    Raises:
        NotFound: no such definition.
        coupons.CouponNotClaimable: it is not being issued now.
        AudienceEmpty
    """
    definition = CouponDefinition.objects.filter(code=definition_code).first()
    if definition is None:
        raise NotFound
    coupons.ensure_claim_period(definition, now=now)
    total = audiences.count(audience, now=now)
    if not total:
        raise AudienceEmpty
    return jobs.start(
        KIND,
        params={
            "definition": definition.code,
            "audience": audience.as_json(),
            "as_of": now.isoformat(),
        },
        requested_by=requested_by,
        total=total,
        key=f"{KIND}:{definition.code}:{reference}" if reference else None,
        now=now,
    )


def register() -> None:
    """Tell the workers how to do it."""
    jobs.runs(KIND, label=_("Give coupons to many"))(issue_slice)


def issue_slice(job: Job, now: datetime) -> bool:
    """Give the next members their coupon; True when there is nobody left, or no coupon.

    The result says how many got one, and how many had as many as they may. A definition that is
    paused or ended meanwhile, or has run out, ends the issue and says so.
    """
    definition = CouponDefinition.objects.get(code=job.params["definition"])
    as_of = datetime.fromisoformat(job.params["as_of"])
    audience = audiences.from_json(job.params["audience"])
    meant = audiences.members_of(audience, now=as_of).filter(pk__gt=job.cursor.get("after", 0))
    ids = list(meant.order_by("pk").values_list("pk", flat=True)[:SLICE])
    if not ids:
        return True
    result = {"issued": 0, "had_enough": 0} | job.result
    try:
        coupons.ensure_claim_period(definition, now=now)
        issued = handouts.issue(definition, member_ids=ids, source=f"issue:{job.pk}", now=now)
    except (coupons.CouponNotClaimable, coupons.CouponExhausted) as refusal:
        job.result = result | {"ended_by": refusal.code}
        return True
    job.result = result | {
        "issued": result["issued"] + issued,
        "had_enough": result["had_enough"] + len(ids) - issued,
    }
    job.cursor = {"after": ids[-1]}
    job.done += len(ids)
    return len(ids) < SLICE
