"""Keys of tills and of report readers."""

from datetime import datetime

from shop.kernel import crypto, identifiers
from shop.models import ReportKey, Store, Till, TillKey

TILL_SCOPES = [
    "menu:read",
    "menu:write",
    "members:read",
    "members:write",
    "orders:read",
    "orders:write",
    "coupons:write",
    "codes:read",
    "rewards:write",
    "events:write",
]
DEMO_SECRET = "only-for-trying-out-never-in-production"  # noqa: S105 - refused outside of demos
REPORT_SCOPES = [
    "menu:read",
    "reports:read",
    "alerts:read",
    "campaigns:read",
    "touches:write",
    "costs:write",
    "contents:write",
]


def issue_till_key(
    till: Till, *, now: datetime, scopes: list[str] | None = None, secret: str = ""
) -> str:
    """Return a new key for the till, in clear for the last time.

    `secret` fixes the demo key, which must not change between runs; production never passes it.
    """
    public_id, random_secret = identifiers.new_secret("pk")
    if secret:
        public_id = "pk_demo"
    key_secret = secret or random_secret
    TillKey.objects.create(
        till=till,
        public_id=public_id,
        secret_hash=crypto.secret_hash(key_secret),
        scopes=TILL_SCOPES if scopes is None else scopes,
        created_at=now,
    )
    return f"{public_id}_{key_secret}"


def issue_report_key(
    name: str, *, stores: list[Store] | None, now: datetime, secret: str = ""
) -> str:
    """Return a new key to reports of these stores (None: of all), in clear for the last time.

    `secret` fixes the demo key, as for tills.
    """
    public_id, random_secret = identifiers.new_secret("rk")
    if secret:
        public_id = "rk_demo"
    secret = secret or random_secret
    key = ReportKey.objects.create(
        name=name,
        public_id=public_id,
        secret_hash=crypto.secret_hash(secret),
        scopes=REPORT_SCOPES,
        covers_all_stores=stores is None,
        created_at=now,
    )
    key.stores.set(stores or [])
    return f"{public_id}_{secret}"


def revoke(key: TillKey | ReportKey, *, now: datetime) -> None:
    """Make a key stop working at once; a second time changes nothing."""
    type(key).objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
