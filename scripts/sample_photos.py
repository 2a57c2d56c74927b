"""Make the sample photos in static/img/samples from NASA's portrait of Eileen Collins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

FOLDER = Path(__file__).resolve().parent.parent / "static" / "img" / "samples"
SIZE = (1200, 820)
HEAD = (70, 0, 370, 300)
CLOSER = (110, 0, 340, 230)
PAPER = (246, 243, 236)


def wall() -> Image.Image:
    """A plain wall with a little grain."""
    width, height = SIZE
    grain = np.random.default_rng(1).normal(0, 3, (height, width, 1))
    shade = np.array([72, 84, 104]) + grain - 18 * np.linspace(0, 1, height)[:, None, None]
    return Image.fromarray(shade.clip(0, 255).astype(np.uint8)).convert("RGBA")


def hang(on: Image.Image, picture: Image.Image, at: tuple[int, int], turn: float) -> None:
    """Put a print with a white border and a shadow on the wall, turned by some degrees."""
    framed = ImageOps.expand(picture, round(picture.width / 20), PAPER).convert("RGBA")
    framed = framed.rotate(turn, Image.Resampling.BICUBIC, expand=True)
    dark = Image.new("RGBA", framed.size)
    dark.putalpha(framed.getchannel("A").point(lambda alpha: alpha * 90 // 255))
    shadow = Image.new("RGBA", on.size)
    shadow.paste(dark, (at[0] + 5, at[1] + 8))
    on.alpha_composite(shadow.filter(ImageFilter.GaussianBlur(7)))
    on.alpha_composite(framed, at)


def prints(portrait: Image.Image) -> Image.Image:
    """Six prints of the portrait: mirrored, grey, bright, dark, close and blurred."""
    picture = wall()

    def cut(side: int, part: tuple[int, int, int, int] = HEAD) -> Image.Image:
        return portrait.crop(part).resize((side, side), Image.Resampling.LANCZOS)

    def lit(image: Image.Image, factor: float) -> Image.Image:
        return ImageEnhance.Brightness(image).enhance(factor)

    grey = ImageOps.grayscale(ImageOps.mirror(cut(290))).convert("RGB")
    blurred = ImageOps.mirror(cut(270)).filter(ImageFilter.GaussianBlur(2.2))
    hang(picture, cut(310), (40, 40), 3)
    hang(picture, grey, (430, 25), -4)
    hang(picture, lit(cut(320), 1.12), (810, 50), 2)
    hang(picture, lit(ImageOps.mirror(cut(290)), 0.62), (60, 440), -3)
    hang(picture, cut(320, CLOSER), (450, 410), 5)
    hang(picture, blurred, (850, 450), -2)
    return picture.convert("RGB")


def main() -> None:
    portrait = Image.fromarray(skimage.data.astronaut())
    for name, image in {"portrait": portrait, "prints": prints(portrait)}.items():
        image.save(FOLDER / f"{name}.jpg", quality=82, optimize=True, progressive=True)


if __name__ == "__main__":
    main()
