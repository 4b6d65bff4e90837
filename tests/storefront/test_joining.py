"""Which store a new member belongs to."""

import pytest

from tests import make

pytestmark = pytest.mark.django_db


def home_of(**origin: str) -> str:
    """Return the store of somebody who joins by phone with this origin."""
    phone = make.phone()
    sent = make.Api().post("/auth/codes", {"phone": phone}, key=None).json()
    body = {"phone": phone, "code": sent["sandbox_code"]} | origin
    joined = make.Api().post("/auth/tokens", body, key=None).json()
    return str(joined["member"]["store"])


class TestANewMember:
    def test_belongs_to_the_store_they_name(self) -> None:
        assert home_of(store="HZ001", link=make.link(at="SH002").code) == "HZ001"

    def test_belongs_to_the_store_of_the_link_they_came_by(self) -> None:
        assert home_of(link=make.link(at="SH002").code) == "SH002"

    def test_belongs_to_the_first_store_otherwise(self) -> None:
        assert home_of() == home_of(link=make.link(at=None).code) == "SH001"
        assert home_of(link="NOSUCHLINK") == "SH001"
