"""The moving statistics of batch normalisation, estimated anew (PyTorch)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from recognition.vision.preprocessing import standardize


def as_input(crops_gray: NDArray[np.uint8] | NDArray[np.float32]) -> torch.Tensor:
    """What the network reads: float32 ``(n, 1, height, width)``, in the layout that is fastest.

    Args:
        crops_gray: ``(n, height, width)``, grey levels 0 to 255.
    """
    standardized = torch.from_numpy(standardize(crops_gray)).permute(0, 3, 1, 2)
    return standardized.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def estimate_statistics(
    trunk: nn.Module, images: NDArray[np.uint8], *, batch_size: int = 128
) -> None:
    """Replace the moving statistics by plain means over the batches of `images`.

    Args:
        trunk: holds the normalisations and nothing else that differs in training.
        images: uint8 ``(n, side, side)``, grey levels; what does not fill a last batch is left
            out, unless it is the only one.
        batch_size: images a batch.
    """
    norms = [module for module in trunk.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    was_training = trunk.training
    trunk.train()
    for norm in norms:
        norm.reset_running_stats()
        # None: a plain mean over all batches since the reset.
        norm.momentum = None
    for i in range(max(1, len(images) // batch_size)):
        trunk(as_input(images[i * batch_size : (i + 1) * batch_size]))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    trunk.train(was_training)
