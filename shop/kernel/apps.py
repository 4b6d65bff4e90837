"""The kernel: what every backend needs and no business words."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from shop.kernel import logs


class KernelConfig(AppConfig):
    """Money, clock, problems, idempotency, outbox, principals."""

    name = "shop.kernel"
    label = "kernel"
    verbose_name = _("System")

    def ready(self) -> None:
        """Set up the log once the settings are read."""
        logs.configure()
