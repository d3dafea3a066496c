"""Normalisation within each sample, held against torch and worked by hand."""

import pytest
import torch
from torch import nn

from neuropil.core import ShapeError
from neuropil.init import Constant
from neuropil.layers import GroupNorm, Input, InstanceNorm, LayerNorm

# Layer, torch's, the shape of a sample.
PEERS = [
    (LayerNorm(), nn.LayerNorm(6), (6,)),
    (LayerNorm(eps=0.1), nn.LayerNorm(6, eps=0.1), (5, 6)),
    (LayerNorm(affine=False), nn.LayerNorm(6, elementwise_affine=False), (5, 6)),
    (GroupNorm(1), nn.GroupNorm(1, 6), (6,)),
    (GroupNorm(3), nn.GroupNorm(3, 6), (6, 4)),
    (GroupNorm(2, eps=0.1), nn.GroupNorm(2, 6, eps=0.1), (6, 4, 5)),
    (GroupNorm(6, affine=False), nn.GroupNorm(6, 6, affine=False), (6, 4, 5, 2)),
    (InstanceNorm(), nn.InstanceNorm1d(6), (6, 4)),
    (InstanceNorm(affine=True), nn.InstanceNorm2d(6, affine=True), (6, 4, 5)),
    (InstanceNorm(eps=0.1), nn.InstanceNorm3d(6, eps=0.1), (6, 4, 5, 2)),
]


@pytest.mark.parametrize(("layer", "peer", "shape"), PEERS, ids=repr)
def test_values_are_those_of_torch(layer, peer, shape):
    layer = layer.fresh()
    layer.build(shape)
    assert list(layer.state_dict()) == list(peer.state_dict())
    generator = torch.Generator().manual_seed(0)
    for value in peer.state_dict().values():
        value.copy_(torch.randn(value.shape, generator=generator))
    layer.load_state_dict(peer.state_dict())
    x = 3 + 2 * torch.randn(4, *shape, generator=generator)
    for training in (True, False):
        torch.testing.assert_close(layer.train(training)(x), peer.train(training)(x))


def test_a_group_is_brought_to_mean_zero_and_variance_one():
    x = 5 + 3 * torch.randn(2, 6, 4, 4, generator=torch.Generator().manual_seed(0)).double()
    y = (Input(6, 4, 4) >> GroupNorm(3, eps=1e-12)).double()(x).reshape(2, 3, -1)
    torch.testing.assert_close(y.mean(-1), torch.zeros(2, 3).double())
    torch.testing.assert_close(y.var(-1, correction=0), torch.ones(2, 3).double())


def test_instance_norm_takes_contrast_away():
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    layer = InstanceNorm()
    layer.build((3, 8, 8))
    torch.testing.assert_close(layer(image), layer(10 * image + 3), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("layer", [GroupNorm(2), LayerNorm(), InstanceNorm(affine=True)])
def test_it_can_be_trained(layer):
    network = Input(4, 6) >> layer.fresh()
    before = [p.detach().clone() for p in network.parameters()]
    x = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(0))
    network(x).square().sum().backward()
    torch.optim.SGD(network.parameters(), lr=0.1).step()
    gamma, beta = network.parameters()
    assert gamma.ndim == beta.ndim == 1
    assert not torch.equal(gamma, before[0])


def test_gamma_starts_as_said():
    for layer in (LayerNorm(weight=Constant(0.0)), GroupNorm(2, weight=Constant(0.0))):
        network = Input(6) >> layer
        assert network(torch.arange(12.0).reshape(2, 6)).tolist() == [[0.0] * 6] * 2


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (LayerNorm(), (3, 8, 8), r"sequence \(T, D\), got \(3, 8, 8\): use GroupNorm\(1\)"),
        (LayerNorm(), (3, None), r"known last axis, got \(3, None\): give it in Input"),
        (LayerNorm(), (1,), r"more than one value .* together, got \(1\): a single"),
        (
            GroupNorm(4),
            (6, 2),
            r"channels that its 4 groups divide, got \(6, 2\): .* divisors of 6",
        ),
        (GroupNorm(2), (None, 2), r"known number of channels, got \(None, 2\)"),
        (GroupNorm(6), (6,), r"more than one value to normalise together, got \(6\)"),
        (InstanceNorm(), (6,), r"more than one value to normalise together, got \(6\)"),
        (
            InstanceNorm(),
            (6, 1, 1),
            "a single value would always become 0; leave the layer out",
        ),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_with_the_mend(layer, shape, message):
    with pytest.raises(ShapeError, match=message):
        Input(*shape) >> layer.fresh()


def test_options_out_of_range_are_refused_by_name():
    for make, message in [
        (lambda: GroupNorm(0), "GroupNorm: groups must be a whole number from 1"),
        (lambda: LayerNorm(eps=0), r"LayerNorm: eps must be a number in \(0, inf\), got 0"),
        (
            lambda: InstanceNorm(affine=True, weight="1"),
            "InstanceNorm: weight must be an initial",
        ),
    ]:
        with pytest.raises(ValueError, match=message):
            make()
