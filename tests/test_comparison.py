"""`make compare`: what it counts, what it says where a peer is missing, and the page it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pictures import astronaut, encode
from tests.support.site import ROOT

#: In place of a Python with fer: finds two faces in every photo, the larger one happy, and takes
#: every face for a happy one.
PEER = """
import json, sys
for number, line in enumerate(sys.stdin):
    photo = [[[0, 0, 9, 9], "sad"], [[1, 1, 20, 20], "happy"]]
    faces = [[None, "happy"]] if json.loads(line)["is_face"] else photo
    if number:
        print(json.dumps({"faces": faces, "core_ms": 10, "ms": 20}))
about = {"versions": {"fer": "1.0"}, "labels": True, "first_call": {"core_seconds": 1.5}}
print(json.dumps({"about": {**about, "memory_mb": 1234}}))
"""


def compare(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = (sys.executable, "-m", "benchmarks.compare")
    files = ("--json", str(folder / "found.json"), "--page", str(folder / "page.md"))
    return subprocess.run([*program, *arguments, *files], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data, and what came out: Visage beside the peer above, and no deepface."""
    folder = tmp_path_factory.mktemp("comparison")
    crop = encode(astronaut().crop((177, 66, 274, 163)).resize((48, 48)))
    for part in ("train", "test"):
        for label in ("happy", "sad", "fear"):
            (folder / "fer" / part / label).mkdir(parents=True)
            for number in range(2):
                (folder / "fer" / part / label / f"{number}.jpg").write_bytes(crop)
    for label in ("happy", "anger"):
        (folder / "photos" / label).mkdir(parents=True)
        (folder / "photos" / label / "one.jpg").write_bytes(encode(astronaut()))
    peer = folder / "python"
    (folder / "peer.py").write_text(PEER)
    # Not "#!", which takes no path with a space.
    peer.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{folder / 'peer.py'}'\n")
    peer.chmod(0o700)
    ran = compare(
        folder,
        *("--fer", str(peer), "--deepface", sys.executable),
        *("--faces", str(folder / "fer"), "--photos", str(folder / "photos")),
    )
    assert ran.returncode == 0, ran.stderr
    (folder / "stderr").write_text(ran.stderr)
    return folder


def programs(folder: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((folder / "found.json").read_text())[
        "programs"
    ]
    return found


def test_what_is_found_and_right_is_counted(folder: Path) -> None:
    parts = programs(folder)["fer"]["parts"]
    assert isinstance(parts, dict)
    faces, photos, empty = (parts[name] for name in ("faces", "photos", "empty"))
    assert (faces["right"], faces["labelled"]) == (2, 4), "two happy, two sad, none of fear"
    assert faces["by_label"]["sad"] == {"n": 2, "right": 0}
    assert (photos["found"], photos["more_than_one"]) == (2, 2)
    assert (photos["right"], photos["labelled"]) == (1, 1), "the largest face counts"
    assert empty["false"] == 2 * empty["pictures"]
    upright = parts["upright"]
    assert upright["found"] + upright["false"] == 2 * upright["pictures"]
    assert upright["faces"] > upright["pictures"], "there are groups"


def test_visage_is_measured(folder: Path) -> None:
    found = programs(folder)["visage"]
    parts, first = found["parts"], found["first_call"]
    assert isinstance(parts, dict)
    assert isinstance(first, dict)
    assert parts["upright"]["found"] > parts["upright"]["faces"] / 2
    assert parts["photos"]["found"] == 2
    assert parts["faces"]["by_label"]["happy"] == {"n": 2, "right": 2}
    assert first["core_seconds"] > 0
    assert float(str(found["memory_mb"])) > 50


def test_what_is_missing_is_named(folder: Path) -> None:
    said = (folder / "stderr").read_text()
    assert "deepface-opencv: NOT COMPARED: deepface is not installed" in said
    assert "not compared: deepface is not installed" in (folder / "page.md").read_text()


def test_a_sample_is_always_the_same(folder: Path, tmp_path: Path) -> None:
    seen = []
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
        data = ("--faces", str(folder / "fer"), "--limit", "3", "--only", "visage")
        assert compare(tmp_path / name, *data).returncode == 0
        seen.append(programs(tmp_path / name)["visage"]["parts"])
    labels = [part["faces"]["by_label"] for part in seen if isinstance(part, dict)]
    assert labels[0] == labels[1]
    assert sum(one["n"] for one in labels[0].values()) == 3


def test_the_page_is_made_of_the_figures(tmp_path: Path) -> None:
    figures = ROOT / "docs" / "figures" / "comparison.json"
    (tmp_path / "found.json").write_text(figures.read_text())
    assert compare(tmp_path, "--render").returncode == 0
    assert (ROOT / "docs" / "COMPARISON.md").read_text() == (tmp_path / "page.md").read_text()


def test_figures_name_no_picture_and_no_path() -> None:
    text = (ROOT / "docs" / "figures" / "comparison.json").read_text()
    assert "/" not in text
    assert ".jpg" not in text
