"""The files for GitHub follow their schemas, and call what developers call."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


class PlainLoader(yaml.SafeLoader):
    """YAML in which `on` is a word, and a date is one, too."""


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith((":bool", ":timestamp"))]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf")
)


def read(file: Path) -> Any:
    return yaml.load(file.read_text(), PlainLoader)


def schema(name: str) -> dict[str, Any]:
    """One of the schemas that check-jsonschema carries."""
    file = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / f"{name}.json"
    content: dict[str, Any] = json.loads(file.read_text())
    return content


@pytest.mark.parametrize(
    ("file", "name"),
    [
        *((file, "github-workflows") for file in WORKFLOWS),
        (ROOT / ".github" / "dependabot.yml", "dependabot"),
        (ROOT / "CITATION.cff", "citation-file-format"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_file_follows_its_schema(file: Path, name: str) -> None:
    jsonschema.validate(read(file), schema(name))


def test_workflows_call_targets_that_there_are() -> None:
    targets = set(re.findall(r"(?m)^([\w-]+):", (ROOT / "Makefile").read_text()))
    called = {
        target
        for file in WORKFLOWS
        for target in re.findall(r"(?m)run: make ([\w-]+)", file.read_text())
    }
    assert called <= targets
    assert {"check", "image-test"} <= called
    assert "run: sh .ci/run\n" in (ROOT / ".github" / "workflows" / "tests.yml").read_text()


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_says_that_nobody_has_run_it(file: Path) -> None:
    assert file.read_text().startswith("# Untried")


def test_the_citation_is_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = read(ROOT / "CITATION.cff")
    assert citation["version"] == project["version"]
    dated = f"## {citation['version']} ({citation['date-released']})"
    assert dated in (ROOT / "CHANGELOG.md").read_text()


def test_nothing_is_known_that_an_attacker_could_make_of_the_workflows() -> None:
    """Injection, rights that are too wide, credentials that stay: by zizmor, without the net."""
    program = Path(sys.executable).with_name("zizmor")
    checked = subprocess.run(
        [program, "--offline", "--no-progress", ROOT / ".github"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
