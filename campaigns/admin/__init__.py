"""The pages of promotion: channels and links, traffic, coupons, referrals."""

from campaigns.admin import channels, coupons, referrals, traffic

__all__ = ["channels", "coupons", "referrals", "traffic"]
