import pytest
import torch
from torch import nn

from neuropil.core import ShapeError
from neuropil.layers import Input, NiNBlock


def test_it_equals_three_convolutions():
    torch.manual_seed(0)
    reference = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 5, 1),
        nn.ReLU(),
        nn.Conv2d(5, 6, 1),
        nn.ReLU(),
    )
    network = Input(3, 7, 8) >> NiNBlock((4, 5, 6), 3, stride=2, padding=1)
    with torch.no_grad():
        for ours, theirs in zip(network.parameters(), reference.parameters(), strict=True):
            ours.copy_(theirs)
    x = torch.randn(2, 3, 7, 8)
    torch.testing.assert_close(network(x), reference(x))


def test_the_parameters_are_those_of_the_formula():
    with torch.device("meta"):
        network = Input(3, 32, 32) >> NiNBlock((192, 160, 96), 5, padding="same")
    count = sum(p.numel() for p in network.parameters())
    assert count == (25 * 3 + 1) * 192 + 193 * 160 + 161 * 96


def test_it_works_on_signals():
    assert NiNBlock(4, 3, padding=(1, 0)).output_shape((2, 9)) == (4, 8)


def test_normalisation_and_activation_are_options():
    network = Input(3, 5, 5) >> NiNBlock(4, 3, normalization="batch", activation=None)
    kinds = [type(module).__name__ for module in network.modules()]
    assert [kinds.count(kind) for kind in ("BatchNorm", "Relu")] == [3, 0]


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="NiNBlock: filters must be one number or three"):
        NiNBlock((1, 2), 3)
    with pytest.raises(ValueError, match="NiNBlock: filters must be a whole number"):
        NiNBlock((1, 2, 0), 3)
    with pytest.raises(ValueError, match="NiNBlock: Convolution: padding"):
        NiNBlock(4, 3, padding="some")
    with pytest.raises(ShapeError, match="at least 5"):
        Input(3, 4, 4) >> NiNBlock(4, 5)
