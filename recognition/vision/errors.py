"""What can go wrong between bytes and labelled faces.

Every error carries a stable ``code`` for programs and a sentence for people.
"""

from __future__ import annotations


class VisionError(Exception):
    """Base of all errors of this package."""

    code = "vision_error"


class ImageError(VisionError):
    """The bytes are not an image that we accept; the message is written for people."""

    code = "invalid_image"


class ImageEmpty(ImageError):
    code = "empty"


class ImageFormatNotAccepted(ImageError):
    code = "format_not_accepted"


class ImageDamaged(ImageError):
    code = "damaged"


class ImageTooLarge(ImageError):
    """Too many bytes or too many pixels."""

    code = "too_large"


class ImageTooSmall(ImageError):
    code = "too_small"


class ModelError(VisionError):
    """The trained model is missing or does not fit its manifest; the message is for operators."""

    code = "model_unavailable"
