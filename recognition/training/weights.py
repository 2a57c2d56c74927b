"""Weights of a trained network, free of batch normalisation: written, read, trained further.

A trained network is a chain of convolutions with biases, into which normalisation is folded, and
dense layers. That is what the LiteRT file holds as int8, and what ships beside it as float16, so
that anyone can train on. Names are the layers' own with ``.kernel`` or ``.bias``; kernels are
``(out, in, height, width)`` or ``(out, in)``, float32 in memory.
"""

from __future__ import annotations

import json
import os
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from recognition.training.network import HEADS, EmotionNetwork
from recognition.training.normalisation import as_input

Weights = dict[str, NDArray[np.float32]]

#: Images from which a network that is trained on gets its normalisation.
STATISTICS_IMAGES = 512
#: Bias of a class that the weights do not know: about as rare as the rarest.
NEW_CLASS_BIAS = -2.0


class WeightsError(ValueError):
    """A file of weights cannot be read, or is of another network."""


@torch.no_grad()
def folded(model: EmotionNetwork) -> Weights:
    """The weights of `model`, with its normalisations' moving statistics in the convolutions."""
    found: dict[str, torch.Tensor] = {}
    for name, convolution, norm in model.convolutions():
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        found[f"{name}.kernel"] = convolution.weight * scale[:, None, None, None]
        found[f"{name}.bias"] = norm.bias - norm.running_mean * scale
    for name, layer in model.dense_layers():
        found[f"{name}.kernel"], found[f"{name}.bias"] = layer.weight, layer.bias
    return {name: value.float().contiguous().cpu().numpy() for name, value in found.items()}


def write(path: Path, weights: Weights, dtype: type[np.floating[Any]] = np.float16) -> None:
    """Write weights as an uncompressed ``.npz``, in one step."""
    partial = path.with_name(f"partial-{path.name}")
    arrays: dict[str, Any] = {name: value.astype(dtype) for name, value in weights.items()}
    np.savez(partial, **arrays)
    os.replace(partial, path)


def locate(path: Path) -> Path:
    """The file that holds the weights.

    Args:
        path: it, or a manifest: the float16 weights that it names, or its LiteRT file where it
            names none.

    Raises:
        WeightsError: there is no such file.
    """
    if path.suffix == ".json":
        try:
            content = json.loads(path.read_text())
            name = content.get("weights", content["artefact"])["file"]
        except (OSError, ValueError, KeyError) as error:
            raise WeightsError(f"{path} is not a model manifest: {error}") from None
        path = path.parent / name
    if not path.is_file():
        raise WeightsError(f"{path} does not exist")
    return path


def read(path: Path) -> Weights:
    """Read weights to go on from.

    Args:
        path: an ``.npz`` or ``.tflite`` file.

    Raises:
        WeightsError: the file is not of these kinds.
    """
    if path.suffix == ".npz":
        with np.load(path) as stored:
            return {name: stored[name].astype(np.float32) for name in stored.files}
    if path.suffix == ".tflite":
        return _dequantized(path)
    raise WeightsError(f"{path} is not a manifest (.json), .npz or .tflite file")


def _dequantized(path: Path) -> Weights:
    """Read the int8 kernels and float biases of a LiteRT file, which keeps the layers' names."""
    # Delegates repack constants; without them every tensor can be read as it is stored.
    interpreter = Interpreter(str(path), experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    weights: Weights = {}
    for details in interpreter.get_tensor_details():
        match = re.match(
            r"emotion_vgg16\w*/(block\d_conv\d|\w+?)(?:_relu)?_1/(\w+)", details["name"]
        )
        if match is None or len(details["shape"]) not in {1, 2, 4}:
            continue
        layer, kind = match.groups()
        if details["name"].count(";") == 0 and kind in {"convolution", "MatMul"}:
            values = interpreter.get_tensor(details["index"]).astype(np.float32)
            scales = details["quantization_parameters"]["scales"]
            if len(scales):
                values *= scales.reshape(-1, *(1,) * (values.ndim - 1))
            if values.ndim == 4:
                values = values.transpose(0, 3, 1, 2)
            weights[f"{layer}.kernel"] = np.ascontiguousarray(values)
        elif len(details["shape"]) == 1 and kind in {"Relu", "BiasAdd"}:
            weights[f"{layer}.bias"] = interpreter.get_tensor(details["index"]).copy()
    return weights


def blocks(weights: Weights) -> list[list[str]]:
    """The names of the convolutions, block by block; between two blocks the image is halved."""
    names = sorted(key.removesuffix(".kernel") for key in weights if key.endswith(".kernel"))
    convolutions = [name for name in names if "_conv" in name]
    return [list(group) for _, group in groupby(convolutions, lambda name: name.split("_")[0])]


@torch.no_grad()
def run(weights: Weights, crops_gray: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """What a network with these weights answers, in float32.

    Args:
        weights: as :func:`read` returns them.
        crops_gray: uint8 ``(n, side, side)``.

    Returns:
        For each head, logits ``(n, number of its classes)``.
    """
    layer = {name: torch.from_numpy(value) for name, value in weights.items()}
    x = as_input(crops_gray)
    for i, block in enumerate(blocks(weights)):
        if i:
            x = functional.max_pool2d(x, 2)
        for name in block:
            kernel, bias = layer[f"{name}.kernel"], layer[f"{name}.bias"]
            x = functional.relu(functional.conv2d(x, kernel, bias, padding=1))
    features = x.mean(dim=(2, 3))
    found = {}
    for head in HEADS:
        hidden = functional.linear(
            features, layer[f"{head}_dense.kernel"], layer[f"{head}_dense.bias"]
        )
        logits = functional.linear(
            functional.relu(hidden), layer[f"{head}.kernel"], layer[f"{head}.bias"]
        )
        found[head] = logits.numpy()
    return found


@torch.no_grad()
def start_from(model: EmotionNetwork, weights: Weights, images: NDArray[np.uint8]) -> None:
    """Make `model` compute what `weights` do, ready to be trained on.

    Folded weights have lost their normalisation, without which so deep a network does not train
    well. Each is given one again: its statistics are those of training images, and its scale and
    offset undo it. How long a normalised kernel is changes nothing but the speed at which it
    learns, so kernels get the length that He et al. 2015 begin with.

    Classes are in an order in which old ones come first; where `weights` know fewer than the
    network has, their outputs are kept and the rest begin as rare ones.

    Args:
        model: as made; its weights are replaced.
        weights: as :func:`read` returns them.
        images: uint8 ``(n, side, side)``, training images.

    Raises:
        WeightsError: they are of another network.
    """
    x = as_input(images[:STATISTICS_IMAGES])
    parts = dict(model.trunk.named_children())
    convolutions = {name: norm for name, _, norm in model.convolutions()}
    for name, module in parts.items():
        if name in convolutions:
            assert isinstance(module, nn.Conv2d)
            kernel, bias = _layer(weights, name, module.weight.shape)
            length = kernel.flatten(1).norm(dim=1).clamp_min(1e-6)
            module.weight.copy_(kernel * (2.0**0.5 / length)[:, None, None, None])
            responses = module(x)
            norm = convolutions[name]
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_mean.copy_(responses.mean(dim=(0, 2, 3)))
            norm.running_var.copy_(responses.var(dim=(0, 2, 3)))
            scale = length / 2.0**0.5
            norm.weight.copy_(scale * torch.sqrt(norm.running_var + norm.eps))
            norm.bias.copy_(bias + scale * norm.running_mean)
            x = norm.eval()(responses)
            norm.train(model.training)
        elif not name.endswith("_norm"):
            x = module(x)
    for name, layer in model.dense_layers():
        kernel, bias = _layer(weights, name, None)
        known = len(bias)
        if known > len(layer.bias) or kernel.shape[1] != layer.weight.shape[1]:
            raise WeightsError(f"the weights of {name} do not fit this network")
        layer.bias.fill_(NEW_CLASS_BIAS)
        layer.weight[:known] = kernel
        layer.bias[:known] = bias


def _layer(
    weights: Weights, name: str, shape: torch.Size | None
) -> tuple[torch.Tensor, torch.Tensor]:
    try:
        kernel, bias = weights[f"{name}.kernel"], weights[f"{name}.bias"]
    except KeyError as error:
        raise WeightsError(f"the weights lack {error}") from None
    if shape is not None and kernel.shape != tuple(shape):
        raise WeightsError(f"the weights of {name} do not fit this network")
    return torch.from_numpy(kernel), torch.from_numpy(bias)
