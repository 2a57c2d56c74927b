"""What describes the interface, and the answer to addresses that it does not have."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from recognition.api import operation_list, schema
from recognition.api.errors import CONTENT_TYPE, KINDS, Problem


# Hundreds of kilobytes, with nothing in them that is anybody's: compressing gives nothing away.
@method_decorator(gzip_page, name="dispatch")
class SchemaView(SpectacularAPIView):
    """The OpenAPI description, for everybody."""

    permission_classes = [AllowAny]

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        language = request.GET.get("lang", "")
        if language not in dict(settings.LANGUAGES):
            language = get_language() or settings.LANGUAGE_CODE
        renderer = request.accepted_renderer
        name = f'inline; filename="{self._get_filename(request, None)}"'
        return HttpResponse(
            _description(language, renderer.media_type),
            content_type=f"{renderer.media_type}; charset=utf-8",
            headers={"Content-Disposition": name},
        )


@cache
def _description(language: str, media_type: str) -> str | bytes:
    """Made once in each process: it takes a second, and is the same for everybody."""
    (renderer,) = (one() for one in SchemaView.renderer_classes if one.media_type == media_type)
    with override(language):
        described = schema.describe()
    return renderer.render(described)


class DocsView(SpectacularSwaggerSplitView):
    """A page that lists the operations; those who ask get Swagger UI, to try them."""

    permission_classes = [AllowAny]
    url_name = "api-schema"
    template_name = "api/docs.html"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().get(request, *args, **kwargs)
        if "script" in request.GET:
            return answer
        url = settings.SITE_URL + reverse("api-upload-list")
        answer.data["example"] = (
            f'curl -H "Authorization: Bearer $VISAGE_TOKEN" -F image=@photo.jpg "{url}?wait=30"'
        )
        answer.data["groups"] = list(operation_list.groups())
        return answer


@require_safe
def errors(request: HttpRequest) -> HttpResponse:
    """What each code means; the `type` of every problem leads here."""
    return render(request, "api/errors.html", {"kinds": KINDS})


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    """There is no such address; a reader who left off the last slash is helped on."""
    if not request.path.endswith("/"):
        try:
            is_known = resolve(f"{request.path}/").func is not unknown
        except Resolver404:
            is_known = False
        if is_known and request.method in {"GET", "HEAD"}:
            query = request.META.get("QUERY_STRING", "")
            return HttpResponseRedirect(f"{request.path}/{'?' if query else ''}{query}")
    detail = _("Not found. URLs end with a slash.")
    problem = Problem(404, "not_found", detail)
    return JsonResponse(problem.as_dict(request), status=404, content_type=CONTENT_TYPE)
