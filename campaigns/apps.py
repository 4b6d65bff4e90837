"""Promotion: what brings people in."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    """Channels, links, touches, attribution, coupons, referrals, pricing."""

    name = "campaigns"
    label = "campaigns"
    verbose_name = _("Promotion")
