"""The review: one face at a time, and what its owner says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.http import signed_in
from recognition.models import Prediction
from recognition.uploads import corrections
from recognition.uploads.review import ALL, ONE_DETECTOR, UNSURE, WANTED, Queue
from recognition.wording import LABEL_NAMES

if TYPE_CHECKING:
    from accounts.models import User


class ReviewPlace(forms.Form):
    """Which queue, and where in it; the ids are those of faces.

    Of `at`, `after` and `before` one is given, or none for the first face. `done` is the face that
    was answered last, to take the answer back.
    """

    of = forms.ChoiceField(required=False, choices=[(wanted, wanted) for wanted in WANTED])
    photo = forms.UUIDField(required=False)
    at = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    after = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    done = forms.IntegerField(required=False, min_value=1, max_value=2**62)

    def queue(self, owner: User) -> Queue:
        return Queue(owner, self.cleaned_data["of"] or UNSURE, self.cleaned_data["photo"])

    def face(self, queue: Queue) -> Prediction | None:
        """The face to show; None at the end. A place that is gone is the start."""
        for name in ("at", "after", "before"):
            pk = self.cleaned_data[name]
            place = queue.find(pk) if pk else None
            if place is not None:
                return place if name == "at" else getattr(queue, name)(place)
        return queue.first()


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def review(request: HttpRequest) -> HttpResponse:
    """Show the face at a place of a queue; or, by POST, take down what one's ``face`` shows."""
    place = ReviewPlace(request.GET)
    if not place.is_valid():
        raise Http404
    queue = place.queue(signed_in(request))
    if request.method == "POST":
        return _answer(request, queue)
    face = place.face(queue)
    done = place.cleaned_data["done"]
    context: dict[str, Any] = {
        "queue": queue,
        "face": face,
        "left": queue.waiting().count(),
        "answered": queue.find(done) if done else None,
        "tabs": [(wanted, name, address(queue, of=wanted)) for wanted, name in _names().items()],
        "here": address(queue),
    }
    if face is not None:
        context |= {
            "upload": face.upload,
            "next_address": address(queue, after=face.pk),
            "previous_address": address(queue, before=face.pk) if queue.before(face) else "",
        }
    return render(request, "recognition/review.html", context)


def address(queue: Queue, of: str = "", **place: int) -> str:
    """The address of a place in a queue."""
    values = {"of": of or queue.wanted, **({"photo": queue.photo} if queue.photo else {}), **place}
    return f"{reverse('review')}?{urlencode(values)}"


def _names() -> dict[str, str]:
    """What can be chosen, and what it is called."""
    one = {ONE_DETECTOR: _("Seen by one detector")} if settings.DETECTOR == "both" else {}
    labels = {label: str(name) for label, name in LABEL_NAMES.items()}
    return {UNSURE: _("Not sure"), **one, ALL: _("All"), **labels}


def _answer(request: HttpRequest, queue: Queue) -> HttpResponse:
    sent = request.POST.get("face", "")
    is_number = sent.isascii() and sent.isdigit() and len(sent) < 19
    face = queue.find(int(sent)) if is_number else None
    if face is None:
        raise Http404
    label = request.POST.get("label", "")
    try:
        corrections.correct(face, label, queue.owner)
    except corrections.CorrectionError as error:
        messages.error(request, str(error))
        return redirect(address(queue, at=face.pk))
    except Prediction.DoesNotExist:
        raise Http404 from None
    if not label:
        return redirect(address(queue, at=face.pk))
    return redirect(address(queue, after=face.pk, done=face.pk))
