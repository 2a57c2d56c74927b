"""Pages of a participant: information, consent, the study itself, its end, and withdrawal."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import httpx
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.addresses import network_of
from operations import asking_again, rates
from studies import access
from studies.models import Block, Participation, Study
from studies.planning import deleting
from studies.planning.files import stimulus_response
from studies.taking_part import joining, keys, leaving, showing, ways
from studies.taking_part.forms import CodeForm, ConsentForm
from studies.taking_part.ways import Way

#: How often one network address may try wrong withdrawal codes, and join: a room of people may
#: share one.
WITHDRAWALS, JOINS = "10/min", "120/h"
_State = Participation.State

View = Callable[..., HttpResponseBase]


def private(view: View) -> View:
    """Nothing of it stays in a cache."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response.headers["Cache-Control"] = "private, no-store"
        return response

    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def preview(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The way for who may change a study to try it."""
    study = access.editable(request.user, pk)
    return redirect(reverse("taking_part:information", args=[study.link_key]) + "?preview=1")


# Before anything is stored ----------------------------------------------------------------------


@require_safe
@private
def information(request: HttpRequest, link_key: str = "", key: str = "") -> HttpResponseBase:
    """What the study is about, and what happens with the camera."""
    way = ways.way(request, link_key, key)
    if (back := _back(request, way)) is not None:
        return back
    try:
        joining.check(way.study, way.link, is_preview=way.is_preview)
    except joining.CannotJoin as error:
        return _stopped(request, way.study, error.reason)
    if request.method == "GET" and not way.is_preview:
        joining.came(way.study)
    context = {
        "way": way,
        "study": way.study,
        "consent_url": _consent_url(way),
        "other_sites": showing.other_sites(way.study),
    }
    return render(request, "taking_part/information.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@private
def consent(request: HttpRequest, link_key: str = "", key: str = "") -> HttpResponseBase:
    """Age and consent; whoever gives both becomes a participant."""
    way = ways.way(request, link_key, key)
    if (back := _back(request, way)) is not None:
        return back
    data = request.POST if request.method == "POST" else None
    form = ConsentForm(
        data,
        minimum_age=way.study.minimum_age,
        initial={"consent_version": way.study.consent_version},
    )
    if data is not None and form.refuses:
        return _stopped(request, way.study, "refused", status=200)
    if data is None and request.GET.get("version") != str(way.study.consent_version):
        # What is agreed to is the information, too, and this version's has not been shown.
        return redirect(way.url("information"))
    try:
        if data is not None and form.is_valid():
            if (wait := rates.too_often("joins", network_of(request), JOINS)) is not None:
                return asking_again.page(request, wait)
            return _joined(request, way, form)
        joining.check(way.study, way.link, is_preview=way.is_preview)
    except joining.CannotJoin as error:
        if error.reason == "changed":
            return redirect(way.url("information"))
        return _stopped(request, way.study, error.reason)
    context = {"way": way, "study": way.study, "form": form, "back_url": way.url("information")}
    response = render(request, "taking_part/consent.html", context)
    if request.method == "GET" and not way.is_preview:
        # Whoever has a link or an id of their own is known by that as well: for them it stays.
        keys.ask(response, way.study, request.COOKIES if way.told_id else {})
    return response


def _consent_url(way: Way) -> str:
    return way.url("consent", version=str(way.study.consent_version))


def _joined(request: HttpRequest, way: Way, form: ConsentForm) -> HttpResponse:
    found = keys.find(way.study, request.COOKIES) if way.is_preview else None
    _participation, key = joining.join(
        way.study,
        language=way.language,
        consent_version=form.cleaned_data["consent_version"],
        browser_key=_browser_key(request, way),
        link=way.link,
        external_id=way.external_id,
        is_preview=way.is_preview,
        last_preview=found[0] if found is not None and found[0].is_preview else None,
    )
    response = redirect("taking_part:run", way.study.pk)
    keys.remember(response, way.study, key)
    return response


def _back(request: HttpRequest, way: Way) -> HttpResponse | None:
    """The way to where somebody was, who is a participant already; None for a new one.

    A device is often shared: a panel's next person, or the owner of another personal link, is
    somebody new.
    """
    found = keys.find(way.study, request.COOKIES)
    # A preview begins anew: the study may be another one since the last.
    if way.is_preview:
        return None
    if found is None or found[0].is_preview:
        return _agreed(request, way)
    if way.link is not None and found[0].personal_link_id != way.link.pk:
        return _agreed(request, way)
    if way.external_id and found[0].external_id != way.external_id:
        return _agreed(request, way)
    # Whoever comes by a link may be the next one at a shared device.
    leaving.hide_code(found[0])
    has_code_to_see = found[0].has_ended and not leaving.has_shown_code(found[0])
    has_ended = found[0].has_ended and not way.external_id
    if way.link is None and (has_ended or has_code_to_see or leaving.is_away(found[0])):
        context = {
            "study": way.study,
            "participation": found[0],
            "has_code_to_see": has_code_to_see,
            "somebody_else_url": way.url("somebody_else"),
        }
        return render(request, "taking_part/again.html", context)
    return redirect("taking_part:run", way.study.pk)


def _agreed(request: HttpRequest, way: Way) -> HttpResponse | None:
    """On to the study for who has agreed, and whose answer with the cookie was lost."""
    key = _browser_key(request, way)
    if key is None or not joining.agreed_before(way.study, key, way.link, way.told_id):
        return None
    response = redirect("taking_part:run", way.study.pk)
    keys.remember(response, way.study, key)
    return response


def _browser_key(request: HttpRequest, way: Way) -> str | None:
    by = f"{way.link.pk if way.link else ''} {way.told_id}"
    return keys.of_browser(way.study, by, request.COOKIES.get(keys.asked_name(way.study.pk), ""))


@require_POST
@private
def somebody_else(request: HttpRequest, link_key: str) -> HttpResponseBase:
    """Whoever came by the open link is another person than who began in this browser.

    They go on by the link that they came by: who has only a participant's cookie may not know it.
    """
    way = ways.way(request, link_key)
    response = redirect(way.url("information"))
    keys.forget(response, way.study)
    return response


def _stopped(request: HttpRequest, study: Study, reason: str, *, status: int = 410) -> HttpResponse:
    """A friendly page for whoever cannot, or does not want to, take part."""
    context = {"study": study, "reason": reason}
    return render(request, "taking_part/stopped.html", context, status=status)


# Taking part ------------------------------------------------------------------------------------


def _mine(request: HttpRequest, pk: UUID) -> tuple[Participation, str]:
    """Whose cookie it is, and the key; their language is active from then on.

    Raises:
        Http404: there is no such study.
        Stranger: it is nobody's, or of a preview by who may not change the study any more.
    """
    study = get_object_or_404(Study, pk=pk)
    found = keys.find(study, request.COOKIES)
    if found is None or (found[0].is_preview and not ways.may_try(request, study)):
        raise Stranger
    ways.speak(request, study, found[0].language)
    return found


class Stranger(Exception):
    """Whoever asks is no participant of this study, or no longer."""


def for_participants(view: View) -> View:
    """Everybody else is told so. The study's links are not: only those who have one know it."""

    @wraps(view)
    def answer(request: HttpRequest, pk: UUID, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, pk, **kwargs)
        except Stranger:
            return render(request, "taking_part/stopped.html", {"reason": "stranger"}, status=410)

    return private(answer)


@require_safe
@for_participants
def run(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Camera check and blocks: one page, so that camera and full screen stay on."""
    participation, _key = _mine(request, pk)
    blocks = joining.blocks_of(participation)
    if len(blocks) != len(participation.sequence):
        # A draft whose blocks were deleted since: the preview begins anew.
        deleting.delete_participations(Participation.objects.filter(pk=participation.pk))
        return redirect("taking_part:preview", pk)
    if leaving.is_too_late(participation):
        leaving.leave(participation)
        participation.state = _State.LEFT
    if participation.has_ended:
        return redirect("taking_part:end", pk)
    context = {
        "study": participation.study,
        "participation": participation,
        "plan": showing.plan(participation, blocks),
        "needs_camera": showing.needs_camera(blocks[participation.place :]),
    }
    response = render(request, "taking_part/run.html", context)
    sources = [_source(block.url) for block in blocks if block.kind == Block.Kind.PAGE]
    frames = [source for source in sources if source]
    response._csp_update = {"frame-src": frames or ["'none'"]}  # type: ignore[attr-defined]
    return response


@require_POST
@for_participants
def token(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """What opens the socket, once and soon."""
    participation, _key = _mine(request, pk)
    return JsonResponse({"token": keys.token_for(participation)})


@require_POST
@for_participants
def leave(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The participant ends before the end."""
    participation, _key = _mine(request, pk)
    leaving.leave(participation)
    return redirect("taking_part:end", pk)


@require_safe
@for_participants
def stimulus(request: HttpRequest, pk: UUID, block: int) -> HttpResponseBase:
    """The file of one of the participant's blocks, while they take part."""
    participation, _key = _mine(request, pk)
    if participation.has_ended or block not in participation.sequence:
        raise Http404
    found = get_object_or_404(Block, pk=block, study_id=participation.study_id)
    return stimulus_response(request, found)


@require_safe
@for_participants
def end(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Thanks, and the withdrawal code until the page is left."""
    participation, key = _mine(request, pk)
    if not participation.has_ended:
        return redirect("taking_part:run", pk)
    study = participation.study
    seconds = leaving.seconds_of_code(participation)
    code = leaving.code_of(participation, key) if seconds else ""
    context = {
        "study": study,
        "participation": participation,
        "is_finished": participation.state == _State.FINISHED,
        "code": code,
        "seconds": seconds,
        "minutes": leaving.CODE_MINUTES,
        "return_url": _return_url(participation),
    }
    return render(request, "taking_part/end.html", context)


@require_POST
@for_participants
def shown(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The page with the code is there, which the server alone cannot know: its time counts."""
    participation, _key = _mine(request, pk)
    if participation.has_ended:
        leaving.code_is_shown(participation)
    return HttpResponse(status=204)


@require_POST
@for_participants
def left(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The page with the code was left: it is not shown again."""
    participation, _key = _mine(request, pk)
    if participation.has_ended:
        leaving.code_is_shown(participation)
    leaving.hide_code(participation)
    return HttpResponse(status=204)


@require_http_methods(["GET", "HEAD", "POST"])
@private
def withdraw(request: HttpRequest) -> HttpResponseBase:
    """Delete all of somebody's data, by their code."""
    form = CodeForm(request.POST or None)
    wait = None
    if request.method == "POST" and form.is_valid():
        study = leaving.withdraw(form.cleaned_data["code"])
        if study is not None:
            response = render(request, "taking_part/withdrawn.html", {"study": study})
            # It may be somebody else's who takes part in this browser.
            if keys.find(study, request.COOKIES) is None:
                keys.forget(response, study)
            return response
        # A class may withdraw together: right codes do not count.
        wait = rates.too_often("withdrawals", network_of(request), WITHDRAWALS)
        if wait is not None:
            error = _("Too many attempts. Wait a minute, then try again.")
        else:
            error = _(
                "No data belongs to this code. Check it letter by letter; if you have already "
                "withdrawn, everything has been deleted."
            )
        form.add_error("code", error)
    answer = render(request, "taking_part/withdraw.html", {"form": form})
    if wait is not None:
        answer.status_code = 429
        for name, value in asking_again.headers(wait).items():
            answer.headers[name] = value
    return answer


def _return_url(participation: Participation) -> str:
    """Where a panel wants its people back; ``{id}`` stands for the id that it gave."""
    url = participation.study.return_url
    if participation.state != _State.FINISHED or participation.is_preview:
        return ""
    return url.replace("{id}", quote(participation.external_id, safe=""))


def _source(url: str) -> str:
    """A URL as a content security policy names it: without what it has no words for."""
    parts = urlsplit(url)
    path = quote(parts.path, safe="/%:@-._~!$&'()*+=")
    # A header with other letters would be no policy at all.
    try:
        host = httpx.URL(url).netloc.decode("ascii")
    except httpx.InvalidURL:
        return ""  # Stored before such were refused; no browser's policy could allow it.
    return f"{parts.scheme}://{host}{path}"
