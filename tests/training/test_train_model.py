"""The parts of the train_model command that need no training."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognition.management.commands.train_model import limited, scale_epochs
from recognition.training.dataset import NAMED, load

from .conftest import noise


@pytest.mark.parametrize(
    ("total", "expected"),
    [(16, [8, 5, 3]), (32, [16, 10, 6]), (4, [2, 1, 1]), (2, [1, 0, 1]), (1, [0, 0, 1])],
)
def test_stages_shrink_and_grow_with_the_epochs(total, expected):
    assert scale_epochs([8, 5, 3], total) == expected


def test_limit_keeps_the_test_part(folder):
    for i in range(100):
        folder.add("train", NAMED[i % 4], f"{i}.png", noise(i))
    folder.add("test", "happy", "a.png", noise(1000))

    whole = load(folder.path, None, validation_share=0.5)
    part = limited(whole, 20)

    assert (len(part.train), len(part.validation), len(part.test)) == (20, 32, 1)
    assert np.array_equal(part.train.images, whole.train.images[:20])
    assert part.facts["train_images_used"] == 20


def test_missing_data_is_told(tmp_path):
    with pytest.raises(CommandError, match="does not exist"):
        call_command("train_model", data=tmp_path / "missing")
    with pytest.raises(CommandError, match="at least 1"):
        call_command("train_model", epochs=0)


@pytest.mark.parametrize("missing", ["torch", "tensorflow", "matplotlib"])
def test_missing_tools_are_told(folder, monkeypatch, missing):
    folder.add("train", "happy", "a.png", noise(1))
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == missing else found(name)
    )
    with pytest.raises(CommandError, match=rf"{missing}: .* requirements/train\.txt"):
        call_command("train_model", data=folder.path)
