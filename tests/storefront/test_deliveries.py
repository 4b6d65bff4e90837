"""What becomes of the messages that the flows queue."""

import re
from pathlib import Path

import pytest
from django.utils import timezone

from shop.kernel import outbox
from shop.kernel.models import OutboxMessage
from shop.messages import SandboxMessages
from shop.models import Member, Message
from shop.refunds import RefundRequest
from shop.storefront import refunds
from tests import make

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
QUEUED = re.compile(r"""outbox\.add\(\s*["']([a-z.]+)["']""")


class TestTopics:
    def test_that_are_queued_anywhere_are_all_delivered(self) -> None:
        sources = [
            path for top in ("shop", "campaigns", "loyalty") for path in (ROOT / top).rglob("*.py")
        ]
        topics = {topic for path in sources for topic in QUEUED.findall(path.read_text())}

        assert {"order.paid", "payment.refund"} <= topics <= set(outbox._deliveries)


class TestMessages:
    def test_greet_thank_and_say_what_comes_back(self) -> None:
        guest = make.member()
        receipt = make.paid(who=guest)
        refunds.refund_order(
            number=receipt.order.number, request=RefundRequest(), actor="test", now=make.NOON
        )

        outbox.relay(now=timezone.now())

        sent = dict(Message.objects.filter(member=guest).values_list("template", "text"))
        assert set(sent) == {"member.joined", "order.paid", "order.refunded"}
        assert receipt.order.pickup_code in sent["order.paid"]
        assert "12.00" in sent["order.paid"]
        assert "12.00" in sent["order.refunded"]

    def test_are_not_sent_to_guests_and_former_members(self) -> None:
        make.paid()
        left = make.member()
        Member.objects.filter(pk=left.pk).update(status="closed")

        outbox.relay(now=timezone.now())

        assert not Message.objects.exists()
        assert not OutboxMessage.objects.exclude(state="sent").exists()

    def test_wait_when_the_provider_does_not_take_them(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        guest = make.member()
        with monkeypatch.context() as broken:
            broken.setattr(SandboxMessages, "send", _refuse)
            outbox.relay(now=timezone.now())
        message = OutboxMessage.objects.get(topic="member.joined")
        assert (message.state, message.attempts) == ("new", 1)

        outbox.relay(now=message.available_at)

        assert Message.objects.get().member == guest


def _refuse(_self: SandboxMessages, **_what: str) -> None:
    raise ConnectionError
