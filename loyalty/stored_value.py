"""Members' wallets of money: topped up at the till, paid out, looked at.

Off by default. Taking in and spending need the switch; what is there can always be paid out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty import money, pay_codes, proportions, tiers
from loyalty.models import (
    MoneyAccount,
    MoneyEntry,
    StoredValuePayment,
    StoredValuePlan,
    StoredValueSale,
)
from loyalty.money import NotEnoughStoredValue, StoredValueOff
from shop import accounts, members, payment_refs
from shop.kernel import identifiers
from shop.kernel.errors import DomainError, NotFound
from shop.kernel.money import Cents
from shop.models import Member, Store
from shop.orders import PaymentMismatch, Tender

Entry = MoneyEntry.Kind
Account = MoneyAccount.Kind
FOR_EVER = datetime.max.replace(tzinfo=UTC)


class StoredValueCapExceeded(DomainError):
    """A wallet or a card may not hold more than that."""

    code = "stored-value-cap-exceeded"
    title = _("That is more than may be stored.")


class NothingToPayOut(DomainError):
    """There is no unused principal; gifts are not paid out."""

    code = "nothing-to-pay-out"
    title = _("There is no unused principal to pay out.")


class StoredValueLeft(DomainError):
    """A membership does not end with money in its wallet: spend it, or pay it out."""

    code = "stored-value-left"
    title = _("There is stored value left; pay it out first.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Where money is taken, and by whom."""

    store: Store
    till_id: int | None
    actor: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Gift:
    """What is left of one gift, and until when."""

    balance_cents: Cents
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """What a wallet holds now; expired gifts are not in it."""

    is_on: bool
    principal_cents: Cents
    gift_cents: Cents
    gifts: Sequence[Gift]

    @property
    def balance_cents(self) -> Cents:
        """Return what can be spent."""
        return Cents(self.principal_cents + self.gift_cents)


@dataclass(frozen=True, kw_only=True, slots=True)
class Payout:
    """What was paid out, and what of the gifts went with it."""

    number: str
    paid_out_cents: Cents
    forfeited_cents: Cents
    statement: Statement


def find_plan(code: str) -> StoredValuePlan:
    """Return an active plan.

    Raises:
        NotFound
    """
    plan = StoredValuePlan.objects.filter(code=code, is_active=True).first()
    if plan is None:
        raise NotFound
    return plan


@transaction.atomic
def top_up(
    member: Member,
    *,
    amount_cents: Cents,
    plan: StoredValuePlan | None,
    tenders: Sequence[Tender],
    desk: Desk,
    now: datetime,
) -> StoredValueSale:
    """Put money that a till took into a member's wallet, and the plan's gift beside it.

    Raises:
        StoredValueOff, members.MemberNotActive, StoredValueCapExceeded
        PaymentMismatch, PaymentRefTaken
    """
    programme = tiers.programme()
    if not programme.has_stored_value:
        raise StoredValueOff
    member = accounts.lock([member.pk])[member.pk]
    members.ensure_active(member)
    money.open_principal(member)
    wallet = money.lock(member_id=member.pk)
    gift = Cents(plan.gift_cents if plan else 0)
    held = sum(account.balance_cents for account in wallet)
    if held + amount_cents + gift > programme.wallet_cap_cents:
        raise StoredValueCapExceeded(cap_cents=programme.wallet_cap_cents, held_cents=held)
    sale = record_sale(
        StoredValueSale(
            kind=StoredValueSale.Kind.TOP_UP,
            member=member,
            plan=plan,
            paid_cents=amount_cents,
            gift_cents=gift,
        ),
        tenders=tenders,
        desk=desk,
        now=now,
    )
    told: dict[str, Any] = {"source": sale.source, "store_id": desk.store.pk, "actor": desk.actor}
    money.post(_principal(wallet), kind=Entry.TOP_UP, cents=amount_cents, now=now, **told)
    if gift:
        days = plan.gift_valid_days if plan else None
        expires_at = now + timedelta(days=days) if days else None
        account = money.open_gift(member, expires_at=expires_at)
        money.post(account, kind=Entry.GIFT, cents=gift, now=now, **told)
    return sale


def record_sale(
    sale: StoredValueSale, *, tenders: Sequence[Tender], desk: Desk, now: datetime
) -> StoredValueSale:
    """Write a sale with its tenders.

    Raises:
        PaymentMismatch: the tenders do not add up.
        PaymentRefTaken: a provider's number paid for something else already.
    """
    total = sum(tender.amount_cents for tender in tenders)
    if total != sale.paid_cents:
        raise PaymentMismatch(payable_cents=sale.paid_cents, tendered_cents=total)
    sale.number = f"S{identifiers.new_code(11)}"
    sale.store, sale.till_id, sale.actor, sale.sold_at = desk.store, desk.till_id, desk.actor, now
    sale.save()
    refs = [tender.provider_ref for tender in tenders]
    with payment_refs.each_once(refs, by="stored_value_payment_once_per_ref"):
        StoredValuePayment.objects.bulk_create(
            StoredValuePayment(
                sale=sale,
                method=tender.method,
                amount_cents=tender.amount_cents,
                provider_ref=tender.provider_ref,
            )
            for tender in tenders
        )
    return sale


@transaction.atomic
def pay_out(
    member: Member,
    *,
    amount_cents: Cents | None,
    note: str,
    desk: Desk,
    now: datetime,
    code: str = "",
) -> Payout:
    """Give unused principal back, all of it when no amount is named; gifts shrink in proportion.

    Works when stored value is off and when the member is frozen: it is the member's money. An
    active member's phone shows the code that says so; a frozen one's can show none.

    Raises:
        NothingToPayOut, NotEnoughStoredValue, pay_codes.PayCodeWrong
    """
    if member.status == Member.Status.ACTIVE:
        pay_codes.use(code, member_id=member.pk, guesser=desk.actor, now=now)
    wallet = money.lock(member_id=member.pk)
    if not wallet or not _principal(wallet).balance_cents:
        raise NothingToPayOut
    principal = _principal(wallet)
    before = principal.balance_cents
    amount = before if amount_cents is None else amount_cents
    if amount > before:
        raise NotEnoughStoredValue(available_cents=before, short_cents=amount - before)
    number = f"O{identifiers.new_code(11)}"
    told: dict[str, Any] = {
        "source": f"payout:{number}",
        "store_id": desk.store.pk,
        "actor": desk.actor,
        "note": note,
    }
    money.post(principal, kind=Entry.CASH_OUT, cents=-amount, now=now, **told)
    lost = 0
    for gift in wallet:
        if gift.kind == Account.GIFT:
            part = proportions.forfeited(gift.balance_cents, paid_out=amount, principal=before)
            money.post(gift, kind=Entry.FORFEIT, cents=-part, now=now, **told)
            lost += part
    return Payout(
        number=number,
        paid_out_cents=amount,
        forfeited_cents=Cents(lost),
        statement=statement(member.pk, now=now),
    )


def statement(member_id: int, *, now: datetime) -> Statement:
    """Return what a member's wallet holds; nothing when they never had one."""
    held = list(MoneyAccount.objects.filter(member_id=member_id, balance_cents__gt=0))
    gifts = usable_gifts(held, now=now)
    return Statement(
        is_on=tiers.programme().has_stored_value,
        principal_cents=Cents(sum(a.balance_cents for a in held if a.kind == Account.PRINCIPAL)),
        gift_cents=Cents(sum(gift.balance_cents for gift in gifts)),
        gifts=[Gift(balance_cents=a.balance_cents, expires_at=a.expires_at) for a in gifts],
    )


def usable_gifts(wallet: Sequence[MoneyAccount], *, now: datetime) -> list[MoneyAccount]:
    """Return a wallet's gifts that have not expired, the soonest to expire first."""
    gifts = [
        account
        for account in wallet
        if account.kind == Account.GIFT and (account.expires_at is None or account.expires_at > now)
    ]
    return sorted(gifts, key=lambda account: (account.expires_at or FOR_EVER, account.pk))


def ensure_empty(member_id: int) -> None:
    """Lock a member's wallet and check that nothing is in it.

    Raises:
        StoredValueLeft
    """
    held = sum(account.balance_cents for account in money.lock(member_id=member_id))
    if held:
        raise StoredValueLeft(balance_cents=held)


def give_up_gifts(member_id: int, *, actor: str, now: datetime) -> None:
    """Take away the gifts of a membership that ends; principal has to be paid out before.

    Raises:
        StoredValueLeft
    """
    wallet = money.lock(member_id=member_id)
    principal = sum(account.balance_cents for account in wallet if account.kind != Account.GIFT)
    if principal:
        raise StoredValueLeft(balance_cents=principal)
    for gift in wallet:
        money.post(
            gift,
            kind=Entry.FORFEIT,
            cents=-gift.balance_cents,
            source=f"end:{member_id}",
            store_id=gift.store_id,
            actor=actor,
            now=now,
        )


def expire_gifts(*, now: datetime, limit: int) -> int:
    """Take away gifts whose time is over, each in its own transaction; return how many."""
    due = MoneyAccount.objects.filter(balance_cents__gt=0, expires_at__lte=now)
    expired = 0
    for account_id in list(due.order_by("expires_at").values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            (account,) = money.lock(account_ids=[account_id])
            if account.expires_at is None or account.expires_at > now:
                continue  # a refund has brought it back to life in the meantime
            money.post(
                account,
                kind=Entry.EXPIRE,
                cents=-account.balance_cents,
                source=f"expiry:{account.expires_at.isoformat()}",
                store_id=account.store_id,
                actor="beat",
                now=now,
            )
            expired += 1
    return expired


def _principal(wallet: Sequence[MoneyAccount]) -> MoneyAccount:
    return next(account for account in wallet if account.kind == Account.PRINCIPAL)
