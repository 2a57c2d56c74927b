"""Results: what the page shows of a study whose figures are known beforehand."""

from __future__ import annotations

import json
import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from recognition.models import Recording
from recognition.series import storing
from recognition.series.columns import Gap, GapReason
from recognition.series.storing import SeriesWriter
from studies.models import Member, Participation, ParticipationGrid, Study, Visit
from studies.results import grouping, loading
from studies.results.grouping import View
from studies.results.loading import load
from studies.results.rules import Reason
from studies.taking_part import keys, leaving
from tests.support import studies
from tests.support.study_results import plan, sample, take_part, with_data


@pytest.fixture
def study(alice: User) -> Study:
    return with_data(alice)


def block_figures(study: Study, name: str, by: str = "", is_corrected: bool = False) -> Any:
    """Means of `happy` by group: its name to (n, mean, low, high, peak, seconds, share)."""
    data = load(study)
    block = next(one for one in data.blocks if one.name == name)
    view = View(by, is_corrected)
    found = {}
    for group in grouping.groups_of(data, by):
        result = grouping.result_of(data, group, block, view)
        f = result.figures
        row = (f.mean[0], f.low[0], f.high[0], f.mean[1], f.mean[2], f.mean[3])
        found[group.name] = (result.n, *(float(values[0]) for values in row))
    return found


def address(study: Study, name: str = "results", **query: str) -> str:
    return reverse(f"studies:{name}", args=[study.pk], query=query)


def test_figures_are_those_that_were_put_in(study: Study) -> None:
    n, mean, low, high, peak, seconds, share = block_figures(study, "sea")[""]
    # Six who finished, and one who hardly had a face: its part of the sea is a gap.
    assert n == 6
    wanted = np.mean([0.5 + k / 100 for k in range(1, 7)])
    assert mean == pytest.approx(wanted, abs=5e-4)
    assert low < mean < high
    assert high - low < 0.04
    assert peak == pytest.approx(wanted, abs=5e-4)
    assert seconds == 0
    assert share == 1
    _n, corrected, *_rest = block_figures(study, "sea", is_corrected=True)[""]
    assert corrected == pytest.approx(0.4, abs=1e-3)


def test_groups_are_by_condition_or_attribute(study: Study) -> None:
    by_condition = block_figures(study, "sea", grouping.CONDITION)
    assert {name: found[0] for name, found in by_condition.items()} == {"calm": 3, "loud": 3}
    assert by_condition["calm"][1] == pytest.approx(0.54, abs=5e-4)  # 2, 4 and 6
    assert by_condition["loud"][1] == pytest.approx(0.53, abs=5e-4)  # 1, 3 and 5
    assert np.isnan(by_condition["calm"][2])
    by_age = block_figures(study, "sea", "attribute:age")
    assert {name: found[0] for name, found in by_age.items()} == {"old": 2, "young": 4}


def test_rules_leave_people_out_and_say_why(study: Study, alice_client: Client) -> None:
    assert [one.name for one in load(study).participants if one.excluded] == ["P007"]
    sent = {"face_percent": "60", "frames_per_second": "2"}
    response = alice_client.post(address(study, "results_rules"), sent, follow=True)
    assert "Rules saved." in response.text
    study.refresh_from_db()
    assert study.exclude_below == pytest.approx(0.6)
    excluded = {one.name: one.excluded for one in load(study).participants if one.excluded}
    assert excluded == {"P007": (Reason.NOT_FINISHED,), "P008": (Reason.FEW_FACES,)}
    assert "too few frames with a face" in response.text
    assert "did not finish" in response.text
    assert "by alice@example.org" in response.text
    alice_client.post(address(study, "results_rules"), {**sent, "keeps_unfinished": "on"})
    assert block_figures(study, "sea")[""][0] == 7
    # What is no number changes nothing.
    response = alice_client.post(
        address(study, "results_rules"),
        {"face_percent": "700", "frames_per_second": "x"},
        follow=True,
    )
    assert "Give a share from 0 to 100" in response.text
    study.refresh_from_db()
    assert study.exclude_below == pytest.approx(0.6)


def test_a_rate_is_counted_while_frames_came(alice: User) -> None:
    study = plan(alice)
    take_part(study, step_ms=500)
    take_part(study, gaps=(Gap(2000, 10_000, GapReason.PAUSED),))
    slow, paused = (one.quality for one in load(study).participants)
    assert slow.frames_per_second == pytest.approx(33 / 16)
    assert paused.frames_per_second == pytest.approx(81 / 8)


def test_previews_are_never_in_results(study: Study) -> None:
    before = block_figures(study, "sea")
    take_part(study, is_preview=True, happy=lambda _time: 0.99)
    assert block_figures(study, "sea") == before


def test_a_visit_without_an_end_does_not_count(study: Study) -> None:
    Visit.objects.filter(block__name="sea", participation__number=1).update(end_ms=None)
    assert block_figures(study, "sea")[""][0] == 5
    assert block_figures(study, "storm")[""][0] == 6


def test_the_larger_face_is_the_participant(alice: User) -> None:
    study = plan(alice)
    one = take_part(study)
    assert one.recording is not None
    one.recording.refresh_from_db()
    writer = SeriesWriter(one.recording)
    # Somebody behind them, for the whole of the time.
    for time_ms in range(16_100, 20_000, 100):
        writer.add([sample(time_ms, 0.9, 2, 60), sample(time_ms, 0.2, 3, 100)])
    writer.save()
    Visit.objects.filter(block__name="storm").update(start_ms=17_000, end_ms=19_000)
    assert block_figures(study, "storm")[""][1] == pytest.approx(0.2, abs=5e-4)


def test_curves_are_kept_and_follow_the_data(study: Study) -> None:
    load(study)
    kept = ParticipationGrid.objects.get(participation__number=1)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        load(study)
    assert not [q for q in queries if "serieschunk" in q["sql"]]
    visit = Visit.objects.get(block__name="sea", participation__number=1)
    visit.end_ms = 6000
    visit.save()
    load(study)
    assert ParticipationGrid.objects.get(pk=kept.pk).fingerprint != kept.fingerprint
    assert ParticipationGrid.objects.count() == 8


def test_who_withdraws_is_gone_from_results_and_caches(study: Study, alice_client: Client) -> None:
    load(study)
    one = study.participations.get(number=6)
    Participation.objects.filter(pk=one.pk).update(code_hash=keys.hash_of_code("ABCD-EFGH"))
    assert leaving.withdraw("ABCD-EFGH") == study
    assert not Recording.objects.filter(pk=one.recording_id).exists()
    assert "1 withdrew" in alice_client.get(address(study)).text
    assert not ParticipationGrid.objects.filter(participation__number=6).exists()
    assert ParticipationGrid.objects.count() == 7
    n, mean, *_rest = block_figures(study, "sea")[""]
    assert n == 5
    assert mean == pytest.approx(0.53, abs=5e-4)
    assert "P006" not in [person.name for person in load(study).participants]


def test_curves_of_whoever_withdrew_meanwhile_are_not_kept(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studies.results import loading

    made = loading.make

    def and_withdraw(*arguments: Any) -> Any:
        Participation.objects.filter(number=3).delete()
        return made(*arguments)

    monkeypatch.setattr(loading, "make", and_withdraw)
    load(study)
    assert set(ParticipationGrid.objects.values_list("participation__number", flat=True)) == {
        1, 2, 4, 5, 6, 7, 8,
    }  # fmt: skip


def test_curves_that_an_earlier_version_kept_are_made_anew(study: Study) -> None:
    before = block_figures(study, "sea")
    # As version 1 was: two figures of each block, and one payload for all.
    head = json.dumps({"labels": ["happy"], "n_moments": 1, "paused_ms": 0, "blocks": [[1, 2]]})
    old = struct.pack("<I", len(head)) + head.encode() + zlib.compress(b"\0\0\0\0")
    ParticipationGrid.objects.update(data=old, fingerprint="0" * 64)
    assert block_figures(study, "sea") == before


def test_long_visits_take_the_room_of_what_is_known_of_them(alice: User) -> None:
    """Two frames and 110 minutes between them: 660 kB a participant, as numbers."""
    study = studies.open_study(alice)
    film = studies.block(study)
    hours = {"start_ms": 1000, "end_ms": 6_590_000}
    for _ in range(30):
        now = timezone.now()
        recording = Recording.objects.create(started_at=now, ended_at=now, model_version="vgg16-1")
        writer = SeriesWriter(recording)
        for time_ms in (1000, 6_589_000):
            writer.add([sample(time_ms, 0.4)])
        writer.save()
        one = studies.participation(study, state="finished", recording=recording)
        Visit.objects.create(participation=one, block=film, **hours)
    load(study)
    tracemalloc.start()
    try:
        data = load(study)
        held, _most = tracemalloc.get_traced_memory()
        view = View("", is_corrected=False)
        (group,) = grouping.groups_of(data, "")
        assert grouping.result_of(data, group, film, view).n == 30
        _held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1e6
    assert most < 20e6, "a few participants at a time"


def test_more_participants_take_no_more_queries(alice: User, alice_client: Client) -> None:
    study = plan(alice)
    counts = []
    for n in (2, 6):
        for _person in range(n):
            take_part(study)
        for name in ("results", "block_results"):
            stimulus = study.blocks.get(name="sea").pk
            where = reverse(
                f"studies:{name}", args=[study.pk, *([stimulus] if name == "block_results" else [])]
            )
            alice_client.get(where)
            with CaptureQueriesContext(connection) as queries:
                assert alice_client.get(where).status_code == 200
            counts.append(len(queries))
    assert counts[:2] == counts[2:]


def test_long_recordings_are_read_a_few_at_a_time(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty of two hours of six faces took 800 MB together."""
    together = block_figures(study, "sea")
    ParticipationGrid.objects.all().delete()
    sizes = Recording.objects.order_by("n_samples").values_list("n_samples", flat=True)
    monkeypatch.setattr(loading, "SAMPLES_AT_ONCE", sum(sizes[:2]))
    read: list[int] = []

    def read_columns(recordings: Any) -> Any:
        read.append(sum(Recording.objects.get(pk=pk).n_samples for pk in recordings))
        return storing.read_columns(recordings)

    monkeypatch.setattr(loading, "read_columns", read_columns)
    assert block_figures(study, "sea") == together
    assert len(read) > 2
    assert max(read) <= max(sum(sizes[:2]), *sizes)


# Pages ------------------------------------------------------------------------------------------


def test_the_page_says_what_there_is(study: Study, alice_client: Client) -> None:
    text = alice_client.get(address(study)).text
    assert "7 of 50 finished" in text
    assert "7 participants in the results" in text
    assert "1 left out" in text
    assert "<span>0.54</span>" in text or "<span>0.53</span>" in text
    assert "curve-band" in text
    assert "P001" not in text
    block = study.blocks.get(name="sea")
    people = alice_client.get(reverse("studies:block_results", args=[study.pk, block.pk])).text
    assert 'id="P001"' in people
    assert 'id="P007"' not in people


def test_switches_work_by_the_address(study: Study, alice_client: Client) -> None:
    corrected = alice_client.get(address(study, values="corrected")).text
    assert "<span>0.40</span>" in corrected
    assert "curve-zero" in corrected
    by_condition = alice_client.get(address(study, by="condition")).text
    assert "<caption>calm</caption>" in by_condition
    assert "too few for intervals" in by_condition
    assert "<caption>old</caption>" in alice_client.get(address(study, by="attribute:age")).text
    # What is not there is everybody together.
    odd = alice_client.get(address(study, by="attribute:<b>", values="odd"))
    assert odd.status_code == 200
    assert "<caption>" not in odd.text


def test_empty_states_are_honest(alice: User, alice_client: Client) -> None:
    study = plan(alice)
    assert "Nobody has taken part yet." in alice_client.get(address(study)).text
    take_part(study, state=Participation.State.RUNNING)
    text = alice_client.get(address(study)).text
    assert "0 of 50 finished" in text
    assert "nobody has finished" in text
    for _person in range(3):
        take_part(study)
    text = alice_client.get(address(study)).text
    assert "3 of 50 finished" in text
    assert "curves are shown without intervals, which need 5" in text
    assert "curve-band" not in text
    studies.participation(study, state=Participation.State.FINISHED)
    assert "nothing recorded" in alice_client.get(address(study)).text


def test_questions_have_no_curves(study: Study, alice_client: Client) -> None:
    for name in ("liked", "cross"):
        block = study.blocks.get(name=name)
        where = reverse("studies:block_results", args=[study.pk, block.pk])
        assert alice_client.get(where).status_code == 404


@pytest.mark.parametrize("role", [Member.Role.EDITOR, Member.Role.VIEWER])
def test_the_team_sees_and_editors_set_rules(
    study: Study, bob: User, bob_client: Client, role: str
) -> None:
    assert bob_client.get(address(study)).status_code == 404
    studies.member(study, bob, role)
    page = bob_client.get(address(study))
    assert page.status_code == 200
    may = role == Member.Role.EDITOR
    assert ("Save rules" in page.text) == may
    sent = {"face_percent": "60", "frames_per_second": "0"}
    assert bob_client.post(address(study, "results_rules"), sent).status_code == (
        302 if may else 404
    )
    study.refresh_from_db()
    assert study.exclude_below == (0.6 if may else 0.0)
    other = plan(bob)
    stimulus = other.blocks.get(name="sea").pk
    where = reverse("studies:block_results", args=[study.pk, stimulus])
    assert bob_client.get(where).status_code == 404


def test_a_page_has_some_stimuli_and_the_next_page_the_next(
    study: Study, alice_client: Client
) -> None:
    """Each of up to two hundred takes a moment to work out, for each group."""
    for number in range(23):
        studies.block(study, name=f"more-{number}")
    pages = [alice_client.get(address(study, by="condition", page=n)).text for n in ("1", "2")]
    assert [page.count('class="card mb-4" id="block-') for page in pages] == [20, 5]
    assert "?by=condition&amp;page=2" in pages[0]
    assert "more-17" in pages[0]
    assert "more-17" not in pages[1]
    assert "more-22" in pages[1]
