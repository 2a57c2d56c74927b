"""Every mail is plain text and the same words as HTML."""

from __future__ import annotations

import re
import socket
from html import unescape

import pytest
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import translation
from django.utils.html import strip_tags
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import invitations, notices
from accounts.models import User
from operations import mails
from recognition.models import DataExport
from recognition.personal_data import export as data_export
from studies.planning import team
from tests.support.studies import draft_study

HTML_ADDRESS = re.compile(r'(?:href|src)="([^"]*)"')


def html_of(message: object) -> str:
    assert isinstance(message, EmailMultiAlternatives)
    ((content, media_type),) = message.alternatives
    assert media_type == "text/html"
    return str(content)


def words(text: str) -> list[str]:
    return unescape(text).split()


def check(message: object) -> str:
    """Both parts say the same, and the second loads nothing; returns the HTML."""
    html = html_of(message)
    assert isinstance(message, EmailMultiAlternatives)
    main = re.search(r"<main.*?</main>", html, re.DOTALL)
    assert main is not None
    assert words(strip_tags(main[0].replace("<br>", " "))) == words(str(message.body))
    assert not re.search(r"src=|url\(|<link|@import", html)
    addresses = HTML_ADDRESS.findall(html)
    assert addresses
    assert all(address.startswith(settings.SITE_URL + "/") for address in addresses)
    return html


@pytest.mark.parametrize("email", ["alice@example.org", "nobody@example.org"])
def test_the_mails_of_allauth(alice: User, email: str) -> None:
    Client().post("/accounts/password/reset/", {"email": email})
    (message,) = mail.outbox
    html = check(message)
    link = re.search(re.escape(settings.SITE_URL) + r"/accounts/\S+", str(message.body))
    assert link is not None
    assert f'<a href="{link[0]}">{link[0]}</a>' in html


def test_an_invitation(db: None) -> None:
    _user, link = invitations.invite("new@example.org", language="de")
    html = check(mail.outbox[0])
    assert f'<a href="{link}">{link}</a>' in html
    assert '<html lang="de">' in html
    assert "Passwort" in html


def test_a_notice(
    alice: User,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True
    with django_capture_on_commit_callbacks(execute=True):
        notices.send_soon(alice, "An API token was created")
    assert "An API token was created" in check(mail.outbox[0])


def test_an_export(alice: User) -> None:
    data_export._tell_by_mail(DataExport(owner=alice, language="de"))
    assert "<title>" in check(mail.outbox[0])


def test_what_people_wrote_stays_text(alice: User) -> None:
    title = '<img src="https://attacker.example/x.png">\n\n<a href="https://attacker.example/">Click</a>'
    study = draft_study(alice, title=title)
    team.invite(study, "colleague@example.org", "editor", alice)
    html = html_of(mail.outbox[0])
    assert "<img" not in html
    assert "&lt;img" in html
    assert 'href="https://attacker.example' not in html


@pytest.mark.parametrize("rest", [".evil.example/x", "@evil.example/", ""])
def test_only_addresses_of_this_site_are_links(rest: str) -> None:
    mails.send("Subject", f"Look at {settings.SITE_URL}{rest} now", "somebody@example.org")
    html = html_of(mail.outbox[0])
    main = html[html.index("<main") : html.index("</main>")]
    assert "<a" not in main


def test_what_ends_a_sentence_is_no_part_of_a_link() -> None:
    address = f"{settings.SITE_URL}/statistics/?a=1&b=2"
    with translation.override("en"):
        mails.send("Subject", f"Here ({address}).", "somebody@example.org")
    quoted = address.replace("&", "&amp;")
    assert f'(<a href="{quoted}">{quoted}</a>).' in html_of(mail.outbox[0])


def test_a_mail_server_that_says_nothing_is_not_waited_for(settings: Settings) -> None:
    """Whoever waits for it holds one of the turns in which pages are worked on."""
    assert 0 < settings.EMAIL_TIMEOUT <= 10
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        settings.EMAIL_TIMEOUT = 0.2
        with pytest.raises(mails.NotSent):
            mails.send("Subject", "Text.", "alice@example.org")
