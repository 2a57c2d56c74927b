"""The figures of videos can be taken anew, those of a long one and of a peer among them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import pytest

from tests.support.film import RATE, write_film
from tests.support.site import ROOT

#: A Python with ``fer``, which no requirements of ours have.
PEER_PYTHON = os.environ.get("PEER_PYTHON", "")


def bench(output: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.video", "--json", str(output), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_a_film_is_lengthened_without_a_gap(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    write_film(film, 1, 3)
    with av.open(str(film)) as opened:
        stream = opened.streams.video[0]
        times = [frame.time for frame in opened.decode(stream)]
    assert times == pytest.approx([number / RATE for number in range(3 * RATE)], abs=1e-3)


def test_a_long_film_has_its_memory_told_over_time(tmp_path: Path) -> None:
    output = tmp_path / "video.json"
    ran = bench(output, "--hours", "0.002", "--fps", "5")
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(output.read_text())
    assert figures["samples"] == figures["samples with a face"] == 35
    assert figures["looking, core s"] > 0
    assert figures["decoding, core s"] > 0
    told = figures["memory over time, MB"]
    assert max(told["decoding"]) == figures["memory of decoding, MB"] > 0
    assert max(told["looking"]) == figures["memory of looking, MB"] > 0


def test_a_python_without_the_peer_is_told_of(tmp_path: Path) -> None:
    ran = bench(tmp_path / "video.json", "--seconds", "1", "--peer-python", sys.executable)
    assert ran.returncode == 1
    assert "not installed there: fer" in ran.stderr


@pytest.mark.skipif(not PEER_PYTHON, reason="PEER_PYTHON names no Python with fer")
def test_the_peer_looks_at_the_same_frames(tmp_path: Path) -> None:
    output = tmp_path / "video.json"
    ran = bench(output, "--seconds", "2", "--peer-python", PEER_PYTHON)
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(output.read_text())
    assert figures["samples"] == figures["fer: frames"] == 20
    assert figures["as fast as fer, by core seconds, ×"] > 0
