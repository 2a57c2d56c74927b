"""A study goes, at once, on its day or with its owner, and nothing of it is left."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.apps import apps
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from operations import stored_files
from recognition.jobs import messages
from recognition.models import Recording, SeriesChunk
from recognition.personal_data import account_deletion
from studies.models import Answer, ClockReading, Member, Study, Visit
from studies.planning import deleting
from studies.tasks import sweep_studies
from tests.support import studies as make
from tests.support.factories import make_person
from tests.support.series import recorded


def full_study(owner: User, **fields: Any) -> Study:
    """With one of everything, and more participants than go at a time."""
    study = make.ready_study(owner, **fields)
    make.condition(study, "a")
    block = make.block(study, "video", file=b"a video", media_type="video/mp4")
    make.personal_link(study)
    study.members.create(email="colleague@example.org")
    for number in range(deleting.BATCH + 3):
        part = make.participation(study)
        if number < 2:
            make.with_series(part)
        Visit.objects.create(participation=part, block=block, start_ms=0)
        Answer.objects.create(participation=part, block=block, number=3)
        ClockReading.objects.create(participation=part, at_ms=0, offset_ms=1, round_trip_ms=2)
    return study


def rows() -> dict[str, int]:
    found = {model._meta.label: model._default_manager.count() for model in apps.get_models()
             if model._meta.app_label == "studies"}  # fmt: skip
    return {**found, "recordings": Recording.objects.count(), "parts": SeriesChunk.objects.count()}


def files() -> list[str]:
    try:
        folders, _names = default_storage.listdir("studies")
    except FileNotFoundError:
        return []
    return folders


@pytest.fixture(autouse=True)
def no_files_of_others() -> None:
    for folder in files():
        for name in default_storage.listdir(f"studies/{folder}")[1]:
            default_storage.delete(f"studies/{folder}/{name}")
        default_storage.delete(f"studies/{folder}")


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_of_a_study_that_is_deleted(alice: User, alice_client: Client) -> None:
    mine = recorded(alice)
    before = rows()
    study = full_study(alice)
    page = alice_client.get(f"/studies/{study.pk}/delete/").text
    for text in ("23 participants", "2 blocks", "1 personal link", "1 team member"):
        assert text in page, text
    told: list[Any] = []
    deleting.AFTER.append(told.append)
    try:
        assert alice_client.post(f"/studies/{study.pk}/delete/").status_code == 302
    finally:
        deleting.AFTER.remove(told.append)
    assert rows() == before
    assert files() == []
    assert told == [study.pk]
    assert Recording.objects.get() == mine
    event = AuditEvent.objects.get(action="study_deleted")
    assert (event.user, event.actor) == (alice, alice)
    assert "Faces and sounds" not in str(AuditEvent.objects.values_list())


@pytest.mark.django_db(transaction=True)
def test_a_study_goes_on_its_day(alice: User) -> None:
    today = timezone.now().date()
    due = full_study(alice, delete_on=today)
    kept = [full_study(alice, delete_on=day) for day in (today + timedelta(days=1), None)]
    sweep_studies()
    assert set(Study.objects.all()) == set(kept)
    assert str(due.pk) not in files()
    assert len(files()) == 2
    assert Recording.objects.count() == 4
    event = AuditEvent.objects.get(action="study_deleted")
    assert (event.user, event.actor) == (alice, None)


@pytest.mark.django_db(transaction=True)
def test_a_study_that_cannot_be_deleted_does_not_keep_the_others(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = make.ready_study(alice, delete_on=date(2020, 1, 1))
    make.ready_study(alice, delete_on=date(2020, 1, 2))
    delete = deleting.delete

    def broken(study: Study) -> bool:
        if study == stuck:
            raise OSError
        return delete(study)

    monkeypatch.setattr(deleting, "delete", broken)
    assert deleting.delete_due() == 1
    assert Study.objects.get() == stuck


@pytest.mark.django_db(transaction=True)
def test_a_large_study_is_deleted_in_turns(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[Any] = []
    monkeypatch.setattr(messages, "send", lambda *what, **options: queued.append((what, options)))
    monkeypatch.setattr(deleting, "TURN_SECONDS", 0)
    study = full_study(alice)
    answer = alice_client.post(f"/studies/{study.pk}/delete/", follow=True)
    assert "is being deleted" in answer.text
    study.refresh_from_db()
    assert not study.takes_people_in
    later = ((deleting.TASK,), {"delay": deleting.PAUSE_SECONDS})
    for turn in range(1, 5):
        assert queued == [later] * turn
        assert Study.objects.exists(), "one part a turn"
        sweep_studies()
        if not Study.objects.exists():
            break
    assert not any(rows().values())
    assert queued == [later] * turn, "then no task follows"


@pytest.mark.django_db(transaction=True)
def test_who_asks_again_takes_no_other_turn(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleting, "TURN_SECONDS", 0)
    study = full_study(alice)
    left = []
    for _ in range(3):
        page = alice_client.post(f"/studies/{study.pk}/delete/", follow=True)
        assert "is being deleted" in page.text
        left.append(study.participations.count())
    assert left[0] == left[2]
    study.refresh_from_db()
    assert study.delete_on == timezone.now().date(), "so the task goes on"


@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_was_cut_off_is_finished_by_the_next(alice: User) -> None:
    study = full_study(alice)
    assert deleting._delete_some(study) == deleting.BATCH
    deleting.delete(study)
    deleting.delete(study)
    assert not Study.objects.exists()
    assert not Recording.objects.exists()
    assert AuditEvent.objects.filter(action="study_deleted").count() == 1


def test_the_sweep_is_on_the_schedule() -> None:
    tasks = [entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()]
    assert "studies.sweep_studies" in tasks


@pytest.mark.django_db(transaction=True)
def test_with_the_account_go_its_studies(alice: User, bob: User) -> None:
    full_study(alice)
    theirs = full_study(bob)
    make.member(theirs, alice, "editor")
    account_deletion.close(alice)
    account_deletion.delete(alice.pk)
    assert Study.objects.get() == theirs
    assert files() == [str(theirs.pk)]
    assert Recording.objects.count() == 2
    assert not theirs.members.filter(email="alice@example.org").exists()


def test_an_accounts_deletion_that_is_stopped_goes_on_where_it_was(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_study(alice)
    delete_some, n_deleted = deleting._delete_some, []

    def stopped(study: Study) -> int:
        if n_deleted:
            raise SoftTimeLimitExceeded
        n_deleted.append(delete_some(study))
        return n_deleted[0]

    account_deletion.close(alice)
    monkeypatch.setattr(deleting, "_delete_some", stopped)
    with pytest.raises(SoftTimeLimitExceeded):
        account_deletion.delete(alice.pk)
    assert rows()["studies.Participation"] == 3
    monkeypatch.undo()
    assert account_deletion.delete(alice.pk)
    assert not any(rows().values())


def test_the_page_that_deletes_an_account_says_what_becomes_of_studies(
    alice: User, alice_client: Client
) -> None:
    assert "hand it over" not in alice_client.get("/privacy/delete-account/").text
    make.open_study(alice)
    page = alice_client.get("/privacy/delete-account/").text
    assert "1 study, with all data of its participants. To keep it, hand it over" in page
    assert "taking part in now" in page


def test_with_an_account_go_invitations_that_it_never_took_up(alice: User, bob: User) -> None:
    study = make.open_study(alice)
    study.members.create(email=bob.email)
    study.members.create(email="carol@example.org")
    make.member(make.open_study(alice, "Another"), bob)
    account_deletion.close(bob)
    assert account_deletion.delete(bob.pk)
    assert [member.email for member in Member.objects.all()] == ["carol@example.org"]
    # The owner sees that somebody is gone who had come.
    left = AuditEvent.objects.get(action="study_left")
    assert (left.user, left.actor) == (alice, None)
    assert left.target == f"study:{alice.studies.get(title='Another').pk}"


def test_with_an_account_goes_its_address_from_an_invitation_that_was_passed_on(
    alice: User, bob: User, charlie: User
) -> None:
    study = make.open_study(alice)
    member = study.members.create(email=bob.email, user=charlie)
    study.members.create(email=charlie.email)
    account_deletion.close(bob)
    assert account_deletion.delete(bob.pk)
    assert [(one.pk, one.email) for one in study.members.all()] == [(member.pk, charlie.email)]


def test_so_it_does_where_the_other_ones_address_let_in_a_third(
    alice: User, bob: User, charlie: User
) -> None:
    study, dora = make.open_study(alice), make_person("dora@example.org", "dora-password")
    study.members.create(email=bob.email, user=charlie)
    study.members.create(email=charlie.email, user=dora)
    account_deletion.close(bob)
    assert account_deletion.delete(bob.pk)
    assert bob.email not in {member.email for member in study.members.all()}
    assert set(study.members.values_list("user", flat=True)) == {charlie.pk, dora.pk}


@pytest.mark.django_db(transaction=True)
def test_a_folder_that_cannot_be_read_or_emptied_does_not_undo_a_deletion(
    alice: User, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    forgotten: list[UUID] = []
    monkeypatch.setattr(deleting, "AFTER", [forgotten.append])
    first, second = make.open_study(alice), make.open_study(alice, "Another")
    stray = f"studies/{first.pk}/stray"
    default_storage.save(stray, ContentFile(b"a face"))

    def refuse(_name: str) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "delete", refuse)
        first.delete()
        patch.setattr(default_storage, "listdir", refuse)
        second.delete()
    assert len(forgotten) == 2
    assert default_storage.exists(stray)
    stored_files.delete_left()
    assert not default_storage.exists(stray)


@pytest.mark.parametrize("by", ["page", "action"])
def test_staff_delete_no_participants_series_alone(
    alice: User, root_client: Client, by: str
) -> None:
    """Its curves would stay, and nobody would tell the study's owner."""
    part = make.with_series(make.participation(make.open_study(alice)))
    path, form = {
        "page": (f"{part.recording_id}/delete/", {}),
        "action": ("", {"action": "delete_selected", "_selected_action": [part.recording_id]}),
    }[by]
    root_client.post(f"/admin/recognition/recording/{path}", {**form, "post": "yes"})
    assert Recording.objects.filter(pk=part.recording_id).exists()
    page = root_client.get("/admin/recognition/recording/").content.decode()
    assert f"/{part.recording_id}/change/" not in page
