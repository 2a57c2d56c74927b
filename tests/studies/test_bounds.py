"""What one participant can take of a study, of its results and of the site; and what stays."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from recognition import quotas
from recognition.models import DataExport, Webhook, WebhookDelivery
from recognition.personal_data import contents
from recognition.personal_data import export as data_export
from recognition.series.timeline import MAXIMUM_SECONDS
from studies.models import Participation, Study
from studies.planning import team
from studies.taking_part import clocks, joining, keys, leaving, reports
from studies.taking_part.pages import JOINS
from tests.support import studies as make
from tests.support.participants import AGREES


@pytest.fixture
def study(alice: User) -> Study:
    study = make.open_study(alice)
    make.block(study, name="first")
    make.block(study, "open", "second", text="Why?")
    return study


def someone(study: Study, **fields: Any) -> Participation:
    return make.with_series(make.participation(study, **fields))


def blocks(part: Participation) -> list[int]:
    return list(part.sequence)


def test_blocks_follow_each_other_whatever_a_clock_says(study: Study) -> None:
    part = someone(study)
    first, second = blocks(part)
    reports.start(part.pk, first, 1000)
    reports.end(part.pk, first, 9000)
    reports.start(part.pk, second, 0)
    assert part.visits.get(block=second).start_ms == 9000


def test_reports_read_no_stretches(study: Study) -> None:
    """They may be a megabyte, and everybody's sockets share a few threads."""
    part = someone(study)
    first, second = blocks(part)
    with CaptureQueriesContext(connection) as queries:
        reports.start(part.pk, first, 1000)
        reports.event(part.pk, first, 2000, "hidden")
        assert reports.is_there(part.pk)
        reports.note_clock(part.pk, 2000, 1.0, 1.0)
        reports.end(part.pk, first, 9000)
        reports.answer(part.pk, second, "a")
    assert not [query for query in queries if '"samples"' in query["sql"]]


def test_an_end_reads_the_text_of_no_other_block(study: Study) -> None:
    """There may be a megabyte of them, and it can be sent again and again."""
    part = someone(study)
    first = blocks(part)[0]
    reports.start(part.pk, first, 1000)
    for expected in (1, 0):
        with CaptureQueriesContext(connection) as queries:
            reports.end(part.pk, first, 9000)
            reports.needs_camera(part.pk)
        assert sum('"studies_block"."text"' in query["sql"] for query in queries) == expected


def test_starting_over_and_over_leaves_no_more_than_other_events(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MAXIMUM_EVENTS", 3)
    part = someone(study)
    for time_ms in range(1000, 9000, 1000):
        reports.start(part.pk, blocks(part)[0], time_ms)
    visit = part.visits.get()
    assert (len(visit.events), visit.start_ms) == (3, 8000)


def test_a_recording_ends_and_with_it_the_participation(study: Study) -> None:
    part = someone(study)
    assert part.recording is not None
    began = timezone.now() - timedelta(seconds=MAXIMUM_SECONDS - leaving.RESERVE_SECONDS + 1)
    type(part.recording).objects.filter(pk=part.recording.pk).update(started_at=began)
    assert not reports.is_there(part.pk)
    part.refresh_from_db()
    assert part.state == Participation.State.LEFT


def test_who_has_left_stays_away(study: Study) -> None:
    part = someone(study, state=Participation.State.LEFT)
    with pytest.raises(reports.Gone):
        reports.start(part.pk, blocks(part)[0], 0)
    part.refresh_from_db()
    assert part.state == Participation.State.LEFT


def test_a_silent_page_is_not_seen(study: Study) -> None:
    part, before = someone(study), timezone.now() - timedelta(minutes=5)
    Participation.objects.filter(pk=part.pk).update(seen_at=before)
    assert reports.is_there(part.pk, is_active=False)
    part.refresh_from_db()
    assert part.seen_at == before


def test_a_disabled_owners_study_stops(study: Study, alice: User) -> None:
    part = someone(study)
    alice.is_active = False
    alice.save(update_fields=["is_active"])
    assert not reports.is_there(part.pk)
    with pytest.raises(joining.CannotJoin):
        joining.check(Study.objects.get(pk=study.pk))


def test_who_only_agrees_takes_a_place_for_minutes(study: Study) -> None:
    part = make.participation(study)
    assert joining.taken(study) == 1
    early = timezone.now() - timedelta(minutes=joining.UNDECIDED_MINUTES, seconds=1)
    Participation.objects.filter(pk=part.pk).update(seen_at=early)
    assert joining.taken(study) == 0


def test_those_who_come_and_leave_have_an_end(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "MORE_COMERS", 0)
    Study.objects.filter(pk=study.pk).update(most_participants=1)
    for _ in range(joining.COMERS_A_PLACE):
        assert joining.check(Study.objects.get(pk=study.pk)) is None
        make.participation(study, state=Participation.State.LEFT)
    with pytest.raises(joining.CannotJoin):
        joining.check(Study.objects.get(pk=study.pk))


def test_a_full_storage_lets_nobody_in(study: Study, alice: User) -> None:
    part = someone(study)
    assert reports.has_room(part.pk)
    alice.quota_bytes = 1
    alice.save(update_fields=["quota_bytes"])
    quotas.forget()  # It is counted every ten seconds.
    assert not reports.has_room(part.pk)
    with pytest.raises(joining.CannotJoin):
        joining.check(Study.objects.get(pk=study.pk))


def test_one_address_joins_so_often(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(most_participants=500)
    path = f"/take-part/{study.link_key}/consent/"
    often = int(JOINS.partition("/")[0])
    for _ in range(often):
        assert Client().post(path, AGREES).status_code == 302
    refused = Client().post(path, AGREES)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert study.participations.count() == often


def test_withdrawal_takes_messages_and_exports_along(study: Study, alice: User) -> None:
    hook = Webhook.objects.create(owner=alice, url="https://alice.example/hook", secret="whsec_x")
    code = keys.code_of(keys.new(), keys.new())
    part = someone(study, external_id="panel-7", code_hash=keys.hash_of_code(code))
    other = someone(study)
    for one in (part, other):
        leaving.finish(one)
    later = timezone.now() + timedelta(days=7)
    export = DataExport.objects.create(
        owner=alice, status=DataExport.Status.DONE, expires_at=later, finished_at=timezone.now()
    )
    assert WebhookDelivery.objects.filter(webhook=hook).count() == 2
    assert leaving.withdraw(code) == study
    (left,) = WebhookDelivery.objects.filter(webhook=hook)
    assert left.payload["participation"]["id"] == str(other.pk)
    assert not DataExport.objects.filter(pk=export.pk).exists()


def test_whoever_came_later_is_in_no_export_and_takes_none_along(
    study: Study, alice: User, tmp_path: Path, settings: Any
) -> None:
    """Else a stranger with the link deletes what the owner has exported as often as they like."""
    settings.MEDIA_ROOT = tmp_path
    settings.DATA_DIR = tmp_path
    code = keys.code_of(keys.new(), keys.new())
    before = someone(study, external_id="before")
    Webhook.objects.create(owner=alice, url="https://alice.example/hook", secret="whsec_x")
    leaving.finish(before)
    export = data_export.start(alice)
    leaving.finish(someone(study, external_id="after", code_hash=keys.hash_of_code(code)))
    assert data_export.build(str(export.pk))
    export.refresh_from_db()
    with zipfile.ZipFile(export.file.path) as archive:
        found = json.loads(archive.read(f"studies/{study.pk}/participants.json"))
        told = json.loads(archive.read("webhook_deliveries.json"))
    assert [one["external_id"] for one in found] == ["before"]
    assert told == []
    assert leaving.withdraw(code) == study
    assert DataExport.objects.filter(pk=export.pk, status=DataExport.Status.DONE).exists()
    before.delete()
    assert not DataExport.objects.filter(pk=export.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_withdrawal_takes_what_a_killed_attempt_at_an_export_has_left(
    study: Study, alice: User, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    part = someone(study)
    name = default_storage.save("exports/a.zip", ContentFile(b"what they gave"))
    DataExport.objects.create(owner=alice, file=name, status=DataExport.Status.FAILED)
    part.delete()
    assert not default_storage.exists(name)


def test_an_export_has_no_messages_of_studies_that_somebody_no_longer_owns(
    study: Study, alice: User, bob: User
) -> None:
    """Nobody would find them there, were a participant to withdraw once the messages are gone."""
    Webhook.objects.create(owner=alice, url="https://alice.example/hook", secret="whsec_x")
    leaving.finish(someone(study, external_id="needle"))
    Study.objects.filter(pk=study.pk).update(owner=bob)
    export = data_export.start(alice)
    texts = ["".join(pieces) for _name, pieces in contents.texts(alice, export.created_at)]
    assert not any("needle" in text for text in texts)


@pytest.mark.parametrize(
    "clock", [10**400, -(10**400), float("nan"), float("inf"), 1e13, True, "1"]
)
def test_what_no_clock_shows_is_no_time(clock: Any) -> None:
    assert clocks.milliseconds(clock) is None


@pytest.mark.parametrize("name", [[], {}, None, 7, "never heard of"])
def test_unknown_events_are_refused(study: Study, name: Any) -> None:
    part = someone(study)
    reports.start(part.pk, blocks(part)[0], 0)
    with pytest.raises(reports.markers.MarkerRefused):
        reports.event(part.pk, blocks(part)[0], 10, name)


def test_answers_keep_what_a_database_can_store(study: Study) -> None:
    part = someone(study, place=1)
    second = blocks(part)[1]
    reports.answer(part.pk, second, "a\0b\ud83dc")
    assert part.answers.get().text == "ab?c"


@pytest.mark.parametrize("path", ["/take-part/%00/", "/take-part/p/%00/"])
def test_keys_that_no_database_knows(path: str, db: None) -> None:
    assert Client().get(path).status_code == 404


def test_an_invitation_ends_and_its_taker_is_told_of(study: Study, alice: User, bob: User) -> None:
    key = team.invite(study, "carol@example.org", "viewer", alice).rstrip("/").rpartition("/")[2]
    member = study.members.get()
    type(member).objects.update(
        invited_at=timezone.now() - timedelta(days=team.INVITATION_DAYS, seconds=1)
    )
    with pytest.raises(team.TeamRefused):
        team.join(key, bob)
    type(member).objects.update(invited_at=timezone.now())
    team.join(key, bob)
    assert alice.audit_events.filter(action="study_joined").exists()
    client = Client()
    client.force_login(alice)
    assert f"joined as {bob.email}" in client.get(f"/studies/{study.pk}/team/").text
