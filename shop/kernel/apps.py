"""The kernel: what every backend needs and no business words."""

from django.apps import AppConfig


class KernelConfig(AppConfig):
    """Money, clock, problems, idempotency, outbox, principals."""

    name = "shop.kernel"
    label = "kernel"
