"""Our accounts at ad platforms, and their keys, which are kept sealed. Their only writer."""

import hmac
import secrets
from urllib.parse import urlencode

from django.conf import settings

from campaigns import ad_platforms, partner_credentials
from campaigns.ad_platforms import Credentials
from campaigns.models import AdAccount
from shop.kernel import crypto
from shop.kernel.errors import NotFound


def give_keys(account: AdAccount, *, token: str = "") -> None:
    """Seal a new access token, if there is one, and make the key of click reports once; saves."""
    if token:
        account.sealed_token = crypto.encrypt(token, context=_context(account, "token"))
    if not account.sealed_click_key:
        key = secrets.token_urlsafe(18)
        account.sealed_click_key = crypto.encrypt(key, context=_context(account, "clicks"))
    account.save()


def renew_click_key(account: AdAccount) -> None:
    """Make another key of click reports; addresses with the old one are refused from now on."""
    account.sealed_click_key = b""
    give_keys(account)


def find(platform: str, *, code: str, key: str) -> AdAccount:
    """Return the active account that a click report proves to be of.

    Raises:
        NotFound: no such account, switched off, or not its key.
    """
    account = AdAccount.objects.filter(platform=platform, code=code, is_active=True).first()
    if account is None or not hmac.compare_digest(click_key(account).encode(), key.encode()):
        raise NotFound
    return account


def credentials(account: AdAccount) -> Credentials:
    """Return what a call to the platform needs."""
    token = ""
    if account.sealed_token:
        token = crypto.decrypt(bytes(account.sealed_token), context=_context(account, "token"))
    elif account.agency is not None:
        token = partner_credentials.secret_of(account.agency, provider=account.platform)
    return Credentials(
        account_id=account.external_id, action_set_id=account.action_set_id, token=token
    )


def click_key(account: AdAccount) -> str:
    """Return the key that stands in the address of click reports."""
    return crypto.decrypt(bytes(account.sealed_click_key), context=_context(account, "clicks"))


def click_report_url(account: AdAccount, link_code: str) -> str:
    """Return the address to paste into the platform's console for ads that lead to a link."""
    fixed = urlencode({"account": account.code, "key": click_key(account), "link": link_code})
    filled = "&".join(
        f"{name}={macro}" for name, macro in ad_platforms.macros(account.platform).items()
    )
    base = settings.PUBLIC_URL.rstrip("/")
    return f"{base}/ads/{account.platform}/clicks?{fixed}&{filled}"


def _context(account: AdAccount, what: str) -> str:
    return f"ad-account:{account.code}:{what}"
