"""From a face box to what the classifier reads.

Training and serving both go through :func:`standardize`, so a model never meets at work an
input that was scaled in another way than those it learned from.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision.types import BoundingBox, enclosing_ratio

#: Below this spread of grey levels a crop is treated as flat, so that noise is not blown up.
MINIMUM_STANDARD_DEVIATION = 4.0


def standardize(crops_gray: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Give every crop zero mean and unit variance, which removes exposure and contrast.

    Args:
        crops_gray: shape ``(n, height, width)``, grey levels 0 to 255.

    Returns:
        float32 of shape ``(n, height, width, 1)``.
    """
    crops = np.asarray(crops_gray, dtype=np.float32)
    mean = crops.mean(axis=(1, 2), keepdims=True)
    deviation = crops.std(axis=(1, 2), keepdims=True)
    standardized = (crops - mean) / np.maximum(deviation, MINIMUM_STANDARD_DEVIATION)
    return standardized[..., np.newaxis]


def crop_face(
    image_gray: NDArray[np.uint8],
    box: BoundingBox,
    size: int,
    margin: float = 0.0,
    roll: float = 0.0,
    *,
    black_outside: bool = False,
) -> NDArray[np.uint8]:
    """Cut a square round a face, turn it upright and scale it to the classifier's input.

    Pixels outside the image repeat its edge, so a face at the border keeps its proportions.

    Args:
        image_gray: shape ``(height, width)``, dtype uint8.
        box: the face, in pixels of ``image_gray``; where it is rolled, the upright box that
            encloses its turned square.
        size: side of the returned square, in pixels.
        margin: share of the face's side added on every side; negative values cut into it.
        roll: by how much the face is turned clockwise, in degrees.
        black_outside: pixels outside the image are black instead.

    Returns:
        uint8 of shape ``(size, size)``.
    """
    extent = enclosing_ratio(roll)
    side = max(box.width, box.height) / extent * (1.0 + 2.0 * margin)
    scale = size / side
    center_x = box.x + box.width / 2.0
    center_y = box.y + box.height / 2.0
    if scale < 0.5:
        # Shrinking by more than half with bilinear sampling alone would skip pixels (aliasing).
        image_gray, center_x, center_y, scale = _shrink_around(
            image_gray, center_x, center_y, side, size, extent
        )
    angle = math.radians(roll)
    along, across = scale * math.cos(angle), scale * math.sin(angle)
    # Pixel centres sit at half-integers: the crop's centre is at (size - 1) / 2.
    x, y, middle = center_x - 0.5, center_y - 0.5, (size - 1) / 2.0
    matrix = np.array(
        [
            [along, across, middle - along * x - across * y],
            [-across, along, middle + across * x - along * y],
        ],
        dtype=np.float64,
    )
    return cv2.warpAffine(
        image_gray,
        matrix,
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT if black_outside else cv2.BORDER_REPLICATE,
    )


def enclosing_box(center: tuple[float, float], side: float, roll: float) -> BoundingBox:
    """The upright box round a turned square, for :func:`crop_face`.

    It may reach over the image's border: cut there, it would no longer be centred on the face.
    """
    x, y = center
    extent = side * enclosing_ratio(roll)
    return BoundingBox(
        round(x - extent / 2.0), round(y - extent / 2.0), round(extent), round(extent)
    )


def _shrink_around(
    image_gray: NDArray[np.uint8],
    center_x: float,
    center_y: float,
    side: float,
    size: int,
    extent: float,
) -> tuple[NDArray[np.uint8], float, float, float]:
    """Area-average the neighbourhood of a large face down to about twice the wanted size."""
    height, width = image_gray.shape
    reach = side * extent / 2.0 + 2.0
    left, right = max(0, int(center_x - reach)), min(width, int(center_x + reach) + 1)
    top, bottom = max(0, int(center_y - reach)), min(height, int(center_y + reach) + 1)
    patch = image_gray[top:bottom, left:right]
    wanted = 2.0 * size / side
    new_width = max(1, round(patch.shape[1] * wanted))
    new_height = max(1, round(patch.shape[0] * wanted))
    small = cv2.resize(patch, (new_width, new_height), interpolation=cv2.INTER_AREA)
    ratio_x = new_width / patch.shape[1]
    ratio_y = new_height / patch.shape[0]
    new_side = side * (ratio_x + ratio_y) / 2.0
    return small, (center_x - left) * ratio_x, (center_y - top) * ratio_y, size / new_side
