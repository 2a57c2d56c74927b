"""The convolution of our own learns what PyTorch's does."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from recognition.training.convolution import LARGEST_SIDE, SmallConvolution


@pytest.mark.parametrize("side", [3, LARGEST_SIDE, LARGEST_SIDE + 1])
@pytest.mark.parametrize("is_bfloat16", [False, True])
def test_outputs_and_gradients_are_those_of_an_ordinary_convolution(
    side: int, is_bfloat16: bool
) -> None:
    torch.manual_seed(0)
    ours = SmallConvolution(5, 7)
    ordinary = nn.Conv2d(5, 7, 3, padding=1, bias=False)
    ordinary.load_state_dict(ours.state_dict())
    images = torch.randn(4, 5, side, side)
    found = []
    for convolution in (ours, ordinary):
        seen = images.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=is_bfloat16):
            outputs = convolution(seen)
        outputs.float().square().sum().backward()
        assert seen.grad is not None
        assert convolution.weight.grad is not None
        found.append((outputs.float().detach(), seen.grad, convolution.weight.grad))
    for mine, theirs in zip(*found, strict=True):
        assert mine.dtype == theirs.dtype
        tolerance = 0.02 * float(theirs.abs().max()) if is_bfloat16 else 1e-4
        torch.testing.assert_close(mine, theirs, atol=tolerance, rtol=1e-4)


def test_it_is_used_where_it_is_faster_only(monkeypatch: pytest.MonkeyPatch) -> None:
    ordinary = []
    forward = nn.Conv2d.forward
    monkeypatch.setattr(
        nn.Conv2d, "forward", lambda self, x: ordinary.append(x.shape[-1]) or forward(self, x)
    )
    convolution = SmallConvolution(1, 1)
    for side in (3, LARGEST_SIDE, LARGEST_SIDE + 1):
        convolution(torch.zeros(1, 1, side, side))
    convolution.eval()(torch.zeros(1, 1, 4, 4))
    assert ordinary == [LARGEST_SIDE + 1, 4]
