"""The client in one file, against a running site."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pandas as pd
import pytest

from clients import visage_client
from clients.visage_client import Visage, VisageError
from tests.support.pictures import encode, face_jpeg, meadow, no_face_jpeg
from tests.support.series import LABELS
from tests.support.site import Person, Site, wait_until
from tests.support.videos import make, pictures

#: Makes a recording of two faces and 6,000 moments, more than one page; prints its id.
RECORD = """
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from recognition.models import Recording
from tests.support.series import write_series
now = timezone.now()
owner = User.objects.get(email="client@example.org")
found = Recording.objects.create(
    owner=owner, started_at=now - timedelta(seconds=601), ended_at=now,
    samples=[[1, "happy", 1.0, 600.0, 0.8]],
)
write_series(found, 6000, (1, 2))
print(found.pk)
"""


@pytest.fixture(scope="module")
def person(site: Site) -> Person:
    return site.sign_up("client@example.org")


@pytest.fixture(scope="module")
def key(person: Person) -> str:
    return person.make_token("write")


@pytest.fixture(scope="module")
def visage(site: Site, key: str) -> Iterator[Visage]:
    with Visage(site.url, key) as opened:
        yield opened


@pytest.fixture(scope="module")
def recording(site: Site, person: Person) -> str:
    printed = site.manage("shell", "--verbosity", "0", "--command", RECORD).stdout
    return printed.split()[-1]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "face.jpg"
    path.write_bytes(face_jpeg())
    return path


def test_a_photo_is_uploaded_waited_for_corrected_and_deleted(visage: Visage, photo: Path) -> None:
    upload = visage.upload(photo)
    assert (upload["status"], upload["name"]) == ("done", "face.jpg")
    (face,) = upload["faces"]
    assert face["label"] == "happy"
    assert visage.upload(photo)["id"] == upload["id"], "the same request twice is one"
    assert visage.correct(face["id"], "neutral")["label"] == "neutral"
    assert [row["id"] for row in visage.uploads(label="neutral")] == [upload["id"]]
    assert list(visage.uploads(label="sad")) == []
    assert visage.correct(face["id"], "")["label"] == "happy"
    assert visage.get_upload(upload["id"])["faces"][0]["correction"] is None
    assert visage.me()["email"] == "client@example.org"
    visage.delete_upload(upload["id"])
    with pytest.raises(VisageError, match="not_found") as refused:
        visage.get_upload(upload["id"])
    assert (refused.value.status, refused.value.code) == (404, "not_found")
    again = visage.upload(photo)
    assert again["status"] == "done"
    assert again["id"] != upload["id"]


def test_files_of_one_name_are_told_apart_by_content(visage: Visage, tmp_path: Path) -> None:
    """As cameras name them alike in each folder."""
    uploads = []
    for folder, content in (("a", face_jpeg()), ("b", no_face_jpeg())):
        (tmp_path / folder).mkdir()
        photo = tmp_path / folder / "IMG_0001.jpg"
        photo.write_bytes(content)
        uploads.append(visage.upload(photo))
    assert [len(upload["faces"]) for upload in uploads] == [1, 0]


def test_what_is_still_worked_on_can_be_waited_for(visage: Visage, tmp_path: Path) -> None:
    photo = tmp_path / "meadow.png"
    photo.write_bytes(encode(meadow(), "PNG"))
    upload = visage.upload(photo, seconds=0, name="grass.png")
    assert upload["name"] == "grass.png"
    assert visage.wait(upload["id"])["status"] == "done"


def test_a_video_is_sent_in_parts_and_read_as_a_series(visage: Visage, tmp_path: Path) -> None:
    path = tmp_path / "interview.avi"
    # Room at its end makes three parts of it.
    path.write_bytes(make(pictures(3.0), "avi", "mjpeg") + bytes(2_500_000))
    video = visage.upload_video(path, frames_per_second=5, keep=True)
    assert (video["name"], video["byte_size"]) == (path.name, path.stat().st_size)

    def is_done() -> bool:
        return bool(visage.video(video["id"])["status"] == "done")

    wait_until(is_done, timeout=120)
    series = visage.series(video["recording"])
    assert len(series) == 15
    assert set(series["label"]) == {"happy"}
    with pytest.raises(VisageError) as refused:
        visage.upload_video(__file__)
    assert refused.value.code == "format_not_accepted"


def test_a_list_is_followed_from_page_to_page(visage: Visage, tmp_path: Path) -> None:
    for number in range(3):
        photo = tmp_path / f"page-{number}.jpg"
        photo.write_bytes(no_face_jpeg())
        visage.upload(photo, seconds=0)
    names = [row["name"] for row in visage.uploads(page_size=1, name="page-")]
    assert names == ["page-2.jpg", "page-1.jpg", "page-0.jpg"]


def test_what_is_refused_says_why(visage: Visage, site: Site, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no photo")
    with pytest.raises(VisageError) as refused:
        visage.upload(notes)
    assert (refused.value.status, refused.value.code) == (415, "format_not_accepted")
    assert refused.value.detail
    with Visage(site.url, "visage_wrong") as stranger, pytest.raises(VisageError) as refused:
        stranger.me()
    assert refused.value.code == "token_invalid"
    with Visage("http://127.0.0.1:9", "x") as nobody, pytest.raises(httpx.TransportError):
        nobody._ask("POST", "uploads/")


def test_a_series_is_a_data_frame_with_the_columns_of_the_csv(
    visage: Visage, recording: str, person: Person
) -> None:
    (listed,) = (row for row in visage.recordings() if row["id"] == recording)
    table = visage.series(recording)
    assert isinstance(table, pd.DataFrame)
    assert len(table) == listed["n_samples"] == 12_000
    assert not table.duplicated(["time_ms", "face"]).any()
    csv = pd.read_csv(io.StringIO(person.get(f"/live/sessions/{recording}/series.csv").text))
    pd.testing.assert_frame_equal(table, csv[list(table.columns)], check_dtype=False)
    assert table["time_ms"].dtype == "int64"
    assert table["uncertain"].dtype == "bool"
    assert visage.gaps(recording) == [{"start_ms": 0, "end_ms": 1000, "reason": "no_face"}]
    part = visage.series(recording, from_ms=2000, to_ms=3000)
    assert part["time_ms"].between(2000, 2999).all()
    assert len(part) == 20


def test_without_pandas_it_is_a_list(
    visage: Visage, recording: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    rows = visage.series(recording, to_ms=1200)
    assert [(row["time_ms"], row["face"]) for row in rows] == [
        (1000, 1), (1000, 2), (1100, 1), (1100, 2),
    ]  # fmt: skip
    assert {f"p_{label}" for label in LABELS} < set(rows[0])


def test_markers_are_set_changed_and_deleted(visage: Visage, recording: str) -> None:
    bell = visage.add_marker(recording, 1500, "bell", 2.5)
    start = visage.add_marker(recording, 10, "start")
    assert visage.markers(recording) == [start, bell]
    assert visage.change_marker(recording, bell["id"], name="gong") == {**bell, "name": "gong"}
    visage.delete_marker(recording, start["id"])
    assert [marker["name"] for marker in visage.markers(recording)] == ["gong"]
    with pytest.raises(VisageError, match="invalid"):
        visage.add_marker(recording, -1, "too early")


def test_it_waits_where_the_site_asks_for_it(
    visage: Visage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the site answers is made up; that it is asked again, and when, is the client's."""
    busy = httpx.Response(503, headers={"Retry-After": "7"}, json={"code": "busy", "detail": "b"})
    full = httpx.Response(
        429, headers={"Retry-After": "4000"}, json={"code": "quota_exceeded", "detail": "q"}
    )
    answers = [busy, httpx.Response(200, json={"email": "a"}), full, busy]
    pauses: list[float] = []
    client = Visage("http://site.example", "t")
    client._http = httpx.Client(
        base_url="http://site.example", transport=httpx.MockTransport(lambda _: answers.pop(0))
    )
    monkeypatch.setattr(visage_client.time, "sleep", pauses.append)
    assert client.me() == {"email": "a"}
    assert pauses == [7]
    with pytest.raises(VisageError, match="quota_exceeded"):
        client.me()
    with pytest.raises(VisageError, match="busy"):
        client.add_marker("id", 1, "not sent twice")
    assert pauses == [7]


def test_the_program_needs_nothing_but_httpx(
    site: Site, key: str, photo: Path, tmp_path: Path
) -> None:
    """Copied out of the repository, and run."""
    copy = tmp_path / "visage_client.py"
    copy.write_text(Path(visage_client.__file__).read_text())
    (tmp_path / "empty.jpg").write_bytes(b"")
    done = subprocess.run(
        [sys.executable, str(copy), str(photo), str(tmp_path / "empty.jpg")],
        env={"VISAGE_URL": site.url, "VISAGE_TOKEN": key},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    first, second = done.stdout.splitlines()
    assert first == f"{photo} happy"
    assert second.endswith("(empty)")
    assert (done.returncode, done.stderr) == (1, "")
