"""A film of a face that moves, for benchmarks; a long one is a short one over and over.

Run as a program, so that what encoding takes is not in the memory of what is measured:
``python -m tests.support.film PATH SECONDS [TIMES]``.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import av

from tests.support.videos import make, picture

SIZE, RATE = (1280, 720), 30


def write_film(path: Path, seconds: int, times: int = 1) -> None:
    """Write an MP4 of 720p; pictures repeat after six seconds, which coding them does not notice.

    Args:
        path: to write to.
        seconds: that are encoded.
        times: how often they follow each other, copied as they are.
    """
    base = [picture(index / 10, SIZE) for index in range(60)]
    frames = (base[index // 3 % 60] for index in range(seconds * RATE))
    short = make(frames, rate=RATE, preset="veryfast")
    if times == 1:
        path.write_bytes(short)
        return
    with av.open(str(path), "w", format="mp4") as long:
        copy = None
        for time in range(times):
            with av.open(io.BytesIO(short)) as once:
                stream = once.streams.video[0]
                copy = copy or long.add_stream_from_template(stream)
                assert stream.duration is not None
                later = time * stream.duration
                for packet in once.demux(stream):
                    if packet.dts is None or packet.pts is None:
                        continue  # The end.
                    packet.dts += later
                    packet.pts += later
                    packet.stream = copy
                    long.mux(packet)


if __name__ == "__main__":
    write_film(Path(sys.argv[1]), *map(int, sys.argv[2:]))
