"""The shapes of recordings: what they are, their samples, gaps and markers."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from recognition.api.serializers import (
    LABELS,
    BoxSerializer,
    WithShares,
    WithStretches,
)
from recognition.models import Marker, Recording, StretchAnswer
from recognition.series.columns import GapReason
from recognition.series.markers import LATEST_MS, NAME_LENGTH
from recognition.wording import CORRECTION_NAMES

#: Samples of one page, where nothing is said and at most.
PAGE_SIZE, MAXIMUM_PAGE_SIZE = 1000, 5000


class RecordingLinksSerializer(serializers.Serializer):
    page = serializers.URLField(help_text="The page for people; it needs a browser's session.")
    samples = serializers.URLField()
    markers = serializers.URLField()


class RecordingSerializer(WithShares):
    """What faces showed over time: numbers, never a picture."""

    source = serializers.ChoiceField(choices=Recording.Source.values)  # type: ignore[assignment]
    seconds = serializers.FloatField(help_text="How long it lasted.")
    frames_per_second = serializers.SerializerMethodField()
    labels = serializers.ListField(
        child=serializers.CharField(),
        help_text="Of its samples; empty for a recording from before there were any.",
    )
    n_samples = serializers.IntegerField(help_text="One a face and moment.")
    links = serializers.SerializerMethodField()

    class Meta(WithShares.Meta):
        fields = (  # type: ignore[assignment]
            "id", "source", "started_at", "ended_at", "seconds", "model_version",
            "frames_per_second", "labels", "n_samples", "shares", "links",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(
        serializers.FloatField(
            allow_null=True, help_text="Frames whose faces were kept, over the whole time."
        )
    )
    def get_frames_per_second(self, recording: Recording) -> float | None:
        seconds = recording.seconds
        return round(recording.n_frames / seconds, 2) if seconds else None

    @extend_schema_field(RecordingLinksSerializer)
    def get_links(self, recording: Recording) -> dict[str, str]:
        def link(name: str) -> str:
            return reverse(name, args=[recording.pk], request=self.context["request"])

        return {
            "page": link("live_session"),
            "samples": link("api-recording-samples"),
            "markers": link("api-recording-markers"),
        }


class RecordingDetailSerializer(WithStretches, RecordingSerializer):
    """A recording with the times through which each face kept a label."""

    class Meta(RecordingSerializer.Meta):
        fields = (*RecordingSerializer.Meta.fields, "stretches")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class MarkerSerializer(serializers.ModelSerializer):
    """A moment that somebody named."""

    time_ms = serializers.IntegerField(
        min_value=0, max_value=LATEST_MS, help_text="Milliseconds since the start."
    )
    name = serializers.CharField(max_length=NAME_LENGTH)
    value = serializers.FloatField(
        required=False,
        allow_null=True,
        help_text="A number that belongs to it, such as a rating; null where there is none.",
    )

    class Meta:
        model = Marker
        fields = ("id", "time_ms", "name", "value")
        read_only_fields = ("id",)


class AnswerSerializer(serializers.ModelSerializer):
    """What a face showed in a stretch, as the recording's owner says. The later one counts."""

    face = serializers.IntegerField(min_value=1, max_value=65_535, help_text="Its number.")
    start_ms = serializers.IntegerField(min_value=0, max_value=LATEST_MS)
    end_ms = serializers.IntegerField(
        min_value=1, max_value=LATEST_MS, help_text="Itself left out of the stretch."
    )
    label = serializers.ChoiceField(choices=list(CORRECTION_NAMES))  # type: ignore[assignment]

    class Meta:
        model = StretchAnswer
        fields = ("id", "face", "start_ms", "end_ms", "label", "created_at")
        read_only_fields = ("id", "created_at")


class SamplesOptions(serializers.Serializer):
    """Which part of a series."""

    from_ms = serializers.IntegerField(
        min_value=0, max_value=LATEST_MS, default=0, help_text="From this millisecond on."
    )
    to_ms = serializers.IntegerField(
        min_value=0,
        max_value=LATEST_MS,
        required=False,
        help_text="Up to this millisecond, itself left out; without it, to the end.",
    )
    after_ms = serializers.IntegerField(
        min_value=0,
        max_value=LATEST_MS,
        required=False,
        help_text="What `next` says: only what comes after it.",
    )
    page_size = serializers.IntegerField(
        min_value=1,
        max_value=MAXIMUM_PAGE_SIZE,
        default=PAGE_SIZE,
        help_text="Samples; a few more where a moment has several faces.",
    )


class SampleProbabilitiesSerializer(serializers.Serializer):
    """Label to probability, for the labels of the recording."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            label: serializers.FloatField(min_value=0, max_value=1, required=False)
            for label in LABELS
        }


class SampleSerializer(serializers.Serializer):
    """One face at one moment; docs/SERIES.md says what each value means."""

    time_ms = serializers.IntegerField()
    face = serializers.IntegerField(help_text="From 1; a number and never an identity.")
    label = serializers.CharField()  # type: ignore[assignment]
    uncertain = serializers.BooleanField()
    probabilities = SampleProbabilitiesSerializer()
    box = BoxSerializer()
    sharpness = serializers.FloatField()
    pixels = serializers.IntegerField()
    turn = serializers.FloatField()


class GapSerializer(serializers.Serializer):
    """A time without samples, and why there are none."""

    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    reason = serializers.ChoiceField(choices=[reason.code for reason in GapReason])


class SamplesSerializer(serializers.Serializer):
    """A page of a series. `next` leads to what follows; null at the end."""

    next = serializers.URLField(allow_null=True)
    samples = SampleSerializer(many=True)
    gaps = GapSerializer(many=True, help_text="On the page in which they begin.")
