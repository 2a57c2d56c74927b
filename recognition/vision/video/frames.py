"""From an open file to sampled frames, by FFmpeg. Runs only in the confined process."""

from __future__ import annotations

import gc
import heapq
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, NoReturn

import av
import av.audio.codeccontext
import av.audio.stream
import av.error
import av.logging

# All that PyAV would import when it meets one; by then no file can be opened any more.
import av.sidedata.encparams
import av.sidedata.motionvectors
import av.subtitles.codeccontext
import av.subtitles.stream
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.stream import Disposition
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from recognition.vision.errors import (
    VideoDamaged,
    VideoFormatNotAccepted,
    VideoTooCostly,
    VideoTooLarge,
    VideoTooLong,
    VideoTooSmall,
    VideoWithoutPicture,
    gettext_noop,
)
from recognition.vision.video.containers import HEAD_BYTES, container_of
from recognition.vision.video.order import MINIMUM_SIDE, Order, VideoInfo

#: What films are coded with. No sound is decoded.
_DECODERS = (
    "h264,hevc,vp8,vp9,libdav1d,av1,mpeg4,msmpeg4v1,msmpeg4v2,msmpeg4v3,h263,mjpeg,mpeg1video,"
    "mpeg2video,gif,prores,dvvideo,rawvideo,png,theora,ffv1,huffyuv"
)
#: Pictures up to this size are looked at closely enough to say that they are too large.
_PROBED_PIXELS = 8192 * 8192
#: Frames a second where a file has neither times nor a rate.
_USUAL_RATE = 25.0


@dataclass(frozen=True, slots=True)
class RawFrame:
    """One sampled frame; `size` is the upright width and height before it was scaled down."""

    time_ms: int
    size: tuple[int, int]
    rgb: NDArray[np.uint8]


class Decoder:
    """Reads one video."""

    def __init__(self, file: BinaryIO, order: Order) -> None:
        """Open it.

        Raises:
            VideoError: it says what is wrong with the file.
        """
        self._file, self._order = file, order
        self._scaler = VideoReformatter()
        self._container_name = container_of(file.read(HEAD_BYTES))
        av.logging.set_level(None)
        self._open()
        self._from_start = True

    @property
    def info(self) -> VideoInfo:
        return VideoInfo(self._container_name, self._stream.codec_context.name, self._duration_ms)

    def _open(self) -> None:
        self._file.seek(0)
        try:
            container = av.open(
                self._file,
                format=self._container_name,
                io_open=_refuse,
                options={
                    "codec_whitelist": _DECODERS,
                    "protocol_whitelist": "file,pipe",
                    "probesize": "5000000",
                    "analyzeduration": "5000000",
                    "max_pixels": str(_PROBED_PIXELS),
                    "threads": "1",
                },
                metadata_errors="replace",
            )
        except MemoryError:
            raise
        except (av.error.FFmpegError, ValueError, OverflowError):
            raise _damaged() from None
        if not isinstance(container, InputContainer):
            raise _damaged()
        self._container = container
        streams = [
            stream
            for stream in container.streams.video
            if not stream.disposition & Disposition.attached_pic
        ]
        if not streams:
            raise VideoWithoutPicture(gettext_noop("There are no moving pictures in this file."))
        self._stream = streams[0]
        self._began = self._stream.start_time
        #: Times of packets that no frame has taken yet, as a heap; see `_pictures`.
        self._times: list[int] = []
        context = self._stream.codec_context
        if context is None:
            raise VideoFormatNotAccepted(
                gettext_noop("This video is compressed in a way that can’t be read here.")
            )
        context.thread_count = 1
        context.options = {"max_pixels": str(self._order.maximum_pixels)}
        if context.width and context.height:
            self._check_size(context.width, context.height)
        duration = self._duration_ms
        if duration is not None and duration > self._order.maximum_ms:
            raise too_long(self._order.maximum_ms)

    @property
    def _duration_ms(self) -> int | None:
        stream = self._stream
        if stream.duration and stream.time_base:
            duration = round(stream.duration * stream.time_base * 1000)
        else:
            duration = round((self._container.duration or 0) / 1000)
        return duration if duration > 0 else None

    def frames(self) -> Iterator[tuple[int, RawFrame | None]]:
        """The time of each place among the samples, and its frame where it is still wanted.

        Raises:
            VideoError: it turns out to be more than is accepted, or nothing of it can be read.
        """
        order, sampled, n_frames = self._order, -1, 0
        wanted_from = -1 if order.after_ms is None else order.slot(order.after_ms)
        for time_ms, frame in self._decoded(wanted_from):
            n_frames += 1
            if n_frames > order.maximum_frames:
                raise _too_costly()
            if time_ms > order.maximum_ms:
                raise too_long(order.maximum_ms)
            slot = order.slot(time_ms)
            if time_ms < 0 or slot <= sampled:
                continue
            sampled = slot
            self._check_size(frame.width, frame.height)
            yield time_ms, self._sample(frame, time_ms) if slot > wanted_from else None
            # Frames and their side data hold on to each other, with megabytes that Python does
            # not count.
            gc.collect()
        if not n_frames:
            raise _damaged()

    def _decoded(self, wanted_from: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames and their times; from the last full picture before the wanted ones if possible."""
        if wanted_from > 0 and self._order.after_ms is not None and self._seek():
            pictures = self._pictures()
            first = next(pictures, None)
            # Only a time of its own tells where in the video that is.
            if first is not None and self._is_by(first, wanted_from):
                yield from self._timed(chain([first], pictures))
                return
        if not self._from_start:
            self._open()
        yield from self._timed(self._pictures())

    def _seek(self) -> bool:
        stream = self._stream
        if stream.start_time is None or stream.time_base is None or self._is_reordered:
            return False
        seconds = (self._order.after_ms or 0) / 1000
        self._from_start = False
        try:
            at = stream.start_time + int(seconds / stream.time_base)
            self._container.seek(at, stream=stream, backward=True)
        except (av.error.FFmpegError, OverflowError):
            return False
        return True

    def _timed(self, frames: Iterable[av.VideoFrame]) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames and their times; one without a time follows the one before at the usual pace."""
        step = 1000 / (float(self._stream.average_rate or 0) or _USUAL_RATE)
        following = 0.0
        for frame in frames:
            if self._began is None:
                self._began = frame.pts
            own = self._own_time(frame)
            time_ms = following if own is None else own
            following = time_ms + step
            yield round(time_ms), frame

    def _is_by(self, frame: av.VideoFrame, slot: int) -> bool:
        """Whether a frame is surely not behind this place among the samples."""
        time_ms = self._own_time(frame)
        return time_ms is not None and self._order.slot(round(time_ms)) <= slot

    def _own_time(self, frame: av.VideoFrame) -> float | None:
        """Milliseconds since the start of the video, as the frame itself says."""
        base, began = self._stream.time_base, self._began
        if frame.pts is None or base is None or began is None:
            return None
        return float((frame.pts - began) * base * 1000)

    @property
    def _is_reordered(self) -> bool:
        """Whether frames come in another order than packets, of which no time tells anything.

        An AVI has no times of display; FFmpeg makes some up, which go back and forth.
        """
        return self._container_name == "avi" and bool(self._stream.codec_context.has_b_frames)

    def _pictures(self) -> Iterator[av.VideoFrame]:
        """All that can be decoded; what is damaged in between is left out.

        Where frames are reordered, each takes the earliest time that no other one has taken: they
        leave the decoder in the order in which they are shown. That holds from the start of the
        file on, and not after a jump, where the decoder leaves out frames that refer back.
        """
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
            except MemoryError:
                raise
            except (av.error.FFmpegError, ValueError):
                return  # Cut off here.
            if self._is_reordered and packet.dts is not None:
                heapq.heappush(self._times, packet.dts)
            try:
                for frame in self._stream.codec_context.decode(packet):
                    if self._is_reordered and self._times:
                        frame.pts = heapq.heappop(self._times)
                    yield frame
            except MemoryError:
                raise
            except (av.error.FFmpegError, ValueError):
                if packet.dts in self._times:
                    self._times.remove(packet.dts)
                    heapq.heapify(self._times)
                continue

    def _sample(self, frame: av.VideoFrame, time_ms: int) -> RawFrame:
        width, height = frame.width, frame.height
        aspect = self._stream.sample_aspect_ratio
        if aspect and 0.2 < aspect < 5:
            width = max(1, round(width * aspect))
        scale = min(1.0, self._order.longest_side / max(width, height))
        try:
            picture = self._scaler.reformat(
                frame,
                max(1, round(width * scale)),
                max(1, round(height * scale)),
                "rgb24",
                interpolation=Interpolation.AREA if scale < 1 else Interpolation.BILINEAR,
                threads=1,
            )
            rgb = np.asarray(picture.to_ndarray(), np.uint8)
        except (av.error.FFmpegError, ValueError):
            raise _damaged() from None
        turned, is_on_its_side = _upright(rgb, frame)
        size = (height, width) if is_on_its_side else (width, height)
        return RawFrame(time_ms, size, np.ascontiguousarray(turned))

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self._order.maximum_pixels:
            raise VideoTooLarge(
                gettext_noop("Its pictures have more than %(millions)s million pixels."),
                millions=self._order.maximum_pixels // 1_000_000,
            )
        if min(width, height) < MINIMUM_SIDE:
            raise VideoTooSmall(
                gettext_noop("Its pictures have fewer than %(side)s pixels a side."),
                side=MINIMUM_SIDE,
            )


def _upright(rgb: NDArray[np.uint8], frame: av.VideoFrame) -> tuple[NDArray[np.uint8], bool]:
    """The picture as it is meant to be seen, and whether its sides have changed places."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(data, SideData) or len(matrix := bytes(data)) < 36:
        return rgb, False
    a, b, _u, c, d, *_rest = struct.unpack("=9i", matrix[:36])
    # A point (x, y) is shown at (a·x + c·y, b·x + d·y).
    is_on_its_side = abs(b) + abs(c) > abs(a) + abs(d)
    if is_on_its_side:
        rgb = rgb.transpose(1, 0, 2)
        a, d = c, b
    if a < 0:
        rgb = rgb[:, ::-1]
    if d < 0:
        rgb = rgb[::-1]
    return rgb, is_on_its_side


def _refuse(*_arguments: object, **_options: object) -> NoReturn:
    """Whatever a video names, it is not opened."""
    raise PermissionError


def _damaged() -> VideoDamaged:
    return VideoDamaged(gettext_noop("The file is damaged or incomplete."))


def _too_costly() -> VideoTooCostly:
    return VideoTooCostly(gettext_noop("Reading this video takes too much memory or time."))


def too_long(maximum_ms: int) -> VideoTooLong:
    """What to say of a video that does not end in time."""
    return VideoTooLong(
        gettext_noop("The video is longer than %(minutes)s minutes."), minutes=maximum_ms // 60_000
    )
