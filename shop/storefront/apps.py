"""The stories that need everything."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StorefrontConfig(AppConfig):
    """Quotes, checkout, refunds, rewards, registration, reports."""

    name = "shop.storefront"
    label = "storefront"
    verbose_name = _("Storefront")

    def ready(self) -> None:
        """Tell the outbox how to deliver each topic."""
        from shop.storefront import deliveries  # models are loaded only now

        deliveries.register()
