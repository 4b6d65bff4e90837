"""The pages of promotion: channels and links, traffic, coupons, promotions, referrals."""

from campaigns.admin import channels, coupons, promotions, referrals, traffic

__all__ = ["channels", "coupons", "promotions", "referrals", "traffic"]
