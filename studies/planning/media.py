"""Which kind of file a stimulus is, from its first bytes; what is not on the list is refused."""

from __future__ import annotations

#: Bytes that :func:`media_type` wants to see.
HEAD_BYTES = 64

#: What may be stored for a video and for a sound; each is served as that and nothing else.
VIDEOS = frozenset({"video/mp4", "video/webm"})
SOUNDS = frozenset({"audio/mpeg", "audio/ogg", "audio/wav", "audio/mp4"})

#: How the name of a stored file ends where it is downloaded.
ENDINGS = {
    "image/jpeg": "jpg",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/mp4": "m4a",
}

#: Major brands of MP4 files that browsers play.
_VIDEO_BRANDS = frozenset(
    {b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ",
     b"dash", b"MSNV"}
)  # fmt: skip
_SOUND_BRANDS = frozenset({b"M4A ", b"M4B "})


def media_type(head: bytes) -> str:
    """The media type of a file that begins with these :data:`HEAD_BYTES`; empty for any other."""
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _SOUND_BRANDS:
            return "audio/mp4"
        return "video/mp4" if brand in _VIDEO_BRANDS else ""
    if head.startswith(b"\x1aE\xdf\xa3"):
        # Matroska has the same beginning, and browsers do not play all of it.
        return "video/webm" if b"\x42\x82\x84webm" in head[:HEAD_BYTES] else ""
    if head.startswith(b"OggS"):
        return "audio/ogg"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav"
    if head.startswith(b"ID3") or _is_mpeg_frame(head):
        return "audio/mpeg"
    return ""


def _is_mpeg_frame(head: bytes) -> bool:
    """Whether a frame of MPEG audio, layer III, begins here."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate, frequency = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer == 1 and rate not in (0, 15) and frequency != 3
