"""Files that are no ordinary videos: damaged, lying, pointing elsewhere, or something else."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from tests.support.pictures import face_jpeg
from tests.support.videos import face_mp4, make, patched, picture, pictures, sound_only

#: What is told of a file, by code; or that so many samples, at least and at most, come of it.
Outcome = str | tuple[int, int]


def _shuffled(seed: int) -> bytes:
    """The clip with one byte in a hundred changed, behind its first box."""
    random_bytes = random.Random(seed)
    data = bytearray(face_mp4())
    for _change in range(len(data) // 100):
        data[random_bytes.randrange(40, len(data))] = random_bytes.randrange(256)
    return bytes(data)


def _gif(width: int, height: int) -> bytes:
    """A GIF of one pixel on a canvas of this size."""
    head = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + bytes(6)
    frame = b"," + struct.pack("<HHHH", 0, 0, width, height) + b"\0\x02\x02D\x01\0"
    return head + frame + b";"


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("video.mp4", face_mp4())
    return buffer.getvalue()


def _external_mp4(path: Path) -> bytes:
    """An MP4 whose pictures are said to lie in another file."""
    data = face_mp4()
    at = data.index(b"url ")
    url = path.as_uri().encode() + b"\0"
    # Flag 0: not in this file. Sizes of the boxes round it no longer fit.
    entry = struct.pack(">I", 12 + len(url)) + b"url " + bytes(4) + url
    return data[: at - 4] + entry + data[at + 8 :]


def _long(mkv: bytes) -> bytes:
    """An MKV that claims a length of 10¹² milliseconds."""
    at = mkv.index(b"\x44\x89\x88") + 3
    return mkv[:at] + struct.pack(">d", 1e12) + mkv[at + 8 :]


def _avi_with_huge_frame() -> bytes:
    data = make([picture(0)], "avi", "mjpeg")
    at = data.index(b"strf") + 4 + 4 + 4
    return data[:at] + struct.pack("<ii", 60_000, 60_000) + data[at + 8 :]


def _frame_that_outgrows() -> bytes:
    """An MJPEG whose second picture is said to be enormous."""
    data = make(pictures(0.5), "avi", "mjpeg")
    second = data.index(b"\xff\xd8", data.index(b"\xff\xd8") + 2)
    at = data.index(b"\xff\xc0", second) + 5
    return data[:at] + struct.pack(">HH", 65_500, 65_500) + data[at + 4 :]


#: name: (its bytes, given a secret file that nothing may read; what becomes of it)
HOSTILE: dict[str, tuple[Callable[[Path], bytes], Outcome]] = {
    "empty": (lambda _: b"", "empty"),
    "one byte": (lambda _: b"G", "format_not_accepted"),
    "random bytes": (lambda _: random.Random(1).randbytes(50_000), "format_not_accepted"),
    "zeros": (lambda _: bytes(100_000), "format_not_accepted"),
    "text": (lambda _: b"a video, honestly\n" * 100, "format_not_accepted"),
    "zip of a video": (lambda _: _zip(), "format_not_accepted"),
    "photo": (lambda _: face_jpeg(), "format_not_accepted"),
    "HLS playlist of a file": (
        lambda secret: f"#EXTM3U\n#EXTINF:1,\n{secret}\n".encode(), "format_not_accepted",
    ),
    "HLS playlist of a URL": (
        lambda _: b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "format_not_accepted",
    ),
    "concat script": (
        lambda secret: f"ffconcat version 1.0\nfile '{secret}'\n".encode(), "format_not_accepted",
    ),
    "DASH manifest": (
        lambda _: b'<?xml version="1.0"?><MPD><BaseURL>http://127.0.0.1:9/</BaseURL></MPD>',
        "format_not_accepted",
    ),
    "SDP": (lambda _: b"v=0\nm=video 9 RTP/AVP 96\nc=IN IP4 127.0.0.1\n", "format_not_accepted"),
    "SVG": (lambda _: b"<svg><image href='file:///etc/passwd'/></svg>", "format_not_accepted"),
    "transport stream": (
        lambda _: make(pictures(0.5), "mpegts"), "format_not_accepted",
    ),
    "FLV": (lambda _: make(pictures(0.5), "flv"), "format_not_accepted"),
    "raw H.264": (lambda _: make(pictures(0.5), "h264"), "format_not_accepted"),
    "playlist behind the name of a box": (
        lambda secret: f"\0\0\0\x20ftypisom\n#EXTM3U\n#EXTINF:1,\n{secret}\n".encode(), "damaged",
    ),
    "playlist behind an AVI's name": (
        lambda secret: b"RIFF\0\0\0\0AVI LIST\n#EXTM3U\n" + str(secret).encode(), "no_picture",
    ),
    "only a name": (lambda _: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "damaged"),
    "EBML and nothing": (lambda _: b"\x1aE\xdf\xa3\x9fB\x86\x81\x01", "damaged"),
    "GIF and nothing": (lambda _: b"GIF89a", "damaged"),
    "MP4 without its end": (lambda _: face_mp4()[: len(face_mp4()) // 2], "damaged"),
    "MP4 that streams, cut off": (
        lambda _: make(
            pictures(2.0), muxing={"movflags": "frag_keyframe+empty_moov"}, g="5"
        )[:-9000],
        (5, 19),
    ),
    "MKV cut off": (lambda _: make(pictures(2.0), "matroska")[:-6000], (5, 19)),
    "AVI cut off": (lambda _: make(pictures(2.0), "avi", "mpeg4")[:-6000], (3, 19)),
    "GIF cut off": (lambda _: make(pictures(2.0), "gif", "gif")[:-60_000], (15, 19)),
    "MP4 with an index and zeros": (
        lambda _: patched(face_mp4(), b"mdat", 0, bytes(20_000)), (0, 20),
    ),
    "changed bytes 1": (lambda _: _shuffled(1), (0, 20)),
    "changed bytes 2": (lambda _: _shuffled(2), (0, 20)),
    "changed bytes 3": (lambda _: _shuffled(3), (0, 20)),
    "changed bytes 4": (lambda _: _shuffled(4), (0, 20)),
    "says that it lasts for years": (lambda _: _long(make(pictures(0.5), "matroska")), "too_long"),
    "units that are seconds": (
        lambda _: patched(face_mp4(), b"mdhd", 12, struct.pack(">II", 1, 0x7FFFFFFF)), (1, 20),
    ),
    "pictures a year apart": (
        lambda _: make(pictures(0.5), "matroska", times=[31_536_000_000 * n for n in range(5)]),
        "too_long",
    ),
    "a million frames a second": (
        lambda _: make(
            pictures(1.0, 200, (64, 48)), times=list(range(200)), time_base=Fraction(1, 1_000_000)
        ),
        (1, 1),
    ),
    "all at one time": (lambda _: make(pictures(1.0), "matroska", times=[0] * 10), (1, 1)),
    "times that begin below zero": (
        lambda _: make(pictures(1.0), "matroska", times=list(range(-300, 700, 100))), (7, 10),
    ),
    "huge canvas in MP4": (
        lambda _: patched(face_mp4(), b"avc1", 24, struct.pack(">HH", 65_500, 65_500)), (0, 20),
    ),
    "huge canvas in AVI": (lambda _: _avi_with_huge_frame(), (1, 1)),
    "huge canvas in GIF": (lambda _: _gif(65_535, 65_535), "damaged"),
    "canvas that grows on the way": (lambda _: _frame_that_outgrows(), (1, 5)),
    "larger than 4K": (
        lambda _: make(pictures(0.1, size=(4352, 2304)), "avi", "mjpeg"), "too_large",
    ),
    "pictures of ten pixels": (
        lambda _: make(pictures(0.5, size=(16, 10)), "avi", "mjpeg"), "too_small",
    ),
    "sound only": (lambda _: sound_only(), "no_picture"),
    "sound only in MKV": (lambda _: sound_only("matroska"), "no_picture"),
    "with sound": (lambda _: make(pictures(1.0), sound=True), (10, 10)),
    "no full picture after the first": (lambda _: make(pictures(2.0), g="100000"), (20, 20)),
    "a codec that nobody knows": (
        lambda _: face_mp4().replace(b"avc1", b"zz9z"), "format_not_accepted",
    ),
    "pictures in another file": (_external_mp4, "format_not_accepted"),
    "a page behind a video": (lambda _: face_mp4() + b"<script>alert(1)</script>" * 50, (20, 20)),
    "a zip behind a video": (lambda _: face_mp4() + _zip(), (20, 20)),
    "two videos in one file": (lambda _: face_mp4() + face_mp4(), (20, 20)),
}  # fmt: skip
