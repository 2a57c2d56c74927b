"""Tables of measured figures are what the commands wrote, missed figures included."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "scripts" / "render_figures.py"


def render(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "figures").mkdir(parents=True)
    for file in (ROOT / "docs" / "figures").glob("*.json"):
        shutil.copy(file, folder / "figures")
    for name in ("BENCHMARKS.md", "CAPACITY.md"):
        shutil.copy(ROOT / "docs" / name, folder)
    return folder


def test_the_tables_are_what_the_commands_wrote() -> None:
    checked = render("--check")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("name", ["study", "chaos"])
def test_a_figure_changed_by_hand_is_noticed(name: str, pages: Path) -> None:
    measured = json.loads((pages / "figures" / f"{name}.json").read_text())["figures"][-1]
    row = f"| {measured['measured']} |"
    page = pages / "BENCHMARKS.md"
    text = page.read_text()
    assert row in text
    page.write_text(text.replace(row, "| a better figure |"))
    assert render("--check", str(pages)).returncode == 1
    assert "| a better figure |" in page.read_text()


@pytest.mark.parametrize("name", ["study", "chaos"])
def test_a_figure_measured_anew_makes_the_page_stale_until_it_is_rendered(
    name: str, pages: Path
) -> None:
    file = pages / "figures" / f"{name}.json"
    content = json.loads(file.read_text())
    content["figures"][-1] |= {"measured": "a new measurement", "is_met": False}
    file.write_text(json.dumps(content))
    assert render("--check", str(pages)).returncode == 1
    assert render(str(pages)).returncode == 0
    assert render("--check", str(pages)).returncode == 0
    assert "| a new measurement | missed |" in (pages / "BENCHMARKS.md").read_text()


def test_a_stage_measured_anew_changes_all_that_follows_from_it(pages: Path) -> None:
    file, page = pages / "figures" / "stages.json", pages / "CAPACITY.md"
    content = json.loads(file.read_text())
    (live,) = (name for name in content["figures"] if name.startswith("live frame"))
    content["figures"][live] = {"core ms": 27.0, "wall ms": 30.0, "a second": 37.04}
    file.write_text(json.dumps(content))
    assert render("--check", str(pages)).returncode == 1
    assert render(str(pages)).returncode == 0
    text = page.read_text()
    assert "| web | **27.0** | **37.0** | | |" in text
    assert "| cores: 5,000 × 27.0 ms ÷ 0.7 | 193 |" in text
    assert "| hosts of 8 cores | 25 |" in text
    assert "| sockets a web process | 21 |" in text
    assert [row.split(" | ")[2] for row in text.splitlines() if row.startswith("| 8 |")] == ["41 |"]
