"""What the model's labels are called on pages. A test holds the keys to the model's manifest."""

from django.utils.translation import gettext_lazy as _

LABEL_NAMES = {
    "happy": _("Happy"),
    "sad": _("Sad"),
    "surprise": _("Surprise"),
    "neutral": _("Neutral"),
}
#: What a face can be corrected to.
CORRECTION_NAMES = {**LABEL_NAMES, "not_a_face": _("Not a face")}
