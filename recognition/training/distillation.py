"""Targets from a trained model: what it answers to an image however it is framed.

The votes of ten taggers are a coarse distribution and FER-2013's label is one person's word. A
trained model's answer, averaged over frames and mirror images, is smoother than either; learning
it under augmentation also teaches a network to answer alike in every frame. (Furlanello et al.
2018, "Born-Again Neural Networks"; Xie et al. 2020, "Self-Training with Noisy Student".)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recognition.training.augmentation import Augmentation
from recognition.training.dataset import CLASSES, Dataset
from recognition.vision.classification import EmotionClassifier, softmax

#: How faces are framed anew for the teacher: as far as in the last stage of training, but in good
#: light and by a good camera.
FRAMES = Augmentation(
    rotation=8.0,
    shift=0.06,
    shear=0.0,
    zoom=(0.9, 1.15),
    gamma=(1.0, 1.0),
    contrast=(1.0, 1.0),
    erase=0.0,
    blur=0.0,
    sharpen=0.0,
    resample=0.0,
    noise=0.0,
    jpeg=0.0,
)
#: Random frames of each image, beside the image and its mirror image.
RANDOM_FRAMES = 4


def taught(data: Dataset, teacher: EmotionClassifier, share: float) -> Dataset:
    """Blend a teacher's answers into what the train part is labelled.

    Args:
        data: validation and test are left as they are.
        teacher: its heads must know the classes of the data set.
        share: of the teacher in the new targets, 0 to 1; the rest is what people said.

    Raises:
        ValueError: the share is outside, or the teacher knows other classes.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"a teacher's share is between 0 and 1, not {share}")
    for head, classes in CLASSES.items():
        known = teacher.manifest.heads.get(head)
        if known is None or tuple(known.classes) != classes:
            raise ValueError(f"the teacher's head {head} does not know this data set's classes")
    answers = answers_of(teacher, data.train.images)
    blended = {
        head: _blend(said, answers[head], share) for head, said in data.train.targets.items()
    }
    train = replace(data.train, label_targets=blended["fer2013"], vote_targets=blended["consensus"])
    return replace(data, train=train)


def answers_of(
    teacher: EmotionClassifier, images: NDArray[np.uint8]
) -> dict[str, NDArray[np.float32]]:
    """For each head the mean of a teacher's probabilities over frames of each image.

    Args:
        images: uint8 ``(n, 48, 48)``.

    Returns:
        For each head float32 ``(n, number of its classes)``; the same for the same images.
    """
    rng = np.random.default_rng(0)
    views = [images, images[:, :, ::-1]]
    for _ in range(RANDOM_FRAMES):
        framed = FRAMES.apply(images, images.shape[1], rng)
        views.append(np.rint(framed).astype(np.uint8))
    total: dict[str, NDArray[np.float32]] = {}
    for view in views:
        for head, logits in teacher.logits(view).items():
            said = softmax(logits, teacher.manifest.heads[head].temperature)
            total[head] = total[head] + said if head in total else said
    return {head: values / np.float32(len(views)) for head, values in total.items()}


def _blend(
    said: NDArray[np.float32], answers: NDArray[np.float32], share: float
) -> NDArray[np.float32]:
    """Rows about which nobody said anything stay zeros: they count for nothing."""
    asked = said.sum(axis=1, keepdims=True) > 0
    return np.where(asked, (1.0 - share) * said + share * answers, said).astype(np.float32)
