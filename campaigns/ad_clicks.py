"""Click ids that ad platforms put into the address of a link, by which they recognise their click.

Of everything in a click's address only these are kept, with the platform that made them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from campaigns.models import Touch

TENCENT = "tencent"
OCEANENGINE = "oceanengine"
PARAMETERS = {
    "gdt_vid": TENCENT,  # landing pages opened inside WeChat
    "qz_gdt": TENCENT,  # anywhere else
    "clickid": OCEANENGINE,  # of Ocean Engine, that is Douyin and Toutiao
    "bd_vid": "baidu",
}
CLICK_ID = re.compile(r"[\w.~+/=:-]{4,300}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class AdClick:
    """A click as its platform names it."""

    platform: str
    click_id: str
    parameter: str = ""


def find(query: Mapping[str, str]) -> AdClick | None:
    """Return the ad click that an address names, the first one we know; None for all others."""
    for parameter, platform in PARAMETERS.items():
        if CLICK_ID.match(given := query.get(parameter, "")):
            return AdClick(platform, given, parameter)
    return None


def latest_of(visitor_id: str, *, platform: str, since: datetime) -> AdClick | None:
    """Return the newest click of a platform's ad that a visitor came by, for its conversions."""
    if not visitor_id:
        return None
    row = (
        Touch.objects.filter(
            visitor_id=visitor_id,
            ad_platform=platform,
            occurred_at__gte=since,
            quality=Touch.Quality.COUNTED,
        )
        .order_by("-occurred_at", "-id")
        .values_list("ad_click_id", flat=True)
        .first()
    )
    return None if row is None else AdClick(platform, row)
