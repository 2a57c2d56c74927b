"""Whoever had to sign in, or loads again what only takes forms, finds a page."""

from __future__ import annotations

import io

import pytest
from django.test import Client

from accounts.models import User
from tests.support.pictures import face_jpeg

FORMS = [
    "/uploads/new/",
    "/uploads/5f3d1c2e-0000-4000-8000-000000000000/delete/",
    "/uploads/selected/",
]


@pytest.mark.django_db
@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    ("referer", "page"),
    [
        ("http://testserver/uploads/?label=happy", "%2Fuploads%2F%3Flabel%3Dhappy"),
        ("http://testserver", "%2F"),
        ("", "%2F"),
        ("https://evil.example/uploads/", "%2F"),
        ("http://testserver@evil.example/uploads/", "%2F"),
    ],
)
def test_signing_in_leads_to_the_page_of_the_form(path: str, referer: str, page: str) -> None:
    answer = Client().post(path, headers={"Referer": referer})
    assert answer["Location"] == f"/accounts/login/?next={page}"


@pytest.mark.django_db
def test_pages_that_are_asked_for_lead_there_as_before() -> None:
    answer = Client().get("/uploads/", headers={"Referer": "http://testserver/about/"})
    assert answer["Location"] == "/accounts/login/?next=/uploads/"


def test_a_photo_chosen_before_signing_in_ends_at_the_upload_page(alice: User) -> None:
    client = Client()
    told = client.post(
        "/uploads/new/",
        {"images": io.BytesIO(face_jpeg())},
        headers={"Referer": "http://testserver/"},
    )
    form = {"login": alice.email, "password": "alice-password"}
    page = client.post(told["Location"], {**form, "next": "/"}, follow=True)
    assert page.redirect_chain[-1] == ("/", 302)
    assert "Choose photos" in page.text


@pytest.mark.parametrize("path", FORMS)
def test_what_only_takes_forms_says_so(path: str, alice_client: Client) -> None:
    answer = alice_client.get(path)
    assert answer.status_code == 405
    assert "There’s no page at this address" in answer.text
    assert answer["Allow"] == "POST"


def test_programs_are_told_as_before(alice_client: Client) -> None:
    assert alice_client.get("/api/v1/uploads/").status_code == 200
    answer = alice_client.put("/api/v1/uploads/")
    assert answer.json()["code"] == "method_not_allowed"
