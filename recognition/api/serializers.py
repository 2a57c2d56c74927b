"""The shapes of what the interface takes and gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Manager
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from recognition import faces
from recognition.api.waiting import WaitOptions
from recognition.models import Prediction, Recording, Upload, Webhook, WebhookDelivery
from recognition.series.timeline import read_stretches, shares
from recognition.vision.types import FoundBy
from recognition.wording import FIRST_LABELS, LABEL_NAMES, stored_text

LABELS = list(LABEL_NAMES)
CORRECTIONS = [*LABELS, Prediction.NOT_A_FACE]


class ProblemSerializer(serializers.Serializer):
    """What went wrong (RFC 9457). Programs go by `code`; `type` leads to what it means."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable; listed at /api/v1/errors/.")
    detail = serializers.CharField(help_text="A sentence for people.")
    errors = serializers.DictField(  # type: ignore[assignment]
        required=False, help_text="With `invalid`: what is wrong, by field."
    )
    duplicate_of = serializers.UUIDField(
        required=False, help_text="With `duplicate`: the upload that has the same file."
    )


class BoxSerializer(serializers.Serializer):
    """The bounding box, in pixels of the upright photo."""

    x = serializers.IntegerField(min_value=0)
    y = serializers.IntegerField(min_value=0)
    width = serializers.IntegerField(min_value=0)
    height = serializers.IntegerField(min_value=0)


class ProbabilitiesSerializer(serializers.Serializer):
    """Label to probability; they sum to 1. Older models do not know `other` and leave it out."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            label: serializers.FloatField(min_value=0, max_value=1, required=label in FIRST_LABELS)
            for label in LABELS
        }


@extend_schema_field(ProbabilitiesSerializer)
class ProbabilitiesField(serializers.Field):
    """Given as they are: a box that its owner drew has none, and older models knew fewer labels."""

    def to_representation(self, value: dict[str, float]) -> dict[str, float]:
        return value


class FaceSerializer(serializers.ModelSerializer):
    """A face of a photo, or a spot that was rejected as none."""

    box = BoxSerializer(read_only=True)
    label = serializers.ChoiceField(  # type: ignore[assignment]
        choices=CORRECTIONS,
        help_text="What counts: the owner's correction where there is one, else the prediction.",
    )
    predicted_label = serializers.ChoiceField(
        choices=LABELS,
        allow_null=True,
        help_text="The most probable expression; null where the owner drew the box.",
    )
    confidence = serializers.FloatField(
        min_value=0, max_value=1, help_text="Probability of `predicted_label`."
    )
    uncertain = serializers.BooleanField(help_text="The model is not sure enough to be believed.")
    rejected = serializers.CharField(
        read_only=True,
        allow_null=True,
        help_text="Why the recognizer does not count it as a face; `drawn` where the "
        "owner drew the box; null for a face.",
    )
    roll = serializers.FloatField(help_text="By how much it is turned clockwise, in degrees.")
    found_by = serializers.ChoiceField(
        choices=[name.value for name in FoundBy],
        read_only=True,
        allow_null=True,
        help_text="Which detector sees it; null for results from before this was kept.",
    )
    probabilities = ProbabilitiesField(read_only=True)
    correction = serializers.ChoiceField(
        choices=CORRECTIONS,
        read_only=True,
        allow_null=True,
        help_text="What the owner says it is; null where they said nothing.",
    )
    corrected_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        model = Prediction
        fields = faces.API_FIELDS
        read_only_fields = fields

    def to_representation(self, face: Prediction) -> dict[str, Any]:
        return super().to_representation(self.told(face))

    def told(self, face: Prediction) -> Any:
        """The values of the fields, by their names."""
        return faces.stored(face, faces.API_FIELDS)


class PredictionSerializer(FaceSerializer):
    """A face, with the photo that it is in."""

    upload = serializers.UUIDField()
    model_version = serializers.CharField()
    uploaded_at = serializers.DateTimeField()

    class Meta(FaceSerializer.Meta):
        fields = ("upload", "uploaded_at", "model_version", *FaceSerializer.Meta.fields)  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]

    def told(self, face: Prediction) -> Any:
        return {
            "upload": face.upload_id,
            "uploaded_at": face.upload.created_at,
            "model_version": face.upload.model_version,
            **super().told(face),
        }


class CorrectionSerializer(serializers.Serializer):
    """What a face shows, as its owner sees it."""

    correction = serializers.ChoiceField(
        choices=CORRECTIONS,
        allow_blank=True,
        help_text="A label, `not_a_face`, or nothing to take the correction back.",
    )


class UploadErrorSerializer(serializers.Serializer):
    """Why a photo that was accepted could not be processed."""

    code = serializers.CharField()
    detail = serializers.CharField()


class LinksSerializer(serializers.Serializer):
    page = serializers.URLField(help_text="The page for people; it needs a browser's session.")
    image = serializers.URLField(allow_null=True, help_text="Null once the photo was deleted.")
    thumbnail = serializers.URLField()


class UploadSerializer(serializers.ModelSerializer):
    """A photo, where it stands, and what was seen in it."""

    name = serializers.CharField(help_text="The file's name.")
    status = serializers.ChoiceField(choices=Upload.Status.values)
    error = serializers.SerializerMethodField()
    byte_size = serializers.IntegerField(help_text="Of the file as it was received.")
    sha256 = serializers.CharField(help_text="Of the file as it was received.")
    duplicate_of = serializers.UUIDField(
        allow_null=True, help_text="One's earliest upload of the same file, if there is one."
    )
    photo_deleted_at = serializers.DateTimeField(
        allow_null=True, help_text="When retention took the photo and left the results."
    )
    faces = FaceSerializer(source="predictions", many=True)
    links = serializers.SerializerMethodField()

    class Meta:
        model = Upload
        fields = (
            "id", "name", "status", "error", "width", "height", "byte_size", "sha256",
            "duplicate_of", "model_version", "created_at", "finished_at", "photo_deleted_at",
            "faces", "links",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(UploadErrorSerializer(allow_null=True))
    def get_error(self, upload: Upload) -> dict[str, str] | None:
        if not upload.error_code:
            return None
        return {"code": upload.error_code, "detail": stored_text(upload.error_message)}

    @extend_schema_field(LinksSerializer)
    def get_links(self, upload: Upload) -> dict[str, str | None]:
        def link(name: str) -> str:
            return reverse(name, args=[upload.pk], request=self.context["request"])

        return {
            "page": link("upload_detail"),
            "image": link("api-upload-image") if upload.image else None,
            "thumbnail": link("api-upload-thumbnail"),
        }


class NewUploadsSerializer(serializers.Serializer):
    """One photo or several, as a form. What is in them is checked one by one."""

    image = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        allow_empty=False,
        max_length=settings.MAXIMUM_FILES_PER_FORM,
        error_messages={"required": _("No file was submitted.")},
        help_text="A photo; repeat the field for several.",
    )


class NewUploadOptions(WaitOptions):
    """What a request for uploads may say in its address."""

    duplicates = serializers.ChoiceField(
        choices=["accept", "reject"],
        default="accept",
        help_text="`reject` refuses a file that one has uploaded before, with `duplicate`; else "
        "it is accepted and `duplicate_of` tells.",
    )


class UploadResultSerializer(serializers.Serializer):
    """What became of one file of several: either `upload` or `error` is set."""

    name = serializers.CharField()
    upload = UploadSerializer(allow_null=True)
    error = ProblemSerializer(allow_null=True)


class UploadResultsSerializer(serializers.Serializer):
    """What became of several files, in the order in which they were sent."""

    accepted = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = UploadResultSerializer(many=True)


class SharesSerializer(ProbabilitiesSerializer):
    """Label to its share of the time in which faces were seen; they sum to 1, or to 0."""


class StretchSerializer(serializers.Serializer):
    """A time through which a face kept a label, in seconds from the start."""

    face = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]
    start = serializers.FloatField()
    end = serializers.FloatField()
    confidence = serializers.FloatField(help_text="Mean probability of the label.")


class RecordingList(serializers.ListSerializer):
    """Recordings without their stretches, which are read for the shares of each alone."""

    def to_representation(self, data: Manager[Recording] | Iterable[Recording]) -> list[Any]:
        assert isinstance(self.child, WithShares)
        recordings = list(data.all() if isinstance(data, Manager) else data)
        self.child.shares_of = {
            pk: shares(read_stretches(samples), LABELS)
            for pk, samples in Recording.objects.stretches(recordings)
        }
        return super().to_representation(recordings)


class WithShares(serializers.ModelSerializer):
    """A recording with its shares, alone or among others."""

    shares = serializers.SerializerMethodField()
    #: By key, where it is one of a list.
    shares_of: Mapping[UUID, dict[str, float]] = MappingProxyType({})

    class Meta:
        model = Recording
        list_serializer_class = RecordingList
        fields = ("shares",)

    @extend_schema_field(SharesSerializer)
    def get_shares(self, recording: Recording) -> dict[str, float]:
        known = self.shares_of.get(recording.pk)
        return shares(read_stretches(recording.samples), LABELS) if known is None else known


class LiveSessionSerializer(WithShares):
    """A recorded session of the live page: labels over time, never a picture."""

    seconds = serializers.FloatField(help_text="How long it lasted.")

    class Meta(WithShares.Meta):
        fields = ("id", "started_at", "ended_at", "seconds", "model_version", "shares")  # type: ignore[assignment]
        read_only_fields = fields


class WithStretches(serializers.Serializer):
    """The times through which each face of a recording kept a label."""

    stretches = serializers.SerializerMethodField()

    @extend_schema_field(StretchSerializer(many=True))
    def get_stretches(self, recording: Recording) -> Any:
        return StretchSerializer(read_stretches(recording.samples), many=True).data


class LiveSessionDetailSerializer(WithStretches, LiveSessionSerializer):
    """A recorded session with all that was seen."""

    class Meta(LiveSessionSerializer.Meta):
        fields = (*LiveSessionSerializer.Meta.fields, "stretches")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class WebhookSerializer(serializers.ModelSerializer):
    """An address that is told when an upload is finished."""

    url = serializers.URLField(max_length=500, read_only=True)
    is_active = serializers.BooleanField(
        help_text="Switched off by its owner, or after too many messages that did not arrive."
    )

    class Meta:
        model = Webhook
        fields = ("id", "url", "is_active", "created_at")
        read_only_fields = ("id", "created_at")


class NewWebhookSerializer(serializers.Serializer):
    """Where messages shall go."""

    url = serializers.CharField(
        max_length=500, help_text="A public https:// address without a password."
    )


class WebhookWithSecretSerializer(WebhookSerializer):
    """A new webhook. Its secret is shown this once."""

    secret = serializers.CharField(read_only=True, help_text="Key of the signatures.")

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")  # type: ignore[assignment]


class DeliverySerializer(serializers.ModelSerializer):
    """A message to a webhook, and how it went."""

    state = serializers.ChoiceField(choices=["waiting", "delivered", "given_up"])
    payload = serializers.DictField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    status_code = serializers.IntegerField(allow_null=True, help_text="Of the last answer.")
    error = serializers.CharField(help_text="Why the last attempt failed; empty where it arrived.")

    class Meta:
        model = WebhookDelivery
        fields = (
            "id", "event", "state", "payload", "attempts", "status_code", "error", "created_at",
            "delivered_at", "next_attempt_at",
        )  # fmt: skip
        read_only_fields = fields
