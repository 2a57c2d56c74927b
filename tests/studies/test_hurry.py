"""Nobody finishes, and so holds a place for ever, without a camera or in a moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from studies.models import Block, Participation, Study
from studies.taking_part import joining, reports
from tests.support import studies as make

CAMERA = {"face_share": 1.0}


@pytest.fixture
def study(alice: User) -> Study:
    study = make.open_study(alice, most_participants=1)
    make.block(study, Block.Kind.BASELINE, "cross")
    make.block(study, Block.Kind.PAUSE, "pause", seconds=60)
    make.block(study, "open", "why", text="Why?", is_required=False)
    return study


@pytest.fixture
def part(study: Study) -> Participation:
    return joining.join(study, language="en", consent_version=study.consent_version)[0]


def waited(part: Participation, seconds: float) -> None:
    came = timezone.now() - timedelta(seconds=seconds)
    Participation.objects.filter(pk=part.pk).update(consented_at=came)


def test_what_is_watched_begins_after_the_camera_check(part: Participation) -> None:
    with pytest.raises(reports.NotPassed):
        reports.start(part.pk, part.sequence[0], 0)
    reports.checked(part.pk, CAMERA)
    reports.start(part.pk, part.sequence[0], 0)
    assert part.visits.count() == 1


def test_blocks_take_their_time(study: Study, part: Participation) -> None:
    reports.checked(part.pk, CAMERA)
    cross, pause, why = part.sequence
    for block, too_short, long_enough in ((cross, 8, 10), (pause, 50, 70)):
        reports.start(part.pk, block, 0)
        waited(part, too_short)
        with pytest.raises(reports.NotOver):
            reports.end(part.pk, block, 10**6)
        waited(part, long_enough)
        assert not reports.end(part.pk, block, 0)
    reports.start(part.pk, why, 0)
    assert reports.end(part.pk, why, 0)
    assert joining.taken(study) == 1


@pytest.mark.parametrize("kind", [Block.Kind.VIDEO, Block.Kind.SOUND])
def test_a_film_may_be_shorter_than_its_limit(alice: User, kind: str) -> None:
    study = make.open_study(alice)
    film = make.block(study, kind, "film", seconds=60)
    part, _key = joining.join(study, language="en", consent_version=study.consent_version)
    reports.checked(part.pk, CAMERA)
    reports.start(part.pk, film.pk, 0)
    assert reports.end(part.pk, film.pk, 5000)
