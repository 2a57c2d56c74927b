"""The classifier: face crops in, probabilities out, through LiteRT."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from recognition.vision.manifest import Head, Manifest, Mix
from recognition.vision.preprocessing import crop_face, standardize
from recognition.vision.types import BoundingBox

#: Crops run through the network at once: bounds memory for a photo of a crowd.
MAXIMUM_BATCH = 32

#: Frames crops anew: their places in the batch in, uint8 ``(number of places, size, size)`` out for
#: each other frame.
Reframe = Callable[[NDArray[np.intp]], Sequence[NDArray[np.uint8]]]


class EmotionClassifier:
    """A trained network and its calibration. Not thread-safe: use one a thread."""

    def __init__(self, manifest: Manifest, *, num_threads: int = 2) -> None:
        """Load the model file.

        Args:
            manifest: says which file, and how to read its outputs.
            num_threads: threads of one classification.
        """
        self.manifest = manifest
        self._interpreter = Interpreter(str(manifest.model_path), num_threads=num_threads)
        signature = self._interpreter.get_signature_runner()
        (input_details,) = signature.get_input_details().values()
        self._input_index: int = input_details["index"]
        self._output_indices: dict[str, int] = {
            name: details["index"] for name, details in signature.get_output_details().items()
        }
        self._batch_size = 0

    def logits(self, crops_gray: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """The network's raw outputs.

        Args:
            crops_gray: uint8 ``(n, size, size)``, with the manifest's input size.

        Returns:
            For each head, float32 ``(n, number of its classes)``.
        """
        outputs: dict[str, list[NDArray[np.float32]]] = {name: [] for name in self._output_indices}
        inputs = standardize(crops_gray)
        for start in range(0, len(inputs), MAXIMUM_BATCH):
            batch = inputs[start : start + MAXIMUM_BATCH]
            if len(batch) != self._batch_size:
                self._interpreter.resize_tensor_input(self._input_index, batch.shape)
                self._interpreter.allocate_tensors()
                self._batch_size = len(batch)
            self._interpreter.set_tensor(self._input_index, batch)
            self._interpreter.invoke()
            for name, index in self._output_indices.items():
                outputs[name].append(self._interpreter.get_tensor(index))
        return {
            name: np.concatenate(parts)
            if parts
            else np.empty((0, len(self.manifest.heads[name].classes)), np.float32)
            for name, parts in outputs.items()
        }

    def head_probabilities(
        self,
        crops_gray: NDArray[np.uint8],
        *,
        mirror: bool = True,
        reframe: Reframe | None = None,
    ) -> dict[str, NDArray[np.float32]]:
        """Calibrated probabilities of every head, each float32 ``(n, number of labels)``.

        Crops on which the network is in doubt, as the manifest defines it, are averaged with
        their mirror images, those of other frames where `reframe` gives some; `mirror` false
        leaves that out.
        """
        heads = self._calibrated(crops_gray)
        if not mirror:
            return heads
        doubtful = np.flatnonzero(in_doubt(heads, self.manifest.shown, self.manifest.mirror_below))
        if len(doubtful):
            views = reframe(doubtful) if reframe else [crops_gray[doubtful]]
            for view in views:
                for head, mirrored in self._calibrated(view[:, :, ::-1]).items():
                    heads[head][doubtful] += mirrored
            for probabilities in heads.values():
                probabilities[doubtful] /= np.float32(1 + len(views))
        return heads

    def _calibrated(self, crops_gray: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        heads = self.manifest.heads
        return {
            name: as_labels(
                softmax(values, heads[name].temperature), heads[name], self.manifest.labels
            )
            for name, values in self.logits(crops_gray).items()
        }

    def classify(
        self, crops_gray: NDArray[np.uint8], others: Sequence[NDArray[np.uint8]] = ()
    ) -> NDArray[np.float32]:
        """What people are shown of faces that were cut out elsewhere.

        Args:
            crops_gray: uint8 ``(n, size, size)``.
            others: the same faces in the frames of the manifest's second margins, each likewise;
                without any, mirror images are those of `crops_gray`.

        Returns:
            float32 ``(n, number of labels)``; every row sums to 1.
        """
        heads = self.head_probabilities(
            crops_gray,
            reframe=(lambda places: [view[places] for view in others]) if others else None,
        )
        return mixed(heads, self.manifest.shown)

    def classify_faces(
        self,
        image_gray: NDArray[np.uint8],
        boxes: Sequence[BoundingBox],
        rolls: Sequence[float],
        *,
        mirror: bool = True,
    ) -> NDArray[np.float32]:
        """What people are shown of faces of one image, all in one batch.

        Args:
            image_gray: uint8 ``(height, width)``.
            boxes: in pixels of `image_gray`, at least one.
            rolls: for each box, by how much its face is turned clockwise, in degrees.
            mirror: false leaves mirror images out, also where the manifest asks for them.

        Returns:
            float32 ``(number of boxes, number of labels)``; every row sums to 1.
        """
        manifest = self.manifest

        def cut(margin: float, places: Sequence[int] | NDArray[np.intp]) -> NDArray[np.uint8]:
            return np.stack(
                [
                    crop_face(image_gray, boxes[place], manifest.input_size, margin, rolls[place])
                    for place in places
                ]
            )

        heads = self.head_probabilities(
            cut(manifest.crop_margin, range(len(boxes))),
            mirror=mirror,
            reframe=lambda places: [cut(margin, places) for margin in manifest.second_margins],
        )
        return mixed(heads, manifest.shown)


def as_labels(
    probabilities: NDArray[np.float32], head: Head, labels: Sequence[str]
) -> NDArray[np.float32]:
    """Add up the classes that people are shown under one label.

    Args:
        probabilities: ``(n, number of the head's classes)``; rows sum to 1.
        head: says which label each class belongs to.
        labels: in the order of the returned columns.

    Returns:
        float32 ``(n, number of labels)``; rows sum to 1.
    """
    belongs = np.array(
        [[label == own for label in labels] for own in head.classes.values()], np.float32
    )
    summed: NDArray[np.float32] = probabilities @ belongs
    return summed


def in_doubt(
    heads: Mapping[str, NDArray[np.float32]], shown: Mix, mirror_below: float
) -> NDArray[np.bool_]:
    """Which crops need their mirror image: bool ``(n,)``.

    Args:
        heads: calibrated probabilities of one view, for each head ``(n, number of labels)``.
        shown: how they become what people are shown.
        mirror_below: confidence of that under which one view is not enough.
    """
    doubtful: NDArray[np.bool_] = mixed(heads, shown).max(axis=1) < mirror_below
    return doubtful


def mixed(heads: Mapping[str, NDArray[np.float32]], mix: Mix) -> NDArray[np.float32]:
    """What is shown, from the heads' calibrated probabilities.

    Args:
        heads: for each head ``(n, number of labels)``; rows sum to 1.
        mix: names some of these heads.

    Returns:
        float32 ``(n, number of labels)``; rows sum to 1.
    """
    mean = np.zeros_like(next(iter(heads.values())))
    for head, weight in mix.weights.items():
        mean += np.float32(weight) * heads[head]
    if mix.factors:
        mean *= np.array(mix.factors, np.float32)
    elif mix.temperature == 1.0:
        return mean
    return softmax(np.log(np.maximum(mean, np.finfo(np.float32).tiny)), mix.temperature)


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """Turn logits ``(n, k)`` into probabilities; each row sums to 1.

    A temperature above 1 makes them more even, one below 1 more decided.
    """
    scaled = (logits - logits.max(axis=1, keepdims=True)) / np.float32(temperature)
    exponentials: NDArray[np.float32] = np.exp(scaled)
    total: NDArray[np.float32] = exponentials.sum(axis=1, keepdims=True)
    return exponentials / total
