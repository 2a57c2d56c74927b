"""A participant of a study with two blocks, for tests of the socket."""

from __future__ import annotations

import pytest

from accounts.models import User
from operations import waiting_line
from studies.models import Block, Study
from tests.support import studies
from tests.support.factories import make_person
from tests.support.participants import Participant
from tests.support.pictures import face_jpeg


@pytest.fixture(autouse=True)
def no_line_yet() -> None:
    waiting_line.forget()


@pytest.fixture
def ada(db: None) -> User:
    return make_person("ada@example.org", "a-good-password-7")


@pytest.fixture
def study(ada: User) -> Study:
    """Open, with one text; files that need another have their own."""
    study = studies.open_study(ada)
    studies.block(study)
    return study


@pytest.fixture
def two_blocks(ada: User) -> Study:
    study = studies.open_study(ada)
    studies.block(study, name="words")
    studies.block(study, Block.Kind.SCALE, "mood", text="How was it?", steps=5)
    return study


@pytest.fixture
def participant(two_blocks: Study) -> Participant:
    return Participant(two_blocks).agree()


@pytest.fixture
def picture() -> bytes:
    return face_jpeg()
