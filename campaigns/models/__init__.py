"""Rows of promotion; they point at the shop, never at loyalty."""

from campaigns.models.ads import AdAccount, AdClick, AdUpload
from campaigns.models.batches import BatchCode, CapBucket, CodeBatch
from campaigns.models.campaign_changes import CampaignChange
from campaigns.models.channels import (
    Acquisition,
    Campaign,
    Channel,
    ChannelLink,
    Conversion,
)
from campaigns.models.contents import Content, ContentSnapshot, Topic
from campaigns.models.costs import AdPlatform, AdUnit, CostImport, DailyCost
from campaigns.models.coupons import Coupon, CouponDefinition, CouponRedemption
from campaigns.models.deals import (
    DealCoupon,
    DealLink,
    DealStatement,
    KolDeal,
    KolVisit,
    StatementLine,
)
from campaigns.models.partners import (
    Cobrand,
    Partner,
    PartnerCredential,
    PartnerKey,
    PartnerPool,
    ResourceSwap,
    SwapDelivery,
)
from campaigns.models.phases import CampaignPhase, Cause, PhasePlan, Reservation
from campaigns.models.placements import Placement
from campaigns.models.promotions import Promotion, PromotionUse, UsageCounter
from campaigns.models.referrals import Referral, ReferralCode, ReferralProgramme
from campaigns.models.touches import SeenEvent, Touch, TouchTotal
from campaigns.models.transfers import CouponTransfer
from campaigns.models.vouchers import Voucher, VoucherDeal

__all__ = [
    "Acquisition",
    "AdAccount",
    "AdClick",
    "AdPlatform",
    "AdUnit",
    "AdUpload",
    "BatchCode",
    "Campaign",
    "CampaignChange",
    "CampaignPhase",
    "CapBucket",
    "Cause",
    "Channel",
    "ChannelLink",
    "Cobrand",
    "CodeBatch",
    "Content",
    "ContentSnapshot",
    "Conversion",
    "CostImport",
    "Coupon",
    "CouponDefinition",
    "CouponRedemption",
    "CouponTransfer",
    "DailyCost",
    "DealCoupon",
    "DealLink",
    "DealStatement",
    "KolDeal",
    "KolVisit",
    "Partner",
    "PartnerCredential",
    "PartnerKey",
    "PartnerPool",
    "PhasePlan",
    "Placement",
    "Promotion",
    "PromotionUse",
    "Referral",
    "ReferralCode",
    "ReferralProgramme",
    "Reservation",
    "ResourceSwap",
    "SeenEvent",
    "StatementLine",
    "SwapDelivery",
    "Topic",
    "Touch",
    "TouchTotal",
    "UsageCounter",
    "Voucher",
    "VoucherDeal",
]
