"""Which rows of promotion a caller may see, and which are theirs to write.

What has no store is head office's: every member of staff reads it, and only those who cover all
stores write it.
"""

from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from campaigns.models import (
    AdUpload,
    Campaign,
    CapBucket,
    ChannelLink,
    Cobrand,
    CodeBatch,
    Coupon,
    CouponDefinition,
    CouponRedemption,
    DailyCost,
    DealStatement,
    KolDeal,
    KolVisit,
    Partner,
    Reservation,
    ResourceSwap,
    Touch,
)
from shop.kernel.principals import Kind, ModelT, Principal, scope


def visible_campaigns(principal: Principal) -> QuerySet[Campaign]:
    """Return the campaigns of the caller's stores and of the whole chain."""
    return scope(Campaign.objects.all(), principal, store="stores", with_shared=True).distinct()


def visible_links(principal: Principal) -> QuerySet[ChannelLink]:
    """Return the links of the caller's stores and of the whole chain."""
    return scope(ChannelLink.objects.all(), principal, store="store_id", with_shared=True)


def writable_links(principal: Principal) -> QuerySet[ChannelLink]:
    """Return the links whose costs are the caller's to enter."""
    return scope(ChannelLink.objects.all(), principal, store="store_id")


def visible_costs(principal: Principal) -> QuerySet[DailyCost]:
    """Return the costs of the links that the caller sees."""
    return scope(DailyCost.objects.all(), principal, store="link__store_id", with_shared=True)


def visible_ad_uploads(principal: Principal) -> QuerySet[AdUpload]:
    """Return what platforms were told of clicks on the caller's links."""
    return scope(AdUpload.objects.all(), principal, store="click__link__store_id")


def visible_reservations(principal: Principal) -> QuerySet[Reservation]:
    """Return the reservations of the caller's members."""
    return scope(Reservation.objects.all(), principal, store="member__store_id", member="member_id")


def _with_partners(rows: QuerySet[ModelT], principal: Principal, partner: str) -> QuerySet[ModelT]:
    """Return what a partner's own key may see, or everything for who covers all stores."""
    if principal.kind is not Kind.PARTNER and principal.store_ids is None:
        return rows
    return scope(rows, principal, partner=partner)


def visible_partners(principal: Principal) -> QuerySet[Partner]:
    """Return the partners: for head office all, for a partner itself."""
    return _with_partners(Partner.objects.all(), principal, "id")


def with_results(rows: QuerySet[Partner]) -> QuerySet[Partner]:
    """Return partners with how many deals they have, and what approved statements came to."""
    deals = KolDeal.objects.filter(partner=OuterRef("pk")).values("partner")
    frozen = (
        DealStatement.objects.filter(deal__partner=OuterRef("pk"))
        .exclude(state=DealStatement.State.DRAFT)
        .values("deal__partner")
    )
    sold = frozen.annotate(sum=Sum(F("sales_cents") + F("corrections_cents")))
    earned = frozen.annotate(sum=Sum("total_cents"))
    return rows.annotate(
        number_of_deals=Coalesce(Subquery(deals.annotate(number=Count("pk")).values("number")), 0),
        sales_cents=Coalesce(Subquery(sold.values("sum")), 0),
        earned_cents=Coalesce(Subquery(earned.values("sum")), 0),
    )


def visible_deals(principal: Principal) -> QuerySet[KolDeal]:
    """Return the deals of partners that the caller sees."""
    return _with_partners(KolDeal.objects.all(), principal, "partner_id")


def visible_cobrands(principal: Principal) -> QuerySet[Cobrand]:
    """Return the co-brandings of partners that the caller sees."""
    return _with_partners(Cobrand.objects.all(), principal, "partner_id")


def visible_swaps(principal: Principal) -> QuerySet[ResourceSwap]:
    """Return the swaps with partners that the caller sees."""
    return _with_partners(ResourceSwap.objects.all(), principal, "partner_id")


def visible_visits(principal: Principal) -> QuerySet[KolVisit]:
    """Return the visits to the caller's stores."""
    return scope(KolVisit.objects.all(), principal, store="store_id")


def redemptions_of(cobrand: Cobrand) -> QuerySet[CouponRedemption]:
    """Return the standing uses of a partner's coupons; whose they were is not theirs to know."""
    return CouponRedemption.objects.filter(
        coupon__definition__partner_pool__cobrand=cobrand, released_at=None
    ).select_related("order__store", "coupon__definition")


def visible_coupons(principal: Principal) -> QuerySet[Coupon]:
    """Return the coupons in the wallets of the caller's members."""
    rows = Coupon.objects.select_related("definition")
    return scope(rows, principal, store="member__store_id", member="member_id")


def claimable_definitions(*, now: datetime) -> QuerySet[CouponDefinition]:
    """Return what members may claim now and is not gone yet."""
    return _issued_definitions(now=now).filter(is_claimable=True)


def welcome_gifts(*, now: datetime) -> QuerySet[CouponDefinition]:
    """Return what is given to whoever joins now."""
    return _issued_definitions(now=now).filter(is_welcome_gift=True)


def _issued_definitions(*, now: datetime) -> QuerySet[CouponDefinition]:
    has_begun = Q(claim_starts_at__isnull=True) | Q(claim_starts_at__lte=now)
    goes_on = Q(claim_ends_at__isnull=True) | Q(claim_ends_at__gt=now)
    is_of_use = Q(valid_until__isnull=True) | Q(valid_until__gt=now)
    buckets = CapBucket.objects.filter(definition=OuterRef("pk"))
    has_some_left = (
        Q(total_limit__isnull=True)
        | Q(claim_buckets=1, issued_count__lt=F("total_limit"))
        | Exists(buckets.filter(issued_count__lt=F("cap")))
    )
    return with_all_issued(CouponDefinition.objects.all()).filter(
        has_begun, goes_on, is_of_use, has_some_left, status=CouponDefinition.Status.ACTIVE
    )


def with_all_issued(rows: QuerySet[CouponDefinition]) -> QuerySet[CouponDefinition]:
    """Return definitions with `all_issued`: how many coupons were issued, buckets included."""
    buckets = CapBucket.objects.filter(definition=OuterRef("pk")).values("definition")
    in_buckets = buckets.annotate(sum=Sum("issued_count")).values("sum")
    return rows.annotate(all_issued=F("issued_count") + Coalesce(Subquery(in_buckets), 0))


def code_batches() -> QuerySet[CodeBatch]:
    """Return every batch of codes with what became of its codes."""
    return with_uses(CodeBatch.objects.select_related("definition", "link"))


def with_uses(rows: QuerySet[CodeBatch]) -> QuerySet[CodeBatch]:
    """Return batches with how many coupons they gave, and how many of those were used."""
    coupons = Coupon.objects.filter(batch=OuterRef("pk")).values("batch")
    entered = coupons.annotate(number=Count("pk")).values("number")
    redeemed = coupons.filter(status=Coupon.Status.REDEEMED).annotate(number=Count("pk"))
    return rows.annotate(
        entered=Coalesce(Subquery(entered), 0),
        redeemed=Coalesce(Subquery(redeemed.values("number")), 0),
    )


def scans_of(batch: CodeBatch) -> int:
    """Return how often QR codes of the batch's link were scanned since the batch was made."""
    scans = Touch.objects.filter(
        link=batch.link_id, kind=Touch.Kind.SCAN, occurred_at__gte=batch.created_at
    )
    return scans.count()


def wallet(member_id: int, *, now: datetime, status: str = "") -> QuerySet[Coupon]:
    """Return a member's coupons with this status; without one, those that can still be used.

    An available coupon whose time is over is expired, whether or not the job has marked it yet.
    """
    rows = Coupon.objects.filter(member_id=member_id).select_related("definition")
    in_time = Q(status=Coupon.Status.AVAILABLE, expires_at__gt=now)
    over = Q(status=Coupon.Status.AVAILABLE, expires_at__lte=now)
    if not status:
        return rows.filter(in_time | Q(status=Coupon.Status.HELD))
    if status == Coupon.Status.AVAILABLE:
        return rows.filter(in_time)
    if status == Coupon.Status.EXPIRED:
        return rows.filter(over | Q(status=Coupon.Status.EXPIRED))
    return rows.filter(status=status)
