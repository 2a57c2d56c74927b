"""API tokens: made and deleted on pages, used by programs."""

from __future__ import annotations

import hashlib
import html
import re
from datetime import timedelta

import httpx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts import consent, forms, tokens
from accounts.models import ApiToken, AuditEvent, User
from recognition.models import Upload
from tests.support.signing_in import confirm_password
from tests.support.site import Site

UPLOADS = "/api/v1/uploads/"


def bearer(key: str) -> Client:
    """A program: no cookie, a token, and the checks that browsers get."""
    return Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {key}"})


def key_in(page: str) -> str:
    found = re.search(r'id="key" value="([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


@pytest.fixture
def reader(alice: User) -> str:
    return tokens.create(alice, "reader", "read", 30)[1]


@pytest.fixture
def writer(alice: User) -> str:
    return tokens.create(alice, "writer", "write", None)[1]


def test_a_token_is_made_after_the_password_and_shown_once(
    alice: User, alice_client: Client
) -> None:
    form = {"name": "My script", "scope": "write", "days": "7"}
    response = alice_client.post("/accounts/tokens/new/", form)
    assert response["Location"].startswith("/accounts/reauthenticate/")
    assert not ApiToken.objects.exists()
    confirm_password(alice_client, "alice-password")
    response = alice_client.post("/accounts/tokens/new/", form)
    key = key_in(response.content.decode())
    assert re.fullmatch(r"visage_[A-Za-z0-9]{40}", key)
    assert "no-store" in response["Cache-Control"]
    token = ApiToken.objects.get()
    assert token.key_sha256 == hashlib.sha256(key.encode()).hexdigest()
    assert key.startswith(token.prefix)
    assert len(token.prefix) < 16
    assert token.expires_at is not None
    assert timedelta(days=6) < token.expires_at - timezone.now() <= timedelta(days=7)
    page = alice_client.get("/accounts/tokens/").content.decode()
    assert "My script" in page
    assert token.prefix in page
    assert key not in page
    again = alice_client.post("/accounts/tokens/new/", form).content.decode()
    assert "You already have a token with this name." in again
    assert ApiToken.objects.count() == 1
    assert AuditEvent.objects.filter(action="token_created", target=f"token:{token.pk}").exists()


def test_a_person_has_so_many_tokens(alice_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "MAXIMUM_TOKENS", 2)
    confirm_password(alice_client, "alice-password")
    new = [{"name": name, "scope": "read", "days": "7"} for name in ("a", "b", "c")]
    answers = [alice_client.post("/accounts/tokens/new/", form).text for form in new]
    assert key_in(answers[1])
    assert "You have 2 tokens, which is the maximum." in answers[2]
    assert ApiToken.objects.count() == 2


def test_others_may_use_the_same_name(alice: User, bob_client: Client) -> None:
    tokens.create(alice, "script", "read", None)
    confirm_password(bob_client, "bob-password")
    form = {"name": "script", "scope": "read", "days": ""}
    key_in(bob_client.post("/accounts/tokens/new/", form).content.decode())
    assert ApiToken.objects.get(user__email="bob@example.org").expires_at is None


def test_a_token_deletes_only_for_its_owner(
    alice: User, alice_client: Client, bob_client: Client, writer: str
) -> None:
    path = f"/accounts/tokens/{ApiToken.objects.get().pk}/delete/"
    assert bob_client.post(path).status_code == 404
    assert Client().post(path).status_code == 302
    assert alice_client.get(path).status_code == 405
    assert ApiToken.objects.exists()
    assert bearer(writer).get(UPLOADS).status_code == 200
    alice_client.post(path)
    assert bearer(writer).get(UPLOADS).status_code == 401
    assert AuditEvent.objects.filter(user=alice, action="token_deleted").exists()
    assert "writer" not in bob_client.get("/accounts/tokens/").content.decode()


def test_a_program_uploads_reads_and_deletes(
    writer: str, alice: User, bob: User, face_jpeg: bytes
) -> None:
    program = bearer(writer)
    response = program.post(UPLOADS, {"image": SimpleUploadedFile("a.jpg", face_jpeg)})
    assert response.status_code == 201
    path = f"{UPLOADS}{response.json()['id']}/"
    assert Upload.objects.get().owner == alice
    assert program.get(path).status_code == 200
    stranger = bearer(tokens.create(bob, "b", "write", None)[1])
    assert stranger.get(path).status_code == 404
    assert stranger.delete(path).status_code == 404
    assert stranger.get(UPLOADS).json()["results"] == []
    assert program.delete(path).status_code == 204


def test_a_reading_token_changes_nothing(reader: str, alice_upload: Upload) -> None:
    program = bearer(reader)
    path = f"{UPLOADS}{alice_upload.pk}/"
    assert program.get(path).status_code == 200
    assert program.get(UPLOADS)["Cache-Control"] == "private, no-store"
    for response in (
        program.post(UPLOADS),
        program.delete(path),
        program.post(f"{path}retry/"),
    ):
        assert (response.status_code, response.json()["code"]) == (403, "token_scope")
        assert response["Content-Type"] == "application/problem+json"
    assert Upload.objects.exists()


def test_a_token_for_live_frames_has_no_business_in_the_api(
    alice: User, alice_upload: Upload
) -> None:
    program = bearer(tokens.create(alice, "lab", "live", 30)[1])
    for path in (UPLOADS, f"{UPLOADS}{alice_upload.pk}/", "/api/v1/me/", "/api/v1/statistics/"):
        response = program.get(path)
        assert (response.status_code, response.json()["code"]) == (403, "token_scope")
    assert program.delete(f"{UPLOADS}{alice_upload.pk}/").status_code == 403
    assert program.post(UPLOADS).status_code == 403


@pytest.mark.parametrize(
    "header",
    [
        "Bearer", "Bearer ", "Bearer x", "Bearer visage_" + "a" * 40, "bearer KEYx",
        "Bearer KEY KEY", "Bearer PREFIX", "Bearer HASH", "Bearer visage_\xe4",
    ],
)  # fmt: skip
def test_what_is_no_token_is_refused(header: str, writer: str, alice_client: Client) -> None:
    """Also beside a session that would do: who sends a token means it."""
    token = ApiToken.objects.get()
    header = header.replace("KEY", writer).replace("PREFIX", token.prefix)
    header = header.replace("HASH", token.key_sha256)
    for client in (Client(), alice_client):
        response = client.get(UPLOADS, headers={"authorization": header})
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'
        assert response.json()["code"] == "token_invalid"


@pytest.mark.parametrize("scheme", ["Basic", "Token", "Digest"])
def test_there_is_no_other_scheme(scheme: str, alice: User) -> None:
    """Passwords above all are taken nowhere but at the sign-in page."""
    credentials = httpx.BasicAuth(alice.email, "alice-password")._auth_header.split()[1]
    response = Client().get(UPLOADS, headers={"authorization": f"{scheme} {credentials}"})
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_an_expired_token_is_refused(writer: str, alice_client: Client) -> None:
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = bearer(writer).get(UPLOADS)
    assert (response.status_code, response.json()["code"]) == (401, "token_expired")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert "Expired" in alice_client.get("/accounts/tokens/").content.decode()


def test_a_disabled_persons_token_is_refused(writer: str) -> None:
    User.objects.update(is_active=False)
    response = bearer(writer).get(UPLOADS)
    assert (response.status_code, response.json()["code"]) == (401, "account_disabled")


def test_a_token_is_worth_nothing_once_consent_is_withdrawn(writer: str, alice: User) -> None:
    consent.withdraw(alice, "account")
    response = bearer(writer).get(UPLOADS)
    assert (response.status_code, response.json()["code"]) == (403, "consent_required")


def test_tokens_open_no_pages(writer: str) -> None:
    for path in ("/uploads/", "/accounts/tokens/", "/admin/"):
        assert bearer(writer).get(path).status_code == 302


def test_the_last_use_is_kept_to_the_minute(writer: str, alice_client: Client) -> None:
    assert "never used" in alice_client.get("/accounts/tokens/").content.decode()
    bearer(writer).get(UPLOADS)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    bearer(writer).get(UPLOADS)
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    bearer(writer).get(UPLOADS)
    assert ApiToken.objects.get().last_used_at >= first


def test_the_running_site_takes_tokens(site: Site, face_jpeg: bytes) -> None:
    person = site.sign_up("program@example.org")
    keys = {scope: person.make_token(scope) for scope in ("read", "write")}
    with httpx.Client(base_url=site.url, timeout=30) as http:
        write = {"Authorization": f"Bearer {keys['write']}"}
        read = {"Authorization": f"Bearer {keys['read']}"}
        files = {"image": ("photo.jpg", face_jpeg)}
        assert http.post(UPLOADS, files=files).status_code == 401
        assert http.post(UPLOADS, files=files, headers=read).status_code == 403
        assert http.post(UPLOADS, files=files, headers=write).status_code == 201
        (upload,) = person.wait_until_finished()
        (seen,) = http.get(UPLOADS, headers=read).json()["results"]
        assert (seen["id"], seen["status"]) == (upload["id"], "done")
        assert http.delete(f"{UPLOADS}{seen['id']}/", headers=write).status_code == 204
