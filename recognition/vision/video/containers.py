"""Which kind of file a video is, from its first bytes: nothing else is ever tried.

Playlists, image sequences and the like, which name other files, are none of these.
"""

from __future__ import annotations

from recognition.vision.errors import (
    VideoEmpty,
    VideoFormatNotAccepted,
    gettext_noop,
)

#: Bytes that :func:`container_of` wants to see.
HEAD_BYTES = 16

#: Photos in the same boxes as an MP4: AVIF and HEIC.
_PHOTO_BRANDS = frozenset(
    {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"mif3"}
)
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def is_video(head: bytes) -> bool:
    """Whether a file that begins so is a video, other than a GIF."""
    return _demuxer(head) not in (None, "gif")


def container_of(head: bytes) -> str:
    """FFmpeg's name of the demuxer for a file that begins with these :data:`HEAD_BYTES`.

    Raises:
        VideoEmpty: there is nothing.
        VideoFormatNotAccepted: it is something else.
    """
    if not head:
        raise VideoEmpty(gettext_noop("The file is empty."))
    demuxer = _demuxer(head)
    if demuxer is None:
        raise VideoFormatNotAccepted(
            gettext_noop("This is not a video that can be read: MP4, MOV, WebM, MKV, AVI or GIF.")
        )
    return demuxer


def _demuxer(head: bytes) -> str | None:
    if head[4:8] == b"ftyp" and head[8:12] in _PHOTO_BRANDS:
        return None
    if head[4:8] in _MP4_BOXES:
        return "mov"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    return None
