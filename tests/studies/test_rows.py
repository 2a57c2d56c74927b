"""The rows of a study, made by the support of tests: they are what the app takes for real."""

from __future__ import annotations

import pytest

from accounts.models import User
from studies.models import Block, Study
from tests.support import studies
from tests.support.factories import make_person


@pytest.fixture
def ada(db: None) -> User:
    return make_person("ada@example.org", "a-good-password-7")


def test_an_open_study_takes_people_in_and_a_draft_does_not(ada: User) -> None:
    assert studies.open_study(ada).takes_people_in
    assert not studies.draft_study(ada).takes_people_in


def test_blocks_are_numbered_and_participants_counted(ada: User) -> None:
    study = studies.open_study(ada, order=Study.Order.RANDOM)
    first = studies.block(study)
    second = studies.block(study, Block.Kind.IMAGE, "picture", file=b"bytes")
    assert [first.number, second.number] == [1, 2]
    assert second.file.read() == b"bytes"
    assert str(studies.participation(study)) == "P001"
    assert studies.participation(study).sequence == [first.pk, second.pk]
