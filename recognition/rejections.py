"""Why a spot is not counted as a face, as pages say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from recognition.vision.types import Rejection

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

REJECTION_TEXTS: dict[str, StrOrPromise] = {
    Rejection.TOO_SMALL: _("too few pixels to read"),
    Rejection.FLAT: _("hardly any contrast"),
    Rejection.BLURRED: _("too blurred to read"),
    Rejection.NOT_CONFIRMED: _("no face at a second look"),
}
