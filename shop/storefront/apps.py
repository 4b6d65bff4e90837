"""The stories that need everything."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StorefrontConfig(AppConfig):
    """Quotes, checkout, refunds, rewards, registration, reports."""

    name = "shop.storefront"
    label = "storefront"
    verbose_name = _("Storefront")

    def ready(self) -> None:
        """Tell the outbox how to deliver each topic, and what there is to do in the background."""
        from shop.storefront import deliveries, issues, replays  # models are loaded only now

        deliveries.register()
        issues.register()
        replays.register()
