"""The pages of promotion: channels and links, traffic, coupons and codes, promotions, referrals."""

from campaigns.admin import (
    batches,
    channels,
    costs,
    coupons,
    promotions,
    referrals,
    traffic,
    vouchers,
)

__all__ = [
    "batches",
    "channels",
    "costs",
    "coupons",
    "promotions",
    "referrals",
    "traffic",
    "vouchers",
]
