"""What somebody may send who plans a study, and wants more than a study."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from operations import rates
from studies.models import Block, Study
from studies.planning import blocks, changes
from studies.planning.block_forms import BlockForm
from studies.planning.invite_pages import PanelForm
from tests.support import studies as make


@pytest.mark.parametrize(
    "content",
    [
        # Each of two thousand links would have kept a name of 250 kB: 500 MB of 300 kB.
        b"code," + b"x" * 250_000 + b"\n" + b"".join(b"%d,1\n" % n for n in range(2000)),
        b'code,group\na,"' + b"x" * 200_000 + b'"\n',
        b'code,group\na,"' + b"b,1\n" * 50_000,
        b"code,group\na\0b,1\n",
        b"a\0b\n",
    ],
    ids=["name", "cell", "open quote", "nothing", "nothing in a code"],
)
def test_a_list_of_codes_is_read_or_refused(
    content: bytes, alice: User, alice_client: Client
) -> None:
    study = make.draft_study(alice)
    form = {"action": "codes", "codes": "", "file": SimpleUploadedFile("codes.csv", content)}
    answer = alice_client.post(f"/studies/{study.pk}/invite/", form)
    assert answer.status_code == 200
    assert answer.context["codes"].errors
    assert not study.personal_links.exists()


def test_a_range_of_a_number_that_nobody_reads(alice: User, alice_client: Client) -> None:
    study = make.draft_study(alice)
    block = make.block(study, Block.Kind.SOUND, file=b"sound", media_type="audio/wav")
    path = f"/studies/{study.pk}/blocks/{block.pk}/file/"
    for asked in ("9" * 5000 + "-", "-" + "9" * 5000, "0-" + "9" * 5000):
        answer = alice_client.get(path, headers={"Range": f"bytes={asked}"})
        assert answer.status_code == 200


def test_a_copy_of_a_block_has_its_file(alice: User) -> None:
    block = make.block(
        make.draft_study(alice), Block.Kind.SOUND, file=b"sound" * 100_000, media_type="audio/wav"
    )
    copy = blocks.duplicate(block)
    assert copy.file.name != block.file.name
    assert copy.file.read() == b"sound" * 100_000
    assert (copy.stored_bytes, copy.media_type) == (500_000, "audio/wav")


def test_invitations_fill_nobodys_mailbox(alice: User, bob: User, settings: Settings) -> None:
    """From whomever they come."""
    rates.forget()
    for owner in (alice, bob):
        client = Client()
        client.force_login(owner)
        study = make.draft_study(owner)
        for _ in range(12):
            form = {"email": "victim@example.org", "role": "viewer"}
            client.post(f"/studies/{study.pk}/team/", form)
    assert len(mail.outbox) == 20


def test_who_has_hundreds_of_studies_begins_no_more(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MAXIMUM_STUDIES", 1)
    make.draft_study(alice)
    form = {
        "title": "Puppies", "languages": ["en"], "delete_on": "2099-12-31", "confirmed": "on",
        "minimum_age": "18", "contact_email": "ada@example.org", "responsible_name": "Ada",
    }  # fmt: skip
    answer = alice_client.post("/studies/new/", form, follow=True)
    assert "You can have 1 studies at most." in answer.text
    assert Study.objects.count() == 1


def test_what_others_change_meanwhile_stays(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One page saves what it shows: not who owns the study, nor whether it is open."""
    study = make.ready_study(alice)

    def close(*arguments: Any) -> bool:
        Study.objects.filter(pk=study.pk).update(status=Study.Status.CLOSED, link_key="another")
        return is_valid(*arguments)

    is_valid = PanelForm.is_valid
    monkeypatch.setattr(PanelForm, "is_valid", close)
    form = {"action": "panel", "return_url": "https://panel.example/"}
    assert alice_client.post(f"/studies/{study.pk}/invite/", form).status_code == 302
    study.refresh_from_db()
    assert (study.return_url, study.status, study.link_key) == (
        "https://panel.example/",
        Study.Status.CLOSED,
        "another",
    )
    block = make.block(make.draft_study(alice), Block.Kind.SOUND, name="bell")
    changed = BlockForm(block.study, block.kind, {"name": "gong"}, instance=block)
    assert changed.is_valid(), changed.errors
    name = default_storage.save("studies/a/b", SimpleUploadedFile("b", b"sound"))
    Block.objects.filter(pk=block.pk).update(file=name, stored_bytes=5, number=7)
    blocks.save(changed.save(commit=False))
    stored: Any = Block.objects.get(pk=block.pk)
    assert (stored.name, stored.file.name, stored.stored_bytes, stored.number) == (
        "gong",
        name,
        5,
        7,
    )
