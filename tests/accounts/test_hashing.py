"""Passwords are hashed by today's parameters, and few at the same time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.test import Client
from pytest_django import Settings

from accounts.hashing import BoundedArgon2PasswordHasher
from accounts.models import User
from emotion_site import settings as site_settings
from tests.support.signing_in import is_signed_in, sign_in

PASSWORD = "alice-password"


@pytest.fixture
def real_hashers(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = site_settings.PASSWORD_HASHERS


def parameters(encoded: str) -> str:
    return encoded.split("$")[3]


def test_old_hashes_are_made_anew_at_the_next_sign_in(alice: User, real_hashers: None) -> None:
    old = Argon2PasswordHasher()
    for encoded in (
        old.encode(PASSWORD, "s" * 22),
        make_password(PASSWORD, hasher="pbkdf2_sha256"),
    ):
        User.objects.filter(pk=alice.pk).update(password=encoded)
        client = Client()
        sign_in(client, alice.email, PASSWORD)
        assert is_signed_in(client)
        alice.refresh_from_db()
        assert parameters(alice.password) == "m=19456,t=2,p=1"
        assert alice.password.startswith("argon2$argon2id$")


@pytest.mark.parametrize("step", ["encode", "verify"])
def test_no_more_than_two_are_hashed_at_once(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def slow(*_arguments: Any) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        return "hash"

    monkeypatch.setattr(Argon2PasswordHasher, step, slow)
    hash_once = getattr(BoundedArgon2PasswordHasher(), step)
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda _: hash_once("password", "s" * 22), range(12)))
    assert most == site_settings.PASSWORD_HASHES_AT_ONCE == 2
