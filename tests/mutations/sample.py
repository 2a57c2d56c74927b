"""A seeded sample of mutants, each tried by the tests that run its function (``make mutants``).

One process collects the tests and makes the database. A child of it notes which test runs which
function; then each mutant gets a child of its own, in which the changed code takes the place of the
function's, decorated or not. So a mutant costs its tests alone, not a start of Django.
"""

from __future__ import annotations

import argparse
import ast
import functools
import gc
import json
import math
import os
import random
import resource
import shutil
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.mutations.checkout import ROOT, copied
from tests.mutations.operators import Mutant, changed, compiled, mutants

#: What is changed, and the folders and files of tests that prove it. Left out is what takes minutes
#: and proves other things beside.
ROOMS = {
    "recognition/uploads": ("recognition", "api/test_uploads.py", "api/test_idempotency.py"),
    "recognition/jobs": ("jobs/test_transitions.py", "jobs/test_picking.py",
                         "recognition/test_processing.py", "recognition/test_queues.py"),
    "recognition/personal_data": ("recognition/test_data_export.py",
                                  "recognition/test_account_deletion.py"),
    "recognition/webhooks": ("api/test_webhooks.py", "api/test_webhooks_tls.py"),
    "recognition/quotas.py": ("recognition/test_quotas.py", "recognition/test_stored_bytes.py"),
    "recognition/vision": ("vision",),
    "accounts": ("accounts", "admin/test_people.py"),
}  # fmt: skip
LEFT_OUT = ["vision/test_corpus.py", "vision/test_hostile_videos.py"]
#: What starts the confined process, whose lines are not seen from here.
CONFINED, STARTS_IT = "recognition/vision/", "recognition/vision/decoding/pool.py"
#: What a mutant may cost where nothing kills it.
ENOUGH_SECONDS = 20.0
#: A loop without an end shows by the processor's time; a wait for nothing, by the clock.
SPARE_CPU_SECONDS, SECONDS = 20, 900
#: How a child ends that could not try its mutant at all.
BROKEN = 3


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def draw(size: int, seed: int, rooms: list[str]) -> list[Mutant]:
    """From each package by its share of all mutants, and then in an order drawn as well."""
    chance, drawn, everything = random.Random(seed), [], {}
    for folder in rooms:
        files = [ROOT / folder] if folder.endswith(".py") else sorted((ROOT / folder).rglob("*.py"))
        names = [str(file.relative_to(ROOT)) for file in files if "migrations" not in file.parts]
        everything[folder] = [mutant for name in names for mutant in mutants(ROOT, name)]
    total = sum(map(len, everything.values()))
    say(f"{total} mutants: { {folder: len(found) for folder, found in everything.items()} }")
    for found in everything.values():
        drawn += chance.sample(found, round(size * len(found) / total))
    chance.shuffle(drawn)
    return drawn


def within(seconds: dict[str, float], tests: list[str]) -> list[str]:
    """As many of `tests` as take `ENOUGH_SECONDS` of the processor's time together."""
    chosen, total = [], 0.0
    for name in tests:
        total += seconds[name]
        if chosen and total > ENOUGH_SECONDS:
            break
        chosen.append(name)
    return chosen


def put_in_place(mutant: Mutant, source: str) -> None:
    """Give every living function of the mutant's file its changed code."""
    path = str(ROOT / mutant.path)
    codes = compiled(changed(source, mutant), path)
    for thing in gc.get_objects():
        # By its type: to ask a lazy object for its class would make it.
        if type(thing) is FunctionType and thing.__code__.co_filename == path:
            code = codes.get((thing.__code__.co_qualname, thing.__code__.co_firstlineno))
            if code and code.co_freevars == thing.__code__.co_freevars:
                thing.__code__ = code
        elif type(thing) is functools._lru_cache_wrapper:
            thing.cache_clear()


class Sampler:
    """Takes the place of pytest's own loop over the tests."""

    def __init__(self, chosen: list[Mutant], results: Path) -> None:
        self.chosen, self.results = chosen, results

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        from django.conf import settings

        self.items = session.items
        # The first makes the database; what comes next is of another file, which takes down what
        # belongs to the first alone.
        warm = self.items[0]
        runtestprotocol(warm, log=False, nextitem=self._other(warm.nodeid))
        self.data, self.kept = Path(settings.DATA_DIR), self.results.with_suffix(".data")
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(self.data, self.kept)
        self.failed = self.results.with_suffix(".failed")
        traced = self.results.with_suffix(".tests.json")
        if not traced.exists():
            self._in_a_child(lambda: self._trace(traced))
        tests, self.seconds = json.loads(traced.read_text())
        killers = set()
        for at, mutant in enumerate(self.chosen, 1):
            covering = tests.get(f"{mutant.path}:{mutant.function}", [])
            if not covering and mutant.path.startswith(CONFINED):
                covering = tests.get(STARTS_IT, [])
            covering = within(self.seconds, covering)
            start = time.monotonic()
            outcome = "not covered"
            if covering:
                source = (ROOT / mutant.path).read_text()
                # For processes that a test starts.
                (ROOT / mutant.path).write_text(ast.unparse(changed(source, mutant)))
                try:
                    outcome = self._in_a_child(
                        functools.partial(self._try, mutant, source, covering),
                        SPARE_CPU_SECONDS + 5 * sum(self.seconds[name] for name in covering),
                    )
                finally:
                    (ROOT / mutant.path).write_text(source)
            took = round(time.monotonic() - start, 1)
            killer = self.failed.read_text() if outcome == "killed" else ""
            killers |= {killer} - {""}
            line = asdict(mutant) | {"tests": len(covering), "outcome": outcome, "seconds": took}
            line["killer"] = killer
            with self.results.open("a") as file:
                file.write(json.dumps(line) + "\n")
            say(f"{at}/{len(self.chosen)} {outcome} {mutant.path}:{mutant.line} {mutant.kind}")
        for name in sorted(killers):
            # Of the code as it is: a test that fails then has killed nothing.
            if self._in_a_child(functools.partial(self._run, [name])) != "survived":
                say(f"fails by itself: {name}")
        return True

    def _in_a_child(self, work: Callable[[], int], limit: float | None = None) -> str:
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self.kept, self.data)
        sys.stdout.flush()
        pid = os.fork()
        if not pid:
            try:
                if limit:
                    resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit)))
                    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                    os.dup2(1, 2)
                os._exit(work())
            except BaseException:
                self.failed.write_text(traceback.format_exc())
                os._exit(BROKEN)
        end = time.monotonic() + SECONDS
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                if code == BROKEN:
                    raise RuntimeError(self.failed.read_text())
                return "survived" if code == 0 else "killed" if code > 0 else "timed out"
            if limit and time.monotonic() > end:
                os.kill(pid, 9)
            time.sleep(0.05)

    def _try(self, mutant: Mutant, source: str, covering: list[str]) -> int:
        put_in_place(mutant, source)
        return self._run(covering)

    def _run(self, names: list[str]) -> int:
        """Run tests until one fails, which is then written down; 1 where one did."""
        by_name = {item.nodeid: item for item in self.items}
        self.failed.write_text("")
        for name in names:
            reports = runtestprotocol(by_name[name], log=False, nextitem=self._other(name))
            if any(report.failed for report in reports):
                self.failed.write_text(name)
                return 1
        return 0

    def _other(self, name: str) -> pytest.Item:
        """A test of another folder than that of `name`, or at least of another file."""
        folder, file = name.rsplit("/", 1)[0], name.partition("::")[0]
        others = [item for item in self.items if not item.nodeid.startswith(folder + "/")]
        others += [item for item in self.items if not item.nodeid.startswith(file)]
        return others[0]

    def _trace(self, where: Path) -> int:
        """Write down which tests run which function, the quick ones first; none that fails."""
        seen: set[CodeType] = set()

        def note(frame: FrameType, event: str, arg: Any) -> None:
            seen.add(frame.f_code)

        ran: dict[str, list[tuple[float, str]]] = defaultdict(list)
        seconds: dict[str, float] = {}
        threading.settrace(note)
        for at, item in enumerate(self.items):
            seen.clear()
            start = time.process_time()
            sys.settrace(note)
            reports = runtestprotocol(item, log=False, nextitem=self._other(item.nodeid))
            sys.settrace(None)
            if not all(report.passed for report in reports):
                say(f"left out: {item.nodeid}")
                continue
            seconds[item.nodeid] = took = round(time.process_time() - start, 3)
            names = set()
            # A copy: threads that a test left behind go on.
            for code in [code for code in seen.copy() if code.co_filename.startswith(str(ROOT))]:
                file = str(Path(code.co_filename).relative_to(ROOT))
                names |= {file, f"{file}:{code.co_qualname.partition('.<locals>')[0]}"}
            for name in names:
                ran[name].append((took, item.nodeid))
            if at % 50 == 0:
                say(f"{at}/{len(self.items)} tests traced")
        quick_first = {name: [test for _, test in sorted(found)] for name, found in ran.items()}
        where.write_text(json.dumps([quick_first, seconds]))
        return 0


def report(results: Path, size: int, seed: int) -> dict[str, Any]:
    """What became of a sample: shares with Wilson's interval of 95 %, and what survived."""
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    killed = [line["outcome"] in ("killed", "timed out") for line in lines]
    n, share, z = len(lines), sum(killed) / len(lines), 1.96
    middle, reach = share + z**2 / 2 / n, z * math.sqrt(share * (1 - share) / n + (z / 2 / n) ** 2)
    keys = ("path", "line", "function", "kind", "was", "outcome")
    return {
        "seed": seed,
        "drawn": size,
        "tried": n,
        "killed": sum(killed),
        "share": round(share, 3),
        "interval": [round((middle + sign * reach) / (1 + z**2 / n), 3) for sign in (-1, 1)],
        "outcomes": dict(Counter(line["outcome"] for line in lines)),
        "left": [
            {key: line[key] for key in keys}
            for line, is_killed in zip(lines, killed, strict=True)
            if not is_killed
        ],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=250)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--rooms", nargs="+", default=list(ROOMS), choices=list(ROOMS))
    parser.add_argument("--json", type=Path, help="where to write what became of them")
    parser.add_argument("--in-copy", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_copy is None:
        results = ROOT / "var" / "mutants.jsonl"
        results.parent.mkdir(exist_ok=True)
        # Nor what an earlier run noted: other rooms have other tests.
        for suffix in (".jsonl", ".tests.json"):
            results.with_suffix(suffix).unlink(missing_ok=True)
        with copied() as root:
            command = [sys.executable, "-B", "-m", "tests.mutations.sample", *sys.argv[1:]]
            subprocess.run([*command, "--in-copy", str(results)], cwd=root, check=False)
        became = {"rooms": options.rooms, **report(results, options.size, options.seed)}
        say(json.dumps(became, indent=1))
        if options.json:
            options.json.write_text(json.dumps(became, indent=1, ensure_ascii=False) + "\n")
        return 0
    named = sorted({name for room in options.rooms for name in ROOMS[room]})
    arguments = [str(ROOT / "tests" / name) for name in named]
    arguments += [f"--ignore={ROOT / 'tests' / name}" for name in LEFT_OUT]
    arguments += ["-m", "not site", "-n0", "-p", "no:cacheprovider", "-s", "--timeout", "0"]
    sampler = Sampler(draw(options.size, options.seed, options.rooms), options.in_copy)
    return pytest.main(arguments, plugins=[sampler])


if __name__ == "__main__":
    raise SystemExit(main())
