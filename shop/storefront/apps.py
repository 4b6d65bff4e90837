"""The stories that need everything."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StorefrontConfig(AppConfig):
    """Quotes, checkout, refunds, rewards, registration, reports."""

    name = "shop.storefront"
    label = "storefront"
    verbose_name = _("Storefront")

    def ready(self) -> None:
        """Tell the floors below what they cannot know.

        How to deliver each topic, what there is to do in the background, what members pay less.
        """
        from shop.storefront import (  # models are loaded only now
            deliveries,
            issues,
            replays,
            tier_prices,
        )

        deliveries.register()
        issues.register()
        replays.register()
        tier_prices.register()
