"""The child: ``python -m recognition.vision.video.child CHANNEL FILE``.

It reads one video and ends. Whatever happens to it, only this video is lost.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict

from recognition.vision.decoding import messages, processes
from recognition.vision.errors import VideoError, VideoTooCostly, gettext_noop
from recognition.vision.video.frames import Decoder
from recognition.vision.video.order import Order

#: Bytes of addresses. Libraries take 250 MB of them, and 4K in ten bits with all the frames that
#: it may refer to 600 MB.
MEMORY_BYTES = 1024 * 1024 * 1024
#: Processor time to begin with, and without a new sample; and for each second of the video. 4K
#: takes a second and a half.
FIRST_SECONDS = 60
SECONDS_A_SECOND = 4


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    processes.confine(MEMORY_BYTES, niceness=5)
    processes.allow_processor_seconds(FIRST_SECONDS)
    with suppress(EOFError, ConnectionError), os.fdopen(int(sys.argv[2]), "rb") as file:
        words, _pieces = messages.receive(channel)
        processes.open_nothing_more()
        gc.freeze()
        try:
            decoder = Decoder(file, Order(**words))
            messages.send(channel, {"info": asdict(decoder.info)})
            _send_frames(channel, decoder)
        except VideoError as error:
            _send_error(channel, error)
        except MemoryError:
            _send_error(
                channel,
                VideoTooCostly(gettext_noop("Reading this video takes too much memory or time.")),
            )


def _send_frames(channel: socket.socket, decoder: Decoder) -> None:
    for time_ms, frame in decoder.frames():
        # A rate and not a sum: what is slow ends soon, and what is long may take its time. What
        # only says that it is long has no time for frames that are no samples.
        in_all = FIRST_SECONDS + SECONDS_A_SECOND * time_ms / 1000
        processes.allow_processor_seconds(min(in_all, time.process_time() + FIRST_SECONDS))
        if frame is None:
            messages.send(channel, {"skipped": time_ms})
        else:
            height, width, _colours = frame.rgb.shape
            words = {"time_ms": time_ms, "size": frame.size, "shape": (height, width)}
            messages.send(channel, words, frame.rgb.tobytes())
    messages.send(channel, {"end": True})


def _send_error(channel: socket.socket, error: VideoError) -> None:
    words = {"code": error.code, "template": error.template, "values": error.values}
    messages.send(channel, words)


if __name__ == "__main__":
    main()
