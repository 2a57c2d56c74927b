"""How a study comes in, its sheet for the ethics board, and its part in a person's export."""

from __future__ import annotations

import json
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from recognition.models import Webhook
from recognition.personal_data import contents
from studies.models import SILENT_MINUTES, Answer, Participation, Study, Visit
from studies.planning import opening, progress
from tests.support import studies as make
from tests.support.participants import AGREES

State = Participation.State


def test_who_read_the_text_of_an_earlier_opening_has_not_agreed_to_this_one(alice: User) -> None:
    study = make.ready_study(alice)
    opening.open_(study, alice)
    study.refresh_from_db()
    page, agreed = f"/take-part/{study.link_key}/consent/", study.consent_version
    opening.back_to_draft(study, alice)
    Study.objects.filter(pk=study.pk).update(consent_text="Everything is published.")
    opening.open_(study, alice)
    answer = Client().post(page, {**AGREES, "consent_version": agreed})
    came_to = answer.headers["Location"].partition("?")[0]
    assert came_to == f"/take-part/{study.link_key}/", "it is read anew"
    assert not study.participations.exists()


def test_who_read_another_information_is_shown_this_one_before_they_agree(alice: User) -> None:
    study = make.open_study(alice, information="One frame a second.")
    make.block(study)
    client = Client()
    read = client.get(f"/take-part/{study.link_key}/").text
    link = unescape(read.partition('btn-lg" href="')[2].partition('"')[0])
    assert client.get(link).status_code == 200
    Study.objects.filter(pk=study.pk).update(information="Everything.", consent_version=2)
    answer = client.get(link, follow=True)
    assert "Everything." in answer.text
    assert "Do you want to take part?" not in answer.text
    link = unescape(answer.text.partition('btn-lg" href="')[2].partition('"')[0])
    assert 'name="consent_version" value="2"' in client.get(link).text


def test_counts_leave_previews_out(alice: User, alice_client: Client) -> None:
    study = make.open_study(alice, n_came=9, n_withdrawn=2, most_participants=4)
    camera = {"face_share": 0.9, "frames_per_second": 5, "brightness": 0.5, "face_height": 200}
    for state, values in (
        (State.CONSENTED, {}), (State.CHECKED, camera), (State.RUNNING, camera),
        (State.FINISHED, camera), (State.LEFT, camera), (State.LEFT, {}),
    ):  # fmt: skip
        make.participation(study, state=state, camera=values)
    long_ago = timezone.now() - timedelta(minutes=SILENT_MINUTES + 1)
    make.participation(study, state=State.RUNNING, camera=camera)
    study.participations.filter(number=7).update(seen_at=long_ago)
    study.participations.filter(state__in=(State.FINISHED, State.LEFT)).update(seen_at=long_ago)
    make.participation(study, state=State.FINISHED, is_preview=True)
    assert progress.counts(study) == progress.Counts(
        came=9, consented=7, checked=5, running=3, away=1, finished=1, left=2, withdrew=2, most=4
    )
    page = alice_client.get(f"/studies/{study.pk}/progress/").text
    assert "1 of 4 finished" in page
    assert page.count('scope="row"') == 7
    assert page.count('<td class="text-nowrap">Away</td>') == 1
    assert "1 person is" not in alice_client.get(f"/studies/{study.pk}/").text
    assert "3 people are taking part now" in alice_client.get(f"/studies/{study.pk}/").text
    assert "1 of 4 finished" in alice_client.get("/studies/").text


@pytest.mark.parametrize(
    ("camera", "problems", "is_excluded"),
    [
        ({}, (), False),
        ({"face_share": 0.95, "frames_per_second": 6, "brightness": 0.5, "face_height": 150},
         (), False),
        ({"face_share": 0.3, "frames_per_second": 1, "brightness": 0.1, "face_height": 20},
         ("face", "frames", "light", "size"), True),
        ({"face_share": 0.6}, ("face",), True),
        ({"face_share": "much"}, (), False),
    ],
)  # fmt: skip
def test_what_is_too_poor_is_marked(
    camera: dict[str, Any], problems: tuple[str, ...], is_excluded: bool, alice: User
) -> None:
    study = make.open_study(alice, exclude_below=0.7)
    make.participation(study, camera=camera)
    found = progress.quality(study, progress.newest(study).get())
    assert (found.problems, found.is_excluded) == (problems, is_excluded)


def test_the_series_tells_more_than_the_check(alice: User, alice_client: Client) -> None:
    study = make.open_study(alice)
    part = make.with_series(make.participation(study, camera={"face_share": 0.1}))
    assert part.recording is not None
    type(part.recording).objects.update(n_frames=120, n_samples=90)
    found = progress.quality(study, progress.newest(study).get())
    assert found.face_share == 0.75
    assert found.frames_per_second == pytest.approx(2.0)
    page = alice_client.get(f"/studies/{study.pk}/progress/").text
    assert "data-every" in page
    for word in ("<img", "<video", "image/"):
        assert word not in page.replace("img/icon", "").split('id="main"')[1]


def test_the_sheet_says_what_the_study_says(
    alice: User, alice_client: Client, settings: Settings
) -> None:
    settings.OPERATOR_CONTACT = "the-operator@example.org"
    study = make.ready_study(alice, minimum_age=21)
    make.block(study, "scale", name="how-glad")
    make.block(study, "page", name="shop", url="https://shop.example/")
    page = alice_client.get(f"/studies/{study.pk}/data-protection/").text
    for text in (
        "Dr Ada Lovelace", "University of Examples", "2026-17", "31 Dec 2099", "how-glad",
        "https://shop.example/", "at least 21 years", "English, Deutsch",
        "the-operator@example.org", "automatic recognition of facial expressions by software (AI)",
        "Answers to 1 question", "https://faces.example",
    ):  # fmt: skip
        assert text in page, text
    assert "who finished" not in page
    for n in (1, 2):
        Webhook.objects.create(owner=alice, url=f"https://{n}.example/", secret="whsec_x")
    page = alice_client.get(f"/studies/{study.pk}/data-protection/").text
    assert "2 addresses that the owner has set up are told who finished" in page
    german = alice_client.get(
        f"/studies/{study.pk}/data-protection/", headers={"Accept-Language": "de"}
    ).text
    assert "automatische Erkennung von Gesichtsausdrücken durch Software (KI)" in german


@pytest.mark.parametrize("bucket", ["", "photos"])
def test_the_sheet_says_where_an_export_lies(
    alice: User, alice_client: Client, settings: Settings, bucket: str
) -> None:
    settings.S3_BUCKET = bucket
    study = make.ready_study(alice)
    page = alice_client.get(f"/studies/{study.pk}/data-protection/").text
    row = page.split("export of all their data", 1)[1].split("</tr>", 1)[0]
    assert "for 7 days; sooner if somebody in it withdraws" in row
    assert ("the operator’s S3 bucket" in row) == bool(bucket)
    assert ("the server’s private files" in row) != bool(bucket)


def test_an_export_has_ones_studies_and_nobody_elses(alice: User, bob: User) -> None:
    study = make.ready_study(alice)
    part = make.with_series(make.participation(study, external_id="A-17"))
    block = study.blocks.get()
    Visit.objects.create(participation=part, block=block, start_ms=7)
    Answer.objects.create(participation=part, block=block, text="fine")
    theirs = make.ready_study(bob, title="Secret of Bob")
    make.member(theirs, alice)
    make.with_series(make.participation(study, number=1_000_001, is_preview=True))
    files = {name: "".join(pieces) for name, pieces in contents.texts(alice, timezone.now())}
    plan = json.loads(files[f"studies/{study.pk}/study.json"])
    assert plan["consent_text"] == study.consent_text
    assert [one["name"] for one in plan["blocks"]] == ["text-1"]
    (row,) = json.loads(files[f"studies/{study.pk}/participants.json"])
    assert row["external_id"] == "A-17"
    assert row["answers"] == [{"block__name": "text-1", "number": None, "text": "fine"}]
    assert files[f"studies/{study.pk}/P001.csv"].count("\n") > 10
    assert not [name for name in files if "P1000001" in name]
    (membership,) = json.loads(files["study_memberships.json"])
    assert membership["role"] == "viewer"
    text = "".join(files.values())
    assert "Secret of Bob" not in text
    assert part.code_hash not in text
    assert study.link_key not in text


def test_the_footer_says_whose_site_it_is(settings: Settings, db: None, tmp_path: Any) -> None:
    settings.DEPLOYMENT_PURPOSE, settings.OPERATOR_CONTACT = "Studies of <b>", "ops@example.org"
    page = Client().get("/about/").text
    assert "Studies of &lt;b&gt; · ops@example.org" in page
    assert 'href="/legal/"' not in page
    notice = tmp_path / "legal.txt"
    notice.write_text("Imprint.\n\n<script>alert(1)</script>", encoding="utf-8")
    settings.LEGAL_PAGE = str(notice)
    assert 'href="/legal/"' in Client().get("/about/").text
    page = Client().get("/legal/").text
    assert "<p>Imprint.</p>" in page
    assert "<script>alert" not in page
    notice.write_text("Another.", encoding="utf-8")
    assert "<p>Another.</p>" in Client().get("/legal/").text
    settings.LEGAL_PAGE = str(tmp_path / "missing.txt")
    assert Client().get("/legal/").status_code == 404


def test_participants_are_told_whose_site_it_is(alice: User, settings: Settings) -> None:
    settings.DEPLOYMENT_PURPOSE, settings.OPERATOR_CONTACT = "Studies of Psychology", "ops@e.org"
    study = make.open_study(alice)
    for page in ("", "consent/?version=1"):
        text = Client().get(f"/take-part/{study.link_key}/{page}").text
        assert "Studies of Psychology · ops@e.org" in text


def test_the_preview_leads_to_what_participants_see(alice: User, alice_client: Client) -> None:
    study = make.ready_study(alice)
    path = f"/take-part/preview/{study.pk}/"
    assert f'href="{path}"' in alice_client.get(study.get_absolute_url()).text
    assert study.information in alice_client.get(path, follow=True).text


def test_studies_are_listed_by_as_many_queries_as_one(alice: User, alice_client: Client) -> None:

    counts = []
    for _round in range(2):
        for _number in range(3):
            make.participation(make.open_study(alice))
        with CaptureQueriesContext(connection) as queries:
            alice_client.get("/studies/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
    study = Study.objects.all()[0]
    counts = []
    for _round in range(2):
        for _number in range(3):
            make.with_series(make.participation(study))
        with CaptureQueriesContext(connection) as queries:
            alice_client.get(f"/studies/{study.pk}/progress/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_who_comes_is_counted_and_not_known(alice: User, alice_client: Client) -> None:
    study = make.open_study(alice)
    make.block(study)
    path = f"/take-part/{study.link_key}/"

    def came() -> int:
        return Study.objects.get(pk=study.pk).n_came

    client = Client()
    client.get(path)
    client.head(path)
    assert client.get(f"{path}consent/?version=1").status_code == 200
    assert came() == 1
    Client().get(path)
    assert came() == 2
    # Neither who comes back nor the team, nor where nobody can come in.
    client.post(f"{path}consent/", AGREES)
    assert study.participations.count() == 1
    client.get(path)
    alice_client.get(f"{path}?preview=1")
    Study.objects.filter(pk=study.pk).update(status=Study.Status.CLOSED)
    Client().get(path)
    assert came() == 2
