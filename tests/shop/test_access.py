"""The built-in groups, and what they open in the API."""

import pytest
from django.contrib.auth.models import Group

from campaigns.models import Channel
from shop import access
from shop.api.authentication import PERMISSIONS_OF_SCOPES, staff_principal
from shop.models import Staff

pytestmark = pytest.mark.django_db


def scopes_of(group: str) -> set[str]:
    staff = Staff.objects.create_user(username=group, is_staff=True)
    staff.groups.add(Group.objects.get(name=group))
    return set(staff_principal(staff).scopes)


class TestGroups:
    def test_head_office_may_do_everything_the_api_offers(self) -> None:
        assert scopes_of(access.HEAD_OFFICE) == set(PERMISSIONS_OF_SCOPES)

    def test_a_store_manager_runs_the_store_but_no_campaigns(self) -> None:
        assert scopes_of(access.STORE_MANAGER) == set(PERMISSIONS_OF_SCOPES) - {
            "campaigns:write",
            "codes:write",
            "gift-cards:issue",
            "members:erase",
            "members:merge",
            "contents:write",
            "partners:write",
            "partners:approve",
            "points:approve",
        }

    def test_a_cashier_sells_refunds_and_registers(self) -> None:
        scopes = scopes_of(access.CASHIER)

        assert {"orders:write", "members:write", "menu:read"} <= scopes
        assert not scopes & {"points:adjust", "campaigns:read", "costs:write"}

    def test_an_analyst_reads_numbers_and_no_people(self) -> None:
        assert scopes_of(access.ANALYST) == {
            "menu:read",
            "orders:read",
            "campaigns:read",
            "partners:read",
            "codes:read",
            "earning:read",
            "reports:read",
            "alerts:read",
        }

    def test_nobody_reads_login_codes(self) -> None:
        for group in Group.objects.all():
            assert not group.permissions.filter(content_type__model="logincode").exists()


class TestChannelsOfOurOwn:
    def test_are_there_without_any_demo_data(self) -> None:
        kinds = Channel.objects.filter(code__in=["organic", "referral"]).values_list("kind")

        assert sorted(kinds) == [("organic",), ("referral",)]
