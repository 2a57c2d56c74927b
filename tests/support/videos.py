"""Videos for tests: clips of a face that moves, made with PyAV, and what is made from them."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, cast

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.support.pictures import astronaut

SIZE = (320, 240)
#: Has a video of somebody's taken in; gives its row.
Sending = Callable[..., Any]
#: Beside what a camera films, encoders need to be told these: colours of a GIF, faster presets.
_PIXELS = {"gif": "rgb8", "mjpeg": "yuvj420p", "rawvideo": "rgb24", "prores_ks": "yuv422p10le"}
_OPTIONS = {
    "libx264": {"preset": "ultrafast", "threads": "1"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=1"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libsvtav1": {"preset": "12", "svtav1-params": "lp=1"},
}


def picture(seconds: float, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """The portrait on grey, at a place that moves: uint8 RGB ``(height, width, 3)``."""
    width, height = size
    canvas = Image.new("RGB", size, (96, 96, 96))
    side = height * 9 // 10
    left = (width - side) * (0.5 + 0.4 * np.sin(seconds))
    canvas.paste(astronaut().resize((side, side)), (round(left), height - side))
    return np.asarray(canvas)


def pictures(
    seconds: float = 2.0, rate: float = 10, size: tuple[int, int] = SIZE
) -> Iterable[NDArray[np.uint8]]:
    return (picture(index / rate, size) for index in range(round(seconds * rate)))


def make(
    frames: Iterable[NDArray[np.uint8]],
    container: str = "mp4",
    codec: str = "libx264",
    *,
    rate: Fraction | int = 10,
    times: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 1000),
    sound: bool = False,
    muxing: dict[str, str] | None = None,
    **options: str,
) -> bytes:
    """A video of these frames.

    Args:
        frames: uint8 RGB, all of one size.
        container, codec: FFmpeg's names.
        rate: frames a second, where `times` are not given.
        times: of each frame, in units of `time_base`.
        time_base: the unit.
        sound: with a second of silence, as a stream of its own.
        muxing: options of the container.
        options: of the encoder.
    """
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container, options=muxing or {}) as output:
        stream = cast(Any, output.add_stream(codec, rate=rate))
        stream.pix_fmt = _PIXELS.get(codec, "yuv420p")
        stream.options = _OPTIONS.get(codec, {}) | options
        if times is not None:
            stream.codec_context.time_base = time_base
        noise = cast(Any, output.add_stream("aac", rate=8000)) if sound else None
        for index, rgb in enumerate(frames):
            if not index:
                stream.height, stream.width = rgb.shape[:2]
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=stream.pix_fmt)
            if times is not None:
                frame.pts, frame.time_base = times[index], time_base
            for packet in stream.encode(frame):
                output.mux(packet)
        for packet in stream.encode():
            output.mux(packet)
        if noise is not None:
            _mux_silence(output, noise)
    if codec == "libsvtav1" and hasattr(os, "sched_setscheduler"):
        # For root it has made this thread, and whatever that starts, go before all others.
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return buffer.getvalue()


def sound_only(container: str = "mp4") -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        _mux_silence(output, cast(Any, output.add_stream("aac", rate=8000)))
    return buffer.getvalue()


def _mux_silence(output: Any, stream: Any) -> None:
    silence = np.zeros((1, 8000), np.float32)
    frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
    frame.sample_rate, frame.pts = 8000, 0
    for packet in (*stream.encode(frame), *stream.encode()):
        output.mux(packet)


@cache
def face_mp4(seconds: float = 2.0, rate: int = 10) -> bytes:
    """The face, 320×240, as an ordinary MP4."""
    return make(pictures(seconds, rate), rate=rate)


def turned(mp4: bytes, matrix: tuple[int, int, int, int]) -> bytes:
    """An MP4 whose metadata say how it is to be shown: a, b, c and d of its matrix."""
    data, at = bytearray(mp4), _matrix_at(mp4)
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return bytes(data)


def _matrix_at(mp4: bytes) -> int:
    # After version and flags, times, number and length of the track, and eight more numbers.
    return mp4.index(b"tkhd") + 4 + 4 + 20 + 16


def patched(data: bytes, box: bytes, offset: int, value: bytes) -> bytes:
    """An MP4 with other bytes at `offset` behind the name of its first such box."""
    at = data.index(box) + 4 + offset
    return data[:at] + value + data[at + len(value) :]
