"""Bodies of requests are cut off while they arrive, and cost little memory until then."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.faults import huge_bodies, peak_memory
from tests.pictures import encode
from tests.site.running import Site


def test_a_body_without_an_end_is_cut_off(tmp_path: Path) -> None:
    outcomes = huge_bodies(tmp_path, n_megabytes=200)
    assert outcomes["HTTP"].answer == "413 too_large"
    assert outcomes["WebSocket"].answer.startswith("cut off")
    for outcome in outcomes.values():
        assert outcome.megabytes_taken < 150
        assert outcome.growth <= 50


def test_a_declared_length_beyond_the_limit_is_refused_at_once(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(
            b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Length: 1000000000\r\n\r\n"
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


def test_a_form_with_large_photos_takes_little_more_memory_than_they_have(site: Site) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2600, 2600, 3), np.uint8)
    photo = encode(Image.fromarray(noise), quality=88)
    assert 5e6 < len(photo) < 10e6
    person = site.sign_up("large@example.org")
    with peak_memory(site.pid("web")) as growth:
        files = [("images", (f"{number}.jpg", photo)) for number in range(4)]
        answer = person.post("/uploads/new/", files=files)
        assert answer.status_code == 302
        # Measured: 4.4 times the form. When every form was read a second time, 11 times.
        assert growth() < 7 * 4 * len(photo) / 1e6
