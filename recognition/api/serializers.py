"""The shape of uploads in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from recognition.models import Upload


class UploadSerializer(serializers.ModelSerializer):
    """An upload with its faces; read-only."""

    error = serializers.SerializerMethodField()
    faces = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField()

    class Meta:
        model = Upload
        fields = (
            "id", "name", "status", "error", "width", "height", "byte_size", "sha256",
            "model_version", "created_at", "finished_at", "photo_deleted_at", "faces", "links",
        )  # fmt: skip
        read_only_fields = fields

    def get_error(self, upload: Upload) -> dict[str, str] | None:
        if not upload.error_code:
            return None
        return {"code": upload.error_code, "detail": upload.error_message}

    def get_faces(self, upload: Upload) -> list[dict[str, Any]]:
        return [prediction.as_dict() for prediction in upload.predictions.all()]

    def get_links(self, upload: Upload) -> dict[str, str]:
        request = self.context["request"]
        names = {
            "page": "upload_detail",
            "image": "upload_image",
            "thumbnail": "upload_thumbnail",
        }
        if upload.photo_deleted_at is not None:
            del names["image"]
        return {
            key: reverse(name, args=[upload.pk], request=request) for key, name in names.items()
        }


class NewUploadSerializer(serializers.Serializer):
    """What creating an upload takes. The photo itself is checked by `create_upload`."""

    image = serializers.FileField(allow_empty_file=True)
