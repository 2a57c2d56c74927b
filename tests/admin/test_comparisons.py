"""What a candidate would change is counted, and nothing that is stored changes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, TestCase
from django.utils import timezone

from accounts import consent
from accounts.models import User
from recognition.model_registry import comparison
from recognition.model_registry.comparison import count_upload, empty_result
from recognition.models import ModelComparison, Prediction, Upload
from recognition.personal_data import account_deletion
from recognition.tasks import compare_models, process_upload
from recognition.uploads.actions import create_upload, delete_uploads
from recognition.vision.types import BoundingBox, Face, Recognition, Rejection
from tests.support.model_files import CANDIDATE, CANDIDATE_VERSION, DEFAULT, write_candidate

Status = ModelComparison.Status


def face(label: str, x: int = 0, confidence: float = 0.7, **fields: Any) -> Face:
    rest = (1 - confidence) / 3
    labels = ("happy", "sad", "surprise", "neutral")
    shares = {name: confidence if name == label else rest for name in labels}
    return Face(BoundingBox(x, 0, 40, 40), shares, **fields)


def stored(label: str, x: int = 0, **fields: Any) -> Prediction:
    return Prediction(
        index=0, x=x, y=0, width=40, height=40, label=label, confidence=0.9,
        probabilities={}, **fields,
    )  # fmt: skip


def counted(before: list[Prediction], *after: Face) -> dict[str, Any]:
    result = empty_result("new")
    upload = Upload(model_version="old")
    count_upload(result, upload, before, Recognition(200, 200, after))
    return result


def test_labels_that_change_and_stay() -> None:
    result = counted([stored("happy"), stored("sad", 60)], face("happy", 2), face("neutral", 61))
    assert result["labels"] == {"happy": {"happy": 1}, "sad": {"neutral": 1}}
    assert (result["lost"], result["found"]) == (0, 0)
    assert result["faces"] == {"stored": 2, "candidate": 2}
    assert result["confidence_sum"]["stored"] == pytest.approx(1.8)
    assert result["confidence_sum"]["candidate"] == pytest.approx(1.4)
    assert result["stored_versions"] == {"old": 1}
    assert result["changed_uploads"] == 1
    (entry,) = result["changed"]
    assert entry["faces"] == [{"index": 0, "from": "sad", "to": "neutral"}]


def test_nothing_changes() -> None:
    result = counted([stored("happy")], face("happy"))
    assert (result["changed_uploads"], result["changed"]) == (0, [])


def test_faces_lost_and_found() -> None:
    result = counted([stored("happy"), stored("sad", 60)], face("happy"), face("sad", 120))
    assert (result["lost"], result["found"]) == (1, 1)
    assert result["labels"] == {"happy": {"happy": 1}}


def test_what_was_rejected_and_is_now_a_face_is_found() -> None:
    spot = stored("sad", rejected=Rejection.BLURRED)
    assert counted([spot], face("sad"))["found"] == 1
    assert counted([spot])["changed_uploads"] == 0


@pytest.mark.parametrize(
    ("before", "after", "agreement"),
    [
        (stored("happy", correction="sad"), [face("sad")], (0, 1)),
        (stored("sad", correction="sad"), [face("happy")], (1, 0)),
        (stored("sad", correction="sad"), [], (1, 0)),
        (stored("happy", correction=Prediction.NOT_A_FACE), [], (0, 1)),
        (stored("happy", correction=Prediction.NOT_A_FACE), [face("happy")], (0, 0)),
    ],
)
def test_agreement_with_people(
    before: Prediction, after: list[Face], agreement: tuple[int, int]
) -> None:
    corrections = counted([before], *after)["corrections"]
    assert (corrections["n"], corrections["stored"], corrections["candidate"]) == (1, *agreement)


def test_a_face_is_compared_with_the_one_that_overlaps_most() -> None:
    result = counted([stored("happy", 0), stored("sad", 12)], face("sad", 12), face("happy", 1))
    assert result["labels"] == {"happy": {"happy": 1}, "sad": {"sad": 1}}


@pytest.fixture
def uploads(models_folder: Path, alice: User, face_jpeg: bytes) -> list[Upload]:
    made = [create_upload(alice, SimpleUploadedFile(f"{n}.jpg", face_jpeg)) for n in range(3)]
    for upload in made:
        process_upload(str(upload.pk))
    return made


@pytest.fixture
def slices(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Comparisons that were handed to the queue; nothing listens to it here."""
    queued: list[str] = []
    monkeypatch.setattr(
        compare_models, "apply_async", lambda arguments, **options: queued.append(arguments[0])
    )
    return queued


def start(client: Client, **form: Any) -> ModelComparison:
    path = "/admin/recognition/modelchoice/compare/"
    response = client.post(path, {"name": CANDIDATE, "count": 200, **form})
    assert response.status_code == 302
    return ModelComparison.objects.latest("created_at")


def run_slice(pk: object) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        compare_models(str(pk))


def run_to_the_end(row: ModelComparison, slices: list[str]) -> int:
    n = 1
    slices.clear()
    run_slice(row.pk)
    while slices:
        run_slice(slices.pop())
        n += 1
    row.refresh_from_db()
    return n


def everything_stored() -> list[Any]:
    return [*Upload.objects.order_by("pk").values(), *Prediction.objects.order_by("pk").values()]


def test_stored_uploads_are_replayed_and_stay_as_they_are(
    root_client: Client, root: User, uploads: list[Upload], slices: list[str]
) -> None:
    Prediction.objects.filter(upload=uploads[0]).update(correction="neutral")
    before = everything_stored()
    row = start(root_client)
    run_to_the_end(row, slices)
    assert everything_stored() == before
    assert (row.status, row.progress, row.started_by) == (Status.DONE, 1.0, root)
    result = row.result
    assert result["candidate_version"] == CANDIDATE_VERSION
    assert (result["seen"], result["skipped"]) == (3, 0)
    assert result["labels"] == {"happy": {"happy": 3}}
    assert result["corrections"] == {"n": 1, "stored": 0, "candidate": 0}
    assert result["confidence_sum"]["candidate"] < result["confidence_sum"]["stored"]
    assert result["uncertain"] == {"stored": 0, "candidate": 3}
    page = root_client.get(f"/admin/recognition/modelcomparison/{row.pk}/change/")
    assert "Labels: 0 of 3 would change" in page.content.decode()


def test_the_page_leads_to_what_would_change(root_client: Client, uploads: list[Upload]) -> None:
    result = empty_result("new")
    count_upload(result, uploads[0], [stored("happy")], Recognition(200, 200, (face("sad"),)))
    row = ModelComparison.objects.create(candidate=CANDIDATE, result=result, status=Status.DONE)
    page = root_client.get(f"/admin/recognition/modelcomparison/{row.pk}/change/").content.decode()
    assert f"/admin/recognition/upload/{uploads[0].pk}/change/" in page
    assert "Happy → Sad" in page
    assert "data-every" not in page


def test_the_most_recent_and_only_corrected_ones_can_be_taken(
    root_client: Client, uploads: list[Upload], slices: list[str]
) -> None:
    assert start(root_client, count=2).upload_ids == [str(u.pk) for u in reversed(uploads[1:])]
    Prediction.objects.filter(upload=uploads[1]).update(correction="sad")
    row = start(root_client, only_corrected="on")
    assert row.upload_ids == [str(uploads[1].pk)]
    Upload.objects.filter(pk=uploads[0].pk).update(photo_deleted_at=timezone.now(), image="")
    assert len(start(root_client).upload_ids) == 2
    Upload.objects.filter(pk=uploads[1].pk).update(status="failed")
    assert start(root_client).upload_ids == [str(uploads[2].pk)]
    # Whoever has not agreed that their photos are used for this is asked first.
    consent.withdraw(uploads[2].owner, "account")
    assert start(root_client).upload_ids == []


@pytest.mark.parametrize("form", [{"count": 0}, {"count": 99999}, {"count": "x"}, {"name": "no"}])
def test_what_cannot_be_compared_is_refused(
    form: dict[str, Any], root_client: Client, models_folder: Path
) -> None:
    form = {"name": CANDIDATE, "count": 10, **form}
    root_client.post("/admin/recognition/modelchoice/compare/", form)
    assert not ModelComparison.objects.exists()


def test_it_runs_in_slices_that_go_on_where_the_last_one_ended(
    root_client: Client, uploads: list[Upload], slices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "SLICE_SECONDS", 0)
    row = start(root_client)
    assert run_to_the_end(row, slices) == 3
    assert (row.status, row.result["seen"], row.result["faces"]["stored"]) == (Status.DONE, 3, 3)


def test_a_slice_that_is_delivered_twice_runs_once(
    root_client: Client, uploads: list[Upload], slices: list[str]
) -> None:
    row = start(root_client)
    ModelComparison.objects.update(
        status=Status.PROCESSING, claim="first",
        claimed_until=timezone.now() + timedelta(seconds=30),
    )  # fmt: skip
    assert not comparison.run_slice(str(row.pk))
    row.refresh_from_db()
    assert (row.claim, row.result) == ("first", None)
    run_to_the_end(row, slices)
    assert row.result is None, "it is still the first one's"
    ModelComparison.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    run_to_the_end(row, slices)
    assert (row.status, row.result["seen"]) == (Status.DONE, 3)
    run_to_the_end(row, slices)
    assert row.result["seen"] == 3


@pytest.mark.parametrize("what", ["photo", "account", "while it runs"])
def test_what_is_deleted_is_in_no_list_of_changes(
    alice: User, uploads: list[Upload], what: str
) -> None:
    gone, kept = uploads[0], uploads[1]
    result = empty_result("v")
    result["changed"] = [
        {"upload": str(one.pk), "faces": [{"index": 1, "from": "sad", "to": "happy"}]}
        for one in (gone, kept)
    ]
    row = ModelComparison.objects.create(
        candidate=CANDIDATE, upload_ids=[str(gone.pk), str(kept.pk)], result=result
    )
    if what == "account":
        account_deletion.close(alice)
        assert account_deletion.delete(alice.pk)
    else:
        if what == "while it runs":
            row = ModelComparison.objects.claim(row.pk) or row
        delete_uploads(Upload.objects.filter(pk=gone.pk), alice)
    if what == "while it runs":
        comparison._save(row, result)
    row.refresh_from_db()
    listed = [entry["upload"] for entry in row.result["changed"]]
    assert listed == ([] if what == "account" else [str(kept.pk)])


def test_cancelling_stops_a_running_slice_and_brings_nothing_back(
    root_client: Client, uploads: list[Upload], slices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = start(root_client)
    replay = comparison._replay_upload

    def replay_while_somebody_cancels(*arguments: Any) -> None:
        replay(*arguments)
        root_client.post(f"/admin/recognition/modelcomparison/{row.pk}/cancel/")

    monkeypatch.setattr(comparison, "_replay_upload", replay_while_somebody_cancels)
    monkeypatch.setattr(comparison, "SAVE_SECONDS", -1)
    run_to_the_end(row, slices)
    assert (row.status, row.result) == (ModelComparison.CANCELLED, None)
    assert slices == []
    assert ModelComparison.objects.take_overdue() == []
    page = root_client.post(f"/admin/recognition/modelcomparison/{row.pk}/cancel/", follow=True)
    assert "had already finished" in page.content.decode()


def test_a_deleted_comparison_is_no_work(db: None) -> None:
    compare_models("00000000-0000-0000-0000-000000000000")


def test_photos_that_went_meanwhile_are_skipped(
    root_client: Client, uploads: list[Upload], slices: list[str]
) -> None:
    row = start(root_client)
    delete_uploads(Upload.objects.filter(pk=uploads[0].pk))
    default_storage.delete(uploads[1].image.name)
    run_to_the_end(row, slices)
    assert row.status == Status.DONE
    assert (row.result["seen"], row.result["skipped"], row.result["faces"]["stored"]) == (3, 2, 1)


def test_a_candidate_that_changes_or_goes_meanwhile_ends_it_with_a_reason(
    root_client: Client,
    uploads: list[Upload],
    slices: list[str],
    models_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(comparison, "SLICE_SECONDS", 0)
    row = start(root_client)
    compare_models(str(row.pk))
    write_candidate(models_folder, version="vgg16-newer")
    run_to_the_end(row, slices)
    assert (row.status, "replaced" in row.error) == (Status.FAILED, True)
    row = start(root_client)
    (models_folder / CANDIDATE).unlink()
    run_to_the_end(row, slices)
    assert (row.status, "doesn’t exist" in row.error) == (Status.FAILED, True)


def test_what_never_gets_on_is_given_up(
    root_client: Client, uploads: list[Upload], slices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*arguments: Any) -> None:
        raise RuntimeError("as a crashing library would")

    monkeypatch.setattr(comparison, "_replay_upload", die)
    row = start(root_client)
    assert run_to_the_end(row, slices) == 3
    assert row.status == Status.FAILED
    assert row.error
    assert ModelComparison.objects.take_overdue() == []


def test_lost_slices_are_found(
    root_client: Client, uploads: list[Upload], slices: list[str]
) -> None:
    row = start(root_client)
    assert ModelComparison.objects.take_overdue() == [], "it may wait: every photo goes first"
    ModelComparison.objects.update(queued_at=timezone.now() - timedelta(hours=1))
    assert ModelComparison.objects.take_overdue() == [str(row.pk)]
    assert ModelComparison.objects.take_overdue() == []
    past = timezone.now() - timedelta(minutes=5)
    ModelComparison.objects.update(
        status=Status.PROCESSING, claim="dead", claimed_until=past, queued_at=past
    )
    assert ModelComparison.objects.take_overdue() == [str(row.pk)]


def test_without_uploads_there_is_nothing_to_do(
    root_client: Client, models_folder: Path, slices: list[str]
) -> None:
    row = start(root_client, name=DEFAULT)
    run_to_the_end(row, slices)
    assert (row.status, row.result["seen"]) == (Status.DONE, 0)
    page = root_client.get(f"/admin/recognition/modelcomparison/{row.pk}/change/")
    assert page.status_code == 200
