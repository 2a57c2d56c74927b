"""Learn where the loss stays low all around, and not only at one point (PyTorch).

Labels that people disagree about can be learned by heart, at a point beside which the loss is high.
So the gradient is taken a little way up the hill, and steps are made from where one was. (Foret et
al. 2021, "Sharpness-Aware Minimization for Efficiently Improving Generalization".)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


@contextmanager
def uphill(model: nn.Module, radius: float, loss: Callable[[], torch.Tensor]) -> Iterator[None]:
    """Have the weights up the hill inside, and back where they were at the end.

    The moving statistics of normalisations are left alone on the way there, for the same images are
    seen once more.

    Args:
        model: in training.
        radius: how far up, as the length of all weights' change together; 0 for nowhere.
        loss: of some of the batch, which is enough to tell where up is.
    """
    if radius == 0:
        yield
        return
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    # (PyTorch's types know no lists of tensors here.)
    weights: Any = list(model.parameters())
    gradients = torch.autograd.grad(loss(), weights)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    length = torch.nn.utils.get_total_norm(gradients)
    steps: Any = [gradient * (radius / (length + 1e-12)) for gradient in gradients]
    with torch.no_grad():
        torch._foreach_add_(weights, steps)
    yield
    with torch.no_grad():
        torch._foreach_sub_(weights, steps)
