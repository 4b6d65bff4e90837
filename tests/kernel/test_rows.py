"""Rows written and read without the ORM's SQL are the rows that the ORM would have made."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from shop.kernel import rows
from shop.kernel.models import OutboxMessage
from shop.models import Order, OrderEvent, Till
from tests import make

pytestmark = pytest.mark.django_db


def event(order: Order, actor: str) -> OrderEvent:
    return OrderEvent(order=order, status="paid", actor=actor, occurred_at=make.NOON)


def message(key: str, payload: Any) -> OutboxMessage:
    now = timezone.now()
    return OutboxMessage(topic="test", key=key, payload=payload, available_at=now, created_at=now)


class TestInsert:
    def test_gives_each_row_its_own_id(self) -> None:
        order = make.placed()
        events = [event(order, actor) for actor in ("first", "second", "third")]

        written = rows.insert(*events)

        assert written == 3
        for made in events:
            assert OrderEvent.objects.get(pk=made.pk).actor == made.actor

    def test_of_nothing_writes_nothing(self) -> None:
        assert rows.insert() == 0

    def test_keeps_json_as_it_is(self) -> None:
        payload = {"名": "茶", "n": [1, None, True], "nested": {"a": 1.5}}

        rows.insert(message("json", payload))

        assert OutboxMessage.objects.get(key="json").payload == payload

    def test_leaves_out_what_is_there_already(self) -> None:
        rows.insert(message("once", {}), unless_exists="topic, key")

        written = rows.insert(message("once", {"late": True}), unless_exists="topic, key")

        assert written == 0
        assert OutboxMessage.objects.get(key="once").payload == {}

    def test_raises_as_the_orm_does(self) -> None:
        rows.insert(message("twice", {}))

        with pytest.raises(IntegrityError), transaction.atomic():
            rows.insert(message("twice", {}))

    def test_makes_a_row_that_can_be_saved_again(self) -> None:
        row = message("saved", {})
        rows.insert(row)

        row.attempts = 4
        row.save(update_fields=["attempts"])

        assert OutboxMessage.objects.get(key="saved").attempts == 4


class TestSelect:
    def test_returns_instances_and_then_the_other_columns(self) -> None:
        till = Till.objects.create(store=make.store(), code="rows")

        found = rows.select(
            "SELECT {columns}, 1 + 1 FROM shop_till WHERE id = %(id)s", {"id": till.pk}, Till
        )

        assert found == [(till, 2)]

    def test_reads_columns_as_the_orm_does(self) -> None:
        guest = make.member()
        coupon = make.coupon(guest)
        what = make.basket(who=guest, lines=[make.line(quantity=3)], coupon_codes=[coupon.code])
        paid = make.paid(what=what, total=3100).order

        ((found,),) = rows.select(
            "SELECT {columns} FROM shop_order WHERE id = %(id)s", {"id": paid.pk}, Order
        )

        saved = Order.objects.get(pk=paid.pk)
        names = [field.attname for field in Order._meta.concrete_fields]
        assert [getattr(found, name) for name in names] == [getattr(saved, name) for name in names]
        assert found.coupon_codes == [coupon.code]
