"""The trash: out of everything until it is restored, counted while it is stored, gone for good."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import audit, consent
from accounts.models import AuditEvent, User
from recognition import quotas, tasks
from recognition.models import DataExport, Prediction, Upload
from recognition.people import TRAINING
from recognition.personal_data import account_deletion, export
from recognition.uploads import actions, retention, trash
from tests.support.factories import add_face, make_crowd, make_upload

SURE = {"sure": "yes"}


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def photo(alice_upload: Upload) -> Upload:
    """A photo that is done, with a face that its owner corrected and whose heat map was drawn."""
    Upload.objects.update(status=Upload.Status.DONE, finished_at=timezone.now())
    face = add_face(alice_upload, "happy", uncertain=True)
    face.heat_map.save("map.png", ContentFile(b"a map"), save=False)
    face.heat_map_bytes = 5
    face.save()
    alice_upload.refresh_from_db()
    return alice_upload


def move(photo: Upload) -> trash.Moved:
    return trash.move(Upload.objects.filter(pk=photo.pk), photo.owner)


def files(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def test_the_activity_leads_to_what_is_there(alice_client: Client, photo: Upload) -> None:
    pages = []
    for _ in range(2):
        move(photo)
        pages.append(alice_client.get("/accounts/activity/").text)
        trash.restore(Upload.with_trash.all(), photo.owner)
        pages.append(alice_client.get("/accounts/activity/").text)
    assert [f'<a href="/uploads/{photo.pk}/">' in page for page in pages] == [False, True] * 2


#: Where the photo is told of while it is not in the trash: a page, and what of it is there.
PLACES = {
    "/uploads/": "party.jpg",
    "/": "party.jpg",
    "/uploads/export.json": "party.jpg",
    "/uploads/export.csv": "party.jpg",
    "/review/": "party.jpg",
    "/api/v1/uploads/": "party.jpg",
    "/api/v1/predictions/": '"happy"',
}


def text(client: Client, path: str) -> str:
    response = client.get(path)
    content = b"".join(response) if response.streaming else response.content
    return content.decode()


def test_what_is_in_the_trash_is_nowhere_else(
    photo: Upload, alice_client: Client, root_client: Client
) -> None:
    assert [path for path, mark in PLACES.items() if mark not in text(alice_client, path)] == []
    counted = text(alice_client, "/api/v1/statistics/")
    assert json.loads(counted)["uploads"]["photos"] == 1
    lists = [f"/admin/recognition/{name}/" for name in ("upload", "prediction")]
    for path in lists:
        assert f"/admin/recognition/upload/{photo.pk}/" in text(root_client, path)

    move(photo)
    assert [path for path, mark in PLACES.items() if mark in text(alice_client, path)] == []
    counted = text(alice_client, "/api/v1/statistics/")
    assert json.loads(counted)["uploads"]["photos"] == 0
    for path in lists:
        assert str(photo.pk) not in text(root_client, path)
    own = f"/uploads/{photo.pk}/"
    for path in (own, f"{own}image/", f"{own}export.csv", f"{own}faces/0/heat-map.png"):
        assert alice_client.get(path).status_code == 404
    assert alice_client.get(f"/api/v1/uploads/{photo.pk}/").status_code == 404
    page = text(alice_client, "/uploads/trash/")
    assert "party.jpg" in page
    assert "30 days left" in page
    assert alice_client.get(f"{own}thumbnail/").status_code == 200


def test_it_is_not_used_for_training(photo: Upload, tmp_path: Path) -> None:
    Prediction.objects.update(correction="sad", corrected_at=timezone.now())
    consent.give(photo.owner, TRAINING)

    def crops() -> int:
        path = tmp_path / "corrections.zip"
        path.unlink(missing_ok=True)
        call_command("export_corrections", str(path))
        with zipfile.ZipFile(path) as archive:
            return sum(name.endswith(".png") for name in archive.namelist())

    Prediction.objects.update(x=100, y=60, width=90, height=90)
    assert crops() == 1
    move(photo)
    assert crops() == 0


def test_it_counts_as_stored(photo: Upload, alice: User) -> None:
    before = quotas.stored_bytes(alice).used
    assert before == photo.stored_bytes + 5
    move(photo)
    assert quotas.stored_bytes(alice).used == before


def test_undo_brings_back_what_went_in_one_go(
    photo: Upload, alice: User, alice_client: Client
) -> None:
    earlier, other = make_upload(alice, "earlier.jpg"), make_upload(alice, "other.jpg")
    move(earlier)
    chosen = {"upload": [photo.pk, other.pk], "action": "delete"}
    page = alice_client.post("/uploads/selected/", chosen | SURE, follow=True).text
    assert "2 photos moved to the trash." in page
    assert Upload.objects.count() == 0
    moment = Upload.with_trash.get(pk=photo.pk).trashed_at
    assert moment is not None
    assert f'name="moved" value="{moment.isoformat()}"' in page
    undo = {"moved": moment.isoformat(), "action": "restore"}
    page = alice_client.post("/uploads/trash/selected/", undo, follow=True).text
    assert "2 photos restored." in page
    assert set(Upload.objects.values_list("name", flat=True)) == {"party.jpg", "other.jpg"}
    assert photo.predictions.get().heat_map_bytes == 5
    told = AuditEvent.objects.filter(details={"number": 2}).values_list("action", "target")
    assert list(told) == [("upload_restored", ""), ("upload_trashed", "")]


def test_moving_and_restoring_many_again_and_again_writes_little(
    photo: Upload, alice: User, bob: User, alice_client: Client
) -> None:
    others = [make_upload(bob) for _ in range(2)]
    for _ in range(29):
        make_upload(alice)
    AuditEvent.objects.all().delete()
    for _ in range(3):
        trash.move(Upload.objects.all(), alice)
        trash.restore(Upload.with_trash.all(), alice)
    told = AuditEvent.objects.order_by("id")
    assert [(one.user, one.details) for one in told if one.action == "upload_trashed"] == [
        (alice, {"number": 30}),
        (bob, {"number": 2}),
    ] * 3
    assert [(one.user, one.target) for one in told if one.action == "upload_restored"] == [
        (alice, ""),
        (bob, ""),
    ] * 3
    assert trash.restore(Upload.with_trash.trashed(), alice) == 0
    assert AuditEvent.objects.count() == 12
    page = text(alice_client, "/accounts/activity/")
    assert page.count("A photo was moved to the trash ×30") == 3
    assert Upload.objects.filter(pk__in=[one.pk for one in others]).count() == 2


def test_photos_deleted_for_good_are_each_told_in_one_statement(photo: Upload, alice: User) -> None:
    gone = {photo.pk, *(make_upload(alice).pk for _ in range(29))}
    with CaptureQueriesContext(connection) as queries:
        assert actions.delete_uploads(Upload.objects.all(), alice) == 30
    statements = [query["sql"] for query in queries if "accounts_auditevent" in query["sql"]]
    assert len([sql for sql in statements if sql.startswith("INSERT")]) == 1
    told = AuditEvent.objects.filter(action="upload_deleted", user=alice, actor=alice)
    assert {event.target for event in told} == {f"upload:{pk}" for pk in gone}


def test_a_form_that_is_not_sure_is_answered_by_a_question(
    photo: Upload, alice_client: Client
) -> None:
    question = alice_client.post(f"/uploads/{photo.pk}/delete/").text
    assert "Move 1 photo to the trash?" in question
    assert Upload.objects.exists()
    chosen = {"upload": [photo.pk], "action": "delete"}
    question = alice_client.post("/uploads/selected/", chosen).text
    assert f'name="upload" value="{photo.pk}"' in question
    answer = alice_client.post(f"/uploads/{photo.pk}/delete/", SURE)
    assert answer["Location"] == "/uploads/"
    assert not Upload.objects.exists()

    question = alice_client.post("/uploads/trash/selected/", chosen).text
    assert "Permanently delete 1 photo and its results?" in question
    assert Upload.with_trash.exists()
    alice_client.post("/uploads/trash/selected/", chosen | SURE)
    assert not Upload.with_trash.exists()


@pytest.mark.parametrize("who", ["bob", "alice"])
def test_only_the_owner_empties_and_restores(
    who: str, photo: Upload, alice_client: Client, bob_client: Client
) -> None:
    moved = move(photo)
    client = {"alice": alice_client, "bob": bob_client}[who]
    ways = ({"upload": [photo.pk]}, {"moved": moved.moment.isoformat()}, {"all": "yes"})
    for way in ways:
        client.post("/uploads/trash/selected/", {**way, "action": "restore"})
        assert Upload.objects.exists() == (who == "alice")
        Upload.objects.update(trashed_at=moved.moment)
    client.post("/uploads/trash/selected/", {"all": "yes", "action": "delete", **SURE})
    assert Upload.with_trash.exists() == (who == "bob")
    for made_up in ({"moved": "2026-13-77T99:00"}, {"upload": ["x"]}):
        answer = client.post("/uploads/trash/selected/", {**made_up, "action": "restore"})
        assert answer.status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_worker_leaves_it_alone_until_it_is_restored(alice_upload: Upload) -> None:
    claimed = Upload.objects.claim(str(alice_upload.pk))
    assert claimed is not None
    move(alice_upload)
    assert not Upload.objects.finish(claimed)
    assert Upload.objects.claim(str(alice_upload.pk)) is None
    Upload.with_trash.update(
        status="pending", queued_at=timezone.now() - timedelta(days=1), claim="", claimed_until=None
    )
    assert Upload.objects.take_overdue() == []
    trash.restore(Upload.with_trash.trashed(), alice_upload.owner)
    assert Upload.objects.claim(str(alice_upload.pk)) is not None


@pytest.mark.django_db(transaction=True)
def test_its_time_is_over(photo: Upload, settings: Any, media: Path) -> None:
    other = make_upload(photo.owner)
    move(photo)
    Upload.with_trash.filter(pk=photo.pk).update(trashed_at=timezone.now() - timedelta(days=29))
    tasks.sweep_trash()
    assert Upload.with_trash.count() == 2
    settings.TRASH_DAYS = 29
    tasks.sweep_trash()
    assert list(Upload.with_trash.all()) == [other]
    assert files(media) == []
    last = AuditEvent.objects.get(action="upload_deleted")
    assert (last.user, last.actor) == (photo.owner, None)


@pytest.mark.django_db(transaction=True)
def test_what_is_immediate_elsewhere_is_immediate_there(photo: Upload, media: Path) -> None:
    move(photo)
    assert len(files(media)) == 3
    photo.owner.photo_retention_days = 1
    photo.owner.save()
    Upload.with_trash.update(created_at=timezone.now() - timedelta(days=2))
    assert retention.remove_due_photos() == 1
    assert len(files(media)) == 1, "only the blurred thumbnail"
    account_deletion.close(photo.owner)
    account_deletion.delete(photo.owner.pk)
    assert not Upload.with_trash.exists()
    assert files(media) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("days", "maximum"), [(0, None), (1, None), (None, 7)])
def test_a_photo_that_nobody_looks_at_any_more_stays_no_longer_than_its_owner_wants(
    alice_upload: Upload, media: Path, settings: Any, days: int | None, maximum: int | None
) -> None:
    """Moved before a worker came to it: retention takes photos alone that were looked at."""
    settings.RETENTION_MAXIMUM_DAYS = maximum
    kept = make_upload(alice_upload.owner)
    User.objects.update(photo_retention_days=days)
    trash.move(Upload.objects.filter(pk=alice_upload.pk), alice_upload.owner)
    if days != 0:
        assert trash.empty_due() == 0
    Upload.with_trash.update(created_at=timezone.now() - timedelta(days=8))
    upload = trash.of(alice_upload.owner).get()
    assert trash.gone_at(upload) <= timezone.now()
    assert trash.empty_due() == 1
    assert Upload.with_trash.get() == kept
    assert files(media) == []


@pytest.mark.django_db(transaction=True)
def test_programs_delete_at_once(photo: Upload, alice_client: Client, media: Path) -> None:
    other = make_upload(photo.owner)
    move(photo)
    for pk in (photo.pk, other.pk):
        assert alice_client.delete(f"/api/v1/uploads/{pk}/").status_code == 204
    assert not Upload.with_trash.exists()
    assert files(media) == []


def test_without_days_there_is_no_trash(photo: Upload, alice_client: Client, settings: Any) -> None:
    settings.TRASH_DAYS = 0
    assert "Trash" not in text(alice_client, "/uploads/")
    path = f"/uploads/{photo.pk}/delete/"
    assert "Permanently delete 1 photo" in alice_client.post(path).text
    alice_client.post(path, SURE)
    assert not Upload.with_trash.exists()


@pytest.mark.django_db(transaction=True)
def test_an_export_of_everything_has_it_in_a_list_of_its_own(photo: Upload) -> None:
    make_upload(photo.owner, "kept.jpg")
    move(photo)
    archive = export.start(photo.owner)
    export.build(str(archive.pk))
    with DataExport.objects.get().file.open("rb") as file:
        found = zipfile.ZipFile(io.BytesIO(file.read()))
    assert [upload["name"] for upload in json.loads(found.read("uploads.json"))] == ["kept.jpg"]
    (trashed,) = json.loads(found.read("trash.json"))
    assert (trashed["name"], trashed["faces"][0]["label"]) == ("party.jpg", "happy")
    assert f"photos/{photo.pk}.jpg" in found.namelist()


def test_the_same_file_is_new_while_the_first_is_in_the_trash(
    photo: Upload, alice_client: Client, face_jpeg: bytes
) -> None:
    move(photo)
    again = {"image": SimpleUploadedFile("party.jpg", face_jpeg)}
    answer = alice_client.post("/api/v1/uploads/?duplicates=reject", again)
    assert answer.status_code == 201
    assert answer.json()["duplicate_of"] is None
    assert actions.retry_uploads(Upload.objects.all()) == 0


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z"]
)
def test_a_moment_that_no_calendar_has_is_not_found(moment: str, alice_client: Client) -> None:
    for path, form in (
        ("/uploads/trash/selected/", {"moved": moment, "action": "restore"}),
        ("/uploads/trash/selected/", {"moved": moment, "sure": "yes"}),
        ("/uploads/selected/", {"all": "", "shown_at": moment}),
    ):
        assert alice_client.post(path, form).status_code == 404


def test_deleting_costs_no_query_for_each_face(alice: User) -> None:
    """Two for each took minutes for a day's photos of crowds, with all their rows locked."""

    def queries(n_faces: int) -> int:
        for number in range(3):
            make_crowd(alice, f"{n_faces}-{number}", n_faces)
        with CaptureQueriesContext(connection) as found:
            assert actions.delete_uploads(Upload.objects.for_owner(alice), alice) == 3
        assert not Prediction.with_trash.exists()
        return len(found)

    assert queries(200) == queries(2)


@pytest.mark.django_db(transaction=True)
def test_many_photos_are_deleted_a_few_at_a_time(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What breaks off in between, such as a task whose time is over, is gone on with later."""
    monkeypatch.setattr(actions, "DELETED_AT_ONCE", 2)
    for number in range(7):
        make_upload(alice, sha256=f"{number:064}")
    record = audit.record_each
    left = iter((True, True, False))

    def broken_off(*args: Any) -> None:
        if not next(left):
            raise SoftTimeLimitExceeded
        record(*args)

    monkeypatch.setattr(audit, "record_each", broken_off)
    with pytest.raises(SoftTimeLimitExceeded):
        actions.delete_uploads(Upload.objects.for_owner(alice), alice)
    assert Upload.objects.count() == 3
    assert AuditEvent.objects.filter(action="upload_deleted").count() == 4
    monkeypatch.setattr(audit, "record_each", record)
    assert actions.delete_uploads(Upload.objects.for_owner(alice), alice) == 3
