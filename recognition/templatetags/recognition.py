"""How results are written on pages."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple

from django import template
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from recognition import wording
from recognition.faces import probabilities as probabilities_of
from recognition.models import Prediction, Upload, Video
from recognition.uploads import heat_maps, trash
from recognition.videos import keeping
from recognition.wording import CORRECTION_ICONS, CORRECTION_NAMES, REJECTION_TEXTS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

register = template.Library()

#: Badges of one photo; the faces beyond are only counted.
MOST_BADGES = 3

#: A part of a heat map in words; left and right as the picture shows them.
_PARTS = {
    "upper-left": gettext_lazy("the top left"),
    "upper-center": gettext_lazy("the top centre"),
    "upper-right": gettext_lazy("the top right"),
    "middle-left": gettext_lazy("the left"),
    "middle-center": gettext_lazy("the centre"),
    "middle-right": gettext_lazy("the right"),
    "lower-left": gettext_lazy("the bottom left"),
    "lower-center": gettext_lazy("the bottom centre"),
    "lower-right": gettext_lazy("the bottom right"),
}


@register.filter
def label_name(label: str) -> str:
    """What people call a label."""
    return str(CORRECTION_NAMES.get(label, label))


@register.filter
def kept_until(video: Video) -> datetime | None:
    """When a kept video goes by itself; None where it stays until its owner deletes it."""
    return keeping.until(video)


@register.filter
def expression(face: Prediction) -> str:
    """What the page calls a face's expression: what its owner says, else what the model says."""
    return label_name(face.correction) if face.correction else model_expression(face)


@register.filter
def model_expression(face: Prediction) -> str:
    """What the model says: one name, or two where it is not sure."""
    if not face.uncertain:
        return label_name(face.label)
    first, *others = (label_name(label) for label in face.likeliest)
    if not others:
        return first
    return _("Not sure: %(first)s or %(second)s") % {"first": first, "second": others[0]}


@register.filter
def expression_colour(face: Prediction) -> str:
    """The key of the colour an expression is shown in; doubt has one of its own."""
    return "unsure" if face.uncertain and not face.correction else face.effective_label


@register.filter
def label_icon(label: str) -> str:
    """The picture of a label; an open question has none of its own."""
    return CORRECTION_ICONS.get(label, "info-circle")


@register.filter
def probabilities(face: Prediction) -> list[tuple[str, float]]:
    """What the model gives each label that it knows, in the order of the labels."""
    return list(probabilities_of(face).items())


@register.filter
def shows_confidence(face: Prediction) -> bool:
    """Whether the model's probability belongs beside the expression that is shown."""
    return not face.uncertain and not face.correction


@register.filter
def short_expression(face: Prediction) -> str:
    """What fits beside a face's number: one name, with a question mark where it is open."""
    is_open = face.uncertain and not face.correction
    return f"{label_name(face.effective_label)}{'?' if is_open else ''}"


class Choice(NamedTuple):
    """Something that a face can be said to show, and the key that says so."""

    label: str
    name: StrOrPromise
    key: str
    is_the_models: bool


@register.filter
def choices(face: Prediction) -> list[Choice]:
    """What a face can be corrected to or confirmed as, in the order of the keys, from 1 to 0."""
    said = "" if face.uncertain or face.rejected else face.label
    return [choice._replace(is_the_models=choice.label == said) for choice in all_choices()]


@register.simple_tag
def all_choices() -> list[Choice]:
    """What any face can be said to show."""
    return [
        Choice(label, name, "0" if label == Prediction.NOT_A_FACE else f"{number}", False)
        for number, (label, name) in enumerate(CORRECTION_NAMES.items(), start=1)
    ]


@register.simple_tag
def all_expressions() -> list[Choice]:
    """What a spot that is a face after all can be said to show."""
    return [choice for choice in all_choices() if choice.label != Prediction.NOT_A_FACE]


@register.filter
def expression_counts(faces: list[Prediction]) -> list[tuple[str, str, int]]:
    """How many of a photo's faces show what: key of the colour, name, count."""
    counts = Counter(expression_colour(face) for face in faces)
    names = {**CORRECTION_NAMES, "unsure": _("Not sure")}
    return [(key, str(name), counts[key]) for key, name in names.items() if counts[key]]


class LabelCount(NamedTuple):
    """One badge of a photo: an expression, and of how many of its faces.

    `share` is the model's probability where the photo has one face and the model named it.
    """

    colour: str
    name: str
    number: int
    share: float | None
    is_corrected: bool


class UploadLabels(NamedTuple):
    """The badges of a photo, and how many faces have none of them."""

    shown: list[LabelCount]
    more: int


@register.simple_tag
def upload_labels(upload: Upload, first: str = "") -> UploadLabels:
    """What a photo's faces show, most frequent first; before all, the label filtered for."""
    faces = upload.counted_faces
    if len(faces) == 1:
        (face,) = faces
        share = face.confidence if shows_confidence(face) else None
        said = bool(face.correction)
        return UploadLabels(
            [LabelCount(expression_colour(face), expression(face), 1, share, said)], 0
        )
    counts = expression_counts(faces)
    counts.sort(key=lambda entry: (entry[0] != first, -entry[2]))
    shown = [LabelCount(*entry, None, False) for entry in counts[:MOST_BADGES]]
    return UploadLabels(shown, sum(count for _key, _name, count in counts[MOST_BADGES:]))


@register.simple_tag
def has_trash() -> bool:
    """Whether deleting a photo can be undone."""
    return trash.days() > 0


@register.filter
def days_left(upload: Upload) -> int:
    """For how many more days a photo stays in the trash, at least 1: the sweep comes later."""
    return max(1, ceil((trash.gone_at(upload) - timezone.now()) / timedelta(days=1)))


@register.filter
def rejection_text(face: Prediction) -> str:
    """Why a spot is not counted as a face."""
    return str(REJECTION_TEXTS.get(face.rejected, face.rejected))


@register.filter
def failure_text(upload: Upload) -> str:
    """Why an upload failed."""
    return wording.stored_text(upload.error_message)


@register.filter
def stored_text(text: str) -> str:
    """A sentence that a worker stored in English."""
    return wording.stored_text(text)


@register.filter
def heat_map_part(face: Prediction) -> str:
    """The part of a face's heat map that is brightest, in words; empty where none stands out."""
    words = heat_maps.words(face)
    return str(_PARTS[words.part]) if words and words.part else ""


@register.filter
def heat_map_text(face: Prediction) -> str:
    """What a face's heat map says, for those who see it and those who do not."""
    words = heat_maps.words(face)
    if words is None:
        return ""
    values = {
        "label": label_name(face.label),
        "before": percent(words.confidence),
        "after": percent(max(0.0, words.confidence - words.drop)),
    }
    if words.part is None:
        return (
            _(
                "No single area decided “%(label)s”: it stays at %(after)s or higher whichever "
                "part is covered."
            )
            % values
        )
    return _(
        "%(part)s mattered most: covering it drops “%(label)s” from %(before)s to %(after)s."
    ) % {**values, "part": capfirst(str(_PARTS[words.part]))}


@register.filter
def percent(share: float) -> str:
    """A share from 0 to 1 as a percentage that never claims certainty."""
    if share >= 0.995:
        return pgettext("percentage", ">%(number)s%%") % {"number": 99}
    return time_share(share)


@register.filter
def exact_percent(share: float) -> str:
    """A measured share from 0 to 1, to a tenth of a percent."""
    return _with_sign(number_format(round(share * 100, 1), 1))


@register.filter
def time_share(share: float) -> str:
    """A share of a length of time, from 0 to 1, as a percentage."""
    if 0 < share < 0.005:
        return pgettext("percentage", "<%(number)s%%") % {"number": 1}
    # Halves upwards, as static/js/percent.js does.
    return _with_sign(str(floor(share * 100 + 0.5)))


def _with_sign(number: str) -> str:
    """A number with the per cent sign as the language sets it, so that no line breaks between."""
    return pgettext("percentage", "%(number)s%%") % {"number": number}


@register.filter
def plain(number: float) -> str:
    """A number as HTML attributes take it, whatever the language."""
    return f"{number:.4f}"


@register.filter
def clock(seconds: float) -> str:
    """A length of time as 1:05 or 1:02:05."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


@register.simple_tag
def face_tag(face: Prediction, upload: Upload) -> dict[str, float]:
    """Where the tag of a box is on the photo, until a script measures and places it.

    Returns:
        Its upper left corner in the photo's pixels, pixels of the photo to one of the tag, and in
        the tag's own pixels its width and where its label starts.
    """
    scale = upload.width / 640
    label_x = 7 if len(upload.faces) == 1 else 14 + 8 * len(str(face.index + 1))
    is_crowded = len(upload.faces) > 4
    width = label_x if is_crowded else label_x + 26 + 8 * len(short_expression(face))
    above = face.y - 24 * scale
    return {
        "x": max(0, min(face.x, upload.width - width * scale)),
        "y": above if above > 0 else face.y,
        "scale": scale,
        "width": width,
        "label_x": label_x,
    }


@register.simple_tag
def turned_upright(face: Prediction) -> str:
    """What turns the photo so that a face stands upright, as an SVG transformation."""
    x, y = face.x + face.width / 2, face.y + face.height / 2
    return f"rotate({-face.roll:g} {x:g} {y:g})"


@register.simple_tag
def face_view(face: Prediction, upload: Upload) -> str:
    """The part of the photo that shows a face with some space round it, as an SVG view box."""
    margin = round(max(face.width, face.height) * 0.25)
    left, top = max(0, face.x - margin), max(0, face.y - margin)
    right = min(upload.width, face.x + face.width + margin)
    bottom = min(upload.height, face.y + face.height + margin)
    return f"{left} {top} {right - left} {bottom - top}"
