"""Requests of programs that were answered once."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class IdempotencyKey(models.Model):
    """A request that created something, so that its repetition creates nothing.

    Attributes:
        key: as the client sent it.
        request_sha256: of method, path, options and content; the same key with another request
            is refused.
        status_code: 0 while the first request is still being answered.
        response: one entry for each photo, in their order: ``{"id": …}``, or ``{"error": …}``
            for one that was refused. Ids and not their rows, so that what is deleted is not
            kept here.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(default=0)
    response = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "key"], name="one_request_a_key"),
        ]

    def __str__(self) -> str:
        return self.key
