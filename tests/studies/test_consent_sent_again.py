"""A consent form that is sent again: by a double click, or after its answer was lost."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from accounts.models import User
from studies.models import Participation, Study
from studies.taking_part import keys, leaving
from tests.support import studies
from tests.support.participants import AGREES, path, text
from tests.support.series import recorded

FORM = re.compile(r'name="form_key" value="([^"]+)"')


def filled_in(study: Study, page: str = "") -> dict[str, str]:
    """The consent form of a new browser, as its participant would send it."""
    shown: Any = Client().get((page or path(study, "consent/")) + "?version=1")
    found = FORM.search(shown.text)
    assert found is not None
    return {**AGREES, "form_key": found[1]}


def send(study: Study, form: dict[str, str], page: str = "", client: Client | None = None) -> str:
    """Send it without a cookie, as while the first answer is on its way; the key in the answer."""
    answer: Any = (client or Client()).post(page or path(study, "consent/"), form)
    if answer.status_code != 302:
        return str(answer.status_code)
    return str(answer.cookies[keys.cookie_name(study.pk)].value)


def test_two_answers_to_one_form_are_one_participant(study: Study) -> None:
    form = filled_in(study)
    first, second = send(study, form), send(study, form)
    assert first == second
    assert study.participations.get().key_hash == keys.hash_of(first)
    assert first not in form["form_key"], "whoever reads the page does not know the cookie"


def test_the_same_form_from_elsewhere_is_another_participant(study: Study) -> None:
    """Whoever has read the page has not what its browser brings."""
    form = filled_in(study)
    here, elsewhere = Client(), Client()
    for client, letter in ((here, "a"), (elsewhere, "b")):
        client.cookies["csrftoken"] = letter * 32
    assert send(study, form, client=here) != send(study, form, client=elsewhere)
    assert study.participations.count() == 2


def test_two_forms_are_two_participants(study: Study) -> None:
    assert send(study, filled_in(study)) != send(study, filled_in(study))
    assert study.participations.count() == 2


def test_the_last_place_is_still_that_of_who_took_it(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(most_participants=1)
    form, other = filled_in(study), filled_in(study)
    assert send(study, form) == send(study, form)
    assert send(study, other) == "410"


def test_who_lost_the_answer_is_not_locked_out_of_their_personal_link(study: Study) -> None:
    """Also after an hour without a network: the link is theirs alone."""
    link = studies.personal_link(study, "ben")
    page = f"/take-part/p/{link.key}/consent/"
    form, other = filled_in(study, page), filled_in(study, page)
    first = send(study, form, page)
    study.participations.update(consented_at=timezone.now() - timedelta(hours=1))
    assert send(study, form, page) == first
    assert send(study, other, page) == "410", "which another form does not open"
    assert send(study, AGREES, page) == "410"


@pytest.mark.parametrize("change", ["ended", "recorded", "begun", "long ago"])
def test_the_next_one_at_a_shared_device_is_not_the_one_before(study: Study, change: str) -> None:
    """They go back to the form that somebody else has sent, and send it for themselves."""
    form = filled_in(study)
    first = send(study, form)
    if change == "ended":
        leaving.leave(study.participations.get())
    elif change == "recorded":
        study.participations.update(recording=recorded(study.owner))
    elif change == "begun":
        study.participations.update(state=Participation.State.CHECKED)
    else:
        ago = timezone.now() - timedelta(minutes=leaving.AWAY_MINUTES)
        study.participations.update(consented_at=ago)
    assert first != send(study, form)
    assert study.participations.count() == 2


def test_a_form_is_of_one_study_and_of_one_way_into_it(study: Study) -> None:
    other = studies.open_study(study.owner, "Another")
    studies.block(other)
    form = filled_in(study)
    first = send(study, form)
    assert send(other, form) != first
    assert send(study, form, path(study, "consent/") + "?id=panel-7") != first
    link = studies.personal_link(study, "ben")
    assert send(study, form, f"/take-part/p/{link.key}/consent/") != first
    assert study.participations.count() == 3


@pytest.mark.parametrize("made", ["", "made-up", "made:up:too", "of another salt", "no number"])
def test_nobody_chooses_a_key(study: Study, made: str) -> None:
    if made == "of another salt":
        made = signing.TimestampSigner().sign(f"{study.pk.hex}.{keys.new()}")
    first = send(study, {**AGREES, "form_key": made})
    assert first not in {"410", "200"}
    assert send(study, {**AGREES, "form_key": made}) != first


def test_a_form_of_days_ago_takes_its_person_in_as_somebody_new(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = filled_in(study)
    first = send(study, form)
    monkeypatch.setattr(keys, "FORM_SECONDS", -1)
    assert send(study, form) != first


def test_what_is_missing_is_asked_for_with_the_same_key(study: Study) -> None:
    form = filled_in(study)
    page = text(Client().post(path(study, "consent/"), {**form, "agrees": ""}))
    assert FORM.findall(page) == [form["form_key"]]


def test_previews_begin_anew_each_time(study: Study, ada: User) -> None:
    client = Client()
    client.force_login(ada)
    page = path(study, "consent/") + "?preview=1"
    form = filled_in(study)
    first = send(study, form, page, client)
    assert first != send(study, form, page, client)
    (row,) = study.participations.values_list("is_preview", flat=True)
    assert row
    # Nor is a participant anybody's preview.
    assert send(study, form) not in {first, "410"}
