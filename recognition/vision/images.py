"""Untrusted bytes in, an upright image out, within limits.

Only Pillow decodes, only the formats on the list, and never before the file's structure has been
read and found bearable. Animated files give their first frame. Nothing of a file's metadata
survives.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from recognition.vision import heic, pixels
from recognition.vision.errors import (
    ImageEmpty,
    ImageError,
    ImageFormatNotAccepted,
    ImageTooLarge,
    ImageTooSmall,
    damaged,
    gettext_noop,
    too_costly,
)
from recognition.vision.headers import Header, read_header

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Importing a plugin is what makes Pillow know its format. JPEG covers MPO, the JPEG with extra
#: frames that many phones write. HEIF is what Pillow's plugin calls HEIC.
ACCEPTED_FORMATS = (
    *(
        plugin.format
        for plugin in (
            JpegImagePlugin.JpegImageFile,
            PngImagePlugin.PngImageFile,
            WebPImagePlugin.WebPImageFile,
            GifImagePlugin.GifImageFile,
            BmpImagePlugin.BmpImageFile,
            AvifImagePlugin.AvifImageFile,
        )
    ),
    "HEIF",
)
ACCEPTED_FORMATS_TEXT = gettext_noop("JPEG, PNG, WebP, HEIC, AVIF, GIF or BMP")
# One thread and its memory, however many cores there are.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

#: More is never looked at; a site sets a limit of its own below.
MAXIMUM_BYTES = 100 * 1024 * 1024
#: 50 megapixels: above every common camera, and about 200 MB while decoding.
MAXIMUM_PIXELS = 50_000_000
#: Of a WebP, AVIF or HEIC, whose decoders keep up to four copies of the picture.
MAXIMUM_WEBP_PIXELS = 25_000_000
MAXIMUM_SIDE = 16_000
MINIMUM_SIDE = 24

#: A photo is kept no larger than this: 4,096×3,072 pixels, which is what most phones take.
MAXIMUM_STORED_PIXELS = 4096 * 3072
#: A JPEG is decoded at half its size where that leaves more than a third of those pixels' number.
_HALVED_FROM = 3 * MAXIMUM_STORED_PIXELS
#: What is kept is at most twice what came, or this: some formats say in 14 kB what takes a JPEG
#: 40 MB.
STORED_BYTES_ALWAYS_ALLOWED = 1024 * 1024
THUMBNAIL_SIDE = 480
THUMBNAIL_QUALITY = 80
BLURRED_SIDE = 10

# A broken file must fail, not come out half grey.
ImageFile.LOAD_TRUNCATED_IMAGES = False
# What Pillow finds odd in a file is no news: 790 kB of it wrote 12 MB to the log. For good, since
# threads that switch warnings off for a while get into each other's way.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class CleanImage:
    """An accepted photo as it is kept: upright, RGB, JPEG, without metadata.

    Attributes:
        jpeg: the photo, scaled down where it has more than :data:`MAXIMUM_STORED_PIXELS` or would
            take far more bytes than what came.
        thumbnail_jpeg: at most 480 pixels a side.
        width: of the upright photo as it came, in pixels.
        height: of the upright photo as it came, in pixels.
    """

    jpeg: bytes
    thumbnail_jpeg: bytes
    width: int
    height: int


def clean(data: bytes) -> CleanImage:
    """Check a photo and write it anew.

    Args:
        data: the bytes as they were received.

    Raises:
        ImageError: a subclass that says what is wrong, in a sentence for people.
    """
    with _opened(data) as image:
        width, height = image.size
        size = pixels.fitting((width, height), MAXIMUM_STORED_PIXELS)
        if width * height > _HALVED_FROM:
            image.draft(None, (width // 2, height // 2))
        orientation = _decoded(image)
        upright = pixels.upright(pixels.shrunk(image, size), orientation)
    if orientation >= 5:
        width, height = height, width
    jpeg = pixels.encode_within(upright, max(2 * len(data), STORED_BYTES_ALWAYS_ALLOWED))
    # Half the time of a wider gap, and a difference below that of the JPEG's quality.
    upright.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), reducing_gap=1.0)
    return CleanImage(jpeg, pixels.encode(upright, THUMBNAIL_QUALITY), width, height)


def check(
    data: bytes,
    formats: tuple[str, ...] = ACCEPTED_FORMATS,
    maximum_pixels: int = MAXIMUM_PIXELS,
) -> Header:
    """Refuse what can be refused without decoding.

    Raises:
        ImageError: a subclass that says what is wrong, in a sentence for people.
    """
    if not data:
        raise ImageEmpty(gettext_noop("The file is empty."))
    if len(data) > MAXIMUM_BYTES:
        raise too_many_bytes(MAXIMUM_BYTES)
    header = read_header(data)
    if header is None or header.format not in formats:
        raise _not_a_photo()
    if header.format in {"WEBP", "AVIF", "HEIF"}:
        maximum_pixels = min(maximum_pixels, MAXIMUM_WEBP_PIXELS)
    _check_size(header.width, header.height, maximum_pixels)
    return header


def blurred(jpeg: bytes) -> bytes:
    """A picture of the same size in which nobody can be recognized.

    It is made of at most :data:`BLURRED_SIDE` pixels a side; the rest is gone for good.

    Raises:
        ImageError: the bytes are not an image that we accept.
    """
    with _opened(jpeg) as image:
        upright = _read_upright(image)
        few = upright.copy()
        few.thumbnail((BLURRED_SIDE, BLURRED_SIDE), Image.Resampling.BOX)
        return pixels.encode(few.resize(upright.size, Image.Resampling.BICUBIC), THUMBNAIL_QUALITY)


def blank(width: int, height: int) -> bytes:
    """A grey JPEG with the proportions of a photo, in a thumbnail's size."""
    scale = THUMBNAIL_SIDE / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return pixels.encode(Image.new("L", size, 128), THUMBNAIL_QUALITY)


def reduced(jpeg: bytes, longest_side: int) -> bytes:
    """The same picture as a JPEG of at most so many pixels a side.

    Raises:
        ImageError: the bytes are not an image that we accept.
    """
    with _opened(jpeg) as image:
        image.draft(None, (longest_side, longest_side))
        upright = _read_upright(image)
        upright.thumbnail((longest_side, longest_side), reducing_gap=2.0)
        return pixels.encode(upright, THUMBNAIL_QUALITY)


def decode_gray(
    data: bytes,
    *,
    longest_side: int | None = None,
    formats: tuple[str, ...] = ACCEPTED_FORMATS,
    maximum_pixels: int = MAXIMUM_PIXELS,
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Decode for recognition, no larger than needed.

    Args:
        data: the bytes of an image file.
        longest_side: the array is scaled down to this, in pixels; None keeps the size.
        formats: names of the formats to accept, of :data:`ACCEPTED_FORMATS`.
        maximum_pixels: pixels in the whole image above which it is not decoded.

    Returns:
        ``(image_gray, (width, height))``: uint8 ``(rows, columns)``, upright, and the size in
        pixels of the upright image before scaling.

    Raises:
        ImageError: a subclass that says what is wrong, in a sentence for people.
    """
    import numpy as np

    with _opened(data, formats, maximum_pixels) as image:
        width, height = image.size
        if longest_side is not None:
            # JPEG can decode at 1/2, 1/4 or 1/8 of the size, straight to grey: far cheaper.
            image.draft("L", (longest_side, longest_side))
        orientation = _decoded(image)
        gray = pixels.flatten(pixels.upright(image, orientation)).convert("L")
        if orientation >= 5:
            width, height = height, width
        if longest_side is not None and max(gray.size) > longest_side:
            scale = longest_side / max(width, height)
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            gray = gray.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        return np.asarray(gray, dtype=np.uint8), (width, height)


@contextmanager
def _opened(
    data: bytes,
    formats: tuple[str, ...] = ACCEPTED_FORMATS,
    maximum_pixels: int = MAXIMUM_PIXELS,
) -> Iterator[Image.Image]:
    """Open under limits, and turn whatever a decoder throws into one of our errors."""
    header = check(data, formats, maximum_pixels)
    if header.format == "HEIF":
        heic.teach_pillow()
    try:
        # Nothing but what the structure was read as.
        with Image.open(io.BytesIO(data), formats=(header.format,)) as image:
            # What is larger than it told took the turn and the limits of something smaller.
            if image.width * image.height > header.pixels:
                raise damaged()
            yield image
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise _not_a_photo() from None
    except Image.DecompressionBombError:
        raise _too_many_pixels(maximum_pixels) from None
    except MemoryError:
        raise too_costly() from None
    except _DECODER_ERRORS:
        raise damaged() from None


#: What Pillow's decoders are known to throw at bytes that are not what they claim.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    AttributeError,
    ZeroDivisionError,
    OverflowError,
    RuntimeError,
    struct.error,
)


def too_many_bytes(maximum: int) -> ImageTooLarge:
    """What is wrong with a file of more than `maximum` bytes."""
    return ImageTooLarge(
        gettext_noop("Too large: the limit is %(megabytes)s MB."),
        megabytes=maximum // (1024 * 1024),
    )


def _too_many_pixels(maximum_pixels: int) -> ImageTooLarge:
    return ImageTooLarge(
        gettext_noop(
            "Too many pixels: the limit is %(megapixels)s megapixels and %(side)s pixels per side."
        ),
        megapixels=maximum_pixels // 1_000_000,
        side=MAXIMUM_SIDE,
    )


def _not_a_photo() -> ImageFormatNotAccepted:
    return ImageFormatNotAccepted(
        gettext_noop("This file type isn’t supported. Use %(formats)s."),
        formats=ACCEPTED_FORMATS_TEXT,
    )


def _check_size(width: int, height: int, maximum_pixels: int) -> None:
    if width * height > maximum_pixels or max(width, height) > MAXIMUM_SIDE:
        raise _too_many_pixels(maximum_pixels)
    if min(width, height) < MINIMUM_SIDE:
        raise ImageTooSmall(
            gettext_noop(
                "Too small: %(width)s×%(height)s pixels. "
                "Photos need at least %(minimum)s×%(minimum)s."
            ),
            width=width,
            height=height,
            minimum=MINIMUM_SIDE,
        )


def _decoded(image: Image.Image) -> int:
    """Decode the first frame; returns its EXIF orientation."""
    image.seek(0)
    image.load()
    if image.format == "HEIF":
        return 1  # The file's own turns count, which the decoder has made; EXIF repeats them.
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except _DECODER_ERRORS:
        # A broken EXIF block says nothing about the pixels: take them as they lie.
        return 1


def _read_upright(image: Image.Image) -> Image.Image:
    """The first frame, upright, in grey or RGB."""
    return pixels.flatten(pixels.upright(image, _decoded(image)))
