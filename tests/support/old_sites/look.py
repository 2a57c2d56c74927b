"""Tell what a site shows to one of its people, as JSON.

Run in the folder, and with the code, of any version since 0.2.0; what a version does not have is
not told. Usage: look.py TOKEN, with DATA_DIR and the rest of a site's variables set.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import os
import sys
import zipfile
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "emotion_site.settings"
sys.path.insert(0, os.getcwd())

EMAIL, PASSWORD = "alice@example.org", "a-good-password-7"
LISTS = ("uploads", "live-sessions", "recordings", "videos", "webhooks")
#: Pages without arguments.
PAGES = (
    "/", "/about/", "/uploads/", "/uploads/new/", "/uploads/trash/", "/review/", "/statistics/",
    "/privacy/", "/webhooks/", "/videos/new/", "/live/", "/live/sessions/", "/accounts/profile/",
    "/accounts/activity/", "/accounts/tokens/",
)  # fmt: skip


def main(token: str) -> None:
    import django

    django.setup()
    from django.test import Client

    program = Client(HTTP_HOST="localhost", headers={"Authorization": f"Bearer {token}"})
    site = Client(HTTP_HOST="localhost")
    form = {"login": EMAIL, "password": PASSWORD}
    signed_in = site.post("/accounts/login/", form)
    lists = {name: read(program, f"/api/v1/{name}/?page_size=100") for name in LISTS}
    told = {
        "signed in": signed_in.status_code == 302,
        "me": read(program, "/api/v1/me/"),
        "lists": {name: body["results"] for name, body in lists.items() if body},
        "series": series(program, lists.get("recordings")),
        "pages": pages(site, lists),
        "files": files(site, lists["uploads"]),
        "reports": reports(site, lists["live-sessions"]),
        "export before": old_export(site),
        "secrets": secrets(),
    }
    # What this looking has written must not be told, so the new export comes last.
    told["export"] = new_export(site)
    sys.stdout.write(json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read(client: Any, path: str) -> Any:
    answer = client.get(path)
    return answer.json() if answer.status_code == 200 else None


def series(program: Any, recordings: Any) -> dict[str, Any]:
    """The samples of each recording, and its markers."""
    found = {}
    for one in (recordings or {"results": []})["results"]:
        path = f"/api/v1/recordings/{one['id']}"
        parts = {name: read(program, f"{path}/{name}/") for name in ("samples", "markers")}
        found[one["id"]] = {name: body for name, body in parts.items() if body}
    return found


def pages(site: Any, lists: dict[str, Any]) -> dict[str, int]:
    """The status of each page that there is."""
    paths = [*PAGES]
    paths += [f"/uploads/{one['id']}/" for one in lists["uploads"]["results"]]
    paths += [f"/live/sessions/{one['id']}/" for one in lists["live-sessions"]["results"]]
    found = {path: site.get(path).status_code for path in paths}
    return {path: status for path, status in found.items() if status != 404}


def files(site: Any, uploads: Any) -> dict[str, str]:
    """A digest of each photo; heat maps and thumbnails only have to be there."""
    found = {}
    for one in uploads["results"]:
        photo = site.get(f"/uploads/{one['id']}/image/")
        assert photo.status_code == 200, photo.status_code
        found[one["id"]] = hashlib.sha256(body(photo)).hexdigest()
        assert site.get(f"/uploads/{one['id']}/thumbnail/").status_code == 200
    return found


def reports(site: Any, sessions: Any) -> dict[str, Any]:
    """What a list downloads."""
    found: dict[str, Any] = {
        "history": json.loads(body(site.get("/uploads/export.json"))),
        "history as CSV": rows(body(site.get("/uploads/export.csv")).decode()),
    }
    for one in sessions["results"]:
        path = f"/live/sessions/{one['id']}"
        found[path] = rows(body(site.get(f"{path}/export.csv")).decode())
        samples = site.get(f"{path}/series.csv")
        if samples.status_code == 200:
            found[f"{path}/series"] = rows(body(samples).decode())
    return found


def old_export(site: Any) -> list[str]:
    """What is in the export that was made before."""
    from recognition.models import DataExport

    (export,) = DataExport.objects.all()
    return sorted(zipfile.ZipFile(download(site, export)).namelist())


def new_export(site: Any) -> dict[str, Any]:
    from recognition.models import DataExport
    from recognition.tasks import build_export

    assert site.post("/privacy/exports/new/").status_code == 302
    (export,) = DataExport.objects.all()
    build_export.apply(args=[str(export.pk)], throw=True)
    export.refresh_from_db()
    archive = zipfile.ZipFile(download(site, export))
    found: dict[str, Any] = {}
    for name in archive.namelist():
        data = archive.read(name)
        if name.endswith(".json"):
            found[name] = json.loads(data)
        elif name.endswith(".csv"):
            found[name] = rows(data.decode())
        elif name != "README.txt":
            found[name] = hashlib.sha256(data).hexdigest()
    return found


def download(site: Any, export: Any) -> io.BytesIO:
    answer = site.get(f"/privacy/exports/{export.pk}/")
    assert answer.status_code == 200, answer.status_code
    return io.BytesIO(body(answer))


def secrets() -> dict[str, str]:
    """Digests of what the database keeps encrypted."""
    from recognition.models import Webhook

    return {
        str(one.pk): hashlib.sha256(one.secret.encode()).hexdigest()
        for one in Webhook.objects.all()
    }


def rows(text: str) -> list[dict[str, str]]:
    lines = text.removeprefix("\ufeff").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def body(answer: Any) -> bytes:
    """The whole of an answer, however it comes."""
    if not answer.streaming:
        return bytes(answer.content)
    if not answer.is_async:
        return b"".join(answer.streaming_content)

    async def read_all() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return asyncio.run(read_all())


if __name__ == "__main__":
    main(sys.argv[1])
