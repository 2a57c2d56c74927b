"""How a video looks from outside, and how one is sent."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from recognition.api.serializers import UploadErrorSerializer
from recognition.models import Upload, Video, VideoTransfer
from recognition.videos import transfers


class VideoProgressSerializer(serializers.Serializer):
    """How far a video has been looked at."""

    seconds = serializers.FloatField(help_text="Of the video that have been looked at.")
    of_seconds = serializers.FloatField(
        allow_null=True, help_text="Its length; null until it has been opened, or unknown."
    )
    frames_a_second = serializers.FloatField(
        allow_null=True, help_text="Sampled frames that are looked at in a second of work."
    )
    seconds_left = serializers.FloatField(
        allow_null=True, help_text="Of work, at this pace; null where that is unknown."
    )


class VideoLinksSerializer(serializers.Serializer):
    """Where its results are."""

    page = serializers.URLField()
    csv = serializers.URLField()
    json = serializers.URLField()
    file = serializers.URLField(allow_null=True, help_text="The video itself, where it is kept.")


class VideoSerializer(serializers.ModelSerializer):
    """A video and where it stands. What was seen in it is the recording that it names."""

    name = serializers.CharField(help_text="The file's name.")
    status = serializers.ChoiceField(choices=[*Upload.Status.values, Video.CANCELLED])
    error = serializers.SerializerMethodField()
    byte_size = serializers.IntegerField(help_text="Of the file as it was received.")
    frames_per_second = serializers.IntegerField(help_text="How many are analysed.")
    keep = serializers.BooleanField(help_text="Whether the file stays when it has been looked at.")
    progress = serializers.SerializerMethodField()
    recording = serializers.UUIDField(
        source="recording_id", help_text="Among the recordings, as it grows."
    )
    links = serializers.SerializerMethodField()

    class Meta:
        model = Video
        fields = (
            "id", "name", "status", "error", "byte_size", "frames_per_second", "keep", "progress",
            "recording", "created_at", "finished_at", "links",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(UploadErrorSerializer(allow_null=True))
    def get_error(self, video: Video) -> dict[str, str] | None:
        return {"code": video.error_code, "detail": video.reason} if video.error_code else None

    @extend_schema_field(VideoProgressSerializer)
    def get_progress(self, video: Video) -> dict[str, Any]:
        return {
            "seconds": video.position_ms / 1000,
            "of_seconds": None if video.duration_ms is None else video.duration_ms / 1000,
            "frames_a_second": video.frames_a_second,
            "seconds_left": None if video.is_finished else video.seconds_left,
        }

    @extend_schema_field(VideoLinksSerializer)
    def get_links(self, video: Video) -> dict[str, str | None]:
        def link(name: str, *arguments: str) -> str:
            request = self.context["request"]
            return reverse(name, args=[video.recording_id, *arguments], request=request)

        return {
            "page": link("live_session"),
            "csv": link("download_recording", "csv"),
            "json": link("download_recording", "json"),
            "file": reverse("api-video-file", args=[video.pk], request=self.context["request"])
            if video.is_kept
            else None,
        }


class NewVideoSerializer(serializers.Serializer):
    """A video, as a form."""

    video = serializers.FileField(
        allow_empty_file=True, error_messages={"required": _("No file was submitted.")}
    )
    frames_per_second = serializers.IntegerField(
        min_value=1, max_value=30, default=10, help_text="How many are analysed, from 1 to 30."
    )
    keep = serializers.BooleanField(
        allow_null=True,
        default=None,
        help_text="Whether the file stays when it has been looked at; what the operator prefers "
        "where it is left out. Never where photos are not kept either.",
    )


class TransferSerializer(serializers.ModelSerializer):
    """A video that is sent in parts, and how much of it has arrived."""

    offset = serializers.IntegerField(
        help_text="Bytes that have arrived; the next part begins here."
    )
    part_bytes = serializers.SerializerMethodField()
    video = serializers.UUIDField(
        source="video_id", allow_null=True, help_text="Once it was ended."
    )

    class Meta:
        model = VideoTransfer
        fields = ("id", "name", "byte_size", "offset", "part_bytes", "video", "created_at")
        read_only_fields = fields

    @extend_schema_field(serializers.IntegerField(help_text="The most that one part has."))
    def get_part_bytes(self, transfer: VideoTransfer) -> int:
        return transfers.PART_BYTES


class NewTransferSerializer(serializers.Serializer):
    """A video that is going to be sent in parts."""

    name = serializers.CharField(max_length=255, help_text="The file's name.")
    byte_size = serializers.IntegerField(
        min_value=0, max_value=2**60, help_text="Of the whole file."
    )
    frames_per_second = serializers.IntegerField(
        min_value=1, max_value=30, default=10, help_text="How many are analysed, from 1 to 30."
    )
    keep = serializers.BooleanField(
        allow_null=True, default=None, help_text="As for a video that is sent at once."
    )


class TransferOffset(serializers.Serializer):
    """Where a part begins."""

    offset = serializers.IntegerField(min_value=0, max_value=2**60)
