"""Partners and the keys of their systems. The only module that writes them."""

import hmac
from datetime import datetime

from django.db import IntegrityError, transaction

from campaigns.models import Partner, PartnerKey
from shop.kernel import crypto, identifiers
from shop.kernel.errors import CodeTaken
from shop.kernel.principals import Kind, Principal

PREFIX = "pt"
SCOPES = ["partners:read"]


def create(*, code: str, kind: str, name_zh: str, name_en: str, contact: str = "") -> Partner:
    """Create a partner.

    Raises:
        CodeTaken
    """
    try:
        with transaction.atomic():
            return Partner.objects.create(
                code=code, kind=kind, name_zh=name_zh, name_en=name_en, contact=contact
            )
    except IntegrityError as error:
        raise CodeTaken from error


def issue_key(partner: Partner, *, now: datetime) -> str:
    """Return a new key for a partner's systems, in clear for the last time."""
    public_id, secret = identifiers.new_secret(PREFIX)
    PartnerKey.objects.create(
        partner=partner,
        public_id=public_id,
        secret_hash=crypto.secret_hash(secret),
        scopes=SCOPES,
        created_at=now,
    )
    return f"{public_id}_{secret}"


def revoke_key(key: PartnerKey, *, now: datetime) -> None:
    """Make a key stop working at once; a second time changes nothing."""
    PartnerKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)


def authenticate(public_id: str, secret: str, now: datetime) -> Principal | None:
    """Return who holds this key: an active partner, who sees what names them and nothing else."""
    key = PartnerKey.objects.select_related("partner").filter(public_id=public_id).first()
    if key is None or not hmac.compare_digest(bytes(key.secret_hash), crypto.secret_hash(secret)):
        return None
    is_over = key.expires_at is not None and key.expires_at <= now
    if key.revoked_at is not None or is_over or not key.partner.is_active:
        return None
    return Principal(
        kind=Kind.PARTNER,
        id=key.partner_id,
        name=key.partner.code,
        scopes=frozenset(key.scopes),
    )
