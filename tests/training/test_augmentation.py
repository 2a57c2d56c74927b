from __future__ import annotations

import numpy as np
import pytest

from recognition.training.augmentation import Augmentation

from .conftest import noise

IMAGES = np.stack([noise(i) for i in range(6)])
#: Changes nothing.
NONE = Augmentation(flip=0.0, gamma=(1.0, 1.0), contrast=(1.0, 1.0), strength=0.0)


@pytest.mark.parametrize("size", [32, 40, 48, 64])
def test_shape_and_range(size):
    images = Augmentation().apply(IMAGES, size, np.random.default_rng(0))

    assert images.shape == (6, size, size)
    assert images.dtype == np.float32
    assert images.min() >= 0.0
    assert images.max() <= 255.0


def test_the_same_seed_gives_the_same_images():
    first, again, other = (
        Augmentation().apply(IMAGES, 48, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_equal_images_are_changed_in_different_ways():
    first, second = Augmentation().apply(np.stack([noise(0)] * 2), 48, np.random.default_rng(0))

    assert not np.array_equal(first, second)


def test_all_off_changes_nothing():
    images = NONE.apply(IMAGES, 48, np.random.default_rng(0))

    assert images == pytest.approx(IMAGES.astype(np.float32), abs=0.01)


def test_flip_mirrors_left_and_right():
    always = Augmentation(flip=1.0, gamma=(1.0, 1.0), contrast=(1.0, 1.0), strength=0.0)

    images = always.apply(IMAGES, 48, np.random.default_rng(0))

    assert images == pytest.approx(IMAGES[:, :, ::-1].astype(np.float32), abs=0.01)


def test_light_keeps_the_picture_in_place():
    light = Augmentation(flip=0.0, strength=0.0)

    images = light.apply(IMAGES, 48, np.random.default_rng(0))

    for before, after in zip(IMAGES, images, strict=True):
        # Gamma and contrast are monotonous: the order of grey levels stays.
        order = np.argsort(before.ravel(), kind="stable")
        assert np.all(np.diff(after.ravel()[order]) >= -0.01)


def test_input_is_left_alone():
    before = IMAGES.copy()
    Augmentation().apply(IMAGES, 48, np.random.default_rng(0))
    assert np.array_equal(IMAGES, before)
