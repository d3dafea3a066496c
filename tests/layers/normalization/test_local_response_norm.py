"""AlexNet's normalisation, against the paper's sum and torch's other α."""

import pytest
import torch
import torch.nn.functional as F

from neuropil.layers import Input, LocalResponseNorm


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("shape", [(7,), (7, 3), (7, 3, 2), (7, 3, 2, 2)], ids=str)
def test_values_follow_the_papers_sum(shape, size):
    layer = LocalResponseNorm(size, alpha=0.3, beta=0.6, k=1.5)
    x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0)).double()
    expected = torch.empty_like(x)
    for i in range(7):
        around = x[:, max(0, i - size // 2) : i + (size - 1) // 2 + 1]
        expected[:, i] = x[:, i] / (1.5 + 0.3 * around.square().sum(1)) ** 0.6
    torch.testing.assert_close(layer(x), expected)
    if len(shape) > 1:
        theirs = F.local_response_norm(x, size, alpha=0.3 * size, beta=0.6, k=1.5)
        torch.testing.assert_close(layer(x), theirs)


def test_the_defaults_are_the_papers():
    x = 100 * torch.randn(1, 6, 2, 2, generator=torch.Generator().manual_seed(0))
    expected = F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2)
    torch.testing.assert_close((Input(6, 2, 2) >> LocalResponseNorm())(x), expected)


def test_options_out_of_range_are_refused_by_name():
    for make, message in [
        (lambda: LocalResponseNorm(0), "LocalResponseNorm: size must be a whole number from 1"),
        (lambda: LocalResponseNorm(alpha=-1), r"LocalResponseNorm: alpha must be .*\[0, inf\)"),
        (lambda: LocalResponseNorm(beta=-1), r"LocalResponseNorm: beta must be .*\[0, inf\)"),
        (lambda: LocalResponseNorm(k=0), r"LocalResponseNorm: k must be .*\(0, inf\), got 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()
