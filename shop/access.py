"""What each kind of staff may do: the built-in groups and their permissions.

Groups are made after every migration, because a data migration's rows vanish when tests flush. A
right that is listed here comes back with the next migration; whoever needs less gets a group of
their own.
"""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from django.utils.translation import gettext_noop

HEAD_OFFICE = gettext_noop("Head office")
STORE_MANAGER = gettext_noop("Store manager")
CASHIER = gettext_noop("Cashier")
ANALYST = gettext_noop("Analyst")

_SECRETS = {"batchcode", "logincode", "membercode", "membersession", "paycode"}
"""Rows that are as good as money or let somebody in; nobody reads them one by one."""
_PERSONAL = {
    "member",
    "memberstatuschange",
    "message",
    "acquisition",
    "referral",
    "referralcode",
} | {"consent", "adclick", "adupload"}
"""Rows about a person, which an analyst has no need of."""

_MANAGER_MAY = {
    "shop": {
        "add_member",
        "change_member",
        "freeze_member",
        "change_order",
        "change_storehours",
        "change_storeproduct",
        "add_storeproduct",
        "add_till",
        "add_tillkey",
        "change_tillkey",
        "change_alert",
    },
    "campaigns": {
        "add_coupon",
        "change_coupon",
        "add_channellink",
        "change_channellink",
        "add_dailycost",
        "change_dailycost",
        "add_costimport",
        "change_costimport",
        "add_adunit",
        "change_adunit",
        "add_touch",
        "change_voucher",
    },
    "loyalty": {
        "add_pointsentry",
        "add_tierpin",
        "add_earningevent",
        "add_planpurchase",
        "change_planpurchase",
        "change_rewardredemption",
    },
}
_CASHIER_MAY = {
    "shop": {"view_product", "view_category", "view_storeproduct", "view_member", "add_member"}
    | {"view_order", "change_order", "view_refund", "view_payment"},
    "campaigns": {"view_coupon", "view_voucher"},
    "loyalty": {"view_rewardredemption", "view_membership"},
}

_OFFICE_RUNS = {"change_outboxmessage", "change_job"}
"""What head office may do in the kernel, whose other rows are nobody's to change."""


def ensure_groups(app_config: AppConfig, **_signal: Any) -> None:
    """Give the built-in groups their rights on one app's models, after its migration."""
    label = app_config.label
    if label not in {"kernel", "shop", "campaigns", "loyalty", "storefront"}:
        return
    permissions = Permission.objects.filter(content_type__app_label=label).exclude(
        content_type__model__in=_SECRETS
    )
    views = Q(codename__startswith="view_")
    rights = {
        HEAD_OFFICE: views | Q(codename__in=_OFFICE_RUNS) if label == "kernel" else Q(),
        STORE_MANAGER: views | Q(codename__in=_MANAGER_MAY.get(label, ())),
        CASHIER: Q(codename__in=_CASHIER_MAY.get(label, ())),
        ANALYST: views & ~Q(content_type__model__in=_PERSONAL),
    }
    if label == "kernel":
        rights[STORE_MANAGER] = Q(codename="view_job")  # the jobs that they asked for
        del rights[ANALYST]
    for name, right in rights.items():
        group, _is_new = Group.objects.get_or_create(name=name)
        group.permissions.add(*permissions.filter(right))
