"""Who may end a study by its dates: its owner alone, as by any other way."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from studies.models import Member, Study
from tests.support import studies as make


def details(study: Study, **changed: str) -> dict[str, object]:
    return {
        "title": "Renamed", "question": study.question, "languages": study.languages,
        "responsible_name": study.responsible_name, "institution": study.institution,
        "contact_email": study.contact_email, "information": study.information,
        "consent_text": study.consent_text, "minimum_age": study.minimum_age,
        "most_participants": study.most_participants, "least_percent": 50, "confirmed": "on",
        **changed,
    }  # fmt: skip


@pytest.mark.parametrize("is_open", [True, False])
def test_an_editor_changes_all_but_when_it_ends(
    is_open: bool, alice: User, bob: User, bob_client: Client
) -> None:
    begin = make.open_study if is_open else make.draft_study
    study = begin(alice, delete_on=date(2099, 12, 31), ends_on=date(2099, 11, 30))
    make.member(study, bob, Member.Role.EDITOR)
    path = f"/studies/{study.pk}/details/"
    tomorrow = timezone.now().date() + timedelta(days=1)
    assert "Only the study’s owner can change this." in bob_client.get(path).text
    soon = {"delete_on": tomorrow.isoformat(), "ends_on": timezone.now().date().isoformat()}
    assert bob_client.post(path, details(study, **soon)).status_code == 302
    study.refresh_from_db()
    assert study.title == "Renamed"
    assert study.delete_on == date(2099, 12, 31)
    assert (study.ends_on == date(2099, 11, 30)) == is_open


@pytest.mark.parametrize("day", ["2100-01-01", ""])
def test_nothing_is_kept_for_longer_than_people_were_told(
    day: str, alice: User, alice_client: Client
) -> None:
    study = make.open_study(alice, delete_on=date(2099, 12, 31))
    path = f"/studies/{study.pk}/details/"
    make.participation(study, is_preview=True)
    if day:
        moved = details(study, delete_on=day, consent_text=f"Until {day}.")
        assert alice_client.post(path, moved).status_code == 302
        day = "2100-01-02"
    else:
        text = alice_client.post(path, details(study, delete_on=day)).text
        assert "Choose the day on which everything is deleted." in text
    make.participation(study)
    text = alice_client.post(path, details(study, delete_on=day)).text
    assert "People agreed that everything is deleted on" in text
    assert alice_client.post(path, details(study, delete_on="2098-01-01")).status_code == 302


@pytest.mark.parametrize(
    "written",
    ["31 Dec 2099", "2099-12-31", "31. Dezember 2099", "31.12.2099", "1 Jun 2100 in one language"],
)
@pytest.mark.parametrize("named", ["1 Jun 2100. * * * Bis 1. Juni 2100", "2100-06-01"])
def test_nobody_agrees_to_a_day_on_which_nothing_is_deleted(
    written: str, named: str, alice: User, alice_client: Client
) -> None:
    """Nobody has agreed yet, so that the day may still be a later one."""
    text = f"Everything is deleted on {written}."
    study = make.open_study(
        alice, delete_on=date(2099, 12, 31), consent_text=text, languages=["en", "de"]
    )
    path = f"/studies/{study.pk}/details/"
    later = {"delete_on": "2100-06-01"}
    page = alice_client.post(path, details(study, consent_text=text, **later)).text
    assert "Name the new deletion date in the text, too: 1 Jun 2100, 1. Juni 2100." in page
    study.refresh_from_db()
    assert study.delete_on == date(2099, 12, 31)
    answer = alice_client.post(path, details(study, consent_text=f"Until {named}.", **later))
    assert answer.status_code == 302
    study.refresh_from_db()
    assert (study.delete_on, study.consent_version) == (date(2100, 6, 1), 2)


def test_the_owner_changes_both(alice: User, alice_client: Client) -> None:
    study = make.open_study(alice, delete_on=date(2099, 12, 31))
    changed = {"delete_on": "2098-12-31", "ends_on": "2098-11-30"}
    path = f"/studies/{study.pk}/details/"
    assert alice_client.post(path, details(study, **changed)).status_code == 302
    study.refresh_from_db()
    assert (study.delete_on, study.ends_on) == (date(2098, 12, 31), date(2098, 11, 30))
