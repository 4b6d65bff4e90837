"""Batches of codes in the back office: made, printed, downloaded, looked up, voided."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from campaigns import batches, caps
from campaigns.models import CapBucket, CodeBatch, CouponDefinition
from tests import make
from tests.admin.test_buttons import press, told
from tests.admin.test_coupon_form import TYPED as OFFER

pytestmark = pytest.mark.django_db

ADD = "admin:campaigns_codebatch_add"
RUSH: dict[str, Any] = OFFER | {"code": "RUSH", "kind": "percent_off", "percent": "10"}
TYPED: dict[str, Any] = {"label": "Metro", "kind": "each", "length": 14}


@pytest.fixture
def office() -> Client:
    client: Client = make.staff(group="Head office").client
    return client


def page(client: Client, name: str, batch: CodeBatch, **query: Any) -> Any:
    return client.get(reverse(f"admin:campaigns_codebatch_{name}", args=[batch.pk]), query)


class TestBatchPage:
    def test_makes_a_batch_and_its_job(self, office: Client) -> None:
        definition = make.definition()

        typed = TYPED | {"definition": definition.pk, "quantity": 12, "prefix": "tea"}
        response = office.post(reverse(ADD), typed)

        batch = CodeBatch.objects.get()
        assert response.status_code == 302
        assert (batch.prefix, batch.quantity, batch.created_by[:6]) == ("TEA", 12, "staff:")
        assert batches.job_of(batch) is not None

    @pytest.mark.parametrize(
        ("answers", "field"),
        [({"length": 9}, "length"), ({}, "quantity"), ({"kind": "shared", "word": "x"}, "word")],
    )
    def test_says_what_is_wrong(self, office: Client, answers: dict[str, Any], field: str) -> None:
        response = office.post(
            reverse(ADD), TYPED | {"definition": make.definition().pk, **answers}
        )

        assert field in response.context["adminform"].form.errors
        assert not CodeBatch.objects.exists()

    def test_makes_up_a_word_where_none_is_typed(self, office: Client) -> None:
        office.post(reverse(ADD), TYPED | {"definition": make.definition().pk, "kind": "shared"})

        assert len(CodeBatch.objects.get().word or "") == 14

    def test_prints_a_qr_code_for_every_paper_and_remembers_it(self, office: Client) -> None:
        batch = make.batch(quantity=5)
        (first, *_others, last) = make.papers(batch)

        text = page(office, "sheet", batch).content.decode()

        assert text.count("<svg") == 5
        assert all(f"{code[:4]}-{code[4:8]}" in text for code in (first, last))
        assert LogEntry.objects.filter(object_id=str(batch.pk)).exists()

    def test_prints_from_where_it_is_asked_to(self, office: Client) -> None:
        batch = make.batch(quantity=5)

        text = page(office, "sheet", batch, first="4").content.decode()

        assert text.count("<svg") == 2
        assert page(office, "sheet", batch, first="-1²").content.count(b"<svg") == 5

    def test_prints_one_code_for_all_of_a_word(self, office: Client) -> None:
        text = page(office, "sheet", make.batch(kind="shared", word="TEA2026")).content.decode()

        assert text.count("TEA2-026") == 12

    def test_gives_the_file_to_head_office_only(self, office: Client) -> None:
        batch = make.batch(quantity=2)
        manager = make.staff("SH001").client

        mine = b"".join(page(office, "file", batch).streaming_content).decode()

        assert all(code in mine for code in make.papers(batch))
        assert page(manager, "file", batch).status_code == 404
        assert page(manager, "sheet", batch).status_code == 404

    def test_looks_up_a_code(self, office: Client) -> None:
        (code,) = make.papers(make.batch(quantity=1, label="Metro"))

        _tag, found = told(press(office, "campaigns_codebatch_look_up", code=code.lower()))

        assert code in found
        assert "Not used yet." in found

    def test_voids_a_batch(self, office: Client) -> None:
        batch = make.batch(quantity=1)

        press(office, "campaigns_codebatch_void", batch)

        batch.refresh_from_db()
        assert batch.voided_at is not None


class TestBuckets:
    def test_follow_the_limit_and_the_number_that_a_manager_types(self, office: Client) -> None:
        typed = RUSH | {"total_limit": 10, "claim_buckets": 4}
        office.post(reverse("admin:campaigns_coupondefinition_add"), typed)
        definition = CouponDefinition.objects.get(code=RUSH["code"])
        for _ in range(3):
            make.coupon(make.member(), definition.code)
        change = reverse("admin:campaigns_coupondefinition_change", args=[definition.pk])

        too_low = office.post(change, typed | {"total_limit": 2})
        before = [*definition.buckets.order_by("number").values_list("cap", flat=True)]
        office.post(change, typed | {"total_limit": 9, "claim_buckets": 2})

        fresh = CouponDefinition.objects.get(pk=definition.pk)
        buckets = CapBucket.objects.filter(definition=fresh).order_by("number")
        assert "total_limit" in too_low.context["adminform"].form.errors
        assert before == [3, 3, 2, 2]
        assert list(buckets.values_list("cap", "issued_count")) == [(3, 0), (3, 0)]
        assert caps.issued(fresh) == 3
