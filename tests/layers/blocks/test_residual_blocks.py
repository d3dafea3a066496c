"""Residual blocks beside modules written by hand, and each of their options."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from neuropil.core import ShapeError
from neuropil.layers import BatchNorm, BottleneckBlock, Input, LeakyRelu, ResidualBlock


def values_of(block, shape, **batch):
    torch.manual_seed(0)
    network = (Input(*shape) >> block).double().eval()
    x = torch.randn(2, *shape, dtype=torch.float64)
    return network, x, network(x)


def run(layer, x, **options):
    bias = layer.bias
    return F.conv2d(x, layer.weight, bias, layer.arguments["stride"], **options)


def test_the_formula_of_the_basic_block():
    block = ResidualBlock(6, stride=2, normalization=None)
    _, x, y = values_of(block, (4, 7, 7))
    inner = F.relu(run(block.convolution1, x, padding=1))
    z = run(block.convolution2, inner, padding=1)
    shortcut = run(block.convolution3, x)
    torch.testing.assert_close(y, F.relu(z + shortcut))


def test_the_formula_of_the_bottleneck():
    block = BottleneckBlock(8, normalization=None)
    _, x, y = values_of(block, (8, 5, 5))
    inner = F.relu(run(block.convolution1, x))
    inner = F.relu(run(block.convolution2, inner, padding=1))
    z = run(block.convolution3, inner)
    torch.testing.assert_close(y, F.relu(z + x))


def test_the_distance_of_the_taps():
    block = ResidualBlock(4, dilation=3, first_dilation=2, normalization=None)
    _, x, y = values_of(block, (4, 9, 9))
    inner = F.relu(run(block.convolution1, x, padding=2, dilation=2))
    torch.testing.assert_close(
        y, F.relu(run(block.convolution2, inner, padding=3, dilation=3) + x)
    )
    block = BottleneckBlock(8, dilation=2, normalization=None)
    _, x, y = values_of(block, (8, 7, 7))
    inner = F.relu(run(block.convolution1, x))
    inner = F.relu(run(block.convolution2, inner, padding=2, dilation=2))
    torch.testing.assert_close(y, F.relu(run(block.convolution3, inner) + x))


def test_the_order_of_pre_activation():
    block = ResidualBlock(6, stride=2, place="first")
    _, x, y = values_of(block, (4, 7, 7))
    ready = F.relu(block.batchnorm1(x))
    inner = F.relu(block.batchnorm2(run(block.convolution1, ready, padding=1)))
    z = run(block.convolution2, inner, padding=1)
    torch.testing.assert_close(y, z + run(block.convolution3, ready))


def test_normalisation_after_the_activation():
    block = ResidualBlock(4, place="after")
    _, x, y = values_of(block, (4, 5, 5))
    inner = block.batchnorm1(F.relu(run(block.convolution1, x, padding=1)))
    z = block.batchnorm2(run(block.convolution2, inner, padding=1))
    torch.testing.assert_close(y, F.relu(z + x))


def test_a_branch_of_zeros_is_the_identity():
    block = ResidualBlock(4)
    network, x, _ = values_of(block, (4, 5, 5))
    with torch.no_grad():
        block.batchnorm2.weight.zero_()
        block.batchnorm2.bias.zero_()
    torch.testing.assert_close(network(x.abs()), x.abs())


def test_zeros_skip_positions_and_add_channels():
    block = ResidualBlock(6, stride=2, shortcut="zeros", normalization=None, activation=None)
    network, x, y = values_of(block, (2, 5, 5))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    want = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2))
    torch.testing.assert_close(network(x), want)
    assert y.shape == want.shape


def test_without_a_shortcut_it_is_a_plain_network():
    block = ResidualBlock(6, shortcut=None)
    _, x, y = values_of(block, (4, 5, 5))
    inner = F.relu(block.batchnorm1(run(block.convolution1, x, padding=1)))
    z = block.batchnorm2(run(block.convolution2, inner, padding=1))
    torch.testing.assert_close(y, z)


def test_depth_is_stochastic_in_training_only():
    block = ResidualBlock(4, normalization=None, activation=None, stochastic_depth=0.5)
    network, _, _ = values_of(block, (4, 3, 3))
    x = torch.randn(200, 4, 3, 3, dtype=torch.float64)
    branch = network(x) - x
    torch.manual_seed(1)
    trained = network.train()(x) - x
    kept = (trained.flatten(1).abs().sum(1) > 1e-9).double()
    torch.testing.assert_close(trained, 2 * branch * kept.reshape(-1, 1, 1, 1))
    assert 70 < kept.sum() < 130


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({"activation": "elu"}, {"Convolution", "BatchNorm", "Elu"}),
        ({"normalization": "instance"}, {"Convolution", "InstanceNorm", "Relu"}),
        ({"normalization": "layer"}, {"Convolution", "GroupNorm", "Relu"}),
        ({"activation": LeakyRelu(epsilon=0.1)}, {"Convolution", "BatchNorm", "LeakyRelu"}),
        ({"normalization": None, "activation": None}, {"Convolution"}),
    ],
)
def test_activation_and_normalisation_are_switches(options, kinds):
    _ = Input(4, 6, 6) >> (block := ResidualBlock(4, **options))
    merging = {"Elementwise", "Identity"}
    assert {type(layer).__name__ for layer in block.children()} - merging == kinds
    assert (block.convolution1.bias is None) == (
        "normalization" not in options or bool(options["normalization"])
    )


def test_a_layer_is_copied_to_each_place():
    _ = Input(4, 6, 6) >> (block := ResidualBlock(4, normalization=BatchNorm(eps=0.5)))
    assert block.batchnorm1 is not block.batchnorm2
    assert block.batchnorm1.eps == block.batchnorm2.eps == 0.5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"activation": "rleu"}, "Did you mean 'relu'"),
        ({"normalization": "batchnorm"}, "Did you mean 'batch'"),
        ({"place": "behind"}, "place must be one of 'before', 'after', 'first'"),
        ({"shortcut": "skip"}, "shortcut must be one of"),
        ({"stride": 0}, "stride must be a whole number"),
        ({"stochastic_depth": 1.0}, "stochastic_depth must be a number in"),
    ],
)
def test_wrong_options_are_refused(options, said):
    with pytest.raises(ValueError, match=f"ResidualBlock: .*{said}"):
        ResidualBlock(4, **options)


def test_filters_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="multiple of expansion, got 6 and 4"):
        BottleneckBlock(6)


def test_shortcuts_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="needs 8 channels and stride 1, got 4 channels"):
        Input(4, 6, 6) >> ResidualBlock(8, shortcut="identity")
    with pytest.raises(ShapeError, match="at most 2 channels"):
        Input(4, 6, 6) >> ResidualBlock(2, shortcut="zeros")


def test_it_is_as_torch_would_have_it():
    class ByHand(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(4, 4, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(4)
            self.conv2 = nn.Conv2d(4, 4, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(4)

        def forward(self, x):
            y = F.relu(self.bn1(self.conv1(x)))
            return F.relu(self.bn2(self.conv2(y)) + x)

    theirs, ours = ByHand(), Input(4, 6, 6) >> ResidualBlock(4)
    state = dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True))
    ours.load_state_dict(state)
    x = torch.randn(3, 4, 6, 6)
    for one, other in ((ours.train(), theirs.train()), (ours.eval(), theirs.eval())):
        torch.testing.assert_close(one(x), other(x))
    losses = [module(x).square().sum() for module in (ours, theirs)]
    gradients = [
        torch.autograd.grad(loss, list(module.parameters()))
        for loss, module in zip(losses, (ours, theirs), strict=True)
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)
