"""`manage.py check --deploy` has nothing to say about a site that is set up as documented."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.site import ROOT

PRODUCTION = {
    "SECRET_KEY": "a-secret-key-of-this-test-alone-0123456789-abcdefghijkl",
    "SITE_URL": "https://photos.example.org",
    "ALLOWED_HOSTS": "photos.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://photos.example.org",
    "BEHIND_PROXY": "true",
    "METRICS_TOKEN": "a-token-of-prometheus",
    "LOG_FORMAT": "json",
    "EMAIL_URL": "smtp+tls://visage:a-password@mail.example.org:587",
    "EMAIL_VERIFICATION": "mandatory",
    "DEPLOYMENT_PURPOSE": "Studies of the Department of Psychology",
    "OPERATOR_CONTACT": "visage@example.org",
}


def check(data_dir: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(data_dir), **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("storage", [{"ACCEL_REDIRECT": "/protected/"}, {"S3_BUCKET": "photos"}])
def test_production_settings_are_clean(storage: dict[str, str], tmp_path: Path) -> None:
    result = check(tmp_path, **PRODUCTION, **storage)
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout + result.stderr


def test_a_site_must_say_where_it_is(tmp_path: Path) -> None:
    for wrong in (
        "",
        "photos.example.org",
        "https://photos.example.org/x",
        "https://u@h",
        "ftp://h",
    ):
        result = check(tmp_path, **{**PRODUCTION, "SITE_URL": wrong})
        assert result.returncode != 0
        assert "SITE_URL must be set" in result.stderr, wrong


def test_links_to_elsewhere_are_told(tmp_path: Path) -> None:
    result = check(tmp_path, **{**PRODUCTION, "SITE_URL": "http://other.example.org"})
    assert "emotion_site.W001" in result.stderr
    assert "emotion_site.E001" in result.stderr


def test_open_sign_up_without_verification_is_told(tmp_path: Path) -> None:
    for verification in ("none", "optional"):
        result = check(tmp_path, **{**PRODUCTION, "EMAIL_VERIFICATION": verification})
        assert "accounts.W001" in result.stderr
    closed = {**PRODUCTION, "EMAIL_VERIFICATION": "none", "SIGNUP": "closed"}
    assert check(tmp_path, **closed).returncode == 0


def test_verification_without_mail_is_told(tmp_path: Path) -> None:
    result = check(tmp_path, **{**PRODUCTION, "EMAIL_URL": ""})
    assert "accounts.E001" in result.stderr


@pytest.mark.parametrize("name", ["DEPLOYMENT_PURPOSE", "OPERATOR_CONTACT"])
def test_a_site_must_say_what_it_is_for_and_whose_it_is(name: str, tmp_path: Path) -> None:
    result = check(tmp_path, **{**PRODUCTION, name: " "})
    assert result.returncode != 0
    assert f"{name} is not set" in result.stderr
