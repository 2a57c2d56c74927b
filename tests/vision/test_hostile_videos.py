"""Files that want to break the reader: a clear error or a right result each, and nothing else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from recognition.vision.errors import VideoDamaged, VideoError, VideoTooCostly
from recognition.vision.video import child, reader
from recognition.vision.video.order import Order
from recognition.vision.video.reader import VideoReader
from tests.support.hostile_videos import HOSTILE
from tests.support.videos import face_mp4, make, pictures


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_or_read(name: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(face_mp4())
    make, expected = HOSTILE[name]
    path = tmp_path / "hostile"
    path.write_bytes(make(secret))
    times: list[int] = []
    sentence, outcome = "Read.", "read"
    try:
        with VideoReader(path) as video:
            times.extend(frame.time_ms for frame in video)
    except VideoError as error:
        sentence, outcome = str(error), error.code
    assert re.match(r"[A-Z].*\.$", sentence)
    assert times == sorted(set(times))
    if isinstance(expected, str):
        assert outcome == expected
    elif outcome != "read":
        # What can be broken anywhere may be refused, but never as something that it is not.
        assert expected[0] == 0, outcome
        assert outcome in {"damaged", "too_large", "too_long", "too_small", "no_picture"}
    else:
        assert expected[0] <= len(times) <= expected[1]


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 40


def test_one_that_takes_too_much_processor_time_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "video"
    path.write_bytes(face_mp4())
    with VideoReader(path, Order(frames_per_second=1)) as video:
        os.kill(video.pid, signal.SIGXCPU)  # As the kernel does.
        with pytest.raises(VideoTooCostly, match="too much memory or time"):
            list(video)


def test_a_late_sample_grants_no_hours_for_what_follows(tmp_path: Path) -> None:
    """A file that jumps to its end and then goes on with frames that are no samples."""
    path = tmp_path / "video"
    late = [0, *range(7_000_000, 7_006_000, 100)]
    path.write_bytes(make(pictures(6.1), "matroska", times=late))
    with VideoReader(path) as video:
        frames = iter(video)
        assert [next(frames).time_ms for _ in range(2)] == [0, 7_000_000]
        process = psutil.Process(video.pid)
        allowed, _hard = process.rlimit(psutil.RLIMIT_CPU)
        assert allowed <= sum(process.cpu_times()[:2]) + child.FIRST_SECONDS


def test_whoever_waits_is_told_that_nothing_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "NOTICE_SECONDS", 0.05)
    monkeypatch.setattr(reader, "SILENCE_SECONDS", 20)
    path = tmp_path / "video"
    path.write_bytes(face_mp4(60.0, 2))
    stopped: list[int] = []

    def wake() -> None:
        while stopped:
            os.kill(stopped.pop(), signal.SIGCONT)

    with VideoReader(path, skipped=wake) as video:
        stopped.append(video.pid)
        os.kill(video.pid, signal.SIGSTOP)
        assert len(list(video)) == 120
    assert not stopped


def test_a_crash_is_the_video_s_own(tmp_path: Path) -> None:
    path = tmp_path / "video"
    path.write_bytes(face_mp4(60.0, 2))
    with VideoReader(path) as video:
        os.kill(video.pid, signal.SIGSEGV)
        with pytest.raises(VideoDamaged):
            list(video)
    with VideoReader(path) as video:
        assert len(list(video)) == 120


_TRIES = """
import resource, socket
import recognition.vision.video.child as child
from recognition.vision.decoding import processes
processes.confine(child.MEMORY_BYTES, 1)
processes.allow_processor_seconds(1)
processes.open_nothing_more()
refused = 0
for attempt in (
    lambda: open("/etc/hostname"),
    lambda: open("written", "w"),
    lambda: socket.socket(),
    lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9)),
    lambda: bytearray(child.MEMORY_BYTES),
):
    try:
        attempt()
    except (OSError, ValueError, MemoryError):
        refused += 1
print(refused, flush=True)
while True:
    pass
"""


def test_its_process_opens_nothing_and_has_limits() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _TRIES], capture_output=True, text=True, check=False
    )
    assert int(done.stdout) == 5, done.stderr
    assert done.returncode == -signal.SIGXCPU


def test_it_knows_no_secret_of_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "not for videos")
    path = tmp_path / "video"
    path.write_bytes(face_mp4())
    with VideoReader(path) as video:
        environment = Path(f"/proc/{video.pid}/environ")
        if not environment.exists():
            pytest.skip("needs /proc")
        assert b"SECRET_KEY" not in environment.read_bytes()
