"""A researcher does what people do, and is told in time."""

from __future__ import annotations

import re
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts.models import User
from studies.planning import opening
from tests.support import studies as make


def test_a_blocks_name_may_be_typed_as_people_do(alice: User, alice_client: Client) -> None:
    """It becomes a column of downloads; spaces are no mistake, and other letters are explained."""
    study = make.ready_study(alice)
    path = f"/studies/{study.pk}/blocks/new/?kind=text"
    alice_client.post(path, {"name": " my  puppy ", "text": "Look."})
    assert study.blocks.filter(name="my-puppy").exists()
    alice_client.post(path, {"name": "Welcome_2-a", "text": "Look."})
    assert study.blocks.filter(name="Welcome_2-a").exists()
    for name in ("Kätzchen", "a/b", "=1+1"):
        page = alice_client.post(path, {"name": name, "text": "Look."})
        assert "Use only the letters a to z, digits, hyphens and underscores." in page.text
        assert "slug" not in page.text
    assert study.blocks.count() == 3


def test_the_calendar_offers_days_to_come(alice: User, alice_client: Client) -> None:
    tomorrow = timezone.now().date() + timedelta(days=1)
    study = make.ready_study(alice)
    for path in ("/studies/new/", f"/studies/{study.pk}/details/"):
        field = re.search(r'<input type="date" name="delete_on"[^>]*>', alice_client.get(path).text)
        assert field is not None
        assert f'min="{tomorrow}"' in field[0]


def test_a_condition_that_nobody_gave_a_block_is_worth_a_look(alice: User) -> None:
    study = make.ready_study(alice, ethics_reference="2026-17")
    quiet, loud = make.condition(study, "quiet"), make.condition(study, "loud")
    assert not any("quiet" in hint or "loud" in hint for hint in opening.hints(study))
    make.block(study, name="noise", condition=loud)
    assert any(f"“{quiet}”" in hint for hint in opening.hints(study))
    make.block(study, name="silence", condition=quiet)
    assert not any("quiet" in hint for hint in opening.hints(study))
    assert opening.missing(study) == []


def test_whoever_closes_a_study_learns_who_is_in_it(alice: User, alice_client: Client) -> None:
    study = make.ready_study(alice)
    opening.open_(study, alice)
    assert "can finish" not in alice_client.get(f"/studies/{study.pk}/").text
    make.participation(study, state="running")
    page = alice_client.get(f"/studies/{study.pk}/").text
    assert "1 person is taking part now, and can finish after you close it." in page
    opening.close(study, alice)
    page = alice_client.get(f"/studies/{study.pk}/").text
    assert "1 person who had begun can still finish." in page
