"""The settings that protect people, asked of a site as it runs outside debug."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from whitenoise.middleware import WhiteNoiseFileResponse

from tests.support.production_answers import OTHER_VISITOR, PROXY, VISITOR

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = "from tests.support.production_answers import main; main()"


def ask(folder: Path, **environment: str) -> dict[str, Any]:
    result = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "--command", SCRIPT],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(folder),
            "SECRET_KEY": "a-secret-key-of-this-test-alone-0123456789-abcdefghijkl",
            "SITE_URL": "https://testserver",
            "ALLOWED_HOSTS": "testserver",
            "EMAIL_URL": "dummymail://",
            "REDIS_URL": f"unix://{folder}/no-redis.sock",
            **environment,
        },
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    answers: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return answers


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A site that people reach without a proxy."""
    return ask(tmp_path_factory.mktemp("alone"))


@pytest.fixture(scope="module")
def behind_proxy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return ask(tmp_path_factory.mktemp("proxy"), BEHIND_PROXY="true")


def test_weak_passwords_are_refused_and_good_ones_kept_by_argon2(alone: dict[str, Any]) -> None:
    assert alone["people_with_weak_passwords"] == 0
    assert alone["hash"] == "argon2"


def test_pages_leave_no_door_to_other_sites(alone: dict[str, Any]) -> None:
    headers = alone["headers"]
    policy = dict(
        directive.strip().split(" ", 1)
        for directive in headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == policy["form-action"] == "'self'"
    assert policy["base-uri"] == policy["frame-ancestors"] == policy["object-src"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_cookies_stay_with_this_site(alone: dict[str, Any]) -> None:
    assert {"sessionid", "csrftoken"} <= alone["cookies"].keys()
    for name, cookie in alone["cookies"].items():
        assert cookie["secure"], name
        assert cookie["samesite"] in {"Lax", "Strict"}, name
        assert (cookie["domain"], cookie["path"]) == ("", "/"), name
    assert alone["cookies"]["sessionid"]["httponly"]
    # No other host of the domain can set or read them: browsers see to it, by the prefix.
    assert all(name.startswith("__Host-") for name in alone["cookie_names"])
    assert {"__Host-language", "__Host-messages"} <= set(alone["cookie_names"])


def test_a_visitor_cannot_claim_to_use_https_or_another_address(alone: dict[str, Any]) -> None:
    assert alone["claims_https"] == 301
    assert set(alone["addresses"].values()) == {PROXY}


def test_the_proxy_says_which_address_and_scheme_a_visitor_used(
    behind_proxy: dict[str, Any],
) -> None:
    assert behind_proxy["claims_https"] == 200
    addresses = {"visitor": VISITOR, "other": OTHER_VISITOR, "liar": VISITOR}
    assert behind_proxy["addresses"] == addresses


def test_static_files_leave_in_few_pieces(tmp_path: Path) -> None:
    """Each is a message through the event loop, which all pages share."""
    file = tmp_path / "large.js"
    file.write_bytes(bytes(1_000_000))
    pieces = list(WhiteNoiseFileResponse(file.open("rb")).streaming_content)
    assert len(pieces) <= 16
    assert sum(map(len, pieces)) == 1_000_000
