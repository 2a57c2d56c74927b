"""Random changes of training crops that a face in the wild shows too.

Rotation, shift, shear, zoom and flip stand for how a detector frames a face; brightness and
contrast for light; erasing for hands, hair and glasses.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Augmentation:
    """How far each change may go. Lengths are shares of the image's side.

    Attributes:
        rotation: degrees, either way.
        shift: share of the side, either way, in both directions.
        shear: either way.
        zoom: range of the scale; below 1 the face becomes smaller.
        flip: probability of mirroring left and right.
        gamma: range of the exponent on grey levels (brightness).
        contrast: range of the factor round the mean grey level.
        erase: probability of replacing a random rectangle by noise.
        strength: scales rotation, shift, shear, zoom and erase; 0 leaves flip and light only.
    """

    rotation: float = 12.0
    shift: float = 0.08
    shear: float = 0.08
    zoom: tuple[float, float] = (0.87, 1.18)
    flip: float = 0.5
    gamma: tuple[float, float] = (0.7, 1.4)
    contrast: tuple[float, float] = (0.8, 1.25)
    erase: float = 0.25
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
        warped = cv2.warpAffine(
            image,
            matrix,
            (size, size),
            flags=cv2.INTER_LINEAR if size >= side else cv2.INTER_AREA,
            borderMode=cv2.BORDER_REPLICATE,
        )
        levels = warped.astype(np.float32) / 255.0
        levels **= float(np.exp(rng.uniform(*np.log(self.gamma))))
        mean = levels.mean()
        levels = mean + (levels - mean) * float(np.exp(rng.uniform(*np.log(self.contrast))))
        if rng.random() < self.erase * self.strength:
            height, width = rng.integers(size // 8, size // 3, 2)
            top, left = rng.integers(0, size - height), rng.integers(0, size - width)
            levels[top : top + height, left : left + width] = rng.random((height, width))
        return np.clip(levels, 0.0, 1.0, out=levels) * 255.0
