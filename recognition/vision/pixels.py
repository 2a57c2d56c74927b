"""Pictures in memory: flat, upright, smaller, and written as a JPEG of pixels alone."""

from __future__ import annotations

import io
import math

from PIL import Image

#: Tried one after the other until the JPEG is small enough; below the last, its size shrinks.
JPEG_QUALITIES = (92, 85, 75, 60)
#: Rows of the result that are made at a time.
_STRIP_ROWS = 256

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


def upright(image: Image.Image, orientation: int) -> Image.Image:
    transposition = _TRANSPOSITIONS.get(orientation)
    return image.transpose(transposition) if transposition is not None else image


def is_flat(image: Image.Image) -> bool:
    return image.mode in {"L", "RGB"} and "transparency" not in image.info


def flatten(image: Image.Image) -> Image.Image:
    """Bring any mode to grey or RGB: transparency on white, 16 bits down to 8."""
    if is_flat(image):
        return image
    if image.mode.startswith(("I", "F")):
        return image.convert("F").point(lambda level: level / 257.0).convert("L")
    if image.has_transparency_data:
        layers = image.convert("RGBA")
        background = Image.new("RGBA", layers.size, "white")
        return Image.alpha_composite(background, layers).convert("RGB")
    return image.convert("RGB")


def fitting(size: tuple[int, int], pixels: float) -> tuple[int, int]:
    """A size of the same proportions and at most so many pixels; never a larger one."""
    scale = min(1.0, math.sqrt(pixels / (size[0] * size[1])))
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Grey or RGB, and no larger than `size`.

    Strip by strip, so that there are never two pictures of full size in memory.
    """
    width, height = min(size[0], image.width), min(size[1], image.height)
    if (width, height) == image.size and is_flat(image):
        return image
    scale = image.height / height
    margin = math.ceil(scale) + 1 if scale > 1 else 0
    result: Image.Image | None = None
    for top in range(0, height, _STRIP_ROWS):
        bottom = min(top + _STRIP_ROWS, height)
        first = max(0, math.floor(top * scale) - margin)
        last = min(image.height, math.ceil(bottom * scale) + margin)
        strip = flatten(image.crop((0, first, image.width, last)))
        box = (0, top * scale - first, image.width, bottom * scale - first)
        strip = strip.resize((width, bottom - top), Image.Resampling.BILINEAR, box=box)
        result = result or Image.new(strip.mode, (width, height))
        result.paste(strip, (0, top))
    assert result is not None
    return result


def encode_within(image: Image.Image, maximum_bytes: int) -> bytes:
    """Write a JPEG of at most so many bytes, as good as that allows."""
    for quality in JPEG_QUALITIES:
        jpeg = encode(image, quality)
        if len(jpeg) <= maximum_bytes:
            return jpeg
    while len(jpeg) > maximum_bytes and image.width * image.height > 1:
        size = fitting(image.size, 0.9 * image.width * image.height * maximum_bytes / len(jpeg))
        image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        jpeg = encode(image, JPEG_QUALITIES[-1])
    return jpeg


def encode(image: Image.Image, quality: int) -> bytes:
    """Write a JPEG with pixels alone."""
    buffer = io.BytesIO()
    # Put aside, not copied: a copy of all pixels would take as long as writing them.
    info, image.info = image.info, {}
    try:
        image.save(buffer, "JPEG", quality=quality, optimize=False, exif=b"")
    finally:
        image.info = info
    return buffer.getvalue()
