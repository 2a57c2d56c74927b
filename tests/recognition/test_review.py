"""The review: which faces come, in which order, and what an answer does."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from recognition.models import Prediction, Upload
from recognition.uploads.review import Queue
from tests.support.factories import add_face, make_upload


@pytest.fixture
def faces(alice: User) -> list[Prediction]:
    """In the order of the review: three photos, the newest first, each with two doubtful faces
    and a sure one between them; the first two photos are of the same moment."""
    now = timezone.now()
    uploads = [make_upload(alice, f"{number}.jpg") for number in range(3)]
    for upload, age in zip(uploads, (0, 0, 5), strict=True):
        Upload.objects.filter(pk=upload.pk).update(created_at=now - timedelta(minutes=age))
    found = []
    for upload in Upload.objects.for_owner(alice):
        found.append(add_face(upload, "sad", 0, uncertain=True))
        add_face(upload, "happy", 1)
        found.append(add_face(upload, "neutral", 2, uncertain=True))
    return found


def place(location: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(location).query)


def shown(text: str) -> int | None:
    match = re.search(r'class="review-face" data-face="(\d+)"', text)
    return int(match[1]) if match else None


def test_answers_lead_through_all_faces_once(alice_client: Client, faces: list[Prediction]) -> None:
    """By plain forms, as without JavaScript."""
    path, seen = "/review/", []
    for left in range(len(faces), 0, -1):
        text = alice_client.get(path).text
        assert f"{left} left" in text
        face = shown(text)
        assert face is not None
        seen.append(face)
        path = alice_client.post("/review/?of=unsure", {"face": face, "label": "surprise"})[
            "Location"
        ]
        assert place(path)["after"] == place(path)["done"] == [str(face)]
    assert seen == [face.pk for face in faces]
    text = alice_client.get(path).text
    assert "All done" in text
    assert "Undo the last answer" in text
    assert set(Prediction.objects.filter(uncertain=True).values_list("correction", flat=True)) == {
        "surprise"
    }
    assert re.search("(looked at|reviewed) 6 faces", alice_client.get("/statistics/").text)


def test_a_face_is_confirmed_corrected_or_called_none(
    alice_client: Client, faces: list[Prediction]
) -> None:
    for face, label in zip(faces, ("sad", "happy", "not_a_face"), strict=False):
        alice_client.post("/review/", {"face": face.pk, "label": label})
        face.refresh_from_db()
        assert (face.correction, face.corrected_at is not None) == (label, True)
        assert face.label in {"sad", "neutral"}


def test_undo_brings_the_face_back(alice_client: Client, faces: list[Prediction]) -> None:
    alice_client.post("/review/", {"face": faces[0].pk, "label": "happy"})
    text = alice_client.get(f"/review/?after={faces[0].pk}&done={faces[0].pk}").text
    assert f'name="face" value="{faces[0].pk}"><input type="hidden" name="label" value=""' in text
    answer = alice_client.post("/review/", {"face": faces[0].pk, "label": ""})
    assert place(answer["Location"])["at"] == [str(faces[0].pk)]
    assert shown(alice_client.get(answer["Location"]).text) == faces[0].pk
    faces[0].refresh_from_db()
    assert faces[0].correction == ""


def test_skipping_and_going_back(alice_client: Client, faces: list[Prediction]) -> None:
    order = [face.pk for face in faces]
    for before, after in pairwise(order):
        assert shown(alice_client.get(f"/review/?after={before}").text) == after
        assert shown(alice_client.get(f"/review/?before={after}").text) == before
    end = alice_client.get(f"/review/?after={order[-1]}").text
    assert "You skipped 6 faces." in end
    assert 'data-step="back"' not in alice_client.get("/review/").text


def test_what_is_wanted(alice_client: Client, faces: list[Prediction]) -> None:
    happy = Prediction.objects.filter(label="happy").order_by("-upload__created_at", "-upload_id")
    assert shown(alice_client.get("/review/?of=happy").text) == happy[0].pk
    assert "3 left" in alice_client.get("/review/?of=happy").text
    assert "9 left" in alice_client.get("/review/?of=all").text
    Prediction.objects.filter(pk=faces[1].pk).update(found_by="haar")
    Prediction.objects.filter(pk=faces[2].pk).update(found_by="both")
    text = alice_client.get("/review/?of=one_detector").text
    assert shown(text) == faces[1].pk
    assert "1 left" in text
    photo = faces[-1].upload_id
    text = alice_client.get(f"/review/?photo={photo}").text
    assert shown(text) == faces[-2].pk
    assert "2 left" in text
    assert f"photo={photo}" in text
    Upload.objects.filter(pk=photo).update(photo_deleted_at=timezone.now())
    assert "4 left" in alice_client.get("/review/").text


@pytest.mark.parametrize(
    "query", ["of=angry", "photo=1", "at=x", "after=-1", f"after={10**30}", "done='"]
)
def test_places_that_cannot_be_are_not_found(alice_client: Client, query: str) -> None:
    assert alice_client.get(f"/review/?{query}").status_code == 404


@pytest.mark.parametrize("label", ["angry", "<script>", "x" * 500])
def test_other_labels_are_refused(
    alice_client: Client, faces: list[Prediction], label: str
) -> None:
    answer = alice_client.post("/review/", {"face": faces[0].pk, "label": label}, follow=True)
    assert "isn’t a label that a face can have" in answer.text
    assert shown(answer.text) == faces[0].pk


@pytest.mark.parametrize("face", ["", "x", "99999999", "9" * 40])
def test_an_answer_about_no_face_is_not_found(alice_client: Client, face: str) -> None:
    assert alice_client.post("/review/", {"face": face, "label": "sad"}).status_code == 404


def test_others_faces_do_not_come_and_cannot_be_answered(
    bob_client: Client, faces: list[Prediction]
) -> None:
    pk, photo = faces[0].pk, faces[0].upload_id
    for query in ("", "?of=all", f"?at={pk}", f"?after={pk}&done={pk}", f"?photo={photo}"):
        text = bob_client.get(f"/review/{query}").text
        assert "Nothing to review yet" in text
        assert f'value="{pk}"' not in text
    assert bob_client.post("/review/", {"face": pk, "label": "sad"}).status_code == 404
    faces[0].refresh_from_db()
    assert faces[0].correction == ""


def test_a_place_far_down_is_found_without_counting_to_it(alice: User) -> None:
    for _number in range(40):
        add_face(make_upload(alice), "sad", uncertain=True)
    queue = Queue(alice)
    face, seen = queue.first(), 0
    with CaptureQueriesContext(connection) as captured:
        while face is not None:
            face, seen = queue.after(face), seen + 1
    assert seen == 40
    assert not any("OFFSET" in query["sql"] for query in captured)


def test_neighbours_are_those_of_the_filter(alice_client: Client, faces: list[Prediction]) -> None:
    newest, middle, oldest = Upload.objects.filter(pk__in={face.upload_id for face in faces})
    for face in faces:
        if face.upload_id == middle.pk:
            face.delete()

    def links(upload: Upload, query: str = "") -> dict[str, str]:
        text = alice_client.get(f"{upload.get_absolute_url()}{query}").text
        return dict(re.findall(r'rel="(prev|next)" href="([^"]+)"', text))

    assert links(newest) == {"next": middle.get_absolute_url()}
    assert links(middle) == {"prev": newest.get_absolute_url(), "next": oldest.get_absolute_url()}
    query = "?label=sad"
    assert links(newest, query) == {"next": f"{oldest.get_absolute_url()}{query}"}
    assert links(oldest, query) == {"prev": f"{newest.get_absolute_url()}{query}"}
    cards = alice_client.get(f"/uploads/{query}").text
    assert f'href="{newest.get_absolute_url()}{query}"' in cards
