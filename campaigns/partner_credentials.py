"""What a partner's access at a provider is, sealed; the only module that writes and opens it."""

from datetime import datetime

from django.db import transaction

from campaigns.models import Partner, PartnerCredential
from shop.kernel import crypto
from shop.kernel.errors import NotFound


@transaction.atomic
def store(
    partner: Partner, *, provider: str, account: str, secret: str, actor: str, now: datetime
) -> PartnerCredential:
    """Keep a partner's access at a provider, instead of what was kept before."""
    values = {
        "account": account,
        "sealed_secret": crypto.encrypt(secret, context=_context(partner, provider)),
        "stored_by": actor,
        "stored_at": now,
    }
    kept, _is_new = PartnerCredential.objects.update_or_create(
        partner=partner, provider=provider, defaults=values
    )
    return kept


def forget(partner: Partner, *, provider: str) -> None:
    """Delete a partner's access at a provider.

    Raises:
        NotFound: there is none.
    """
    deleted, _rows = partner.credentials.filter(provider=provider).delete()
    if not deleted:
        raise NotFound


def secret_of(partner: Partner, *, provider: str) -> str:
    """Return a partner's secret for a call to the provider; empty without one."""
    kept = partner.credentials.filter(provider=provider).first()
    if kept is None or not partner.is_active:
        return ""
    return crypto.decrypt(bytes(kept.sealed_secret), context=_context(partner, provider))


def _context(partner: Partner, provider: str) -> str:
    return f"partner:{partner.pk}:{provider}"
