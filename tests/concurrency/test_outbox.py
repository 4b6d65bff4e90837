"""The outbox with several relays: each message is delivered by one of them."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from uuid import uuid4

import pytest
from django.db import transaction

from shop.kernel import outbox
from shop.kernel.models import InboxReceipt, OutboxMessage
from tests import make
from tests.concurrency.crowd import at_once, outcomes

TOPIC = "test.race"


@pytest.fixture
def delivered() -> Iterator[list[str]]:
    """Return the keys of what was delivered, in order."""
    keys: list[str] = []

    def deliver(message: OutboxMessage, now: datetime) -> None:
        keys.append(message.key)

    outbox.delivers(TOPIC)(deliver)
    yield keys
    del outbox._deliveries[TOPIC]


class TestRelay:
    def test_beside_others_delivers_each_message_once(self, delivered: list[str]) -> None:
        """The skipping row lock; without it every relay delivers every message."""
        for number in range(40):
            outbox.add(TOPIC, key=f"m{number}", payload={}, now=make.NOON)

        tried = at_once([partial(outbox.relay, now=make.NOON)] * 4)

        assert sum(tried) == 40
        assert Counter(delivered) == {f"m{number}": 1 for number in range(40)}
        assert set(OutboxMessage.objects.values_list("state", flat=True)) == {"sent"}

    def test_finds_a_message_that_committed_late(self, delivered: list[str]) -> None:
        """State decides, not order: a row with an older id that commits later is not skipped.

        Peer bug 64.
        """
        with transaction.atomic():
            outbox.add(TOPIC, key="early, late to commit", payload={}, now=make.NOON)
            at_once(
                [partial(outbox.add, TOPIC, key="late, first to commit", payload={}, now=make.NOON)]
            )
            at_once([partial(outbox.relay, now=make.NOON)])
        outbox.relay(now=make.NOON)

        assert delivered == ["late, first to commit", "early, late to commit"]


class TestInbox:
    def test_takes_a_message_once_of_many_deliveries_at_once(self) -> None:
        """The unique (consumer, message); peer bug 62."""
        message = uuid4()
        receive = partial(outbox.receive_once, "test", message_id=message, now=make.NOON)

        received = at_once([receive] * 10)

        assert sorted(received) == [False] * 9 + [True]
        assert InboxReceipt.objects.count() == 1


class TestTopicAndKey:
    def test_twice_at_once_is_one_message(self) -> None:
        """The unique (topic, key): a flow that runs twice tells once."""
        add = partial(outbox.add, TOPIC, key="m1", payload={}, now=make.NOON)

        said = outcomes([add] * 8)

        assert said == {"done": 8}
        assert OutboxMessage.objects.count() == 1
