"""Promotion: what brings people in."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    """Channels, links, touches, attribution, coupons, referrals, pricing."""

    name = "campaigns"
    label = "campaigns"
    verbose_name = _("Promotion")

    def ready(self) -> None:
        """Have the channels of our own made with the tables, and partners' keys known."""
        from campaigns import channels, partners  # models are not loaded before
        from shop.api import authentication

        post_migrate.connect(channels.ensure_own, sender=self)
        authentication.KNOWN_ELSEWHERE[partners.PREFIX] = partners.authenticate
