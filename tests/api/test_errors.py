"""Errors: one shape everywhere, a code that is documented, and limits that say when."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts import tokens
from accounts.models import ApiToken, User
from recognition.api.errors import KINDS
from recognition.models import Upload
from recognition.refusals import Refusal
from tests.support.requests import photo, send_json

UPLOADS = "/api/v1/uploads/"


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    body: dict[str, Any] = json.loads(response.content)
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"https://faces.example/api/v1/errors/#{code}"
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v2/uploads/", "/api/v1/uploads/1/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_addresses_that_are_not_there(path: str, method: str, alice_client: Client) -> None:
    problem(getattr(alice_client, method)(path), 404, "not_found")


def test_a_forgotten_slash_is_helped_on(alice_client: Client) -> None:
    response = alice_client.get("/api/v1/uploads?page_size=1")
    assert (response.status_code, response["Location"]) == (302, "/api/v1/uploads/?page_size=1")
    problem(alice_client.post("/api/v1/uploads"), 404, "not_found")


def test_what_the_framework_refuses(alice_client: Client, alice_upload: Upload) -> None:
    problem(alice_client.put(UPLOADS), 405, "method_not_allowed")
    problem(alice_client.get(UPLOADS, headers={"Accept": "text/html"}), 406, "not_acceptable")
    problem(
        alice_client.post(UPLOADS, "{}", content_type="application/json"),
        415,
        "unsupported_media_type",
    )
    problem(
        alice_client.post("/api/v1/webhooks/", "{", content_type="application/json"),
        400,
        "parse_error",
    )
    body = problem(send_json(alice_client, "POST", "/api/v1/webhooks/", []), 400, "invalid")
    assert "non_field_errors" in body["errors"]
    problem(
        alice_client.post(UPLOADS, b"--x", content_type="multipart/form-data; boundary=y"),
        400,
        "invalid",
    )
    image = f"{UPLOADS}{alice_upload.pk}/image/"
    problem(Client().get(image, headers={"Accept": "image/jpeg"}), 401, "not_authenticated")


def test_strangers_and_bad_tokens_are_told_how(db: None) -> None:
    assert "Bearer" in Client().get(UPLOADS)["WWW-Authenticate"]
    problem(Client().get(UPLOADS), 401, "not_authenticated")
    bearer = {"Authorization": "Bearer visage_nope"}
    problem(Client().get(UPLOADS, headers=bearer), 401, "token_invalid")


def test_what_nobody_foresaw_is_a_problem_too(
    alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("recognition.api.views.uploads.UploadViewSet.get_queryset", broken)
    alice_client.raise_request_exception = False
    body = problem(alice_client.get(UPLOADS), 500, "server_error")
    assert "secret" not in str(body)
    alice_client.raise_request_exception = True
    with pytest.raises(RuntimeError):
        alice_client.get(UPLOADS)


@pytest.mark.parametrize("name", [".", ".."])
def test_a_file_named_like_a_folder_counts_as_none(alice_client: Client, name: str) -> None:
    """A parser of forms drops it; that must end in a sentence like any other mistake."""
    body = (
        f'--b\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n'
        "Content-Type: image/jpeg\r\n\r\nx\r\n--b--\r\n"
    )
    response = alice_client.post(UPLOADS, body, "multipart/form-data; boundary=b")
    problem(response, 400, "invalid")


def test_a_person_is_slowed_down_whichever_way_they_come(
    alice_client: Client, bob_client: Client, settings: Any, alice: User
) -> None:
    """By a page or by a program, and with however many tokens."""
    settings.API_RATE = "3/hour"
    keys = [tokens.create(alice, name, ApiToken.Scope.READ, None)[1] for name in ("one", "two")]
    programs = [Client(headers={"Authorization": f"Bearer {key}"}) for key in keys]
    for client in (alice_client, *programs):
        assert client.get("/api/v1/me/").status_code == 200
    for client in programs:
        problem(client.get("/api/v1/me/"), 429, "throttled")
    response = alice_client.get(UPLOADS)
    problem(response, 429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 3601
    assert bob_client.get(UPLOADS).status_code == 200


def test_uploads_have_a_limit_of_their_own(alice_client: Client, settings: Any) -> None:
    settings.API_UPLOAD_RATE = "1/hour"
    problem(alice_client.post(UPLOADS, {"image": photo(b"text")}), 415, "format_not_accepted")
    problem(alice_client.post(UPLOADS, {"image": photo(b"text")}), 429, "throttled")
    assert alice_client.get(UPLOADS).status_code == 200


def test_strangers_are_counted_by_address_whatever_they_claim(db: None, settings: Any) -> None:
    settings.API_ANONYMOUS_RATE = "2/day"
    for number in range(2):
        headers = {"X-Forwarded-For": f"10.0.0.{number}"}
        assert Client().get("/api/v1/schema/", headers=headers).status_code == 200
    problem(Client().get("/api/v1/schema/"), 429, "throttled")
    assert Client().get("/api/v1/schema/", REMOTE_ADDR="192.0.2.1").status_code == 200


def test_the_page_and_the_document_list_every_code(client: Client, db: None) -> None:
    page = client.get("/api/v1/errors/")
    assert page.status_code == 200
    found = set(re.findall(r'<dt id="(\w+)"', page.content.decode()))
    document = (Path(__file__).parents[2] / "docs" / "API.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", document, re.MULTILINE))
    assert found == set(KINDS) == set(rows)
    assert {code: kind.status for code, kind in KINDS.items()} == {
        code: int(status) for code, status in rows.items()
    }


def test_a_refusal_has_the_status_that_its_code_is_documented_with() -> None:
    """Of what the API refuses; the pages of studies have refusals of their own."""

    def all_of(kind: type[Refusal]) -> list[type[Refusal]]:
        return [kind, *(deeper for sub in kind.__subclasses__() for deeper in all_of(sub))]

    found = {
        kind.code: kind.status
        for kind in all_of(Refusal)
        if {"code", "status"} <= vars(kind).keys() and kind.__module__.startswith("recognition.")
    }
    assert len(found) >= 4
    for code, status in found.items():
        assert code == "export_running" or KINDS[code].status == status


@pytest.mark.parametrize("body", ["[" * 97_000, '{"a":' * 19_000, "[" * 48_000 + "]" * 48_000])
def test_json_nested_deeper_than_can_be_read(body: str, alice_client: Client) -> None:
    for method, path in (("POST", "/api/v1/webhooks/"), ("PATCH", "/api/v1/predictions/1/")):
        response = alice_client.generic(method, path, body, content_type="application/json")
        assert response.status_code in {400, 404}, path
        assert response["Content-Type"] == "application/problem+json"


def test_half_a_character_is_no_json(alice_client: Client) -> None:
    """It could be read, but no answer could say what is wrong with it."""
    body = '{"url": "https://example.org/\\ud800"}'
    response = alice_client.generic("POST", "/api/v1/webhooks/", body, "application/json")
    assert (response.status_code, response.json()["code"]) == (400, "parse_error")


@pytest.mark.parametrize("order", ["name", "-created_at"])
def test_a_cursor_that_no_database_knows(order: str, alice_client: Client) -> None:
    """Of all positions this one alone is refused by PostgreSQL, and not by what reads it."""
    cursor = base64.b64encode(b"p=%00").decode()
    response = alice_client.get("/api/v1/uploads/", {"cursor": cursor, "order": order})
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize(
    "address",
    [
        "uploads/?created_after", "uploads/?created_before", "predictions/?uploaded_after",
        "live-sessions/?started_before",
    ],
)  # fmt: skip
def test_a_moment_that_no_calendar_has(address: str, moment: str, alice_client: Client) -> None:
    path, _, name = address.partition("?")
    problem(alice_client.get(f"/api/v1/{path}", {name: moment}), 400, "invalid")
