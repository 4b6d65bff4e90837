"""What becomes of each message in the outbox. A delivery may run twice; its effect happens once."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext as _

from campaigns import ad_uploads
from campaigns.models import Campaign
from loyalty import progress
from shop import messages, payments
from shop.kernel import outbox
from shop.kernel.models import OutboxMessage
from shop.kernel.money import Cents
from shop.models import Member, Order, Refund
from shop.storefront import facts, standing_texts

LANGUAGE = "zh-hans"
"""Members are written to in the chain's own language."""

CONSENT_AFTER_JOINING = timedelta(hours=1)
"""Members can agree only once they are members; who agrees later agrees to what comes after."""


def register() -> None:
    """Connect every topic with its delivery."""
    outbox.delivers("order.paid")(tell_of_order)
    outbox.delivers("order.refunded")(tell_of_refund)
    outbox.delivers("member.joined")(tell_of_member)
    outbox.delivers("consent.given")(tell_after_consent)
    outbox.delivers("payment.refund")(send_money_back)
    outbox.delivers("campaign.started")(send_start)
    outbox.delivers("points.expiring")(send_expiry_warning)
    outbox.delivers("tier.dropping")(send_tier_warning)


def tell_of_order(message: OutboxMessage, now: datetime) -> None:
    """Tell the member, and have the platform told whose ad brought them."""
    order = Order.objects.select_related("member", "store").get(number=message.payload["order"])
    send_receipt(message, order, now)
    ad_uploads.report_order(order, now=now)


def tell_of_refund(message: OutboxMessage, now: datetime) -> None:
    """Tell the member, and have the platform told that knows of the order."""
    refund = Refund.objects.select_related("order__member").get(number=message.payload["refund"])
    send_refund_note(message, refund, now)
    ad_uploads.report_refund(refund, now=now)


def tell_of_member(message: OutboxMessage, now: datetime) -> None:
    """Greet a new member, and have the platform told whose ad brought them."""
    member = Member.objects.get(public_id=message.payload["member"])
    send_welcome(message, member, now)
    ad_uploads.report_registration(member, now=now)


def tell_after_consent(message: OutboxMessage, now: datetime) -> None:
    """Have a platform told of a member who joined a moment before they agreed to it."""
    member = Member.objects.get(pk=message.payload["member"])
    if member.joined_at > now - CONSENT_AFTER_JOINING:
        ad_uploads.report_registration(member, now=now)


def send_receipt(message: OutboxMessage, order: Order, now: datetime) -> None:
    """Tell a member what to call for at the counter."""
    with translation.override(LANGUAGE):
        text = _("%(store)s: your order %(code)s is paid, ¥%(amount)s.") % {
            "store": order.store.name,
            "code": order.pickup_code,
            "amount": _yuan(order.paid_cents),
        }
    _send(message, order.member, template="order.paid", text=text, now=now)


def send_refund_note(message: OutboxMessage, refund: Refund, now: datetime) -> None:
    """Tell a member that money is on its way back."""
    with translation.override(LANGUAGE):
        text = _("We have refunded ¥%(amount)s for your order %(order)s.") % {
            "amount": _yuan(refund.amount_cents),
            "order": refund.order.number,
        }
    _send(message, refund.order.member, template="order.refunded", text=text, now=now)


def send_welcome(message: OutboxMessage, member: Member, now: datetime) -> None:
    """Greet a new member."""
    with translation.override(LANGUAGE):
        text = _("Welcome! Your member card and a first coupon are waiting for you.")
    _send(message, member, template="member.joined", text=text, now=now)


def send_start(message: OutboxMessage, now: datetime) -> None:
    """Tell a member that what they waited for has begun."""
    campaign = Campaign.objects.get(code=message.payload["campaign"])
    member = Member.objects.get(public_id=message.payload["member"])
    with translation.override(LANGUAGE):
        text = _("“%(campaign)s” has started. See you in the shop!") % {"campaign": campaign.name}
    _send(message, member, template="campaign.started", text=text, now=now)


def send_expiry_warning(message: OutboxMessage, now: datetime) -> None:
    """Tell a member what they are about to lose, and until when it can be spent."""
    member = Member.objects.select_related("store").get(public_id=message.payload["member"])
    ends_at = datetime.fromisoformat(message.payload["expires_at"])
    if ends_at <= now:
        return
    last_day = (ends_at - timedelta(days=1)).astimezone(ZoneInfo(member.store.timezone))
    with translation.override(LANGUAGE):
        text = _("%(points)s points expire after %(day)s. See you before then!") % {
            "points": message.payload["points"],
            "day": f"{last_day:%F}",
        }
    _send(message, member, template="points.expiring", text=text, now=now)


def send_tier_warning(message: OutboxMessage, now: datetime) -> None:
    """Tell a member that their tier drops and what keeps it, unless it is safe by now."""
    member = Member.objects.get(public_id=message.payload["member"])
    standing = facts.load(member.pk, now=now, with_place=True)
    place = standing.place
    risk = progress.risk_of(place) if place else None
    if place is None or risk is None or risk.drops_at <= now:
        return
    with translation.override(LANGUAGE):
        text = standing_texts.risk_text(risk, place=place, member=standing)
    _send(message, member, template="tier.dropping", text=text, now=now)


def send_money_back(message: OutboxMessage, now: datetime) -> None:
    """Have the provider return a payment that came too late, or the refunded part of an order."""
    if outbox.receive_once("payment.refund", message_id=message.id, now=now):
        payments.provider().refund(
            provider_ref=message.payload["provider_ref"],
            amount_cents=Cents(message.payload["amount_cents"]),
            refund_ref=message.key,
        )


def _send(
    message: OutboxMessage, member: Member | None, *, template: str, text: str, now: datetime
) -> None:
    if member is None or member.status != Member.Status.ACTIVE:
        return
    if outbox.receive_once("messages", message_id=message.id, now=now):
        messages.send(member, template=template, text=text, now=now)


def _yuan(cents: int) -> str:
    return f"{cents / 100:.2f}"
