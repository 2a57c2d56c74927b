"""Fill a new site: run in the folder, and with the code, of any version since 0.2.0.

A program for versions that are past: it asks for nothing that one of them does not have.
Usage: fill.py PHOTO, with DATA_DIR and the rest of a site's variables set.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "emotion_site.settings"
sys.path.insert(0, os.getcwd())
#: Of people who are nobody.
PASSWORD = "a-good-password-7"
PEOPLE = ("alice@example.org", "bob@example.org")
#: So that time does not make the site another one.
NEVER = datetime(2999, 1, 1, tzinfo=UTC)


def main(photo: bytes) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    from django.test import Client

    from accounts import consent, tokens
    from accounts.models import ApiToken, User
    from accounts.purposes import ACCOUNT

    people = []
    for email in PEOPLE:
        person = User.objects.create_user(email, PASSWORD)
        consent.give(person, ACCOUNT)
        people.append(person)
    User.objects.create_superuser("operator@example.org", PASSWORD)
    alice, bob = people
    _token, key = tokens.create(alice, "laptop", "write", 30)
    ApiToken.objects.update(expires_at=NEVER)
    site = Client(HTTP_HOST="localhost")
    assert site.login(username=alice.email, password=PASSWORD)
    program = Client(HTTP_HOST="localhost", headers={"Authorization": f"Bearer {key}"})

    photos = [upload(program, name, photo) for name in ("one.jpg", "zwei Köpfe.jpg")]
    faces = program.get(f"/api/v1/uploads/{photos[0]}/").json()["faces"]
    answer = program.patch(
        f"/api/v1/predictions/{faces[0]['id']}/",
        {"correction": "sad"},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    drawn = {"x": 5, "y": 5, "width": 60, "height": 60, "label": "neutral"}
    assert site.post(f"/uploads/{photos[1]}/faces/new/", drawn).status_code == 302
    explain(faces[0]["id"])
    add_webhook(program)
    add_recordings(alice)
    add_video(program, site)
    export(site, alice)
    # The last one goes: for good in versions without a trash.
    gone = upload(program, "three.jpg", photo)
    deleted = site.post(f"/uploads/{gone}/delete/", {"sure": "yes"})
    assert deleted.status_code == 302, deleted.content
    their_site = Client(HTTP_HOST="localhost")
    assert their_site.login(username=bob.email, password=PASSWORD)
    forget_sessions()
    sys.stdout.write(json.dumps({"token": key}) + "\n")


def upload(program: Any, name: str, photo: bytes) -> str:
    from django.core.files.uploadedfile import SimpleUploadedFile

    from recognition.tasks import process_upload

    # Another photo each time, so that none is taken for a copy.
    data = photo + name.encode()
    answer = program.post("/api/v1/uploads/", {"image": SimpleUploadedFile(name, data)})
    assert answer.status_code in {201, 202}, answer.content
    body = answer.json()
    pk = str((body["uploads"][0] if "uploads" in body else body)["id"])
    process_upload.apply(args=[pk], throw=True)
    assert program.get(f"/api/v1/uploads/{pk}/").json()["status"] == "done"
    return pk


def explain(face: int) -> None:
    from recognition.tasks import explain_face

    explain_face.apply(args=[face], throw=True)


def add_webhook(program: Any) -> None:
    url = "http://127.0.0.1:9/hook"
    answer = program.post("/api/v1/webhooks/", {"url": url}, content_type="application/json")
    assert answer.status_code == 201, answer.content


def add_recordings(owner: Any) -> None:
    from recognition import models

    begun = datetime(2026, 11, 20, 9, tzinfo=UTC)
    stretches = [[1, "happy", 0.0, 60.0, 0.9], [1, "sad", 60.0, 80.0, 0.6], [2, "sad", 1, 2, 0.5]]
    fields = {
        "owner": owner,
        "started_at": begun,
        "ended_at": begun + timedelta(seconds=90),
        "samples": stretches,
        "model_version": "vgg16-1",
    }
    if not hasattr(models, "Recording"):
        models.LiveSession.objects.create(**fields)
        return
    recording = models.Recording.objects.create(**fields)
    from tests.support.series import write_series

    write_series(recording, n=6, faces=(1, 2))
    models.Marker.objects.create(recording=recording, time_ms=1500, name="stimulus 1", value=2.5)


def add_video(program: Any, site: Any) -> None:
    from recognition import tasks

    if not hasattr(tasks, "process_video"):
        return
    from django.core.files.uploadedfile import SimpleUploadedFile

    from tests.support import videos

    clip = SimpleUploadedFile("clip.mp4", videos.make(videos.pictures(1.0)))
    answer = program.post("/api/v1/videos/", {"video": clip})
    assert answer.status_code in {201, 202}, answer.content
    pk = answer.json()["id"]
    for _slice in range(20):
        if program.get(f"/api/v1/videos/{pk}/").json()["status"] == "done":
            return
        tasks.process_video.apply(args=[pk], throw=True)
    raise AssertionError("the video was not read")


def export(site: Any, owner: Any) -> None:
    from recognition.models import DataExport
    from recognition.tasks import build_export

    assert site.post("/privacy/exports/new/").status_code == 302
    made = DataExport.objects.get(owner=owner)
    build_export.apply(args=[str(made.pk)], throw=True)
    DataExport.objects.update(expires_at=NEVER)


def forget_sessions() -> None:
    """Sign everybody out."""
    from allauth.usersessions.models import UserSession
    from django.contrib.sessions.models import Session
    from django.db import connection

    Session.objects.all().delete()
    UserSession.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cache_entries")
        cursor.execute("VACUUM")


if __name__ == "__main__":
    main(Path(sys.argv[1]).read_bytes())
