"""A camera clip made from one photo of a face: it moves, scales, leaves and comes back."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

WIDTH, HEIGHT, FRAMES_PER_SECOND = 640, 480, 30
JPEG_QUALITY = 80
#: Seconds after which the clip begins anew; the face is out of the picture in `AWAY`.
PERIOD = 10.0
AWAY = (7.0, 8.5)
#: Head and shoulders in scikit-image's astronaut photo: left, top, right, bottom.
_ASTRONAUT = (110, 0, 350, 300)
_BACKGROUND = 96
#: Spread of the camera's noise, in grey levels: an ordinary one, and one of a dark room.
NOISE, DARK_NOISE = 3.0, 20.0
#: The smile in the portrait with its cheeks: left, top, right, bottom.
_SMILE = (80, 112, 150, 160)


def astronaut() -> Image.Image:
    """A public-domain portrait (NASA's Eileen Collins), from scikit-image.

    Raises:
        ImportError: scikit-image is not installed.
    """
    import skimage.data

    return Image.fromarray(skimage.data.astronaut()).crop(_ASTRONAUT)


def without_smile(portrait: Image.Image, radius: float) -> Image.Image:
    """The portrait with its mouth out of focus: the larger the radius, the less of a smile.

    Args:
        portrait: :func:`astronaut`.
        radius: of the blur, in pixels.
    """
    changed = portrait.copy()
    blurred = portrait.crop(_SMILE).filter(ImageFilter.GaussianBlur(radius))
    changed.paste(blurred, _SMILE[:2])
    return changed


def frame(portrait: Image.Image, seconds: float, noise: float = NOISE) -> NDArray[np.uint8]:
    """The picture at a time of the clip: uint8 RGB ``(480, 640, 3)``.

    Args:
        portrait: head and shoulders, upright.
        seconds: from the start of the clip; every :data:`PERIOD` it repeats.
        noise: standard deviation, in grey levels.
    """
    seconds %= PERIOD
    canvas = Image.new("RGB", (WIDTH, HEIGHT), (_BACKGROUND,) * 3)
    if not AWAY[0] <= seconds < AWAY[1]:
        turn = 2 * math.pi * seconds / PERIOD
        height = HEIGHT * (0.85 + 0.25 * math.sin(2 * turn))
        size = (round(height * portrait.width / portrait.height), round(height))
        left = (WIDTH - size[0]) / 2 + 120 * math.sin(3 * turn)
        canvas.paste(portrait.resize(size), (round(left), HEIGHT - size[1]))
    random = np.random.default_rng(round(seconds * 1000))
    grain = random.normal(0, noise, (HEIGHT, WIDTH, 1))
    return np.clip(np.asarray(canvas, np.float32) + grain, 0, 255).astype(np.uint8)


def jpeg_frame(portrait: Image.Image, seconds: float, noise: float = NOISE) -> bytes:
    """:func:`frame` as JPEG."""
    buffer = io.BytesIO()
    picture = Image.fromarray(frame(portrait, seconds, noise))
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def jpeg_frames(portrait: Image.Image, seconds: float = PERIOD) -> Iterator[bytes]:
    """The clip's frames as JPEG, at :data:`FRAMES_PER_SECOND`."""
    for index in range(round(seconds * FRAMES_PER_SECOND)):
        yield jpeg_frame(portrait, index / FRAMES_PER_SECOND)


def write_mjpeg(path: Path, portrait: Image.Image, seconds: float = PERIOD) -> None:
    """Write the clip as a file that Chromium takes for a camera."""
    with path.open("wb") as file:
        for jpeg in jpeg_frames(portrait, seconds):
            file.write(jpeg)
