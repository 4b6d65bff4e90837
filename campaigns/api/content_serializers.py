"""What goes in and out of the API of contents and topics."""

from typing import Any

from rest_framework import serializers

from campaigns.api.serializers import SlugField
from campaigns.contents import MOST_COUNT, MOST_RANK, Counts
from campaigns.models import Content, Topic
from shop.kernel.serializers import (
    StrictBooleanField,
    StrictCharField,
    StrictDateTimeField,
    StrictIntegerField,
    StrictSerializer,
)

BIG = 2**62
MOST_CSV_CHARACTERS = 1_500_000


class TopicRequest(StrictSerializer):
    """A new topic."""

    code = SlugField(max_length=40)
    name_zh = StrictCharField(max_length=80)
    name_en = StrictCharField(max_length=80)


class TopicOut(serializers.ModelSerializer[Topic]):
    """A topic."""

    class Meta:
        model = Topic
        fields = ("code", "name_zh", "name_en")


class TopicRollupOut(serializers.Serializer[Any]):
    """The sums of the newest snapshots of a topic's contents."""

    topic = serializers.CharField()
    contents = serializers.IntegerField()
    views = serializers.IntegerField()
    likes = serializers.IntegerField()
    comments = serializers.IntegerField()
    shares = serializers.IntegerField()


class ContentRequest(StrictSerializer):
    """A content to follow."""

    kind = serializers.ChoiceField(choices=Content.Kind.choices)
    title = StrictCharField(max_length=120)
    platform = StrictCharField(max_length=40)
    url = StrictCharField(max_length=300, required=False)
    rating = StrictIntegerField(
        min_value=1, max_value=5, required=False, help_text="Of a review only."
    )
    deal = StrictIntegerField(min_value=1, max_value=BIG, required=False)
    link = StrictCharField(max_length=12, required=False, help_text="Code of its link.")
    topics = serializers.ListField(child=SlugField(max_length=40), default=list, max_length=20)
    published_at = StrictDateTimeField()


class ContentOut(serializers.ModelSerializer[Content]):
    """A content."""

    link = serializers.CharField(source="link.code", default=None, allow_null=True)
    topics: Any = serializers.SlugRelatedField(many=True, read_only=True, slug_field="code")

    class Meta:
        model = Content
        fields = (
            "id",
            "kind",
            "title",
            "platform",
            "url",
            "rating",
            "deal",
            "link",
            "topics",
            "published_at",
        )


class SnapshotOut(serializers.Serializer[Any]):
    """A snapshot, and what was gained since the one before; null at the first."""

    taken_at = serializers.DateTimeField()
    views = serializers.IntegerField()
    likes = serializers.IntegerField()
    comments = serializers.IntegerField()
    shares = serializers.IntegerField()
    rank = serializers.IntegerField(allow_null=True)
    views_gained = serializers.IntegerField(allow_null=True)
    likes_gained = serializers.IntegerField(allow_null=True)
    comments_gained = serializers.IntegerField(allow_null=True)
    shares_gained = serializers.IntegerField(allow_null=True)


class ContentDetail(serializers.Serializer[Any]):
    """A content with what its link sold, and its snapshots, oldest first."""

    content = ContentOut()
    orders = serializers.IntegerField(help_text="That have the credit of its link.")
    sales_cents = serializers.IntegerField(help_text="Of those, net of refunds.")
    snapshots = SnapshotOut(many=True)


class SnapshotRequest(StrictSerializer):
    """What the platform told at a moment."""

    taken_at = StrictDateTimeField()
    views = StrictIntegerField(min_value=0, max_value=MOST_COUNT)
    likes = StrictIntegerField(min_value=0, max_value=MOST_COUNT, default=0)
    comments = StrictIntegerField(min_value=0, max_value=MOST_COUNT, default=0)
    shares = StrictIntegerField(min_value=0, max_value=MOST_COUNT, default=0)
    rank = StrictIntegerField(min_value=1, max_value=MOST_RANK, required=False)

    def to_counts(self, data: dict[str, Any]) -> Counts:
        """Return the validated data as the noun module takes it."""
        return Counts(**{name: value for name, value in data.items() if name != "taken_at"})


class SnapshotStored(serializers.Serializer[Any]):
    """A snapshot that is kept."""

    taken_at = serializers.DateTimeField()
    views = serializers.IntegerField()
    likes = serializers.IntegerField()
    comments = serializers.IntegerField()
    shares = serializers.IntegerField()
    rank = serializers.IntegerField(allow_null=True)


class SnapshotImportRequest(StrictSerializer):
    """A file of snapshots; a dry run stores nothing."""

    csv = StrictCharField(max_length=MOST_CSV_CHARACTERS, trim_whitespace=False)
    dry_run = StrictBooleanField(default=False)


class SnapshotLineOut(serializers.Serializer[Any]):
    """What became of a line; the header is line 1."""

    line = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=["created", "unchanged", "refused"])
    detail = serializers.CharField()


class SnapshotImportReport(serializers.Serializer[Any]):
    """What an import did, line by line."""

    is_stored = serializers.BooleanField()
    lines = SnapshotLineOut(many=True)
