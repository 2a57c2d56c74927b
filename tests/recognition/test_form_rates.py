"""Nobody sends forms, test messages or questions faster than a person would."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from recognition.models import Prediction, Upload, Webhook
from recognition.webhooks import sending

pytestmark = pytest.mark.django_db


def assert_told_to_wait(response: Any) -> None:
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 3601
    assert b"Try again in" in response.content


@pytest.mark.parametrize("path", ["/privacy/retention/", "/language/", "/accounts/profile/"])
def test_every_form_counts(
    path: str, alice_client: Client, bob_client: Client, settings: Any
) -> None:
    settings.FORM_RATE = "3/hour"
    for _ in range(3):
        assert alice_client.post("/uploads/selected/").status_code != 429
    assert_told_to_wait(alice_client.post(path))
    assert alice_client.get("/").status_code == 200
    assert bob_client.post(path).status_code != 429


def test_another_site_uses_up_nobodys_rate(alice: User, settings: Any) -> None:
    settings.FORM_RATE = "3/hour"
    misled = Client(enforce_csrf_checks=True)
    misled.force_login(alice)
    for _ in range(5):
        assert misled.post("/uploads/selected/").status_code == 403


def test_test_messages_have_a_rate_on_pages_and_in_the_api(
    alice: User, alice_client: Client, settings: Any
) -> None:
    settings.PING_RATE = "2/hour"
    hook = Webhook.objects.create(owner=alice, url="https://example.org/", secret="x")
    assert alice_client.post(f"/webhooks/{hook.pk}/ping/").status_code == 302
    assert alice_client.post(f"/api/v1/webhooks/{hook.pk}/ping/").status_code == 202
    assert_told_to_wait(alice_client.post(f"/webhooks/{hook.pk}/ping/"))
    refused = alice_client.post(f"/api/v1/webhooks/{hook.pk}/ping/")
    assert_told_to_wait(refused)
    assert refused.json()["code"] == "throttled"
    assert hook.deliveries.count() == 2


def test_heat_maps_have_a_rate(
    alice_upload: Upload, alice_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recognition.uploads.heat_maps.ask", lambda face: True)
    settings.HEAT_MAP_RATE = "1/hour"
    Prediction.objects.create(
        upload=alice_upload, index=0, x=0, y=0, width=9, height=9, label="happy", confidence=1.0,
        probabilities={},
    )  # fmt: skip
    path = f"/uploads/{alice_upload.pk}/faces/0/explain/"
    assert alice_client.post(path).status_code == 302
    assert_told_to_wait(alice_client.post(path))


def test_addresses_that_are_looked_up_have_a_rate(
    alice_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOK_RATE = "1/hour"
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    body = {"url": "https://nowhere.example/"}
    first = alice_client.post("/api/v1/webhooks/", body, "application/json")
    assert first.json()["code"] == "address_not_found"
    assert_told_to_wait(alice_client.post("/api/v1/webhooks/", body, "application/json"))
    page = alice_client.post("/webhooks/", body)
    assert b"Try again in" in page.content


def test_a_name_that_is_never_answered_costs_a_few_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    never = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: never.wait(20) and [])
    monkeypatch.setattr(sending, "LOOK_UP_SECONDS", 0.2)
    monkeypatch.setattr(sending, "_looking_up", threading.BoundedSemaphore(2))
    began = time.monotonic()
    for _ in range(4):  # Two that hang, and two for which no thread is left.
        with pytest.raises(sending.AddressRefused) as refused:
            sending.check_address("https://slow.example/")
        assert refused.value.code == "address_not_found"
    assert time.monotonic() - began < 10
    never.set()
