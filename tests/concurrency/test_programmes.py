"""One file applied by many: it changes the programme once."""

from functools import partial

from loyalty.models import BenefitVersion, ProgrammeChange
from shop.storefront import programme_changes
from tests import make
from tests.concurrency.crowd import at_once

NAMES = {"name_zh": "名", "name_en": "Name"}
DOCUMENT = {
    "version": 1,
    "benefits": [
        {
            "code": "words",
            "kind": "text",
            "tier": "T2",
            **NAMES,
            "versions": [{"from_month": "2020-01", "text_zh": "茶", "text_en": "Tea"}],
        }
    ],
}


def test_applied_by_many_at_once_is_one_change() -> None:
    """The named lock of `programme_changes.apply` holds it; without it each appends a version."""
    said = at_once([partial(programme_changes.apply, DOCUMENT, actor="test", now=make.NOON)] * 4)

    assert sum(change is not None for change in said) == 1
    assert ProgrammeChange.objects.count() == BenefitVersion.objects.count() == 1
