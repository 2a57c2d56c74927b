"""Untrusted bytes in, an upright image out, within limits.

Only Pillow decodes, only the formats on the list, and never before the header's size has been
checked. Animated files give their first frame. Nothing of a file's metadata survives.
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

from recognition.vision.errors import (
    ImageDamaged,
    ImageEmpty,
    ImageFormatNotAccepted,
    ImageTooLarge,
    ImageTooSmall,
    gettext_noop,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Importing a plugin is what makes Pillow know its format. JPEG covers MPO, the JPEG with extra
#: frames that many phones write.
ACCEPTED_FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
        GifImagePlugin.GifImageFile,
        BmpImagePlugin.BmpImageFile,
    )
)
ACCEPTED_FORMATS_TEXT = gettext_noop("JPEG, PNG, WebP, GIF or BMP")

MAXIMUM_BYTES = 10 * 1024 * 1024
#: 50 megapixels: above every common camera, and about 200 MB while decoding.
MAXIMUM_PIXELS = 50_000_000
MAXIMUM_SIDE = 16_000
MINIMUM_SIDE = 24

JPEG_QUALITY = 92
THUMBNAIL_SIDE = 480
THUMBNAIL_QUALITY = 80
BLURRED_SIDE = 10

# A broken file must fail, not come out half grey.
ImageFile.LOAD_TRUNCATED_IMAGES = False


@dataclass(frozen=True, slots=True)
class CleanImage:
    """An accepted photo as it is kept: upright, RGB, JPEG, without metadata.

    Attributes:
        jpeg: the photo in full size.
        thumbnail_jpeg: at most 480 pixels a side.
        width: of the photo, in pixels.
        height: of the photo, in pixels.
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
        upright = _read_upright(image)
        width, height = upright.size
        jpeg = _encode(upright, JPEG_QUALITY)
        upright.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), reducing_gap=2.0)
        return CleanImage(jpeg, _encode(upright, THUMBNAIL_QUALITY), width, height)


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
        return _encode(few.resize(upright.size, Image.Resampling.BICUBIC), THUMBNAIL_QUALITY)


def blank(width: int, height: int) -> bytes:
    """A grey JPEG with the proportions of a photo, in a thumbnail's size."""
    scale = THUMBNAIL_SIDE / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return _encode(Image.new("L", size, 128), THUMBNAIL_QUALITY)


def reduced(jpeg: bytes, longest_side: int) -> bytes:
    """The same picture as a JPEG of at most so many pixels a side.

    Raises:
        ImageError: the bytes are not an image that we accept.
    """
    with _opened(jpeg) as image:
        upright = _read_upright(image)
        upright.thumbnail((longest_side, longest_side), reducing_gap=2.0)
        return _encode(upright, THUMBNAIL_QUALITY)


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
        gray = _flatten(_upright(image, orientation)).convert("L")
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
    if not data:
        raise ImageEmpty(gettext_noop("The file is empty."))
    if len(data) > MAXIMUM_BYTES:
        raise too_many_bytes()
    try:
        with warnings.catch_warnings():
            # Our own limit below is the stricter one.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError:
        raise ImageFormatNotAccepted(
            gettext_noop("This file type isn’t supported. Use %(formats)s."),
            formats=ACCEPTED_FORMATS_TEXT,
        ) from None
    except Image.DecompressionBombError:
        raise _too_many_pixels(maximum_pixels) from None
    except _DECODER_ERRORS:
        raise _damaged() from None
    with image:
        width, height = image.size
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
        try:
            yield image
        except Image.DecompressionBombError:
            raise _too_many_pixels(maximum_pixels) from None
        except _DECODER_ERRORS:
            raise _damaged() from None


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
    MemoryError,
    struct.error,
)


def too_many_bytes() -> ImageTooLarge:
    """What is wrong with a file of more than :data:`MAXIMUM_BYTES`."""
    return ImageTooLarge(
        gettext_noop("Too large: the limit is %(megabytes)s MB."),
        megabytes=MAXIMUM_BYTES // (1024 * 1024),
    )


def _too_many_pixels(maximum_pixels: int) -> ImageTooLarge:
    return ImageTooLarge(
        gettext_noop(
            "Too many pixels: the limit is %(megapixels)s megapixels and %(side)s pixels per side."
        ),
        megapixels=maximum_pixels // 1_000_000,
        side=MAXIMUM_SIDE,
    )


def _damaged() -> ImageDamaged:
    return ImageDamaged(gettext_noop("The file is damaged or incomplete."))


#: What undoes each EXIF orientation; 1 is upright.
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _decoded(image: Image.Image) -> int:
    """Decode the first frame; returns its EXIF orientation."""
    image.seek(0)
    image.load()
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except _DECODER_ERRORS:
        # A broken EXIF block says nothing about the pixels: take them as they lie.
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    transposition = _TRANSPOSITIONS.get(orientation)
    return image.transpose(transposition) if transposition is not None else image


def _read_upright(image: Image.Image) -> Image.Image:
    """The first frame, upright, in grey or RGB."""
    return _flatten(_upright(image, _decoded(image)))


def _flatten(image: Image.Image) -> Image.Image:
    """Bring any mode to grey or RGB: transparency on white, 16 bits down to 8."""
    if image.mode in {"L", "RGB"} and "transparency" not in image.info:
        return image
    if image.mode.startswith(("I", "F")):
        return image.convert("F").point(lambda level: level / 257.0).convert("L")
    if image.has_transparency_data:
        layers = image.convert("RGBA")
        background = Image.new("RGBA", layers.size, "white")
        return Image.alpha_composite(background, layers).convert("RGB")
    return image.convert("RGB")


def _encode(image: Image.Image, quality: int) -> bytes:
    """Write a JPEG with pixels alone."""
    buffer = io.BytesIO()
    bare = image.copy()
    bare.info = {}
    bare.save(buffer, "JPEG", quality=quality, optimize=False, exif=b"")
    return buffer.getvalue()
