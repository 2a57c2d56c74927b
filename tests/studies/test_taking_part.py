"""The pages of participants, from the link to the withdrawal, as a browser without scripts."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from accounts.models import User
from recognition.models import Recording
from studies import tasks
from studies.models import SILENT_MINUTES, Member, Participation, Study
from studies.planning import deleting, links
from studies.taking_part import joining, keys
from tests.support import studies
from tests.support.factories import make_person
from tests.support.participants import AGREES, agree, path, stored, text
from tests.support.series import recorded


def test_nothing_is_stored_before_consent(study: Study) -> None:
    client = Client()
    information = client.get(path(study))
    assert "It is off now." in text(information)
    assert client.get(path(study, "consent/") + "?version=1").status_code == 200
    assert set(client.cookies) <= {"csrftoken", keys.asked_name(study.pk)}
    assert information.headers["Cache-Control"] == "private, no-store"
    assert stored() == (0, 0)


def test_whose_pages_are_shown_is_told_before_they_see_an_address(study: Study) -> None:
    said = "pages of other websites"
    study.blocks.all().delete()
    studies.block(study, "text", "a page", url="")
    assert said not in text(Client().get(path(study)))
    studies.block(study, "page", "theirs", url="https://me:mine@survey.example.com/a?b=c")
    studies.block(study, "page", "theirs again", url="https://survey.example.com/b")
    assert f"{said} (survey.example.com)" in text(Client().get(path(study)))


@pytest.mark.parametrize(
    "answers",
    [{**AGREES, "old_enough": "no"}, {**AGREES, "decision": "no"}, {"decision": "no"}],
    ids=["too young", "refuses", "refuses without a word"],
)
def test_the_young_and_the_unwilling_get_a_kind_page(study: Study, answers: Any) -> None:
    client = Client()
    response = client.post(path(study, "consent/"), answers)
    assert response.status_code == 200
    assert "nothing about you was stored" in text(response)
    assert stored() == (0, 0)
    assert set(client.cookies) <= {"csrftoken"}


@pytest.mark.parametrize("missing", ["old_enough", "agrees"])
def test_what_is_missing_is_asked_for(study: Study, missing: str) -> None:
    answers = {name: value for name, value in AGREES.items() if name != missing}
    response = Client().post(path(study, "consent/"), answers)
    assert 'role="alert"' in text(response)
    assert stored() == (0, 0)


def test_consent_is_kept_word_for_word_and_keys_only_as_hashes(study: Study) -> None:
    client = agree(study, query="?id=panel-7&language=de")
    participation = study.participations.get()
    assert participation.consent_text == studies.CONSENT
    assert (participation.consent_version, participation.language) == (1, "de")
    assert participation.external_id == "panel-7"
    assert (participation.number, participation.state) == (1, "consented")
    (cookie,) = (one for name, one in client.cookies.items() if name.startswith("part-"))
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    row = json.dumps(list(Participation.objects.values()), default=str)
    assert cookie.value not in row
    code = keys.code_of(cookie.value, participation.code_salt)
    assert keys.hash_of_code(code) == participation.code_hash
    assert code not in row


def test_who_read_an_older_text_reads_the_new_one(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(consent_text="Another text.", consent_version=2)
    response = Client().post(path(study, "consent/"), AGREES)
    assert response.headers["Location"].partition("?")[0] == path(study)
    assert stored() == (0, 0)


def test_a_reload_goes_on_where_it_was(study: Study) -> None:
    client = agree(study)
    assert client.get(path(study)).headers["Location"] == path(study, "run/")
    assert client.get(path(study, "consent/")).headers["Location"] == path(study, "run/")
    page = client.get(path(study, "run/"))
    assert page.status_code == 200
    plan = json.loads(text(page).split('id="plan" type="application/json">')[1].split("</")[0])
    assert [block["kind"] for block in plan["blocks"]] == ["text"]
    assert study.participations.count() == 1


def test_somebody_else_of_the_panel_is_somebody_new_in_the_same_browser(study: Study) -> None:
    client = agree(study, query="?id=one")
    assert client.get(path(study) + "?id=one").status_code == 302
    assert client.get(path(study) + "?id=two").status_code == 200
    agree(study, client, query="?id=two")
    assert list(study.participations.values_list("external_id", flat=True)) == ["one", "two"]


@pytest.mark.parametrize("page", ["run/", "end/"])
def test_strangers_get_neither_in_nor_the_link(study: Study, page: str) -> None:
    other = studies.open_study(study.owner, "Another")
    studies.block(other)
    client = agree(other)
    for who in (Client(), client):
        response = who.get(path(study, page))
        assert response.status_code == 410
        assert study.link_key not in text(response)
    # A cookie that says another study's key is still nobody of this one.
    client.cookies[keys.cookie_name(study.pk)] = client.cookies[keys.cookie_name(other.pk)].value
    assert client.get(path(study, page)).status_code == 410


def test_a_new_link_leaves_those_who_are_in_alone(study: Study) -> None:
    client = agree(study)
    Study.objects.filter(pk=study.pk).update(link_key="another")
    assert client.get(path(study, "run/")).status_code == 200
    assert client.get(path(study)).status_code == 404


def test_a_personal_link_lets_one_person_in_once(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(is_link_open=False)
    link = studies.personal_link(study, "A-17", group="old")
    assert Client().get(path(study)).status_code == 410
    begin = f"/take-part/p/{link.key}/"
    client = Client()
    assert client.get(begin).status_code == 200
    assert client.post(f"{begin}consent/", AGREES).status_code == 302
    participation = study.participations.get()
    assert (participation.external_id, participation.attributes) == ("A-17", {"group": "old"})
    assert client.get(begin).headers["Location"] == path(study, "run/")
    other = Client().get(begin)
    assert other.status_code == 410
    assert "already been used" in text(other)
    assert Client().post(f"{begin}consent/", AGREES).status_code == 410
    assert Client().get("/take-part/p/made-up/").status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Study.Status.CLOSED},
        {"ends_on": timezone.now().date() - timedelta(days=1)},
        {"is_link_open": False},
    ],
    ids=["closed", "ended", "no open link"],
)
def test_a_study_that_takes_nobody_in_says_so(study: Study, fields: Any) -> None:
    inside = agree(study)
    Study.objects.filter(pk=study.pk).update(**fields)
    for response in (Client().get(path(study)), Client().post(path(study, "consent/"), AGREES)):
        assert response.status_code == 410
        assert "open at the moment" in text(response)
    assert inside.get(path(study, "run/")).status_code == 200, "who is in may finish"


def test_a_full_study_says_so_until_somebody_has_gone(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(most_participants=1)
    client = agree(study)
    assert "study is full" in text(Client().get(path(study)))
    assert Client().post(path(study, "consent/"), AGREES).status_code == 410
    client.post(path(study, "leave/"))
    agree(study)
    # Whoever has been silent for long takes nobody's place, whoever has finished does.
    silent = study.participations.latest("number")
    Participation.objects.filter(pk=silent.pk).update(
        seen_at=timezone.now() - timedelta(minutes=SILENT_MINUTES + 1)
    )
    assert Client().get(path(study)).status_code == 200
    Participation.objects.filter(pk=silent.pk).update(state=Participation.State.FINISHED)
    assert Client().get(path(study)).status_code == 410


def test_conditions_fill_evenly(study: Study) -> None:
    one, two = studies.condition(study, "one"), studies.condition(study, "two")
    only = studies.block(study, condition=two)
    shared = study.blocks.first()
    assert shared is not None
    for _ in range(4):
        agree(study)
    found = [(p.number, p.condition, p.sequence) for p in study.participations.all()]
    assert found == [
        (1, one, [shared.pk]), (2, two, [shared.pk, only.pk]),
        (3, one, [shared.pk]), (4, two, [shared.pk, only.pk]),
    ]  # fmt: skip


def test_leaving_ends_it_and_keeps_the_way_to_withdraw(study: Study) -> None:
    client = agree(study)
    response = client.post(path(study, "leave/"))
    assert response.headers["Location"] == path(study, "end/")
    page = text(client.get(path(study, "end/")))
    assert "You have stopped" in page
    assert client.get(path(study, "run/")).headers["Location"] == path(study, "end/")
    assert client.post(path(study, "token/")).status_code == 200


@pytest.fixture
def walked_away(study: Study) -> Client:
    """A shared device, whose participant agreed and then went, hours ago."""
    client = agree(study)
    study.participations.update(seen_at=timezone.now() - timedelta(hours=3))
    return client


def test_who_comes_by_the_link_of_somebody_who_walked_away_is_asked_who_they_are(
    study: Study, walked_away: Client
) -> None:
    for page in ("", "consent/"):
        answer = walked_away.get(path(study, page))
        assert answer.status_code == 200
        assert "Have you been here before?" in text(answer)
    assert walked_away.get(path(study, "run/")).status_code == 200
    answer = walked_away.post(path(study, "somebody-else/"))
    assert answer.headers["Location"] == path(study) + "?language=en"
    assert "It is off now." in text(walked_away.get(path(study)))
    assert walked_away.get(path(study, "run/")).status_code == 410
    consented = walked_away.post(path(study, "consent/"), AGREES)
    assert consented.headers["Location"] == path(study, "run/")
    first, second = study.participations.order_by("number")
    assert first.state == Participation.State.CONSENTED
    assert second.state == Participation.State.CONSENTED


@pytest.mark.parametrize("state", ["finished", "left"])
def test_the_next_one_after_somebody_who_has_ended_takes_part_as_well(
    study: Study, state: str
) -> None:
    """By the open link, and without the return link to a panel, which has the other's id."""
    Study.objects.filter(pk=study.pk).update(return_url="https://panel.example/?who={id}")
    client = agree(study, query="?id=ANNA")
    study.participations.update(state=state)
    assert "Thank you" in client.get(path(study, "end/")).text
    client.post(path(study, "shown/"))
    page = text(client.get(path(study)))
    assert "Have you been here before?" in page
    assert "has not seen" not in page
    assert "ANNA" not in page
    for query in ("?id=BEN", ""):
        client = agree(study, query="?id=ANNA")
        study.participations.update(state=state, code_shown_at=timezone.now())
        if not query:
            client.post(path(study, "somebody-else/"))
        agree(study, client, query)
        assert "Switch on the camera" in client.get(path(study, "run/")).text


def test_a_panels_person_who_has_finished_comes_back_to_the_end(study: Study) -> None:
    client = agree(study, query="?id=ANNA")
    study.participations.update(state="finished", code_shown_at=timezone.now())
    assert "Thank you!" in text(client.get(path(study) + "?id=ANNA", follow=True))


def test_somebody_else_goes_on_by_the_link_that_they_came_by(study: Study) -> None:
    """With what it says of them; a participant whose link was replaced does not learn the new."""
    query = "?id=panel-7&language=de"
    client, old = agree(study, query=query), study.link_key
    study.participations.update(seen_at=timezone.now() - timedelta(hours=3))
    page = text(client.get(path(study) + query))
    address = path(study, "somebody-else/") + query
    assert f'action="{address.replace("&", "&amp;")}"' in page
    links.renew(study)
    assert client.post(address).status_code == 404
    assert client.get(path(study, "run/")).status_code == 200
    Study.objects.filter(pk=study.pk).update(link_key=old)
    assert client.post(address).headers["Location"] == path(study) + query
    assert client.get(path(study, "run/")).status_code == 410


def test_who_has_a_link_of_their_own_is_not_asked(study: Study) -> None:
    """A personal link; the id in a panel's may be the same for everybody."""
    link = studies.personal_link(study)
    client, begin = Client(), f"/take-part/p/{link.key}/"
    client.post(f"{begin}consent/", AGREES)
    study.participations.update(seen_at=timezone.now() - timedelta(hours=3))
    assert client.get(begin).headers["Location"] == path(study, "run/")
    panels = agree(study, query="?id=panel-7")
    study.participations.update(seen_at=timezone.now() - timedelta(hours=3))
    assert "Have you been here before?" in text(panels.get(path(study) + "?id=panel-7"))


def test_the_panel_gets_its_people_back(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(return_url="https://panel.example/back?who={id}")
    client = agree(study, query="?id=a%26b")
    study.participations.update(state=Participation.State.FINISHED)
    assert 'href="https://panel.example/back?who=a%26b"' in text(client.get(path(study, "end/")))


def test_the_team_tries_a_draft_and_nobody_else(ada: User) -> None:
    study = studies.draft_study(ada)
    studies.block(study)
    editor, viewer = (make_person(f"{who}@example.org", "a-good-password-7") for who in "ev")
    studies.member(study, editor, Member.Role.EDITOR)
    studies.member(study, viewer)
    for user, status in ((None, 404), (viewer, 404), (editor, 200), (ada, 200)):
        client = Client()
        if user is not None:
            client.force_login(user)
        assert client.get(path(study)).status_code == status
        assert client.get(path(study, "consent/") + "?version=1").status_code == status
    agree(study, client)
    assert "Preview" in text(client.get(path(study, "run/")))
    tried = study.participations.get()
    assert tried.is_preview
    assert tried.number >= joining.FIRST_PREVIEW
    study.status, study.opened_at = Study.Status.OPEN, timezone.now()
    study.save()
    assert stored() == (0, 0)


def test_a_preview_of_an_open_study_takes_no_place(study: Study, ada: User) -> None:
    Study.objects.filter(pk=study.pk).update(most_participants=1)
    client = Client()
    client.force_login(ada)
    agree(study, client, query="?preview=1")
    agree(study)
    assert sorted(study.participations.values_list("is_preview", "number")) == [
        (False, 1), (True, joining.FIRST_PREVIEW),
    ]  # fmt: skip
    assert Client().get(path(study) + "?preview=1").status_code == 404


def test_a_preview_goes_a_day_after(study: Study, ada: User) -> None:
    """Also of a study that is open already, and opens no more; participants stay."""
    client = Client()
    client.force_login(ada)
    agree(study, client, query="?preview=1")
    agree(study)
    recording = recorded(ada)
    Recording.objects.filter(pk=recording.pk).update(owner=None)
    study.participations.filter(is_preview=True).update(recording=recording)
    ago = timezone.now() - timedelta(hours=deleting.PREVIEW_HOURS - 1)
    study.participations.update(seen_at=ago)
    tasks.sweep_studies()
    assert stored() == (2, 1)
    study.participations.update(seen_at=ago - timedelta(hours=2))
    tasks.sweep_studies()
    assert stored() == (1, 0)
    assert not study.participations.get().is_preview


def test_nobody_gets_the_number_of_who_withdrew(study: Study) -> None:
    for expected in (1, 2, 3):
        agree(study)
        part = study.participations.get()
        assert part.number == expected
        part.delete()


def test_nor_of_who_did_before_an_upgrade(study: Study) -> None:
    migration: Any = import_module("studies.migrations.0010_last_number")
    other = studies.open_study(study.owner, "Another")
    for number in (1, 2, 7):
        studies.participation(study, number=number)
    studies.participation(other, number=1_000_001, is_preview=True)
    Study.objects.filter(pk=other.pk).update(n_withdrawn=5)
    migration.count(apps, None)
    for one, expected in ((study, 8), (other, 6)):
        agree(one)
        assert one.participations.filter(number=expected).exists()


def test_the_language_is_one_of_the_studys(study: Study) -> None:
    german = {"HTTP_ACCEPT_LANGUAGE": "de"}
    assert '<html lang="de"' in text(Client().get(path(study), **german))
    assert '<html lang="en"' in text(Client().get(path(study) + "?language=en", **german))
    client = agree(study, query="?language=de")
    assert '<html lang="de"' in text(client.get(path(study, "run/")))
    Study.objects.filter(pk=study.pk).update(languages=["en"])
    assert '<html lang="en"' in text(Client().get(path(study) + "?language=de", **german))
