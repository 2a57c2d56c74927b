"""The site sends what was built of its documentation, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

PAGE = "<!doctype html><title>Visage</title>"


@pytest.fixture
def built(tmp_path: Path, settings: Any) -> Path:
    folder = tmp_path / "built"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "assets" / "search.json").write_text("{}")
    (folder / "notes.txt").write_text("secret")
    (folder / "index.html.bak").write_text("secret")
    (tmp_path / "beside.html").write_text("secret")
    (folder / "link.html").symlink_to(tmp_path / "beside.html")
    settings.DOCUMENTATION_ROOT = folder
    return folder


@pytest.mark.django_db
def test_strangers_read_it_and_every_page_leads_there(built: Path) -> None:
    client = Client()
    assert 'href="/docs/"' in client.get("/about/").text
    assert client.get("/docs/").text == PAGE
    assert client.get("/docs").headers["Location"] == "/docs/"
    found = client.get("/docs/assets/search.json")
    assert found.headers["Content-Type"] == "application/json"
    assert client.get("/docs/index.html").headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.django_db
def test_whoever_has_not_agreed_yet_may_read_it(built: Path, django_user_model: Any) -> None:
    client = Client()
    client.force_login(django_user_model.objects.create_user("new@example.org", "new-password"))
    assert client.get("/uploads/").status_code == 302
    assert client.get("/docs/").text == PAGE


@pytest.mark.django_db
def test_the_same_page_is_not_sent_twice(built: Path) -> None:
    client = Client()
    first = client.get("/docs/")
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get("/docs/", headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")
    before = client.get("/docs/", headers={"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"})
    assert before.text == PAGE
    assert client.get("/docs/", headers={"If-Modified-Since": "never"}).text == PAGE


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["../beside.html", "..%2fbeside.html", "assets/../../beside.html", "link.html", "notes.txt",
     "index.html.bak", "assets", "none.html", "/etc/hosts.html", "%00.html", "x" * 5000 + ".html"],
)  # fmt: skip
def test_nothing_beside_it_is_sent(built: Path, path: str) -> None:
    response = Client().get(f"/docs/{path}")
    assert response.status_code == 404
    assert b"secret" not in response.content


@pytest.mark.django_db
def test_where_it_was_not_built_the_page_says_so(tmp_path: Path, settings: Any) -> None:
    settings.DOCUMENTATION_ROOT = tmp_path / "nowhere"
    page = Client().get("/docs/")
    assert page.status_code == 200
    assert "<code>make docs</code>" in page.text
    german = Client().get("/docs/", headers={"Accept-Language": "de"}).text
    assert "Dokumentation" in german
