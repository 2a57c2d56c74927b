"""Each step looks a little way up the hill before it goes down."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from recognition.training.sharpness import uphill

RADIUS = 0.5


def test_inside_the_weights_are_so_far_up_and_then_back_again() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    images = torch.randn(8, 3)
    before = [weight.detach().clone() for weight in model.parameters()]

    def loss() -> torch.Tensor:
        return model(images).square().mean()

    at_first = float(loss().detach())
    with uphill(model, RADIUS, loss):
        there = [weight.detach().clone() for weight in model.parameters()]
        assert float(loss().detach()) > at_first
    way = torch.cat([(b - a).flatten() for a, b in zip(before, there, strict=True)])
    assert float(way.norm()) == pytest.approx(RADIUS, rel=1e-4)
    for weight, was in zip(model.parameters(), before, strict=True):
        torch.testing.assert_close(weight.detach(), was)
        assert weight.grad is None


def test_normalisations_see_each_image_once() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2, momentum=0.3))
    norm = model[1]
    assert isinstance(norm, nn.BatchNorm2d)
    images = torch.randn(4, 1, 5, 5)
    with uphill(model, RADIUS, lambda: model(images).square().sum()):
        assert float(norm.running_mean.abs().sum()) == 0.0  # type: ignore[union-attr]
        assert norm.momentum == 0.3


def test_of_nowhere_nothing_is_looked_at() -> None:
    def loss() -> torch.Tensor:
        raise AssertionError

    with uphill(nn.Linear(1, 1), 0.0, loss):
        pass
