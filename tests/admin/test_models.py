"""Which model is active: chosen among files, checked, and known to everybody within seconds."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from emotion_site import health as health_page
from recognition.model_registry import catalogue
from recognition.model_registry.inference import draw_heat_map
from recognition.models import ModelChoice, Upload
from recognition.tasks import process_upload
from recognition.uploads.actions import create_upload
from recognition.vision.errors import ModelError
from recognition.vision.manifest import read_manifest
from recognition.vision.recognizer import EmotionRecognizer
from tests.support.model_files import (
    CANDIDATE,
    CANDIDATE_VERSION,
    DEFAULT,
    SHIPPED,
    copy_shipped,
    write_candidate,
)

MODELS = "/admin/recognition/modelchoice/"
SHIPPED_VERSION = read_manifest(SHIPPED).version


def activate(client: Client, name: str) -> str:
    return client.post(f"{MODELS}activate/", {"name": name}, follow=True).content.decode()


def active() -> str:
    return catalogue.active_manifest().version


def test_without_a_choice_the_default_is_active(db: None, models_folder: Path) -> None:
    assert active() == SHIPPED_VERSION


def test_a_choice_is_recorded_and_can_be_taken_back(
    root_client: Client, root: User, models_folder: Path
) -> None:
    assert f"New faces are now labelled by {CANDIDATE_VERSION}" in activate(root_client, CANDIDATE)
    assert active() == CANDIDATE_VERSION
    choice = ModelChoice.objects.get()
    assert (choice.manifest, choice.version, choice.chosen_by) == (
        CANDIDATE, CANDIDATE_VERSION, root,
    )  # fmt: skip
    activate(root_client, DEFAULT)
    assert active() == SHIPPED_VERSION
    assert ModelChoice.objects.count() == 2


def test_each_upload_says_which_model_labelled_it(
    root_client: Client, models_folder: Path, alice: User, face_jpeg: bytes
) -> None:
    versions, confidences = [], []
    for name in (DEFAULT, CANDIDATE, DEFAULT):
        activate(root_client, name)
        upload = create_upload(alice, SimpleUploadedFile("a.jpg", face_jpeg))
        process_upload(str(upload.pk))
        upload.refresh_from_db()
        versions.append(upload.model_version)
        confidences.append(upload.predictions.get().confidence)
    assert versions == [SHIPPED_VERSION, CANDIDATE_VERSION, SHIPPED_VERSION]
    assert confidences[0] == pytest.approx(confidences[2])
    assert confidences[1] < confidences[0] - 0.2, "the candidate itself was not used"


def test_a_heat_map_is_of_the_model_that_gave_the_label(
    root: User, models_folder: Path, done_upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions: list[str] = []
    explain = EmotionRecognizer.explain

    def note_and_explain(self: EmotionRecognizer, *arguments: Any, **options: Any) -> Any:
        versions.append(self.manifest.version)
        return explain(self, *arguments, **options)

    monkeypatch.setattr(EmotionRecognizer, "explain", note_and_explain)
    catalogue.choose(CANDIDATE, root)
    face = done_upload.predictions.get()
    draw_heat_map(face)
    done_upload.model_version = "vgg16-gone"
    face.upload = done_upload
    draw_heat_map(face)
    assert versions == [SHIPPED_VERSION, CANDIDATE_VERSION]


@pytest.mark.parametrize("name", ["none.json", "../candidate.json", "/etc/passwd", "", "emotion"])
def test_what_is_not_in_the_folder_is_refused(
    name: str, root_client: Client, models_folder: Path
) -> None:
    assert "Nothing was changed." in activate(root_client, name)
    assert not ModelChoice.objects.exists()


def _other_bytes(folder: Path) -> None:
    (folder / "candidate.tflite").write_bytes(b"not the file that was exported")
    content = json.loads((folder / CANDIDATE).read_text())
    content["artefact"] = {**content["artefact"], "file": "candidate.tflite"}
    (folder / CANDIDATE).write_text(json.dumps(content))


def _not_a_model(folder: Path) -> None:
    import hashlib

    data = b"a file with the right hash that is no model"
    (folder / "candidate.tflite").write_bytes(data)
    content = json.loads((folder / CANDIDATE).read_text())
    content["artefact"] = {
        "file": "candidate.tflite", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data),
    }  # fmt: skip
    (folder / CANDIDATE).write_text(json.dumps(content))


def _missing_file(folder: Path) -> None:
    write_candidate(folder, artefact={"file": "none.tflite", "sha256": "0", "bytes": 1})


def _newer_format(folder: Path) -> None:
    write_candidate(folder, format=99)


def _other_labels(folder: Path) -> None:
    write_candidate(folder, labels=["angry", "sad", "surprise", "neutral"])


def _not_json(folder: Path) -> None:
    (folder / CANDIDATE).write_text("{")


BROKEN = [_other_bytes, _not_a_model, _missing_file, _newer_format, _other_labels, _not_json]


@pytest.mark.parametrize("spoil", BROKEN)
def test_a_model_that_is_not_valid_is_refused(
    spoil: Any, root_client: Client, models_folder: Path
) -> None:
    spoil(models_folder)
    assert "Nothing was changed." in activate(root_client, CANDIDATE)
    assert not ModelChoice.objects.exists()
    assert active() == SHIPPED_VERSION


@pytest.mark.parametrize("spoil", [s for s in BROKEN if s is not _not_a_model])
def test_a_choice_that_went_bad_is_passed_over(
    spoil: Any, root_client: Client, models_folder: Path
) -> None:
    write_candidate(models_folder, name="older.json", version="vgg16-older")
    activate(root_client, "older.json")
    activate(root_client, CANDIDATE)
    assert active() == CANDIDATE_VERSION
    spoil(models_folder)
    assert active() == "vgg16-older"
    (models_folder / "older.json").unlink()
    assert active() == SHIPPED_VERSION
    write_candidate(models_folder)
    assert active() == CANDIDATE_VERSION


def test_files_replaced_under_the_same_names_are_noticed(db: None, models_folder: Path) -> None:
    assert active() == SHIPPED_VERSION
    content = json.loads((models_folder / DEFAULT).read_text())
    content["version"] = "vgg16-retrained"
    (models_folder / DEFAULT).write_text(json.dumps(content))
    assert active() == "vgg16-retrained"
    model = models_folder / content["artefact"]["file"]
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="not the one its manifest describes"):
        active()


def test_a_worker_goes_on_with_what_it_has_while_files_are_replaced(
    models_folder: Path, alice: User, face_jpeg: bytes
) -> None:
    first, second = (create_upload(alice, SimpleUploadedFile("a.jpg", face_jpeg)) for _ in range(2))
    process_upload(str(first.pk))
    os.rename(models_folder / DEFAULT, models_folder / "moved")
    process_upload(str(second.pk))
    second.refresh_from_db()
    assert (second.status, second.model_version) == (Upload.Status.DONE, SHIPPED_VERSION)


def test_the_database_is_asked_only_now_and_then(
    db: None, models_folder: Path, settings: Any, django_assert_num_queries: Any
) -> None:
    active()
    settings.MODEL_CHECK_SECONDS = 60
    with django_assert_num_queries(0):
        for _ in range(50):
            active()
            catalogue.known_manifest()


def test_the_page_lists_candidates_with_their_figures(
    root_client: Client, models_folder: Path
) -> None:
    _missing_file(models_folder)
    (models_folder / "notes.txt").write_text("not a model")
    (models_folder / "latency.json").write_text('{"milliseconds": 2}')
    response = root_client.get(MODELS)
    rows = {row["name"]: row for row in response.context["rows"]}
    assert list(rows) == [DEFAULT, CANDIDATE]
    assert rows[DEFAULT]["is_active"]
    assert rows[DEFAULT]["is_default"]
    assert [figures.source for figures in rows[DEFAULT]["figures"]] == ["FER-2013", "FER+"]
    assert not rows[CANDIDATE]["is_active"]
    page = response.content.decode()
    sources = read_manifest(SHIPPED).content["evaluation"]["sources"]
    figures = [
        f"{sources[source]['shown'][name] * 100:.1f}%"
        for source in ("fer2013", "ferplus")
        for name in ("accuracy", "macro_f1", "expected_calibration_error")
    ]
    for text in (SHIPPED_VERSION, "14.4", *figures, "Unusable:"):
        assert text in page.replace("\xa0", " "), text
    assert page.count("Activate") == 0


def test_a_model_without_figures_is_listed(root_client: Client, models_folder: Path) -> None:
    write_candidate(models_folder, evaluation=None)
    page = root_client.get(MODELS).content.decode()
    assert "Not evaluated on the test images." in page
    assert "Activate" in page


def test_health_reports_the_active_one(
    root_client: Client, models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What was found out is old at once.
    monkeypatch.setattr(health_page, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(health_page, "FRESH_SECONDS_UNAVAILABLE", 0.0)

    def health() -> dict[str, str]:
        result: dict[str, str] = Client().get("/healthz").json()
        return result

    assert health()["model_version"] == SHIPPED_VERSION
    activate(root_client, CANDIDATE)
    assert health()["model_version"] == CANDIDATE_VERSION
    shutil.rmtree(models_folder)
    assert health()["model"] == "unavailable"
    assert health()["model_version"] is None


def test_live_frames_are_labelled_by_the_active_model(root: User, models_folder: Path) -> None:
    from recognition.live.pool import live_recognizer, load_model

    active()
    assert load_model() == SHIPPED_VERSION
    recognizer = live_recognizer()
    assert live_recognizer() is recognizer
    catalogue.choose(CANDIDATE, root)
    assert load_model() == SHIPPED_VERSION, "a thread of the pool does not ask the database"
    active()
    assert load_model() == CANDIDATE_VERSION
    assert live_recognizer() is not recognizer


def test_the_default_may_have_any_place(db: None, tmp_path: Path, settings: Any) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    settings.MODEL_MANIFEST = copy_shipped(folder)
    assert [candidate.name for candidate in catalogue.candidates()] == [DEFAULT]
