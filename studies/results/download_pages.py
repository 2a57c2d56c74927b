"""The downloads of a study, for its team."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.http import signed_in
from operations.streaming import HELD, piecewise, piecewise_bytes
from studies import access
from studies.models import Study
from studies.results import archive, codebook, methods, software, stimuli
from studies.results.downloads import FILES
from studies.results.loading import load_for

if TYPE_CHECKING:
    from accounts.models import User

ARCHIVE = "study.zip"
#: Bytes that a download holds while it is read: pieces, and what is known of each participant.
HELD_ALWAYS, HELD_A_PARTICIPANT = 256 * 1024, 3 * 1024
#: Beside the CSV files and the archive.
TEXTS = {
    "methods.txt": "text/plain; charset=utf-8",
    "codebook.md": "text/markdown; charset=utf-8",
    "CITATION.cff": "text/plain; charset=utf-8",
}


@require_safe
@login_required
def download(request: HttpRequest, pk: UUID, file: str) -> HttpResponseBase:
    """One file, or all of them as an archive; long ones are made while they are sent."""
    study = access.readable(signed_in(request), pk)
    if file not in {ARCHIVE, *TEXTS, *FILES}:
        raise Http404
    response: HttpResponseBase
    if file == "codebook.md":
        return _named(
            study,
            file,
            HttpResponse(
                codebook.as_markdown(one.row for one in stimuli.of(study.blocks.all())),
                content_type=TEXTS[file],
            ),
        )
    if file == "CITATION.cff":
        return _named(study, file, HttpResponse(software.CITATION, content_type=TEXTS[file]))
    data = load_for(signed_in(request), study, has_curves=False)
    if request.method != "HEAD":
        written_down(study, signed_in(request), file)
    if file in FILES:
        pieces = piecewise(FILES[file](data))
        response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    elif file == ARCHIVE:
        # The texts now, in the thread of the request: they are in its language.
        zipped = archive.zipped(list(archive.members(data)))
        response = StreamingHttpResponse(piecewise_bytes(zipped), content_type="application/zip")
    else:
        response = HttpResponse(methods.in_both_languages(data), content_type=TEXTS[file])
    response[HELD] = str(HELD_ALWAYS + HELD_A_PARTICIPANT * len(data.participants))
    return _named(study, file, response)


def written_down(study: Study, actor: User, file: str) -> None:
    """Let the study's owner see that results of theirs left the site, and what of them."""
    audit.record_hourly("study_downloaded", study.owner, actor, f"study:{study.pk}", file=file)


def _named(study: Study, file: str, response: HttpResponseBase) -> HttpResponseBase:
    name = f"study-{str(study.pk)[:8]}-{file}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
