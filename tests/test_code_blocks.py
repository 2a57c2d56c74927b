"""Every block of code in the documentation says what it needs, and does what it says."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class

from tests.support.code_blocks import NEEDS, PAGES, Block, blocks, is_mark
from tests.support.pictures import face_jpeg
from tests.support.site import ROOT, Person, Site
from tests.support.videos import face_mp4

BLOCKS = blocks()
#: What nobody knows before their own: the test puts in what it has.
ITS_OWN = {"http://localhost:8000": "URL", "visage_…": "TOKEN", "/backups/": "BACKUPS"}
PRODUCTION = {
    "SECRET_KEY": "a-secret-key-of-this-test-alone-0123456789-abcdefghijkl",
    "SITE_URL": "https://photos.example.org",
    "ALLOWED_HOSTS": "photos.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://photos.example.org",
    "EMAIL_URL": "smtp+tls://visage:a-password@mail.example.org:587",
    "EMAIL_VERIFICATION": "mandatory",
    "METRICS_TOKEN": "a-token-of-prometheus",
    "DEPLOYMENT_PURPOSE": "Studies of the Department of Psychology",
    "OPERATOR_CONTACT": "visage@example.org",
}


def of(*needs: str) -> list[Any]:
    return [pytest.param(block, id=block.name) for block in BLOCKS if block.needs in needs]


def test_every_block_says_what_it_needs() -> None:
    assert len(BLOCKS) > 45
    unclear = {block.name: block.needs for block in BLOCKS if block.needs not in NEEDS}
    assert unclear == {}, "put <!-- block: … --> before it: see tests/support/code_blocks.py"
    marks = [line for page in PAGES for line in page.read_text().splitlines() if is_mark(line)]
    assert len(marks) == len(BLOCKS), "a mark without a block"


# What is not run ----------------------------------------------------------------------------------


@pytest.mark.parametrize("block", of(*(needs for needs, is_run in NEEDS.items() if is_run)))
def test_its_commands_exist(block: Block) -> None:
    """Whatever a command needs to run, its name and its options are those that there are."""
    commands = block.commands()
    assert commands
    for command in commands:
        check_make(command)
        check_manage(command)
        for script in re.findall(r"\b(?:clients|scripts|benchmarks)/[\w./]+", command):
            assert (ROOT / script).exists(), script
        for module in re.findall(r" -m ((?:benchmarks|tests)[\w.]*)", command):
            assert (ROOT / f"{module.replace('.', '/')}.py").exists(), module
        compose = (ROOT / "compose.yaml").read_text()
        assert all((ROOT / file).exists() for file in re.findall(r" -f (\S+)", command))
        for service in re.findall(r"docker compose\b.* exec (\w+)", command):
            assert re.search(rf"(?m)^  {service}:", compose), service


def check_make(command: str) -> None:
    for target in re.findall(r"\bmake ([\w-]+)", command):
        assert re.search(rf"(?m)^{target}:", (ROOT / "Makefile").read_text()), target


def check_manage(command: str) -> None:
    found = re.search(r"manage\.py ([a-z_]+)(.*)", command)
    if not found:
        return
    name, rest = found[1], found[2]
    assert name in get_commands(), name
    app = get_commands()[name]
    loaded = load_command_class(app, name) if isinstance(app, str) else app
    known = set(loaded.create_parser("manage.py", name)._option_string_actions)
    assert set(re.findall(r"(?<=\s)--[\w-]+", rest)) <= known, command


def test_targets_and_commands_within_sentences_exist() -> None:
    for page in PAGES:
        for code in re.findall(r"`([^`\n]+)`", page.read_text()):
            if code.startswith("make ") and "…" not in code:
                check_make(code)
            if re.match(r"(\S*python )?manage\.py \w+", code) and "…" not in code:
                check_manage(code)


@pytest.mark.parametrize("block", of("format"))
def test_what_is_json_is_json(block: Block) -> None:
    rest = block.text.strip()
    if not rest.startswith("{") or "…" in rest:
        return
    while rest:
        found, end = json.JSONDecoder().raw_decode(rest)
        assert found
        rest = rest[end:].strip()


# What is run --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def person(site: Site) -> Person:
    return site.sign_up("blocks@example.org").accept_camera()


@pytest.fixture(scope="module")
def tokens(person: Person) -> dict[str, str]:
    return {scope: person.make_token(scope) for scope in ("write", "live")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the blocks find beside them."""
    (tmp_path / "holiday").mkdir()
    for name in ("photo.jpg", "holiday/beach.jpg"):
        (tmp_path / name).write_bytes(face_jpeg())
    (tmp_path / "interview.mp4").write_bytes(face_mp4())
    (tmp_path / "backups").mkdir()
    return tmp_path


def run(
    block: Block, folder: Path, environment: dict[str, str], **values: str
) -> subprocess.CompletedProcess[str]:
    text = "\n".join(block.commands())
    for written, name in ITS_OWN.items():
        text = text.replace(written, values.get(name, written))
    for name in ("UPLOAD_ID", "FACE_ID"):
        text = text.replace(name, values.get(name, name))
    text = re.sub(r"\d{4}-\d\d-\d\d(?=\.tar)", "$(date +%F)", text)
    python = f"'{sys.executable}'"
    text = re.sub(r"(?<![\w/])(?:\.venv/bin/)?python ", f"{python} ", text)
    text = re.sub(r"(?<= )(manage\.py|clients/)", rf"'{ROOT}'/\1", text)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.site
@pytest.mark.parametrize("block", of("runs"))
def test_it_runs_beside_a_site(
    block: Block, site: Site, person: Person, tokens: dict[str, str], folder: Path
) -> None:
    person.upload(face_jpeg(), "before.jpg")
    upload = person.wait_until_finished()[0]
    token = tokens["live" if "live_client" in block.text else "write"]
    environment = {**site.environment, "VISAGE_URL": site.url, "VISAGE_TOKEN": token}
    values = {
        "URL": site.url,
        "TOKEN": token,
        "BACKUPS": f"{folder}/backups/",
        "UPLOAD_ID": upload["id"],
        "FACE_ID": str(upload["faces"][0]["id"]),
    }
    done = run(block, folder, environment, **values)
    assert done.returncode == 0, done.stderr
    # Of an API that refuses curl says nothing.
    assert '"code"' not in done.stdout, done.stdout
    assert done.stdout.strip() or "DELETE" in block.text or "maps/" in block.text


@pytest.mark.site
@pytest.mark.parametrize("block", of("runs production"))
def test_it_runs_with_settings_of_a_site_for_others(block: Block, folder: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder / "data"), **PRODUCTION}
    done = run(block, folder, environment)
    assert done.returncode == 0, done.stderr


def test_lines_of_python_are_tested_where_what_they_use_is() -> None:
    """Each has its own test: the client's in `tests/site/test_interface.py`, and the next one."""
    named = [block.name.split(":")[0] for block in BLOCKS if block.needs == "python"]
    assert sorted(named) == ["README.md", "docs/API.md"]


def test_a_genuine_message_is_told_from_others() -> None:
    (block,) = [b for b in BLOCKS if b.needs == "python" and b.page.name == "API.md"]
    names: dict[str, Any] = {}
    exec(block.text, names)
    now, body = int(time.time()), b'{"event": "upload.finished"}'

    def header(at: int, secret: str) -> str:
        signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
        return f"t={at},v1={signed.hexdigest()}"

    assert names["is_genuine"]("secret", header(now, "secret"), body)
    assert not names["is_genuine"]("secret", header(now, "other"), body)
    assert not names["is_genuine"]("secret", header(now - 3600, "secret"), body)
    assert not names["is_genuine"]("secret", header(now, "secret"), body + b" ")
