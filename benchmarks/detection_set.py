"""A development set for face detection, made of pictures that may be used.

``python -m benchmarks.detection_set FOLDER`` writes pictures and ``boxes.json`` for
``manage.py evaluate_detection --data FOLDER``. All faces are those of one public-domain portrait,
so the set tells how place, size, light and turn matter, and nothing about people. The same
pictures come out every time.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

Box = tuple[int, int, int, int]
Sample = tuple[str, Image.Image, list[Box]]

#: The face in the portrait, as the Haar cascade frames it, and the head round it.
FACE = (177, 66, 97, 97)
HEAD = (105, 0, 345, 240)
BACKGROUNDS = ("brick", "grass", "gravel", "coffee", "rocket")
WITHOUT_FACES = (
    *("brick", "cell", "chelsea", "clock", "coffee", "coins", "colorwheel", "grass", "gravel"),
    *("horse", "hubble_deep_field", "immunohistochemistry", "logo", "microaneurysms", "moon"),
    *("page", "retina", "rocket", "text", "checkerboard"),
)


def samples() -> Iterator[Sample]:
    """Name, picture and boxes of every sample."""
    yield from _portraits()
    yield from _turned()
    yield from _groups()
    yield from _without_faces()


def _portrait() -> Image.Image:
    return Image.fromarray(skimage.data.astronaut())


def _scaled(scale: float) -> list[Box]:
    x, y, width, height = (round(value * scale) for value in FACE)
    return [(x, y, width, height)]


def _portraits() -> Iterator[Sample]:
    portrait = _portrait()
    for side in (96, 160, 256, 512, 1024, 2048):
        yield f"size-{side}", portrait.resize((side, side)), _scaled(side / 512)
    for margin in (-8, 0, 8, 16, 32, 64):
        left, top = max(0, FACE[0] - margin), max(0, FACE[1] - margin)
        cut = portrait.crop((left, top, FACE[0] + 97 + margin, FACE[1] + 97 + margin))
        scale = 300 / cut.width
        large = cut.resize((300, round(cut.height * scale)), Image.Resampling.BICUBIC)
        box = ((FACE[0] - left) * scale, (FACE[1] - top) * scale, 97 * scale, 97 * scale)
        yield f"tight-{margin}", large, [_box(*box)]
    for factor in (0.15, 0.3, 0.6, 1.8):
        yield f"light-{factor}", ImageEnhance.Brightness(portrait).enhance(factor), [FACE]
    for radius in (1, 2, 3):
        yield f"blur-{radius}", portrait.filter(ImageFilter.GaussianBlur(radius)), [FACE]


def _turned() -> Iterator[Sample]:
    portrait = _portrait()
    for degrees in range(-165, 181, 15):
        turned = portrait.rotate(
            -degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(120, 120, 120)
        )
        angle = math.radians(degrees)
        x, y = FACE[0] + 48.5 - 256, FACE[1] + 48.5 - 256
        center_x = turned.width / 2 + x * math.cos(angle) - y * math.sin(angle)
        center_y = turned.height / 2 + x * math.sin(angle) + y * math.cos(angle)
        side = 97 * (abs(math.cos(angle)) + abs(math.sin(angle)))
        yield f"turned{degrees:+d}", turned, [_box(center_x - side / 2, center_y - side / 2, side)]


def _groups() -> Iterator[Sample]:
    head = _portrait().crop(HEAD)
    random = np.random.default_rng(1)
    for background in BACKGROUNDS:
        scene = Image.fromarray(getattr(skimage.data, background)()).convert("RGB")
        for side in (110, 150, 220, 330):
            picture = scene.resize((1600, 1000))
            boxes = []
            for row in range(2):
                for column in range(4):
                    x = 30 + 390 * column + int(random.integers(0, 40))
                    y = 60 + 480 * row + int(random.integers(0, 40))
                    scale = side / head.width
                    picture.paste(head.resize((side, side), Image.Resampling.LANCZOS), (x, y))
                    left, top = FACE[0] - HEAD[0], FACE[1] - HEAD[1]
                    boxes.append(_box(x + left * scale, y + top * scale, 97 * scale))
            yield f"group-{background}-{side}", picture, boxes


def _without_faces() -> Iterator[Sample]:
    for name in WITHOUT_FACES:
        picture = Image.fromarray(np.asarray(getattr(skimage.data, name)())).convert("RGB")
        yield f"none-{name}", picture, []
        large = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.BICUBIC)
        yield f"none-{name}-large", large, []
    left, right, _disparity = skimage.data.stereo_motorcycle()
    yield "none-motorcycle-left", Image.fromarray(left), []
    yield "none-motorcycle-right", Image.fromarray(right), []
    for seed in range(6):
        yield f"none-drawn-{seed}", _drawing(seed), []
        noise = np.random.default_rng(seed).integers(0, 255, (300, 400, 3), dtype=np.uint8)
        yield f"none-noise-{seed}", Image.fromarray(noise).resize((800, 600)), []


def _drawing(seed: int) -> Image.Image:
    """Circles, boxes and lines at random."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", (900, 700), tuple(int(v) for v in random.integers(0, 255, 3)))
    draw = ImageDraw.Draw(picture)
    for _ in range(40):
        x, y, width, height = (int(value) for value in random.integers(10, 400, 4))
        colour = tuple(int(value) for value in random.integers(0, 255, 3))
        shape = (draw.ellipse, draw.rectangle)[int(random.integers(0, 2))]
        shape((x * 2, y, x * 2 + width, y + height), fill=colour)
    return picture


def _box(x: float, y: float, width: float, height: float | None = None) -> Box:
    return round(x), round(y), round(width), round(width if height is None else height)


def write(folder: Path) -> int:
    """Write pictures and boxes.json; returns the number of pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    boxes = {}
    for name, picture, faces in samples():
        picture.convert("RGB").save(folder / f"{name}.jpg", quality=90)
        boxes[f"{name}.jpg"] = faces
    (folder / "boxes.json").write_text(json.dumps(boxes, indent=1) + "\n")
    return len(boxes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    write(parser.parse_args().folder)
