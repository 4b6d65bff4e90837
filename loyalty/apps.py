"""Operation: what makes people stay."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LoyaltyConfig(AppConfig):
    """Points, tiers, visits, rewards."""

    name = "loyalty"
    label = "loyalty"
    verbose_name = _("Loyalty")
