"""Where no mail is set up, links that open accounts are not written to logs, and not offered."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests.support.signing_in import confirm_password
from tests.support.site import ROOT

BACKEND = "from django.conf import settings; print(settings.EMAIL_BACKEND, settings.CAN_MAIL)"


@pytest.fixture
def no_mail(settings: Settings) -> None:
    settings.CAN_MAIL = False


@pytest.mark.parametrize("url", ["", "consolemail://"])
def test_outside_debug_nothing_is_printed(url: str, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "EMAIL_URL": url,
        "SECRET_KEY": "a-secret-key-of-this-test-alone-0123456789-abcdefghijkl",
        "SITE_URL": "https://photos.example.org",
    }  # fmt: skip
    result = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", BACKEND],
        cwd=ROOT, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert result.stdout.split() == ["django.core.mail.backends.dummy.EmailBackend", "False"]


def test_what_needs_mail_is_not_offered(alice: User, alice_client: Client, no_mail: None) -> None:
    page = Client().get("/accounts/login/").content.decode()
    assert "/accounts/password/reset/" not in page
    assert "This site sends no mail" in page
    page = Client().post("/accounts/password/reset/", {"email": alice.email}).content.decode()
    assert "This site sends no mail" in page
    confirm_password(alice_client, "alice-password")
    form = {"email": "alice@new.example", "action_add": ""}
    assert "This site sends no mail" in alice_client.post("/accounts/email/", form).content.decode()
    assert not mail.outbox


def test_where_there_is_mail_it_is(db: None) -> None:
    assert "/accounts/password/reset/" in Client().get("/accounts/login/").content.decode()


def test_who_invites_gets_the_link_to_pass_on(db: None, no_mail: None, settings: Settings) -> None:
    output = StringIO()
    call_command("invite", "dora@example.org", stdout=output)
    assert f"{settings.SITE_URL}/accounts/password/reset/key/" in output.getvalue()
    output = StringIO()
    settings.CAN_MAIL = True
    call_command("invite", "dora@example.org", stdout=output)
    assert "/reset/key/" not in output.getvalue()
