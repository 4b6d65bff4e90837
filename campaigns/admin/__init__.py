"""The pages of promotion: channels and links, traffic, coupons and codes, promotions, referrals,
and the partners with whom it is done.
"""

from campaigns.admin import (
    batches,
    channels,
    costs,
    coupons,
    deals,
    partners,
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
    "deals",
    "partners",
    "promotions",
    "referrals",
    "traffic",
    "vouchers",
]
