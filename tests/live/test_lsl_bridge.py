"""The bridge to the Lab Streaming Layer, against pylsl itself."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.support import clip

pylsl = pytest.importorskip("pylsl", reason="pylsl is not installed")

from clients import lsl_bridge  # noqa: E402  # (needs pylsl)


def inlet(name: str) -> Any:
    (found,) = pylsl.resolve_byprop("name", name, 1, 30)
    opened = pylsl.StreamInlet(found)
    opened.open_stream(30)
    return opened


def pulled(opened: Any, number: int) -> list[tuple[list[Any], float]]:
    samples = [opened.pull_sample(30) for _sample in range(number)]
    assert None not in [values for values, _time in samples]
    return samples


def test_labels_are_told_as_they_change(request: pytest.FixtureRequest) -> None:
    def face(label: str) -> dict[str, Any]:
        box = {"x": 1, "y": 2, "width": 90, "height": 91}
        likely = {"happy": 0.75, "sad": 0.25}
        return {
            "number": 1, "box": box, "label": label, "uncertain": False, "probabilities": likely,
        }  # fmt: skip

    outlets = lsl_bridge.Outlets("another lab")
    samples, markers = inlet("Visage"), inlet("VisageMarkers")
    request.addfinalizer(samples.close_stream)
    request.addfinalizer(markers.close_stream)
    seconds = pylsl.local_clock()
    shown = ("happy", "happy", "sad", None)
    for index, label in enumerate(shown):
        outlets.publish({"faces": [face(label)] if label else []}, seconds + index / 10)
    channels = samples.info(30).desc().child("channels").first_child()
    for name in lsl_bridge.CHANNELS:
        assert channels.child_value("label") == name
        channels = channels.next_sibling()
    assert pulled(samples, 3) == [
        ([1, 0.75, 0.25, 0, 0, 0, 0, 1, 2, 90, 91], pytest.approx(seconds + index / 10))
        for index in range(3)
    ]
    assert pulled(markers, 3) == [
        ([text], pytest.approx(seconds + index / 10))
        for index, text in ((0, "face 1: happy"), (2, "face 1: sad"), (3, "face 1: away"))
    ]


def test_jpegs_are_found_wherever_the_stream_is_cut() -> None:
    jpegs = list(itertools.islice(clip.jpeg_frames(clip.astronaut()), 3))
    buffer, found = bytearray(), []
    data = b"noise" + b"".join(jpegs) + jpegs[0][:100]
    for start in range(0, len(data), 777):
        buffer += data[start : start + 777]
        while jpeg := lsl_bridge.split(buffer):
            found.append(jpeg)
    assert found == jpegs
    with pytest.raises(ValueError, match="no JPEG"):
        lsl_bridge.split(bytearray(lsl_bridge.MAXIMUM_BYTES + 1))
