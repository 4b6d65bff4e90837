"""Points corrected by hand: each correction counts, whoever made it and under whatever key."""

import pytest

from tests import make

pytestmark = pytest.mark.django_db


class TestAdjustment:
    def test_counts_under_long_keys_that_begin_alike(self) -> None:
        who, office = make.member(), make.staff("SH001")
        path = f"/members/{who.public_id}/points-adjustments"
        first, second = ("k" * 100 + ending for ending in "ab")

        for key in (first, second, second):
            response = office.post(path, {"points": 50, "reason": "waited too long"}, key=key)

        assert response.status_code == 200
        assert response.json()["points_balance"] == 100

    def test_counts_for_each_of_two_who_chose_the_same_key(self) -> None:
        who = make.member()
        path = f"/members/{who.public_id}/points-adjustments"

        for office in (make.staff("SH001"), make.staff("SH001")):
            response = office.post(path, {"points": 50, "reason": "waited"}, key="same-key-1")

        assert response.json()["points_balance"] == 100
