"""Of whoever else is in a participant's picture, nothing is stored."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from recognition.series import storing
from recognition.series.frames import sample_of
from recognition.vision.live import LiveFrame
from recognition.vision.tracking import TrackedFace
from recognition.vision.types import BoundingBox
from studies.results.curves import main_face
from studies.taking_part.camera import participant_alone
from tests.support.participants import Participant, blocks_of, in_thread, ready
from tests.support.pictures import two_faces_jpeg


@pytest.mark.django_db(transaction=True)
async def test_of_two_faces_one_is_recorded(participant: Participant) -> None:
    words, _mood = await blocks_of(participant)
    socket = await ready(participant)
    told = await socket.check(two_faces_jpeg())
    assert told["faces"] == 2, "the camera check asks them to be alone"
    await socket.tell("start", block=words)
    for _ in range(3):
        await asyncio.sleep(0.11)  # Samples are a tenth of a second apart.
        await socket.frame(two_faces_jpeg())
    await socket.leave()

    def stored() -> None:
        recording = participant.row.recording
        assert recording is not None
        samples = [one for some, _gaps in storing.read(recording) for one in some]
        assert len(samples) == len({one.time_ms for one in samples}) == recording.n_samples > 3

    await in_thread(stored)()


def test_it_is_the_face_that_results_would_take() -> None:
    # Equal once they are rounded, as the series has them, and then the lower number is taken.
    for sides in ([80.0], [80.0, 120.0, 90.0], [90.2, 89.6, 90.4], [50.0, 50.0]):
        faces = tuple(face(number, side) for number, side in enumerate(sides, start=1))
        (kept,) = participant_alone(LiveFrame(640, 480, faces)).faces
        samples = [sample_of(one, 0) for one in faces]
        (chosen,) = main_face(
            np.zeros(len(faces), np.int64),
            np.array([one.face for one in samples]),
            np.array([one.pixels for one in samples]),
        )
        assert kept.number == samples[chosen].face
    assert participant_alone(LiveFrame(640, 480, ())).faces == ()


def face(number: int, side: float) -> TrackedFace:
    box = BoundingBox(0, 0, round(side), round(side))
    return TrackedFace(number, box, "happy", {"happy": 0.9, "sad": 0.1}, side=side)
