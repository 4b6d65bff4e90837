"""Channels; two are always there: for people whom nobody brought, and whom a friend brought."""

from typing import Any

from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.db import IntegrityError, transaction

from campaigns.attribution import ORGANIC, REFERRAL
from campaigns.models import Channel
from shop.kernel.errors import CodeTaken

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


def create(*, code: str, kind: str, name_zh: str, name_en: str, utm_template: str = "") -> Channel:
    """Create a channel.

    Raises:
        CodeTaken
    """
    try:
        with transaction.atomic():
            return Channel.objects.create(
                code=code, kind=kind, name_zh=name_zh, name_en=name_en, utm_template=utm_template
            )
    except IntegrityError as error:
        raise CodeTaken from error
