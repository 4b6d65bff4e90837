"""The ledger of stored value: accounts and entries. The only module that writes them.

Money is principal, which guests paid for, or gift, which came on top; the two are never mixed in
one account. Whoever posts has locked the account: all that a flow touches at once, ascending.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import GiftCard, MoneyAccount, MoneyEntry
from shop.kernel import rows
from shop.kernel.errors import DomainError
from shop.kernel.money import Cents
from shop.models import Member

Kind = MoneyAccount.Kind
GRACE = timedelta(days=30)
"""A gift that a refund brings back lives at least so long."""


class StoredValueOff(DomainError):
    """The chain takes no prepaid money of this sort; head office may switch it on."""

    code = "stored-value-off"
    title = _("Stored value of this kind is switched off.")


class NotEnoughStoredValue(DomainError):
    """The wallet or the card holds less than that."""

    code = "not-enough-stored-value"
    title = _("There is not enough stored value.")


def open_principal(member: Member) -> None:
    """Give a member the account of their principal, unless they have it."""
    account = MoneyAccount(kind=Kind.PRINCIPAL, member=member, store_id=member.store_id)
    if not MoneyAccount.objects.filter(member=member, kind=Kind.PRINCIPAL).exists():
        MoneyAccount.objects.bulk_create([account], ignore_conflicts=True)


def open_gift(member: Member, *, expires_at: datetime | None) -> MoneyAccount:
    """Return a new account for one gift to a member."""
    account = MoneyAccount(
        kind=Kind.GIFT, member=member, store_id=member.store_id, expires_at=expires_at
    )
    rows.insert(account)
    return account


def open_card(card: GiftCard) -> MoneyAccount:
    """Return the account of a new card."""
    kind = Kind.PRINCIPAL if card.is_paid else Kind.GIFT
    account = MoneyAccount(kind=kind, card=card, store_id=card.store_id)
    rows.insert(account)
    return account


def lock(
    *,
    member_id: int | None = None,
    card_ids: Collection[int] = (),
    account_ids: Collection[int] = (),
) -> list[MoneyAccount]:
    """Lock a member's accounts, those of cards and those named until the transaction ends.

    Ascending by id. Of a member's gifts only those are taken that hold something.
    """
    wallet = Q(member_id=member_id) & (Q(kind=Kind.PRINCIPAL) | Q(balance_cents__gt=0))
    wanted = Q(card_id__in=card_ids) | Q(pk__in=account_ids)
    if member_id is not None:
        wanted |= wallet
    accounts = MoneyAccount.objects.select_for_update(no_key=True).filter(wanted)
    return list(accounts.order_by("pk"))


def post(
    account: MoneyAccount,
    *,
    kind: str,
    cents: int,
    source: str,
    now: datetime,
    store_id: int | None,
    order_id: int | None = None,
    actor: str = "",
    note: str = "",
) -> None:
    """Write an entry of a locked account; nothing is written for nothing.

    Raises:
        NotEnoughStoredValue: the balance would be negative.
    """
    if not cents:
        return
    balance = account.balance_cents + cents
    if balance < 0:
        raise NotEnoughStoredValue(available_cents=account.balance_cents, short_cents=-balance)
    account.balance_cents = Cents(balance)
    account.save(update_fields=["balance_cents"])
    entry = MoneyEntry(
        account=account,
        kind=kind,
        cents=Cents(cents),
        balance_after_cents=account.balance_cents,
        source=source,
        store_id=store_id,
        order_id=order_id,
        actor=actor,
        note=note,
        occurred_at=now,
    )
    rows.insert(entry)


def prolong(account: MoneyAccount, *, now: datetime) -> None:
    """Let a gift that comes back live for the grace period at least."""
    if account.expires_at is not None and account.expires_at < now + GRACE:
        account.expires_at = now + GRACE
        account.save(update_fields=["expires_at"])
