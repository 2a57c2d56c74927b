"""Every page of a study as an editor and as a viewer of its team."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from recognition.models import Upload
from studies.models import Member, Study
from tests.support import everything
from tests.support import studies as make
from tests.support.factories import make_person
from tests.support.routes import METHODS, ROUTES, TEAM, WITH_ARGUMENT, Address

OF_STUDIES = [address for address in WITH_ARGUMENT if address.name.startswith("studies:")]


def test_every_page_of_studies_says_what_the_team_gets() -> None:
    assert {address.name for address in OF_STUDIES} == set(TEAM)


@pytest.mark.parametrize("role", [Member.Role.EDITOR, Member.Role.VIEWER])
@pytest.mark.parametrize("address", OF_STUDIES, ids=lambda address: address.name)
def test_the_team_gets_what_its_roles_say(
    address: Address, role: Member.Role, alice_upload: Upload
) -> None:
    things = everything.make(alice_upload)
    person = make_person("member@example.org", "member-password")
    make.member(Study.objects.get(**things["study"]), person, role)
    client = Client()
    client.force_login(person)
    route, answers = ROUTES[address.name], TEAM[address.name]
    path = address.path(**things[route.thing])
    for method in sorted(METHODS, key=lambda method: method in answers):
        found = ask(client, method, path, route.body).status_code
        if method in answers:
            assert found == answers[method][role == Member.Role.VIEWER], method
        else:
            assert found in {403, 404, 405}, method


def ask(client: Client, method: str, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, body) if method == "POST" else client.generic(method, path)


def test_a_viewer_is_offered_nothing_that_is_refused(alice: User, alice_upload: Upload) -> None:
    things = everything.make(alice_upload)
    study = Study.objects.get(**things["study"])
    viewer = make_person("viewer@example.org", "viewer-password")
    make.member(study, viewer, Member.Role.VIEWER)
    client = Client()
    client.force_login(viewer)
    for page in ("", "blocks/", "team/", "progress/", "data-protection/"):
        text = client.get(f"/studies/{study.pk}/{page}").text
        for refused in ("/details/", "/invite/", "/delete/", "/status/", "/change/", "/order/"):
            assert f'="/studies/{study.pk}{refused}' not in text, (page, refused)
    assert str(study.pk) in client.get("/studies/").text
