"""Train the network: schedule, checkpoints, validation, resume.

The recipe is SGD with Nesterov momentum in cosine cycles with warm-up, an exponential moving
average of the weights, and images that grow: the first stages at a reduced size cost a third of
the time. (Loshchilov and Hutter 2017 report restarts of the cosine, Touvron et al. 2019 growing
images.) Each cycle ends with a model that can be shipped, and a finished run goes on when its
settings get one more cycle.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as Batches

from recognition.training import weights
from recognition.training.augmentation import Augmentation
from recognition.training.dataset import CLASSES, NAMED, Dataset, Examples
from recognition.training.network import HEADS, EmotionNetwork
from recognition.training.normalisation import as_input, estimate_statistics
from recognition.training.progress import STATE, check_settings, read_history
from recognition.training.sharpness import uphill

logger = logging.getLogger(__name__)

AVERAGED = "averaged.npz"
LAST = "last.pt"
#: Which weights the run began with.
INITIAL = "initial.json"

#: Training images from which the averaged weights get their normalisation statistics.
STATISTICS_IMAGES = 2560


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
        weight_decay: on kernels only.
        label_smoothing: for the `fer2013` head; taggers' votes are soft already.
        ema_momentum: of the moving average of weights that is validated and kept.
        initial_weights: None (random), or what :func:`weights.read` reads.
        teacher: version of the model whose answers are blended into the targets; None without.
        teacher_share: of those answers in the targets.
        sharpness: how far up the hill each step looks, see :mod:`recognition.training.sharpness`;
            0 for plain steps, which take two thirds of the time.
        precision: ``"bfloat16"`` for the products of matrices, or ``"float32"``.
    """

    cycles: tuple[Cycle, ...] = (
        Cycle((Stage(2, 40), Stage(4, 48)), 0.02, 0.3, 0.012),
        Cycle((Stage(8, 48, 0.75),), 0.012, 0.0),
    )
    batch_size: int = 128
    weight_decay: float = 5e-4
    clip_norm: float = 5.0
    label_smoothing: float = 0.1
    ema_momentum: float = 0.995
    dropout: float = 0.4
    head_units: int = 256
    initial_weights: str | None = None
    teacher: str | None = None
    teacher_share: float = 0.0
    sharpness: float = 0.0
    precision: str = "bfloat16"
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def epochs(self) -> int:
        return sum(cycle.epochs for cycle in self.cycles)

    @property
    def stages(self) -> tuple[Stage, ...]:
        return tuple(stage for cycle in self.cycles for stage in cycle.stages)

    def stage_of(self, epoch: int) -> Stage:
        """The stage that an epoch, counted from 0, belongs to."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        raise IndexError("the run has no such epoch")

    def learning_rate(self, progress: float) -> float:
        """The learning rate after so many epochs."""
        for cycle in self.cycles:
            if progress < cycle.epochs:
                if progress < cycle.warmup_epochs:
                    return cycle.learning_rate * (0.05 + 0.95 * progress / cycle.warmup_epochs)
                share = (progress - cycle.warmup_epochs) / (cycle.epochs - cycle.warmup_epochs)
                fall = cycle.learning_rate - cycle.final_learning_rate
                return cycle.final_learning_rate + fall * 0.5 * (1.0 + math.cos(math.pi * share))
            progress -= cycle.epochs
        return self.cycles[-1].final_learning_rate


class _TrainBatches(Batches[tuple[torch.Tensor, dict[str, torch.Tensor]]]):
    """One epoch's augmented batches; which ones depends on the seed and the epoch alone."""

    def __init__(self, examples: Examples, settings: Settings, epoch: int) -> None:
        self._examples = examples
        self._settings = settings
        self._epoch = epoch
        stage = settings.stage_of(epoch)
        self._size = stage.image_size
        self._augmentation = replace(settings.augmentation, strength=stage.augmentation_strength)
        rng = np.random.default_rng([settings.seed, epoch])
        self._order = rng.permutation(len(examples))

    def __len__(self) -> int:
        return len(self._examples) // self._settings.batch_size

    def __getitem__(self, index: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        start = index * self._settings.batch_size
        batch = self._examples.take(self._order[start : start + self._settings.batch_size])
        rng = np.random.default_rng([self._settings.seed, self._epoch, index])
        images = self._augmentation.apply(batch.images, self._size, rng)
        targets = {head: torch.from_numpy(values) for head, values in batch.targets.items()}
        return as_input(images), targets


class _Run:
    """Network, averaged weights and optimiser: all that changes while training."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.model, self.averaged = (
            EmotionNetwork(dropout=settings.dropout, head_units=settings.head_units)
            for _ in range(2)
        )
        self.restart_average()
        groups: list[dict[str, Any]] = [
            {
                "params": [p for p in self.model.parameters() if p.ndim > 1],
                "weight_decay": settings.weight_decay,
            },
            {"params": [p for p in self.model.parameters() if p.ndim == 1]},
        ]
        self.optimizer = torch.optim.SGD(
            groups,
            lr=0.0,
            momentum=0.9,
            nesterov=True,
        )

    def restart_average(self) -> None:
        self.averaged.load_state_dict(self.model.state_dict())

    def step(
        self, images: torch.Tensor, targets: Mapping[str, torch.Tensor], rate: float
    ) -> dict[str, float]:
        """Learn from one batch; the loss and accuracy of each head."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        half = images[: (len(images) + 1) // 2]
        with uphill(
            self.model, self.settings.sharpness, lambda: self._look(half, targets)[1].sum()
        ):
            logits, each = self._look(images, targets)
            self.optimizer.zero_grad()
            each.sum().backward()
        losses = dict(zip(targets, each, strict=True))
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip_norm)
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.averaged.parameters()),
                list(self.model.parameters()),
                1.0 - self.settings.ema_momentum,
            )
        return _figures(losses, logits, targets)

    def _look(
        self, images: torch.Tensor, targets: Mapping[str, torch.Tensor]
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """What the network says of the first of some targets, and the loss of each head."""
        with self.precision():
            logits = self.model(images)
        smoothing = {"fer2013": self.settings.label_smoothing, "consensus": 0.0}
        losses = [
            _loss(logits[head], target[: len(images)], smoothing[head])
            for head, target in targets.items()
        ]
        return logits, torch.stack(losses)

    def precision(self) -> torch.autocast:
        enabled = self.settings.precision == "bfloat16"
        return torch.autocast("cpu", torch.bfloat16, enabled=enabled)

    @torch.no_grad()
    def validate(self, train: Examples, validation: Examples) -> dict[str, float]:
        """Figures of the averaged weights at full size, with normalisation statistics of their own.

        Those of the raw weights do not fit them: with them they named 27 % right after two epochs
        of a run from random weights, and 68 % with their own. (Izmailov et al. 2018, "Averaging
        Weights Leads to Wider Optima and Better Generalization", section 3.2.)
        """
        with self.precision():
            estimate_statistics(self.averaged.trunk, train.images[:STATISTICS_IMAGES])
        self.averaged.eval()
        parts: dict[str, list[torch.Tensor]] = {head: [] for head in HEADS}
        with self.precision():
            for start in range(0, len(validation), 256):
                found = self.averaged(as_input(validation.images[start : start + 256]))
                for head, values in found.items():
                    parts[head].append(values)
        logits = {head: torch.cat(values) for head, values in parts.items()}
        targets = {k: torch.from_numpy(values) for k, values in validation.targets.items()}
        losses = {head: _loss(logits[head], target, 0.0) for head, target in targets.items()}
        figures = _figures(losses, logits, targets)
        for head in HEADS:
            figures[f"{head}_named_accuracy"] = _accuracy(logits[head], targets[head], len(NAMED))
        return figures

    def save(self, path: Path) -> None:
        partial = path.with_name(f"partial-{path.name}")
        torch.save(
            {
                "model": self.model.state_dict(),
                "averaged": self.averaged.state_dict(),
                "optimizer": self.optimizer.state_dict(),
            },
            partial,
        )
        os.replace(partial, path)

    def load(self, path: Path) -> None:
        saved = torch.load(path, weights_only=True)
        self.model.load_state_dict(saved["model"])
        self.averaged.load_state_dict(saved["averaged"])
        self.optimizer.load_state_dict(saved["optimizer"])


def _loss(logits: torch.Tensor, targets: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Mean cross-entropy over a batch; examples whose targets are zeros count as without loss."""
    weights = targets.sum(dim=1, keepdim=True)
    smoothed = targets * (1.0 - smoothing) + weights * smoothing / targets.shape[1]
    return -(smoothed * functional.log_softmax(logits, dim=1)).sum(dim=1).mean()


def _accuracy(logits: torch.Tensor, targets: torch.Tensor, n_classes: int) -> float:
    """Of examples with a favourite among the first `n_classes`, those where logits agree on it."""
    truth = targets.argmax(dim=1)
    counted = (targets.sum(dim=1) > 0) & (truth < n_classes)
    right = logits[counted, :n_classes].argmax(dim=1) == truth[counted]
    return float(right.float().mean())


def _figures(
    losses: Mapping[str, torch.Tensor],
    logits: Mapping[str, torch.Tensor],
    targets: Mapping[str, torch.Tensor],
) -> dict[str, float]:
    figures = {f"{head}_loss": float(loss.detach()) for head, loss in losses.items()}
    for head, values in logits.items():
        figures[f"{head}_accuracy"] = _accuracy(values.detach(), targets[head], len(CLASSES[head]))
    return figures


def fit(
    data: Dataset,
    settings: Settings,
    directory: Path,
    *,
    after_epoch: Callable[[], None] | None = None,
) -> list[dict[str, float]]:
    """Train, or go on where an interrupted run in `directory` stopped.

    The averaged weights of the last epoch are in ``averaged.npz`` afterwards. None of the last
    epochs is picked by validation: they differ by less than it can tell.

    Args:
        data: its `test` part is not looked at.
        settings: of a resumed run, those it began with; cycles may have been added.
        directory: checkpoints and history; made if missing.
        after_epoch: called when an epoch's checkpoint has been written.

    Returns:
        One dict of figures an epoch.

    Raises:
        ValueError: `directory` holds a run with other settings.
        WeightsError: the initial weights cannot be read, or are of another network.
    """
    directory.mkdir(parents=True, exist_ok=True)
    check_settings(settings, directory)
    if len(data.train) < settings.batch_size:
        raise ValueError(f"{len(data.train)} training images do not fill a batch")
    torch.manual_seed(settings.seed)
    run = _Run(settings)
    history = read_history(directory)
    if history:
        run.load(directory / LAST)
        logger.info("resuming after epoch %d of %d", len(history), settings.epochs)
    elif settings.initial_weights:
        source = weights.locate(Path(settings.initial_weights))
        weights.start_from(run.model, weights.read(source), data.train.images)
        run.restart_average()
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        (directory / INITIAL).write_text(json.dumps({"file": source.name, "sha256": digest}))
        logger.info("initial weights: %s", _rounded(run.validate(data.train, data.validation)))
    for epoch in range(len(history), settings.epochs):
        started = time.monotonic()
        figures = _train_epoch(run, data.train, epoch)
        minutes = (time.monotonic() - started) / 60
        checked = run.validate(data.train, data.validation)
        figures |= {f"val_{name}": value for name, value in checked.items()}
        weights.write(directory / AVERAGED, weights.folded(run.averaged), np.float32)
        history.append({"epoch": epoch, **figures})
        run.save(directory / LAST)
        partial = directory / f"partial-{STATE}"
        partial.write_text(json.dumps({"history": history}, indent=1))
        os.replace(partial, directory / STATE)
        logger.info("epoch %d (%.1f minutes): %s", epoch + 1, minutes, _rounded(figures))
        if after_epoch:
            after_epoch()
    return history


def _train_epoch(run: _Run, train: Examples, epoch: int) -> dict[str, float]:
    """Train for one epoch; the mean figures of its batches."""
    # Dropout, too, depends on the seed and the epoch alone.
    torch.manual_seed(run.settings.seed * 1_000_003 + epoch)
    run.model.train()
    batches = _TrainBatches(train, run.settings, epoch)
    # Not by fork: OpenCV and TensorFlow have threads here whose locks a forked child would inherit.
    loader = DataLoader(
        batches,
        batch_size=None,
        num_workers=1,
        prefetch_factor=8,
        multiprocessing_context="forkserver",
    )
    collected: list[dict[str, float]] = []
    for i, (images, targets) in enumerate(loader):
        images = images.contiguous(memory_format=torch.channels_last)
        figures = run.step(images, targets, run.settings.learning_rate(epoch + i / len(batches)))
        collected.append(figures)
        if i % 20 == 0:
            logger.debug("epoch %d, step %d of %d: %s", epoch + 1, i, len(batches), figures)
    means = {name: float(np.nanmean([f[name] for f in collected])) for name in collected[0]}
    if not all(math.isfinite(value) for value in means.values()):
        raise FloatingPointError(f"epoch {epoch + 1} did not converge: {means}")
    return means


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}
