"""Stored value as a tender: wallets and gift cards pay for orders, and get back what came back."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from loyalty import gift_cards, money, pay_codes, proportions, stored_value, tiers
from loyalty.models import GiftCard, MoneyAccount, MoneyEntry
from loyalty.money import NotEnoughStoredValue, StoredValueOff
from shop import members
from shop.kernel.errors import DomainError, InvalidInput
from shop.kernel.money import Cents, split_cents
from shop.models import Order, Payment
from shop.orders import Tender

WALLET, CARD = Payment.Method.STORED_VALUE, Payment.Method.GIFT_CARD
METHODS = frozenset({WALLET, CARD})
Entry = MoneyEntry.Kind


class WalletRequired(DomainError):
    """Stored value pays from a member's wallet, and the order has no member."""

    code = "stored-value-needs-member"
    title = _("Stored value belongs to a member, and the order has none.")


def spend(order: Order, tenders: Sequence[Tender], *, actor: str, now: datetime) -> Cents:
    """Take from wallet and cards what they pay of a locked order that was just marked paid.

    Return how much of it was gift, for which nothing is earned. Orders that are paid otherwise
    cost no statement. All accounts are locked at once.

    The wallet pays only with the code that its member's phone shows; it is used up with it.

    Raises:
        StoredValueOff, WalletRequired, members.MemberNotActive, NotEnoughStoredValue
        pay_codes.PayCodeWrong
        gift_cards.GiftCardUnknown, gift_cards.GiftCardNotUsable
        InvalidInput: the wallet or a card is named twice.
    """
    asked = [tender for tender in tenders if tender.method in METHODS]
    if not asked:
        return Cents(0)
    from_wallet = [tender for tender in asked if tender.method == WALLET]
    from_cards = [tender for tender in asked if tender.method == CARD]
    _ensure_on(from_wallet, from_cards)
    cards = [gift_cards.find(tender.code, guesser=actor, now=now) for tender in from_cards]
    if len(from_wallet) > 1 or len({card.pk for card in cards}) < len(cards):
        text = _("The wallet or a gift card is named twice.")
        raise InvalidInput("/tenders", text, reason="duplicate")
    if from_wallet:
        if order.member is None:
            raise WalletRequired
        members.ensure_active(order.member)
        pay_codes.use(from_wallet[0].code, member_id=order.member.pk, guesser=actor, now=now)
    for card in gift_cards.lock(cards):
        gift_cards.ensure_usable(card, now=now)
    accounts = money.lock(
        member_id=order.member_id if from_wallet else None, card_ids=[card.pk for card in cards]
    )
    debits = _of_cards(accounts, cards, from_cards)
    for tender in from_wallet:
        wallet = [account for account in accounts if account.card_id is None]
        debits += _of_wallet(wallet, tender.amount_cents, now=now)
    for account, cents in debits:
        _post(account, -cents, kind=Entry.SPEND, order=order, actor=actor, now=now)
    return Cents(sum(cents for account, cents in debits if account.kind == money.Kind.GIFT))


def gift_part(order: Order) -> Cents:
    """Return how much of a paid order was gift."""
    spent = MoneyEntry.objects.filter(
        order=order, kind=Entry.SPEND, account__kind=MoneyAccount.Kind.GIFT
    )
    return Cents(-(spent.aggregate(total=Sum("cents"))["total"] or 0))


def give_back(order: Order, *, cents: Cents, source: str, actor: str, now: datetime) -> None:
    """Return a refunded part to the accounts that paid, in proportion to what each is still owed.

    Even to frozen cards and closed members: the money is theirs. Any sequence of refunds ends with
    each account having back exactly what it paid.
    """
    if not cents:
        return
    owed: dict[int, int] = defaultdict(int)
    entries = MoneyEntry.objects.filter(order=order).values("account_id")
    for row in entries.annotate(total=Sum("cents")):
        owed[row["account_id"]] = -row["total"]
    accounts = money.lock(account_ids=list(owed))
    parts = split_cents(cents, [owed[account.pk] for account in accounts])
    for account, part in zip(accounts, parts, strict=True):
        if part:
            money.prolong(account, now=now)
        _post(account, part, kind=Entry.GIVE_BACK, order=order, source=source, actor=actor, now=now)


def _ensure_on(from_wallet: Sequence[Tender], from_cards: Sequence[Tender]) -> None:
    programme = tiers.programme()
    is_off = from_wallet and not programme.has_stored_value
    if is_off or (from_cards and not programme.has_gift_cards):
        raise StoredValueOff


def _of_cards(
    accounts: Sequence[MoneyAccount], cards: Sequence[GiftCard], tenders: Sequence[Tender]
) -> list[tuple[MoneyAccount, Cents]]:
    by_card = {account.card_id: account for account in accounts}
    return [
        (by_card[card.pk], tender.amount_cents) for card, tender in zip(cards, tenders, strict=True)
    ]


def _of_wallet(
    accounts: Sequence[MoneyAccount], amount: Cents, *, now: datetime
) -> list[tuple[MoneyAccount, Cents]]:
    """Return what each account of a wallet pays.

    Raises:
        NotEnoughStoredValue
    """
    principals = [account for account in accounts if account.kind == money.Kind.PRINCIPAL]
    gifts = stored_value.usable_gifts(accounts, now=now)
    available = sum(account.balance_cents for account in [*principals, *gifts])
    if amount > available:
        raise NotEnoughStoredValue(available_cents=available, short_cents=amount - available)
    principal = Cents(sum(account.balance_cents for account in principals))
    part, parts = proportions.spend(
        amount, principal=principal, gifts=[gift.balance_cents for gift in gifts]
    )
    return [*((account, part) for account in principals), *zip(gifts, parts, strict=True)]


def _post(
    account: MoneyAccount,
    cents: int,
    *,
    kind: str,
    order: Order,
    actor: str,
    now: datetime,
    source: str = "",
) -> None:
    money.post(
        account,
        kind=kind,
        cents=cents,
        source=source or order.source,
        store_id=order.store_id,
        order_id=order.pk,
        actor=actor,
        now=now,
    )
