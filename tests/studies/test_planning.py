"""A researcher plans a study: its texts, its blocks, its opening."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent, User
from studies.models import Block, Study
from studies.planning import opening
from tests.support import studies as make
from tests.support.factories import make_person
from tests.support.pictures import encode, meadow

NEW = {
    "title": "Puppies", "question": "Do puppies make people smile?", "languages": ["en", "de"],
    "responsible_name": "Dr Ada Example", "institution": "University of Examples",
    "contact_email": "ada@example.org", "minimum_age": "18", "delete_on": "2099-12-31",
    "confirmed": "on",
}  # fmt: skip


def created(client: Client, **fields: Any) -> Study:
    answer = client.post("/studies/new/", {**NEW, **fields})
    assert answer.status_code == 302, answer.context["form"].errors
    return Study.objects.get()


def details_of(study: Study, **fields: Any) -> dict[str, Any]:
    names = (
        "title", "question", "languages", "responsible_name", "institution", "contact_email",
        "ethics_reference", "information", "consent_text", "minimum_age", "most_participants",
        "delete_on",
    )  # fmt: skip
    values = {name: getattr(study, name) for name in names}
    return {**values, "ends_on": "", "least_percent": "70", **fields}


# Details --------------------------------------------------------------------------------------


def test_a_new_study_has_drafts_in_its_languages(alice_client: Client, alice: User) -> None:
    study = created(alice_client)
    assert study.owner == alice
    assert study.status == Study.Status.DRAFT
    for text in (
        "automatic recognition of facial expressions by software (AI)",
        "numbers, never pictures", "withdrawal code", "31 Dec 2099",
        "automatische Erkennung von Gesichtsausdrücken durch Software (KI)",
        "Zahlen, nie Bilder", "31. Dezember 2099", "Dr Ada Example, University of Examples",
    ):  # fmt: skip
        assert text in study.consent_text, text
    assert "Do puppies make people smile?" in study.information
    assert study.forbidden_uses_confirmed_at is not None
    assert AuditEvent.objects.filter(user=alice, action="study_created").exists()
    only_english = wording_of(study, ["en"])
    assert "Zahlen" not in only_english


def wording_of(study: Study, languages: list[str]) -> str:
    from studies.planning import wording

    study.languages = languages
    return wording.consent(study)


def test_forbidden_uses_are_named_and_must_be_confirmed(alice_client: Client) -> None:
    page = alice_client.get("/studies/new/").text
    assert "Article 5(1)(f)" in page
    answer = alice_client.post(
        "/studies/new/", {name: value for name, value in NEW.items() if name != "confirmed"}
    )
    assert answer.status_code == 200
    assert not Study.objects.exists()


@pytest.mark.parametrize(
    ("setting", "person", "staff"),
    [("everyone", 200, 200), ("staff", 403, 200), ("nobody", 403, 403)],
)
def test_who_may_create_studies(
    setting: str, person: int, staff: int, settings: Settings, alice_client: Client, charlie: User
) -> None:
    settings.STUDIES_BY = setting
    staff_client = Client()
    staff_client.force_login(charlie)
    for client, status in ((alice_client, person), (staff_client, staff)):
        assert client.get("/studies/new/").status_code == status
        is_in_menu = 'href="/studies/"' in client.get("/statistics/").text
        assert is_in_menu == (status == 200)


def test_a_member_finds_studies_where_nobody_may_create_them(
    settings: Settings, alice: User, bob: User, bob_client: Client
) -> None:
    settings.STUDIES_BY = "nobody"
    study = make.ready_study(alice)
    make.member(study, bob)
    assert 'href="/studies/"' in bob_client.get("/statistics/").text
    assert "Faces and sounds" in bob_client.get("/studies/").text


def test_details_are_changed_and_dates_must_make_sense(alice: User, alice_client: Client) -> None:
    study = make.ready_study(alice)
    path = f"/studies/{study.pk}/details/"
    assert alice_client.post(path, details_of(study, title="Kittens")).status_code == 302
    study.refresh_from_db()
    assert (study.title, study.exclude_below) == ("Kittens", 0.7)
    for wrong in (
        {"delete_on": "2020-01-01"}, {"ends_on": "2098-01-01", "delete_on": "2097-01-01"},
        {"languages": []}, {"least_percent": "101"}, {"contact_email": "nobody"},
    ):  # fmt: skip
        assert alice_client.post(path, details_of(study, **wrong)).status_code == 200, wrong


def test_what_is_agreed_to_has_a_new_version_when_it_changes_after_the_opening(
    alice: User, alice_client: Client
) -> None:
    study = make.ready_study(alice)
    path = f"/studies/{study.pk}/details/"
    alice_client.post(path, details_of(study, consent_text="I do agree."))
    study.refresh_from_db()
    assert study.consent_version == 1
    opening.open_(study, alice)
    alice_client.post(path, details_of(study, consent_text="I do agree.", title="Other"))
    study.refresh_from_db()
    assert study.consent_version == 1
    # A browser's line ends are no other text.
    Study.objects.filter(pk=study.pk).update(information="One.\nTwo.")
    typed = {"consent_text": "I do agree.", "information": "One.\r\nTwo."}
    alice_client.post(path, details_of(study, **typed))
    study.refresh_from_db()
    assert study.consent_version == 1
    now: dict[str, Any] = {}
    changes = {"consent_text": "I agree to more.", "information": "It hurts.", "minimum_age": 12}
    for version, (name, value) in enumerate(changes.items(), start=2):
        now[name] = value
        answer = alice_client.post(path, details_of(study, **now), follow=True)
        study.refresh_from_db()
        assert study.consent_version == version, name
        assert f"is now version {version}" in answer.text


def test_brackets_cost_no_more_than_other_letters(alice: User) -> None:
    """Each that is never closed was looked after to the end of the text."""
    study = make.ready_study(alice, information="[the room] " + "[" * 9000, consent_text="[" * 9000)
    began = time.process_time()
    assert opening.gaps(study) == ["[the room]"]
    assert time.process_time() - began < 0.2


# Blocks ---------------------------------------------------------------------------------------


def names(study: Study) -> list[str]:
    found = list(study.blocks.values_list("number", "name"))
    assert [number for number, _name in found] == list(range(1, len(found) + 1))
    return [name for _number, name in found]


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("text", {"text": "Read this."}, {"text": "Read this."}),
        ("image", {"seconds": "6"}, {"seconds": 6.0}),
        ("video", {}, {}),
        ("sound", {}, {}),
        ("page", {"url": "https://example.org/a"}, {"url": "https://example.org/a"}),
        ("scale", {"text": "How?", "low": "not", "high": "very", "steps": "5"},
         {"answers": ["not", "very"], "steps": 5, "is_required": False}),
        ("choice", {"text": "Which?", "choices": "a\n\n b \na", "is_required": "on"},
         {"answers": ["a", "b"], "is_required": True}),
        ("open", {"text": "Why?"}, {"text": "Why?"}),
        ("pause", {"seconds": "3"}, {"seconds": 3.0}),
        ("baseline", {"seconds": "10", "may_move": ""}, {"may_move": False}),
    ],
)  # fmt: skip
def test_every_kind_of_block_is_added(
    kind: str, fields: dict[str, str], expected: dict[str, Any], alice: User, alice_client: Client
) -> None:
    study = make.ready_study(alice)
    path = f"/studies/{study.pk}/blocks/new/?kind={kind}"
    assert alice_client.get(path).status_code == 200
    assert alice_client.post(path, {"name": "mine", **fields}).status_code == 302
    block = study.blocks.get(name="mine")
    assert (block.kind, block.number) == (kind, 2)
    assert {name: getattr(block, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("text", {"text": ""}), ("page", {"url": "http://example.org/"}), ("page", {"url": ""}),
        ("page", {"url": "javascript:alert(1)"}),
        ("choice", {"text": "Which?", "choices": "one"}), ("pause", {"seconds": ""}),
        ("scale", {"text": "How?", "low": "a", "high": "b", "steps": "1"}),
        ("text", {"text": "x", "name": "text-1"}), ("text", {"text": "x", "name": "a/b"}),
    ],
)  # fmt: skip
def test_what_makes_no_block_is_refused(
    kind: str, fields: dict[str, str], alice: User, alice_client: Client
) -> None:
    study = make.ready_study(alice)
    path = f"/studies/{study.pk}/blocks/new/?kind={kind}"
    assert alice_client.post(path, {"name": "mine", **fields}).status_code == 200
    assert study.blocks.count() == 1


def test_there_is_no_block_of_an_unknown_kind(alice: User, alice_client: Client) -> None:
    study = make.ready_study(alice)
    assert alice_client.get(f"/studies/{study.pk}/blocks/new/?kind=x").status_code == 404


def test_blocks_are_moved_duplicated_changed_and_deleted(alice: User, alice_client: Client) -> None:
    study = make.ready_study(alice)
    for name in ("b", "c"):
        make.block(study, name=name, text=name)

    def change(name: str, action: str) -> None:
        block = study.blocks.get(name=name)
        path = f"/studies/{study.pk}/blocks/{block.pk}/change/"
        assert alice_client.post(path, {"action": action}).status_code == 302

    change("c", "up")
    assert names(study) == ["text-1", "c", "b"]
    change("text-1", "up")
    change("b", "down")
    assert names(study) == ["text-1", "c", "b"]
    change("text-1", "down")
    assert names(study) == ["c", "text-1", "b"]
    change("c", "duplicate")
    assert names(study) == ["c", "c-1", "text-1", "b"]
    assert study.blocks.get(name="c-1").text == "c"
    change("c", "delete")
    assert names(study) == ["c-1", "text-1", "b"]
    block = study.blocks.get(name="b")
    path = f"/studies/{study.pk}/blocks/{block.pk}/"
    assert alice_client.post(path, {"name": "b", "text": "new"}).status_code == 302
    block.refresh_from_db()
    assert (block.text, block.may_move) == ("new", False)


def test_conditions_and_order(alice: User, alice_client: Client) -> None:
    study = make.ready_study(alice)
    for name in ("happy music", "sad music", "happy music"):
        alice_client.post(f"/studies/{study.pk}/conditions/", {"name": name})
    happy, sad = study.conditions.all()
    path = f"/studies/{study.pk}/blocks/new/?kind=text"
    alice_client.post(path, {"name": "x", "text": "x", "condition": happy.pk})
    assert study.blocks.get(name="x").condition == happy
    alice_client.post(f"/studies/{study.pk}/blocks/order/", {"order": "latin_square"})
    alice_client.post(f"/studies/{study.pk}/blocks/order/", {"order": "by size"})
    study.refresh_from_db()
    assert study.order == Study.Order.LATIN_SQUARE
    alice_client.post(f"/studies/{study.pk}/conditions/{happy.pk}/delete/")
    assert study.blocks.get(name="x").condition is None
    assert list(study.conditions.all()) == [sad]


def test_a_condition_of_another_study_is_none_of_this_ones(
    alice: User, alice_client: Client
) -> None:
    study, other = make.ready_study(alice), make.ready_study(alice)
    study.conditions.create(name="a")
    theirs = other.conditions.create(name="b")
    path = f"/studies/{study.pk}/blocks/new/?kind=text"
    answer = alice_client.post(path, {"name": "x", "text": "x", "condition": theirs.pk})
    assert answer.status_code == 200
    block = make.block(other)
    for path in (
        f"/studies/{study.pk}/conditions/{theirs.pk}/delete/",
        f"/studies/{study.pk}/blocks/{block.pk}/change/",
    ):
        assert alice_client.post(path, {"action": "delete"}).status_code == 404


# Opening --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"responsible_name": ""}, "who is responsible"),
        ({"contact_email": ""}, "participants’ questions"),
        ({"consent_text": " "}, "consent text"),
        ({"consent_text": "Ask [your name]."}, "[your name]"),
        ({"delete_on": None}, "everything is deleted"),
        ({"delete_on": timezone.now().date()}, "deletion date has passed"),
        ({"ends_on": timezone.now().date() - timedelta(days=2)}, "last day has passed"),
        ({"forbidden_uses_confirmed_at": None}, "work or in education"),
        ({"languages": []}, "languages"),
    ],
)
def test_what_is_missing_is_said_and_keeps_it_closed(
    fields: dict[str, Any], text: str, alice: User, alice_client: Client
) -> None:
    study = make.ready_study(alice, **fields)
    page = alice_client.get(study.get_absolute_url())
    (item,) = page.context["missing"]
    assert text in item.text
    assert f'href="{item.url}"' in page.text
    alice_client.post(f"/studies/{study.pk}/status/", {"action": "open"})
    study.refresh_from_db()
    assert study.status == Study.Status.DRAFT


def test_blocks_files_and_conditions_may_be_missing(alice: User) -> None:
    study = make.ready_study(alice)
    assert opening.missing(study) == []
    image = make.block(study, "image")
    assert image.name in opening.missing(study)[0].text
    study.blocks.all().delete()
    study.conditions.create(name="alone")
    assert len(opening.missing(study)) == 2


def test_it_opens_closes_and_opens_again(alice: User, alice_client: Client) -> None:
    study = make.ready_study(alice)
    path = f"/studies/{study.pk}/status/"

    def status(action: str) -> str:
        alice_client.post(path, {"action": action})
        study.refresh_from_db()
        return study.status

    assert status("open") == "open"
    opened_at = study.opened_at
    assert opened_at is not None
    assert study.takes_people_in
    assert status("close") == "closed"
    assert study.closed_at is not None
    assert status("open") == "open"
    assert (study.opened_at, study.closed_at) == (opened_at, None)
    make.participation(study, is_preview=True)
    assert status("draft") == "draft"
    assert not study.participations.exists()
    status("open")
    make.participation(study)
    assert status("draft") == "open"
    actions = list(AuditEvent.objects.filter(user=alice).values_list("action", flat=True))
    assert actions.count("study_opened") == 3


def test_blocks_stay_as_they_are_once_it_is_open(alice: User, alice_client: Client) -> None:
    study = make.ready_study(alice)
    block, condition = study.blocks.get(), study.conditions.create(name="a")
    image = make.block(study, "image")
    Block.objects.filter(pk=image.pk).update(file="studies/x", media_type="image/jpeg")
    Study.objects.filter(pk=study.pk).update(status="open", opened_at=timezone.now())
    before = list(study.blocks.values())
    base = f"/studies/{study.pk}"
    for path, body in (
        (f"{base}/blocks/new/?kind=text", {"name": "x", "text": "x"}),
        (f"{base}/blocks/{block.pk}/", {"name": "x", "text": "x"}),
        (f"{base}/blocks/{block.pk}/change/", {"action": "delete"}),
        (f"{base}/blocks/{block.pk}/change/", {"action": "duplicate"}),
        (f"{base}/blocks/{block.pk}/change/", {"action": "down"}),
        (f"{base}/blocks/order/", {"order": "random"}),
        (f"{base}/conditions/", {"name": "b"}),
        (f"{base}/conditions/{condition.pk}/delete/", {}),
    ):
        page = alice_client.post(path, body, follow=True).text
        assert "can’t be changed: all participants see the same. As long as" in page, path
    file = encode(meadow(), "JPEG")
    upload(alice_client, image, file)
    assert list(study.blocks.values()) == before
    assert not default_storage.exists(f"studies/{study.pk}") or not stored(study)
    study.refresh_from_db()
    assert study.order == "fixed"
    assert study.conditions.count() == 1
    assert not re.search(r'action="[^"]*/change/"', alice_client.get(f"{base}/blocks/").text)


def upload(client: Client, block: Block, data: bytes) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("mine.bin", data)
    return client.post("/studies/stimuli/", {"block": block.pk, "file": file}, follow=True)


def stored(study: Study) -> list[str]:
    return default_storage.listdir(f"studies/{study.pk}")[1]


def test_another_persons_block_takes_no_file(alice: User, bob_client: Client) -> None:
    block = make.block(make.ready_study(alice), "image")
    assert upload(bob_client, block, encode(meadow(), "JPEG")).status_code == 404
    viewer = make_person("viewer@example.org", "viewer-password")
    make.member(block.study, viewer)
    client = Client()
    client.force_login(viewer)
    assert upload(client, block, encode(meadow(), "JPEG")).status_code == 404
