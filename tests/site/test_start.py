"""`manage.py start`, the command behind `make run`."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.site import ROOT, Person, Site, free_port, wait_until

pytestmark = pytest.mark.site


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return Site(tmp_path / "data of mine").environment


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "start"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def failed_start(environment: dict[str, str]) -> str:
    """What a start that must fail says."""
    process = start(environment)
    output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    return output


def test_it_runs_the_whole_site_until_ctrl_c_and_keeps_the_data(
    environment: dict[str, str],
) -> None:
    url = f"http://127.0.0.1:{environment['PORT']}"
    del environment["SITE_URL"]
    passwords = {}
    prepared = None
    for run in (1, 2):
        process = start(environment)
        try:
            wait_until(lambda: is_healthy(url), timeout=90)
            told = httpx.get(f"{url}/api/v1/uploads/").json()["type"]
            assert told.startswith(f"http://localhost:{environment['PORT']}/"), "as it was started"
            family = psutil.Process(process.pid).children(recursive=True)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        assert f"http://localhost:{environment['PORT']}" in output
        _gone, alive = psutil.wait_procs(family, timeout=20)
        assert not alive
        assert "no sample photos" not in output
        assert "cannot be reached" not in output
        if run == 1:
            passwords = dict(re.findall(r"sign in with (\S+) and password (\S+)", output))
            assert set(passwords) == {"demo@example.com", "admin@example.com"}
            prepared = what_is_prepared(environment)
        else:
            assert "and password" not in output
            assert what_is_prepared(environment) == prepared, "a second start prepares nothing"
    kept = {key: environment[key] for key in ("DATABASE_URL",) if key in environment}
    with Site(Path(environment["DATA_DIR"]), **kept) as site:
        person = Person(site.url)
        form = {"login": "admin@example.com", "password": passwords["admin@example.com"]}
        assert person.post("/accounts/login/", data=form).status_code == 302
        assert person.get("/admin/").status_code == 200
        demo = Person(site.url)
        form = {"login": "demo@example.com", "password": passwords["demo@example.com"]}
        assert demo.post("/accounts/login/", data=form).status_code == 302
        demo.post("/accounts/consent/", data={"consent": "on"})
        photos = demo.uploads()
        found = {
            photo["name"]: (photo["status"], sum(not face["rejected"] for face in photo["faces"]))
            for photo in photos
        }
        assert found == {"Astronaut.jpg": ("done", 1), "Six prints.jpg": ("done", 5)}


def what_is_prepared(environment: dict[str, str]) -> dict[str, int]:
    """When each static file was written; migrations write the database, which work does, too."""
    static = Path(environment["DATA_DIR"]) / "static"
    found = {str(file): file.stat().st_mtime_ns for file in static.rglob("*") if file.is_file()}
    assert len(found) > 10
    return found


def test_workers_step_back_for_pages(environment: dict[str, str]) -> None:
    """By their niceness and, where the kernel shares cores among sessions, by their session's."""
    niceness = 7
    process = start({**environment, "WORKERS": "2", "WORKER_NICENESS": str(niceness)})
    try:
        wait_until(lambda: is_healthy(f"http://127.0.0.1:{environment['PORT']}"), timeout=90)
        found = wait_until(lambda: all_of_celery_and_daphne(process))
        # Honcho fails to end its programs while it is still starting one.
        wait_until(lambda: n_programs(process) == 5)
        # The tests may be stepping back themselves.
        own = os.nice(0)
        for name, program in found.items():
            expected = 0 if name == "daphne" else niceness
            assert program.nice() == own + expected, name
            autogroup = Path(f"/proc/{program.pid}/autogroup")
            if autogroup.exists():
                assert autogroup.read_text().endswith(f" nice {expected}\n"), name
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)


def n_programs(process: subprocess.Popen[str]) -> int:
    """How many lines of the Procfile run: each below a process of Honcho's own."""
    return sum(bool(child.children()) for child in psutil.Process(process.pid).children())


def all_of_celery_and_daphne(process: subprocess.Popen[str]) -> dict[str, psutil.Process] | None:
    """The worker of photos, the one of webhooks, the scheduler and the web server, once all run."""
    words = {
        "daphne": "bin/daphne",
        "worker": "--concurrency 2",
        "webhooks": "--hostname webhooks@",
        "scheduler": " beat ",
    }
    found = {}
    for child in psutil.Process(process.pid).children(recursive=True):
        command = " ".join(child.cmdline())
        for name, word in words.items():
            if word in command and "scripts/" not in command:
                found[name] = child
    return found if len(found) == len(words) else None


def test_several_web_processes_listen_on_ports_side_by_side(environment: dict[str, str]) -> None:
    environment["WEB_PROCESSES"] = "2"
    port = int(environment["PORT"])
    process = start(environment)
    try:
        for url in (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"):
            wait_until(lambda url=url: is_healthy(url), timeout=90)
        elsewhere = {**environment, "PORT": str(free_port()), "WEB_PROCESSES": "1"}
        output = failed_start(elsewhere)
        assert output == f"CommandError: Another copy already runs on {environment['DATA_DIR']}.\n"
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)


def is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def test_a_taken_port_is_one_clear_line(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(environment["PORT"]))):
        output = failed_start(environment)
    assert output.count("\n") == 1
    assert environment["PORT"] in output
    assert "Choose another with PORT" in output


def test_a_missing_model_is_one_clear_line(environment: dict[str, str], tmp_path: Path) -> None:
    environment["MODEL_MANIFEST"] = str(tmp_path / "none.json")
    output = failed_start(environment)
    assert output.count("\n") == 1
    assert "No trained model" in output


def test_a_redis_that_does_not_answer_is_one_clear_line(environment: dict[str, str]) -> None:
    environment["REDIS_URL"] = f"redis://127.0.0.1:{free_port()}/0"
    output = failed_start(environment)
    assert output.count("\n") == 1
    assert "REDIS_URL does not answer" in output


def test_outside_debug_a_secret_key_is_demanded(environment: dict[str, str]) -> None:
    environment["DEBUG"] = "false"
    environment.pop("SECRET_KEY", None)
    output = failed_start(environment)
    assert output.count("\n") == 1
    assert "SECRET_KEY is not set" in output
