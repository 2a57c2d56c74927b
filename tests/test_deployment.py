"""The image and the compose file: what can be said about them without an engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from honcho.environ import parse_procfile

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
INSTRUCTIONS = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE)).splitlines()


def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return content


SERVICES = compose()["services"]
OWN = {name: service for name, service in SERVICES.items() if service["image"] == "visage"}


def copied() -> list[tuple[str, str]]:
    """Source and target of each COPY out of the build's folder into the image that runs."""
    last = max(i for i, line in enumerate(INSTRUCTIONS) if line.startswith("FROM"))
    lines = [line.split()[1:] for line in INSTRUCTIONS[last:] if line.startswith("COPY")]
    return [(words[0], words[1]) for words in lines if not words[0].startswith("--")]


def test_the_image_is_of_pinned_parts_and_runs_as_nobody_special() -> None:
    bases = [line.split()[1] for line in INSTRUCTIONS if line.startswith("FROM")]
    assert set(bases) == {"python:3.12-slim-bookworm"}
    users = [line.split()[1] for line in INSTRUCTIONS if line.startswith("USER")]
    assert users == ["10001:10001"]
    assert [line for line in INSTRUCTIONS if line.startswith("HEALTHCHECK")]
    assert "dev.txt" not in DOCKERFILE
    assert "train.txt" not in DOCKERFILE
    known = {"FROM", "ENV", "RUN", "COPY", "WORKDIR", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK",
             "CMD"}  # fmt: skip
    continued = {line.split()[0] for line in INSTRUCTIONS if line and not line.startswith(" ")}
    assert continued <= known


def test_what_the_image_copies_is_not_ignored_and_nothing_else_gets_in() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert allowed == {source.rstrip("/") for source, _ in copied()} | {"requirements"}
    assert all((ROOT / name).exists() for name in allowed)


def test_the_copied_files_are_a_whole_site(tmp_path: Path) -> None:
    """The same files, without the engine: the checks and the static files need no others."""
    app = tmp_path / "app"
    app.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "training")
    for source, target in copied():
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, app / target, ignore=ignored)
        else:
            shutil.copy(ROOT / source, app / target)
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path / "data"),
        "SECRET_KEY": "a-secret-key-of-this-test-alone-0123456789-abcdefghijkl",
        "SITE_URL": "https://photos.example.org",
        "ALLOWED_HOSTS": "photos.example.org",
        "SIGNUP": "closed",
        "S3_BUCKET": "photos",
    }

    def manage(*arguments: str) -> str:
        result = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=app,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    manage("check", "--deploy", "--fail-level", "WARNING")
    manage("collectstatic", "--no-input")
    in_german = (
        "from django.utils.translation import gettext, override\n"
        "with override('de'): print(gettext('Happy'))"
    )
    assert manage("shell", "--no-imports", "--command", in_german).strip() == "Fröhlich"


#: The part of the Compose specification that the file uses: a key or a shape beyond it is a slip.
_STRINGS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_MAP = {"type": "object", "additionalProperties": {"type": "string"}}
_DURATION = {"type": "string", "pattern": r"^\d+(ms|s|m|h)$"}
_SERVICE = {
    "image": {"type": "string"},
    "build": {"const": "."},
    "restart": {"enum": ["no", "unless-stopped"]},
    "command": _STRINGS,
    "environment": _MAP,
    "user": {"type": "string", "pattern": r"^\d+:\d+$"},
    "volumes": _STRINGS,
    "tmpfs": _STRINGS,
    "ports": {"type": "array", "items": {"type": "string", "pattern": r"^\d+:\d+$"}},
    "read_only": {"type": "boolean"},
    "cap_drop": _STRINGS,
    "security_opt": _STRINGS,
    "cpu_shares": {"type": "integer", "minimum": 2},
    "stop_grace_period": _DURATION,
    "healthcheck": {
        "type": "object",
        "properties": {
            "test": _STRINGS,
            "disable": {"type": "boolean"},
            "interval": _DURATION,
            "timeout": _DURATION,
            "start_period": _DURATION,
            "retries": {"type": "integer"},
        },
        "additionalProperties": False,
    },
    "depends_on": {
        "oneOf": [
            _STRINGS,
            {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "properties": {
                        "condition": {
                            "enum": [
                                "service_started",
                                "service_healthy",
                                "service_completed_successfully",
                            ]
                        }
                    },
                    "required": ["condition"],
                    "additionalProperties": False,
                },
            },
        ]
    },
}
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "services": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": _SERVICE,
                "required": ["image"],
                "additionalProperties": False,
            },
        },
        "volumes": {"type": "object", "additionalProperties": {"type": "null"}},
    },
    "patternProperties": {"^x-": {}},
    "required": ["services"],
    "additionalProperties": False,
}


def test_the_compose_file_has_the_shape_of_one() -> None:
    jsonschema.validate(compose(), SCHEMA)


def test_a_service_that_others_wait_for_can_become_healthy() -> None:
    for service in SERVICES.values():
        wanted = service.get("depends_on", {})
        for name, how in wanted.items() if isinstance(wanted, dict) else ():
            if how["condition"] == "service_healthy":
                assert "test" in SERVICES[name]["healthcheck"]


def test_each_process_of_the_procfile_is_a_service() -> None:
    processes = set(parse_procfile((ROOT / "Procfile").read_text()).processes) - {"redis"}
    assert {name.rsplit("-", 1)[0] for name in OWN} == processes | {"setup"}


@pytest.mark.parametrize("name", OWN)
def test_services_of_the_site_may_do_little(name: str) -> None:
    service = OWN[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in service


def test_only_nginx_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_names_is_there(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("depends_on", ())) <= set(SERVICES)
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0]
        assert source in compose()["volumes"] or source.startswith("./")
    assert service["image"] == "visage" or re.search(r":\d", service["image"]), "not pinned"


def test_nginx_gets_all_that_its_template_asks_for() -> None:
    template = (ROOT / "deploy" / "nginx.conf.template").read_text()
    asked = set(re.findall(r"^[^#]*?\$\{(VISAGE_\w+)\}", template, re.MULTILINE))
    asked |= set(re.findall(r"\$\{(VISAGE_\w+)\}", re.sub("(?m)^#.*$", "", template)))
    environment = SERVICES["nginx"]["environment"]
    assert asked == {key for key in environment if key.startswith("VISAGE_")}
    for server in re.findall(r"server ([\w-]+):", environment["VISAGE_UPSTREAMS"]):
        assert server in SERVICES


def test_secrets_come_from_outside() -> None:
    text = (ROOT / "compose.yaml").read_text()
    for line in text.splitlines():
        if re.search(r"(SECRET_KEY|PASSWORD|TOKEN):", line):
            assert "${" in line, line


def test_urgent_work_does_not_need_a_worker_that_an_export_may_hold() -> None:
    commands = parse_procfile((ROOT / "Procfile").read_text()).processes
    assert "--queues urgent,webhooks " in commands["webhooks"]
    assert "urgent,webhooks" in SERVICES["webhooks"]["command"]
