"""The team tries a study again and again while it is planned."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from accounts.models import User
from studies.models import Block, Member, Participation, Study
from tests.support import studies as make
from tests.support.factories import make_person
from tests.support.participants import AGREES


@pytest.fixture
def study(alice: User) -> Study:
    return make.ready_study(alice)


def try_it(study: Study, client: Client) -> Participation:
    """By the button of the study's page, as far as the camera check."""
    first = client.get(f"/take-part/preview/{study.pk}/", follow=True)
    assert study.information in first.text
    agreed = client.post(f"/take-part/{study.link_key}/consent/?preview=1", AGREES)
    assert agreed.status_code == 302
    return study.participations.get()


def test_a_preview_shows_the_blocks_of_now(study: Study, alice_client: Client) -> None:
    before = try_it(study, alice_client)
    added = make.block(study, name="added-since")
    after = try_it(study, alice_client)
    assert after.sequence == [*before.sequence, added.pk]


def test_each_preview_shows_another_condition(study: Study, alice_client: Client) -> None:
    names = ("quiet", "loud")
    for name in names:
        make.block(study, name=name, condition=make.condition(study, name))
    seen = []
    for _time in range(3):
        tried = try_it(study, alice_client)
        assert tried.condition is not None
        seen.append(tried.condition.name)
        page = unescape(alice_client.get(f"/take-part/in/{study.pk}/run/").text)
        assert f"The condition is “{seen[-1]}”; the next preview has the next one." in page
    assert seen == ["quiet", "loud", "quiet"]


@pytest.mark.parametrize("lost", ["removed", "viewer", "signed out"])
def test_a_preview_is_for_who_may_change_the_study(study: Study, lost: str) -> None:
    editor = make_person("editor@example.org", "a-good-password-7")
    member = make.member(study, editor, Member.Role.EDITOR)
    block = make.block(study, Block.Kind.IMAGE, file=b"picture", media_type="image/jpeg")
    client = Client()
    client.force_login(editor)
    try_it(study, client)
    run = f"/take-part/in/{study.pk}"
    assert client.get(f"{run}/run/").status_code == 200
    if lost == "removed":
        member.delete()
    elif lost == "viewer":
        Member.objects.filter(pk=member.pk).update(role=Member.Role.VIEWER)
    else:
        client.cookies.pop("sessionid")
    assert client.get(f"{run}/run/").status_code == 410
    assert client.get(f"{run}/blocks/{block.pk}/").status_code == 410
    assert client.post(f"{run}/token/").status_code == 410


def test_a_preview_without_its_block_begins_anew(study: Study, alice_client: Client) -> None:
    try_it(study, alice_client)
    study.blocks.all().delete()
    make.block(study, name="instead")
    answer = alice_client.get(f"/take-part/in/{study.pk}/run/", follow=True)
    assert study.information in answer.text
    assert "isn’t taking part" not in answer.text


def test_a_preview_leads_back_to_the_study(study: Study, alice_client: Client) -> None:
    back = f'<a href="/studies/{study.pk}/">Back to the study</a>'
    assert back in alice_client.get(f"/take-part/preview/{study.pk}/", follow=True).text
    try_it(study, alice_client)
    assert back in alice_client.get(f"/take-part/in/{study.pk}/run/").text
