"""Whoever agrees again, by a double click or because the answer was lost, is one participant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from studies.models import Participation, Study
from studies.taking_part import keys, leaving
from tests.support import studies
from tests.support.participants import AGREES, agree, path, text
from tests.support.series import recorded


def browser(number: str = "a") -> Client:
    """One that has read the pages, and has no participant's cookie: the answer was lost."""
    client = Client()
    for pk in Study.objects.values_list("pk", flat=True):
        client.cookies[keys.asked_name(pk)] = number
    return client


def send(study: Study, client: Client, page: str = "") -> str:
    """Agree; the key in the answer, or its status."""
    answer: Any = client.post(page or path(study, "consent/"), AGREES)
    if answer.status_code != 302:
        return str(answer.status_code)
    return str(answer.cookies[keys.cookie_name(study.pk)].value)


def test_two_answers_are_one_participant(study: Study) -> None:
    first, second = send(study, browser()), send(study, browser())
    assert first == second
    assert study.participations.get().key_hash == keys.hash_of(first)


def test_two_browsers_are_two_participants(study: Study) -> None:
    assert send(study, browser("a")) != send(study, browser("b"))
    # One that brings nothing is somebody new each time.
    assert send(study, Client()) != send(study, Client())
    assert study.participations.count() == 4


def test_whoever_reads_the_pages_anew_goes_on(study: Study) -> None:
    first = send(study, browser())
    for page in ("", "consent/"):
        client = browser()
        assert client.get(path(study, page)).headers["Location"] == path(study, "run/")
        assert client.cookies[keys.cookie_name(study.pk)].value == first
    assert "It is off now." in text(browser("b").get(path(study)))


def test_the_last_place_is_still_that_of_who_took_it(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(most_participants=1)
    assert send(study, browser()) == send(study, browser())
    assert send(study, browser("b")) == "410"


def test_who_lost_the_answer_is_not_locked_out_of_their_personal_link(study: Study) -> None:
    """Also after an hour without a network: the link is theirs alone."""
    link = studies.personal_link(study, "ben")
    begin = f"/take-part/p/{link.key}/"
    first = send(study, browser(), f"{begin}consent/")
    study.participations.update(consented_at=timezone.now() - timedelta(hours=1))
    assert send(study, browser(), f"{begin}consent/") == first
    assert browser().get(begin).headers["Location"] == path(study, "run/")
    assert send(study, browser("b"), f"{begin}consent/") == "410", "which no other browser opens"
    assert browser("b").get(begin).status_code == 410


def test_one_after_the_other_at_a_shared_device_is_one_participant(study: Study) -> None:
    client = Client()
    numbers = set()
    for n_people in (1, 2, 3):
        assert "It is off now." in text(client.get(path(study)))
        assert "take part?" in text(client.get(path(study, "consent/") + "?version=1"))
        numbers.add(client.cookies[keys.asked_name(study.pk)].value)
        for _ in range(2):
            send(study, client)
            del client.cookies[keys.cookie_name(study.pk)]
        assert client.get(path(study)).headers["Location"] == path(study, "run/")
        assert study.participations.count() == n_people
        client.post(path(study, "leave/"))
        client.post(path(study, "somebody-else/"))
    assert len(numbers) == 3, "whoever knows an earlier one is nobody"


def test_who_reads_the_page_again_before_they_are_one_keeps_their_link(study: Study) -> None:
    """Their first answer is on its way: the page was opened in another tab meanwhile."""
    link = studies.personal_link(study, "ben")
    begin = f"/take-part/p/{link.key}/"
    here = Client()
    here.get(f"{begin}consent/?version=1")
    before = here.cookies[keys.asked_name(study.pk)].value
    here.get(f"{begin}consent/?version=1")
    client = Client()
    client.cookies[keys.asked_name(study.pk)] = before
    send(study, client, f"{begin}consent/")
    assert here.get(begin).headers["Location"] == path(study, "run/")


@pytest.mark.parametrize("query", ["", "?id=cy"])
def test_who_comes_after_another_and_loses_the_answer_is_one_as_well(
    study: Study, query: str
) -> None:
    client = agree(study, query="?id=anna")
    link = studies.personal_link(study, "ben")
    begin = path(study, "") + query if query else f"/take-part/p/{link.key}/"
    page = path(study, "consent/") + query if query else f"{begin}consent/"
    annas = client.cookies[keys.cookie_name(study.pk)].value
    client.get(page + ("&" if query else "?") + "version=1")
    key = send(study, client, page)
    client.cookies[keys.cookie_name(study.pk)] = annas
    assert client.get(begin).headers["Location"] == path(study, "run/")
    assert client.cookies[keys.cookie_name(study.pk)].value == key
    assert study.participations.count() == 2


@pytest.mark.parametrize("change", ["ended", "recorded", "begun", "opened", "long ago"])
def test_the_next_one_at_a_shared_device_is_not_the_one_before(study: Study, change: str) -> None:
    first = send(study, browser())
    if change == "ended":
        leaving.leave(study.participations.get())
    elif change == "recorded":
        study.participations.update(recording=recorded(study.owner))
    elif change == "begun":
        study.participations.update(state=Participation.State.CHECKED)
    elif change == "opened":
        study.participations.update(socket_key="open")
    else:
        ago = timezone.now() - timedelta(minutes=leaving.AWAY_MINUTES)
        study.participations.update(consented_at=ago)
    assert "It is off now." in text(browser().get(path(study)))
    assert first != send(study, browser())
    assert study.participations.count() == 2


def test_each_way_into_each_study_is_somebody_elses(study: Study) -> None:
    other = studies.open_study(study.owner, "Another")
    studies.block(other)
    link = studies.personal_link(study, "ben")
    pages = [
        path(study, "consent/"), path(other, "consent/"),
        path(study, "consent/") + "?id=panel-7", path(study, "consent/") + "?id=panel-8",
        f"/take-part/p/{link.key}/consent/",
    ]  # fmt: skip
    found = {
        send(other if page == pages[1] else study, browser(), page) for page in pages for _ in "ab"
    }
    assert len(found) == len(pages)
    assert Participation.objects.count() == len(pages)


def test_previews_begin_anew_each_time(study: Study, ada: User) -> None:
    client = browser()
    client.force_login(ada)
    page = path(study, "consent/") + "?preview=1"
    first = send(study, client, page)
    assert first != send(study, client, page)
    (row,) = study.participations.values_list("is_preview", flat=True)
    assert row
    # Nor is a participant anybody's preview.
    assert send(study, browser()) not in {first, "410"}
