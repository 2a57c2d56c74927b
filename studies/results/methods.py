"""The paragraph on methods, from what was really done; in English and German."""

from __future__ import annotations

from collections import Counter
from statistics import median

from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recognition.model_registry.catalogue import manifest_of
from recognition.model_registry.figures import figures_of
from studies.results import bootstrap, software
from studies.results.curves import HZ
from studies.results.loading import StudyData
from studies.results.rules import Reason

LANGUAGES = ("en", "de")


def paragraph(data: StudyData) -> str:
    """What a paper may say of how the figures came about, in the reader's language."""
    sentences = [
        _people(data),
        _exclusions(data),
        _recording(data),
        *_models(data),
        _(
            "Probabilities were put on a grid of %(hz)d points per second by linear interpolation; "
            "gaps were left as gaps. Group means are means over participants, with "
            "%(level)d %% intervals by a percentile bootstrap over participants "
            "(%(resamples)s resamples)."
        )
        % {
            "hz": HZ,
            "level": round(100 * bootstrap.LEVEL),
            "resamples": number_format(bootstrap.RESAMPLES, force_grouping=True),
        },
        _("Software: %(name)s %(version)s.") % {"name": software.NAME, "version": software.VERSION},
        _("The labels are apparent expressions as a model reads them, not feelings."),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def in_both_languages(data: StudyData) -> str:
    """The paragraph in English and German, ready to be checked and pasted."""
    parts = []
    for language in LANGUAGES:
        with translation.override(language):
            parts.append(paragraph(data))
    return "\n\n".join(parts) + "\n"


def _figure(value: float, digits: int) -> str:
    """A number as the language writes it; Django alone would cut digits off, not round."""
    return number_format(round(value, digits), digits)


def _people(data: StudyData) -> str:
    n = len(data.participants)
    text = ngettext(
        "%(n)d participant took part by webcam; %(included)d were analysed.",
        "%(n)d participants took part by webcam; %(included)d were analysed.",
        n,
    )
    withdrew = data.study.n_withdrawn
    more = ngettext(
        "%(n)d participant withdrew, and all of their data were deleted.",
        "%(n)d participants withdrew, and all of their data were deleted.",
        withdrew,
    )
    sentence = text % {"n": n, "included": len(data.included)}
    return f"{sentence} {more % {'n': withdrew}}" if withdrew else sentence


def _exclusions(data: StudyData) -> str:
    found = Counter(reason for one in data.participants for reason in one.excluded)
    if not found:
        return _("Nobody was excluded.")
    rules = data.rules
    texts = {
        Reason.NOT_FINISHED: _("did not finish: %(n)d"),
        Reason.NO_DATA: _("nothing was recorded: %(n)d"),
        Reason.FEW_FACES: _("a face in less than %(limit)s %% of the frames: %(n)d"),
        Reason.FEW_FRAMES: _("fewer than %(limit)s frames per second: %(n)d"),
    }
    limits = {
        Reason.FEW_FACES: _figure(100 * rules.least_face_share, 1),
        Reason.FEW_FRAMES: _figure(rules.least_frames_per_second, 1),
    }
    listed = "; ".join(
        text % {"n": found[reason], "limit": limits.get(reason, "")}
        for reason, text in texts.items()
        if found[reason]
    )
    return _("Excluded by rule (several may apply): %(reasons)s.") % {"reasons": listed}


def _recording(data: StudyData) -> str:
    rates = [one.quality.frames_per_second for one in data.included]
    shares = [one.quality.face_share for one in data.included]
    known_rates = [rate for rate in rates if rate is not None]
    known_shares = [share for share in shares if share is not None]
    if not known_rates or not known_shares:
        return ""
    return _(
        "Frames were analysed while they came and were not stored: a median of %(rate)s frames per "
        "second and participant (range %(low)s to %(high)s), of which a median of %(share)s %% "
        "showed a face."
    ) % {
        "rate": _figure(median(known_rates), 1),
        "low": _figure(min(known_rates), 1),
        "high": _figure(max(known_rates), 1),
        "share": _figure(100 * median(known_shares), 1),
    }


def _models(data: StudyData) -> list[str]:
    versions = {
        one.participation.recording.model_version
        for one in data.included
        if one.participation.recording is not None
    }
    sentences = []
    for version in sorted(filter(None, versions)):
        sentences.append(
            _("Expressions (%(labels)s) were read by the model %(version)s.")
            % {"labels": ", ".join(data.labels), "version": version}
        )
        manifest = manifest_of(version)
        for figures in figures_of(manifest) if manifest else []:
            sentences.append(
                _(
                    "On %(n)s test images labelled by %(source)s its accuracy is "
                    "%(accuracy)s %% (macro F1 %(f1)s, expected calibration error %(error)s)."
                )
                % {
                    "n": number_format(figures.n, force_grouping=True),
                    "source": figures.source,
                    "accuracy": _figure(100 * figures.accuracy, 1),
                    "f1": _figure(figures.macro_f1, 3),
                    "error": _figure(figures.expected_calibration_error, 3),
                }
            )
    return sentences
