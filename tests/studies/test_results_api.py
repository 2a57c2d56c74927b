"""Studies for programs: the same figures as the page, for the team alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import tokens
from accounts.models import ApiToken, User
from studies.models import Study
from studies.results import loading
from tests.support import studies
from tests.support.study_results import plan, take_part, with_data


@pytest.fixture(autouse=True)
def no_limits(settings: Any, db: None) -> None:
    settings.API_RATE = settings.API_ANONYMOUS_RATE = ""
    cache.clear()


@pytest.fixture
def study(alice: User) -> Study:
    return with_data(alice)


def bearer(user: User, scope: str = ApiToken.Scope.READ) -> Any:
    _token, key = tokens.create(user, f"script that may {scope}", scope, None)
    return {"HTTP_AUTHORIZATION": f"Bearer {key}"}


def test_a_token_that_reads_gets_everything(study: Study, alice: User) -> None:
    client = Client(**bearer(alice))
    (found,) = client.get("/api/v1/studies/").json()["results"]
    assert found["id"] == str(study.pk)
    assert (found["n_participants"], found["n_finished"]) == (8, 7)
    assert [block["name"] for block in found["blocks"]] == ["cross", "sea", "storm", "liked"]
    assert client.get(f"/api/v1/studies/{study.pk}/").json() == found
    people = client.get(found["links"]["participants"]).json()["participants"]
    assert [one["participant"] for one in people if one["excluded"]] == ["P007"]
    assert people[0]["attributes"] == {"age": "young"}
    sea, _storm = client.get(found["links"]["blocks"]).json()["blocks"]
    (group,) = sea["groups"]
    happy = group["figures"][0]
    assert (group["n"], happy["label"]) == (6, "happy")
    assert happy["mean"]["mean"] == pytest.approx(0.535, abs=5e-4)
    assert happy["mean"]["low"] < happy["mean"]["mean"] < happy["mean"]["high"]
    curves = client.get(found["links"]["curves"], {"block": "sea"}).json()
    (group,) = curves["groups"]
    assert len(group["seconds"]) == len(group["curves"][0]["mean"]) == 50
    by = client.get(
        found["links"]["curves"], {"block": "sea", "by": "condition", "values": "corrected"}
    ).json()
    assert {one["name"]: one["n"] for one in by["groups"]} == {"calm": 3, "loud": 3}
    assert by["groups"][0]["curves"][0]["low"][0] is None


def test_nothing_is_changed_and_wrong_questions_are_refused(study: Study, alice: User) -> None:
    client = Client(**bearer(alice, ApiToken.Scope.WRITE))
    path = f"/api/v1/studies/{study.pk}/"
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(path).status_code == 405
    for query in ("", "?block=liked", "?block=sea&by=height", "?block=sea&values=odd"):
        answer = client.get(f"{path}curves/{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert client.get(f"{path}blocks/?by=height").json()["code"] == "invalid"


@pytest.mark.parametrize("end", ["", "participants/", "blocks/", "curves/?block=sea"])
def test_the_team_alone(study: Study, bob: User, end: str) -> None:
    path = f"/api/v1/studies/{study.pk}/{end}"
    answer = Client().get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    client = Client(**bearer(bob))
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert client.get("/api/v1/studies/").json()["results"] == []
    studies.member(study, bob)
    assert client.get(path).status_code == 200
    live = Client(**bearer(bob, ApiToken.Scope.LIVE))
    assert live.get(path).json()["code"] == "token_scope"


def test_a_list_asks_as_often_for_many_as_for_few(alice: User, alice_client: Client) -> None:
    counts = []
    for n in (1, 4):
        for _study in range(n):
            take_part(plan(alice))
        with CaptureQueriesContext(connection) as queries:
            assert alice_client.get("/api/v1/studies/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("what", ["participants", "blocks", "curves"])
def test_a_script_has_results_worked_out_no_more_often_than_a_page(
    what: str, study: Study, alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "RATE", "2/d")
    client, path = Client(**bearer(alice)), f"/api/v1/studies/{study.pk}/{what}/"
    asked = {"block": "sea"} if what == "curves" else {}
    assert [client.get(path, asked).status_code for _ in range(2)] == [200, 200]
    refused = client.get(path, asked)
    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
    assert int(refused["Retry-After"]) > 0
    # They are the same person's, whichever way they come.
    assert alice_client.get(f"/studies/{study.pk}/results/").status_code == 429


def test_a_list_reads_no_texts_of_blocks(study: Study, alice_client: Client) -> None:
    """Two hundred studies of two hundred blocks would be hundreds of megabytes."""
    with CaptureQueriesContext(connection) as queries:
        (found,) = alice_client.get("/api/v1/studies/").json()["results"]
    assert len(found["blocks"]) == 4
    of_blocks = [query["sql"] for query in queries if 'FROM "studies_block"' in query["sql"]]
    assert len(of_blocks) == 1
    assert '"text"' not in of_blocks[0]
