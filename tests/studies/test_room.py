"""What participants give counts in the storage of the study's owner, and ends with it."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from recognition import quotas
from studies.models import Answer, Participation, Study
from studies.taking_part import joining, keys, leaving, reports, room
from studies.taking_part.consumer import NO_ROOM
from tests.support import studies as make
from tests.support.participants import Participant, blocks_of, in_thread, ready

EMOJI = "\U0001f642"


@pytest.fixture
def study(alice: User) -> Study:
    study = make.open_study(alice)
    make.block(study, name="first")
    make.block(study, "open", "why", text="Why?")
    return study


def used(owner: User) -> float:
    return quotas.stored_bytes(owner).used


def limit(owner: User, n_bytes: float) -> None:
    owner.quota_bytes = int(n_bytes)
    owner.save(update_fields=["quota_bytes"])
    quotas.forget()


def came(study: Study) -> Participation:
    part, _key = joining.join(study, language="en", consent_version=study.consent_version)
    return part


def at_question(study: Study) -> tuple[Participation, int]:
    """Somebody whose turn it is to answer."""
    part = came(study)
    Participation.objects.filter(pk=part.pk).update(place=1)
    reports.start(part.pk, part.sequence[1], 1000)
    return part, part.sequence[1]


def test_a_room_of_people_has_the_storage_counted_once(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, counted = quotas.stored_bytes, []
    monkeypatch.setattr(quotas, "stored_bytes", lambda user: counted.append(1) or count(user))
    for _who in range(4):
        assert Client().get(f"/take-part/{study.link_key}/").status_code == 200
        came(study)
    assert len(counted) == 1


def test_whoever_joins_counts_with_the_text_agreed_to(study: Study, alice: User) -> None:
    before = used(alice)
    came(study)
    assert used(alice) - before >= room.PARTICIPATION_BYTES + len(study.consent_text)


def test_answers_count_by_their_bytes(study: Study, alice: User) -> None:
    part, why = at_question(study)
    before = used(alice)
    reports.answer(part.pk, why, EMOJI * 500)
    assert used(alice) - before == room.ANSWER_BYTES + 2000
    # Another one takes its place, and the same one comes twice.
    for _again in range(2):
        reports.answer(part.pk, why, "shorter")
        assert used(alice) - before == room.ANSWER_BYTES + 7


def test_visits_events_and_clock_readings_count(study: Study, alice: User) -> None:
    part = make.with_series(came(study))
    first = part.sequence[0]
    counted = [used(alice)]
    reports.start(part.pk, first, 1000)
    counted.append(used(alice))
    reports.event(part.pk, first, 2000, "hidden")
    counted.append(used(alice))
    reports.start(part.pk, first, 9000)
    counted.append(used(alice))
    reports.note_clock(part.pk, 1, 0.5, 2.0)
    counted.append(used(alice))
    grown = [after - before for before, after in pairwise(counted)]
    assert grown[0] >= room.VISIT_BYTES
    assert grown[1] >= len('[2000, "hidden", null]')
    assert grown[2] >= len('[9000, "restart", 1000]')
    assert grown[3] == room.READING_BYTES


def test_who_withdraws_gives_all_of_it_back(study: Study, alice: User) -> None:
    before = used(alice)
    part, why = at_question(study)
    reports.answer(part.pk, why, "because " * 100)
    code = keys.code_of(keys.new(), keys.new())
    Participation.objects.filter(pk=part.pk).update(code_hash=keys.hash_of_code(code))
    assert leaving.withdraw(code) == study
    assert used(alice) == before


def test_a_full_storage_takes_no_answer(study: Study, alice: User) -> None:
    part, why = at_question(study)
    limit(alice, used(alice) + room.ANSWER_BYTES + 10)
    with pytest.raises(room.NoRoom):
        reports.answer(part.pk, why, "x" * 11)
    assert not Answer.objects.exists()
    reports.answer(part.pk, why, "x" * 10)
    # What takes no more is still taken: the block ends, and with it the study.
    reports.answer(part.pk, why, "y" * 10)
    assert reports.end(part.pk, why, 9000)
    assert used(alice) == alice.quota_bytes


def test_a_full_storage_takes_no_visits_events_or_readings(study: Study, alice: User) -> None:
    part = make.checked(came(study))
    first, second = part.sequence
    reports.start(part.pk, first, 1000)
    limit(alice, used(alice))
    with pytest.raises(room.NoRoom):
        reports.event(part.pk, first, 2000, "hidden")
    reports.note_clock(part.pk, 1, 0.5, 2.0)
    assert not part.clock_readings.exists()
    assert not reports.end(part.pk, first, 9000)
    with pytest.raises(room.NoRoom):
        reports.start(part.pk, second, 9000)
    assert part.visits.get().events == []
    assert used(alice) == alice.quota_bytes


def test_answers_of_others_keep_new_people_out(study: Study, alice: User) -> None:
    part, why = at_question(study)
    reports.answer(part.pk, why, "x" * 2000)
    limit(alice, used(alice) - 1)
    with pytest.raises(joining.CannotJoin):
        came(study)


def test_rows_from_before_are_counted_alike(study: Study, alice: User) -> None:
    for text in ("because", EMOJI * 9):
        part, why = at_question(study)
        reports.event(part.pk, why, 2000, "hidden")
        reports.answer(part.pk, why, text)
        reports.note_clock(part.pk, 1, 0.5, 2.0)
    counted = dict(Participation.objects.values_list("pk", "stored_bytes"))
    Participation.objects.update(stored_bytes=0)
    migration: Any = import_module("studies.migrations.0008_stored_bytes")
    migration.count(apps, None)
    assert dict(Participation.objects.values_list("pk", "stored_bytes")) == counted


@pytest.mark.django_db(transaction=True)
async def test_the_page_is_told_and_keeps_its_report(participant: Participant, ada: User) -> None:
    words, _mood = await blocks_of(participant)
    socket = await ready(participant)
    await in_thread(make.checked)(await in_thread(lambda: participant.row)())
    await in_thread(limit)(ada, 1)
    await socket.send(type="start", block=words, clock=participant.clock, n=1)
    refused = await socket.until("error")
    assert (refused["code"], refused.get("n")) == ("no_room", None)
    assert await socket.close_code() == NO_ROOM == 4413
    assert not await in_thread(lambda: participant.row.visits.exists())()


def test_many_reports_count_the_owners_storage_once(
    study: Study, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting reads all that somebody has stored, and a participant may send many reports."""
    part, why = at_question(study)
    limit(alice, used(alice) + room.ANSWER_BYTES + 300)
    with CaptureQueriesContext(connection) as queries:
        for number in range(20):
            reports.answer(part.pk, why, "a" * (number + 1))
        # What was taken meanwhile is known.
        with pytest.raises(room.NoRoom):
            reports.answer(part.pk, why, "a" * 320)
    counts = [query["sql"] for query in queries if "recognition_videotransfer" in query["sql"]]
    assert len([sql for sql in counts if "SUM(" in sql]) == 1
    # And after a while, that there is room again.
    alice.quota_bytes = None
    alice.save(update_fields=["quota_bytes"])
    monkeypatch.setattr(quotas, "COUNTED_FOR", 0.0)
    reports.answer(part.pk, why, "a" * 320)
