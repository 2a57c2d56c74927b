"""Publish a live session as outlets of the Lab Streaming Layer, so that it is recorded beside EEG,
heart rate, gaze or a paradigm's own markers, on one clock.

Needs the packages of ``clients/live_client.py`` and ``pylsl``, and an API token for live frames.
Frames come as JPEGs on standard input, such as from FFmpeg::

    ffmpeg -loglevel error -f v4l2 -i /dev/video0 -vf fps=10,scale=640:-2 -f image2pipe \\
        -c:v mjpeg -q:v 4 - | VISAGE_TOKEN=… python clients/lsl_bridge.py http://localhost:8000

Two outlets: ``Visage`` with a sample for each face and frame (channels: face, each label's
probability, whether the label is uncertain, the box), stamped with the time at which the frame was
read; and ``VisageMarkers`` with the label of each face whenever it changes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any, BinaryIO

import pylsl
from websockets.exceptions import ConnectionClosed, InvalidHandshake

if __package__:
    from clients.live_client import CLOSED, LiveClient, Message
else:  # As a program, beside it.
    from live_client import (  # type: ignore[import-not-found, no-redef]
        CLOSED,
        LiveClient,
        Message,
    )

#: In the order of the channels; a label that the model does not know stays 0.
LABELS = ("happy", "sad", "surprise", "neutral", "other")
CHANNELS = (
    "face", *(f"p_{label}" for label in LABELS), "uncertain", "x", "y", "width", "height",
)  # fmt: skip
#: A JPEG that is larger is none that the site takes.
MAXIMUM_BYTES = 4 * 1024 * 1024


class Outlets:
    """What the lab's recorder sees."""

    def __init__(self, source: str) -> None:
        """Open both outlets.

        Args:
            source: names this camera, the same at each start: a recorder finds it again by it.
        """
        info = pylsl.StreamInfo(
            "Visage", "Expression", len(CHANNELS), pylsl.IRREGULAR_RATE, "float32", source
        )
        channels = info.desc().append_child("channels")
        for name in CHANNELS:
            channels.append_child("channel").append_child_value("label", name)
        self._samples = pylsl.StreamOutlet(info)
        self._markers = pylsl.StreamOutlet(
            pylsl.StreamInfo(
                "VisageMarkers", "Markers", 1, pylsl.IRREGULAR_RATE, "string", f"{source}-markers"
            )
        )
        self._labels: dict[int, str] = {}

    def publish(self, answer: Message, seconds: float) -> None:
        """Send what an answer of the site says.

        Args:
            answer: a message of type ``labels``.
            seconds: of the lab's clock, at which its frame was taken.
        """
        labels = {}
        for face in answer["faces"]:
            box = face["box"]
            self._samples.push_sample(
                [
                    face["number"],
                    *(face["probabilities"].get(label, 0.0) for label in LABELS),
                    float(face["uncertain"]),
                    *(box[name] for name in ("x", "y", "width", "height")),
                ],
                seconds,
            )
            labels[face["number"]] = face["label"]
        for number, label in labels.items():
            if self._labels.get(number) != label:
                self._markers.push_sample([f"face {number}: {label}"], seconds)
        for number in self._labels.keys() - labels.keys():
            self._markers.push_sample([f"face {number}: away"], seconds)
        self._labels = labels


def split(buffer: bytearray) -> bytes | None:
    """Take the first whole JPEG off a buffer; None where there is none yet.

    Raises:
        ValueError: there is none in what is more than a frame.
    """
    start = buffer.find(b"\xff\xd8")
    # Within the picture these two bytes do not follow each other.
    end = buffer.find(b"\xff\xd9", start + 2) if start >= 0 else -1
    if end < 0:
        if len(buffer) > MAXIMUM_BYTES:
            raise ValueError("no JPEG in the input")
        return None
    jpeg = bytes(buffer[start : end + 2])
    del buffer[: end + 2]
    return jpeg


async def frames(stream: BinaryIO) -> AsyncIterator[tuple[bytes, float]]:
    """JPEGs of a stream, each with the lab's time at which it was read."""
    buffer = bytearray()
    read: Any = getattr(stream, "read1", stream.read)
    while data := await asyncio.to_thread(read, 65_536):
        buffer += data
        seconds = pylsl.local_clock()
        while jpeg := split(buffer):
            yield jpeg, seconds


async def run(site: str, token: str, source: str, stream: BinaryIO, *, records: bool) -> int:
    """Publish a stream to its end; returns how many frames were answered with labels."""
    outlets, count = Outlets(source), 0
    async with LiveClient(site, token) as live:
        # Before anything is sent: whom the server does not let in hears why only by reading.
        await live.receive()
        if records:
            await live.record()
        async for jpeg, seconds in frames(stream):
            answer = await live.label(jpeg)
            if answer["type"] == "labels":
                outlets.publish(answer, seconds)
                count += 1
        if records:
            await live.stop()
    return count


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns its exit status."""
    parser = argparse.ArgumentParser(description="Publish a live session by Lab Streaming Layer.")
    parser.add_argument("site", help="such as http://localhost:8000")
    parser.add_argument("--source", default="visage", help="names this camera (default: visage)")
    parser.add_argument("--record", action="store_true", help="keep it as a recording, too")
    options = parser.parse_args(arguments)
    token = os.environ.get("VISAGE_TOKEN")
    if not token:
        parser.error("put an API token for live frames into the variable VISAGE_TOKEN")
    try:
        asyncio.run(
            run(options.site, token, options.source, sys.stdin.buffer, records=options.record)
        )
    except ConnectionClosed as error:
        code = error.rcvd.code if error.rcvd is not None else 1006
        sys.stderr.write(f"closed: {CLOSED.get(code, 'the connection was lost')} ({code})\n")
        return 1
    except (InvalidHandshake, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
