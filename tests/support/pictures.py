"""Pictures for tests: a public-domain portrait, and what is made from it or drawn."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
import skimage.data
from PIL import Image

from recognition.vision import heic

#: Where the face of :func:`astronaut` is, roughly: left, top, right, bottom.
ASTRONAUT_FACE = (170, 60, 280, 175)


@cache
def astronaut() -> Image.Image:
    """NASA's portrait of Eileen Collins (public domain), 512×512, one smiling face."""
    return Image.fromarray(skimage.data.astronaut())


def encode(image: Image.Image, image_format: str = "JPEG", **options: Any) -> bytes:
    if image_format == "HEIF":
        heic.teach_pillow()
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


@cache
def face_jpeg() -> bytes:
    return encode(astronaut(), quality=92)


@cache
def no_face_jpeg() -> bytes:
    """A smooth gradient."""
    ramp = np.tile(np.linspace(0, 255, 320, dtype=np.uint8), (240, 1))
    return encode(Image.fromarray(ramp).convert("RGB"))


@cache
def turned_face_png(degrees: float) -> bytes:
    """The portrait turned clockwise, on a canvas with room for all of it, without EXIF."""
    turned = astronaut().rotate(
        -degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(120, 120, 120)
    )
    return encode(turned, "PNG")


@cache
def false_face_jpeg() -> bytes:
    """A part of a motorcycle that the detector takes for a face (371×400)."""
    _left, right, _disparity = skimage.data.stereo_motorcycle()
    larger = Image.fromarray(right).resize((1112, 750), Image.Resampling.BICUBIC)
    return encode(larger.crop((740, 160, 1111, 560)), quality=98)


@cache
def meadow() -> Image.Image:
    """Grass, 512×512: a textured background without anything like a face."""
    return Image.fromarray(skimage.data.grass())


def two_faces_jpeg() -> bytes:
    """The portrait beside its mirror image."""
    left = astronaut()
    both = Image.new("RGB", (1024, 512))
    both.paste(left, (0, 0))
    both.paste(left.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (512, 0))
    return encode(both)


def crowd(columns: int = 6, rows: int = 4) -> tuple[Image.Image, list[tuple[int, int, int, int]]]:
    """Many faces of the portrait, of several sizes and brightnesses, on grass.

    Returns:
        The photo (1200×800 with the defaults), and the faces' boxes ``(x, y, width, height)``
        from left to right.
    """
    photo = meadow().convert("RGB").resize((200 * columns, 200 * rows))
    portrait = astronaut().crop((120, 10, 330, 220))
    boxes = []
    for number in range(columns * rows):
        column, row = divmod(number, rows)
        size = 110 + 20 * (number % 4)
        face = portrait.resize((size, size), Image.Resampling.BICUBIC)
        if number % 2:
            face = face.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        left, top = 200 * column + 15, 200 * row + 20 * (number % 2)
        photo.paste(
            face.point(lambda value, dark=0.7 + 0.1 * (number % 4): int(value * dark)), (left, top)
        )
        share = size / 210
        x = left + round((210 - 57 - 96 if number % 2 else 57) * share)
        boxes.append((x, top + round(56 * share), round(96 * share), round(96 * share)))
    return photo, boxes
