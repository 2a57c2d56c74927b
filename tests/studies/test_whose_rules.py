"""Who is named for the rules that leave participants out, on the page and in the download."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from studies.models import ExclusionRule, Member, Study
from tests.support import studies


@pytest.fixture
def editor(study: Study, bob: User) -> Client:
    studies.member(study, bob, Member.Role.EDITOR)
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def owner(study: Study, ada: User) -> Client:
    studies.participation(study)  # Else the page has no results yet, and no rules.
    client = Client()
    client.force_login(ada)
    return client


def save_details(client: Client, study: Study, **fields: Any) -> None:
    page = f"/studies/{study.pk}/details/"
    form = client.get(page).context["form"]
    sent = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in sent.items() if value is not None}
    assert client.post(page, {**sent, **fields}).status_code == 302


def save_rules(client: Client, study: Study, percent: str) -> None:
    sent = {"face_percent": percent, "frames_per_second": "0"}
    page = client.post(f"/studies/{study.pk}/results/rules/", sent, follow=True)
    assert "Rules saved." in page.text


def told(client: Client, study: Study) -> dict[str, Any]:
    """The rules as the archive has them."""
    answer: Any = client.get(f"/studies/{study.pk}/results/study.zip")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer)))
    rules: dict[str, Any] = json.loads(archive.read("study.json"))["rules"]
    return rules


def test_whoever_changes_the_share_on_details_is_named(
    study: Study, owner: Client, editor: Client
) -> None:
    results = f"/studies/{study.pk}/results/"
    save_rules(owner, study, "50")
    assert "by ada@example.org" in owner.get(results).text
    before = timezone.now()
    save_details(editor, study, title="Another title")
    assert "by ada@example.org" in owner.get(results).text
    save_details(editor, study, least_percent="95")
    assert "by bob@example.org" in owner.get(results).text
    assert ExclusionRule.objects.get().changed_at > before


def test_also_where_nobody_has_saved_rules(study: Study, owner: Client, editor: Client) -> None:
    save_details(editor, study, title="Another title")
    assert not ExclusionRule.objects.exists()
    save_details(editor, study, least_percent="95")
    assert "by bob@example.org" in owner.get(f"/studies/{study.pk}/results/").text


def test_who_saves_the_rules_that_stand_is_not_named(
    study: Study, owner: Client, editor: Client
) -> None:
    Study.objects.filter(pk=study.pk).update(exclude_below=0.6667)
    save_rules(editor, study, "66.7")
    assert not ExclusionRule.objects.exists()
    save_rules(owner, study, "50")
    save_rules(editor, study, "50")
    assert "by ada@example.org" in owner.get(f"/studies/{study.pk}/results/").text


def test_the_archive_says_when_and_in_which_role(
    study: Study, owner: Client, editor: Client, bob: User
) -> None:
    """Archives are published: no address of the team is in them."""
    rules = told(owner, study)
    assert (rules["changed_at"], rules["changed_by"]) == (None, None)
    for client, role in ((owner, "owner"), (editor, "editor")):
        save_rules(client, study, "50" if client is owner else "60")
        rules = told(owner, study)
        assert rules["changed_by"] == role
        assert rules["changed_at"] == ExclusionRule.objects.get().changed_at.isoformat()
    bob.delete()
    assert told(owner, study)["changed_by"] is None
