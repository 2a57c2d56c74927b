"""Random changes of training crops that a face in a photo shows too.

Rotation, shift, shear, zoom and flip stand for how a detector frames a face; brightness and
contrast for light; blur, sharpness, a lower resolution, noise and JPEG for cameras and files;
erasing for hands, hair and glasses.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Augmentation:
    """How far each change may go, and how often. Lengths are shares of the image's side.

    Attributes:
        rotation: degrees, either way.
        shift: share of the side, either way, in both directions.
        shear: either way.
        zoom: range of the scale; below 1 the face becomes smaller.
        flip: probability of mirroring left and right.
        gamma: range of the exponent on grey levels (brightness).
        contrast: range of the factor round the mean grey level.
        erase: probability of covering a random rectangle with noise or one grey.
        blur: probability of a Gaussian blur of up to 1.2 pixels.
        sharpen: probability of the opposite. The data set's images are soft, photos that were
            shrunk are crisp.
        resample: probability of going through half to five sixths of the resolution.
        noise: probability of Gaussian noise of up to 10 grey levels.
        jpeg: probability of JPEG compression of quality 30 to 90.
        strength: scales rotation, shift, shear, zoom and all probabilities but that of flip;
            0 leaves flip and light only.
    """

    rotation: float = 12.0
    shift: float = 0.09
    shear: float = 0.08
    zoom: tuple[float, float] = (0.84, 1.22)
    flip: float = 0.5
    gamma: tuple[float, float] = (0.7, 1.4)
    contrast: tuple[float, float] = (0.75, 1.3)
    erase: float = 0.25
    blur: float = 0.15
    sharpen: float = 0.2
    resample: float = 0.2
    noise: float = 0.2
    jpeg: float = 0.25
    strength: float = 1.0

    def apply(
        self, images: NDArray[np.uint8], size: int, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Change every image in its own way.

        Args:
            images: uint8 ``(n, side, side)``.
            size: side of the returned images.
            rng: the source of chance.

        Returns:
            float32 ``(n, size, size)``, grey levels 0 to 255.
        """
        return np.stack([self._apply_one(image, size, rng) for image in images])

    def _apply_one(
        self, image: NDArray[np.uint8], size: int, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        levels = self._lit(self._framed(image, size, rng), rng)
        # What covers a face is photographed with it.
        if self._happens(self.erase, rng):
            _cover(levels, rng)
        levels = self._photographed(levels, rng)
        return np.clip(levels, 0.0, 255.0, out=levels)

    def _happens(self, probability: float, rng: np.random.Generator) -> bool:
        return bool(rng.random() < probability * self.strength)

    def _framed(
        self, image: NDArray[np.uint8], size: int, rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        side = image.shape[0]
        angle = np.deg2rad(rng.uniform(-1, 1) * self.rotation * self.strength)
        shear = rng.uniform(-1, 1) * self.shear * self.strength
        log_zoom = rng.uniform(*np.log(self.zoom)) * self.strength
        scale = np.exp(log_zoom) * size / side
        shift = rng.uniform(-1, 1, 2) * self.shift * self.strength * size
        rotate = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = scale * rotate @ np.array([[1.0, shear], [0.0, 1.0]])
        if rng.random() < self.flip:
            linear[:, 0] *= -1.0
        source_center = np.full(2, (side - 1) / 2.0)
        target_center = np.full(2, (size - 1) / 2.0) + shift
        matrix = np.column_stack([linear, target_center - linear @ source_center])
        return cv2.warpAffine(
            image,
            matrix,
            (size, size),
            flags=cv2.INTER_LINEAR if size >= side else cv2.INTER_AREA,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def _lit(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
        levels = image.astype(np.float32) / 255.0
        levels **= float(np.exp(rng.uniform(*np.log(self.gamma))))
        mean = levels.mean()
        levels = mean + (levels - mean) * float(np.exp(rng.uniform(*np.log(self.contrast))))
        return np.clip(levels, 0.0, 1.0, out=levels) * np.float32(255)

    def _photographed(
        self, levels: NDArray[np.float32], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        size = levels.shape[0]
        if self._happens(self.blur, rng):
            levels = cv2.GaussianBlur(levels, (0, 0), rng.uniform(0.4, 1.2))
        elif self._happens(self.sharpen, rng):
            soft = cv2.GaussianBlur(levels, (0, 0), 1.0)
            levels = levels + np.float32(rng.uniform(0.3, 1.2)) * (levels - soft)
        if self._happens(self.resample, rng):
            small = int(rng.integers(size // 2, size * 5 // 6 + 1))
            levels = cv2.resize(levels, (small, small), interpolation=cv2.INTER_AREA)
            enlarging = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
            levels = cv2.resize(levels, (size, size), interpolation=enlarging)
        if self._happens(self.noise, rng):
            grain = rng.standard_normal((size, size), dtype=np.float32)
            levels = levels + np.float32(rng.uniform(2.0, 10.0)) * grain
        if self._happens(self.jpeg, rng):
            quality = int(rng.integers(30, 91))
            written = np.clip(levels, 0, 255).astype(np.uint8)
            encoded = cv2.imencode(".jpg", written, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            read = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
            assert read is not None, "it was encoded a line above"
            levels = read.astype(np.float32)
        return levels


def _cover(levels: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Cover a rectangle of an eighth to a third of the side with noise or one grey, in place."""
    size = levels.shape[0]
    height, width = rng.integers(size // 8, size // 3, 2)
    top, left = rng.integers(0, size - height), rng.integers(0, size - width)
    noise = rng.random() < 0.5
    levels[top : top + height, left : left + width] = (
        rng.uniform(0, 255, (height, width)) if noise else rng.uniform(0, 255)
    )
