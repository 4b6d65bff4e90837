"""The channels that are always there: for people whom nobody brought, and whom a friend brought."""

from typing import Any

from django.apps import apps as installed_apps
from django.apps.registry import Apps

from campaigns.attribution import ORGANIC, REFERRAL

_ALWAYS_THERE = [
    (ORGANIC, "自然到店", "Organic"),
    (REFERRAL, "老带新", "Friends"),
]


def ensure_own(apps: Apps = installed_apps, **_signal: Any) -> None:
    """Make both channels if they are missing; called after every migration of this app."""
    try:
        model = apps.get_model("campaigns", "Channel")
    except LookupError:  # the app was just migrated away
        return
    for code, name_zh, name_en in _ALWAYS_THERE:
        model.objects.get_or_create(
            code=code, defaults={"name_zh": name_zh, "name_en": name_en, "kind": code}
        )
