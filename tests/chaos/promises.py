"""The site's promises, each tried by breaking it: processes killed, Redis stopped, disks filled.

Every fault is a real one on a site that runs as its Procfile says. The tests run the same with
small numbers.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.chaos import bodies, faults, films, floods, storage
from tests.chaos import load as loads
from tests.chaos.bombs import costly_files, many_bombs
from tests.chaos.memory import many_photos
from tests.chaos.mutations import read_mutations
from tests.support.report import Figure, show_figures
from tests.support.site import Site


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    uploads: int = 500
    child_kills: int = 20
    tree_kills: int = 5
    outage_uploads: int = 100
    film_kills: int = 10
    film_seconds: float = 120
    restarts: int = 10
    restart_uploads: int = 200
    good_beside_poison: int = 50
    doubled_uploads: int = 50
    writing_processes: int = 8
    writes: int = 500
    disk_uploads: int = 20
    memory_early: int = 200
    memory_photos: int = 2000
    corpus_every: int = 1
    mutations: int = 10_000
    bombs: int = 30
    costly_frames: int = 10
    huge_megabytes: int = 1000
    drips: int = 50
    drip_grace: float = 20
    noisy_sockets: int = 4
    noise_seconds: float = 20
    jobs_of_one: int = 500
    slow_webhooks: int = 80
    people: int = 50
    live_pages: int = 10
    load_seconds: float = 600
    bare_photos: int = 50
    #: Without it, only that everything ends well: a few seconds are no measure.
    load_is_timed: bool = True
    bombs_are_timed: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)


SMALL = Size(
    uploads=24,
    child_kills=2,
    tree_kills=1,
    outage_uploads=6,
    film_kills=2,
    film_seconds=90,
    restarts=1,
    restart_uploads=6,
    good_beside_poison=4,
    doubled_uploads=8,
    writing_processes=3,
    writes=20,
    disk_uploads=12,
    memory_early=20,
    memory_photos=60,
    corpus_every=9,
    mutations=300,
    bombs=6,
    costly_frames=1,
    huge_megabytes=200,
    drips=2,
    drip_grace=2,
    noisy_sockets=2,
    noise_seconds=3,
    jobs_of_one=30,
    slow_webhooks=20,
    people=5,
    live_pages=2,
    load_seconds=12,
    bare_photos=2,
    load_is_timed=False,
    bombs_are_timed=False,
    # Lost work is found after seconds instead of a minute.
    environment={"CLAIM_SECONDS": "10", "REQUEUE_SECONDS": "10"},
)


def kills(folder: Path, size: Size) -> Iterator[Figure]:
    result = faults.kill_workers(
        folder, size.uploads, size.child_kills, size.tree_kills, **size.environment
    )
    yield Figure(
        f"{size.uploads} uploads, {size.child_kills} worker children and {size.tree_kills} whole "
        "workers killed: done; failed; lost; written twice; last result after",
        "0 lost; 0 twice; 5 min",
        f"{result.done}; {result.failed}; {result.lost}; {result.repeated}; {result.seconds:.0f} s",
        result.is_kept,
        asdict(result),
    )


def outage(folder: Path, size: Size) -> Iterator[Figure]:
    result = faults.redis_outage(folder, size.outage_uploads, **size.environment)
    yield Figure(
        f"{size.outage_uploads} uploads, half while Redis is stopped and half while it hangs: "
        "slowest page; slowest upload; done; all ended after",
        f"3 s; 3 s; {size.outage_uploads}; 5 min",
        f"{result.slowest_page:.1f} s; {result.slowest_upload:.1f} s; {result.done}; "
        f"{result.seconds:.0f} s",
        max(result.slowest_page, result.slowest_upload) <= 3 and result.done == size.outage_uploads,
        asdict(result),
    )


def film(folder: Path, size: Size) -> Iterator[Figure]:
    yield films.figure(folder, size.film_kills, size.film_seconds, **size.environment)


def restarts(folder: Path, size: Size) -> Iterator[Figure]:
    result = faults.redis_restarts(folder, size.restarts, size.restart_uploads, **size.environment)
    yield Figure(
        f"{size.restarts} restarts of Redis during {size.restart_uploads} uploads: slowest return "
        "to work; done",
        f"30 s; {size.restart_uploads}",
        f"{result.slowest:.0f} s; {result.done}",
        result.slowest <= 30 and result.done == size.restart_uploads,
        asdict(result),
    )


def poison(folder: Path, size: Size) -> Iterator[Figure]:
    result = faults.poison(folder, size.good_beside_poison, **size.environment)
    yield Figure(
        f"a photo that kills its process beside {size.good_beside_poison} good ones: its end; "
        "good ones done",
        f"failed after 3 attempts; {size.good_beside_poison}",
        f"{result.poison_status} ({result.poison_code}); {result.done}",
        (result.poison_status, result.poison_code, result.done)
        == ("failed", "gave_up", size.good_beside_poison),
        asdict(result),
    )


def doubled(folder: Path, size: Size) -> Iterator[Figure]:
    result = faults.two_of_everything(folder, size.doubled_uploads)
    yield Figure(
        f"two web processes, two workers, two schedulers, {size.doubled_uploads} messages lost: "
        "done; worked on twice",
        f"{size.doubled_uploads}; 0",
        f"{result.done}; {result.worked_twice}",
        result.done == size.doubled_uploads and result.worked_twice == 0,
        asdict(result),
    )


def writers(folder: Path, size: Size) -> Iterator[Figure]:
    engine = "PostgreSQL" if "DATABASE_URL" in os.environ else "SQLite"
    wanted = size.writing_processes * size.writes
    result = storage.writers(Site(folder), size.writing_processes, size.writes)
    yield Figure(
        f"{size.writing_processes} processes × {size.writes} writes on {engine}: rows; errors; "
        "integrity",
        f"{wanted}; 0; ok",
        f"{result.rows}; {result.errors}; {result.integrity}",
        (result.rows, result.errors, result.integrity) == (wanted, 0, "ok"),
        asdict(result),
    )


def disk(folder: Path, size: Size) -> Iterator[Figure]:
    name = (
        f"{size.disk_uploads} uploads to a disk of 5 MB: accepted; refused; files without an "
        "upload; with space again"
    )
    wanted = "refusals 507 storage_full; 0; 201"
    if not storage.can_mount():
        yield Figure(name, wanted, "not measured: mounting needs root", None, {})
        return
    result = storage.full_disk(folder, size.disk_uploads)
    said = ", ".join(sorted({f"{status} {code}" for status, code in result.refused_codes}))
    yield Figure(
        name,
        wanted,
        f"{result.accepted}; {len(result.refused_codes)} ({said}); {result.strays}; "
        f"{result.afterwards}",
        said == "507 storage_full" and result.strays == 0 and result.afterwards == 201,
        asdict(result),
    )


def memory(folder: Path, size: Size) -> Iterator[Figure]:
    result = many_photos(folder, size.memory_early, size.memory_photos)
    ratio = result.child_late / result.child_early
    yield Figure(
        f"{size.memory_photos:,} photos: worker child's memory after {size.memory_early}, at the "
        "end; web process",
        "× 1.1; 300 MB each",
        f"{result.child_early:.0f}, {result.child_late:.0f} MB (× {ratio:.2f}); "
        f"{result.web:.0f} MB",
        ratio <= 1.1 and max(result.child_late, result.web) <= 300,
        {**asdict(result), "ratio": ratio},
    )


def hostile(folder: Path, size: Size) -> Iterator[Figure]:
    result = bodies.hostile_files(folder, size.corpus_every)
    yield Figure(
        f"{result.sent} hostile and odd files: HTTP 500; worker deaths; wrong endings; slowest "
        "refusal",
        "0; 0; 0; 1 s",
        f"{result.server_errors}; {result.worker_deaths}; {len(result.wrong_endings)}; "
        f"{result.slowest_refusal:.2f} s",
        not result.server_errors
        and not result.worker_deaths
        and not result.wrong_endings
        and result.slowest_refusal < 1,
        asdict(result),
    )


def mutations(folder: Path, size: Size) -> Iterator[Figure]:
    result = read_mutations(folder, size.mutations)
    n_unexpected = sum(result.unexpected.values())
    yield Figure(
        f"{result.files:,} valid image files with bytes changed: crashes; errors that are no "
        "refusal; slowest refusal",
        "0; 0; 1 s",
        f"{result.crashes}; {n_unexpected}; {result.slowest_refusal:.2f} s",
        result.files >= size.mutations
        and not result.crashes
        and not n_unexpected
        and result.slowest_refusal < 1,
        asdict(result),
    )


def bombs(folder: Path, size: Size) -> Iterator[Figure]:
    result = many_bombs(folder, size.bombs)
    wanted_endings = {"201", "503 busy"}
    yield Figure(
        f"{size.bombs} PNGs of 50 megapixels at once: endings; web process; whole site; others' "
        "pages p95; their slowest photo; processes left behind",
        "201 or 503 busy; +100 MB; 1,500 MB; 500 ms; 5 s; 0",
        f"{', '.join(f'{n} × {how}' for how, n in sorted(result.endings.items()))}; "
        f"{result.web_growth:+.0f} MB; {result.site_peak:.0f} MB; {result.pages_p95:.0f} ms; "
        f"{result.photo_seconds:.1f} s; {result.orphans}",
        result.endings.keys() <= wanted_endings
        and result.web_growth <= 100
        and result.site_peak <= 1500
        and not result.orphans
        and (not size.bombs_are_timed or (result.pages_p95 < 500 and result.photo_seconds < 5)),
        asdict(result),
    )


def costly(folder: Path, size: Size) -> Iterator[Figure]:
    result = costly_files(folder, size.costly_frames)
    yield Figure(
        f"files of seconds of work, and {size.costly_frames} such live frames: accepted; slowest "
        "refusal; frames refused; longest wait of another live page",
        f"0; 1 s; {size.costly_frames}; 1 s",
        f"{len(result.accepted)}; {result.slowest_refusal:.2f} s; {result.frames_refused}; "
        f"{result.live_gap:.2f} s",
        not result.accepted
        and result.frames_refused == size.costly_frames
        and (not size.bombs_are_timed or max(result.slowest_refusal, result.live_gap) < 1),
        asdict(result),
    )


def huge(folder: Path, size: Size) -> Iterator[Figure]:
    for kind, result in bodies.huge_bodies(folder, size.huge_megabytes).items():
        yield Figure(
            f"{size.huge_megabytes:,} MB without a length over {kind}: answer; taken before it; "
            "memory",
            "refused; +50 MB",
            f"{result.answer}; {result.megabytes_taken:.0f} MB; {result.growth:+.0f} MB",
            result.answer != "taken"
            and result.megabytes_taken < size.huge_megabytes
            and result.growth <= 50,
            asdict(result),
        )


def drips(folder: Path, size: Size) -> Iterator[Figure]:
    for kind, seconds in floods.dripping(folder, size.drips, size.drip_grace).items():
        yield Figure(
            f"{size.drips} requests whose {kind} comes by a byte a second: the last ended after",
            "30 s",
            f"{seconds:.0f} s",
            seconds <= 30,
            {"seconds": seconds},
        )


def noise(folder: Path, size: Size) -> Iterator[Figure]:
    with Site(folder) as site:
        for page, n_bytes, most in (
            ("uploads", 1, 60), ("uploads", 200_000, 60), ("live", 900_000, 120),
        ):  # fmt: skip
            sent = (f"/ws/{page}/", bytes(n_bytes))
            result = floods.noise(site, *sent, size.noisy_sockets, size.noise_seconds)
            yield Figure(
                f"{size.noisy_sockets} sockets of {page} send frames of {n_bytes:,} bytes for "
                f"{size.noise_seconds:.0f} s: closed; others' pages p50, p95; memory",
                f"all; p95 500 ms; +{most} MB",
                f"{result.n_closed}; {result.median:.0f}, {result.p95:.0f} ms; "
                f"{result.growth:+.0f} MB",
                result.n_closed >= size.noisy_sockets
                and result.growth < most
                and (not size.load_is_timed or result.p95 < 500),
                asdict(result),
            )


def fair(folder: Path, size: Size) -> Iterator[Figure]:
    result = floods.fair_shares(folder, size.jobs_of_one)
    yield Figure(
        f"{size.jobs_of_one} large photos of one person wait for two workers: another's photo "
        "done after; its heat map; photos of the first done before",
        "5 s; 5 s; 4",
        f"{result.photo:.1f} s; {result.heat_map:.1f} s; {result.n_before}",
        result.n_before <= 4
        and (not size.load_is_timed or max(result.photo, result.heat_map) <= 5),
        asdict(result),
    )


def webhooks(folder: Path, size: Size) -> Iterator[Figure]:
    seconds = floods.slow_webhooks(folder, size.slow_webhooks)
    yield Figure(
        f"{size.slow_webhooks} messages of one person to receivers that never answer: another's "
        "arrived after",
        "5 s",
        f"{seconds:.1f} s",
        seconds <= 5 if size.load_is_timed else seconds <= 30,
        {"seconds": seconds},
    )


def load(folder: Path, size: Size) -> Iterator[Figure]:
    result = loads.load(folder, size.people, size.live_pages, size.load_seconds, size.bare_photos)
    n_errors = sum(result.errors.values())
    ended_well = not n_errors and result.done == result.uploads > 0 and result.live_answers > 0
    yield Figure(
        f"{size.people} people and {size.live_pages} live pages for {size.load_seconds:.0f} s, "
        f"{result.requests:,} requests: errors; pages p50, p95; live p95; results/s of the bare "
        "loop's (without live pages)",
        "0; p95 500 ms; 80 %",
        f"{n_errors}; {result.pages_p50:.0f}, {result.pages_p95:.0f} ms; {result.live_p95:.0f} ms; "
        f"{result.rate:.2f} of {result.bare_rate:.2f} = {result.ratio:.0%} "
        f"({result.rate_without_live / result.bare_rate:.0%})",
        ended_well and (not size.load_is_timed or (result.pages_p95 < 500 and result.ratio >= 0.8)),
        {**asdict(result), "ratio": result.ratio},
    )


PROMISES: dict[str, Callable[[Path, Size], Iterator[Figure]]] = {
    promise.__name__: promise
    for promise in (
        kills, outage, film, restarts, poison, doubled, writers, disk, memory, hostile, mutations,
        bombs, costly, huge, drips, noise, fair, webhooks, load,
    )
}  # fmt: skip


def measure(names: Sequence[str], size: Size) -> Iterator[Figure]:
    for name in names:
        with tempfile.TemporaryDirectory(prefix="visage-chaos-") as folder:
            yield from PROMISES[name](Path(folder) / "site", size)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PROMISES, default=list(PROMISES))
    parser.add_argument("--small", action="store_true", help="the sizes that the tests use")
    parser.add_argument("--json", type=Path, dest="json_path")
    options = parser.parse_args(arguments)
    size = SMALL if options.small else Size()
    return 0 if show_figures(measure(options.only, size), json_path=options.json_path) else 1


if __name__ == "__main__":
    sys.exit(main())
