"""The moving statistics of batch normalisation: read, put back, estimate anew (Keras 3)."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from recognition.vision.preprocessing import standardize


def get_statistics(model: keras.Model) -> list[NDArray[np.float32]]:
    """Moving mean and variance of every batch normalisation, in the order of the layers."""
    return [np.array(variable) for variable in _statistics(model)]


def set_statistics(model: keras.Model, values: list[NDArray[np.float32]]) -> None:
    """Put back what :func:`get_statistics` returned."""
    for variable, value in zip(_statistics(model), values, strict=True):
        variable.assign(value)


def estimate_statistics(
    model: keras.Model, images: NDArray[np.uint8], *, batch_size: int = 128
) -> None:
    """Replace the moving statistics by plain means over the batches of `images`.

    Args:
        model: as made by `network.build`.
        images: uint8 ``(n, side, side)``, grey levels.
        batch_size: images that do not fill a last batch are left out.
    """
    trunk = keras.Model(model.inputs[0], model.get_layer("features").output)
    norms = _norms(model)
    momenta = [norm.momentum for norm in norms]
    n_batches = max(1, len(images) // batch_size)
    for i in range(n_batches):
        for norm in norms:
            # A running mean: the first batch replaces what was there.
            norm.momentum = i / (i + 1)
        trunk(standardize(images[i * batch_size : (i + 1) * batch_size]), training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _norms(model: keras.Model) -> list[layers.BatchNormalization]:
    return [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]


def _statistics(model: keras.Model) -> list[keras.Variable]:
    return [
        variable for norm in _norms(model) for variable in (norm.moving_mean, norm.moving_variance)
    ]
