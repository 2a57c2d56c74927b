"""Sites of earlier versions, served by today's code after `migrate`, show the same."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.old_sites import sites

#: What the sites show is told once.
pytestmark = pytest.mark.xdist_group("upgrade")

VERSIONS = sorted(file.parent.name for file in sites.KEPT.glob("*/seen.json"))
#: Paths in what is told that a later version may tell otherwise, each with the reason.
MAY_DIFFER = {
    "commit": "which code it was",
    "me": "tells today's use and limits; its address is compared",
    "export/account.json/last_login": "looking signs in",
    "export/audit_trail.json": "looking signs in; what was there before is compared",
    "export/audit_trail.csv": "the same",
    "export/api_tokens.json": "looking uses one; its name is compared",
    "export/api_tokens.csv": "the same",
    "export/consents.json": "people agree to the new text; what was there before is compared",
    "export/consents.csv": "the same",
    "export/webhook_deliveries.json": "nothing of photos that are gone; the others are compared",
    "export/webhook_deliveries.csv": "the same",
}


AGREE = """
from accounts import consent, models
for person in models.User.objects.filter(is_active=True):
    consent.give(person, "account")
"""


@pytest.fixture(scope="module", params=VERSIONS)
def upgraded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], dict[str, Any], Path]:
    """What the earlier version told, what today's tells, and where the data is."""
    folder = sites.KEPT / request.param
    data_dir = tmp_path_factory.mktemp(request.param)
    sites.unpack(folder, data_dir)
    before = json.loads((folder / "seen.json").read_text())
    migrated = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"],
        cwd=sites.ROOT,
        env=sites.environment(data_dir),
        capture_output=True,
        text=True,
    )
    assert migrated.returncode == 0, migrated.stderr
    # What they agree to has another text, which everybody is asked about when they come.
    agreed = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", AGREE],
        cwd=sites.ROOT,
        env=sites.environment(data_dir),
        capture_output=True,
        text=True,
    )
    assert agreed.returncode == 0, agreed.stderr
    return before, sites.run("look.py", sites.ROOT, data_dir, before["token"]), data_dir


def test_there_are_sites_of_020_and_of_before_studies() -> None:
    assert VERSIONS == ["before_studies", "v0_2_0"]


def test_all_that_was_told_is_told_still(
    upgraded: tuple[dict[str, Any], dict[str, Any], Path],
) -> None:
    before, after, _data_dir = upgraded
    assert before["signed in"]
    assert len(before["lists"]["uploads"]) == 2
    del before["token"]
    assert list(lost(before, after)) == []


def test_the_person_the_token_and_the_audit_trail_are_the_same(
    upgraded: tuple[dict[str, Any], dict[str, Any], Path],
) -> None:
    before, after, _data_dir = upgraded
    assert before["me"]["email"] == after["me"]["email"] == "alice@example.org"
    (token,) = after["export"]["api_tokens.json"]
    assert token["name"] == before["export"]["api_tokens.json"][0]["name"] == "laptop"
    trails = [site["export"]["audit_trail.json"] for site in (before, after)]
    old, new = ([(event["action"], event["at"]) for event in trail] for trail in trails)
    made_by_filling = [event for event in old if event in new]
    assert {"token_created", "data_exported"} <= {action for action, _at in made_by_filling}
    assert len(made_by_filling) >= 4


def test_what_people_agreed_to_before_is_kept(
    upgraded: tuple[dict[str, Any], dict[str, Any], Path],
) -> None:
    old, new = (site["export"]["consents.json"] for site in upgraded[:2])
    assert list(lost(old, new[: len(old)])) == []
    assert [row["purpose"] for row in new[len(old) :]] == ["account"]


def test_messages_of_photos_that_are_there_are_told_still(
    upgraded: tuple[dict[str, Any], dict[str, Any], Path],
) -> None:
    old, new = (site["export"] for site in upgraded[:2])
    there = {upload["id"] for upload in [*old["uploads.json"], *old.get("trash.json", [])]}
    messages = [
        message
        for message in old["webhook_deliveries.json"]
        if message["payload"].get("upload", {"id": None})["id"] in {None, *there}
    ]
    assert list(lost(messages, new["webhook_deliveries.json"])) == []


def test_nothing_is_left_to_migrate_and_every_row_has_what_it_points_at(
    upgraded: tuple[dict[str, Any], dict[str, Any], Path],
) -> None:
    _before, _after, data_dir = upgraded
    left = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check"],
        cwd=sites.ROOT,
        env=sites.environment(data_dir),
        capture_output=True,
    )
    assert left.returncode == 0
    with sqlite3.connect(data_dir / "db.sqlite3") as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def lost(before: Any, after: Any, path: str = "") -> Any:
    """Where something that was told is not told, or otherwise; more may be told."""
    if path in MAY_DIFFER:
        return
    if isinstance(before, dict):
        if not isinstance(after, dict):
            yield path
            return
        for key, value in before.items():
            inner = f"{path}/{key}" if path else key
            if key in after:
                yield from lost(value, after[key], inner)
            elif inner not in MAY_DIFFER:
                yield f"{inner}: {value!r} is gone"
    elif isinstance(before, list):
        if not isinstance(after, list) or len(before) != len(after):
            yield f"{path}: {len(before)} were there, now {after!r}"
            return
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{path}[{number}]")
    elif before != after:
        yield f"{path}: {before!r} is now {after!r}"
