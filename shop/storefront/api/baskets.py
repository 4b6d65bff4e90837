"""The basket of a request: whose store, whose member, what in it."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from shop import stores
from shop.kernel.errors import InvalidInput, NotFound
from shop.kernel.money import Points
from shop.kernel.principals import Kind, principal_of
from shop.storefront.api import basket_serializers as serializers
from shop.storefront.baskets import Basket

BASKET_EXAMPLE = {
    "order_type": "pickup",
    "lines": [
        {
            "product": "MT02",
            "quantity": 2,
            "options": {"size": "L", "temp": "ice_less", "sugar": "s50"},
            "toppings": {"pudding": 1},
        }
    ],
}


def basket_of(request: Request, data: dict[str, Any]) -> Basket:
    """Return the validated body as a basket of this caller: whose store, whose member.

    Raises:
        InvalidInput: a till names a store, or a member names a member.
        NotFound: no such store.
    """
    principal = principal_of(request)
    if principal.kind is Kind.TILL:
        if "store" in data:
            raise InvalidInput(
                "/store", _("A till's store is the one of its key."), reason="unknown-field"
            )
        store, till_id = principal.extra["store"], principal.id
        member: UUID | None = data.get("member")
    else:
        if "vouchers" in data:
            raise InvalidInput(
                "/vouchers", _("Vouchers are shown to the till."), reason="unknown-field"
            )
        if principal.kind is Kind.MEMBER and "member" in data:
            raise InvalidInput(
                "/member", _("Members order for themselves."), reason="unknown-field"
            )
        if "store" not in data:
            raise InvalidInput("/store", _("Name the store."), reason="required")
        store, till_id = stores.find(data["store"]), None
        if principal.kind is Kind.STAFF and not principal.sees_store(store.pk):
            raise NotFound
        member = principal.extra.get("public_id", data.get("member"))
    line = serializers.BasketLineRequest()
    return Basket(
        store=store,
        till_id=till_id,
        member=member,
        order_type=data["order_type"],
        lines=[line.to_line(item) for item in data["lines"]],
        coupon_codes=data.get("coupons", ()),
        points=Points(data.get("points", 0)),
        reward_code=data.get("reward", ""),
        vouchers=data.get("vouchers", ()),
        payment_method=data.get("payment_method"),
    )
