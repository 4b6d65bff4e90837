"""The facts of the shop; every other package points at them, and they point at nothing above."""

from shop.models.alerts import Alert
from shop.models.catalog import (
    Category,
    Option,
    OptionGroup,
    OrderType,
    Product,
    ProductOption,
    StoreProduct,
)
from shop.models.consents import Consent
from shop.models.members import (
    ErasedPhone,
    ExternalId,
    LoginCode,
    Member,
    MemberCode,
    MemberSession,
    MemberStatusChange,
)
from shop.models.messages import Message
from shop.models.orders import Order, OrderDiscount, OrderEvent, OrderLine, PickupCounter
from shop.models.payments import PaidNumber, Payment
from shop.models.refunds import Refund, RefundLine
from shop.models.staff import ReportKey, Staff, Till, TillKey
from shop.models.stores import Store, StoreHours

__all__ = [
    "Alert",
    "Category",
    "Consent",
    "ErasedPhone",
    "ExternalId",
    "LoginCode",
    "Member",
    "MemberCode",
    "MemberSession",
    "MemberStatusChange",
    "Message",
    "Option",
    "OptionGroup",
    "Order",
    "OrderDiscount",
    "OrderEvent",
    "OrderLine",
    "OrderType",
    "PaidNumber",
    "Payment",
    "PickupCounter",
    "Product",
    "ProductOption",
    "Refund",
    "RefundLine",
    "ReportKey",
    "Staff",
    "Store",
    "StoreHours",
    "StoreProduct",
    "Till",
    "TillKey",
]
