"""``make compare``: Visage beside fer and deepface, on the same pictures and one core."""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.compare import figures, page, pictures
from tests.support.report import machine

ROOT = Path(__file__).resolve().parents[2]
PEER = Path(__file__).parent / "peer.py"
#: Which option names the Python of which programs.
PYTHONS = {
    "visage": ("visage",),
    "fer": ("fer", "fer-mtcnn"),
    "deepface": ("deepface-opencv", "deepface-mtcnn", "deepface-retinaface"),
}


def look(python: str, name: str, files: Sequence[pictures.Picture]) -> dict[str, Any]:
    """Let a program look at all pictures.

    Returns:
        Its figures; ``{"missing": why}`` where it cannot be compared.
    """
    jobs = [{"path": str(one.path), "is_face": one.part == "faces"} for one in files]
    # The first one only warms up.
    lines = "".join(json.dumps(job) + "\n" for job in [jobs[0], *jobs])
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as said:
        given.write(lines)
        given.seek(0)
        try:
            process = subprocess.Popen(
                [python, str(PEER), name, str(time.time())],
                stdin=given, stdout=subprocess.PIPE, stderr=said, text=True,
            )  # fmt: skip
        except OSError as error:
            return {"missing": f"{error.strerror}: {python}"}
        assert process.stdout is not None
        told = [
            json.loads(line)
            for line in tqdm(process.stdout, desc=name, total=len(jobs) + 1, disable=None)
        ]
        if (status := process.wait()) < 0:
            return {"missing": f"it crashed in the Python used here (signal {-status})"}
        if status:
            said.seek(0)
            return {"missing": _reason(said.read().splitlines())}
    return {**told[-1]["about"], "parts": figures.count(files, told[:-1])}


def _reason(lines: Sequence[str]) -> str:
    """Why a program ended: what it said itself, or its error; libraries talk before and after.

    The first sentence: the next ones tell where things lie on this machine.
    """
    for sign in ("NOT COMPARED: ", "Error"):
        for line in reversed(lines):
            if sign in line:
                return line.removeprefix("NOT COMPARED: ").strip().split("! ")[0].split(". ")[0]
    return "it ended without a word"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fer", metavar="PYTHON", help="a Python that has fer")
    parser.add_argument("--deepface", metavar="PYTHON", help="a Python that has deepface")
    parser.add_argument("--faces", type=Path, help="FER-2013, a folder or ZIP archive")
    parser.add_argument("--photos", type=Path, help="photos as <class>/<name>.jpg, the same")
    parser.add_argument("--limit", type=int, help="look at so many of each of the two at most")
    parser.add_argument("--only", action="append", help="only this program; may be repeated")
    parser.add_argument("--json", type=Path, default=ROOT / "docs" / "figures" / "comparison.json")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "COMPARISON.md")
    parser.add_argument("--render", action="store_true", help="only write the page of the JSON")
    options = parser.parse_args()
    if options.render:
        options.page.write_text(page.page(json.loads(options.json.read_text())))
        return
    pythons = {"visage": sys.executable, "fer": options.fer, "deepface": options.deepface}
    content: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "limit": options.limit,
        "programs": {},
    }
    with tempfile.TemporaryDirectory() as folder:
        files = _lay_out(Path(folder), options)
        for option, names in PYTHONS.items():
            for name in names:
                if options.only and name not in options.only:
                    continue
                python = pythons[option]
                found = (
                    look(python, name, files)
                    if python
                    else {"missing": f"no Python that has it was named (--{option})"}
                )
                if "missing" in found:
                    sys.stderr.write(f"{name}: NOT COMPARED: {found['missing']}\n")
                content["programs"][name] = found
    options.json.write_text(json.dumps(content, indent=1) + "\n")
    if "parts" not in content["programs"].get("visage", {}):
        sys.exit("Visage itself could not be run.")
    text = page.page(content)
    options.page.write_text(text)
    sys.stdout.write(text)


def _lay_out(folder: Path, options: argparse.Namespace) -> list[pictures.Picture]:
    files = pictures.composed(folder / "composed")
    if options.faces:
        files += pictures.faces(options.faces, folder / "faces", options.limit)
    if options.photos:
        files += pictures.photos(options.photos, folder / "photos", options.limit)
    return files


if __name__ == "__main__":
    main()
