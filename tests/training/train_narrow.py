"""Trains and exports a narrow network; run as a process of its own by `test_fit_and_export`.

Usage: python train_narrow.py {interrupt,resume} DATA VOTES CHECKPOINTS MODELS
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

from recognition.training import dataset, export, fit, network, weights

#: The same 13 convolutions with few filters: seconds instead of minutes.
network.BLOCKS = ((8, 8), (16, 16), (32, 32, 32), (32, 32, 32), (32, 32, 32))
SETTINGS = fit.Settings(
    cycles=(fit.Cycle((fit.Stage(2, 32),), 0.06, 0.5),),
    batch_size=16,
    ema_momentum=0.5,
    precision="float32",
)


def interrupt() -> None:
    raise KeyboardInterrupt


def main(action: str, data_path: Path, votes: Path, checkpoints: Path, models: Path) -> None:
    data = dataset.load(data_path, votes, validation_share=0.25)
    if action == "interrupt":
        fit.fit(data, SETTINGS, checkpoints, after_epoch=interrupt)
    history = fit.fit(data, SETTINGS, checkpoints)
    export.export(checkpoints, models, data, with_votes=True, num_threads=1)
    logits = weights.run(export.load_float(checkpoints), data.validation.images)
    np.savez(
        models / "float.npz",
        images=data.validation.images,
        **logits,
    )
    (models / "history.json").write_text(json.dumps(history))


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
