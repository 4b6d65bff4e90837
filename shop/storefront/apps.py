"""The stories that need everything."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StorefrontConfig(AppConfig):
    """Quotes, checkout, refunds, rewards, registration, reports."""

    name = "shop.storefront"
    label = "storefront"
    verbose_name = _("Storefront")
