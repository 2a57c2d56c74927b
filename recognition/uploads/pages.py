"""The pages: one's uploads, and what was seen in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts import audit
from accounts.http import signed_in
from operations.private_files import private_file
from operations.streaming import piecewise
from recognition import quotas
from recognition.dates import read_moment
from recognition.models import Prediction, Upload, UploadQuerySet
from recognition.refusals import Refusal
from recognition.uploads import actions, corrections, drawing, reports, samples
from recognition.uploads.forms import ORDERS, DrawnBox, HistoryFilter
from recognition.uploads.trash_pages import discard
from recognition.vision import images
from recognition.vision.decoding.pool import Patience
from recognition.vision.errors import ImageError
from recognition.vision.types import BoundingBox
from recognition.wording import LABEL_NAMES, refusal_text

UPLOADS_PER_PAGE = 24
#: Content type and writer of what the history downloads, by its ending.
EXPORTS: dict[str, tuple[str, Callable[[Iterable[reports.Reported]], Iterator[str]]]] = {
    "csv": ("text/csv", reports.csv_export),
    "json": ("application/json", reports.json_export),
}
RECENT_UPLOADS = 6
#: What the model that ships says of the first page's example.
EXAMPLE = {"happy": 0.999, "sad": 0.001, "surprise": 0.001, "neutral": 0.001, "other": 0.001}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """A place to drop photos for those signed in; what this is for everybody else."""
    if not request.user.is_authenticated:
        return render(request, "recognition/welcome.html", {"example": EXAMPLE})
    recent = _own(request).prefetch_related("predictions")[:RECENT_UPLOADS]
    context = {
        "recent": recent,
        "maximum_bytes": settings.PHOTO_MAXIMUM_BYTES,
        "maximum_megabytes": settings.PHOTO_MAXIMUM_BYTES // (1024 * 1024),
        "formats": _(images.ACCEPTED_FORMATS_TEXT),
        "label_names": LABEL_NAMES.items(),
    }
    return render(request, "recognition/home.html", context)


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """What the predictions mean, what they do not, and what happens with photos."""
    return render(request, "recognition/about.html")


@require_POST
@login_required
def new_uploads(request: HttpRequest) -> HttpResponse:
    """The plain form: many photos at once, each accepted or refused on its own."""
    accepted = []
    files = request.FILES.getlist("images")
    patience = Patience()
    for file in files:
        try:
            accepted.append(actions.create_upload(signed_in(request), file, patience=patience))
        except ImageError as error:
            name = actions.clean_name(file.name or "")
            messages.error(
                request, _("%(name)s: %(reason)s") % {"name": name, "reason": refusal_text(error)}
            )
        except Refusal as error:
            # Whatever comes after may be smaller, but a list of refusals helps nobody.
            messages.error(request, str(error))
            break
    if not files:
        messages.error(request, _("Choose at least one photo."))
        return redirect("home")
    if accepted:
        messages.success(
            request,
            ngettext("%(count)d photo uploaded.", "%(count)d photos uploaded.", len(accepted))
            % {"count": len(accepted)},
        )
    return redirect(accepted[0] if len(accepted) == 1 == len(files) else "history")


@require_safe
@login_required
def shared_photos(request: HttpRequest) -> HttpResponse:
    """Where photos come that are shared with the installed app.

    The service worker takes them from the request and leads here; they wait in the browser until
    somebody is signed in and says on the upload page that they are to be uploaded. Other sites can
    send forms here as well: without that click nothing leaves the browser.
    """
    return redirect("home")


@require_POST
@login_required
def sample_upload(request: HttpRequest) -> HttpResponse:
    """Upload the ``sample`` that was asked for to one's own account, and show it."""
    sample = request.POST.get("sample", "")
    if sample not in samples.SAMPLES:
        raise Http404
    try:
        return redirect(samples.add(signed_in(request), sample))
    except Refusal as error:
        messages.error(request, str(error))
        return redirect("home")


@require_safe
@login_required
def history(request: HttpRequest) -> HttpResponse:
    """One's uploads by day, or in the order that was asked for."""
    shown_at = timezone.now()
    form = HistoryFilter(request.GET)
    order = request.GET.get("sort", "")
    order = order if order in ORDERS else "new"
    found = form.apply(_own(request)).order_by(*ORDERS[order][1])
    page = Paginator(found, UPLOADS_PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = page.object_list.prefetch_related("predictions")  # type: ignore[attr-defined]
    query = request.GET.copy()
    query.pop("page", None)
    label = form.cleaned_data.get("label", "")
    context = {
        "page": page,
        "form": form,
        "query": query.urlencode(),
        "photo_query": form.query,
        "label": label,
        "expressions": LABEL_NAMES,
        "chips": _chips(query),
        "order": order,
        "orders": [(value, name) for value, (name, _columns) in ORDERS.items()],
        "shown_at": shown_at.isoformat(),
        "has_failed": _own(request).filter(status=Upload.Status.FAILED).exists(),
    }
    return render(request, "recognition/history.html", context)


@require_safe
@login_required
def upload_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One photo with its faces."""
    upload = _own_upload(request, pk)
    # Which face's heat map was just asked for, so that the page says so until it is there.
    explaining = request.GET.get("explaining", "")
    form = HistoryFilter(request.GET)
    newer, older = form.apply(_own(request)).around(upload)
    context = {
        "upload": upload,
        "explaining": explaining,
        "opened": explaining or request.GET.get("face", ""),
        "newer": newer,
        "older": older,
        "query": form.query,
    }
    return render(request, "recognition/upload_detail.html", context)


@require_safe
@login_required
def upload_image(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    return private_file(get_object_or_404(_own(request), pk=pk).image)


@require_safe
@login_required
def upload_thumbnail(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    # Asked for by every card of a page, the trash's included: without the predictions.
    upload = get_object_or_404(Upload.with_trash.for_owner(request.user), pk=pk)
    if not upload.thumbnail:
        return HttpResponse(images.blank(upload.width, upload.height), content_type="image/jpeg")
    return private_file(upload.thumbnail)


@require_POST
@login_required
def explain_face(request: HttpRequest, pk: UUID, index: int) -> HttpResponse:
    """Ask which parts of a face carried its label."""
    upload = _own_upload(request, pk)
    face = get_object_or_404(upload.predictions, index=index, rejected="")
    anchor = f"#face-{index + 1}"
    try:
        if not face.heat_map and not upload.image:
            messages.error(request, _("The photo has been deleted, so it can’t be analysed again."))
        elif not actions.explain_face(face):
            messages.error(request, _("Couldn’t compute that right now. Try again later."))
        else:
            return redirect(f"{upload.get_absolute_url()}?explaining={index}{anchor}")
    except quotas.QuotaExceeded as error:
        messages.error(request, str(error))
    return redirect(f"{upload.get_absolute_url()}{anchor}")


@require_safe
@login_required
def face_heat_map(request: HttpRequest, pk: UUID, index: int) -> HttpResponseBase:
    face = get_object_or_404(_own_upload(request, pk).predictions, index=index)
    if not face.heat_map:
        raise Http404
    return private_file(face.heat_map, "image/png")


@require_POST
@login_required
def retry_upload(request: HttpRequest, pk: UUID) -> HttpResponse:
    upload = _own_upload(request, pk)
    if upload.photo_deleted_at is not None:
        messages.error(request, _("The photo has been deleted, so it can’t be retried."))
    actions.retry_uploads(_own(request).filter(pk=pk))
    return redirect(upload)


@require_POST
@login_required
def selected_uploads(request: HttpRequest) -> HttpResponse:
    """Delete or retry those ticked in the history; ids of others' uploads count as not there."""
    chosen = _chosen(request)
    if not chosen.exists():
        messages.info(request, _("Select some photos first."))
        return redirect("history")
    if request.POST.get("action") != "retry":
        return discard(request, chosen, back=reverse("history"))
    count = actions.retry_uploads(chosen)
    text = ngettext("Retrying %(count)d photo.", "Retrying %(count)d photos.", count)
    messages.success(request, text % {"count": count})
    return redirect("history")


@require_POST
@login_required
def correct_face(request: HttpRequest, pk: UUID, face: int) -> HttpResponse:
    """What one's face shows, as ``label``; empty takes a correction back."""
    upload = _own_upload(request, pk)
    prediction = get_object_or_404(upload.predictions, pk=face)
    try:
        corrections.correct(prediction, request.POST.get("label", ""), signed_in(request))
    except corrections.CorrectionError as error:
        messages.error(request, str(error))
    except Prediction.DoesNotExist:
        raise Http404 from None
    place = f"?face={prediction.index}#face-{prediction.index + 1}"
    return redirect(f"{upload.get_absolute_url()}{place}")


@require_POST
@login_required
def draw_face(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A face that was missed: its box, and what it shows as ``label``."""
    upload = _own_upload(request, pk)
    form = DrawnBox(request.POST)
    if not form.is_valid():
        messages.error(request, _("This box is not inside the photo."))
        return redirect(upload)
    box = BoundingBox(**form.cleaned_data)
    try:
        face = drawing.draw(upload, box, request.POST.get("label", ""), signed_in(request))
    except (corrections.CorrectionError, quotas.QuotaExceeded) as error:
        messages.error(request, str(error))
        return redirect(upload)
    except Upload.DoesNotExist:
        raise Http404 from None
    return redirect(f"{upload.get_absolute_url()}?face={face.index}#face-{face.index + 1}")


@require_safe
@login_required
def export(request: HttpRequest, file_format: str) -> StreamingHttpResponse:
    """The history, filtered as on its page, as a CSV or JSON file."""
    found = HistoryFilter(request.GET).apply(_own(request))
    return _export(request, found, file_format, "predictions")


@require_safe
@login_required
def export_upload(request: HttpRequest, pk: UUID, file_format: str) -> StreamingHttpResponse:
    """One upload's faces as a CSV or JSON file."""
    _own_upload(request, pk)
    found = _own(request).filter(pk=pk)
    return _export(request, found, file_format, f"prediction-{pk}", f"upload:{pk}")


def _chips(query: QueryDict) -> list[tuple[str, str, str]]:
    """What the history can be narrowed to by one click: value, name, and the address."""
    found = []
    for value, name in HistoryFilter.LABELS:
        narrowed = query.copy()
        narrowed.pop("label", None)
        if value:
            narrowed["label"] = value
        found.append((value, str(name), f"?{narrowed.urlencode()}"))
    return found


def _own(request: HttpRequest) -> UploadQuerySet:
    return Upload.objects.for_owner(signed_in(request))


def _own_upload(request: HttpRequest, pk: UUID) -> Upload:
    return get_object_or_404(_own(request).prefetch_related("predictions"), pk=pk)


def _chosen(request: HttpRequest) -> UploadQuerySet:
    """Those ticked, or ``all`` that a filter shows, but for what has come since it was shown."""
    own = _own(request)
    try:
        if "all" in request.POST:
            shown_at = read_moment(request.POST.get("shown_at", ""))
            if shown_at is None:
                raise Http404
            found = HistoryFilter(QueryDict(request.POST["all"])).apply(own)
            return found.filter(created_at__lte=shown_at)
        return own.filter(pk__in=request.POST.getlist("upload"))
    except (ValueError, ValidationError):
        raise Http404 from None


def _export(
    request: HttpRequest, found: UploadQuerySet, file_format: str, name: str, target: str = ""
) -> StreamingHttpResponse:
    if file_format not in EXPORTS:
        raise Http404
    if request.method != "HEAD":
        person, file = signed_in(request), f"predictions.{file_format}"
        audit.record_hourly("results_downloaded", person, person, target, file=file)
    content_type, write = EXPORTS[file_format]
    text = piecewise(write(reports.in_pieces(found)))
    response = StreamingHttpResponse(text, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}.{file_format}"'
    return response
