"""How participants are let in: the link, personal links, a panel's link."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEvent, User
from studies.models import Study
from studies.planning import links
from tests.support import studies as make
from tests.support.participants import AGREES


def test_links_lead_to_the_site_whatever_host_was_asked(alice: User, alice_client: Client) -> None:
    study = make.open_study(alice)
    page = alice_client.get(f"/studies/{study.pk}/invite/")
    link = f"https://faces.example/take-part/{study.link_key}/"
    assert page.context["link"] == link
    assert f'value="{link}"' in page.text
    assert f'value="{link}?id="' in page.text
    assert "testserver" not in page.text


def test_a_new_link_ends_the_old_one_and_links_are_closed(
    alice: User, alice_client: Client
) -> None:
    study = make.open_study(alice)
    old, path = study.link_key, f"/studies/{study.pk}/invite/"
    alice_client.post(path, {"action": "new"})
    study.refresh_from_db()
    assert study.link_key != old
    assert len(study.link_key) >= 20
    for action, is_open in (("close", False), ("open", True), ("nonsense", True)):
        alice_client.post(path, {"action": action})
        study.refresh_from_db()
        assert study.is_link_open is is_open


def test_a_link_from_the_list_lets_its_person_in(alice: User, alice_client: Client) -> None:
    study = make.open_study(alice, is_link_open=False)
    path = f"/studies/{study.pk}/invite/"
    alice_client.post(path, {"action": "codes", "codes": "code,age\nA1,31"})
    (row,) = csv.DictReader(io.StringIO(alice_client.get(f"{path}links.csv").text))
    site, _slash, place = row["url"].partition("/take-part/")
    assert site == "https://faces.example"
    person = Client()
    assert person.get(f"/take-part/{place}").status_code == 200
    assert person.post(f"/take-part/{place}consent/", AGREES).status_code == 302
    (participation,) = study.participations.all()
    assert participation.external_id == "A1"
    assert participation.attributes == {"age": "31"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A1\nB2\n\n C3 ", [("A1", {}), ("B2", {}), ("C3", {})]),
        ("code,age,group\nA1,31,x\nB2,40", [("A1", {"age": "31", "group": "x"}),
                                             ("B2", {"age": "40"})]),
        ("code;age\nA1;31", [("A1", {"age": "31"})]),
        ("code\tage\nA1\t31", [("A1", {"age": "31"})]),
        ('\ufeffcode,note\nA1,"a, b"', [("A1", {"note": "a, b"})]),
    ],
)  # fmt: skip
def test_lists_are_read(text: str, expected: list[Any]) -> None:
    assert links.read_list(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", " \n ", "A1\nA1", "a,b,b\n1,2,3", "a,\n1,2", "code,age\n,31", "x" * 81,
     "code,age\nA1," + "x" * 201, "a\n" * 200_000],
)  # fmt: skip
def test_lists_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(links.BadList):
        links.read_list(text)


def test_personal_links_are_made_once_and_downloaded(alice: User, alice_client: Client) -> None:
    study = make.open_study(alice)
    path = f"/studies/{study.pk}/invite/"
    table = "code,age,note\nA1,31,=cmd()\nB2,40,+1\n"
    assert (
        "2 new links."
        in alice_client.post(path, {"action": "codes", "codes": table}, follow=True).text
    )
    file = SimpleUploadedFile("more.csv", "code,age\nB2,41\nC3,42".encode("utf-8-sig"))
    page = alice_client.post(path, {"action": "codes", "file": file}, follow=True)
    assert "1 new link." in page.text
    made = {link.label: link for link in study.personal_links.all()}
    assert made["B2"].attributes == {"age": "40", "note": "+1"}
    assert len({link.key for link in made.values()}) == 3
    make.participation(study, personal_link=made["A1"])
    answer = alice_client.get(f"{path}links.csv")
    assert "attachment" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["code"], row["used"], row["age"]) for row in rows] == [
        ("A1", "yes", "31"), ("B2", "no", "40"), ("C3", "no", "42"),
    ]  # fmt: skip
    assert rows[0]["url"] == f"https://faces.example/take-part/p/{made['A1'].key}/"
    # Who takes the list along is in the owner's trail; not who only asks whether it is there.
    AuditEvent.objects.all().delete()
    assert alice_client.head(f"{path}links.csv").status_code == 200
    assert not AuditEvent.objects.exists()
    alice_client.get(f"{path}links.csv")
    event = AuditEvent.objects.get(action="study_links_downloaded")
    assert (event.user, event.actor, event.target) == (alice, alice, f"study:{study.pk}")
    # No spreadsheet runs them.
    assert rows[0]["note"] == "'=cmd()"
    assert rows[1]["note"] == "'+1"


def test_a_code_that_is_a_formula_stays_text(alice: User, alice_client: Client) -> None:
    study = make.open_study(alice)
    path = f"/studies/{study.pk}/invite/"
    alice_client.post(path, {"action": "codes", "codes": "=1+1\n<b>x</b>"})
    assert "\r\n'=1+1," in alice_client.get(f"{path}links.csv").text
    page = alice_client.get(path).text
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x" in page


def test_wrong_lists_are_told_and_nothing_is_made(alice: User, alice_client: Client) -> None:
    study = make.open_study(alice)
    path = f"/studies/{study.pk}/invite/"
    page = alice_client.post(path, {"action": "codes", "codes": "A1\nA1"})
    assert "appears twice" in page.text
    assert not study.personal_links.exists()


def test_long_names_are_not_repeated_for_thousands(alice: User, alice_client: Client) -> None:
    study = make.open_study(alice)
    names = ",".join(f"{number:x>80}" for number in range(20))
    table = f"code,{names}\n" + "\n".join(f"A{n},{'1,' * 19}1" for n in range(400))
    page = alice_client.post(f"/studies/{study.pk}/invite/", {"action": "codes", "codes": table})
    assert "The list is too long." in page.text
    assert not study.personal_links.exists()


def test_lists_one_after_the_other_name_so_many_columns(alice: User, alice_client: Client) -> None:
    study = make.open_study(alice)
    pages = []
    for number in range(4):
        names = ",".join(f"n{number}-{place}" for place in range(20))
        table = f"code,{names}\nA{number},{'1,' * 19}1"
        where = f"/studies/{study.pk}/invite/"
        pages.append(alice_client.post(where, {"action": "codes", "codes": table}, follow=True))
    assert "1 new link." in pages[2].text
    assert "60 at most" in pages[3].text
    assert study.personal_links.count() == 3


def test_there_is_a_most(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    study = make.open_study(alice)
    monkeypatch.setattr(links, "MAXIMUM_LINKS", 2)
    links.add(study, [("a", {}), ("b", {})])
    with pytest.raises(links.BadList):
        links.add(study, [("c", {})])
    assert links.add(study, [("a", {})]) == 0


def test_a_personal_link_is_deleted_and_its_participant_stays(
    alice: User, alice_client: Client
) -> None:
    study = make.open_study(alice)
    part = make.participation(study, personal_link=make.personal_link(study))
    assert part.personal_link is not None
    alice_client.post(f"/studies/{study.pk}/invite/{part.personal_link.pk}/delete/")
    part.refresh_from_db()
    assert part.personal_link is None


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [("https://panel.example/done?s=1&id={id}", True), ("", True), ("http://panel.example/", False),
     ("javascript:alert(1)", False)],
)  # fmt: skip
def test_a_panel_gets_its_people_back(
    url: str, is_taken: bool, alice: User, alice_client: Client
) -> None:
    study = make.open_study(alice)
    path = f"/studies/{study.pk}/invite/"
    answer = alice_client.post(path, {"action": "panel", "return_url": url})
    assert (answer.status_code == 302) is is_taken
    assert Study.objects.get().return_url == (url if is_taken else "")


@pytest.mark.parametrize("user", ["a;sandbox;b", "a,b", "panel.example"])
def test_a_url_names_nobody_in_front_of_its_host(
    user: str, alice: User, alice_client: Client
) -> None:
    study = make.ready_study(alice)
    url = f"https://{user}@evil.example/back"
    path = f"/studies/{study.pk}/invite/"
    page = alice_client.post(path, {"action": "panel", "return_url": url})
    assert "Enter a valid URL." in page.text
    study.refresh_from_db()
    assert study.return_url == ""
