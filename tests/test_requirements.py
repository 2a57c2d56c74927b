"""What is declared in requirements/*.in is what is locked, installed and written about."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
PURPOSES = ("serve", "s3", "train", "dev")


def requirements(file: Path) -> list[Requirement]:
    lines = [line.strip() for line in file.read_text().splitlines()]
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


LOCKED = requirements(FOLDER / "constraints.txt")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_is_declared_is_locked_within_its_bounds(purpose: str) -> None:
    declared = requirements(FOLDER / f"{purpose}.in")
    assert declared
    for wanted in declared:
        name = canonicalize_name(wanted.name)
        pins = [pin for pin in LOCKED if canonicalize_name(pin.name) == name]
        assert pins, f"{wanted.name} is not locked: make lock"
        for pin in pins:
            assert wanted.specifier.contains(str(pin.specifier).removeprefix("=="))


def test_every_lock_is_one_version() -> None:
    for pin in LOCKED:
        assert re.fullmatch(r"==[\w.!+]+", str(pin.specifier)), pin


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_is_installed_is_the_declaration_under_the_lock(purpose: str) -> None:
    lines = (FOLDER / f"{purpose}.txt").read_text().splitlines()
    wanted = {"-c constraints.txt", f"-r {purpose}.in"}
    assert {line for line in lines if not line.startswith("#")} == wanted


def test_make_and_the_package_allow_the_pythons_that_wheels_were_looked_up_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    allowed = SpecifierSet(project["requires-python"])
    found = json.loads((ROOT / "docs" / "figures" / "wheels.json").read_text())
    makefile = (ROOT / "Makefile").read_text()
    for pythons in found.values():
        for python in pythons:
            assert allowed.contains(f"{python}.0")
            assert f"python{python}" in makefile
        first, last = min(pythons, key=_number), max(pythons, key=_number)
        bounds = [tuple(map(int, python.split("."))) for python in (first, last)]
        assert f"not {bounds[0]} <= sys.version_info[:2] <= {bounds[1]}" in makefile
        assert not allowed.contains(f"3.{bounds[1][1] + 1}.0")


def test_the_page_of_platforms_tells_what_was_found() -> None:
    found = json.loads((ROOT / "docs" / "figures" / "wheels.json").read_text())
    page = (ROOT / "docs" / "PLATFORMS.md").read_text()
    for platform, pythons in found.items():
        cells = ["all" if all(row.values()) else _missing(row) for row in pythons.values()]
        assert f"| {platform} | {' | '.join(cells)} |" in page


def _missing(row: dict[str, bool]) -> str:
    return "not " + ", ".join(purpose for purpose, is_there in row.items() if not is_there)


def _number(python: str) -> int:
    return int(python.split(".")[1])
