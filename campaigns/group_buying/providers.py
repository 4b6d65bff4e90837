"""Which platforms are set up here, and whether they are the real ones or the sandbox."""

from django.conf import settings

from campaigns.group_buying.douyin import Douyin
from campaigns.group_buying.meituan import Meituan
from campaigns.group_buying.protocol import PlatformOff, VoucherProvider

SANDBOX_SECRET = "sandbox-secret"  # noqa: S105 - of a sandbox that only demos and tests reach
SANDBOX_ID = "sandbox"


def douyin() -> Douyin | None:
    """Return the client of Douyin, if there are credentials or a sandbox."""
    if settings.DOUYIN_CLIENT_KEY:
        return Douyin(
            client_key=settings.DOUYIN_CLIENT_KEY,
            client_secret=settings.DOUYIN_CLIENT_SECRET,
            account_id=settings.DOUYIN_ACCOUNT_ID,
        )
    if settings.SANDBOX_URL:
        return Douyin(
            client_key=SANDBOX_ID,
            client_secret=SANDBOX_SECRET,
            account_id=SANDBOX_ID,
            url=f"{settings.SANDBOX_URL}/douyin",
            short_links_at=f"{settings.SANDBOX_URL}/v.douyin.com",
        )
    return None


def meituan() -> Meituan | None:
    """Return the client of Meituan, if there are credentials or a sandbox."""
    if settings.MEITUAN_DEVELOPER_ID:
        return Meituan(
            developer_id=settings.MEITUAN_DEVELOPER_ID,
            sign_key=settings.MEITUAN_SIGN_KEY,
            shop_tokens=settings.MEITUAN_SHOP_TOKENS,
        )
    if settings.SANDBOX_URL:
        return Meituan(
            developer_id=SANDBOX_ID,
            sign_key=SANDBOX_SECRET,
            shop_tokens={},
            every_shops_token=SANDBOX_ID,
            url=f"{settings.SANDBOX_URL}/meituan",
        )
    return None


def provider(platform: str) -> VoucherProvider:
    """Return the client of a platform.

    Raises:
        PlatformOff
    """
    found = {"douyin": douyin, "meituan": meituan}[platform]()
    if found is None:
        raise PlatformOff(platform=platform)
    return found
