"""VGG16 for 48×48 grey faces: one trunk, two small heads (PyTorch).

Source: Simonyan and Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", configuration D. Changes, for small grey images: batch normalisation after each
of the 13 convolutions, and global average pooling in place of the last pooling and the two
wide dense layers, which hold 90 % of the original's weights and overfit at this data size.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from recognition.training.convolution import SmallConvolution
from recognition.training.dataset import CLASSES

#: Filters of the convolutions in each block of configuration D.
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
#: `fer2013` learns the data set's labels, `consensus` the taggers' votes.
HEADS = tuple(CLASSES)


class EmotionNetwork(nn.Module):
    """The network, with random weights (He et al. 2015)."""

    def __init__(self, *, dropout: float = 0.4, head_units: int = 256) -> None:
        super().__init__()
        self.trunk = nn.Sequential()
        channels = 1
        for block, filters in enumerate(BLOCKS, start=1):
            for position, n_filters in enumerate(filters, start=1):
                name = f"block{block}_conv{position}"
                convolution = SmallConvolution(channels, n_filters)
                nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
                self.trunk.add_module(name, convolution)
                self.trunk.add_module(f"{name}_norm", nn.BatchNorm2d(n_filters, momentum=0.05))
                self.trunk.add_module(f"{name}_relu", nn.ReLU())
                channels = n_filters
            if block < len(BLOCKS):
                self.trunk.add_module(f"block{block}_pool", nn.MaxPool2d(2))
        self.heads = nn.ModuleDict()
        for head, classes in CLASSES.items():
            self.heads[head] = nn.Sequential()
            self.heads[head].add_module("dropout1", nn.Dropout(dropout))
            self.heads[head].add_module("dense", nn.Linear(channels, head_units))
            self.heads[head].add_module("relu", nn.ReLU())
            self.heads[head].add_module("dropout2", nn.Dropout(dropout))
            self.heads[head].add_module("output", nn.Linear(head_units, len(classes)))

        # Convolutions are fastest with the channels last, as the input is laid out.
        for parameter in self.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    def forward(self, faces: torch.Tensor) -> dict[str, torch.Tensor]:
        """Classify.

        Args:
            faces: float ``(n, 1, height, width)``, standardised; any size from 32×32 up.

        Returns:
            For each of :data:`HEADS` float32 logits ``(n, number of its classes)``.
        """
        features = self.trunk(faces).mean(dim=(2, 3))
        return {head: layers(features).float() for head, layers in self.heads.items()}

    def convolutions(self) -> Iterator[tuple[str, nn.Conv2d, nn.BatchNorm2d]]:
        """The name of each convolution, itself and its normalisation, from input to output."""
        modules = dict(self.trunk.named_children())
        for name, module in modules.items():
            if isinstance(module, nn.Conv2d):
                norm = modules[f"{name}_norm"]
                assert isinstance(norm, nn.BatchNorm2d)
                yield name, module, norm

    def dense_layers(self) -> Iterator[tuple[str, nn.Linear]]:
        """The name of each dense layer, and itself."""
        for head, layers in self.heads.items():
            for part, name in (("dense", f"{head}_dense"), ("output", head)):
                layer = layers.get_submodule(part)
                assert isinstance(layer, nn.Linear)
                yield name, layer
