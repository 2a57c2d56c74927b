"""Videos of many kinds, read frame by frame."""

from __future__ import annotations

import gc
import io
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.vision.errors import VideoTooLong
from recognition.vision.video.frames import Decoder
from recognition.vision.video.order import Order
from recognition.vision.video.reader import VideoFrame, VideoReader
from tests.support.videos import SIZE, face_mp4, make, picture, pictures, turned


def read(tmp_path: Path, data: bytes, order: Order | None = None) -> list[VideoFrame]:
    path = tmp_path / "video"
    path.write_bytes(data)
    with VideoReader(path, order) as video:
        return list(video)


def times(frames: list[VideoFrame]) -> list[int]:
    return [frame.time_ms for frame in frames]


def resembles(frame: VideoFrame, seconds: float) -> bool:
    expected = picture(seconds, frame.size).astype(int)
    return bool(abs(frame.rgb.astype(int) - expected).mean() < 12)


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("mp4", "libx264"),
        ("mp4", "libx265"),
        ("mov", "libx264"),
        ("mov", "prores_ks"),
        ("mp4", "libsvtav1"),
        ("webm", "libvpx"),
        ("webm", "libvpx-vp9"),
        ("matroska", "libx264"),
        ("avi", "mpeg4"),
        ("avi", "mjpeg"),
        ("gif", "gif"),
    ],
)
def test_every_kind_of_video_gives_its_frames(tmp_path: Path, container: str, codec: str) -> None:
    frames = read(tmp_path, make(pictures(1.0), container, codec))
    assert os.sched_getscheduler(0) == os.SCHED_OTHER, "the encoder takes the machine for itself"
    assert times(frames) == list(range(0, 1000, 100))
    for index, frame in enumerate(frames):
        assert frame.size == SIZE
        assert frame.rgb.shape == (SIZE[1], SIZE[0], 3)
        if codec != "gif":
            assert resembles(frame, index / 10)


@pytest.mark.parametrize(("wanted", "number"), [(1, 2), (5, 10), (10, 20), (30, 60)])
def test_it_is_sampled_as_often_as_asked_for(tmp_path: Path, wanted: int, number: int) -> None:
    data = make(pictures(2.0, 30), rate=30)
    frames = read(tmp_path, data, Order(frames_per_second=wanted))
    assert len(frames) == number
    assert {round(step * wanted / 1000) for step in np.diff(times(frames))} == {1}


def test_the_rate_of_television_is_sampled_evenly(tmp_path: Path) -> None:
    data = make(pictures(2.0, 30), rate=Fraction(30000, 1001))
    assert times(read(tmp_path, data)) == [round(index * 100.1) for index in range(20)]


def test_times_of_a_varying_rate_are_those_of_the_file(tmp_path: Path) -> None:
    moments = [0, 40, 80, 500, 520, 1700, 1710, 1800, 2600, 2640]
    frames = read(tmp_path, make(pictures(1.0), "matroska", times=moments))
    assert times(frames) == [0, 500, 1700, 1800, 2600]


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((1, 0, 0, 1), lambda rgb: rgb),
        ((-1, 0, 0, -1), lambda rgb: np.rot90(rgb, 2)),
        ((0, 1, -1, 0), lambda rgb: np.rot90(rgb, -1)),
        ((0, -1, 1, 0), lambda rgb: np.rot90(rgb, 1)),
        ((-1, 0, 0, 1), np.fliplr),
        ((1, 0, 0, -1), np.flipud),
    ],
)
def test_it_is_turned_as_its_metadata_say(tmp_path: Path, matrix, shown) -> None:  # type: ignore[no-untyped-def]
    (plain, *_rest) = read(tmp_path, face_mp4())
    (frame, *_others) = read(tmp_path, turned(face_mp4(), matrix))
    assert np.array_equal(frame.rgb, shown(plain.rgb))
    assert frame.size == (frame.rgb.shape[1], frame.rgb.shape[0])


def test_large_frames_come_scaled_down_with_their_own_size(tmp_path: Path) -> None:
    data = make(pictures(0.2, size=(1920, 1080)))
    (frame, _other) = read(tmp_path, data, Order(longest_side=640))
    assert frame.rgb.shape == (360, 640, 3)
    assert frame.size == (1920, 1080)


@pytest.mark.parametrize(
    ("container", "codec", "options"),
    [
        ("mp4", "libx264", {"g": "10"}),
        ("mp4", "libx264", {"g": "10000"}),
        ("webm", "libvpx-vp9", {"g": "10"}),
        ("avi", "mpeg4", {"g": "10"}),
        ("avi", "libx264", {"g": "10"}),
        ("gif", "gif", {}),
    ],
)
@pytest.mark.parametrize("after", [0, 7, 24])
def test_it_goes_on_after_a_moment_with_the_same_frames(
    tmp_path: Path, container: str, codec: str, options: dict[str, str], after: int
) -> None:
    data = make(pictures(3.0), container, codec, **options)
    whole = read(tmp_path, data)
    rest = read(tmp_path, data, Order(after_ms=whole[after].time_ms))
    assert times(rest) == times(whole)[after + 1 :]
    for one, other in zip(rest, whole[after + 1 :], strict=True):
        assert np.array_equal(one.rgb, other.rgb)


def growing_bars(number: int) -> Iterator[NDArray[np.uint8]]:
    """Pictures that each tell their place in the film."""
    for index in range(number):
        picture = np.full((120, 160, 3), 40, np.uint8)
        picture[:, : 4 * (index + 1)] = 220
        yield picture


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
@pytest.mark.parametrize("group", ["12", "1000"])
@pytest.mark.parametrize("after_ms", [None, 1500])
def test_an_avi_that_is_coded_out_of_order_has_its_own_times(
    tmp_path: Path, codec: str, group: str, after_ms: int | None
) -> None:
    """It has no times of display, and those that are made up for it go back and forth."""
    faster = {"preset": "medium"} if codec == "libx264" else {}
    data = make(growing_bars(38), "avi", codec, g=group, bf="2", **faster)
    frames = read(tmp_path, data, Order(after_ms=after_ms))
    first = 0 if after_ms is None else 16
    assert times(frames) == list(range(100 * first, 3800, 100))
    bars = [int((frame.rgb[:, :, 0].mean(axis=0) > 128).sum()) // 4 - 1 for frame in frames]
    assert bars == list(range(first, 38))


@pytest.mark.parametrize("timed", [0, 12])
def test_it_goes_on_where_frames_have_no_times(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, timed: int
) -> None:
    """As old containers leave them: then nothing tells where a jump has led."""
    data = make(pictures(3.0), "avi", g="10")
    original = Decoder._pictures

    def without_times(decoder: Decoder) -> Iterator[av.VideoFrame]:
        for frame in original(decoder):
            frame.pts = frame.pts if frame.pts is not None and frame.pts < timed else None
            yield frame

    monkeypatch.setattr(Decoder, "_pictures", without_times)
    # As the confined process does: each frame's collection passes over what was there before.
    gc.freeze()
    request.addfinalizer(gc.unfreeze)

    def seen(after_ms: int | None) -> list[tuple[int, bytes]]:
        frames = Decoder(io.BytesIO(data), Order(after_ms=after_ms)).frames()
        return [(frame.time_ms, frame.rgb.tobytes()) for _time, frame in frames if frame]

    whole = seen(None)
    assert len(whole) == 30
    for after in (5, 15, 24):
        assert seen(whole[after][0]) == whole[after + 1 :]


def test_what_it_says_of_itself_is_told(tmp_path: Path) -> None:
    path = tmp_path / "video"
    path.write_bytes(face_mp4())
    with VideoReader(path) as video:
        assert (video.info.container, video.info.codec, video.info.duration_ms) == (
            "mov", "h264", 2000,
        )  # fmt: skip


def test_one_that_does_not_say_how_long_it_is_ends_at_the_limit(tmp_path: Path) -> None:
    data = make(pictures(3.0), "webm", "libvpx", muxing={"live": "1"})
    assert len(read(tmp_path, data)) == 30
    path = tmp_path / "video"
    seen = []
    with (
        VideoReader(path, Order(maximum_ms=2000)) as video,
        pytest.raises(VideoTooLong, match="longer than 0 minutes"),
    ):
        seen.extend(video)
    assert seen[-1].time_ms == 2000


def test_whoever_stops_reading_leaves_no_process(tmp_path: Path) -> None:
    path = tmp_path / "video"
    path.write_bytes(face_mp4())
    with VideoReader(path) as video:
        next(iter(video))
        pid = video.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
