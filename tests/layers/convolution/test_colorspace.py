"""The learned colour space against the two convolutions that it is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neuropil.core import ShapeError
from neuropil.layers import Convolution, Flatten, Input, LearnedColorspace, Tanh


@pytest.mark.parametrize("shape", [(3, 7), (3, 7, 6), (1, 7, 6), (3, 2, 7, 6)], ids=str)
@pytest.mark.parametrize(
    ("activation", "theirs"),
    [(None, nn.LeakyReLU(1 / 3)), ("tanh", nn.Tanh()), (Tanh(), nn.Tanh())],
    ids=str,
)
def test_it_is_the_mini_network_of_the_paper(shape, activation, theirs):
    options = {} if activation is None else {"activation": activation}
    layer = LearnedColorspace(3, 10, **options)
    network = (Input(*shape) >> layer).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    rank = len(shape) - 1
    cls = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[rank - 1]
    peer = nn.Sequential(cls(shape[0], 10, 1), theirs, cls(10, 3, 1)).double()
    values = layer.state_dict().values()
    peer.load_state_dict(dict(zip(peer.state_dict(), values, strict=True)))
    x = torch.randn(2, *shape, dtype=torch.float64)
    torch.testing.assert_close(network(x), peer(x))
    assert network.output_shape == (3, *shape[1:])


def test_each_pixel_is_seen_alone():
    network = (Input(3, 6, 6) >> LearnedColorspace()).double()
    x = torch.randn(1, 3, 6, 6, dtype=torch.float64, requires_grad=True)
    network(x)[0, :, 2, 4].sum().backward()
    assert x.grad[0].any(0).nonzero().tolist() == [[2, 4]]
    assert [reach.size for reach in LearnedColorspace().reaches((3, 6, 6))] == [1, 1]


def test_parameters_and_cost():
    layer = LearnedColorspace()
    assert sum(p.numel() for p in (Input(3, 8, 8) >> layer).parameters()) == 40 + 33
    assert layer.multiply_adds((3, 8, 8)) == 8 * 8 * (3 * 10 + 10 * 3)
    assert (Input(3, 8, 8) >> LearnedColorspace() >> Convolution(4, 3)).output_shape == (
        4,
        6,
        6,
    )


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="LearnedColorspace"):
        Input(3, 8, 8) >> Flatten() >> LearnedColorspace()
    with pytest.raises(ShapeError, match="known number of channels"):
        Input(None, 8, 8) >> LearnedColorspace()
    for option, value in (("channels", 0), ("hidden", 2.5), ("activation", "vlrelu")):
        with pytest.raises(ValueError, match=f"LearnedColorspace: {option} must be"):
            LearnedColorspace(**{option: value})
