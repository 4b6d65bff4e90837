"""Benefits in a rush: two workers give a month once, two tills sell periods that follow."""

from functools import partial
from itertools import pairwise

from django.db import transaction

from campaigns.models import Coupon
from loyalty.models import Benefit, BenefitGrant, MembershipPlan, PlanPurchase, Tier
from shop.kernel.models import Job
from shop.kernel.money import Cents
from shop.storefront import benefit_grants
from tests import make
from tests.concurrency.crowd import at_once
from tests.storefront.test_benefits import bought


def grant() -> None:
    """Do one slice as a worker that knows nothing of the others would."""
    job = Job(kind=benefit_grants.MONTHLY, params={"day": "2026-06-18"})
    with transaction.atomic():
        benefit_grants.grant_slice(job, make.NOON)


class TestMonth:
    def test_by_many_workers_at_once_is_given_once(self) -> None:
        """The unique key of a grant holds it: without it each worker notes the same members and
        gives them coupons; the job's lock would only hide that.
        """
        make.definition("FULL25_5", per_member_limit=99)
        row = Benefit.objects.create(
            code="b", name_zh="券", name_en="b", kind="coupons", tier=Tier.objects.get(level=1)
        )
        benefit_grants.append_version(
            row, month=make.NOON.date().replace(day=1), actor="t", now=make.NOON, coupon="FULL25_5"
        )
        people = [make.member() for _each in range(10)]

        at_once([grant] * 6)

        assert BenefitGrant.objects.count() == len(people)
        assert Coupon.objects.filter(source__startswith="benefit:").count() == len(people)


class TestPlan:
    def test_bought_at_many_tills_at_once_runs_one_period_after_the_other(self) -> None:
        """The wallets' lock of `plans.purchase`, and behind it the unique beginning of a period."""
        MembershipPlan.objects.create(
            code="MONTH", name_zh="月卡", name_en="Card", price_cents=Cents(1990), days=30
        )
        who = make.member()

        at_once([partial(bought, who, source=f"race:{number}") for number in range(6)])

        periods = list(PlanPurchase.objects.order_by("starts_at"))
        assert len(periods) == 6
        assert all(a.ends_at == b.starts_at for a, b in pairwise(periods))
