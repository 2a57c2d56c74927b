"""Whoever reads a study's data slowly has a little of it in memory, however much was answered."""

from __future__ import annotations

import csv
import gc
import io
import json
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from recognition.uploads.reports import csv_line
from studies import personal_data
from studies.models import Answer, Block, Study, Visit
from studies.results import answers, archive, downloads
from studies.results.loading import load
from tests.support import studies

#: Bytes that many answers may take more than few; all of them are 8 million.
MOST = 1.5e6
PARTICIPANTS, QUESTIONS, CHARACTERS = 40, 100, 2000
Read = Callable[[Study], Iterator[Any]]


def as_csv(study: Study) -> Iterator[str]:
    return downloads.answers(load(study, has_curves=False))


def zipped(study: Study) -> Iterator[bytes]:
    return archive.zipped(list(archive.members(load(study, has_curves=False))))


def exported(study: Study) -> Iterator[str]:
    """What an export of everything has of it."""
    for _name, pieces in personal_data.texts(study.owner, timezone.now()):
        yield from pieces


def answered(owner: User, participants: int, questions: int, characters: int) -> Study:
    """A study of open questions, all of them answered by everybody."""
    study = studies.open_study(owner)
    for number in range(questions):
        studies.block(study, Block.Kind.OPEN, f"q{number}", text="Why?")
    blocks = list(study.blocks.all())
    for number in range(participants):
        one = studies.participation(study, attributes={"age": str(number)})
        Answer.objects.bulk_create(
            Answer(participation=one, block=block, text="x" * characters) for block in blocks
        )
        Visit.objects.bulk_create(
            Visit(participation=one, block=block, start_ms=at, end_ms=at + 1)
            for at, block in enumerate(blocks, start=1)
        )
    return study


def held(read: Read, study: Study) -> int:
    """Bytes that a reader had at most, whenever a piece had been made and the next had not."""
    gc.collect()
    gc.disable()  # What waits for it is in memory, too.
    tracemalloc.start()
    try:
        before, _peak = tracemalloc.get_traced_memory()
        most = 0
        for _piece in read(study):
            most = max(most, tracemalloc.get_traced_memory()[0])
        return most - before
    finally:
        tracemalloc.stop()
        gc.enable()


@pytest.mark.parametrize("read", [as_csv, zipped, exported])
def test_many_answers_take_no_more_memory_than_few(read: Read, alice: User, bob: User) -> None:
    few = answered(bob, 2, QUESTIONS, 10)
    many = answered(alice, PARTICIPANTS, QUESTIONS, CHARACTERS)
    held(read, few)  # What is loaded once.
    # Without the mend: twice what they are, 16 MB.
    assert held(read, many) - held(read, few) < MOST


def test_visits_are_in_memory_one_participants_at_a_time(alice: User, bob: User) -> None:
    def whole(study: Study) -> Iterator[Any]:
        yield (data := load(study, has_curves=False))
        for one in data.participants:
            assert len(one.visits) == QUESTIONS
            yield data

    few, many = (answered(owner, n, QUESTIONS, 1) for owner, n in ((bob, 2), (alice, PARTICIPANTS)))
    held(whole, few)
    # Without the mend: 4 MB for 4,000 rows.
    assert held(whole, many) - held(whole, few) < 0.5e6


def test_pieces_are_the_whole(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "PARTICIPANTS_AT_ONCE", 2)
    monkeypatch.setattr(answers, "ANSWERS_AT_ONCE", 3)
    monkeypatch.setattr(answers, "CHARACTERS_AT_ONCE", 50)
    study = answered(alice, 5, 4, 7)
    blocks = list(study.blocks.all())
    # The order is that of the study, not that in which somebody answered.
    Block.objects.filter(pk=blocks[0].pk).update(number=99)
    Answer.objects.filter(block=blocks[1]).update(text="ümlaut, \n\U0001f642" * 20)
    lines = [
        [str(one), "", "not_finished+no_data", answer.block.name, "open", "", answer.text]
        for one in study.participations.all()
        for answer in one.answers.order_by("block__number", "pk").select_related("block")
    ]
    header = ["participant", "condition", "excluded", "block", "kind", "number", "text"]
    text = "".join(as_csv(study))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [header, *lines]
    assert text == "".join(map(csv_line, [header, *lines]))


@pytest.mark.parametrize("n", [0, 1, 3])
def test_the_export_is_json_as_it_always_was(n: int, alice: User) -> None:
    study = answered(alice, n, 3, 5)
    Answer.objects.filter(text="xxxxx").update(text='"\n", ü')
    texts = {name: "".join(pieces) for name, pieces in personal_data.texts(alice, timezone.now())}
    text = texts[f"studies/{study.pk}/participants.json"]
    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=1) + "\n"
    assert [len(one["answers"]) for one in json.loads(text)] == [3] * n


def test_who_withdraws_meanwhile_is_not_in_the_rest(alice: User) -> None:
    study = answered(alice, answers.PARTICIPANTS_AT_ONCE + 1, 20, CHARACTERS)
    pieces = as_csv(study)
    begun = next(pieces)
    study.participations.get(number=answers.PARTICIPANTS_AT_ONCE + 1).delete()
    rest = "".join(pieces)
    assert "P001" in begun
    assert f"P{answers.PARTICIPANTS_AT_ONCE:03d}" in rest
    assert f"P{answers.PARTICIPANTS_AT_ONCE + 1:03d}" not in rest


def test_recordings_wait_for_no_garbage_collector(alice: User) -> None:
    study = answered(alice, 1, 1, 1)
    part = studies.with_series(study.participations.get())
    gc.collect()
    gc.disable()
    try:
        seen = weakref.ref(load(study, has_curves=False).participants[0].participation.recording)
        assert seen() is None
    finally:
        gc.enable()
    assert part.recording is not None
