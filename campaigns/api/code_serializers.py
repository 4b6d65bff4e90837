"""What goes in and out of the API of codes and their batches."""

from typing import Any

from rest_framework import serializers

from campaigns import batches, queries
from campaigns.models import CodeBatch
from shop.kernel.serializers import StrictCharField, StrictIntegerField, StrictSerializer

CODE_LENGTH = 40


class CouponCodeRequest(StrictSerializer):
    """A code as somebody typed it: case, spaces and dashes do not matter."""

    code = StrictCharField(max_length=CODE_LENGTH)


class CodeBatchRequest(StrictSerializer):
    """Codes to make: one for every paper, or one word for all."""

    definition = StrictCharField(max_length=32, help_text="Code of the coupon definition.")
    label = StrictCharField(max_length=80)  # type: ignore[assignment]  # a field of that name
    kind = serializers.ChoiceField(choices=CodeBatch.Kind.choices, default=CodeBatch.Kind.EACH)
    quantity = StrictIntegerField(
        min_value=1,
        max_value=batches.MOST_CODES,
        required=False,
        help_text="Papers; for a word how often it may be used, without end if left out.",
    )
    area = StrictCharField(max_length=80, required=False, allow_blank=True)
    link = StrictCharField(
        max_length=12,
        required=False,
        help_text=(
            "Code of the channel link that the papers' QR codes lead through; orders with their"
            " codes are credited to it."
        ),
    )
    prefix = StrictCharField(max_length=6, required=False, allow_blank=True)
    length = StrictIntegerField(
        min_value=1,
        max_value=batches.MOST_LENGTH,
        default=batches.LEAST_LENGTH,
        help_text="Characters after the prefix, the check character included.",
    )
    word = StrictCharField(
        max_length=24, required=False, allow_blank=True, help_text="Made up if left out."
    )


class CodeBatchOut(serializers.ModelSerializer[CodeBatch]):
    """A batch, how many of its codes there are, and what became of them."""

    definition = serializers.CharField(source="definition.code")
    link = serializers.CharField(source="link.code", allow_null=True, default=None)
    entered = serializers.IntegerField(help_text="Coupons that its codes have given so far.")
    redeemed = serializers.IntegerField(help_text="Those of them that were used.")
    redemption_rate = serializers.SerializerMethodField(
        help_text="Used of all papers, 0 to 1; null for a word without end."
    )

    class Meta:
        model = CodeBatch
        fields = (
            "id",
            "label",
            "definition",
            "kind",
            "area",
            "link",
            "quantity",
            "prefix",
            "length",
            "word",
            "made_count",
            "entered",
            "redeemed",
            "redemption_rate",
            "created_at",
            "voided_at",
        )

    def get_redemption_rate(self, batch: Any) -> float | None:
        """Return the share of papers that brought somebody to the till."""
        return round(batch.redeemed / batch.quantity, 4) if batch.quantity else None


class CodeBatchDetail(CodeBatchOut):
    """A batch with the job that makes its codes."""

    scans = serializers.SerializerMethodField(
        help_text="Scans of its link since it was made; null without a link."
    )
    job = serializers.SerializerMethodField(help_text="Ask /jobs/{id} how far it is.")

    class Meta:
        model = CodeBatch
        fields = (*CodeBatchOut.Meta.fields, "scans", "job")

    def get_scans(self, batch: CodeBatch) -> int | None:
        """Return how often a paper was scanned."""
        return None if batch.link_id is None else queries.scans_of(batch)

    def get_job(self, batch: CodeBatch) -> str | None:
        """Return the id of the job; a word has none."""
        job = batches.job_of(batch)
        return str(job.pk) if job else None


class CouponCodeState(serializers.Serializer[Any]):
    """What staff are told about a code."""

    code = serializers.CharField()
    state = serializers.ChoiceField(
        choices=[
            "unused",
            "void",
            "available",
            "held",
            "redeemed",
            "expired",
            "revoked",
            "transferred",
            "word",
        ]
    )
    batch = serializers.CharField(allow_null=True)
    definition = serializers.CharField(allow_null=True)
    issued_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    order = serializers.CharField(allow_null=True, help_text="The order that has it.")
