"""What goes in and out of the API of costs."""

import base64
import binascii
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import empty

from campaigns import cost_files, cost_rows
from campaigns.cost_files import PRESETS
from campaigns.cost_rows import MOST_COUNT, MOST_KEYWORD, CostRow, Unreadable
from campaigns.costs import Outcome, Reading
from campaigns.currencies import COMPANY_CURRENCY, MINOR_DIGITS
from campaigns.models import CostImport, DailyCost
from shop.kernel.errors import InvalidInput
from shop.kernel.money import MAX_CENTS
from shop.kernel.serializers import (
    AmountField,
    StrictBooleanField,
    StrictCharField,
    StrictDateField,
    StrictIntegerField,
    StrictSerializer,
)

MOST_COSTS = 1_000
MOST_CSV_CHARACTERS = 1_500_000


class RateField(serializers.RegexField):
    """An exchange rate as text, because JSON numbers lose digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            r"^(?=.*[1-9])[0-9]{1,8}(\.[0-9]{1,8})?\Z",
            max_length=17,
            help_text="Yuan for one whole unit of the currency, such as 7.1234.",
            **kwargs,
        )

    def run_validation(self, data: Any = empty) -> Any:
        """Return the rate as a number, once its text is known to be one."""
        if data is not empty and not isinstance(data, str):
            self.fail("invalid")
        text = super().run_validation(data)
        return Decimal(text) if isinstance(text, str) else text


class DailyCostRequest(StrictSerializer):
    """What one link cost on one day, and what its platform claims.

    Amounts are in the smallest unit of `currency`.
    """

    link = StrictCharField(max_length=12)
    date = StrictDateField()
    keyword = StrictCharField(max_length=MOST_KEYWORD, default="", allow_blank=True)
    cost_cents = AmountField(min_value=0)
    currency = serializers.ChoiceField(choices=sorted(MINOR_DIGITS), default=COMPANY_CURRENCY)
    exchange_rate = RateField(required=False)
    impressions = StrictIntegerField(min_value=0, max_value=MOST_COUNT, default=0)
    clicks = StrictIntegerField(min_value=0, max_value=MOST_COUNT, default=0)
    estimated_reach = StrictIntegerField(min_value=0, max_value=MOST_COUNT, default=0)
    claimed_conversions = StrictIntegerField(
        min_value=0, max_value=MOST_COUNT, required=False, allow_null=True
    )
    claimed_value_cents = AmountField(min_value=0, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for a rate where money is to be converted, and only there."""
        try:
            attrs["paid"] = cost_rows.money_of(
                attrs.pop("currency"), attrs.pop("exchange_rate", None)
            )
        except Unreadable as error:
            raise serializers.ValidationError({"exchange_rate": [str(error.detail)]}) from error
        return attrs


class DailyCostsRequest(StrictSerializer):
    """Costs to store; a link, day and keyword that were there before are replaced."""

    rows = serializers.ListField(child=DailyCostRequest(), min_length=1, max_length=MOST_COSTS)

    def to_rows(self) -> list[CostRow]:
        """Return the validated data in the company's currency.

        Raises:
            InvalidInput: an amount is too large once it is converted.
        """
        rows = []
        for index, data in enumerate(self.validated_data["rows"]):
            given = dict(data)
            paid = given.pop("paid")
            row = cost_rows.priced(CostRow(**given), paid)
            if max(row.cost_cents, row.claimed_value_cents or 0) > MAX_CENTS:
                raise InvalidInput(
                    f"/rows/{index}/cost_cents", _("This amount is too large."), reason="max_value"
                )
            rows.append(row)
        return rows


class DailyCostsStored(serializers.Serializer[Any]):
    """How many rows are new, and how many replaced one."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()


class CostImportRequest(StrictSerializer):
    """A CSV file, as text or as bytes in Base64; its first line names the columns."""

    csv = StrictCharField(max_length=MOST_CSV_CHARACTERS, trim_whitespace=False, required=False)
    csv_base64 = StrictCharField(
        max_length=2 * MOST_CSV_CHARACTERS,
        required=False,
        help_text="The file as it is, in UTF-8 or GBK.",
    )
    preset = serializers.ChoiceField(
        choices=CostImport.Preset.choices, default=CostImport.Preset.PLAIN
    )
    link = StrictCharField(
        max_length=12, required=False, help_text="The link of lines that name none."
    )
    currency = serializers.ChoiceField(
        choices=sorted(MINOR_DIGITS), default=COMPANY_CURRENCY, help_text="Of lines that name none."
    )
    exchange_rate = RateField(required=False)
    dry_run = StrictBooleanField(default=False, help_text="Report only; store nothing.")
    skip_refused = StrictBooleanField(
        default=False, help_text="Store the lines that can be used although others cannot."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take one form of the file."""
        if ("csv" in attrs) == ("csv_base64" in attrs):
            raise serializers.ValidationError({"csv": [_("Give either csv or csv_base64.")]})
        return attrs

    def text(self) -> str:
        """Return the file's text.

        Raises:
            InvalidInput
        """
        if "csv" in self.validated_data:
            return str(self.validated_data["csv"])
        try:
            raw = base64.b64decode(self.validated_data["csv_base64"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidInput("/csv_base64", _("This is not Base64."), reason="base64") from error
        return cost_files.decode(raw)

    def reading(self) -> Reading:
        """Return how the file is to be read."""
        given = self.validated_data
        return Reading(
            preset=PRESETS[given["preset"]],
            link=given.get("link", ""),
            currency=given["currency"],
            exchange_rate=given.get("exchange_rate"),
            skips_refused=given["skip_refused"],
        )


class CostImportLine(serializers.Serializer[Any]):
    """What became of one line of the file."""

    line = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=[(o.value, o.value) for o in Outcome])
    link = serializers.CharField()
    date = serializers.CharField()
    keyword = serializers.CharField()
    cost_cents = serializers.IntegerField(allow_null=True)
    replaces_cents = serializers.IntegerField(
        allow_null=True, help_text="The cost that stood there before."
    )
    detail = serializers.CharField()


class CostImportReport(serializers.Serializer[Any]):
    """What an import did or, when `is_stored` is false, would do."""

    is_stored = serializers.BooleanField()
    created = serializers.SerializerMethodField()
    updated = serializers.SerializerMethodField()
    refused = serializers.SerializerMethodField()
    lines = CostImportLine(many=True)

    def get_created(self, report: Any) -> int:
        """Return how many lines are new."""
        return int(report.count(Outcome.CREATED))

    def get_updated(self, report: Any) -> int:
        """Return how many lines replace a row."""
        return int(report.count(Outcome.UPDATED))

    def get_refused(self, report: Any) -> int:
        """Return how many lines cannot be used."""
        return int(report.count(Outcome.REFUSED))


class DailyCostOut(serializers.ModelSerializer[DailyCost]):
    """What one link cost on one day; `cost_cents` is always in the company's currency."""

    link = serializers.CharField(source="link.code")

    class Meta:
        model = DailyCost
        fields = (
            "link",
            "date",
            "keyword",
            "cost_cents",
            "currency",
            "original_minor",
            "exchange_rate",
            "impressions",
            "clicks",
            "estimated_reach",
            "claimed_conversions",
            "claimed_value_cents",
        )
