"""Gift cards: money behind a code that pays for whoever brings it. The only writer of cards.

Nobody learns by trying whether a code exists, and nobody tries for long.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty import money, tiers
from loyalty.lifetimes import Expires, Lifetime
from loyalty.models import GiftCard, LoyaltyProgramme, MoneyEntry, StoredValueSale
from loyalty.money import StoredValueOff
from loyalty.stored_value import Desk, StoredValueCapExceeded, record_sale
from shop.kernel import crypto, identifiers, tries
from shop.kernel.errors import DomainError
from shop.kernel.money import Cents
from shop.orders import Tender

CODE_LENGTH = 15
"""Random characters of a code, beside its check character: 31¹⁵, some 74 bits."""
MOST_TRIES = 10
TRIES_WINDOW = timedelta(minutes=1)
Status = GiftCard.Status


class GiftCardUnknown(DomainError):
    """There is no card with this code."""

    code = "gift-card-unknown"
    title = _("There is no gift card with this code.")
    status = HTTPStatus.NOT_FOUND


class GiftCardNotUsable(DomainError):
    """The card is frozen or has expired; `reason` says which."""

    code = "gift-card-not-usable"
    title = _("This gift card cannot be used.")


@transaction.atomic
def sell(
    *, face_value_cents: Cents, tenders: Sequence[Tender], desk: Desk, now: datetime
) -> tuple[GiftCard, str]:
    """Sell a card at a till; return it with its code, which nobody can read again.

    Raises:
        StoredValueOff, StoredValueCapExceeded, PaymentMismatch, PaymentRefTaken
    """
    programme = _open_for(face_value_cents)
    sale = record_sale(
        StoredValueSale(kind=StoredValueSale.Kind.GIFT_CARD, paid_cents=face_value_cents),
        tenders=tenders,
        desk=desk,
        now=now,
    )
    card = GiftCard(
        face_value_cents=face_value_cents,
        is_paid=True,
        store=desk.store,
        sale=sale,
        actor=desk.actor,
        expires_at=_expiry(programme, now=now),
    )
    return card, _issue(card, source=sale.source, now=now)


@transaction.atomic
def issue(
    *,
    count: int,
    face_value_cents: Cents,
    is_paid: bool,
    note: str,
    actor: str,
    now: datetime,
) -> list[tuple[GiftCard, str]]:
    """Issue cards of head office, sold elsewhere or given away; return each with its code.

    Raises:
        StoredValueOff, StoredValueCapExceeded
    """
    programme = _open_for(face_value_cents)
    issued = []
    for _number in range(count):
        card = GiftCard(
            face_value_cents=face_value_cents,
            is_paid=is_paid,
            note=note,
            actor=actor,
            expires_at=_expiry(programme, now=now),
        )
        issued.append((card, _issue(card, source="", now=now)))
    return issued


def find(typed: str, *, guesser: str, now: datetime) -> GiftCard:
    """Return the card of a code, whatever its state.

    Raises:
        GiftCardUnknown
        RateLimited: too many unknown codes within a minute.
    """
    who = f"gift-card:{guesser}"
    tries.count(who, tries=1, most=MOST_TRIES, window=TRIES_WINDOW, now=now)
    code_hash = crypto.lookup_hash(identifiers.normalise_code(typed))
    card = GiftCard.objects.select_related("account").filter(code_hash=code_hash).first()
    if card is None:
        raise GiftCardUnknown
    tries.forgive(who, tries=1)
    return card


def ensure_usable(card: GiftCard, *, now: datetime) -> None:
    """Check that a card may pay now.

    Raises:
        GiftCardNotUsable
    """
    if card.status != Status.ACTIVE:
        raise GiftCardNotUsable(reason="frozen", card=str(card.public_id))
    if card.expires_at is not None and card.expires_at <= now:
        raise GiftCardNotUsable(reason="expired", card=str(card.public_id))


def lock(cards: Sequence[GiftCard]) -> list[GiftCard]:
    """Return cards as they stand, locked: nobody freezes them until the transaction ends."""
    found = GiftCard.objects.select_for_update(no_key=True)
    return list(found.filter(pk__in=[card.pk for card in cards]).order_by("pk"))


@transaction.atomic
def freeze(card: GiftCard) -> None:
    """Let a lost card pay no more; its money stays on it."""
    GiftCard.objects.filter(pk=card.pk).update(status=Status.FROZEN)


@transaction.atomic
def thaw(card: GiftCard) -> None:
    """Let a frozen card pay again."""
    GiftCard.objects.filter(pk=card.pk).update(status=Status.ACTIVE)


def _open_for(face_value: Cents) -> LoyaltyProgramme:
    programme = tiers.programme()
    if not programme.has_gift_cards:
        raise StoredValueOff
    if face_value > programme.gift_card_cap_cents:
        raise StoredValueCapExceeded(cap_cents=programme.gift_card_cap_cents, held_cents=0)
    return programme


def _expiry(programme: LoyaltyProgramme, *, now: datetime) -> datetime | None:
    months = programme.gift_card_valid_months
    if months is None:
        return None
    lifetime = Lifetime(expires=Expires.MONTHS, count=months, last_day=None)
    return lifetime.ends_at(now, timezone=settings.TIME_ZONE)


def _issue(card: GiftCard, *, source: str, now: datetime) -> str:
    code = identifiers.new_code(CODE_LENGTH)
    card.code_hash, card.last4, card.issued_at = crypto.lookup_hash(code), code[-4:], now
    card.save()
    money.post(
        money.open_card(card),
        kind=MoneyEntry.Kind.ISSUE,
        cents=card.face_value_cents,
        source=source or f"card:{card.public_id}",
        store_id=card.store_id,
        actor=card.actor,
        now=now,
    )
    return code
