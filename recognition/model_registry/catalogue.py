"""Which models there are, and which one labels new faces: the one place that decides it.

The operator's choice is a row (:class:`ModelChoice`), so that every process sees it; each looks
for a new one every few seconds. What is chosen stands in the folder of the default manifest.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError
from django.utils.translation import gettext as _

from recognition.models import ModelChoice
from recognition.vision.errors import ModelError
from recognition.vision.manifest import Manifest, read_manifest
from recognition.wording import FIRST_LABELS, LABEL_NAMES

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

#: Choices that are looked at until one is found whose files are still good.
RECENT_CHOICES = 20


@dataclass(frozen=True)
class Candidate:
    """A manifest in the folder of models.

    Attributes:
        name: of its file.
        manifest: None where it cannot be used; then `error` says why.
    """

    name: str
    manifest: Manifest | None
    error: str = ""


@dataclass(frozen=True)
class _Known:
    """What was found active, and when, in seconds of ``time.monotonic``."""

    default: Path
    manifest: Manifest
    checked_at: float


#: Manifests that were read, each with what tells whether its files are still the same.
_read: dict[Path, tuple[tuple[int, ...], Manifest]] = {}
_known: _Known | None = None


def active_manifest() -> Manifest:
    """The model that labels new faces, as of :data:`settings.MODEL_CHECK_SECONDS` ago at most.

    That is the newest choice whose files are there and valid, else the default.

    Raises:
        ModelError: nothing that was chosen is valid, and neither is the default.
    """
    global _known
    known = _known
    now = time.monotonic()
    if (
        known is None
        or known.default != settings.MODEL_MANIFEST
        or now - known.checked_at >= settings.MODEL_CHECK_SECONDS
    ):
        manifest = _newest_valid()
        if known is not None and known.manifest.version != manifest.version:
            logger.info("model %s is active, after %s", manifest.version, known.manifest.version)
        _known = known = _Known(settings.MODEL_MANIFEST, manifest, now)
    return known.manifest


def known_manifest() -> Manifest:
    """What :func:`active_manifest` last found in this process, without asking the database.

    Raises:
        ModelError: it found nothing so far, and the default is not valid.
    """
    known = _known
    if known is None or known.default != settings.MODEL_MANIFEST:
        return _usable(settings.MODEL_MANIFEST)
    return known.manifest


def manifest_at_hand() -> Manifest | None:
    """The active model's, or the last one known where the database does not answer; else None."""
    try:
        try:
            return active_manifest()
        except DatabaseError:
            return known_manifest()
    except ModelError:
        return None


def candidates() -> list[Candidate]:
    """All manifests in the folder of models, newest first, then those that cannot be used."""
    found = []
    for path in sorted(settings.MODEL_MANIFEST.parent.glob("*.json")):
        try:
            found.append(Candidate(path.name, _usable(path)))
        except ModelError as error:
            if _is_meant_as_manifest(path):
                found.append(Candidate(path.name, None, str(error)))
    return sorted(found, key=_age)


def find(name: str) -> Manifest:
    """The valid manifest with this file name in the folder of models.

    Raises:
        ModelError: there is none.
    """
    if name not in {path.name for path in settings.MODEL_MANIFEST.parent.glob("*.json")}:
        raise ModelError(_("Model %(name)s doesn’t exist.") % {"name": name})
    return _usable(settings.MODEL_MANIFEST.parent / name)


def manifest_of(version: str) -> Manifest | None:
    """A valid manifest in the folder of models with this version; None where there is none."""
    manifests = (candidate.manifest for candidate in candidates())
    return next((one for one in manifests if one is not None and one.version == version), None)


def choose(name: str, user: User) -> ModelChoice:
    """Make a model active, for all processes within seconds.

    Raises:
        ModelError: it does not fit its manifest or cannot be run; nothing was changed.
    """
    global _known
    manifest = find(name)
    _try(manifest)
    choice = ModelChoice.objects.create(manifest=name, version=manifest.version, chosen_by=user)
    if _known is not None:
        _known = replace(_known, checked_at=float("-inf"))
    return choice


def _newest_valid() -> Manifest:
    names = ModelChoice.objects.values_list("manifest", flat=True)[:RECENT_CHOICES]
    for name in dict.fromkeys(names):
        try:
            return find(name)
        except ModelError as error:
            logger.warning("the chosen model is passed over: %s", error)
    return _usable(settings.MODEL_MANIFEST)


def _usable(path: Path) -> Manifest:
    """Read a manifest, or take it as it was read while its files are the same.

    Raises:
        ModelError: it is missing, not valid, or not a model for this site's labels.
    """
    known = _read.get(path)
    if known is not None and known[0] == _stamp(known[1]):
        return known[1]
    manifest = read_manifest(path)
    if not set(FIRST_LABELS) <= set(manifest.labels) <= set(LABEL_NAMES):
        raise ModelError(
            _("The labels of model %(name)s don’t match this site’s: %(labels)s.")
            % {"name": path.name, "labels": ", ".join(manifest.labels)}
        )
    _read[path] = (_stamp(manifest), manifest)
    return manifest


def _is_meant_as_manifest(path: Path) -> bool:
    """Not a file of measurements, which may stand beside it."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return True  # It may well be one, half-copied: the operator should see it.
    return isinstance(content, dict) and "artefact" in content


def _stamp(manifest: Manifest) -> tuple[int, ...]:
    """What changes when one of the files does; empty where one is gone."""
    try:
        states = [path.stat() for path in (manifest.path, manifest.model_path)]
    except OSError:
        return ()
    return tuple(number for state in states for number in (state.st_mtime_ns, state.st_size))


def _try(manifest: Manifest) -> None:
    """Label one made-up crop: a file can be the one that was exported and still not run here."""
    # Not above: pages that only ask which model is active need neither.
    import numpy as np

    from recognition.vision.classification import EmotionClassifier

    side = manifest.input_size
    crop = np.linspace(0, 255, side * side).astype(np.uint8).reshape(1, side, side)
    try:
        probabilities = EmotionClassifier(manifest, num_threads=1).classify(crop)
    except Exception as error:  # LiteRT raises whatever its C++ side makes of the file.
        raise ModelError(
            _("Model %(name)s can’t be run: %(reason)s")
            % {"name": manifest.path.name, "reason": error}
        ) from error
    if probabilities.shape != (1, len(manifest.labels)) or not np.isfinite(probabilities).all():
        raise ModelError(
            _("Model %(name)s doesn’t return a probability for each label.")
            % {"name": manifest.path.name}
        )


def _age(candidate: Candidate) -> tuple[bool, int, str]:
    """Sorts the valid ones by the day they were made, newest first."""
    if candidate.manifest is None:
        return True, 0, candidate.name
    day = str(candidate.manifest.content.get("created", ""))
    digits = "".join(character for character in day if character.isdigit())
    return False, -int(digits or 0), candidate.name
