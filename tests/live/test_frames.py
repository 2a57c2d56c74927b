"""Frames of a clip: found, followed, labelled; and what is no frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from django.conf import settings
from PIL import Image

from recognition.vision.errors import (
    ImageDamaged,
    ImageFormatNotAccepted,
    ImageTooCostly,
    ImageTooLarge,
)
from recognition.vision.images import decode_gray
from recognition.vision.live import LiveRecognizer, LiveState
from recognition.vision.recognizer import EmotionRecognizer
from tests.support import clip
from tests.support.corpus_oddities import exif_directory, jpeg_with_exif, webp_with_exif
from tests.support.corpus_structures import many_scans
from tests.support.pictures import astronaut, encode
from tests.support.steadiness import steadiness


@pytest.fixture(scope="module")
def recognizer() -> LiveRecognizer:
    return LiveRecognizer(EmotionRecognizer(settings.MODEL_MANIFEST, num_threads=1))


@pytest.fixture(scope="module")
def whole_clip() -> list[bytes]:
    return list(clip.jpeg_frames(clip.astronaut()))


def test_one_face_is_followed_until_it_leaves_and_again_when_it_is_back(
    recognizer: LiveRecognizer, whole_clip: list[bytes]
) -> None:
    state = LiveState()
    for index, frame in enumerate(whole_clip):
        at = index / clip.FRAMES_PER_SECOND
        seen = recognizer.process(frame, state, at)
        assert (seen.width, seen.height) == (clip.WIDTH, clip.HEIGHT)
        if clip.AWAY[0] <= at < clip.AWAY[1]:
            assert seen.faces == ()
        elif at < clip.AWAY[0] or at > clip.AWAY[1] + 0.3:
            (face,) = seen.faces
            assert face.number == 1
            assert face.label == "happy"
            assert 0 <= face.box.x <= clip.WIDTH - face.box.width


@pytest.mark.parametrize(("threshold", "uncertain"), [(0.5, False), (0.9999, True)])
def test_a_label_below_the_manifests_confidence_is_uncertain(
    threshold: float, uncertain: bool, whole_clip: list[bytes]
) -> None:
    recognizer = EmotionRecognizer(settings.MODEL_MANIFEST, num_threads=1)
    recognizer.manifest = replace(recognizer.manifest, uncertain_below=threshold)
    live, state = LiveRecognizer(recognizer), LiveState()
    for index, frame in enumerate(whole_clip[:5]):
        (face,) = live.process(frame, state, index / clip.FRAMES_PER_SECOND).faces
        assert (face.label, face.uncertain) == ("happy", uncertain)


def test_labels_are_steady_and_follow(recognizer: LiveRecognizer) -> None:
    result = steadiness(recognizer, clip.astronaut())
    assert result.changes_unsmoothed >= 3
    assert result.changes * 3 <= result.changes_unsmoothed
    assert result.follows_after <= 0.5


@pytest.fixture(scope="module")
def two_faces() -> bytes:
    """Two people before one camera."""
    picture = Image.new("RGB", (clip.WIDTH, clip.HEIGHT), "gray")
    left = clip.astronaut().resize((320, 400))
    picture.paste(left, (0, 80))
    picture.paste(left.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (320, 80))
    return encode(picture)


def test_two_faces_get_two_numbers(recognizer: LiveRecognizer, two_faces: bytes) -> None:
    state = LiveState()
    for index in range(5):
        seen = recognizer.process(two_faces, state, index / 30)
    one, two = seen.faces
    assert (one.number, two.number) == (1, 2)
    assert two.box.x - one.box.x > 200


def test_a_small_face_that_joins_a_large_one_is_soon_seen(recognizer: LiveRecognizer) -> None:
    """Between thorough looks, too, a frame is searched, though only for what is large."""
    scene = Image.new("RGB", (clip.WIDTH, clip.HEIGHT), "gray")
    scene.paste(clip.astronaut().resize((384, 480)), (0, 0))
    joined = scene.copy()
    joined.paste(clip.astronaut().resize((144, 180)), (490, 150))
    state = LiveState()
    for index in range(12):
        assert len(recognizer.process(encode(scene), state, index / 30).faces) == 1
    seen_after = [
        index / 30
        for index in range(12, 30)
        if len(recognizer.process(encode(joined), state, index / 30).faces) == 2
    ]
    assert seen_after[0] - 12 / 30 <= 0.34
    assert len(seen_after) == 30 - round(seen_after[0] * 30)


def test_boxes_are_in_pixels_of_the_frame_as_sent(recognizer: LiveRecognizer) -> None:
    large = encode(astronaut().resize((1280, 1280)))
    seen = recognizer.process(large, LiveState(), 0.0)
    (face,) = seen.faces
    assert (seen.width, seen.height) == (1280, 1280)
    center = (face.box.x + face.box.width / 2, face.box.y + face.box.height / 2)
    assert center == pytest.approx((225 * 2.5, 115 * 2.5), abs=25)


def test_another_frame_size_begins_anew(recognizer: LiveRecognizer, two_faces: bytes) -> None:
    state = LiveState()
    assert len(recognizer.process(two_faces, state, 0.0).faces) == 2
    assert len(recognizer.process(encode(astronaut()), state, 0.05).faces) == 1
    assert len(state.tracker.last_seen) == 1


def test_webp_is_a_frame_too(recognizer: LiveRecognizer) -> None:
    assert recognizer.process(encode(astronaut(), "WEBP"), LiveState(), 0.0).faces


def test_other_formats_and_huge_frames_are_refused(recognizer: LiveRecognizer) -> None:
    huge = encode(Image.fromarray(np.zeros((3000, 3000), np.uint8)), "WEBP")
    for data, error in (
        (encode(astronaut(), "PNG"), ImageFormatNotAccepted),
        (encode(astronaut())[:2000], ImageDamaged),
        (b"not a picture", ImageFormatNotAccepted),
        (huge, ImageTooLarge),
    ):
        with pytest.raises(error):
            recognizer.process(data, LiveState(), 0.0)
    progressive = encode(astronaut(), progressive=True)
    frames = [astronaut(), Image.new("RGB", (512, 512))]
    animated = encode(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    for data in (progressive, animated, many_scans(64, 64, 2_000)):
        with pytest.raises(ImageTooCostly):
            recognizer.process(data, LiveState(), 0.0)
    with pytest.raises(ImageTooLarge, match="1 megapixels"):
        recognizer.process(encode(astronaut().resize((1100, 1000)), "WEBP"), LiveState(), 0.0)
    assert decode_gray(huge)[1] == (3000, 3000)  # As an upload it is welcome.


def test_a_frame_has_no_more_metadata_than_cameras_write(recognizer: LiveRecognizer) -> None:
    """Pillow reads all of it, in the thread that all live pages share."""
    usual, far_too_many = exif_directory(2_000), exif_directory(40_000)
    for with_exif in (jpeg_with_exif, webp_with_exif):
        assert recognizer.process(with_exif(usual), LiveState(), 0.0).width == 128
        with pytest.raises(ImageTooCostly):
            recognizer.process(with_exif(far_too_many), LiveState(), 0.0)
        assert decode_gray(with_exif(far_too_many))[1] == (128, 128)  # An upload may have it.
