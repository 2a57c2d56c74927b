"""Two people change a study's plan at once: the second is told, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from accounts.models import User
from studies.models import Block, Condition, PersonalLink, Study
from studies.planning import blocks, files, links
from studies.taking_part import joining
from tests.support import studies as make


@pytest.fixture
def study(alice: User) -> Study:
    return make.ready_study(alice)


def test_of_two_blocks_of_one_name_one_is_added(study: Study) -> None:
    blocks.add(Block(study=study, kind=Block.Kind.TEXT, name="greeting", text="Hello."))
    with pytest.raises(blocks.Changed):
        blocks.add(Block(study=study, kind=Block.Kind.TEXT, name="greeting", text="Hi."))
    assert study.blocks.get(name="greeting").text == "Hello."


def test_a_block_does_not_take_a_name_that_another_has_got_meanwhile(study: Study) -> None:
    block = make.block(study, name="first")
    make.block(study, name="second")
    block.name = "second"
    with pytest.raises(blocks.Changed):
        blocks.save(block)
    assert study.blocks.get(pk=block.pk).name == "first"


def test_details_from_before_undo_nothing(study: Study, alice_client: Client) -> None:
    """An editor has changed what participants agree to since the owner opened the page."""
    page = f"/studies/{study.pk}/details/"
    form = alice_client.get(page).context["form"]
    sent = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in sent.items() if value is not None}
    Study.objects.filter(pk=study.pk).update(consent_text="Another text.", minimum_age=21)
    answer = alice_client.post(page, {**sent, "title": "Another title"})
    assert "Somebody has changed this since" in answer.content.decode()
    study.refresh_from_db()
    assert (study.consent_text, study.minimum_age) == ("Another text.", 21)
    sent["seen"] = alice_client.get(page).context["form"]["seen"].value()
    # Also where a click comes twice.
    for _ in range(2):
        assert alice_client.post(page, {**sent, "title": "Another title"}).status_code == 302
    study.refresh_from_db()
    assert study.title == "Another title"


def test_details_round_no_rule_that_they_do_not_change(study: Study, alice_client: Client) -> None:
    page = f"/studies/{study.pk}/details/"
    Study.objects.filter(pk=study.pk).update(exclude_below=0.333)
    form = alice_client.get(page).context["form"]
    sent = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in sent.items() if value is not None}
    for percent, expected in ((33, 0.333), (34, 0.34)):
        sent |= {"title": f"Title {percent}", "least_percent": percent}
        assert alice_client.post(page, sent).status_code == 302
        study.refresh_from_db()
        assert (study.title, study.exclude_below) == (f"Title {percent}", expected)
        sent["seen"] = alice_client.get(page).context["form"]["seen"].value()


def test_rules_from_before_undo_nothing(study: Study, alice_client: Client) -> None:
    page = f"/studies/{study.pk}/results/"
    form = alice_client.get(page).context["form"]
    sent = {name: form[name].value() for name in form.fields if form[name].value()}
    Study.objects.filter(pk=study.pk).update(exclude_below=0.6)
    answer = alice_client.post(f"{page}rules/", sent, follow=True)
    assert "Somebody has changed this since" in answer.content.decode()
    study.refresh_from_db()
    assert study.exclude_below == 0.6


def test_what_is_done_to_a_deleted_block_is_refused(study: Study) -> None:
    block = make.block(study, name="first")
    study.blocks.filter(pk=block.pk).delete()
    for change in (blocks.save, blocks.duplicate):
        with pytest.raises(blocks.Changed):
            change(block)
    assert not study.blocks.filter(name__startswith="first").exists()


def test_nobody_comes_in_by_a_link_that_is_deleted_while_they_agree(alice: User) -> None:
    study = make.open_study(alice)
    make.block(study)
    link = make.personal_link(study)
    links.delete(PersonalLink.objects.get(pk=link.pk))
    with pytest.raises(joining.CannotJoin, match="closed"):
        joining.join(study, language="en", consent_version=study.consent_version, link=link)
    assert not study.participations.exists()


@pytest.mark.parametrize("change", [blocks.add, blocks.save], ids=["add", "save"])
def test_a_block_of_a_condition_that_is_deleted_meanwhile_is_everybodys(
    study: Study, change: Callable[[Block], None]
) -> None:
    condition = make.condition(study, "a")
    block = make.block(study, name="first") if change is blocks.save else Block(
        study=study, kind=Block.Kind.TEXT, name="first", text="Hello."
    )  # fmt: skip
    block.condition = condition
    blocks.delete_condition(Condition.objects.get(pk=condition.pk))
    change(block)
    assert study.blocks.get(name="first").condition is None


def test_a_file_for_a_block_that_is_deleted_meanwhile_is_refused(study: Study) -> None:
    block = make.block(study, "image", "first")
    study.blocks.filter(pk=block.pk).delete()
    with pytest.raises(files.StimulusRefused, match="has been deleted"):
        files.keep(block, ContentFile(b"a picture"), "image/png")
