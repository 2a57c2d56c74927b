"""What `manage.py check` and every start say about this installation."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from recognition.vision.errors import ModelError
from recognition.vision.manifest import read_manifest


@register(deploy=True)
def trained_model(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The trained model is there and is the one its manifest describes."""
    problem = default_problem()
    if problem is None:
        return []
    hint = "Restore the files in models/ or train a model with `make train`."
    return [Error(problem, hint=hint, id="recognition.E001")]


def default_problem() -> str | None:
    """Why the default model cannot be used; None where it can."""
    try:
        read_manifest(settings.MODEL_MANIFEST)
    except ModelError as error:
        return str(error)
    return None
