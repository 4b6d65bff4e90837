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

    Written by triggers, in the transaction of the change. It names the member, the order, the
    visitor, or a business day of a store.
    """

    member_id = models.BigIntegerField(null=True)
    order_id = models.BigIntegerField(null=True)
    visitor_id = models.CharField(max_length=40, null=True)
    store_id = models.BigIntegerField(null=True)
    business_date = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="rollup_mark_names_something",
                condition=models.Q(member_id__isnull=False)
                | models.Q(order_id__isnull=False)
                | models.Q(visitor_id__isnull=False)
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
    margin_14_cents = CentsField(default=Cents(0))
    margin_30_cents = CentsField(default=Cents(0))
    margin_60_cents = CentsField(default=Cents(0))
    margin_90_cents = CentsField(default=Cents(0))
    margin_180_cents = CentsField(default=Cents(0))
    margin_365_cents = CentsField(default=Cents(0))

    class Meta:
        abstract = True


class MemberRollup(Origin, Worth):
    """One member: where they came from, when they bought, whom they brought.

    `lot` is the member's id modulo 100, to draw a sample by. Gaps are in seconds; None: not yet,
    or never met before they joined.
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
    seconds_to_join = models.BigIntegerField(null=True)
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


class People(Worth):
    """Members added up. `met` are those whom we had met before they joined; gaps are sums."""

    joined = models.IntegerField()
    met = models.IntegerField(default=0)
    repeated_7 = models.IntegerField()
    repeated_30 = models.IntegerField()
    repeated_90 = models.IntegerField()
    long_term = models.IntegerField()
    referrers = models.IntegerField()
    friends = models.IntegerField()
    seconds_to_join = models.BigIntegerField(default=0)
    seconds_to_first = models.BigIntegerField()
    seconds_to_second = models.BigIntegerField()

    class Meta:
        abstract = True


class Cohort(Origin, People):
    """Members of one origin who placed their first order on the same day, or have not yet."""

    first_on = models.DateField()

    class Meta:
        indexes = [models.Index(name="cohort_by_first_order", fields=["first_on"])]
        constraints = [
            models.UniqueConstraint(
                name="cohort_once",
                fields=["joined_on", "store_id", "channel_id", "link_id", "first_on"],
            )
        ]

    def __str__(self) -> str:
        return f"{super().__str__()} first {self.first_on}"


class CohortMonth(Origin, People):
    """The cohorts of a month, whenever they first bought; `joined_on` is its first day.

    `buyers` are those who have bought.
    """

    buyers = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="cohort_month_once",
                fields=["joined_on", "store_id", "channel_id", "link_id"],
            )
        ]


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
                include=["age", "margin_cents"],
            )
        ]

    def __str__(self) -> str:
        return f"{super().__str__()} day {self.age}"


class CohortAge(Origin):
    """What the cohorts of a month brought so many days after joining."""

    age = models.IntegerField()
    margin_cents = CentsField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="cohort_age_once",
                fields=["joined_on", "store_id", "channel_id", "link_id", "age"],
                include=["margin_cents"],
            )
        ]

    def __str__(self) -> str:
        return f"{super().__str__()} day {self.age}"


class Sales(models.Model):
    """What a store sold, by the channel and link that have the credit.

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
        abstract = True

    def __str__(self) -> str:
        return f"{self.business_date} store {self.store_id} channel {self.channel_id}"


class SalesDay(Sales):
    """What a store sold on a business day."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="sales_day_once",
                fields=["business_date", "store_id", "channel_id", "link_id"],
            )
        ]


class SalesMonth(Sales):
    """What a store sold in a month; `business_date` is its first day."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="sales_month_once",
                fields=["business_date", "store_id", "channel_id", "link_id"],
            )
        ]


class Meeting(Origin):
    """That a visitor met a link on a business day of its store; it outlives the touches.

    `met_last_at` is the time of the last click, scan or visit, without one of the last impression.
    `is_only` says that they met no other link and on no other day. The origin is that of the first
    member they became; who did not join has none: zeros, and the day `NEVER`.
    """

    visitor_id = models.CharField(max_length=40)
    business_date = models.DateField()
    met_link_id = models.BigIntegerField()
    is_clicked = models.BooleanField()
    met_first_at = models.DateTimeField()
    met_last_at = models.DateTimeField()
    is_only = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="meeting_once", fields=["visitor_id", "business_date", "met_link_id"]
            )
        ]
        indexes = [
            models.Index(
                name="meeting_only",
                fields=["business_date", "met_link_id"],
                condition=models.Q(is_only=True),
            ),
            models.Index(
                name="meeting_again", fields=["business_date"], condition=models.Q(is_only=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.visitor_id} {self.business_date} link {self.met_link_id}"


class MetOnce(Origin):
    """Visitors who met us on one day by one link only; their origin is as that of a meeting."""

    business_date = models.DateField()
    met_link_id = models.BigIntegerField()
    reached = models.IntegerField()
    clicked = models.IntegerField()

    class Meta:
        abstract = True


class MetOnceDay(MetOnce):
    """Of one business day."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="met_once_day",
                fields=[
                    *["business_date", "met_link_id"],
                    *["joined_on", "store_id", "channel_id", "link_id"],
                ],
            )
        ]
        indexes = [models.Index(name="met_once_by_joining", fields=["joined_on"])]


class MetOnceMonth(MetOnce):
    """Of a month; `business_date` and `joined_on` are the first days of their months."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="met_once_month",
                fields=[
                    *["business_date", "met_link_id"],
                    *["joined_on", "store_id", "channel_id", "link_id"],
                ],
            )
        ]


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
