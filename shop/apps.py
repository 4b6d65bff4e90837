"""The store itself: its facts, and nothing that is decided about them."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ShopConfig(AppConfig):
    """Stores, menu, members, orders, payments, staff, tills."""

    name = "shop"
    label = "shop"
    verbose_name = _("Shop")

    def ready(self) -> None:
        """Have the groups of staff made once permissions are."""
        from shop import access  # models are not loaded before

        post_migrate.connect(access.ensure_groups)
