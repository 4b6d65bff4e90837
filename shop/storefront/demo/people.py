"""Who works in the demo chain, and the keys of its machines. Safe to run again."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction

from campaigns import coupons
from campaigns.models import CouponDefinition
from loyalty import adjustments
from shop import access, members, tills
from shop.kernel.money import Points
from shop.models import ReportKey, Staff, Store, Till, TillKey

MEMBER_PHONE = "+8613800138000"
MEMBER_NAME = "林小满"
TILL_STORE = "SH001"
TILL_CODE = "T1"
TILLS_PER_STORE = 2
ASKED_POINTS = Points(5000)


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """A person of the demo; `store` is None for those who see every store."""

    username: str
    password: str
    first_name: str
    group: str
    store: str | None = None


LOGINS = [
    Login(
        username="hq",
        password="hq-sees-all",  # noqa: S106 - printed by `make run`, refused outside of demos
        first_name="总部",
        group=access.HEAD_OFFICE,
    ),
    Login(
        username="controller",  # who may agree to what hq has asked for
        password="hq-agrees-too",  # noqa: S106
        first_name="财务",
        group=access.HEAD_OFFICE,
    ),
    Login(
        username="manager",
        password="manager-of-SH001",  # noqa: S106
        first_name="店长",
        group=access.STORE_MANAGER,
        store="SH001",
    ),
    Login(
        username="cashier",
        password="cashier-of-SH001",  # noqa: S106
        first_name="店员",
        group=access.CASHIER,
        store="SH001",
    ),
    Login(
        username="analyst",
        password="analyst-counts",  # noqa: S106
        first_name="分析师",
        group=access.ANALYST,
    ),
]


@transaction.atomic
def load(*, now: datetime) -> None:
    """Make staff, tills and keys that are missing."""
    for login in LOGINS:
        _load_login(login)
    for store in Store.objects.order_by("id"):
        for number in range(1, TILLS_PER_STORE + 1):
            Till.objects.get_or_create(store=store, code=f"T{number}")
    till = Till.objects.get(store__code=TILL_STORE, code=TILL_CODE)
    if not TillKey.objects.filter(public_id="pk_demo").exists():
        tills.issue_till_key(till, now=now, secret=tills.DEMO_SECRET)
    if not ReportKey.objects.filter(public_id="rk_demo").exists():
        tills.issue_report_key("demo", stores=None, now=now, secret=tills.DEMO_SECRET)


def fill_wallet(*, now: datetime) -> None:
    """Let the demo member claim what there is to claim, so that a till has something to redeem."""
    member = members.find_by_phone(MEMBER_PHONE)
    assert member is not None  # noqa: S101 - the opening has made this member
    claimable = CouponDefinition.objects.filter(is_claimable=True, status="active")
    for code in claimable.order_by("id").values_list("code", flat=True):
        with suppress(coupons.ClaimLimitReached, coupons.CouponNotClaimable):
            coupons.claim(code, member_id=member.pk, now=now)


def ask_for_points(*, now: datetime) -> None:
    """Let the manager ask for more than a manager may give, so that somebody has to agree."""
    member = members.find_by_phone(MEMBER_PHONE)
    assert member is not None  # noqa: S101
    adjustments.request(
        member,
        amount=ASKED_POINTS,
        reason="会员活动补发",
        by=Staff.objects.get(username="manager"),
        source="staff:demo",
        now=now,
        expires_at=None,
    )


def till_key() -> str:
    """Return the demo till's key, the same in every demo."""
    return f"pk_demo_{tills.DEMO_SECRET}"


def report_key() -> str:
    """Return the demo report reader's key, the same in every demo."""
    return f"rk_demo_{tills.DEMO_SECRET}"


def described() -> Sequence[tuple[str, Login]]:
    """Return each login with what it is for."""
    return [(f"{login.group}, {login.store or 'every store'}", login) for login in LOGINS]


def _load_login(login: Login) -> None:
    if Staff.objects.filter(username=login.username).exists():
        return
    staff = Staff.objects.create_user(
        username=login.username,
        password=login.password,
        first_name=login.first_name,
        is_staff=True,
        covers_all_stores=login.store is None,
    )
    staff.groups.add(Group.objects.get(name=login.group))
    staff.stores.set(Store.objects.filter(code=login.store))
