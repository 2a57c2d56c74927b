"""The image and the compose files: what can be said about them without an engine.

`make image-test` builds the image and runs it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from honcho.environ import parse_procfile

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
INSTRUCTIONS = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE)).splitlines()


class ComposeLoader(yaml.SafeLoader):
    """YAML with the specification's tags that take back or replace what another file says."""


for tag in ("!reset", "!override"):
    ComposeLoader.add_constructor(tag, lambda loader, node: loader.construct_sequence(node))


def compose(name: str = "compose.yaml") -> dict[str, Any]:
    content: dict[str, Any] = yaml.load((ROOT / name).read_text(), ComposeLoader)
    return content


SERVICES = compose()["services"]
OVER_TLS = compose("compose.tls.yaml")["services"]
OWN = {name: service for name, service in SERVICES.items() if service["image"] == "visage"}


def copied() -> list[tuple[str, str]]:
    """Source and target of each COPY of the site out of the build's folder."""
    lines = [line.split()[1:] for line in INSTRUCTIONS if line.startswith("COPY")]
    return [
        (words[0], words[1].removeprefix("/app/"))
        for words in lines
        if not words[0].startswith("--") and words[1].startswith("/app/")
    ]


def test_the_image_is_of_pinned_parts_and_runs_as_nobody_special() -> None:
    bases = [line.split()[1] for line in INSTRUCTIONS if line.startswith("FROM")]
    assert set(bases) == {"${BASE}", "python", "packages"}
    (base,) = [line for line in INSTRUCTIONS if line.startswith("ARG BASE")]
    assert re.fullmatch(r"ARG BASE=debian:13-slim@sha256:[0-9a-f]{64}", base)
    users = [line.split()[1] for line in INSTRUCTIONS if line.startswith("USER")]
    assert users == ["10001:10001"]
    assert [line for line in INSTRUCTIONS if line.startswith("HEALTHCHECK")]
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM") :]
    assert "apt-get" not in last, "compilers and what installs them stay behind"
    assert "dev.txt" not in DOCKERFILE
    assert "train.txt" not in DOCKERFILE
    known = {"ARG", "FROM", "ENV", "RUN", "COPY", "WORKDIR", "USER", "VOLUME", "EXPOSE",
             "HEALTHCHECK", "CMD"}  # fmt: skip
    continued = {line.split()[0] for line in INSTRUCTIONS if line and not line.startswith(" ")}
    assert continued <= known


def test_what_the_image_copies_is_not_ignored_and_nothing_else_gets_in() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    lines = [line.split()[1:] for line in INSTRUCTIONS if line.startswith("COPY")]
    assert allowed == {
        source for words in lines if not words[0].startswith("--") for source in words[:-1]
    }
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
            (app / target).mkdir(exist_ok=True)
            shutil.copy(ROOT / source, app / target)
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path / "data"),
        "SECRET_KEY": "a-secret-key-of-this-test-alone-0123456789-abcdefghijkl",
        "SITE_URL": "https://photos.example.org",
        "ALLOWED_HOSTS": "photos.example.org",
        "SIGNUP": "closed",
        "DEPLOYMENT_PURPOSE": "Studies of the Department of Psychology",
        "OPERATOR_CONTACT": "visage@example.org",
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


def schema(name: str) -> dict[str, Any]:
    """One of the schemas that check-jsonschema carries."""
    file = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / f"{name}.json"
    content: dict[str, Any] = json.loads(file.read_text())
    return content


@pytest.mark.parametrize("name", ["compose.yaml", "compose.tls.yaml"])
def test_a_compose_file_follows_the_specification(name: str) -> None:
    found = compose(name)
    jsonschema.validate(found, schema("compose-spec"))
    found["services"]["web"]["port"] = found["services"]["web"].pop("ports")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, schema("compose-spec"))


def test_a_service_that_others_wait_for_can_become_healthy() -> None:
    for service in SERVICES.values():
        wanted = service.get("depends_on", {})
        for name, how in wanted.items() if isinstance(wanted, dict) else ():
            if how["condition"] == "service_healthy":
                assert "test" in SERVICES[name]["healthcheck"]


def test_each_process_of_the_procfile_is_a_service_that_tells_its_health() -> None:
    processes = set(parse_procfile((ROOT / "Procfile").read_text()).processes)
    assert set(OWN) == processes - {"redis"} | {"valkey", "setup"}
    # The image's own is the web process's.
    checked = {name for name, service in OWN.items() if "test" in service.get("healthcheck", {})}
    assert checked == set(OWN) - {"setup", "web"}
    for name in checked:
        assert OWN[name]["healthcheck"]["test"][-2:] == ["deploy/healthcheck.py", name]


@pytest.mark.parametrize("name", OWN)
def test_services_of_the_site_may_do_little(name: str) -> None:
    service = OWN[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_this_machine_alone_reaches_the_site_and_nobody_the_database() -> None:
    open_ports = {
        name: service["ports"] for name, service in SERVICES.items() if "ports" in service
    }
    assert open_ports == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}
    assert SERVICES["postgres"]["networks"] == ["inside"]
    assert compose()["networks"]["inside"] == {"internal": True}


def test_over_tls_only_nginx_is_reached() -> None:
    open_ports = {name for name, service in OVER_TLS.items() if service.get("ports")}
    assert open_ports == {"nginx"}
    assert OVER_TLS["web"]["ports"] == OVER_TLS["web-2"]["ports"] == []
    assert set(OVER_TLS) == {*OWN, "web-2", "nginx"}, "all processes get the site's address"
    for name in OWN:
        assert OVER_TLS[name]["environment"]["BEHIND_PROXY"] == "true"


def test_the_laptop_needs_no_file() -> None:
    """Every variable has a default; over TLS, what only its operator knows is asked for."""
    variables = r"(?<!\$)\$\{(\w+)(.*?)\}"
    plain = re.findall(variables, (ROOT / "compose.yaml").read_text())
    assert {rest[:2] for _, rest in plain} == {":-"}
    over_tls = re.findall(variables, (ROOT / "compose.tls.yaml").read_text())
    assert {name for name, rest in over_tls if rest.startswith(":?")} == {
        "SERVER_NAME",
        "POSTGRES_PASSWORD",
        "DEPLOYMENT_PURPOSE",
        "OPERATOR_CONTACT",
    }


@pytest.mark.parametrize("name", {**SERVICES, "nginx": None})
def test_what_a_service_names_is_there(name: str) -> None:
    service = SERVICES.get(name) or OVER_TLS[name]
    assert set(service.get("depends_on", ())) <= {*SERVICES, *OVER_TLS}
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0]
        assert source in compose()["volumes"] or source.startswith("./")
    assert service["image"] == "visage" or re.search(r":\d", service["image"]), "not pinned"


def test_nginx_gets_all_that_its_template_asks_for() -> None:
    template = (ROOT / "deploy" / "nginx.conf.template").read_text()
    asked = set(re.findall(r"^[^#]*?\$\{(VISAGE_\w+)\}", template, re.MULTILINE))
    asked |= set(re.findall(r"\$\{(VISAGE_\w+)\}", re.sub("(?m)^#.*$", "", template)))
    environment = OVER_TLS["nginx"]["environment"]
    assert asked == {key for key in environment if key.startswith("VISAGE_")}
    servers = re.findall(r"server ([\w-]+):\d+ max_fails=0;", environment["VISAGE_UPSTREAMS"])
    assert len(servers) == environment["VISAGE_UPSTREAMS"].count("server ")
    assert set(servers) <= set(OVER_TLS)


def test_secrets_come_from_outside() -> None:
    text = (ROOT / "compose.yaml").read_text() + (ROOT / "compose.tls.yaml").read_text()
    for line in text.splitlines():
        if re.search(r"(SECRET_KEY|PASSWORD|TOKEN):", line):
            assert "${" in line, line


def test_urgent_work_does_not_need_a_worker_that_an_export_may_hold() -> None:
    commands = parse_procfile((ROOT / "Procfile").read_text()).processes
    assert "--queues urgent,webhooks " in commands["webhooks"]
    assert "urgent,webhooks" in SERVICES["webhooks"]["command"]
