"""What people send is decoded in processes that may die of it, so many at once and no more."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image

from recognition.vision import headers, images
from recognition.vision.decoding import child, pool, processes
from recognition.vision.decoding.pool import DecodingBusy, DecodingPool, Patience
from recognition.vision.decoding.turns import NoTurn, Turns
from recognition.vision.errors import ImageDamaged, ImageError, ImageTooCostly, ImageTooSmall
from recognition.vision.images import CleanImage
from tests.support.corpus_files import png, small
from tests.support.mutations import mutations
from tests.support.pictures import encode, face_jpeg, no_face_jpeg
from tests.support.site import ROOT, is_alive, wait_until


@pytest.fixture
def decoding(tmp_path: Path) -> Iterator[DecodingPool]:
    decoding = DecodingPool(tmp_path / "turns", 2)
    yield decoding
    decoding.close()


def children() -> list[psutil.Process]:
    mine = psutil.Process().children()
    return [process for process in mine if "recognition.vision.decoding.child" in process.cmdline()]


def the_child(decoding: DecodingPool) -> psutil.Process:
    """The one that is idle, once it has cleaned a photo: the youngest.

    Not the last one listed, for ids of processes begin anew now and then.
    """
    decoding.clean(io.BytesIO(face_jpeg()))
    return max(children(), key=psutil.Process.create_time)


def bomb() -> bytes:
    """194 kB that are 50 megapixels, with transparency."""
    width, height = 8_000, 6_250
    return png(width, height, pixels=bytes((width * 4 + 1) * height), colour=6)


def test_a_photo_comes_out_as_it_would_here(decoding: DecodingPool) -> None:
    assert decoding.clean(io.BytesIO(face_jpeg())) == images.clean(face_jpeg())


def test_a_refusal_says_the_same_as_here(decoding: DecodingPool) -> None:
    data = face_jpeg()[:4_000]
    with pytest.raises(ImageDamaged) as there:
        decoding.clean(io.BytesIO(data))
    with pytest.raises(ImageDamaged) as here:
        images.clean(data)
    assert str(there.value) == str(here.value)
    with pytest.raises(ImageTooSmall, match="9×9 pixels"):
        decoding.clean(io.BytesIO(png(9, 9)))


def test_what_can_be_refused_without_decoding_starts_no_process(decoding: DecodingPool) -> None:
    before = children()
    with pytest.raises(ImageError):
        decoding.clean(io.BytesIO(b"not a photo"))
    assert children() == before


def test_the_largest_photo_fits_into_the_limits_of_the_child(decoding: DecodingPool) -> None:
    """And leaves nothing of its size behind."""
    clean = decoding.clean(io.BytesIO(bomb()))
    assert (clean.width, clean.height) == (8_000, 6_250)
    assert the_child(decoding).memory_info().rss < 100e6


def test_a_child_has_limits_and_no_secrets(decoding: DecodingPool) -> None:
    process = the_child(decoding)
    assert process.rlimit(psutil.RLIMIT_AS) == (child.MEMORY_BYTES, child.MEMORY_BYTES)
    assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert process.rlimit(psutil.RLIMIT_CPU)[0] <= 2 * child.PROCESSOR_SECONDS
    assert "DATA_DIR" in os.environ
    assert set(process.environ()) <= {*processes.ENVIRONMENT, "MALLOC_ARENA_MAX", "LC_CTYPE"}
    loaded = {Path(mapped.path).name for mapped in process.memory_maps()}
    assert not [name for name in loaded if "cv2" in name or "litert" in name.lower()]


#: A child that takes what it is told to take, in place of decoding.
GREEDY = """
import os, signal, time
from recognition.vision import images
from recognition.vision.decoding import child
child.PROCESSOR_SECONDS = 1
kind = images.clean
def clean(data):
    if data.endswith(b"memory"):
        held = [bytes(50_000_000) for _ in range(100)]
    while data.endswith(b"time"):
        pass
    if data.endswith(b"sleep"):
        signal.alarm(1)
        time.sleep(60)
    if data.endswith(b"crash"):
        os.kill(os.getpid(), 11)
    return kind(data)
images.clean = clean
child.main()
"""


@pytest.mark.parametrize(
    ("ending", "error"),
    [
        (b"memory", ImageTooCostly),
        (b"time", ImageTooCostly),
        (b"crash", ImageDamaged),
        (b"sleep", DecodingBusy),
    ],
)
def test_who_takes_too_much_dies_alone(
    decoding: DecodingPool, ending: bytes, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as greedy:
        start = subprocess.Popen
        greedy.setattr(
            subprocess,
            "Popen",
            lambda command, **options: start(
                [sys.executable, "-c", GREEDY, command[-1]], **options
            ),
        )
        with pytest.raises(error):
            decoding.clean(io.BytesIO(face_jpeg() + ending))
    assert decoding.clean(io.BytesIO(face_jpeg())).width == 512


def test_a_child_that_was_killed_while_it_waited_costs_no_photo(decoding: DecodingPool) -> None:
    process = the_child(decoding)
    process.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_alive(process), every=0.01)
    assert decoding.clean(io.BytesIO(face_jpeg())).width == 512


def test_so_many_at_once_on_a_host(tmp_path: Path) -> None:
    one, other = Turns(tmp_path, "turn", 2), Turns(tmp_path, "turn", 2)
    with one.taken(0), other.taken(0), pytest.raises(NoTurn), one.taken(0):
        pass
    with one.taken(0), other.taken(0):
        pass


def test_who_waits_too_long_is_told_to_come_again(
    decoding: DecodingPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "WAIT_SECONDS", 0.1)
    turns = Turns(tmp_path / "turns", "turn", 2)  # Those of another web process.
    with turns.taken(0), turns.taken(0), pytest.raises(DecodingBusy):
        decoding.clean(io.BytesIO(face_jpeg()))
    assert decoding.clean(io.BytesIO(face_jpeg())).width == 512


def test_the_photos_of_one_request_wait_so_long_together(
    decoding: DecodingPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "WAIT_SECONDS", 0.1)
    patience = Patience()
    monkeypatch.setattr(pool, "WAIT_SECONDS", 3600)
    turns = Turns(tmp_path / "turns", "turn", 2)
    with turns.taken(0), turns.taken(0):
        for _ in range(3):
            with pytest.raises(DecodingBusy):
                decoding.clean(io.BytesIO(face_jpeg()), "alice", patience)
    assert patience.left == 0
    # With none left, what need not wait is not refused.
    assert decoding.clean(io.BytesIO(face_jpeg()), "alice", patience).width == 512


def test_no_more_than_so_many_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MAXIMUM_WAITING", 1)
    decoding = DecodingPool(tmp_path / "turns", 1)
    with Turns(tmp_path / "turns", "turn", 1).taken(0):
        waiting = threading.Thread(target=decoding.clean, args=(io.BytesIO(face_jpeg()), "alice"))
        waiting.start()
        wait_until(lambda: not decoding._waiting._value, every=0.01)
        began = time.monotonic()
        with pytest.raises(DecodingBusy):
            decoding.clean(io.BytesIO(face_jpeg()), "bob")
        assert time.monotonic() - began < pool.WAIT_SECONDS / 2
    waiting.join()
    decoding.close()


def test_one_person_leaves_a_turn_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that one person sends at once waits in a line of their own, and not before others."""
    hers, his = face_jpeg(), no_face_jpeg()
    go_on = threading.Event()
    opened = pool._Child.clean

    def opened_late(child: pool._Child, data: bytes) -> CleanImage:
        assert data != hers or go_on.wait(60)
        return opened(child, data)

    monkeypatch.setattr(pool._Child, "clean", opened_late)
    decoding = DecodingPool(tmp_path / "turns", 2)
    with ThreadPoolExecutor(20) as threads, ExitStack() as stack:
        stack.callback(go_on.set)
        alices = [
            threads.submit(decoding.clean, io.BytesIO(hers), "alice")
            for _ in range(pool.MAXIMUM_OF_ONE)
        ]
        wait_until(lambda: decoding._lines["alice"].length == pool.MAXIMUM_OF_ONE, every=0.01)
        with pytest.raises(DecodingBusy):
            decoding.clean(io.BytesIO(hers), "alice")
        assert threads.submit(decoding.clean, io.BytesIO(his), "bob").result().width > 0
        assert not any(alice.done() for alice in alices)
        go_on.set()
        assert {alice.result().width for alice in alices} == {512}
    assert not decoding._lines
    decoding.close()


def test_large_photos_come_one_at_a_time_and_small_ones_pass_them(
    decoding: DecodingPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "WAIT_SECONDS", 0.1)
    with Turns(tmp_path / "turns", "large", 1).taken(0):
        with pytest.raises(DecodingBusy):
            decoding.clean(io.BytesIO(bomb()))
        assert decoding.clean(io.BytesIO(face_jpeg())).width == 512


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_child_outlives_its_web_process(how: signal.Signals, tmp_path: Path) -> None:
    code = (
        "import io, sys, time; from pathlib import Path;"
        "from recognition.vision.decoding.pool import DecodingPool;"
        "from tests.support.pictures import face_jpeg;"
        f"pool = DecodingPool(Path({str(tmp_path)!r}), 1); pool.clean(io.BytesIO(face_jpeg()));"
        "print(pool._idle[0]._process.pid, flush=True); time.sleep(60)"
    )
    web = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert web.stdout is not None
    process = psutil.Process(int(web.stdout.readline()))
    web.send_signal(how)
    web.wait()
    wait_until(lambda: not is_alive(process), 10, every=0.02)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DecodingPool]:
    decoding = DecodingPool(tmp_path_factory.mktemp("turns"), 1)
    yield decoding
    decoding.close()


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=mutations())
def test_a_mutated_file_ends_there_as_here(shared: DecodingPool, data: bytes) -> None:
    def ending(clean: Callable[[], object]) -> str:
        try:
            clean()
        except ImageError as error:
            return error.code
        return "accepted"

    there = ending(lambda: shared.clean(io.BytesIO(data)))
    assert there == ending(lambda: images.clean(data))


def test_the_largest_photo_comes_through(decoding: DecodingPool) -> None:
    """As a bitmap, whose bytes nothing makes fewer."""
    data = encode(Image.new("RGB", (4000, 8700)), "BMP")
    assert 0.95 * images.MAXIMUM_BYTES < len(data) <= images.MAXIMUM_BYTES
    assert decoding.clean(io.BytesIO(data)).height == 8700


def test_reading_a_header_takes_time_by_the_bytes_alone() -> None:
    """The worst of the largest files for each reader, beside one plain search of the same bytes."""
    size = images.MAXIMUM_BYTES
    jpeg = encode(small())
    start = jpeg.index(b"\xff\xda")
    worst = [
        jpeg[:start] + (b"\xff\0" * size)[:size],
        jpeg[:start] + b"\xff" * size,
        jpeg[:2] + b"\xff\xff\0" * (size // 3),
        png(64, 64)[:33] + bytes(size),
        encode(small(), "GIF")[:13] + b"\xff" * size,
        b"RIFF....WEBP" + bytes(size),
    ]
    for data in worst:
        began = time.process_time()
        assert re.search(rb"\xff[\x02-\x0f]", data) is None
        searched = time.process_time()
        with suppress(ImageError):
            headers.read_header(data)
        assert time.process_time() - searched < 3 * (searched - began) + 0.1
