"""Nothing is done with anybody's photos or camera without their consent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts import consent, purposes
from accounts.models import AuditEvent, Consent, User
from recognition import people

PAGES = ["/", "/uploads/", "/live/", "/live/sessions/"]


@pytest.fixture
def dora(db: None) -> User:
    """Somebody an operator made, who was never asked."""
    return User.objects.create_user("dora@example.org", "dora-password")


@pytest.fixture
def dora_client(dora: User) -> Client:
    client = Client()
    client.force_login(dora)
    return client


@pytest.mark.parametrize("path", PAGES)
def test_whoever_was_not_asked_is_asked_first(path: str, dora_client: Client) -> None:
    response = dora_client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/consent/?next=")
    assert "I agree" in dora_client.get(response["Location"]).content.decode()


def test_accepting_leads_on(dora: User, dora_client: Client) -> None:
    page = dora_client.post("/accounts/consent/", {"next": "/uploads/"})
    assert "without your consent" in page.content.decode()
    assert not consent.has(dora, "account")
    response = dora_client.post("/accounts/consent/", {"next": "/uploads/", "consent": "on"})
    assert response["Location"] == "/uploads/"
    assert dora_client.get("/uploads/").status_code == 200


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_it_leads_to_this_site_only(target: str, dora_client: Client) -> None:
    form = {"next": target, "consent": "on"}
    assert dora_client.post("/accounts/consent/", form)["Location"] == "/"


@pytest.mark.parametrize(
    "path", ["/about/", "/accounts/profile/", "/accounts/sessions/", "/accounts/activity/"]
)
def test_the_account_itself_needs_none(path: str, dora_client: Client) -> None:
    assert dora_client.get(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/legal/", "/manifest.webmanifest", "/service-worker.js", "/offline/"]
)
def test_what_every_page_links_to_needs_none(
    path: str, dora_client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.LEGAL_PAGE = tmp_path / "legal.txt"
    settings.LEGAL_PAGE.write_text("The operator")
    assert dora_client.get(path).status_code == 200


@pytest.mark.parametrize("target", ["zzz", "1", "account_logout", "//attacker.example", ""])
def test_it_leads_nowhere_else(dora_client: Client, target: str) -> None:
    """A word is the name of a page to Django, or of none, which was a failure."""
    answer = dora_client.post("/accounts/consent/", {"consent": "on", "next": target})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_nothing_can_be_uploaded_without(dora: User, dora_client: Client) -> None:
    response = dora_client.post("/api/v1/uploads/")
    assert (response.status_code, response.json()["code"]) == (403, "consent_required")
    assert dora_client.post("/uploads/new/")["Location"] == "/accounts/consent/"
    assert not dora.uploads.exists()


@pytest.mark.parametrize("bucket", ["", "photos"])
def test_texts_say_where_photos_are(settings: Settings, dora_client: Client, bucket: str) -> None:
    settings.S3_BUCKET = bucket
    pages = [Client().get(path).text for path in ("/", "/about/", "/accounts/signup/")]
    pages.append(dora_client.get("/accounts/consent/").text)
    told = ("leave this server", "stored on this server", *["photos you upload on this server"] * 2)
    for page, words in zip(pages, told, strict=True):
        assert (words in page) != bool(bucket)
    assert ("S3 bucket" in pages[3]) == bool(bucket)


def test_whoever_moves_photos_to_a_bucket_asks_everybody_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, alice: User
) -> None:
    assert consent.has(alice, "account")
    for name in ("VERSIONS", "NAMES"):
        monkeypatch.setattr(purposes, name, dict(getattr(purposes, name)))
    monkeypatch.setattr(consent, "VERSIONS", purposes.VERSIONS)
    settings.S3_BUCKET = "photos"
    people.register()
    assert not consent.has(alice, "account")


def test_a_new_text_is_asked_anew(
    alice_client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert alice_client.get("/").status_code == 200
    before = consent.VERSIONS["account"]
    monkeypatch.setitem(consent.VERSIONS, "account", "2099-01")
    assert alice_client.get("/").status_code == 302
    alice_client.post("/accounts/consent/", {"consent": "on"})
    assert alice_client.get("/").status_code == 200
    versions = Consent.objects.for_owner(alice).values_list("version", flat=True)
    assert list(versions) == ["2099-01", before]


def test_withdrawing_and_giving_again_are_rows_of_their_own(alice: User, bob: User) -> None:
    consent.give(alice, "account")  # She has already: nothing is written.
    consent.withdraw(alice, "account")
    consent.withdraw(alice, "account")
    assert not consent.has(alice, "account")
    assert consent.has(bob, "account")
    consent.give(alice, "account")
    assert consent.has(alice, "account")
    assert Consent.objects.for_owner(alice).count() == 2
    trail = AuditEvent.objects.for_owner(alice).order_by("id").values_list("action", flat=True)
    assert list(trail) == ["consent_given", "consent_withdrawn", "consent_given"]


def test_the_live_page_asks_for_the_camera_once(alice: User, alice_client: Client) -> None:
    assert "Agree and start camera" in alice_client.get("/live/").content.decode()
    assert alice_client.post("/accounts/consent/camera/").status_code == 204
    assert consent.has(alice, "camera")
    page = alice_client.get("/live/").content.decode()
    assert "Agree and start camera" not in page
    assert "data-has-consent" in page
