"""Roll-ups: what reports need of orders and members, added up by day and by where people came from.

Everything here is derived and can be made anew from the facts (`shop.storefront.rollups`). The rows
hold ids, not keys, so that they stand in the way of nothing that happens to the facts; zero is
nobody's id and means none.
"""

from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from shop.kernel.fields import CentsField
from shop.kernel.money import Cents

NEVER = date.max
"""The day of the first order of whoever has not ordered yet."""


class RollupMark(models.Model):
    """That something changed which the roll-ups have not taken in yet; gone once they have.

    Written by triggers, in the transaction of the change. It names the member, the order, or a
    business day of a store.
    """

    member_id = models.BigIntegerField(null=True)
    order_id = models.BigIntegerField(null=True)
    store_id = models.BigIntegerField(null=True)
    business_date = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="rollup_mark_names_something",
                condition=models.Q(member_id__isnull=False)
                | models.Q(order_id__isnull=False)
                | models.Q(store_id__isnull=False, business_date__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"member {self.member_id}, order {self.order_id}, {self.business_date}"


class Origin(models.Model):
    """Whose roll-up a row is: who joined that day at that store by that channel and link."""

    store_id = models.BigIntegerField()
    joined_on = models.DateField()
    channel_id = models.BigIntegerField()
    link_id = models.BigIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.joined_on} store {self.store_id} channel {self.channel_id}"


class Worth(models.Model):
    """What people bought until now: orders that count, net of refunds.

    Margin is revenue less the cost of the goods that were kept; `margin_30_cents` is that of the
    day of joining and the 30 business days after it.
    """

    orders = models.IntegerField(default=0)
    revenue_cents = CentsField(default=Cents(0))
    margin_cents = CentsField(default=Cents(0))
    margin_7_cents = CentsField(default=Cents(0))
    margin_30_cents = CentsField(default=Cents(0))
    margin_90_cents = CentsField(default=Cents(0))
    margin_180_cents = CentsField(default=Cents(0))
    margin_365_cents = CentsField(default=Cents(0))

    class Meta:
        abstract = True


class MemberRollup(Origin, Worth):
    """One member: where they came from, when they bought, whom they brought.

    `lot` is the member's id modulo 100, to draw a sample by. Gaps are in seconds; None: not yet.
    `repeated_` says whether the second order came within so many days (of 24 hours) of the first.
    """

    member_id = models.BigIntegerField(primary_key=True)
    lot = models.SmallIntegerField()
    first_order_id = models.BigIntegerField(default=0)
    first_on = models.DateField(default=NEVER)
    repeated_7 = models.BooleanField(default=False)
    repeated_30 = models.BooleanField(default=False)
    repeated_90 = models.BooleanField(default=False)
    is_long_term = models.BooleanField(default=False)
    friends = models.IntegerField(default=0)
    seconds_to_first = models.BigIntegerField(null=True)
    seconds_to_second = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(
                name="member_rollup_by_origin",
                fields=["joined_on", "store_id", "channel_id", "link_id"],
            ),
            models.Index(name="member_rollup_sample", fields=["lot", "joined_on"]),
        ]

    def __str__(self) -> str:
        return f"member {self.member_id}"


class Cohort(Origin, Worth):
    """Members of one origin who placed their first order on the same day, or have not yet."""

    first_on = models.DateField()
    joined = models.IntegerField()
    repeated_7 = models.IntegerField()
    repeated_30 = models.IntegerField()
    repeated_90 = models.IntegerField()
    long_term = models.IntegerField()
    referrers = models.IntegerField()
    friends = models.IntegerField()
    seconds_to_first = models.BigIntegerField()
    seconds_to_second = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="cohort_once",
                fields=["joined_on", "store_id", "channel_id", "link_id", "first_on"],
            )
        ]

    def __str__(self) -> str:
        return f"{super().__str__()} first {self.first_on}"


class CohortDay(Origin):
    """What members of one origin bought on one business day; `age` counts days since joining."""

    business_date = models.DateField()
    age = models.IntegerField()
    orders = models.IntegerField()
    revenue_cents = CentsField()
    margin_cents = CentsField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="cohort_day_once",
                fields=["joined_on", "business_date", "store_id", "channel_id", "link_id"],
            )
        ]

    def __str__(self) -> str:
        return f"{super().__str__()} day {self.age}"


class SalesDay(models.Model):
    """What a store sold on a business day, by the channel and link that have the credit.

    Orders count on the day on which they were paid, refunds on the day on which they were given;
    costs are those of the goods sold and of the goods returned. Channel zero: guests, whom nobody
    knows. `first_orders` are those with which members began.
    """

    business_date = models.DateField()
    store_id = models.BigIntegerField()
    channel_id = models.BigIntegerField(default=0)
    link_id = models.BigIntegerField(default=0)
    orders = models.IntegerField()
    first_orders = models.IntegerField()
    paid_cents = CentsField()
    discount_cents = CentsField()
    cost_cents = CentsField()
    refunds = models.IntegerField()
    refunded_cents = CentsField()
    returned_cost_cents = CentsField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="sales_day_once",
                fields=["business_date", "store_id", "channel_id", "link_id"],
            )
        ]

    def __str__(self) -> str:
        return f"{self.business_date} store {self.store_id} channel {self.channel_id}"


class CampaignLimits(models.Model):
    """When a campaign burns money; one row, edited by head office.

    A campaign whose margin has not covered its cost after so many days raises an alarm, and so does
    one whose buyers come again too seldom, once there are enough of them to tell.
    """

    payback_days = models.PositiveSmallIntegerField(_("paid back within days"), default=90)
    repurchase_bp = models.PositiveSmallIntegerField(
        _("buyers who come again within 30 days, at least"),
        default=2000,
        help_text=_("In hundredths of a per cent: 2000 is 20 %."),
    )
    least_buyers = models.PositiveSmallIntegerField(
        _("buyers from which on that is judged"), default=30
    )

    class Meta:
        verbose_name = _("limits of campaigns")
        verbose_name_plural = _("limits of campaigns")
        constraints = [
            models.CheckConstraint(name="campaign_limits_are_one", condition=models.Q(id=1)),
            models.CheckConstraint(
                name="campaign_limits_can_be_kept",
                condition=models.Q(payback_days__gte=1, repurchase_bp__lte=10_000),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payback_days} / {self.repurchase_bp}"

    @classmethod
    def current(cls) -> "CampaignLimits":
        """Return the limits; those of the beginning where nobody has set any."""
        return cls.objects.first() or cls()
