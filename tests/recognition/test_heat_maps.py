"""Heat maps of faces: asked for on the page, drawn by a task, gone with the photo."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import User
from recognition import quotas, tasks
from recognition.models import Prediction, Upload
from recognition.uploads import heat_maps, processing, retention
from recognition.uploads.actions import delete_uploads
from recognition.vision import explanation
from recognition.vision.explanation import read_words
from tests.support.factories import RESULT


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Path) -> None:
    """What other tests stored is not counted."""
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def face(alice_upload: Upload) -> Prediction:
    """The face of Alice's photo, found by the real recognizer."""
    tasks.process_upload.apply((str(alice_upload.pk),), throw=True)
    return alice_upload.predictions.get()


def put_in_line(face: Prediction) -> None:
    Prediction.objects.filter(pk=face.pk).update(heat_map_asked_at=timezone.now())


def draw_one(face: Prediction) -> None:
    """What a worker does with a face that somebody asked for."""
    put_in_line(face)
    tasks.explain_face.apply(throw=True)


@pytest.fixture
def explained(face: Prediction, monkeypatch: pytest.MonkeyPatch) -> Prediction:
    """With a coarse heat map: what becomes of it is asked, not what it shows."""
    monkeypatch.setattr(explanation, "STRIDE", 1 / 3)
    draw_one(face)
    face.refresh_from_db()
    return face


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids of the predictions whose heat map was asked for."""
    ids: list[int] = []

    def call(_arguments: tuple[()]) -> None:
        ids.extend(heat_maps.waiting().values_list("pk", flat=True))

    monkeypatch.setattr(tasks.explain_face, "apply_async", call)
    return ids


def page(client: Client, face: Prediction, query: str = "") -> str:
    return client.get(face.upload.get_absolute_url() + query).content.decode()


def ask(client: Client, face: Prediction, **options: Any) -> Any:
    return client.post(f"/uploads/{face.upload_id}/faces/{face.index}/explain/", **options)


def png(client: Client, face: Prediction) -> Any:
    return client.get(f"/uploads/{face.upload_id}/faces/{face.index}/heat-map.png")


def files() -> set[str]:
    found = set()
    for folder in default_storage.listdir("photos")[0]:
        found |= {
            f"photos/{folder}/{name}" for name in default_storage.listdir(f"photos/{folder}")[1]
        }
    return found


def test_from_the_button_to_the_picture(
    alice_client: Client, face: Prediction, asked: list[int]
) -> None:
    text = page(alice_client, face)
    assert "Why Happy? Show which parts of face 1 mattered" in text
    assert png(alice_client, face).status_code == 404

    response = ask(alice_client, face)
    assert response["Location"] == f"{face.upload.get_absolute_url()}?explaining=0#face-1"
    assert asked == [face.pk]
    text = page(alice_client, face, "?explaining=0")
    assert "is-explaining" in text
    assert '<noscript><a href="">Reload</a>' in text

    tasks.explain_face.apply(throw=True)
    text = page(alice_client, face, "?explaining=0")
    assert "is-explaining" not in text
    assert "The bottom centre mattered most" in text
    assert 'alt="Heat map of face 1; the bottom centre is brightest."' in text
    response = png(alice_client, face)
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    assert response["Cache-Control"] == "private, no-store"
    assert read_words(response.content).part == "lower-center"


def test_it_is_drawn_once(
    alice_client: Client, explained: Prediction, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = explained.heat_map.name
    assert ask(alice_client, explained).status_code == 302
    assert asked == []
    monkeypatch.setattr("recognition.model_registry.inference.draw_heat_map", pytest.fail)
    draw_one(explained)
    explained.refresh_from_db()
    assert explained.heat_map.name == name


def test_of_two_tasks_at_once_one_writes(face: Prediction) -> None:
    assert heat_maps.store(face, b"one")
    before = files()
    assert not heat_maps.store(face, b"other")
    assert files() == before
    face.refresh_from_db()
    assert face.heat_map.read() == b"one"


def test_where_nothing_stands_out_the_page_says_so(alice_client: Client, face: Prediction) -> None:
    import numpy as np

    from recognition.vision.explanation import Explanation, draw

    flat = Explanation(0.8, np.zeros((48, 48), np.float32), 0.02, None)
    heat_maps.store(face, draw(flat, np.full((48, 48), 99, np.uint8)))
    text = page(alice_client, face)
    assert "No single area decided “Happy”: it stays at 78%" in text
    assert "no area stands out" in text


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_a_stranger_can_neither_ask_nor_see(
    who: str, explained: Prediction, asked: list[int], request: pytest.FixtureRequest
) -> None:
    client = Client()
    client.force_login(request.getfixturevalue(who))
    assert ask(client, explained).status_code == 404
    assert png(client, explained).status_code == 404
    assert png(Client(), explained)["Location"].startswith("/accounts/login/")
    assert asked == []


@pytest.mark.parametrize("index", [1, 999])
def test_a_face_that_is_not_there(
    index: int, alice_client: Client, face: Prediction, asked: list[int]
) -> None:
    path = f"/uploads/{face.upload_id}/faces/{index}/"
    assert alice_client.post(f"{path}explain/").status_code == 404
    assert alice_client.get(f"{path}heat-map.png").status_code == 404


def test_a_rejected_spot_is_not_explained(
    alice_client: Client, face: Prediction, asked: list[int]
) -> None:
    Prediction.objects.update(rejected="blurred")
    assert ask(alice_client, face).status_code == 404
    draw_one(face)
    face.refresh_from_db()
    assert not face.heat_map


def test_asking_takes_a_post(alice_client: Client, face: Prediction) -> None:
    assert alice_client.get(f"/uploads/{face.upload_id}/faces/0/explain/").status_code == 405


def test_without_the_queue_the_page_says_so(
    alice_client: Client, face: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(arguments: tuple[()]) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.explain_face, "apply_async", refuse)
    response = ask(alice_client, face, follow=True)
    assert "Couldn’t compute that right now." in response.content.decode()
    assert "is-explaining" not in response.content.decode()
    assert not heat_maps.waiting().exists()


@pytest.mark.django_db(transaction=True)
def test_it_goes_with_its_photo(explained: Prediction, alice: User) -> None:
    name = explained.heat_map.name
    assert name in files()
    delete_uploads(Upload.objects.for_owner(alice))
    assert not files()


@pytest.mark.django_db(transaction=True)
def test_it_goes_with_a_photo_that_was_kept_for_long_enough(explained: Prediction) -> None:
    assert retention.remove_photo(str(explained.upload_id))
    assert files() == {Upload.objects.get().thumbnail.name}
    explained.refresh_from_db()
    assert (explained.heat_map.name, explained.heat_map_bytes) == ("", 0)


@pytest.mark.django_db(transaction=True)
def test_it_goes_with_its_owner(explained: Prediction, alice: User) -> None:
    alice.delete()
    assert not files()


@pytest.mark.django_db(transaction=True)
def test_it_goes_where_a_photo_is_looked_at_again(explained: Prediction) -> None:
    name = explained.heat_map.name
    Upload.objects.update(status=Upload.Status.PENDING)
    upload = Upload.objects.claim(str(explained.upload_id))
    assert upload is not None
    assert processing.complete(upload, RESULT, "model-2")
    assert name not in files()
    assert upload.image.name in files()
    assert not Prediction.objects.exclude(heat_map="").exists()


@pytest.mark.django_db(transaction=True)
def test_one_that_is_written_while_the_photo_is_deleted_goes_too(face: Prediction) -> None:
    """Whoever deletes has looked at the row before the task wrote to it."""
    stale = Prediction.objects.get(pk=face.pk)
    heat_maps.store(face, b"late")
    stale.delete()
    assert files() == {face.upload.image.name, face.upload.thumbnail.name}


@pytest.mark.parametrize("gone", ["upload", "photo", "prediction"])
@pytest.mark.django_db(transaction=True)
def test_none_is_written_after_its_photo_is_gone(
    gone: str, face: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw_meanwhile(prediction: Prediction) -> bytes:
        if gone == "upload":
            delete_uploads(Upload.objects.filter(pk=face.upload_id))
        elif gone == "photo":
            Upload.objects.filter(pk=face.upload_id).update(image="")
        else:
            Prediction.objects.filter(pk=face.pk).delete()
        return b"late"

    before = files()
    monkeypatch.setattr("recognition.model_registry.inference.draw_heat_map", draw_meanwhile)
    draw_one(face)
    assert files() <= before
    assert not Prediction.objects.exclude(heat_map="").exists()


def test_a_photo_whose_file_is_missing_ends_quietly(face: Prediction) -> None:
    face.upload.image.storage.delete(face.upload.image.name)
    draw_one(face)
    face.refresh_from_db()
    assert not face.heat_map


def test_a_photo_that_is_gone_offers_no_button(
    alice_client: Client, face: Prediction, asked: list[int]
) -> None:
    Upload.objects.update(image="")
    response = ask(alice_client, face)
    assert asked == []
    assert "explaining" not in response["Location"]


def test_a_damaged_heat_map_does_not_break_the_page(alice_client: Client, face: Prediction) -> None:
    face.heat_map.save("heat-map.png", ContentFile(b"damaged"))
    assert alice_client.get(face.upload.get_absolute_url()).status_code == 200


def test_the_parent_of_the_workers_stays_without_opencv() -> None:
    code = (
        "import django, sys; django.setup(); import recognition.tasks, recognition.uploads.files\n"
        "print({'cv2', 'ai_edge_litert', 'tensorflow'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )
    assert result.stdout.strip() == "set()"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("which", ["row", "query", "photo", "photos"])
def test_it_goes_with_its_face_whichever_way_that_goes(which: str, face: Prediction) -> None:
    face.heat_map.save("heat-map.png", ContentFile(b"a map"))
    name = face.heat_map.name
    assert default_storage.exists(name)
    # Whoever deletes may have looked at the row before there was one.
    stale = Prediction.objects.get(pk=face.pk)
    stale.heat_map = ""
    match which:
        case "row":
            stale.delete()
        case "query":
            Prediction.objects.filter(pk=face.pk).delete()
        case "photo":
            face.upload.delete()
        case "photos":
            Upload.objects.all().delete()
    assert not Prediction.with_trash.exists()
    assert not default_storage.exists(name)


def test_a_full_storage_takes_none(
    alice: User, alice_client: Client, face: Prediction, asked: list[int]
) -> None:
    ask(alice_client, face)
    alice.quota_bytes = int(quotas.stored_bytes(alice).used) + heat_maps.USUAL_BYTES - 1
    alice.save()
    response = ask(alice_client, face, follow=True)
    assert "of storage. Delete some photos to make room." in response.content.decode()
    assert "is-explaining" not in response.content.decode()

    # Nor of what was asked for while there was room.
    alice.quota_bytes = int(quotas.stored_bytes(alice).used)
    alice.save()
    assert heat_maps.waiting().exists()
    tasks.explain_face.apply(throw=True)
    face.refresh_from_db()
    assert not face.heat_map
    assert not heat_maps.waiting().exists()
