"""A study's team: invited by mail, joined when signed in, changed, left, handed over."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.test import Client, TestCase
from pytest_django import Settings

from accounts import access, audit
from accounts.models import AuditEvent, User
from recognition.models import DataExport, Webhook
from recognition.personal_data import account_deletion
from studies.models import Member, Study
from studies.planning import deleting, team
from studies.taking_part import leaving
from tests.support import studies as make


def invite(client: Client, study: Study, email: str, role: str = "viewer") -> Any:
    return client.post(f"/studies/{study.pk}/team/", {"email": email, "role": role}, follow=True)


def key_of(message: Any) -> str:
    match = re.search(r"https://faces\.example/studies/join/([\w-]+)/", message.body)
    assert match
    return match[1]


def test_an_invitation_is_mailed_and_taken_up_once(
    alice: User, alice_client: Client, bob: User, bob_client: Client
) -> None:
    study = make.ready_study(alice)
    assert "on its way" in invite(alice_client, study, " Bob@Example.org ", "editor").text
    (message,) = mail.outbox
    assert message.to == ["bob@example.org"]
    assert "Faces and sounds" in message.body
    key = key_of(message)
    member = Member.objects.get()
    assert (member.email, member.role, member.user) == ("bob@example.org", "editor", None)
    assert key not in member.key_hash
    assert len(member.key_hash) == 64
    path = f"/studies/join/{key}/"
    assert Client().get(path).headers["Location"].startswith("/accounts/login/")
    assert bob_client.get(study.get_absolute_url()).status_code == 404
    page = bob_client.get(path)
    assert "Join “Faces and sounds”?" in page.text
    assert page.status_code == 200
    assert bob_client.post(path).headers["Location"] == study.get_absolute_url()
    member.refresh_from_db()
    assert (member.user, member.key_hash) == (bob, "")
    assert bob_client.get(f"/studies/{study.pk}/details/").status_code == 200
    assert bob_client.get(path).status_code == 404
    assert "used or withdrawn" in bob_client.post(path, follow=True).text
    assert AuditEvent.objects.filter(user=bob, action="study_joined").exists()


def test_nothing_tells_who_has_an_account(alice: User, alice_client: Client, bob: User) -> None:
    study = make.ready_study(alice)
    pages = [invite(alice_client, study, email).text for email in (bob.email, "no@example.org")]
    shown = [re.sub(r'value="[^"]{40,}"', "", page) for page in pages]
    shown = [page.replace("no@example.org", "X").replace(bob.email, "X") for page in shown]
    rows = [re.findall(r"<li class=.*?</li>", page, re.DOTALL)[-1] for page in shown]
    plain = [re.sub(r"/team/\d+/", "", row) for row in rows]
    assert plain[0] == plain[1]
    assert [message.subject for message in mail.outbox] == [mail.outbox[0].subject] * 2


def test_a_second_invitation_replaces_the_first(
    alice: User, alice_client: Client, bob_client: Client
) -> None:
    study = make.ready_study(alice)
    for role in ("viewer", "editor"):
        invite(alice_client, study, "bob@example.org", role)
    first, second = (key_of(message) for message in mail.outbox)
    assert bob_client.get(f"/studies/join/{first}/").status_code == 404
    assert bob_client.post(f"/studies/join/{second}/").status_code == 302
    assert Member.objects.get().role == "editor"
    assert "in the team already" in invite(alice_client, study, "bob@example.org").text
    assert "in the team already" in invite(alice_client, study, alice.email).text
    assert len(mail.outbox) == 2


def test_the_owner_and_members_cannot_join_again(
    alice: User, alice_client: Client, bob: User, bob_client: Client
) -> None:
    study = make.ready_study(alice)
    make.member(study, bob)
    link = team.invite(study, "other@example.org", "editor", alice)
    path = link.removeprefix("https://faces.example")
    for client in (alice_client, bob_client):
        assert "in this team already" in client.post(path, follow=True).text
    assert study.members.filter(user=None).count() == 1


def test_an_invitation_holds_after_the_secret_key_was_changed(
    alice: User, bob: User, settings: Any
) -> None:
    study = make.ready_study(alice)
    link = team.invite(study, "other@example.org", "editor", alice)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-" * 5
    key = link.rstrip("/").rpartition("/")[2]
    assert team.invited(key) is not None
    assert team.join(key, bob) == study


def test_where_no_mail_is_sent_the_link_is_shown_once(
    alice: User, alice_client: Client, bob_client: Client, settings: Settings
) -> None:
    settings.CAN_MAIL = False
    study = make.ready_study(alice)
    page = invite(alice_client, study, "bob@example.org")
    link = page.context["link"]
    assert link in page.text
    assert link not in alice_client.get(f"/studies/{study.pk}/team/").text
    assert bob_client.get(link.removeprefix("https://faces.example")).status_code == 200


def test_mails_have_a_limit(alice: User, alice_client: Client) -> None:
    study = make.ready_study(alice)
    pages = [invite(alice_client, study, f"p{n}@example.org").text for n in range(31)]
    assert "on its way" in pages[29]
    assert "too often" in pages[30]
    assert len(mail.outbox) == 30


def test_roles_change_and_members_are_removed(
    alice: User, alice_client: Client, bob: User, bob_client: Client
) -> None:
    study = make.ready_study(alice)
    member = make.member(study, bob)
    path = f"/studies/{study.pk}/team/{member.pk}/"
    details = f"/studies/{study.pk}/details/"
    assert bob_client.get(details).status_code == 404
    alice_client.post(path, {"action": "role", "role": "editor"})
    assert bob_client.get(details).status_code == 200
    alice_client.post(path, {"action": "role", "role": "owner"})
    member.refresh_from_db()
    assert member.role == "editor"
    alice_client.post(path, {"action": "remove"})
    assert bob_client.get(study.get_absolute_url()).status_code == 404
    # Both read it.
    for action in ("study_role_changed", "study_member_removed"):
        assert set(whose(action)) == {alice, bob}


def test_an_invitation_taken_back_is_in_the_owners_trail(alice: User, alice_client: Client) -> None:
    study = make.ready_study(alice)
    invite(alice_client, study, "colleague@example.org")
    alice_client.post(f"/studies/{study.pk}/team/{study.members.get().pk}/", {"action": "remove"})
    assert whose("study_member_removed") == [alice]


def test_an_invitation_sent_anew_throws_nobody_out(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who takes the first up while the second is written."""
    study = make.ready_study(alice)
    key = team.invite(study, bob.email, "viewer", alice).rstrip("/").rpartition("/")[2]
    save = Member.save

    def join_before(member: Member, **options: Any) -> None:
        monkeypatch.setattr(Member, "save", save)
        team.join(key, bob)
        save(member, **options)

    monkeypatch.setattr(Member, "save", join_before)
    team.invite(study, bob.email, "editor", alice)
    assert study.members.get().user == bob


def whose(action: str) -> list[User]:
    """In whose lists an event is."""
    return [event.user for event in AuditEvent.objects.filter(action=action)]


def test_a_member_leaves_and_the_owner_cannot(
    alice: User, alice_client: Client, bob: User, bob_client: Client
) -> None:
    study = make.ready_study(alice)
    make.member(study, bob)
    assert bob_client.post(f"/studies/{study.pk}/team/leave/").status_code == 302
    assert not study.members.exists()
    assert set(whose("study_left")) == {alice, bob}
    page = alice_client.post(f"/studies/{study.pk}/team/leave/", follow=True)
    assert "Hand the study over first." in page.text


def test_a_study_is_handed_over_to_an_editor_who_accepts(
    alice: User, alice_client: Client, bob: User, bob_client: Client
) -> None:
    study = make.ready_study(alice)
    member = make.member(study, bob)
    path, answer = f"/studies/{study.pk}/team/{member.pk}/", f"/studies/{study.pk}/team/owner/"
    assert "Only an editor" in alice_client.post(path, {"action": "owner"}, follow=True).text
    team.change_role(member, "editor", alice)
    assert bob_client.post(answer, {"action": "accept"}).status_code == 404
    assert "is asked" in alice_client.post(path, {"action": "owner"}, follow=True).text
    study.refresh_from_db()
    assert (study.owner, study.next_owner) == (alice, bob)
    assert bob_client.get(f"/studies/{study.pk}/delete/").status_code == 404
    assert "asks you to become" in bob_client.get(f"/studies/{study.pk}/team/").text
    # Nobody answers for somebody else.
    page = alice_client.post(answer, {"action": "accept"}, follow=True)
    assert "not asked" in page.text
    exported = DataExport.objects.create(owner=alice, status=DataExport.Status.DONE)
    webhook = Webhook.objects.create(owner=alice, url="https://alice.example/", secret="whsec_x")
    leaving.finish(make.participation(study))
    page = bob_client.post(answer, {"action": "accept"}, follow=True)
    assert "You are the owner now" in page.text
    # It would outlive whoever withdraws from here on.
    assert not DataExport.objects.filter(pk=exported.pk).exists()
    # Nor are they told of participants any more.
    assert not webhook.deliveries.exists()
    study.refresh_from_db()
    assert (study.owner, study.next_owner) == (bob, None)
    former = study.members.get()
    assert (former.user, former.role) == (alice, "editor")
    assert alice_client.get(f"/studies/{study.pk}/delete/").status_code == 404
    assert bob_client.get(f"/studies/{study.pk}/delete/").status_code == 200
    for action in ("study_offered", "study_handed_over"):
        events = AuditEvent.objects.filter(action=action)
        assert {event.user for event in events} == {alice, bob}


@pytest.mark.parametrize("ending", ["declined", "taken back", "viewer", "removed", "left"])
def test_an_offer_that_has_ended_gives_nobody_the_study(
    ending: str, alice: User, alice_client: Client, bob: User, bob_client: Client
) -> None:
    study = make.ready_study(alice)
    member = make.member(study, bob, "editor")
    path, answer = f"/studies/{study.pk}/team/{member.pk}/", f"/studies/{study.pk}/team/owner/"
    alice_client.post(path, {"action": "owner"})
    if ending == "declined":
        bob_client.post(answer, {"action": "decline"})
    elif ending == "taken back":
        alice_client.post(answer, {"action": "decline"})
    elif ending == "viewer":
        alice_client.post(path, {"action": "role", "role": "viewer"})
    elif ending == "removed":
        alice_client.post(path, {"action": "remove"})
    else:
        bob_client.post(f"/studies/{study.pk}/team/leave/")
    assert bob_client.post(answer, {"action": "accept"}).status_code == 404
    study.refresh_from_db()
    assert (study.owner, study.next_owner) == (alice, None)
    with pytest.raises(team.TeamRefused):
        team.take_over(study, bob)


@pytest.mark.parametrize("what", ["account", "study"])
def test_nobody_takes_over_what_its_owner_is_deleting(
    what: str, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make.ready_study(alice)
    for _ in range(deleting.BATCH + 1):
        make.participation(study)
    team.offer(make.member(study, bob, "editor"), alice)
    if what == "account":
        account_deletion.close(alice)
    else:
        monkeypatch.setattr(deleting, "TURN_SECONDS", -1)
        assert not deleting.delete(study, alice), "it takes more than one turn"
    with pytest.raises(team.TeamRefused):
        team.take_over(study, bob)
    study.refresh_from_db()
    assert study.owner == alice
    if what == "study":
        with pytest.raises(team.TeamRefused):
            team.offer(study.members.get(), alice)


@pytest.mark.parametrize("why", ["not staff", "storage", "neither"])
def test_a_study_goes_only_to_who_may_own_it(
    alice: User, bob: User, bob_client: Client, settings: Settings, why: str
) -> None:
    study = make.ready_study(alice)
    make.block(study, "image", "large", stored_bytes=5000)
    team.offer(make.member(study, bob, "editor"), alice)
    if why == "not staff":
        settings.STUDIES_BY = "staff"
    bob.quota_bytes = 4999 if why == "storage" else 5000
    bob.save(update_fields=["quota_bytes"])
    bob_client.post(f"/studies/{study.pk}/team/owner/", {"action": "accept"})
    study.refresh_from_db()
    assert study.owner == (bob if why == "neither" else alice)
    # Who is refused may make room, and accept then.
    assert study.next_owner == (None if why == "neither" else bob)
    assert study.members.get().user == (alice if why == "neither" else bob)


def test_being_asked_leaves_mails_of_ones_own_account(
    alice: User, alice_client: Client, bob: User, settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True
    study = make.ready_study(alice)
    member = make.member(study, bob, "editor")
    path, answer = f"/studies/{study.pk}/team/{member.pk}/", f"/studies/{study.pk}/team/owner/"
    with TestCase.captureOnCommitCallbacks(execute=True):
        for _ in range(30):
            alice_client.post(path, {"action": "owner"})
            alice_client.post(path, {"action": "owner"})
            alice_client.post(answer, {"action": "decline"})
    often = int(team.OFFERS.partition("/")[0])
    assert len([message for message in mail.outbox if message.to == [bob.email]]) == often
    assert AuditEvent.objects.filter(user=bob, action="study_offered").count() == often
    mail.outbox.clear()
    with TestCase.captureOnCommitCallbacks(execute=True):
        audit.record("token_created", bob, bob)
    assert [message.to for message in mail.outbox] == [[bob.email]]


def test_nobody_fills_a_members_trail(alice: User, alice_client: Client, bob: User) -> None:
    study = make.ready_study(alice)
    path = f"/studies/{study.pk}/team/{make.member(study, bob).pk}/"
    for number in range(80):
        role = "viewer" if number % 2 else "editor"
        alice_client.post(path, {"action": "role", "role": role})
        alice_client.post(path, {"action": "role", "role": role})
    often = int(team.CHANGES.partition("/")[0])
    assert AuditEvent.objects.filter(user=bob, action="study_role_changed").count() == often


def test_who_gets_an_account_back_gets_it_without_what_was_sent_from_it(
    alice: User, bob: User, charlie: User
) -> None:
    """An invitation that nobody has taken up, and an offer to own the study; who joined stays."""
    study, theirs = make.ready_study(alice), make.ready_study(bob)
    editor = make.member(study, charlie, Member.Role.EDITOR)
    team.offer(editor, alice)
    key = team.invite(study, "other@example.org", "viewer", alice).rstrip("/").rpartition("/")[2]
    team.invite(theirs, "other@example.org", "viewer", bob)
    as_it_was = User.objects.get(pk=alice.pk)
    access.end(User.objects.get(pk=alice.pk), None)
    assert team.invited(key) is None
    study.refresh_from_db()
    assert study.next_owner is None
    assert [member.user for member in study.members.all()] == [charlie]
    assert theirs.members.exists()
    assert whose("study_member_removed") == [alice]
    # A request that was on its way makes nothing new.
    for ask in (
        lambda: team.invite(study, "other@example.org", "viewer", as_it_was),
        lambda: team.offer(editor, as_it_was),
    ):
        with pytest.raises(PermissionDenied):
            ask()


@pytest.mark.parametrize("role", ["owner", ""])
def test_nobody_is_invited_as_something_else(role: str, alice: User, alice_client: Client) -> None:
    study = make.ready_study(alice)
    invite(alice_client, study, "bob@example.org", role)
    assert not study.members.exists()
    assert mail.outbox == []


def test_a_member_of_another_study_is_none_of_this_one(alice: User, bob: User) -> None:
    theirs = make.member(make.ready_study(bob), alice, "editor")
    mine = make.ready_study(alice)
    client = Client()
    client.force_login(alice)
    path = f"/studies/{mine.pk}/team/{theirs.pk}/"
    assert client.post(path, {"action": "remove"}).status_code == 404
