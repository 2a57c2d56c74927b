"""Every file of the corpus ends as it must, quickly, in little memory, and leaves no trace."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image

from recognition.vision import images
from recognition.vision.errors import ImageError
from recognition.vision.recognizer import EmotionRecognizer
from tests.support.corpus import ACCEPTED, SECRET, HostileFile, corpus
from tests.support.mutations import mutations
from tests.support.site import ROOT

FILES = tuple(corpus())


def ending(data: bytes) -> str:
    try:
        images.clean(data)
    except ImageError as error:
        return error.code
    return "accepted"


def test_the_corpus_is_large_and_its_names_differ() -> None:
    assert len(FILES) >= 200
    assert len({file.name for file in FILES}) == len(FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.encode("unicode_escape"))
def test_each_file_ends_as_it_must(file: HostileFile) -> None:
    assert ending(file.data) in file.endings


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if file.endings == ACCEPTED and SECRET in file.data],
    ids=lambda file: file.name,
)
def test_what_is_kept_has_no_metadata_and_no_second_format(file: HostileFile) -> None:
    clean = images.clean(file.data)
    for jpeg in (clean.jpeg, clean.thumbnail_jpeg):
        assert SECRET not in jpeg
        with Image.open(io.BytesIO(jpeg)) as kept:
            assert set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert jpeg.endswith(b"\xff\xd9")


def test_the_eight_orientations_give_the_same_face(recognizer: EmotionRecognizer) -> None:
    seen = [
        recognizer.recognize(images.clean(file.data).jpeg) for file in FILES if file.orientation
    ]
    seen = [recognition for recognition in seen if recognition.faces]
    assert len(seen) == 8
    first = seen[0].faces[0]
    for recognition in seen:
        (face,) = recognition.faces
        assert face.label == first.label
        for name in ("x", "y", "width", "height"):
            assert abs(getattr(face.box, name) - getattr(first.box, name)) <= 3


#: Each file in a process of its own, so that a peak of memory belongs to one file.
MEASURE = """
import json, os, resource, sys, time
sys.path.insert(0, sys.argv[1])
from recognition.vision import images
from recognition.vision.errors import ImageError
from tests.support.corpus import corpus
refused = {}
for file in corpus():
    if "accepted" in file.endings:
        continue
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        try:
            images.clean(file.data)
        except ImageError:
            pass
        seconds = time.process_time() - start
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        os.write(write, json.dumps([seconds, grown / 1024]).encode())
        os._exit(0)
    os.waitpid(child, 0)
    refused[file.name] = json.loads(os.read(read, 1000))
    os.close(read); os.close(write)
print(json.dumps(refused))
"""


def test_refusing_costs_less_than_a_second_and_100_megabytes() -> None:
    output = subprocess.run(
        [sys.executable, "-c", MEASURE, str(ROOT)], capture_output=True, text=True, check=True
    ).stdout
    refused = json.loads(output)
    assert len(refused) > 60
    slow = {name: seconds for name, (seconds, _mb) in refused.items() if seconds >= 1.0}
    large = {name: megabytes for name, (_seconds, megabytes) in refused.items() if megabytes > 100}
    assert not slow
    assert not large


#: In a process of its own, whose warnings go where a web process's do.
READ_ALL = """
import contextlib, sys
sys.path.insert(0, sys.argv[1])
from recognition.vision import images
from recognition.vision.errors import ImageError
from tests.support.corpus import corpus
for file in corpus():
    if len(file.data) < 1_000_000:
        with contextlib.suppress(ImageError):
            images.clean(file.data)
"""


def test_no_file_writes_to_the_log() -> None:
    """790 kB of EXIF made Pillow write 12 MB of warnings."""
    said = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(ROOT)], capture_output=True, text=True, check=True
    )
    assert said.stderr[:2_000] == ""


@settings(
    max_examples=int(os.environ.get("MUTATIONS", "2000")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(mutations())
def test_no_mutation_of_a_valid_file_crashes(data: bytes) -> None:
    start = time.process_time()
    ending(data)
    assert time.process_time() - start < 5.0
