"""A client for the API of a Visage site, in one file to copy; docs/API.md describes the API.

Needs the package ``httpx``, and ``pandas`` only where series shall be data frames::

    from visage_client import Visage

    with Visage("http://localhost:8000", token) as visage:
        upload = visage.upload("photo.jpg")
        for face in upload["faces"]:
            print(face["label"], face["confidence"])

        series = visage.series(visage.recordings()[0]["id"])

As a program it uploads the photos that it is given and prints their labels:
``VISAGE_URL=… VISAGE_TOKEN=… python clients/visage_client.py *.jpg``
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

#: An object of the API, with the fields that docs/API.md and `/api/v1/docs/` describe.
Row = dict[str, Any]

#: Seconds that one request waits for a result; the server allows no more.
WAIT_SECONDS = 30
#: Times that a request is sent again when the server is busy or the connection is lost.
RETRIES = 4
#: Seconds to wait before it is, where the server does not say; doubled each time.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60
#: Statuses of what may go well later; 409 is that of an upload that is still being taken in.
AGAIN = {409, 429, 502, 503, 504}
#: What may be sent again without doing anything twice.
REPEATABLE = {"GET", "DELETE", "PATCH", "PUT"}
#: The header by which the site knows a request that it has had.
KEY = "Idempotency-Key"
#: Samples of one page.
PAGE_SIZE = 5000


class VisageError(Exception):
    """The site refuses.

    Attributes:
        status: of HTTP.
        code: stable, for programs; docs/API.md lists them.
        detail: a sentence for people.
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{detail} ({code})")
        self.status = status
        self.code = code
        self.detail = detail


class Visage:
    """A site, as the owner of a token sees it. Close it, or use it with ``with``."""

    def __init__(self, url: str, token: str, *, timeout: float = 60) -> None:
        """Nothing is sent yet.

        Args:
            url: of the site, such as ``http://localhost:8000``.
            token: an API token; to change anything, one that may write.
            timeout: seconds for one request, longer than it may wait for a result.
        """
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
        )

    def __enter__(self) -> Visage:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # Photos -------------------------------------------------------------------------------------

    def upload(self, file: str | Path, *, seconds: float = 120, name: str | None = None) -> Row:
        """Upload a photo, and wait until it is done or has failed.

        The same file again within a day is not uploaded twice: the answer is the first upload's,
        unless that was deleted.

        Args:
            file: an image.
            seconds: to wait at most; 0 for not at all.
            name: what it is called on the site; by default as the file is.

        Returns:
            The upload, with its ``status`` and ``faces``.

        Raises:
            VisageError: it was refused, such as with the code ``too_large``.
            TimeoutError: it is still being worked on; :meth:`wait` goes on waiting.
            OSError: the file cannot be read.
        """
        path = Path(file)
        data, name = path.read_bytes(), name or path.name
        key = hashlib.sha256(name.encode() + b"\0" + data).hexdigest()
        request: Row = {
            "params": {"wait": int(min(seconds, WAIT_SECONDS))},
            "files": {"image": (name, data)},
        }
        try:
            upload: Row = self._ask("POST", "uploads/", headers={KEY: key}, **request)
        except VisageError as error:
            if error.code != "deleted_since":
                raise
            # What this key stands for was deleted: whoever uploads it again wants it back.
            again = {KEY: f"{key}-{uuid.uuid4()}"}
            upload = self._ask("POST", "uploads/", headers=again, **request)
        is_waited_for = seconds > 0 and upload["status"] not in {"done", "failed"}
        return self.wait(upload["id"], seconds=seconds) if is_waited_for else upload

    def wait(self, upload: str, *, seconds: float = 120) -> Row:
        """Wait until an upload is done or has failed, and return it.

        Raises:
            TimeoutError: it is not, after so many seconds.
        """
        ends = time.monotonic() + seconds
        while True:
            left = ends - time.monotonic()
            wait = int(max(0, min(left, WAIT_SECONDS)))
            found: Row = self._ask("GET", f"uploads/{upload}/", params={"wait": wait})
            if found["status"] in {"done", "failed"}:
                return found
            if left <= 0:
                raise TimeoutError(f"upload {upload} is {found['status']}")
            if not wait:
                time.sleep(max(0.0, min(left, FIRST_PAUSE)))

    def uploads(self, **filters: Any) -> Iterator[Row]:
        """One's uploads, newest first, read as they are asked for.

        Args:
            filters: as the API has them, such as ``label="sad"`` or ``status="failed"``.
        """
        return self._rows("uploads/", filters)

    def get_upload(self, upload: str) -> Row:
        found: Row = self._ask("GET", f"uploads/{upload}/")
        return found

    def delete_upload(self, upload: str) -> None:
        """Delete a photo with its results, at once and for good."""
        self._ask("DELETE", f"uploads/{upload}/")

    def correct(self, face: int, label: str) -> Row:
        """Say what a face shows: a label, ``not_a_face``, or nothing to take it back.

        Args:
            face: its ``id``, as an upload has it.
        """
        found: Row = self._ask("PATCH", f"predictions/{face}/", json={"correction": label})
        return found

    # Videos -------------------------------------------------------------------------------------

    def upload_video(
        self, file: str | Path, *, frames_per_second: int = 10, keep: bool | None = None
    ) -> Row:
        """Send a video in parts, of which a lost connection costs one; it is not waited for.

        Args:
            frames_per_second: that are looked at, from 1 to 30.
            keep: whether the site keeps the file; None for what its operator prefers.
        """
        path, rate = Path(file), {"frames_per_second": frames_per_second}
        about = {"name": path.name, "byte_size": path.stat().st_size, "keep": keep, **rate}
        begun: Row = self._ask("POST", "video-transfers/", json=about)
        address, offset = f"video-transfers/{begun['id']}/", 0
        with path.open("rb") as stream:
            while part := stream.read(begun["part_bytes"]):
                kind, place = {"Content-Type": "application/octet-stream"}, {"offset": offset}
                self._ask("PUT", f"{address}part/", params=place, content=part, headers=kind)
                offset += len(part)
        # Asked again, it gives the same video.
        video: Row = self._ask("POST", f"{address}finish/", headers={KEY: begun["id"]})
        return video

    def video(self, video: str) -> Row:
        """How far a video is; its ``recording`` has what was seen in it so far."""
        found: Row = self._ask("GET", f"videos/{video}/")
        return found

    # Recordings ---------------------------------------------------------------------------------

    def recordings(self, **filters: Any) -> list[Row]:
        """One's recordings, newest first.

        Args:
            filters: as the API has them, such as ``started_after="2026-11-01T00:00:00Z"``.
        """
        return list(self._rows("recordings/", filters))

    def recording(self, recording: str) -> Row:
        found: Row = self._ask("GET", f"recordings/{recording}/")
        return found

    def delete_recording(self, recording: str) -> None:
        """Delete a recording with its samples and markers, for good."""
        self._ask("DELETE", f"recordings/{recording}/")

    def samples(
        self, recording: str, *, from_ms: int = 0, to_ms: int | None = None
    ) -> Iterator[Row]:
        """What faces showed, in the order of time, read as it is asked for.

        Args:
            from_ms, to_ms: milliseconds since the start, without `to_ms` itself; None for the end.
        """
        for page in self._series_pages(recording, from_ms, to_ms):
            yield from page["samples"]

    def gaps(self, recording: str) -> list[Row]:
        """When there are no samples, and why."""
        pages = self._series_pages(recording, 0, None)
        return [gap for page in pages for gap in page["gaps"]]

    def series(self, recording: str, *, from_ms: int = 0, to_ms: int | None = None) -> Any:
        """Samples as a table: a row for each face and moment, with the columns of the CSV.

        Returns:
            A ``pandas.DataFrame`` if pandas is installed, else a list of dictionaries. The columns
            are ``time_ms``, ``face``, ``label``, ``uncertain``, ``p_happy`` … for each of the
            recording's labels, ``x``, ``y``, ``width``, ``height``, ``sharpness``, ``pixels`` and
            ``turn``; docs/SERIES.md says what they mean.
        """
        labels = self.recording(recording)["labels"]
        rows = [
            _flat(sample, labels)
            for sample in self.samples(recording, from_ms=from_ms, to_ms=to_ms)
        ]
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            return rows
        return pandas.DataFrame(rows, columns=_columns(labels))

    def markers(self, recording: str) -> list[Row]:
        """The moments that somebody named, in the order of time."""
        return list(self._rows(f"recordings/{recording}/markers/", {}))

    def add_marker(
        self, recording: str, time_ms: int, name: str, value: float | None = None
    ) -> Row:
        """Name a moment.

        Args:
            time_ms: milliseconds since the start of the recording.
            name: at most 80 characters.
            value: a number that belongs to it, such as a rating.
        """
        body = {"time_ms": time_ms, "name": name, "value": value}
        made: Row = self._ask("POST", f"recordings/{recording}/markers/", json=body)
        return made

    def change_marker(self, recording: str, marker: int, **fields: Any) -> Row:
        """Give a marker another ``time_ms``, ``name`` or ``value``; what is left out stays."""
        address = f"recordings/{recording}/markers/{marker}/"
        changed: Row = self._ask("PATCH", address, json=fields)
        return changed

    def delete_marker(self, recording: str, marker: int) -> None:
        self._ask("DELETE", f"recordings/{recording}/markers/{marker}/")

    # The person ---------------------------------------------------------------------------------

    def me(self) -> Row:
        """What the token's owner has used of their quotas, and every limit."""
        found: Row = self._ask("GET", "me/")
        return found

    # What is below ------------------------------------------------------------------------------

    def _series_pages(self, recording: str, from_ms: int, to_ms: int | None) -> Iterator[Row]:
        query = {"from_ms": from_ms, "page_size": PAGE_SIZE}
        if to_ms is not None:
            query["to_ms"] = to_ms
        return self._pages(f"recordings/{recording}/samples/", query)

    def _rows(self, address: str, query: dict[str, Any]) -> Iterator[Row]:
        for page in self._pages(address, query):
            yield from page["results"]

    def _pages(self, address: str, query: dict[str, Any]) -> Iterator[Row]:
        page: Row = self._ask("GET", address, params=query)
        yield page
        while page["next"]:
            # Of the address only what it asks: the site may be known by another name here.
            page = self._ask("GET", address, params=httpx.URL(page["next"]).params)
            yield page

    def _ask(self, method: str, address: str, **options: Any) -> Any:
        """Send a request, again where that may help; returns what the answer says.

        Raises:
            VisageError: the site refuses.
            httpx.TransportError: the site cannot be reached.
        """
        is_repeatable = method in REPEATABLE or KEY in options.get("headers", {})
        pause = FIRST_PAUSE
        for attempt in range(RETRIES + 1):
            is_last = attempt == RETRIES or not is_repeatable
            try:
                answer = self._http.request(method, address, **options)
            except httpx.TransportError:
                if is_last:
                    raise
            else:
                told = answer.headers.get("Retry-After", "")
                after = int(told) if told.isdigit() else 0
                is_gone = method == "DELETE" and attempt and answer.status_code == 404
                if is_gone:
                    return None  # By the attempt whose answer was lost.
                # Beyond a minute it is a quota and no queue: let whoever asked know.
                is_final = answer.status_code not in AGAIN or after > LONGEST_PAUSE
                # Another conflict does not pass by itself, and has no such header.
                if is_final or is_last or (answer.status_code == 409 and not after):
                    return _content(answer)
                pause = max(pause, after)
            time.sleep(pause)
            pause *= 2
        raise AssertionError("the last attempt returns or raises")


def _content(answer: httpx.Response) -> Any:
    """What an answer says; nothing for one without a body."""
    if answer.is_success:
        return answer.json() if answer.content else None
    try:
        problem = answer.json()
        code, detail = problem["code"], problem["detail"]
    except (ValueError, KeyError, TypeError):
        # Not the site, but what stands before it.
        code, detail = "unknown", f"{answer.status_code} {answer.reason_phrase}"
    raise VisageError(answer.status_code, code, detail)


def _columns(labels: list[str]) -> list[str]:
    return [
        "time_ms", "face", "label", "uncertain", *(f"p_{label}" for label in labels),
        "x", "y", "width", "height", "sharpness", "pixels", "turn",
    ]  # fmt: skip


def _flat(sample: Row, labels: list[str]) -> Row:
    """A sample as a row of a table; None for a label that the model did not know then."""
    row = {name: sample[name] for name in ("time_ms", "face", "label", "uncertain")}
    row |= {f"p_{label}": sample["probabilities"].get(label) for label in labels}
    row |= sample["box"]
    return row | {name: sample[name] for name in ("sharpness", "pixels", "turn")}


def main(files: list[str]) -> int:
    """Upload photos and print what their faces show; returns 1 where one was refused or failed."""
    failures = 0
    with Visage(os.environ["VISAGE_URL"], os.environ["VISAGE_TOKEN"]) as visage:
        for file in files:
            try:
                upload = visage.upload(file)
                labels = [face["label"] for face in upload["faces"] if not face["rejected"]]
                found = (
                    upload["error"]["detail"] if upload["error"] else " ".join(labels) or "no face"
                )
                failures += bool(upload["error"])
            except (VisageError, TimeoutError, OSError) as error:
                failures, found = failures + 1, str(error)
            sys.stdout.write(f"{file} {found}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
