"""What can go wrong between bytes and labelled faces.

Every error carries a stable ``code`` for programs and a sentence for people.
"""

from __future__ import annotations


def gettext_noop(template: str) -> str:
    """Mark a sentence for the catalogues of other languages; it is looked up where it is shown."""
    return template


class VisionError(Exception):
    """Base of all errors of this package."""

    code = "vision_error"


class FileError(VisionError):
    """The bytes are not what we accept; the message is written for people.

    Args:
        template: the message in English, with places such as ``%(side)s`` for values.
        values: what belongs there. Numbers get separators: 16,000.
    """

    code = "invalid_file"

    def __init__(self, template: str, **values: int | str) -> None:
        written = {
            name: f"{value:,}" if isinstance(value, int) else value
            for name, value in values.items()
        }
        super().__init__(template % written)
        self.template = template
        self.values = values


class ImageError(FileError):
    """The bytes are not an image that we accept."""

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


class ImageTooCostly(ImageError):
    """Opening it asks for more memory or time than any photo needs."""

    code = "image_too_costly"


def damaged() -> ImageDamaged:
    """An image that breaks off, or contradicts itself."""
    return ImageDamaged(gettext_noop("The file is damaged or incomplete."))


def too_costly() -> ImageTooCostly:
    """An image that asks for more work than any photo needs."""
    return ImageTooCostly(
        gettext_noop("Too complex to open safely. Save the photo again as an ordinary JPEG or PNG.")
    )


def rare_kind(image_format: str) -> ImageFormatNotAccepted:
    """A known format in a form that is not read."""
    return ImageFormatNotAccepted(
        gettext_noop(
            "This kind of %(format)s isn’t supported. Save the photo again as an ordinary JPEG or "
            "PNG."
        ),
        format=image_format,
    )


class VideoError(FileError):
    """The bytes are not a video that we accept."""

    code = "invalid_video"


class VideoEmpty(VideoError):
    code = "empty"


class VideoFormatNotAccepted(VideoError):
    code = "format_not_accepted"


class VideoWithoutPicture(VideoError):
    """It has no pictures that change over time, such as a song with its cover."""

    code = "no_picture"


class VideoDamaged(VideoError):
    code = "damaged"


class VideoTooLarge(VideoError):
    """Too many bytes, or too many pixels a picture."""

    code = "too_large"


class VideoTooSmall(VideoError):
    code = "too_small"


class VideoTooLong(VideoError):
    code = "too_long"


class VideoTooCostly(VideoError):
    """Reading it asks for more memory or time than any video needs."""

    code = "video_too_costly"


class ModelError(VisionError):
    """The trained model is missing or does not fit its manifest; the message is for operators."""

    code = "model_unavailable"
