"""English and German: complete catalogues, and pages, errors and mails in the reader's language."""

from __future__ import annotations

import gettext
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import flatten, label_for_field
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db.models import Model
from django.template import loader
from django.test import Client
from django.utils import translation

from accounts.models import User
from recognition.models import Upload
from recognition.personal_data import export as data_export
from tests.support.catalogues import catalogue, entries, placeholders

ROOT = Path(settings.BASE_DIR)
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


# Catalogues -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(language: str) -> None:
    found = entries(catalogue(language))
    assert len(found) > 400
    assert [entry.key for entry in found if not all(entry.translations)] == []
    assert [entry.key for entry in found if "fuzzy" in entry.flags] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_places_of_their_messages(language: str) -> None:
    for entry in entries(catalogue(language)):
        for translated, message in zip(
            entry.translations, (entry.singular, entry.plural), strict=False
        ):
            assert placeholders(translated) == placeholders(message), entry.key
            # Templates put texts into attributes: a straight quotation mark would end them.
            assert translated.count('"') == message.count('"'), entry.key


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_runs_is_what_is_written(language: str) -> None:
    """The compiled catalogue, with which no tools are needed to run the site, is up to date."""
    file = catalogue(language)
    with file.with_suffix(".mo").open("rb") as stream:
        compiled = gettext.GNUTranslations(stream)._catalog  # type: ignore[attr-defined]
    written = {}
    for entry in entries(file):
        if entry.plural:
            written.update({(entry.key, n): text for n, text in enumerate(entry.translations)})
        else:
            written[entry.key] = entry.translations[0]
    compiled.pop("")
    assert compiled == written


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="gettext's tools are not installed")
def test_no_message_is_missing_or_left_over(tmp_path: Path) -> None:
    copy = tmp_path / "site"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "var", "vendor", "*.tflite", "tests")
    shutil.copytree(ROOT, copy, ignore=ignored)
    subprocess.run(
        [sys.executable, "manage.py", "makemessages", "--all", "--no-wrap", "--no-obsolete"],
        cwd=copy,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "emotion_site.settings"},
        check=True,
        capture_output=True,
    )
    for language in LANGUAGES:
        in_sources = {entry.key for entry in entries(catalogue(language, copy))}
        in_catalogue = {entry.key for entry in entries(catalogue(language))}
        assert in_sources - in_catalogue == set(), "run `make messages` and translate these"
        assert in_catalogue - in_sources == set(), "run `make messages`: these are used no more"


#: What is called the same everywhere.
NAMES = {
    "Visage",
    "CSV",
    "JSON",
    "ECE",
    "Authorization: Bearer visage_",
    "&rsaquo;",
    "Esc",
    "(Esc)",
}


class _Texts(HTMLParser):
    """Collects what people read in a template."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        for name, value in attrs:
            if name in {"alt", "aria-label", "placeholder", "title"}:
                self.found.append(value or "")

    def handle_data(self, data: str) -> None:
        if self._tag not in {"script", "style"}:
            self.found.append(data)


@pytest.mark.parametrize(
    "file", [pytest.param(file, id=file.name) for file in (ROOT / "templates").rglob("*.html")]
)
def test_templates_have_no_text_of_one_language(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    source = re.sub(r"{% block content_class %}.*?{% endblock %}", "", source)
    source = re.sub(r"{%\s*blocktrans.*?endblocktrans\s*%}", "", source, flags=re.DOTALL)
    source = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", source, flags=re.DOTALL)
    texts = _Texts()
    texts.feed(source)
    words = {text.strip(" ·›‹|:…\n") for text in texts.found}
    assert {word for word in words if re.search(r"[A-Za-z]{2}", word)} <= NAMES


# Pages ----------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "Den Ausdruck jedes Gesichts sehen"),
        ("/about/", "Was sie nicht bedeuten"),
        ("/accounts/login/", "Noch kein Konto?"),
        ("/accounts/signup/", "Ich bin damit einverstanden"),
        ("/not/here/", "Seite nicht gefunden"),
    ],
)
def test_a_browser_gets_the_language_it_asks_for(path: str, text: str) -> None:
    german = Client(headers=GERMAN).get(path)
    assert '<html lang="de"' in german.text
    assert text in german.text
    assert german.headers["Content-Language"] == "de"
    english = Client(headers={"Accept-Language": "fr"}).get(path)
    assert '<html lang="en"' in english.text
    assert text not in english.text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "Fotos hinzufügen"),
        ("/live/", "Bevor Sie beginnen"),
        ("/uploads/", "Noch keine Fotos"),
        ("/statistics/", "Modell und Sie"),
        ("/privacy/", "Bis ich sie lösche"),
        ("/accounts/profile/", "Profil und E-Mail"),
        ("/accounts/activity/", "Das Konto wurde angelegt"),
        ("/accounts/tokens/", "Mit einem Token verwendet"),
        ("/accounts/email/", "Neue Adresse"),
        ("/accounts/sessions/", "Wo Sie angemeldet sind"),
    ],
)
def test_pages_of_a_person_are_in_their_language(
    alice: User, alice_client: Client, path: str, text: str
) -> None:
    from accounts import audit

    audit.record("signed_up", alice, alice)
    page = alice_client.get(path, headers=GERMAN, follow=True)
    assert page.status_code == 200
    assert text in page.text


def test_the_switch_stays_on_the_page_and_is_remembered(alice_client: Client) -> None:
    page = alice_client.get("/uploads/?status=done")
    assert '<html lang="en"' in page.text
    assert 'name="next" value="/uploads/?status=done"' in page.text
    # Each by its own name, and said to be in its own language.
    assert re.search(r'value="de" lang="de">Deutsch<', page.text)
    assert re.search(r'value="en" lang="en" aria-current="true">English<', page.text)

    answer = alice_client.post("/language/", {"language": "de", "next": "/uploads/?status=done"})
    assert answer.status_code == 302
    assert answer.url == "/uploads/?status=done"  # type: ignore[attr-defined]
    # What was chosen counts for more than what the browser asks for.
    assert '<html lang="de"' in alice_client.get("/live/", headers={"Accept-Language": "en"}).text


def test_the_switch_leads_nowhere_else_and_needs_its_token() -> None:
    answer = Client().post("/language/", {"language": "de", "next": "https://evil.example/"})
    assert answer.url == "/"  # type: ignore[attr-defined]
    assert Client(enforce_csrf_checks=True).post("/language/").status_code == 403


@pytest.mark.django_db
def test_who_has_not_agreed_yet_can_read_what_to_agree_to() -> None:
    client = Client()
    client.force_login(User.objects.create_user("new@example.org", "new-password"))
    assert client.post("/language/", {"language": "de", "next": "/"}).url == "/"  # type: ignore[attr-defined]
    assert "Bevor es weitergeht" in client.get("/", follow=True).text


def test_the_page_of_our_own_fault() -> None:
    with translation.override("de"):
        assert "Das lag an uns" in loader.render_to_string("500.html")


#: Names in the administration that are the same in both languages.
SAME = {"id", "Host", "live"}


def _names(language: str, model: type[Model], model_admin: ModelAdmin) -> dict[str, str]:
    """What the administration calls a model, its lists' columns and its pages' fields."""
    shown = [*model_admin.list_display, *flatten(model_admin.fields or ())]
    with translation.override(language):
        columns = {str(name): str(label_for_field(str(name), model, model_admin)) for name in shown}
        options = model._meta
        return {
            **columns,
            "the model": str(options.verbose_name),
            "the models": str(options.verbose_name_plural),
            "the application": str(options.app_config.verbose_name),  # type: ignore[union-attr]
        }


@pytest.mark.parametrize("app", ["accounts", "recognition", "studies"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_administration_is_in_the_language_of_the_operator(app: str, language: str) -> None:
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label == app:
            english, other = (_names(code, model, model_admin) for code in ("en", language))
            same = {name for name in english if english[name] == other[name]}
            assert {english[name] for name in same} <= SAME, model


# Errors and mails -----------------------------------------------------------------------------


def test_refused_photos_are_explained_in_the_language_of_the_reader(alice_client: Client) -> None:
    def small() -> SimpleUploadedFile:
        return SimpleUploadedFile("notes.txt", b"no picture")

    page = alice_client.post("/uploads/new/", {"images": small()}, headers=GERMAN, follow=True)
    assert "notes.txt: Dieses Dateiformat wird nicht unterstützt." in page.text
    assert "JPEG, PNG, WebP, HEIC, AVIF, GIF oder BMP" in page.text
    api = alice_client.post("/api/v1/uploads/", {"image": small()}, headers=GERMAN)
    assert api.json()["code"] == "format_not_accepted"
    assert api.json()["detail"].startswith("Dieses Dateiformat")
    assert alice_client.post("/api/v1/uploads/", {"image": small()}).json()["detail"] == (
        "This file type isn’t supported. Use JPEG, PNG, WebP, HEIC, AVIF, GIF or BMP."
    )


def test_what_a_worker_wrote_down_is_read_in_either_language(
    alice_client: Client, alice_upload: Upload
) -> None:
    with translation.override("de"):
        for _attempt in range(settings.MAXIMUM_ATTEMPTS):
            upload = Upload.objects.claim(str(alice_upload.pk))
            assert upload is not None
            Upload.objects.release(upload)
    path = alice_upload.get_absolute_url()
    assert "couldn’t be processed after several attempts" in alice_client.get(path).text
    assert (
        "nach mehreren Versuchen nicht verarbeitet" in alice_client.get(path, headers=GERMAN).text
    )
    answer = alice_client.get(f"/api/v1/uploads/{alice_upload.pk}/", headers=GERMAN)
    assert answer.json()["error"]["detail"].startswith("Dieses Foto konnte")


def test_the_mail_about_an_export_is_in_the_language_it_was_asked_for_in(
    alice: User, django_capture_on_commit_callbacks: object
) -> None:
    with translation.override("de"):
        export = data_export.start(alice)
    assert data_export.build(str(export.pk))
    (message,) = mail.outbox
    assert message.subject == "Ihre Daten liegen bereit"
    assert "7 Tagen" in message.body


@pytest.mark.django_db
def test_invitations_can_be_in_german() -> None:
    call_command("invite", "anna@example.org", "--language", "de")
    (message,) = mail.outbox
    assert message.subject == "Ihre Einladung zu Visage"
    assert message.body.startswith("Guten Tag,\n\nSie sind zu Visage")


def test_numbers_in_markup_do_not_follow_the_language(
    alice_client: Client, alice_upload: Upload
) -> None:
    """A German decimal comma is no number to a browser."""
    from recognition.models import Prediction

    Upload.objects.filter(pk=alice_upload.pk).update(status=Upload.Status.DONE)
    Prediction.objects.create(
        upload=alice_upload, index=0, x=10, y=20, width=100, height=100, roll=12.5,
        label="happy", confidence=0.75,
        probabilities={"happy": 0.75, "sad": 0.125, "surprise": 0.0625, "neutral": 0.0625},
    )  # fmt: skip
    for path in (
        alice_upload.get_absolute_url(),
        "/statistics/",
        "/uploads/?since=2026-01-31&until=2026-02-01",
    ):
        page = alice_client.get(path, headers=GERMAN).text
        for name, value in re.findall(
            r' (x|y|width|height|value|max|transform|viewBox)="(.*?)"', page
        ):
            assert not re.search(r"\d,\d", value), (path, name, value)
        days = re.findall(r'<input type="date".*?>', page)
        assert all(re.search(r' value="\d{4}-\d\d-\d\d"', day) for day in days), (path, days)
    assert (
        "um 12,5° geneigt" in alice_client.get(alice_upload.get_absolute_url(), headers=GERMAN).text
    )
