"""What is stored opens nothing by itself, and keys of the environment can be changed."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from operations import encryption
from recognition.models import Webhook
from recognition.webhooks import sending
from tests.support.signing_in import (
    SECRET,
    is_signed_in,
    sign_in,
    switch_on_two_factors,
    totp_code,
)

WEBHOOK_SECRET = "whsec_example_0123456789"


@pytest.fixture
def webhook(alice: User) -> Webhook:
    return Webhook.objects.create(
        owner=alice, url="https://alice.example/hook", secret=WEBHOOK_SECRET
    )


def stored(table: str, column: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table}")
        return " ".join(str(row[0]) for row in cursor.fetchall())


def passes(user: User, code: str) -> bool:
    client = Client()
    sign_in(client, user.email, "alice-password")
    client.post("/accounts/2fa/authenticate/", {"code": code})
    return is_signed_in(client)


def test_a_copy_of_the_database_has_no_secret(alice: User, webhook: Webhook) -> None:
    codes = switch_on_two_factors(alice)
    kept = stored("mfa_authenticator", "data") + stored("recognition_webhook", "secret")
    assert kept.count(encryption.PREFIX) == 3
    for secret in (SECRET, WEBHOOK_SECRET, *codes):
        assert secret not in kept
    assert Webhook.objects.get().secret == WEBHOOK_SECRET
    assert passes(alice, totp_code(SECRET))
    assert passes(alice, codes[0])


def test_earlier_keys_still_read_until_all_is_encrypted_anew(
    alice: User, webhook: Webhook, settings: Settings
) -> None:
    code, second, *_rest = switch_on_two_factors(alice)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "n" * 50
    settings.SECRET_KEY_FALLBACKS = [old]
    assert Webhook.objects.get().secret == WEBHOOK_SECRET
    assert passes(alice, code)
    call_command("reencrypt")
    settings.SECRET_KEY_FALLBACKS = []
    assert Webhook.objects.get().secret == WEBHOOK_SECRET
    assert passes(alice, second)
    # A key of its own in place of SECRET_KEY's.
    settings.SECRET_KEY_FALLBACKS = []
    settings.FIELD_ENCRYPTION_KEYS = ["f" * 50]
    assert Webhook.objects.get().secret == ""


def test_without_the_key_nothing_is_signed_and_no_code_is_right(
    alice: User, webhook: Webhook, settings: Settings
) -> None:
    code, *_rest = switch_on_two_factors(alice)
    settings.FIELD_ENCRYPTION_KEYS = ["another key" * 5]
    assert not passes(alice, totp_code(SECRET))
    assert not passes(alice, code)
    lost = Webhook.objects.get()
    assert not sending.send(lost.url, lost.secret, b"{}", {}).arrived
    with pytest.raises(CommandError, match="3 fit no key"):
        call_command("reencrypt")
    settings.FIELD_ENCRYPTION_KEYS = []
    assert Webhook.objects.get().secret == WEBHOOK_SECRET


def test_one_lost_secret_keeps_no_other_from_the_present_key(
    alice: User, webhook: Webhook, settings: Settings
) -> None:
    old, settings.SECRET_KEY = settings.SECRET_KEY, "z" * 50
    Webhook.objects.create(owner=alice, url="https://lost.example/", secret="of a lost key")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [old]
    with pytest.raises(CommandError, match="1 fit no key"):
        call_command("reencrypt")
    settings.SECRET_KEY_FALLBACKS = []
    assert Webhook.objects.get(pk=webhook.pk).secret == WEBHOOK_SECRET


def test_rows_of_before_are_encrypted_by_the_migrations(alice: User, webhook: Webhook) -> None:
    RecoveryCodes.activate(alice)
    plain: dict[str, Any] = {"secret": SECRET, "seed": "a-seed", "migrated_codes": ["c1", "c2"]}
    Authenticator.objects.update(data=plain)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE recognition_webhook SET secret = %s", [WEBHOOK_SECRET])
    migration = importlib.import_module("accounts.migrations.0008_encrypt_second_factors")
    migration.encrypt(apps, None)
    (name,) = [m for m in migrations_of("recognition") if "encrypted_webhook" in m]
    importlib.import_module(f"recognition.migrations.{name}").encrypt(apps, None)
    kept = stored("mfa_authenticator", "data") + stored("recognition_webhook", "secret")
    assert kept.count(encryption.PREFIX) == 5
    assert SECRET not in kept
    assert WEBHOOK_SECRET not in kept
    assert Webhook.objects.get().secret == WEBHOOK_SECRET
    migration.decrypt(apps, None)
    assert Authenticator.objects.get().data == plain


def migrations_of(app: str) -> list[str]:
    from django.db.migrations.loader import MigrationLoader

    return [name for label, name in MigrationLoader(None).disk_migrations if label == app]
