"""The bridge to the Lab Streaming Layer, against pylsl itself."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support import clip
from tests.support.site import ROOT, Site

pylsl = pytest.importorskip("pylsl", reason="pylsl is not installed")

from clients import lsl_bridge  # noqa: E402  # (needs pylsl)


def inlet(name: str, prop: str = "name") -> Any:
    (found,) = pylsl.resolve_byprop(prop, name, 1, 60)
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


def test_a_camera_is_published_through_a_running_site(
    request: pytest.FixtureRequest, site: Site
) -> None:
    person = site.sign_up("lsl-bridge@example.org").accept_camera()
    environment = {**os.environ, "VISAGE_TOKEN": person.make_token("live")}
    arguments = ["clients/lsl_bridge.py", site.url, "--source", "lab-camera", "--record"]
    began = pylsl.local_clock()
    bridge = subprocess.Popen(
        [sys.executable, *arguments],
        env=environment, cwd=ROOT, stdin=subprocess.PIPE,
    )  # fmt: skip
    request.addfinalizer(bridge.kill)
    samples, labels = (
        inlet(source, "source_id") for source in ("lab-camera", "lab-camera-markers")
    )
    request.addfinalizer(samples.close_stream)
    request.addfinalizer(labels.close_stream)
    # The face stays in view. Once the bridge has ended nothing can be pulled any more.
    portrait = clip.astronaut()
    assert bridge.stdin
    for index in range(20):
        bridge.stdin.write(clip.jpeg_frame(portrait, 1.5 + index / 60))
    bridge.stdin.flush()
    found = pulled(samples, 10)
    times = [seconds for _values, seconds in found]
    assert times == sorted(times)
    assert began < times[0] <= times[-1] < pylsl.local_clock()
    for (number, *likely, _uncertain, x, y, width, height), _seconds in [
        ([values[0], *values[1:6], *values[6:]], seconds) for values, seconds in found
    ]:
        assert number == 1
        assert sum(likely) == pytest.approx(1, abs=0.01)
        assert 0 <= x <= x + width <= clip.WIDTH
        assert 0 <= y <= y + height <= clip.HEIGHT
    ((first,), seconds), *_others = pulled(labels, 1)
    assert first.startswith("face 1: ")
    assert seconds == pytest.approx(times[0])
    bridge.stdin.close()
    assert bridge.wait(timeout=120) == 0
    (recording,) = person.get("/api/v1/recordings/").json()["results"]
    assert recording["n_samples"] > 0
