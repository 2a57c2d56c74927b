"""The programming interface of the running site, used as a program would."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.pictures import face_jpeg, no_face_jpeg
from tests.support.receiver import Receiver
from tests.support.site import Person, Site, wait_until

WAITING_CLIENTS = 20


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that sends webhooks to its own machine."""
    with Site(tmp_path_factory.mktemp("open"), WEBHOOK_ALLOW_PRIVATE="true") as running:
        yield running


def token_of(person: Person) -> str:
    """Make a token on the page, as people do."""
    form = {"name": "journey", "scope": "write", "days": "30"}
    page = person.post("/accounts/tokens/new/", data=form)
    if page.status_code == 302:  # The password is asked for again, and then the form goes on.
        page = person.post(page.headers["Location"], data={"password": "a-good-password-7"})
    found = re.search(r'value="(visage_[^"]+)"', page.text)
    assert found, page.text
    return found.group(1)


def program(site: Site, person: Person) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token_of(person)}"}
    return httpx.Client(base_url=f"{site.url}/api/v1", headers=headers, timeout=60)


def test_from_upload_to_webhook_correction_export_and_deletion(
    open_site: Site,
    receiver: Receiver,
) -> None:
    person = open_site.sign_up("journey@example.org")
    api = program(open_site, person)
    hook = api.post("/webhooks/", json={"url": receiver.url}).json()

    key = {"Idempotency-Key": "one"}
    files = {"image": ("party.jpg", face_jpeg())}
    upload = api.post("/uploads/?wait=30", files=files, headers=key)
    assert (upload.status_code, upload.json()["status"]) == (201, "done")
    again = api.post("/uploads/?wait=30", files=files, headers=key)
    assert again.json()["id"] == upload.json()["id"]
    (face,) = upload.json()["faces"]
    assert face["label"] == "happy"

    wait_until(lambda: receiver.requests, timeout=30)
    ((_path, headers, body),) = receiver.requests
    parts = dict(part.split("=", 1) for part in headers["X-Visage-Signature"].split(","))
    signed = hmac.new(hook["secret"].encode(), parts["t"].encode() + b"." + body, hashlib.sha256)
    assert hmac.compare_digest(signed.hexdigest(), parts["v1"])
    message = json.loads(body)
    assert (message["event"], message["upload"]["id"]) == ("upload.finished", upload.json()["id"])
    (delivery,) = api.get(f"/webhooks/{hook['id']}/deliveries/").json()["results"]
    assert (delivery["id"], delivery["event"]) == (message["delivery"], "upload.finished")

    corrected = api.patch(f"/predictions/{face['id']}/", json={"correction": "sad"})
    assert (corrected.json()["label"], corrected.json()["predicted_label"]) == ("sad", "happy")
    assert [u["id"] for u in api.get("/uploads/?label=sad").json()["results"]] == [
        upload.json()["id"]
    ]
    assert api.get("/statistics/").json()["uploads"]["counts"]["sad"] == 1

    person.post("/privacy/exports/new/")
    found = wait_until(
        lambda: re.search(r'href="(/privacy/exports/[^"]+/)"', person.get("/privacy/").text)
    )
    archive = zipfile.ZipFile(io.BytesIO(person.get(found[1]).content))
    ((exported,),) = [u["faces"] for u in json.loads(archive.read("uploads.json"))]
    assert (exported["label"], exported["predicted_label"]) == ("sad", "happy")

    assert api.delete(f"/uploads/{upload.json()['id']}/").status_code == 204
    assert api.get("/uploads/").json()["results"] == []
    photos = open_site.data_dir / "media" / "photos"
    assert not [file for file in photos.rglob("*") if file.is_file()]


def test_others_are_served_while_twenty_wait(open_site: Site) -> None:
    person = open_site.sign_up("waiting@example.org")
    api = program(open_site, person)
    open_site.kill("worker")
    try:
        ids = [
            api.post("/uploads/", files={"image": ("x.jpg", no_face_jpeg())}).json()["id"]
            for _number in range(WAITING_CLIENTS)
        ]
        with ThreadPoolExecutor(WAITING_CLIENTS) as threads:
            answers = [threads.submit(api.get, f"/uploads/{pk}/?wait=8") for pk in ids]
            time.sleep(2)
            slowest = 0.0
            for _page in range(20):
                began = time.monotonic()
                assert person.get("/uploads/").status_code == 200
                slowest = max(slowest, time.monotonic() - began)
            assert not any(answer.done() for answer in answers)
            assert slowest < 3
            assert [answer.result().status_code for answer in answers] == [202] * WAITING_CLIENTS
    finally:
        open_site.start("worker")
    person.wait_until_finished()
    api.close()


def test_a_webhook_that_is_down_is_tried_again_and_holds_up_nothing(
    open_site: Site,
    receiver: Receiver,
) -> None:
    api = program(open_site, open_site.sign_up("hooks@example.org"))
    answer = receiver.answer
    receiver.answer = lambda handler: time.sleep(20)
    hook = api.post("/webhooks/", json={"url": receiver.url}).json()
    began = time.monotonic()
    for number in range(3):
        files = {"image": (f"{number}.jpg", no_face_jpeg())}
        assert api.post("/uploads/?wait=30", files=files).status_code == 201
    assert time.monotonic() - began < 20
    log = f"/webhooks/{hook['id']}/deliveries/"
    wait_until(lambda: any(d["error"] for d in api.get(log).json()["results"]), timeout=30)
    receiver.answer = answer
    wait_until(
        lambda: [d["state"] for d in api.get(log).json()["results"]] == ["delivered"] * 3,
        timeout=60,
    )


def test_private_addresses_are_refused_where_nothing_else_is_set(site: Site) -> None:
    api = program(site, site.sign_up("private@example.org"))
    for url in (f"http://127.0.0.1:{site.port}/", f"https://localhost:{site.port}/"):
        assert api.post("/webhooks/", json={"url": url}).status_code == 400


def test_the_lines_of_the_readme_work(open_site: Site, tmp_path: Path) -> None:
    """The program that labels photos, and the lines of Python as they stand there."""
    root = Path(__file__).parents[2]
    for folder, photo in (("one", face_jpeg()), ("two", no_face_jpeg())):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "photo.jpg").write_bytes(photo)
        (tmp_path / folder / "broken.jpg").write_bytes(photo[:2000])
    person = open_site.sign_up("readme@example.org")
    key = token_of(person)

    def run(folder: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path / folder,
            env={
                **os.environ,
                "VISAGE_TOKEN": key,
                "VISAGE_URL": open_site.url,
                "PYTHONPATH": str(root / "clients"),
            },
            capture_output=True,
            text=True,
            timeout=90,
        )

    def label(folder: str) -> list[str]:
        result = run(folder, str(root / "clients/visage_client.py"), "broken.jpg", "photo.jpg")
        assert (result.returncode, result.stderr) == (1, "")
        return result.stdout.splitlines()

    broken = "broken.jpg The file is damaged or incomplete. (damaged)"
    for _again in range(2):
        assert label("one") == [broken, "photo.jpg happy"]
    # Another photo of the same name.
    assert label("two") == [broken, "photo.jpg no face"]
    assert len(person.uploads()) == 2

    readme = (root / "README.md").read_text()
    (lines,) = re.findall(r"(    from visage_client import Visage\n(?:    .*\n|\n)+)", readme)
    code = "\n".join(line[4:] for line in lines.splitlines())
    code = code.replace("http://localhost:8000", open_site.url).replace("visage_…", key)
    result = run("one", "-c", code)
    assert (result.stdout, result.stderr) == ("happy\n", "")
    corrections = [face["correction"] for row in person.uploads() for face in row["faces"]]
    assert corrections == ["sad"]
