"""Mutated image files through the code that reads them, in a process that may crash.

Run as a program it is that process: ``python -m tests.chaos.mutations COUNT FOLDER``. Before each
file it writes it down, so that whoever started it can tell which one was the last.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings

from recognition.vision import images
from recognition.vision.errors import ImageError
from tests.support.mutations import mutations
from tests.support.site import ROOT

LAST, OUTCOME = "last", "outcome.json"


@dataclass(frozen=True)
class Mutations:
    """Outcome of :func:`read_mutations`.

    Attributes:
        crashes: 1 where the process died of a signal, which ends the run.
        unexpected: errors that are no refusal, each of which would be a page's error 500, by kind.
        refused: by the refusal's code.
        slowest_refusal: processor seconds.
        culprit: the file that crashed the process or was the first with an unexpected error, in
            base64.
    """

    files: int
    crashes: int
    unexpected: dict[str, int]
    refused: dict[str, int]
    accepted: int
    slowest_refusal: float
    culprit: str = ""


def read_mutations(folder: Path, count: int) -> Mutations:
    """Have a process of its own read so many mutated files."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.mutations", str(count), str(folder)],
        cwd=ROOT,
        check=False,
    )
    if done.returncode > 0:
        raise RuntimeError(f"the reading process ended with {done.returncode}")
    outcome = json.loads((folder / OUTCOME).read_text())
    if done.returncode < 0:
        culprit = base64.b64encode((folder / LAST).read_bytes()).decode()
        outcome |= {"crashes": 1, "culprit": culprit}
    return Mutations(**outcome)


def _read_here(count: int, folder: Path) -> None:
    """Read them, and write the outcome so far every now and then."""
    refused: Counter[str] = Counter()
    unexpected: Counter[str] = Counter()
    files = accepted = 0
    slowest, culprit = 0.0, ""

    def write() -> None:
        outcome = Mutations(files, 0, dict(unexpected), dict(refused), accepted, slowest, culprit)
        (folder / OUTCOME).write_text(json.dumps(vars(outcome)))

    # Drawn by a fixed seed, the same files each time; nothing is shrunk, since nothing fails here.
    @hypothesis_settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(mutations())
    def read(data: bytes) -> None:
        nonlocal files, accepted, slowest, culprit
        (folder / LAST).write_bytes(data)
        if files % 500 == 0:
            write()
        files += 1
        start = time.process_time()
        try:
            images.clean(data)
            accepted += 1
        except ImageError as error:
            refused[error.code] += 1
            slowest = max(slowest, time.process_time() - start)
        except Exception as error:
            unexpected[type(error).__name__] += 1
            culprit = culprit or base64.b64encode(data).decode()
        # As a live frame is read, which is another way through the decoders.
        with suppress(ImageError):
            images.decode_gray(data, longest_side=320)

    read()
    write()


if __name__ == "__main__":
    _read_here(int(sys.argv[1]), Path(sys.argv[2]))
