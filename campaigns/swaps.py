"""Swaps of resources: what came of what was agreed. The only module that writes them."""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import ResourceSwap, SwapDelivery
from shop.kernel.errors import DomainError, NotFound
from shop.kernel.money import Cents


class DeliveryTooLarge(DomainError):
    """More than what is left of the agreement; `left_quantity` is what may still come."""

    code = "delivery-too-large"
    title = _("This is more than was agreed.")


class DeliveryReferenceTaken(DomainError):
    """A delivery note is counted once, and this one says something else than it did."""

    code = "delivery-reference-taken"
    title = _("A delivery with this note was recorded already.")


def agree(**terms: Any) -> ResourceSwap:
    """Note what was agreed; `terms` are the fields of the swap."""
    return ResourceSwap.objects.create(**terms)


@transaction.atomic
def deliver(
    swap_id: int, *, quantity: int, delivered_on: date, reference: str, actor: str, now: datetime
) -> SwapDelivery:
    """Count what a partner delivered; negative takes back. The same note counts once.

    Its value is the agreed one's share of all that was delivered, less what is counted already.

    Raises:
        NotFound, DeliveryTooLarge, DeliveryReferenceTaken
    """
    swap = ResourceSwap.objects.select_for_update(no_key=True).filter(pk=swap_id).first()
    if swap is None:
        raise NotFound
    known = swap.deliveries.filter(reference=reference).first()
    if known is not None:
        if (known.quantity, known.delivered_on) != (quantity, delivered_on):
            raise DeliveryReferenceTaken
        return known
    before, after = swap.delivered_quantity, swap.delivered_quantity + quantity
    if not 0 <= after <= swap.agreed_quantity:
        raise DeliveryTooLarge(left_quantity=swap.agreed_quantity - before)
    swap.delivered_quantity = after
    swap.save(update_fields=["delivered_quantity"])
    return SwapDelivery.objects.create(
        swap=swap,
        quantity=quantity,
        value_cents=Cents(swap.value_of(after) - swap.value_of(before)),
        delivered_on=delivered_on,
        reference=reference,
        actor=actor,
        recorded_at=now,
    )
