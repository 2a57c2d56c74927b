"""What a candidate would say of stored uploads: replayed, counted, and nothing else changed.

A comparison runs in slices of a few seconds, each a task of the lowest priority, so that it holds
up nobody's photo. What was counted is saved with how far it got: a slice that is killed is
repeated from there, and one that is delivered twice runs once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import consent, purposes
from recognition.jobs.job import ClaimLost
from recognition.jobs.running import run
from recognition.model_registry import catalogue
from recognition.models import ModelComparison, Prediction, Upload
from recognition.vision.errors import ImageError, ModelError
from recognition.vision.types import Face, Recognition, overlap

if TYPE_CHECKING:
    from accounts.models import User

#: Uploads replayed by default, and at most.
DEFAULT_UPLOADS, MAXIMUM_UPLOADS = 200, 2000
#: Seconds of one slice: for so long may a photo wait for this worker.
SLICE_SECONDS = 8.0
#: Seconds between two times that what was counted is saved.
SAVE_SECONDS = 2.0
#: Uploads listed with what would change; the counts are of all.
LISTED_UPLOADS = 200
#: Two boxes that overlap by more than this are of one face.
SAME_FACE = 0.4


def create(candidate: str, count: int, only_corrected: bool, user: User) -> ModelComparison:
    """Choose the most recent uploads of people who agree that still have their photo.

    Raises:
        ModelError: there is no such candidate, or it is not valid.
    """
    catalogue.find(candidate)
    uploads = Upload.objects.filter(status=Upload.Status.DONE, photo_deleted_at=None)
    # What people agree to says that their photos may be used for this.
    uploads = uploads.filter(owner__in=consent.people(purposes.ACCOUNT))
    if only_corrected:
        corrected = Prediction.objects.exclude(correction="").values("upload_id")
        uploads = uploads.filter(pk__in=corrected)
    ids = uploads.order_by("-created_at", "-id").values_list("pk", flat=True)
    with transaction.atomic():
        comparison = ModelComparison.objects.create(
            candidate=candidate,
            upload_ids=[str(pk) for pk in ids[: min(count, MAXIMUM_UPLOADS)]],
            only_corrected=only_corrected,
            started_by=user,
            queued_at=timezone.now(),
        )
        ModelComparison.objects.enqueue(comparison.pk)
    return comparison


def cancel(comparison_id: str) -> bool:
    """End it; a slice that is running stops when it next saves. False where it had ended."""
    comparisons = ModelComparison.objects.filter(pk=comparison_id)
    return bool(comparisons.stop(ModelComparison.CANCELLED))


def run_slice(comparison_id: str) -> bool:
    """Replay uploads for a few seconds, and queue the next slice where there is more to do.

    Returns:
        Whether this call replayed any.
    """
    return run(ModelComparison.objects.all(), comparison_id, _run_slice)


def empty_result(version: str) -> dict[str, Any]:
    """The counts before the first upload.

    ``seen`` counts uploads looked at, ``skipped`` those among them that are gone or cannot be
    read. ``labels`` has the stored label of each face, then the candidate's, then the count;
    ``lost`` and ``found`` faces are those that only the stored result, or only the candidate
    has. ``corrections`` says how many corrections there are, and with how many each agrees.
    """
    return {
        "candidate_version": version,
        "stored_versions": {},
        "seen": 0,
        "skipped": 0,
        "labels": {},
        "lost": 0,
        "found": 0,
        "faces": {"stored": 0, "candidate": 0},
        "uncertain": {"stored": 0, "candidate": 0},
        "confidence_sum": {"stored": 0.0, "candidate": 0.0},
        "corrections": {"n": 0, "stored": 0, "candidate": 0},
        "changed_uploads": 0,
        "changed": [],
    }


def count_upload(
    result: dict[str, Any], upload: Upload, stored: Sequence[Prediction], recognition: Recognition
) -> None:
    """Add one upload's stored predictions, and what the candidate says of it, to the counts."""
    versions = result["stored_versions"]
    versions[upload.model_version] = versions.get(upload.model_version, 0) + 1
    pairs, only_new = _matched(stored, recognition.faces)
    changes = []
    for prediction, face in pairs:
        old = Prediction.NOT_A_FACE if prediction.rejected else prediction.label
        new = Prediction.NOT_A_FACE if face is None else face.label
        if prediction.correction:
            result["corrections"]["n"] += 1
            result["corrections"]["stored"] += old == prediction.correction
            result["corrections"]["candidate"] += new == prediction.correction
        if old != Prediction.NOT_A_FACE:
            _count_face(result, "stored", prediction.confidence, prediction.uncertain)
            if face is None:
                result["lost"] += 1
            else:
                row = result["labels"].setdefault(old, {})
                row[new] = row.get(new, 0) + 1
        elif face is not None:
            result["found"] += 1
        if old != new:
            changes.append({"index": prediction.index, "from": old, "to": new})
    for face in only_new:
        result["found"] += 1
        changes.append({"index": None, "from": Prediction.NOT_A_FACE, "to": face.label})
    for face in recognition.faces:
        _count_face(result, "candidate", face.confidence, face.uncertain)
    if changes:
        result["changed_uploads"] += 1
        if len(result["changed"]) < LISTED_UPLOADS:
            result["changed"].append({"upload": str(upload.pk), "faces": changes})


def _run_slice(comparison: ModelComparison) -> None:
    try:
        finished = _replay(comparison)
    except ModelError as error:
        ModelComparison.objects.fail(comparison, error=str(error)[:300])
        return
    if finished:
        ModelComparison.objects.finish(comparison, progress=1.0)
    else:
        ModelComparison.objects.release(comparison)


def _replay(comparison: ModelComparison) -> bool:
    """Count until the slice's time is over; returns whether all uploads were counted.

    Raises:
        ModelError: the candidate is missing or not the one that was begun with.
        ClaimLost: it was cancelled, or another task has it.
    """
    # Not above: the parent of a worker's children must stay small.
    from recognition.vision.detection import DetectorName
    from recognition.vision.recognizer import EmotionRecognizer

    manifest = catalogue.find(comparison.candidate)
    result = comparison.result or empty_result(manifest.version)
    if result["candidate_version"] != manifest.version:
        raise ModelError(_("The model’s files were replaced during the comparison."))
    recognizer = EmotionRecognizer(
        manifest.path,
        num_threads=settings.RECOGNIZER_THREADS,
        detector=DetectorName(settings.DETECTOR),
    )
    began = saved = time.monotonic()
    for upload_id in comparison.upload_ids[result["seen"] :]:
        _replay_upload(recognizer.recognize, upload_id, result)
        result["seen"] += 1
        now = time.monotonic()
        if now - saved > SAVE_SECONDS:
            _save(comparison, result)
            saved = now
        if now - began > SLICE_SECONDS:
            break
    _save(comparison, result)
    return int(result["seen"]) >= len(comparison.upload_ids)


def _replay_upload(
    recognize: Callable[[bytes, tuple[int, int]], Recognition],
    upload_id: str,
    result: dict[str, Any],
) -> None:
    upload = Upload.objects.filter(pk=upload_id, status=Upload.Status.DONE).first()
    if upload is None or not upload.image:
        result["skipped"] += 1
        return
    try:
        with upload.image.open("rb") as file:
            recognition = recognize(file.read(), upload.size)
    except (ImageError, OSError):
        result["skipped"] += 1
        return
    count_upload(result, upload, list(upload.predictions.all()), recognition)


def _save(comparison: ModelComparison, result: dict[str, Any]) -> None:
    progress = result["seen"] / max(1, len(comparison.upload_ids))
    listed = result.get("changed", [])
    rows = Upload.with_trash.filter(pk__in=[entry["upload"] for entry in listed]).order_by("pk")
    with transaction.atomic():
        # Without those that were deleted since they were counted. The others are locked, so that
        # whoever deletes one meanwhile takes it out of the list after it was written.
        locked = rows.select_for_update(of=("self",), no_key=True)
        there = {str(pk) for pk in locked.values_list("pk", flat=True)}
        result["changed"] = [entry for entry in listed if entry["upload"] in there]
        # It got on: only attempts that do not are counted.
        if not ModelComparison.objects.extend(
            comparison, result=result, progress=progress, attempts=0
        ):
            raise ClaimLost
    comparison.attempts = 0


def _matched(
    stored: Sequence[Prediction], faces: Sequence[Face]
) -> tuple[list[tuple[Prediction, Face | None]], list[Face]]:
    """Each stored spot with the candidate's face at its place, and the faces at no such place."""
    overlaps = sorted(
        (
            (bool(prediction.rejected), -overlap(prediction.box, face.box), i, j)
            for i, prediction in enumerate(stored)
            for j, face in enumerate(faces)
            if overlap(prediction.box, face.box) > SAME_FACE
        ),
    )
    face_of: dict[int, int] = {}
    for _rejected, _overlap, i, j in overlaps:
        if i not in face_of and j not in face_of.values():
            face_of[i] = j
    pairs = [
        (prediction, faces[face_of[i]] if i in face_of else None)
        for i, prediction in enumerate(stored)
    ]
    taken = set(face_of.values())
    return pairs, [face for j, face in enumerate(faces) if j not in taken]


def _count_face(result: dict[str, Any], who: str, confidence: float, uncertain: bool) -> None:
    result["faces"][who] += 1
    result["uncertain"][who] += uncertain
    result["confidence_sum"][who] += confidence
