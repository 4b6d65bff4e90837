"""Ad platforms: what each calls its clicks, and how each is told of results.

No ORM here and no transaction: whoever calls holds no lock while a platform thinks.
"""

from campaigns.ad_platforms.protocol import (
    AdPlatformClient,
    ClickReport,
    Credentials,
    Result,
    UploadRefused,
)
from campaigns.ad_platforms.providers import client, macros, read_click
from shop.kernel.outgoing import NoAnswer

__all__ = [
    "AdPlatformClient",
    "ClickReport",
    "Credentials",
    "NoAnswer",
    "Result",
    "UploadRefused",
    "client",
    "macros",
    "read_click",
]
