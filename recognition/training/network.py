"""VGG16 for 48×48 grey faces: one trunk, two small heads (Keras 3, any back end).

Source: Simonyan and Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", configuration D. Changes, for small grey images: batch normalisation after each
of the 13 convolutions, and global average pooling in place of the last pooling and the two
wide dense layers, which hold 90 % of the original's weights and overfit at this data size.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers

#: Filters of the convolutions in each block of configuration D.
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
#: `fer2013` learns the data set's labels, `consensus` the taggers' votes.
HEADS = ("fer2013", "consensus")


def build(
    n_labels: int, *, dropout: float = 0.4, l2: float = 1e-4, head_units: int = 256
) -> keras.Model:
    """Build the network.

    Input: float32 ``(n, height, width, 1)``, standardised; any size from 32×32 up.
    Outputs: a dict of float32 logits ``(n, n_labels)``, one for each of :data:`HEADS`.
    """
    inputs = x = keras.Input((None, None, 1), name="face")
    for block, filters in enumerate(BLOCKS, start=1):
        for convolution, n_filters in enumerate(filters, start=1):
            name = f"block{block}_conv{convolution}"
            x = layers.Conv2D(
                n_filters,
                3,
                padding="same",
                use_bias=False,
                kernel_initializer="he_normal",
                name=name,
            )(x)
            x = layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)
            x = layers.ReLU(name=f"{name}_relu")(x)
        if block < len(BLOCKS):
            x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    features = layers.GlobalAveragePooling2D(name="features")(x)
    outputs = {}
    for head in HEADS:
        y = layers.Dropout(dropout, name=f"{head}_dropout1")(features)
        y = layers.Dense(
            head_units,
            activation="relu",
            kernel_regularizer=keras.regularizers.L2(l2),
            name=f"{head}_dense",
        )(y)
        y = layers.Dropout(dropout, name=f"{head}_dropout2")(y)
        outputs[head] = layers.Dense(
            n_labels,
            kernel_regularizer=keras.regularizers.L2(l2),
            dtype="float32",
            name=head,
        )(y)
    return keras.Model(inputs, outputs, name="emotion_vgg16")


def load_initial_weights(model: keras.Model, source: str) -> None:
    """Start the convolutions from other weights.

    Args:
        model: as made by :func:`build`.
        source: ``"imagenet"`` (Keras downloads the weights: needs the internet; RGB kernels
            of the first convolution are summed, which gives the same output for grey input), or
            the path of a ``.keras`` file made by this package.
    """
    if source == "imagenet":
        donor = keras.applications.VGG16(include_top=False, weights="imagenet")
        for layer in donor.layers:
            if not layer.name.endswith(("conv1", "conv2", "conv3")):
                continue
            # The donor's bias has no place here: batch normalisation would cancel it.
            kernel = np.asarray(layer.get_weights()[0])
            if layer.name == "block1_conv1":
                kernel = kernel.sum(axis=2, keepdims=True)
            model.get_layer(layer.name).set_weights([kernel])
    else:
        donor = keras.saving.load_model(Path(source), compile=False)
        model.set_weights(donor.get_weights())
