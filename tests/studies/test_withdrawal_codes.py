"""Withdrawal codes: to whom they are shown, for how long, and what they delete."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from recognition.models import Recording
from studies.models import Member, Study
from studies.taking_part import keys, leaving
from tests.support import studies
from tests.support.factories import make_person
from tests.support.participants import AGREES, agree, path, stored, text
from tests.support.series import recorded


def code_at_end(client: Client, study: Study) -> str:
    page = text(client.get(path(study, "end/")))
    return page.split('id="code" translate="no">')[1].split("<")[0]


def withdraw(code: str, client: Client | None = None) -> HttpResponse:
    response: Any = (client or Client()).post("/take-part/withdraw/", {"code": code})
    return response


@pytest.mark.parametrize("is_remembered", [True, False])
def test_the_code_opens_also_after_the_site_got_another_secret_key(
    study: Study, settings: Any, is_remembered: bool
) -> None:
    """Somebody consents, the operator changes the key, or forgot the old one, and they end."""
    client = agree(study)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another-key-" * 5
    settings.SECRET_KEY_FALLBACKS = [old] if is_remembered else []
    leaving.leave(study.participations.get())
    code = code_at_end(client, study)
    assert code == code_at_end(client, study)
    client.post("/take-part/withdraw/", {"code": code})
    assert stored() == (0, 0)


def test_so_does_one_that_was_made_with_the_secret_key(study: Study, settings: Any) -> None:
    """As codes were; a process that does not know the new key yet changes nothing."""
    client = agree(study)
    (key,) = (one.value for name, one in client.cookies.items() if name.startswith("part-"))
    (made,) = keys.codes_of(key, "")
    study.participations.update(code_hash=keys.hash_of_code(made), code_salt="")
    leaving.leave(study.participations.get())
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another-key-" * 5
    for fallbacks in ([old], [], [old]):
        settings.SECRET_KEY_FALLBACKS = fallbacks
        assert (made in text(client.get(path(study, "end/")))) == bool(fallbacks)
    assert "Everything is deleted" in text(withdraw(made))


def test_the_cookie_alone_does_not_tell_the_code(study: Study, settings: Any) -> None:
    """It stays in the browser when the code is shown no more, where its next user may read it."""
    client = agree(study)
    client.post(path(study, "leave/"))
    code = code_at_end(client, study)
    study.participations.update(code_salt=keys.new())
    assert not leaving.code_of(
        study.participations.get(), client.cookies[keys.cookie_name(study.pk)].value
    )
    assert "Everything is deleted" in text(withdraw(code))


def test_the_next_one_at_a_shared_device_does_not_see_the_code(study: Study) -> None:
    client = agree(study)
    client.post(path(study, "left/"))
    assert not study.participations.get().is_code_hidden, "nothing was shown yet"
    client.post(path(study, "leave/"))
    code = code_at_end(client, study)
    # A reload that came too soon, or an answer that was lost.
    assert code_at_end(client, study) == code
    assert client.post(path(study, "left/")).status_code == 204
    page = text(client.get(path(study, "end/")))
    assert code not in page
    assert "It is not shown again" in page
    assert "Everything is deleted" in text(withdraw(code))


def test_who_comes_by_the_link_again_does_not_see_the_code(study: Study) -> None:
    client = agree(study)
    client.post(path(study, "leave/"))
    code = code_at_end(client, study)
    client.post(path(study, "shown/"))
    assert code not in text(client.get(path(study), follow=True))
    page = text(client.get(path(study, "run/"), follow=True))
    assert "You have stopped" in page
    assert code not in page


@pytest.mark.parametrize("query", ["", "?id=panel-7"])
def test_who_comes_back_when_the_time_is_over_gets_the_code(study: Study, query: str) -> None:
    """If they say that it was them."""
    client = agree(study, query=query)
    ago = timezone.now() - timedelta(hours=3)
    recording = recorded(study.owner, seconds=3 * 3600)
    study.participations.update(recording=recording, state="running", seen_at=ago)
    assert 'id="code"' not in text(client.get(path(study) + query, follow=True))
    page = text(client.get(path(study, "run/"), follow=True))
    assert "You have stopped" in page
    code = page.split('id="code" translate="no">')[1].split("<")[0]
    assert "Everything is deleted" in text(withdraw(code))


def test_who_comes_back_by_the_link_and_goes_on_sees_the_code_at_the_end(study: Study) -> None:
    client = agree(study)
    assert client.get(path(study)).headers["Location"] == path(study, "run/")
    client.post(path(study, "leave/"))
    assert "Everything is deleted" in text(withdraw(code_at_end(client, study)))


def test_leaving_once_more_shows_no_code_again(study: Study) -> None:
    client = agree(study)
    client.post(path(study, "leave/"))
    client.get(path(study, "end/"))
    study.participations.update(code_shown_at=timezone.now() - timedelta(days=3))
    client.post(path(study, "leave/"))
    assert 'id="code"' not in text(client.get(path(study, "end/")))


def test_the_code_is_not_shown_for_long(study: Study) -> None:
    client = agree(study)
    client.post(path(study, "leave/"))
    code = code_at_end(client, study)
    ago = timezone.now() - timedelta(minutes=leaving.CODE_MINUTES)
    study.participations.update(code_shown_at=ago)
    assert code not in text(client.get(path(study, "end/")))


def test_withdrawing_deletes_the_personal_link_with_what_it_says(study: Study) -> None:
    link = studies.personal_link(study, "anna@clinic.example", diagnosis="F32.1")
    other = studies.personal_link(study, "ben")
    client = Client()
    client.post(f"/take-part/p/{link.key}/consent/", AGREES)
    client.post(path(study, "leave/"))
    assert "Everything is deleted" in text(withdraw(code_at_end(client, study)))
    assert list(study.personal_links.all()) == [other]
    assert Client().get(f"/take-part/p/{link.key}/").status_code == 404


def test_withdrawing_deletes_everything(study: Study, ada: User) -> None:
    client = agree(study)
    recording = recorded(ada)
    Recording.objects.filter(pk=recording.pk).update(owner=None)
    study.participations.update(recording=recording)
    other = studies.participation(study)
    client.post(path(study, "leave/"))
    code = code_at_end(client, study)
    # As people type it from paper.
    response = withdraw(code.lower().replace("-", " "), client)
    assert "Everything is deleted" in text(response)
    assert stored() == (1, 0)
    assert list(study.participations.all()) == [other]
    study.refresh_from_db()
    assert study.n_withdrawn == 1
    assert client.get(path(study, "end/")).status_code == 410
    assert "No data belongs to this code" in text(withdraw(code))
    study.refresh_from_db()
    assert study.n_withdrawn == 1


def test_the_owner_deletes_who_has_lost_their_code(study: Study, ada: User) -> None:
    """And nobody else of the team does; what is left is the count, as after a withdrawal."""
    link = studies.personal_link(study, "anna@clinic.example", diagnosis="F32.1")
    for address in (f"/take-part/p/{link.key}/consent/", path(study, "consent/")):
        Client().post(address, AGREES)
    owner, editor = Client(), Client()
    owner.force_login(ada)
    colleague = make_person("editor@example.org", "a-good-password-7")
    studies.member(study, colleague, Member.Role.EDITOR)
    editor.force_login(colleague)
    first, second = study.participations.order_by("number")
    page = f"/studies/{study.pk}/participants/{first.number}/delete/"
    progress = f"/studies/{study.pk}/progress/"
    assert page in text(owner.get(progress))
    assert "anna@clinic.example" in text(owner.get(progress))
    assert page not in text(editor.get(progress))
    assert editor.post(page).status_code == 404
    assert "anna@clinic.example" in text(owner.get(page))
    assert "Others have the same" not in text(owner.get(page))
    study.participations.filter(pk=second.pk).update(external_id="anna@clinic.example")
    assert f"/studies/{study.pk}/participants/2/delete/" in text(owner.get(page))
    assert "P001 is deleted" in text(owner.post(page, follow=True))
    assert list(study.participations.all()) == [second]
    assert not study.personal_links.exists()
    study.refresh_from_db()
    assert study.n_withdrawn == 1
    event = AuditEvent.objects.get(action="study_participant_deleted")
    assert (event.user, event.actor, event.target) == (ada, ada, f"study:{study.pk}")
    assert owner.post(page).status_code == 404


def test_who_can_be_found_without_a_code_is_told_so(study: Study) -> None:
    for query, sentence in (("?id=panel-7", "ask the researchers"), ("", "nobody can tell which")):
        client = agree(study, query=query)
        client.post(path(study, "leave/"))
        page = text(client.get(path(study, "end/")))
        assert sentence in page
        assert ("nobody can tell" in page) != bool(query)


def test_codes_cannot_be_tried_out(study: Study) -> None:
    statuses = [withdraw(f"ABCD-EFGH-IJKL-{n:04d}").status_code for n in range(11)]
    assert statuses == [200] * 10 + [429]


def test_a_class_withdraws_together_whatever_a_neighbour_types(study: Study) -> None:
    """Behind one network address; codes that open something count for nobody."""
    codes = []
    for _person in range(12):
        client = agree(study)
        client.post(path(study, "leave/"))
        codes.append(code_at_end(client, study))
    for n in range(11):
        response = withdraw(f"ABCD-EFGH-IJKL-{n:04d}")
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) <= 60
    page = text(response)
    assert 'value="ABCD-EFGH-IJKL-0010"' in page, "it can be corrected"
    assert "Too many attempts" in page
    for code in codes:
        assert "Everything is deleted" in text(withdraw(code))
    assert stored() == (0, 0)


def test_who_withdraws_somebody_else_goes_on_themselves(study: Study) -> None:
    """As at a shared device, where the one before comes back with the code on paper."""
    first, second = agree(study), agree(study)
    leaving.leave(study.participations.order_by("number")[0])
    assert "Everything is deleted" in text(withdraw(code_at_end(first, study), second))
    assert second.get(path(study, "run/")).status_code == 200
    second.post(path(study, "leave/"))
    code = code_at_end(second, study)
    gone = withdraw(code, second)
    assert gone.cookies[keys.cookie_name(study.pk)].value == ""
