"""Uploads as an operator sees them: blurred, until one is asked for and that is written down."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts import audit
from accounts.http import signed_in
from recognition.models import Upload, UploadQuerySet
from recognition.templatetags.recognition import model_expression
from recognition.uploads import actions as uploads
from recognition.vision import images
from recognition.vision.errors import ImageError

#: Pixels a side of a photo that staff look at: enough to judge a result.
PHOTO_SIDE = 1280


def blurred_picture(upload: Upload) -> str:
    """The blurred thumbnail for a list, with a link to the upload."""
    return format_html(
        '<a href="{}"><img class="blurred" src="{}" alt="{}" width="64" height="64" '
        'loading="lazy"></a>',
        reverse("admin:recognition_upload_change", args=[upload.pk]),
        reverse("admin:recognition_upload_blurred", args=[upload.pk]),
        gettext("Blurred photo"),
    )


class FilledValuesFilter(admin.AllValuesFieldListFilter):
    """Every value that occurs, but for the empty one, which would be a link without a name."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        return (choice for choice in super().choices(changelist) if choice["display"] != "")


class PhotoFilter(admin.SimpleListFilter):
    title = _("photo")
    parameter_name = "photo"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("kept", _("Kept")), ("deleted", _("Deleted by retention setting"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Upload]) -> QuerySet[Upload]:
        if self.value() in {"kept", "deleted"}:
            return queryset.filter(photo_deleted_at__isnull=self.value() == "kept")
        return queryset


@admin.register(Upload)
class UploadAdmin(admin.ModelAdmin):
    list_display = (
        "picture", "created_at", "owner", "status", "expressions", "size", "model_version",
        "error_code",
    )  # fmt: skip
    list_display_links = ("created_at",)
    list_filter = (
        "status", PhotoFilter, ("error_code", FilledValuesFilter),
        ("model_version", FilledValuesFilter), "created_at",
    )  # fmt: skip
    list_select_related = ("owner",)
    list_per_page = 25
    show_full_result_count = False
    search_fields = ("id", "owner__email", "sha256")
    date_hierarchy = "created_at"
    view_on_site = False
    actions = ("retry", "rerun")
    change_form_template = "admin/recognition/upload/change_form.html"
    fields = readonly_fields = (
        "id", "owner", "status", "error_code", "error_message", "attempts", "width", "height",
        "size", "sha256", "model_version", "created_at", "finished_at", "photo_deleted_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        return super().get_queryset(request).prefetch_related("predictions")

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<uuid:pk>/blurred/",
                self.admin_site.admin_view(require_safe(self.blurred_view)),
                name="recognition_upload_blurred",
            ),
            path(
                "<uuid:pk>/photo/",
                self.admin_site.admin_view(require_POST(self.photo_view)),
                name="recognition_upload_photo",
            ),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_view_photo_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("recognition.view_photo")

    # Columns

    @admin.display(description=_("photo"))
    def picture(self, upload: Upload) -> str:
        return blurred_picture(upload)

    @admin.display(description=_("faces"))
    def expressions(self, upload: Upload) -> str:
        return ", ".join(model_expression(face) for face in upload.faces)

    @admin.display(description=_("size"), ordering="stored_bytes")
    def size(self, upload: Upload) -> str:
        return filesizeformat(upload.stored_bytes)

    # Photos

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {"may_view_photo": self.has_view_photo_permission(request)}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def blurred_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """The thumbnail, made unrecognizable here: the sharp one does not leave the server."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        upload = get_object_or_404(Upload, pk=pk)
        try:
            with upload.thumbnail.open("rb") as file:
                blurred = images.blurred(file.read())
        except (ValueError, FileNotFoundError, ImageError):
            raise Http404 from None
        return HttpResponse(blurred, content_type="image/jpeg")

    def photo_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """The photo within this one answer, after its owner's audit trail says so.

        The picture has no address of its own: nothing can be bookmarked, shared or fetched again
        without another line in the trail.
        """
        if not self.has_view_photo_permission(request):
            raise PermissionDenied
        upload = get_object_or_404(Upload.objects.select_related("owner"), pk=pk)
        try:
            with upload.image.open("rb") as file:
                photo = images.reduced(file.read(), PHOTO_SIDE)
        except (ValueError, FileNotFoundError, ImageError):
            messages.error(request, _("The photo has been deleted."))
            return redirect("admin:recognition_upload_change", pk)
        audit.record(
            "photo_viewed_by_staff",
            upload.owner,
            actor=signed_in(request),
            target=f"upload:{upload.pk}",
        )
        context = {
            **self.admin_site.each_context(request),
            "title": _("Photo"),
            "opts": self.opts,
            "upload": upload,
            "photo": f"data:image/jpeg;base64,{base64.b64encode(photo).decode()}",
        }
        return TemplateResponse(request, "admin/recognition/upload/photo.html", context)

    # Actions

    @admin.action(description=_("Retry failed uploads"), permissions=["change"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        count = uploads.retry_uploads(_plain(queryset))
        text = ngettext("Retrying %(count)d upload.", "Retrying %(count)d uploads.", count)
        self.message_user(request, text % {"count": count})

    @admin.action(
        description=_("Re-run finished uploads with the current model"), permissions=["change"]
    )
    def rerun(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        count = uploads.rerun_uploads(_plain(queryset))
        text = ngettext("Retrying %(count)d upload.", "Retrying %(count)d uploads.", count)
        self.message_user(request, text % {"count": count})

    def delete_model(self, request: HttpRequest, obj: Upload) -> None:
        uploads.delete_uploads(Upload.objects.filter(pk=obj.pk), signed_in(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        uploads.delete_uploads(_plain(queryset), signed_in(request))


def _plain(queryset: QuerySet[Upload]) -> UploadQuerySet:
    """The same uploads without the list's joins and order."""
    return Upload.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
