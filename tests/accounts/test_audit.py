"""The audit trail: what is written, and who reads it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.signals import user_logged_out
from django.test import Client
from django.utils import timezone, translation
from pytest_django import Settings

from accounts import audit, tasks
from accounts.models import AuditEvent, User
from accounts.templatetags.account_pages import event_text
from tests.support.signing_in import sign_in


def test_signing_in_and_out_and_failing_leave_a_trace(alice: User) -> None:
    AuditEvent.objects.all().delete()
    client = Client()
    sign_in(client, alice.email, "wrong")
    sign_in(client, "nobody@example.org", "wrong")
    sign_in(client, alice.email, "alice-password")
    client.post("/accounts/logout/")
    events = AuditEvent.objects.order_by("id")
    assert [(event.action, event.actor) for event in events] == [
        ("sign_in_failed", None),
        ("signed_in", alice),
        ("signed_out", alice),
    ]
    assert {event.user for event in events} == {alice}


def test_somebody_without_an_account_can_be_signed_out(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    user_logged_out.send(User, request=None, user=User.objects.get())
    User.objects.all().delete()
    user_logged_out.send(User, request=None, user=alice)
    assert not AuditEvent.objects.exists()


def test_unknown_actions_are_refused(alice: User) -> None:
    with pytest.raises(ValueError, match="danced"):
        audit.record("danced", alice)


def test_people_read_their_own_in_plain_words(
    alice: User, bob: User, charlie: User, alice_client: Client, bob_client: Client
) -> None:
    audit.record(
        "photo_viewed_by_staff",
        alice,
        actor=charlie,
        target="upload:0d1c88aa-77",
        reason="A complaint",
    )
    page = alice_client.get("/accounts/activity/").content.decode()
    assert "A photo was opened by staff (0d1c88aa)" in page
    assert "Reason: A complaint" in page
    assert "Signed in" in page
    assert "Consent was given: Processing of photos" in page
    assert charlie.email not in page
    assert "opened by staff" not in bob_client.get("/accounts/activity/").content.decode()


def test_the_list_has_pages(alice: User, alice_client: Client) -> None:
    for _ in range(60):
        audit.record("upload_created", alice, actor=alice)
    first = alice_client.get("/accounts/activity/").content.decode()
    assert first.count("data-action=") == 25
    assert "Page 1 of 3" in first
    assert alice_client.get("/accounts/activity/?page=3").content.decode().count("data-action") < 25


def test_what_was_done_several_times_is_one_line_that_opens(
    alice: User, alice_client: Client
) -> None:
    for _ in range(3):
        audit.record("token_deleted", alice, actor=alice)
    audit.record("token_deleted", alice)
    page = alice_client.get("/accounts/activity/").text
    assert page.count("<details") == 1
    assert "An API token was deleted ×3" in page
    assert page.count('data-action="token_deleted"') == 4


def test_what_was_done_with_many_at_once_is_counted(alice: User, alice_client: Client) -> None:
    audit.record_together("upload_trashed", alice, alice, [])
    audit.record_together("upload_trashed", alice, alice, ["upload:0d1c88aa-77"])
    audit.record_together("upload_trashed", alice, alice, ["upload:1", "upload:2", "upload:3"])
    page = alice_client.get("/accounts/activity/").text
    assert page.count('data-action="upload_trashed"') == 2
    assert "A photo was moved to the trash ×4" in page
    assert "A photo was moved to the trash ×3<" in page
    assert "A photo was moved to the trash (0d1c88aa)<" in page
    with translation.override("de"):
        said = event_text(AuditEvent.objects.get(details={"number": 3}))
    assert said == "Ein Foto wurde in den Papierkorb verschoben ×3"


@pytest.mark.parametrize("action", ["danced", "token_deleted"])
def test_what_people_are_mailed_of_is_not_written_for_many(action: str, alice: User) -> None:
    with pytest.raises(ValueError, match=action):
        audit.record_each(action, [(alice.pk, "token:1")], alice)


@pytest.mark.parametrize("action", audit.ACTIONS)
def test_every_action_has_words(action: str, alice: User, alice_client: Client) -> None:
    audit.record(action, alice)
    assert f">{audit.ACTIONS[action]}" in alice_client.get("/accounts/activity/").content.decode()


def test_events_are_kept_for_so_many_days(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "EVENTS_AT_ONCE", 2)
    AuditEvent.objects.all().delete()
    for days in (1, 29, 31, 32, 33, 400):
        audit.record("signed_in", alice, alice, f"day:{days}")
        at = timezone.now() - timedelta(days=days)
        AuditEvent.objects.filter(target=f"day:{days}").update(at=at)
    settings.AUDIT_DAYS = 0
    tasks.clear_expired()
    assert AuditEvent.objects.count() == 6
    settings.AUDIT_DAYS = 30
    tasks.clear_expired()
    assert {event.target for event in AuditEvent.objects.all()} == {"day:1", "day:29"}
