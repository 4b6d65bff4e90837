"""Vouchers that guests bought on another platform: what every platform can be asked.

No ORM here and no transaction: whoever calls holds no lock while a platform thinks.
"""

from campaigns.group_buying.protocol import (
    Certificate,
    Claim,
    Finding,
    PlatformOff,
    Prepared,
    Receipt,
    Refused,
    VoucherProvider,
    VoucherRefused,
)
from campaigns.group_buying.providers import provider
from shop.kernel.outgoing import NoAnswer

__all__ = [
    "Certificate",
    "Claim",
    "Finding",
    "NoAnswer",
    "PlatformOff",
    "Prepared",
    "Receipt",
    "Refused",
    "VoucherProvider",
    "VoucherRefused",
    "provider",
]
