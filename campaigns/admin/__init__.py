"""The pages of promotion: channels and links, traffic, coupons and codes, promotions, referrals,
and the partners with whom it is done.
"""

from campaigns.admin import (
    ads,
    batches,
    campaigns,
    channels,
    contents,
    costs,
    coupons,
    deals,
    links,
    partners,
    promotions,
    referrals,
    traffic,
    vouchers,
)

__all__ = [
    "ads",
    "batches",
    "campaigns",
    "channels",
    "contents",
    "costs",
    "coupons",
    "deals",
    "links",
    "partners",
    "promotions",
    "referrals",
    "traffic",
    "vouchers",
]
