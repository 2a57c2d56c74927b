"""Runs processes of the built image as compose.yaml does: an ordinary user, a read-only root."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
IMAGE = os.environ.get("IMAGE", "visage")
USER = 10001
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def command_of(service: str) -> list[str]:
    """As in compose.yaml; of the web process, the image's own."""
    return [word.replace("$$", "$") for word in SERVICES[service].get("command", [])]


class Docker:
    """Containers of a Docker daemon, on this machine's network."""

    def __init__(self, data_dir: Path, environment: dict[str, str]) -> None:
        self.data_dir = data_dir
        self.environment = environment
        self._names: dict[int, str] = {}

    def config(self) -> dict[str, Any]:
        told = _output("docker", "image", "inspect", "--format", "{{json .Config}}", IMAGE)
        found: dict[str, Any] = json.loads(told)
        return found

    def megabytes(self) -> float:
        return int(_output("docker", "image", "inspect", "--format", "{{.Size}}", IMAGE)) / 1e6

    def run(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._line(command, "--rm"), capture_output=True, text=True, **options
        )

    def start(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        name = f"visage-{uuid.uuid4().hex[:12]}"
        with log.open("ab") as file:
            process = subprocess.Popen(
                self._line(command, "--rm", "--name", name), stdout=file, stderr=file
            )
        self._names[process.pid] = name
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> int:
        """Send SIGTERM and wait; its exit status."""
        _output("docker", "kill", "--signal", "TERM", self._names[process.pid])
        return process.wait(timeout=60)

    def close(self) -> None:
        for name in self._names.values():
            subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)

    def _line(self, command: list[str], *options: str) -> list[str]:
        variables = [f"--env={name}={value}" for name, value in self.environment.items()]
        confined = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
        places = ["--network=host", "--tmpfs=/tmp", f"--volume={self.data_dir}:/data"]
        return ["docker", "run", *options, *confined, *places, *variables, IMAGE, *command]


#: Makes a root that nobody can write, with /data and a /tmp of its own, and becomes the process.
_ENTER = """
set -eu
root=$1 data=$2; shift 2
# Where chroot is; not every root's PATH has it.
PATH=$PATH:/usr/sbin:/sbin
mount --bind "$root" "$root"
mount --bind "$data" "$root/data"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -o remount,ro,bind "$root"
exec chroot "$root" \\
    setpriv --reuid 10001 --regid 10001 --clear-groups \\
    --no-new-privs --bounding-set=-all --inh-caps=-all \\
    env -C /app "$@"
"""


class Buildah:
    """Processes in the image's file system, where no daemon runs; needs root."""

    def __init__(self, data_dir: Path, environment: dict[str, str]) -> None:
        self.data_dir = data_dir
        self.environment = environment
        self._container = _output("buildah", "from", IMAGE)
        self._root = _output("buildah", "mount", self._container)
        resolver = Path(self._root, "etc", "resolv.conf")
        if not resolver.exists():
            shutil.copy("/etc/resolv.conf", resolver)
        self._processes: list[subprocess.Popen[bytes]] = []

    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(_output("buildah", "inspect", self._container))
        docker: dict[str, Any] = found["Docker"]["config"]
        return docker

    def megabytes(self) -> float:
        return int(_output("du", "-sxb", self._root).split()[0]) / 1e6

    def run(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self._line(command), capture_output=True, text=True, **options)

    def start(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as file:
            process = subprocess.Popen(
                self._line(command), stdout=file, stderr=file, start_new_session=True
            )
        self._processes.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> int:
        """Send SIGTERM and wait; its exit status."""
        process.terminate()
        return process.wait(timeout=60)

    def close(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        subprocess.run(["buildah", "rm", self._container], capture_output=True, check=False)

    def _line(self, command: list[str]) -> list[str]:
        config = self.config()
        variables = [
            *config["Env"],
            *(f"{name}={value}" for name, value in self.environment.items()),
        ]
        wanted = command or config["Cmd"]
        inside = [self._root, str(self.data_dir), "-i", *variables, *wanted]
        return ["unshare", "--mount", "sh", "-c", _ENTER, "enter", *inside]


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def engine(environment: dict[str, str]) -> Docker | Buildah:
    """What `scripts/image` found to build with, and an empty folder for /data."""
    found = _output("sh", str(ROOT / "scripts" / "image"), "engine")
    data_dir = Path(tempfile.mkdtemp(prefix="visage-image-"))
    data_dir.chmod(0o700)
    os.chown(data_dir, USER, USER)
    return {"docker": Docker, "buildah": Buildah}[found](data_dir, environment)


def say(sentence: str) -> None:
    """Print what is to be read even where the tests pass."""
    print(f"image: {sentence}", file=sys.__stdout__, flush=True)
