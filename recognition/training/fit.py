"""Train the network: schedule, checkpoints, selection on validation, resume.

The recipe is SGD with Nesterov momentum in cosine cycles with warm-up, an exponential moving
average of the weights, and images that grow: the first stages at a reduced size cost a third of
the time. (Loshchilov and Hutter 2017 report restarts of the cosine, Touvron et al. 2019 growing
images.) Each cycle ends with a model that can be shipped, and a finished run goes on when its
settings get one more cycle.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from recognition.training import network, normalisation
from recognition.training.augmentation import Augmentation
from recognition.training.dataset import LABELS, Dataset, Examples
from recognition.vision.preprocessing import standardize

logger = logging.getLogger(__name__)

BEST = "best.keras"
LAST = "last.keras"
STATE = "state.json"

#: Training images from which the averaged weights get their normalisation statistics.
STATISTICS_IMAGES = 1280


@dataclass(frozen=True)
class Stage:
    """A run of epochs with one image size and one strength of augmentation."""

    epochs: int
    image_size: int
    augmentation_strength: float = 1.0


@dataclass(frozen=True)
class Cycle:
    """A run of stages under one rise and fall of the learning rate.

    Attributes:
        learning_rate: the peak, reached after `warmup_epochs`, then a cosine down to
            `final_learning_rate`.
    """

    stages: tuple[Stage, ...]
    learning_rate: float
    warmup_epochs: float
    final_learning_rate: float = 0.0

    @property
    def epochs(self) -> int:
        return sum(stage.epochs for stage in self.stages)


@dataclass(frozen=True)
class Settings:
    """Everything that decides the outcome of a training run, written into the manifest.

    Attributes:
        cycles: run one after the other.
        batch_size: images a step.
        weight_decay: decoupled, on kernels only.
        label_smoothing: for the `fer2013` head; taggers' votes are soft already.
        ema_momentum: of the moving average of weights that is validated and kept.
        initial_weights: None (random), ``"imagenet"`` or the path of a ``.keras`` file.
        precision: Keras dtype policy.
    """

    cycles: tuple[Cycle, ...] = (
        Cycle((Stage(8, 32), Stage(5, 40), Stage(3, 48, 0.5)), 0.06, 1.5),
        Cycle((Stage(6, 40, 0.75),), 0.03, 0.5, 0.0216),
        Cycle((Stage(5, 48, 0.5),), 0.0216, 0.0),
        Cycle((Stage(6, 48), Stage(3, 48, 0.75)), 0.03, 0.5),
        Cycle((Stage(6, 48), Stage(3, 48, 0.75)), 0.03, 0.5),
    )
    batch_size: int = 128
    weight_decay: float = 3e-3
    clip_norm: float = 5.0
    label_smoothing: float = 0.1
    ema_momentum: float = 0.995
    dropout: float = 0.4
    l2: float = 1e-4
    head_units: int = 256
    initial_weights: str | None = None
    precision: str = "mixed_bfloat16"
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def epochs(self) -> int:
        return sum(cycle.epochs for cycle in self.cycles)

    @property
    def stages(self) -> tuple[Stage, ...]:
        return tuple(stage for cycle in self.cycles for stage in cycle.stages)


Targets = dict[str, NDArray[np.float32]]


def _targets(examples: Examples) -> tuple[Targets, Targets]:
    """Targets and example weights of both heads."""
    targets = {"fer2013": examples.label_targets, "consensus": examples.vote_targets}
    weights = {head: target.sum(axis=1) for head, target in targets.items()}
    return targets, weights


class _TrainBatches(keras.utils.PyDataset):
    """Augmented batches; which ones depends on the seed and the epoch alone."""

    def __init__(self, examples: Examples, settings: Settings, stage: Stage) -> None:
        super().__init__()
        self._examples = examples
        self._settings = settings
        self._size = stage.image_size
        self._augmentation = Augmentation(
            **{**asdict(settings.augmentation), "strength": stage.augmentation_strength}
        )
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Shuffle anew, in the order that belongs to this epoch."""
        self._epoch = epoch
        rng = np.random.default_rng([self._settings.seed, epoch])
        self._order = rng.permutation(len(self._examples))

    def __len__(self) -> int:
        return len(self._examples) // self._settings.batch_size

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], Targets, Targets]:
        start = index * self._settings.batch_size
        batch = self._examples.take(self._order[start : start + self._settings.batch_size])
        rng = np.random.default_rng([self._settings.seed, self._epoch, index])
        images = self._augmentation.apply(batch.images, self._size, rng)
        return (standardize(images), *_targets(batch))


class _EpochOrder(keras.callbacks.Callback):
    """Tell the batches which epoch begins, also after a resume."""

    def __init__(self, batches: _TrainBatches) -> None:
        super().__init__()
        self._batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._batches.set_epoch(epoch)


class _Progress(keras.callbacks.Callback):
    """Save all that a resume needs after each epoch, and tell the score.

    Stands before `SwapEMAWeights` in the list of callbacks, so that it saves the raw weights.
    """

    def __init__(self, directory: Path, history: list[dict[str, float]]) -> None:
        super().__init__()
        self._directory = directory
        self._history = history

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        assert logs is not None
        accuracies = [logs[f"val_{head}_accuracy"] for head in network.HEADS]
        logs["val_score"] = float(np.mean(accuracies))
        self._history.append({"epoch": epoch, **{k: float(v) for k, v in logs.items()}})
        partial = self._directory / f"partial-{LAST}"
        self.model.save(partial)
        os.replace(partial, self._directory / LAST)
        state = {"epochs_done": epoch + 1, "history": self._history}
        partial = self._directory / f"partial-{STATE}"
        partial.write_text(json.dumps(state, indent=1))
        os.replace(partial, self._directory / STATE)
        logger.info("epoch %d: %s", epoch + 1, {k: round(float(v), 4) for k, v in logs.items()})


class _AveragedStatistics(keras.callbacks.Callback):
    """Give the averaged weights their own normalisation statistics while they are in the model.

    The moving means and variances follow the raw weights, at the stage's image size. With them
    the averaged weights are far off for as long as the weights change fast: after two epochs
    their accuracy on validation was 27 %, and 68 % with statistics of their own at full size.
    (Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization",
    section 3.2.)

    Stands after `SwapEMAWeights` and before `ModelCheckpoint` in the list of callbacks.
    """

    def __init__(self, images: NDArray[np.uint8]) -> None:
        super().__init__()
        self._images = images
        self._raw: list[NDArray[np.float32]] | None = None
        self._averaged: list[NDArray[np.float32]] = []

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._raw = normalisation.get_statistics(self.model)
        normalisation.estimate_statistics(self.model, self._images)
        self._averaged = normalisation.get_statistics(self.model)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self._restore()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._raw = normalisation.get_statistics(self.model)
        normalisation.set_statistics(self.model, self._averaged)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._restore()

    def _restore(self) -> None:
        if self._raw is not None:
            normalisation.set_statistics(self.model, self._raw)
            self._raw = None


@keras.saving.register_keras_serializable("recognition")
class CosineCycles(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate of several cycles, as a function of the step."""

    def __init__(self, cycles: Sequence[Sequence[float]]) -> None:
        """Plan the cycles.

        Args:
            cycles: for each its peak and final rate, its steps of warm-up and its steps in all.
        """
        self.cycles = [tuple(cycle) for cycle in cycles]

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        rate, first = ops.zeros_like(step), 0.0
        for peak, final, warmup, steps in self.cycles:
            position = step - first
            rising = peak * (0.05 + 0.95 * position / max(1.0, warmup))
            share = (position - warmup) / max(1.0, steps - warmup)
            falling = final + (peak - final) * 0.5 * (1.0 + ops.cos(math.pi * share))
            inside = ops.logical_and(position >= 0, position < steps)
            rate = ops.where(inside, ops.where(position < warmup, rising, falling), rate)
            first += steps
        return rate

    def get_config(self) -> dict[str, Any]:
        return {"cycles": self.cycles}


def _learning_rate(settings: Settings, steps_per_epoch: int) -> CosineCycles:
    return CosineCycles(
        [
            (
                cycle.learning_rate,
                cycle.final_learning_rate,
                round(cycle.warmup_epochs * steps_per_epoch),
                cycle.epochs * steps_per_epoch,
            )
            for cycle in settings.cycles
        ]
    )


def _compile(model: keras.Model, settings: Settings, steps_per_epoch: int) -> None:
    optimizer = keras.optimizers.SGD(
        _learning_rate(settings, steps_per_epoch),
        momentum=0.9,
        nesterov=True,
        weight_decay=settings.weight_decay,
        global_clipnorm=settings.clip_norm,
        use_ema=True,
        ema_momentum=settings.ema_momentum,
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    smoothing = {"fer2013": settings.label_smoothing, "consensus": 0.0}
    model.compile(
        optimizer,
        loss={
            head: keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=value)
            for head, value in smoothing.items()
        },
        weighted_metrics={
            head: [keras.metrics.CategoricalAccuracy(name="accuracy")] for head in network.HEADS
        },
        jit_compile=False,
    )


def fit(
    data: Dataset,
    settings: Settings,
    directory: Path,
    *,
    verbose: int = 1,
    after_epoch: Callable[[], None] | None = None,
) -> list[dict[str, float]]:
    """Train, or go on where an interrupted run in `directory` stopped.

    The weights with the best validation score are in ``best.keras`` afterwards.

    Args:
        data: its `test` part is not looked at.
        settings: of a resumed run, those it began with; cycles may have been added.
        directory: checkpoints and history; made if missing.
        verbose: 1 for a progress bar, 2 for a line an epoch, 0 for silence.
        after_epoch: called when an epoch's checkpoint has been written.

    Returns:
        One dict of figures an epoch.

    Raises:
        ValueError: `directory` holds a run with other settings.
    """
    directory.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(settings.seed)
    keras.mixed_precision.set_global_policy(settings.precision)
    _check_settings(settings, directory / "settings.json")

    steps = len(data.train) // settings.batch_size
    if steps == 0:
        raise ValueError(f"{len(data.train)} training images do not fill a batch")
    epochs_done = 0
    history: list[dict[str, float]] = []
    if (directory / STATE).exists():
        state = json.loads((directory / STATE).read_text())
        epochs_done, history = state["epochs_done"], state["history"]
        model = keras.saving.load_model(directory / LAST)
        model.optimizer.learning_rate = _learning_rate(settings, steps)
        logger.info("resuming after epoch %d of %d", epochs_done, settings.epochs)
    else:
        model = network.build(
            len(LABELS),
            dropout=settings.dropout,
            l2=settings.l2,
            head_units=settings.head_units,
        )
        if settings.initial_weights:
            network.load_initial_weights(model, settings.initial_weights)
        _compile(model, settings, steps)

    validation = (standardize(data.validation.images), *_targets(data.validation))
    first = 0
    for stage in settings.stages:
        last = first + stage.epochs
        if epochs_done < last:
            batches = _TrainBatches(data.train, settings, stage)
            callbacks: list[keras.callbacks.Callback] = [
                _EpochOrder(batches),
                _Progress(directory, history),
                keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
                _AveragedStatistics(data.train.images[:STATISTICS_IMAGES]),
                keras.callbacks.ModelCheckpoint(
                    directory / BEST,
                    monitor="val_score",
                    mode="max",
                    save_best_only=True,
                    initial_value_threshold=max(
                        (epoch["val_score"] for epoch in history), default=-math.inf
                    ),
                ),
                keras.callbacks.TerminateOnNaN(),
            ]
            if after_epoch:
                callbacks.append(
                    keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: after_epoch())
                )
            model.fit(
                batches,
                validation_data=validation,
                validation_batch_size=256,
                initial_epoch=max(first, epochs_done),
                epochs=last,
                shuffle=False,
                callbacks=callbacks,
                verbose=verbose,
            )
        first = last
    return history


def _check_settings(settings: Settings, file: Path) -> None:
    """Refuse other settings than those of the run so far; cycles may be added at the end."""
    now = json.loads(json.dumps(asdict(settings)))
    if file.exists():
        before = json.loads(file.read_text())
        # A run that began while there was early stopping, which a cosine has no use for, goes on.
        before.pop("early_stopping_patience", None)
        begun = {**now, "cycles": now["cycles"][: len(before.get("cycles", []))]}
        if before != begun:
            raise ValueError(
                f"{file.parent} holds a run with other settings; "
                "give the same ones to resume it, or another directory"
            )
    file.write_text(json.dumps(now, indent=1))
