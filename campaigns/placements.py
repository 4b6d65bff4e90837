"""Placements: where in a channel a link stands. The only module that writes them."""

from django.db import IntegrityError, transaction

from campaigns.models import Channel, Placement
from shop.kernel.errors import CodeTaken


def create(channel: Channel, *, code: str, name_zh: str, name_en: str) -> Placement:
    """Create a placement; its code is unique within the channel.

    Raises:
        CodeTaken
    """
    try:
        with transaction.atomic():
            return Placement.objects.create(
                channel=channel, code=code, name_zh=name_zh, name_en=name_en
            )
    except IntegrityError as error:
        raise CodeTaken from error
