"""The store itself: its facts, and nothing that is decided about them."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShopConfig(AppConfig):
    """Stores, menu, members, orders, payments, staff, tills."""

    name = "shop"
    label = "shop"
    verbose_name = _("Shop")
