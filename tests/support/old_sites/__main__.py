"""Make the site of an earlier version: ``python -m tests.support.old_sites COMMIT NAME``.

Its code comes out of git, and runs with the packages that are installed now.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.support.old_sites import sites
from tests.support.pictures import astronaut, encode


def make(commit: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        code, filled, copied = (Path(folder) / part for part in ("code", "filled", "copied"))
        for part in (code, filled, copied):
            part.mkdir()
        archive = subprocess.run(
            ["git", "archive", commit], cwd=sites.ROOT, check=True, capture_output=True
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            packed.extractall(code, filter="data")
        photo = Path(folder) / "photo.jpg"
        photo.write_bytes(encode(astronaut().resize((160, 160)), quality=75))
        filled_with = sites.run("fill.py", code, filled, str(photo))
        sites.pack(filled, sites.KEPT / name)
        # Looking writes, too: into a copy.
        sites.unpack(sites.KEPT / name, copied)
        told = sites.run("look.py", code, copied, filled_with["token"])
    seen = {"commit": commit, **filled_with, **told}
    text = json.dumps(seen, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    (sites.KEPT / name / "seen.json").write_text(text + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit")
    parser.add_argument("name")
    options = parser.parse_args()
    make(options.commit, options.name)
