"""Imported by a worker that `tests.chaos.poison` sets up: the fault itself."""

from __future__ import annotations

import os
import signal
from typing import Any

from recognition.model_registry import inference
from tests.chaos.poison import POISON_NAME

_predict_upload = inference.predict_upload


def predict_or_die(upload: Any) -> Any:
    if upload.name == POISON_NAME:
        os.kill(os.getpid(), signal.SIGKILL)
    return _predict_upload(upload)


inference.predict_upload = predict_or_die
