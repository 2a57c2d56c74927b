"""Draw static/img/icon-*.png: what static/img/icon.svg shows, for where it has to be a PNG."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).resolve().parent.parent / "static" / "img"
GROUND, FRAME, FACE = (79, 70, 229), (199, 210, 254), (255, 255, 255)
#: Drawn larger and reduced, so that edges are smooth.
FINER = 8


def icon(side: int, *, is_round: bool) -> Image.Image:
    """The icon; without round corners for systems that cut a shape of their own out of it."""
    unit = side * FINER / 32
    image = Image.new("RGBA", (side * FINER, side * FINER))
    draw = ImageDraw.Draw(image)
    whole = (0, 0, image.width - 1, image.height - 1)
    draw.rounded_rectangle(whole, 8 * unit if is_round else 0, GROUND)

    def dot(x: float, y: float, radius: float, colour: tuple[int, int, int]) -> None:
        box = [(x - radius) * unit, (y - radius) * unit, (x + radius) * unit, (y + radius) * unit]
        draw.ellipse(box, colour)

    def trace(points: list[tuple[float, float]], colour: tuple[int, int, int]) -> None:
        for (x1, y1), (x2, y2) in pairwise(points):
            for step in range(41):
                dot(x1 + (x2 - x1) * step / 40, y1 + (y2 - y1) * step / 40, 1, colour)

    turn = [
        (2 - 2 * math.sin(a), 2 - 2 * math.cos(a))
        for a in (math.pi / 2 * i / 12 for i in range(13))
    ]
    corner = [(7 + x, 7 + y) for x, y in [(5, 0), *turn, (0, 5)]]
    for sign_x in (1, -1):
        for sign_y in (1, -1):
            trace([(16 + sign_x * (x - 16), 16 + sign_y * (y - 16)) for x, y in corner], FRAME)
    for x in (12.5, 19.5):
        dot(x, 14, 1.7, FACE)
    smile = []
    for step in range(25):
        t = step / 24
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        smile.append(
            (11.5 * a + 13.8 * b + 18.2 * c + 20.5 * d, 18.5 * a + 21.5 * b + 21.5 * c + 18.5 * d)
        )
    trace(smile, FACE)
    return image.resize((side, side), Image.Resampling.LANCZOS)


def main() -> None:
    for side in (192, 512):
        icon(side, is_round=True).save(FOLDER / f"icon-{side}.png", optimize=True)
    icon(512, is_round=False).convert("RGB").save(FOLDER / "icon-maskable.png", optimize=True)
    icon(180, is_round=False).convert("RGB").save(FOLDER / "icon-apple.png", optimize=True)


if __name__ == "__main__":
    main()
