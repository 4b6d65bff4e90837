"""The client of each platform, the real one or that of the sandbox."""

from collections.abc import Mapping

from django.conf import settings

from campaigns.ad_platforms import oceanengine, tencent
from campaigns.ad_platforms.oceanengine import OceanEngine
from campaigns.ad_platforms.protocol import AdPlatformClient, ClickReport, Credentials
from campaigns.ad_platforms.tencent import Tencent

SANDBOX_TOKEN = "sandbox-ad-token"  # noqa: S105 - of a sandbox that only demos and tests reach
MACROS = {"tencent": tencent.MACROS, "oceanengine": oceanengine.MACROS}
READERS = {"tencent": tencent.read_click, "oceanengine": oceanengine.read_click}


def client(platform: str, credentials: Credentials) -> AdPlatformClient:
    """Return the client of an account; where there is a sandbox, every call goes there."""
    sandbox = settings.SANDBOX_URL
    if platform == "tencent":
        url = f"{sandbox}/tencent-ads" if sandbox else tencent.URL
        return Tencent(credentials=credentials, url=url)
    url = f"{sandbox}/oceanengine" if sandbox else oceanengine.URL
    return OceanEngine(credentials=credentials, url=url)


def macros(platform: str) -> Mapping[str, str]:
    """Return the parameters of a click report with the macros that the platform fills in."""
    return MACROS[platform]


def read_click(platform: str, query: Mapping[str, str]) -> ClickReport:
    """Return the click that a report tells of; its id may be missing or an unfilled macro."""
    return READERS[platform](query)
