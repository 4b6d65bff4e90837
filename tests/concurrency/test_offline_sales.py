"""A batch that two connections of a till bring at the same time."""

from functools import partial

from loyalty.models import PointsAccount
from shop.models import Order, OrderType, Till
from shop.storefront import offline_sales
from shop.storefront.offline_sales import Sold, SoldLine
from tests import make
from tests.concurrency.crowd import outcomes


def test_a_sale_uploaded_twice_at_once_is_one_sale() -> None:
    """The unique key (store, pos_order_no); else each upload writes an order that earns."""
    who, till = make.member(), Till.objects.create(store=make.store(), code="T9")
    sold = Sold(
        pos_order_no="T1-1",
        sold_at=make.NOON,
        order_type=OrderType.PICKUP,
        lines=[SoldLine(line=make.line(), unit_price_cents=None)],
        tenders=None,
        member=who.public_id,
    )
    take_in = partial(
        offline_sales.take_in,
        sold,
        store=till.store,
        till_id=till.pk,
        actor="test",
        now=make.NOON,
    )

    assert outcomes([take_in] * 6) == {"done": 6}

    assert Order.objects.count() == 1
    assert PointsAccount.objects.get(member=who, wallet="points").balance == 12
