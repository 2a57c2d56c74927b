"""Downloads of a study: read back by pandas, equal to what the page shows, and safe."""

from __future__ import annotations

import io
import json
import re
import tomllib
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from recognition.models import Recording
from studies.models import Answer, Block, Study
from studies.results import archive, codebook, downloads, software
from studies.results.loading import load
from tests.support import studies
from tests.support.series import LABELS
from tests.support.study_results import plan, take_part, with_data


@pytest.fixture
def study(alice: User) -> Study:
    return with_data(alice)


def download(client: Client, study: Study, name: str) -> bytes:
    response = client.get(reverse("studies:download", args=[study.pk, name]))
    assert response.status_code == 200
    return b"".join(response) if response.streaming else response.content


def table(client: Client, study: Study, name: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(download(client, study, name)))


def test_pandas_gets_the_means_that_the_page_shows(study: Study, alice_client: Client) -> None:
    page = alice_client.get(reverse("studies:results", args=[study.pk])).text
    part = page[page.index(">storm</h2>") :]
    row = part[part.index('<tr data-label="happy">') :]
    shown = [float(value) for value in re.findall(r"<span>(-?[\d.]+)</span>", row)[:4]]
    blocks = table(alice_client, study, "blocks.csv")
    mine = blocks[
        (blocks["excluded"] == "none") & (blocks["block"] == "storm") & (blocks["label"] == "happy")
    ]
    means = mine[["mean", "peak", "latency", "share"]].mean()
    assert shown == [round(value, 2) for value in means]
    # And from the curves, by hand.
    curves = table(alice_client, study, "curves.csv")
    curves = curves[(curves["excluded"] == "none") & (curves["block"] == "storm")]
    of_each = curves.groupby("participant")["p_happy"].mean()
    assert of_each.mean() == pytest.approx(means["mean"], abs=1e-5)


def test_pandas_gets_the_right_types(study: Study, alice_client: Client) -> None:
    people = table(alice_client, study, "participants.csv")
    assert people["participant"].tolist() == [f"P{n:03d}" for n in range(1, 9)]
    assert people["n_frames"].dtype == "int64"
    assert people["frames_per_second"].dtype == "float64"
    assert people["excluded"].tolist() == ["none"] * 6 + ["not_finished", "none"]
    assert pd.to_datetime(people["consented_at"]).notna().all()
    assert set(people["attribute_age"]) == {"young", "old"}
    samples = table(alice_client, study, "samples.csv")
    for column in ("time_ms", "face", "x", "y", "width", "height", "pixels", "gap_ms"):
        assert samples[column].dtype == "int64", column
    for column in ("uncertain", "is_participant"):
        assert samples[column].dtype == "bool", column
    assert set(samples["block"].dropna()) == {"cross", "sea", "storm"}
    one = samples[(samples["participant"] == "P001") & (samples["block"] == "sea")]
    assert one["block_ms"].tolist() == list(range(0, 5000, 100))
    assert (samples["gap"] == "no_face").sum() == 1
    answers = table(alice_client, study, "answers.csv")
    assert answers["number"].dtype == "float64"
    assert len(answers) == 8
    curves = table(alice_client, study, "curves.csv")
    assert (
        curves[[f"p_{label}" for label in LABELS]]
        .sum(axis=1, min_count=5)
        .dropna()
        .between(0.998, 1.002)
        .all()
    )
    # P008 had no face from the second second on.
    gone = curves[(curves["participant"] == "P008") & (curves["block"] == "sea")]
    assert gone["p_happy"].isna().all()


def test_the_codebook_has_every_column(study: Study, alice_client: Client) -> None:
    documented = Path(settings.BASE_DIR, "docs", "STUDY_RESULTS.md").read_text()
    assert list(codebook.CODEBOOK) == list(downloads.FILES)
    for name, columns in codebook.CODEBOOK.items():
        header = download(alice_client, study, name).decode().splitlines()[0].split(",")
        wanted = [column for column, _kind, _meaning in columns]
        found: list[str] = []
        for column in header:
            short = re.sub(r"^(p|attribute)_.*", r"\1_*", column)
            if short not in found:
                found.append(short)
        assert found == wanted, name
        for column, kind, meaning in columns:
            assert f"| `{column}` | {kind} | {meaning} |" in documented, (name, column)


def test_the_archive_has_everything(study: Study, alice_client: Client) -> None:
    zipped = zipfile.ZipFile(io.BytesIO(download(alice_client, study, "study.zip")))
    assert zipped.testzip() is None
    assert set(zipped.namelist()) == {
        "README.txt", "study.json", "methods.txt", "codebook.md", "CITATION.cff",
        *downloads.FILES,
    }  # fmt: skip
    assert "stimuli/" not in zipped.read("codebook.md").decode()
    readme = zipped.read("README.txt").decode()
    assert all(name in readme for name in zipped.namelist() if name != "README.txt")
    for name in downloads.FILES:
        assert zipped.read(name) == download(alice_client, study, name)
    plan_of_it = json.loads(zipped.read("study.json"))
    assert [block["name"] for block in plan_of_it["blocks"]] == ["cross", "sea", "storm", "liked"]
    assert plan_of_it["consent_texts"] == {"1": studies.CONSENT}
    # Codes that lead back to a participant are in nothing.
    everything = b"".join(zipped.read(name) for name in zipped.namelist()).decode()
    for one in study.participations.all():
        assert one.code_hash not in everything
        assert one.key_hash not in everything


def test_the_methods_say_what_was_done(study: Study, alice_client: Client) -> None:
    study.exclude_below, study.n_withdrawn = 0.6, 2
    study.save()
    text = download(alice_client, study, "methods.txt").decode()
    english, german = text.strip().split("\n\n")
    assert "8 participants took part by webcam; 6 were analysed." in english
    assert "2 participants withdrew" in english
    assert "did not finish: 1" in english
    assert "a face in less than 60.0 % of the frames: 1" in english
    assert "a median of 10.1 frames per second" in english
    assert "vgg16-1" in english
    assert "(1,000 resamples)" in english
    assert f"Visage {software.VERSION}" in english
    assert "8 Personen" in german
    assert "60,0" in german


def test_the_figures_of_the_model_come_from_its_card(alice: User, alice_client: Client) -> None:
    card = json.loads(settings.MODEL_MANIFEST.read_text())
    study = plan(alice)
    take_part(study)
    Recording.objects.update(model_version=card["version"])
    text = download(alice_client, study, "methods.txt").decode()
    accuracy = card["evaluation"]["sources"]["fer2013"]["shown"]["accuracy"]
    assert f"labelled by FER-2013 its accuracy is {100 * accuracy:.1f} %" in text


def test_the_software_is_cited_as_what_it_is() -> None:
    project = tomllib.loads(Path(settings.BASE_DIR, "pyproject.toml").read_text())["project"]
    assert project["version"] == software.VERSION
    whole = Path(settings.BASE_DIR, "CITATION.cff").read_text().splitlines()
    assert set(software.CITATION.splitlines()) <= set(whole)


def test_no_cell_is_run_as_a_formula(alice: User, alice_client: Client) -> None:
    study = plan(alice)
    words = studies.block(study, Block.Kind.OPEN, "said", text="What did you think?")
    one = take_part(study, external_id="=1+1", attributes={"@age": "+49"})
    Answer.objects.filter(participation=one, block=words).update(
        number=None, text='=HYPERLINK("https://example.org")\n"quoted", ümlaut'
    )
    answers = table(alice_client, study, "answers.csv")
    assert answers["text"].iloc[1] == '\'=HYPERLINK("https://example.org")\n"quoted", ümlaut'
    people = table(alice_client, study, "participants.csv")
    assert people["external_id"].iloc[0] == "'=1+1"
    assert people["attribute_@age"].iloc[0] == "'+49"
    # Numbers stay numbers, also those below zero.
    blocks = table(alice_client, study, "blocks.csv")
    assert (blocks["mean_change"] < 0).any()


def test_who_withdrew_is_in_no_download(study: Study, alice_client: Client) -> None:
    download(alice_client, study, "study.zip")
    study.participations.get(number=2).delete()
    for name in downloads.FILES:
        text = download(alice_client, study, name).decode()
        assert "P002" not in text
        assert "P003" in text


def test_an_empty_study_has_headers(alice: User, alice_client: Client) -> None:
    study = plan(alice)
    for name in downloads.FILES:
        assert len(table(alice_client, study, name)) == 0
    assert zipfile.ZipFile(io.BytesIO(download(alice_client, study, "study.zip"))).testzip() is None
    assert "0 participants" in download(alice_client, study, "methods.txt").decode()


def test_other_names_and_other_people_get_nothing(
    study: Study, alice_client: Client, bob: User, bob_client: Client
) -> None:
    where = reverse("studies:download", args=[study.pk, "secrets.csv"])
    assert alice_client.get(where).status_code == 404
    where = reverse("studies:download", args=[study.pk, "samples.csv"])
    assert bob_client.get(where).status_code == 404
    studies.member(study, bob)
    assert bob_client.get(where).status_code == 200


def test_the_owner_sees_who_took_which_results(
    study: Study, alice: User, alice_client: Client, bob: User, bob_client: Client
) -> None:
    studies.member(study, bob)
    files = [*downloads.FILES, "methods.txt", "study.zip"]
    for name in [*files, *files, "codebook.md", "CITATION.cff"]:
        download(bob_client, study, name)
        where = reverse("studies:download", args=[study.pk, name])
        assert alice_client.head(where).status_code == 200
    for name in ("participants", "blocks"):
        assert bob_client.get(f"/api/v1/studies/{study.pk}/{name}/").status_code == 200
    assert bob_client.get(f"/studies/{study.pk}/results/").status_code == 200
    events = AuditEvent.objects.filter(action="study_downloaded").order_by("id")
    assert [event.details["file"] for event in events] == [*files, "participants", "blocks"]
    assert {(event.user, event.actor, event.target) for event in events} == {
        (alice, bob, f"study:{study.pk}")
    }
    page = alice_client.get("/accounts/activity/").text
    assert page.count(f"Results of a study were downloaded ({str(study.pk)[:8]})") == 9
    assert "Results of a study were downloaded ×9" in page
    assert page.count(f"by {bob.email}") == 1
    assert "study.zip" in page
    assert "study.zip" not in bob_client.get("/accounts/activity/").text


def test_the_archive_has_what_participants_saw(alice: User, alice_client: Client) -> None:
    study = plan(alice)
    contents = {"film": b"\x00" * 3_000_000 + b"end of the film", "puppy": b"jpeg", "beep": b"wave"}
    for name, kind, media_type in (
        ("film", Block.Kind.VIDEO, "video/mp4"),
        ("puppy", Block.Kind.IMAGE, "image/jpeg"),
        ("beep", Block.Kind.SOUND, "audio/wav"),
    ):
        studies.block(study, kind, name, file=contents[name], media_type=media_type)
    studies.block(study, Block.Kind.IMAGE, "none-yet")
    zipped = zipfile.ZipFile(io.BytesIO(download(alice_client, study, "study.zip")))
    assert zipped.testzip() is None
    paths = ["stimuli/film.mp4", "stimuli/puppy.jpg", "stimuli/beep.wav"]
    assert [name for name in zipped.namelist() if name.startswith("stimuli")] == paths
    assert [zipped.read(path) for path in paths] == list(contents.values())
    texts = [zipped.read(name).decode() for name in ("README.txt", "codebook.md")]
    assert all(path in text for path in paths for text in texts)
    assert "| `stimuli/film.mp4` | film | video | 3000015 |" in texts[1]
    assert download(alice_client, study, "codebook.md").decode() == texts[1]
    planned = json.loads(zipped.read("study.json"))["blocks"]
    assert [block["file"] for block in planned[-4:]] == [*paths, None]


def test_no_file_of_the_archive_is_in_memory_whole(alice: User) -> None:
    study = plan(alice)
    studies.block(study, Block.Kind.VIDEO, file=b"\x07" * 5_000_000, media_type="video/mp4")
    pieces = [len(piece) for piece in archive.zipped(archive.members(load(study)))]
    assert sum(pieces) > 5_000_000
    assert max(pieces) < 200_000


def test_a_file_that_is_lost_keeps_nobody_from_the_rest(alice: User, alice_client: Client) -> None:
    study = plan(alice)
    lost = studies.block(study, Block.Kind.SOUND, file=b"wave", media_type="audio/wav")
    lost.file.delete(save=False)
    zipped = zipfile.ZipFile(io.BytesIO(download(alice_client, study, "study.zip")))
    assert zipped.testzip() is None
    assert not any(name.startswith("stimuli") for name in zipped.namelist())
