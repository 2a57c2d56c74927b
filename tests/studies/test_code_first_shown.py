"""A withdrawal code is shown once for sure: from then on its time counts, not from the end."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from studies.models import Study
from studies.taking_part import leaving
from tests.support import studies
from tests.support.participants import AGREES, agree, path, text

CODE = 'id="code"'
NOT_SEEN = "has not seen their withdrawal code yet"


def ended(study: Study, query: str = "") -> Client:
    """A browser whose person has ended hours ago, and was never shown the page that says so."""
    client = agree(study, query=query)
    leaving.finish(study.participations.get())
    study.participations.update(seen_at=timezone.now() - timedelta(hours=5))
    return client


def test_the_page_that_wakes_after_the_last_click_shows_the_code(study: Study) -> None:
    client = ended(study)
    assert CODE in text(client.get(path(study, "end/")))
    assert CODE in text(client.get(path(study, "end/"))), "a reload"
    assert study.participations.get().code_shown_at is None, "an answer may be lost"
    assert client.post(path(study, "shown/")).status_code == 204
    shown = study.participations.get().code_shown_at
    assert shown is not None
    assert client.post(path(study, "shown/")).status_code == 204
    assert study.participations.get().code_shown_at == shown
    ago = timezone.now() - timedelta(minutes=leaving.CODE_MINUTES)
    study.participations.update(code_shown_at=ago)
    page = text(client.get(path(study, "end/")))
    assert CODE not in page
    assert "It is not shown again" in page
    assert study.participations.get().code_shown_at == ago


def test_nothing_is_shown_before_the_end(study: Study) -> None:
    client = agree(study)
    for page in ("shown/", "left/"):
        assert client.post(path(study, page)).status_code == 204
    assert study.participations.get().code_shown_at is None
    assert not study.participations.get().is_code_hidden


@pytest.mark.parametrize("query", ["", "?id=panel-7"])
def test_who_comes_by_the_link_is_asked_before_it_is_shown(study: Study, query: str) -> None:
    """The answer to *Stop the study* was lost; they, or somebody else, open the link."""
    client = ended(study, query)
    for page in ("", "consent/"):
        answer = text(client.get(path(study, page) + query))
        assert NOT_SEEN in answer
        assert "That was me: show it" in answer
        assert CODE not in answer
    assert CODE in text(client.get(path(study, "run/"), follow=True)), "that was me"


def test_somebody_else_does_not_see_it(study: Study) -> None:
    client = ended(study)
    answer = client.post(path(study, "somebody-else/"), follow=True)
    assert "It is off now." in text(answer)
    assert client.get(path(study, "end/")).status_code == 410


def test_a_personal_link_shows_it_to_its_person(study: Study) -> None:
    link = studies.personal_link(study, "ben")
    client, begin = Client(), f"/take-part/p/{link.key}/"
    client.post(f"{begin}consent/", AGREES)
    client.post(path(study, "leave/"))  # Its answer is lost.
    assert CODE in text(client.get(begin, follow=True))
    client.post(path(study, "shown/"))
    assert CODE not in text(client.get(begin, follow=True)), "once"


def test_what_was_left_is_not_shown_again(study: Study) -> None:
    client = ended(study)
    client.get(path(study, "end/"))
    client.post(path(study, "left/"))
    assert CODE not in text(client.get(path(study, "end/")))
    assert NOT_SEEN not in text(client.get(path(study)))


def test_codes_of_before_an_upgrade_are_not_shown_again(study: Study) -> None:
    """Who had ended has seen theirs, for all that is known; the next one at a device must not."""
    migration: Any = import_module("studies.migrations.0011_code_shown_at")
    client = ended(study)
    going_on = studies.participation(study)
    migration.shown_at_the_end(apps, None)
    assert CODE not in text(client.get(path(study, "end/")))
    assert NOT_SEEN not in text(client.get(path(study)))
    going_on.refresh_from_db()
    assert going_on.code_shown_at is None


def test_the_page_knows_how_long_it_may_show_the_code(study: Study) -> None:
    """A reload begins no second quarter of an hour."""
    client = ended(study)
    assert f'data-seconds="{leaving.CODE_MINUTES * 60}"' in text(client.get(path(study, "end/")))
    ago = timezone.now() - timedelta(minutes=leaving.CODE_MINUTES - 1)
    study.participations.update(code_shown_at=ago)
    page = text(client.get(path(study, "end/")))
    assert 55 <= int(page.split('data-seconds="')[1].split('"')[0]) <= 60
