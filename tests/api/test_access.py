"""Every address of the interface and of webhooks' pages, tried by everybody."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from recognition.models import LiveSession, Prediction, Upload, Webhook
from tests.api.conftest import send_json
from tests.api.test_uploads import add_face

#: Name to what is behind it, and what each method is sent there.
INTERFACE_ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "api-upload-detail": ("upload", {"GET": None, "DELETE": None}),
    "api-upload-image": ("upload", {"GET": None}),
    "api-upload-thumbnail": ("upload", {"GET": None}),
    "api-upload-retry": ("upload", {"POST": None}),
    "api-prediction-detail": ("face", {"GET": None, "PATCH": {"correction": "sad"}}),
    "api-live-session-detail": ("session", {"GET": None, "DELETE": None}),
    "api-webhook-detail": ("hook", {"GET": None, "PATCH": {"is_active": False}, "DELETE": None}),
    "api-webhook-ping": ("hook", {"POST": None}),
    "api-webhook-deliveries": ("hook", {"GET": None}),
    "webhook": ("hook", {"GET": None}),
    "ping_webhook": ("hook", {"POST": None}),
    "switch_webhook": ("hook", {"POST": None}),
    "delete_webhook": ("hook", {"POST": None}),
}
CASES = [
    (name, method, body)
    for name, (_kind, methods) in INTERFACE_ROUTES.items()
    for method, body in methods.items()
]


@pytest.fixture
def things(alice: User, alice_upload: Upload) -> dict[str, Any]:
    """One of everything, Alice's."""
    now = timezone.now()
    return {
        "upload": alice_upload,
        "face": add_face(alice_upload),
        "session": LiveSession.objects.create(owner=alice, started_at=now, ended_at=now),
        "hook": Webhook.objects.create(owner=alice, url="https://example.org/", secret="s"),
    }


def call(client: Client, name: str, method: str, body: Any, things: dict[str, Any]) -> Any:
    path = reverse(name, args=[things[INTERFACE_ROUTES[name][0]].pk])
    return send_json(client, method, path, body)


def rows() -> list[Any]:
    return [
        list(model.objects.values())  # type: ignore[attr-defined]
        for model in (Upload, Prediction, LiveSession, Webhook)
    ]


@pytest.mark.parametrize(("name", "method", "body"), CASES)
def test_the_owner_gets_in(
    name: str, method: str, body: Any, alice_client: Client, things: dict[str, Any]
) -> None:
    response = call(alice_client, name, method, body, things)
    assert response.status_code in {200, 202, 204, 302, 409}, response.content


@pytest.mark.parametrize(("name", "method", "body"), CASES)
@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_for_others_and_staff_it_does_not_exist(
    name: str, method: str, body: Any, who: str, things: dict[str, Any],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    client = Client()
    client.force_login(request.getfixturevalue(who))
    before = rows()
    assert call(client, name, method, body, things).status_code == 404
    assert rows() == before


@pytest.mark.parametrize(("name", "method", "body"), CASES)
def test_strangers_are_sent_away(name: str, method: str, body: Any, things: dict[str, Any]) -> None:
    before = rows()
    response = call(Client(), name, method, body, things)
    assert response.status_code == (401 if name.startswith("api-") else 302)
    assert rows() == before


@pytest.mark.parametrize(("name", "method", "body"), CASES)
def test_a_session_needs_its_csrf_token_to_change_anything(
    name: str, method: str, body: Any, alice: User, things: dict[str, Any]
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    before = rows()
    response = call(client, name, method, body, things)
    assert response.status_code == (200 if method == "GET" else 403)
    assert rows() == before


@pytest.mark.parametrize("kind", ["uploads", "predictions", "live-sessions", "webhooks"])
def test_lists_hold_only_ones_own(
    kind: str, alice_client: Client, bob_client: Client, things: dict[str, Any]
) -> None:
    assert len(alice_client.get(f"/api/v1/{kind}/").json()["results"]) == 1
    assert bob_client.get(f"/api/v1/{kind}/").json()["results"] == []


@pytest.mark.parametrize("kind", ["uploads", "predictions", "live-sessions", "webhooks",
                                  "statistics", "me"])  # fmt: skip
def test_strangers_list_nothing(kind: str, db: None) -> None:
    assert Client().get(f"/api/v1/{kind}/").status_code == 401
