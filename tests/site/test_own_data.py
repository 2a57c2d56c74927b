"""A photo's way through the running site: corrected, taken along, and no longer kept."""

from __future__ import annotations

import io
import json
import re
import zipfile

from tests.support.pictures import face_jpeg
from tests.support.site import Person, Site, wait_until


def correct(person: Person, upload_id: str, label: str) -> None:
    page = person.get(f"/uploads/{upload_id}/").text
    found = re.search(r'action="(/uploads/[^"]+/correction/)"', page)
    assert found is not None
    assert person.post(found[1], data={"label": label}).status_code == 302


def test_a_person_corrects_exports_and_keeps_results_only(site: Site) -> None:
    person, other = site.sign_up("mine@example.org"), site.sign_up("not-mine@example.org")
    upload_id = person.upload(face_jpeg(), "me.jpg").json()["id"]
    person.wait_until_finished()
    correct(person, upload_id, "surprise")
    assert person.post("/privacy/exports/new/").status_code == 302
    found = wait_until(
        lambda: re.search(r'href="(/privacy/exports/[^"]+/)"', person.get("/privacy/").text)
    )
    assert other.get(found[1]).status_code == 404
    archive = zipfile.ZipFile(io.BytesIO(person.get(found[1]).content))
    assert archive.testzip() is None
    (upload,) = json.loads(archive.read("uploads.json"))
    (face,) = upload["faces"]
    assert (face["label"], face["predicted_label"]) == ("surprise", "happy")
    photo = archive.read(f"photos/{upload_id}.jpg")
    assert person.get(f"/uploads/{upload_id}/image/").content == photo

    person.post("/privacy/retention/", data={"days": "0"})
    second_id = person.upload(face_jpeg(), "again.jpg").json()["id"]
    person.wait_until_finished()
    wait_until(lambda: person.get(f"/uploads/{second_id}/image/").status_code == 410)
    assert "This photo was deleted on" in person.get(f"/uploads/{second_id}/").text
    statistics = person.get("/statistics/").text
    assert "You reviewed 1 face" in statistics
