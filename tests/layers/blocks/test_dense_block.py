"""Dense blocks: torchvision's outputs and gradients, each option, refusals."""

import pytest
import torch
from tests.reference import torchvision
from torch import Tensor

from neuropil.core import ShapeError
from neuropil.layers import DenseBlock, GroupNorm, Input, LeakyRelu, TransitionLayer

SHAPE = (6, 8, 8)


def block_of(layers: int = 3, growth_rate: int = 4, **options):
    torch.manual_seed(0)
    block = DenseBlock(layers, growth_rate, **options)
    block.build(SHAPE)
    return block


def images(*shape: int) -> Tensor:
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))


def kinds(block) -> list[str]:
    """Return the layers of the first dense layer, by the stem of their names."""
    return [name.rstrip("123") for name, _ in next(iter(block.children())).named_children()]


def with_weights_of(ours, theirs) -> None:
    """Give theirs our weights; both have the same tensors in the same order."""
    theirs.load_state_dict(
        dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True))
    )


def same_in_training(ours, theirs, x: Tensor) -> None:
    """Compare outputs and the gradients of all parameters."""
    expected, output = theirs.train()(x.clone()), ours.train()(x)
    torch.testing.assert_close(output, expected, rtol=0, atol=0)
    for network in (theirs, ours):
        network(x.clone()).square().sum().backward()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_a_dense_block_is_torchvisions():
    peer = torchvision().models.densenet._DenseBlock
    theirs = peer(num_layers=3, num_input_features=6, bn_size=4, growth_rate=4, drop_rate=0.0)
    ours = block_of()
    with_weights_of(ours, theirs)
    same_in_training(ours, theirs, images(*SHAPE))


def test_a_transition_is_torchvisions():
    theirs = torchvision().models.densenet._Transition(6, 3)
    torch.manual_seed(0)
    ours = TransitionLayer()
    ours.build(SHAPE)
    with_weights_of(ours, theirs)
    same_in_training(ours, theirs, images(*SHAPE))


def test_what_comes_in_comes_out_in_front_of_what_is_new():
    x = images(*SHAPE)
    output = block_of()(x)
    assert output.shape == (2, 6 + 3 * 4, 8, 8)
    torch.testing.assert_close(output[:, :6], x, rtol=0, atol=0)
    # A block of one layer less gives all but the last layer's channels.
    block = block_of()
    shorter = block_of(layers=2)
    shorter.load_state_dict(block.state_dict(), strict=False)
    torch.testing.assert_close(shorter(x), block(x)[:, :-4], rtol=0, atol=0)


@pytest.mark.parametrize("bottleneck", [None, 1, 4])
def test_weights_are_counted_by_the_formula(bottleneck):
    channels, layers, growth = 6, 5, 3
    block = block_of(layers, growth, bottleneck=bottleneck, normalization=None)
    seen = [channels + place * growth for place in range(layers)]
    wide = bottleneck and bottleneck * growth
    expected = sum(c * wide + 9 * wide * growth if wide else 9 * c * growth for c in seen)
    weights = sum(p.numel() for p in block.parameters() if p.ndim > 1)
    assert weights == expected
    assert block.multiply_adds(SHAPE) == 64 * expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["batchnorm", "relu", "convolution"] * 2),
        ({"bottleneck": None}, ["batchnorm", "relu", "convolution"]),
        ({"place": "before"}, ["convolution", "batchnorm", "relu"] * 2),
        ({"place": "after", "bottleneck": None}, ["convolution", "relu", "batchnorm"]),
        ({"normalization": None, "activation": "tanh"}, ["tanh", "convolution"] * 2),
        ({"activation": None}, ["batchnorm", "convolution"] * 2),
        (
            {"normalization": GroupNorm(2), "activation": LeakyRelu(epsilon=0.3)},
            ["groupnorm", "leakyrelu", "convolution"] * 2,
        ),
        ({"bottleneck": None, "dropout": 0.5}, ["batchnorm", "relu", "convolution", "dropout"]),
    ],
    ids=str,
)
def test_options_choose_the_layers(options, expected):
    assert kinds(block_of(**options)) == ["identity", *expected, "concatenate"]


def test_dropout_drops_new_channels_only():
    block = block_of(layers=1, dropout=0.5)
    x = images(*SHAPE)
    output = block(x)
    torch.testing.assert_close(output[:, :6], x, rtol=0, atol=0)
    dropped = (output[:, 6:] == 0).float().mean()
    assert 0.3 < dropped < 0.7
    assert (block.eval()(x) != 0).all()


@pytest.mark.parametrize(
    ("compression", "filters"), [(0.5, 3), (1, 6), (0.99, 5), (0.01, 1), (1 / 3, 2)]
)
def test_a_transition_leaves_a_share_of_the_channels(compression, filters):
    layer = TransitionLayer(compression, normalization=None)
    assert layer.output_shape((6, 9, None)) == (filters, 4, None)
    assert TransitionLayer(0.29).output_shape((100, 4, 4)) == (29, 2, 2)


@pytest.mark.parametrize("shape", [(6, 12), (6, 4, 6), (6, 4, 4, 4)], ids=str)
def test_signals_images_and_volumes_are_taken(shape):
    network = Input(*shape) >> DenseBlock(2, 2) >> TransitionLayer()
    assert network(images(*shape)).shape[1:] == network.output_shape
    assert network.output_shape == (5, *(length // 2 for length in shape[1:]))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: DenseBlock(0, 4), "DenseBlock: layers must be"),
        (lambda: DenseBlock(2, 1.5), "DenseBlock: growth_rate must be"),
        (lambda: DenseBlock(2, 4, bottleneck=0), "DenseBlock: bottleneck must be"),
        (lambda: DenseBlock(2, 4, dropout=1), r"DenseBlock: dropout must be.*\[0, 1\), got 1"),
        (lambda: DenseBlock(2, 4, place="behind"), "DenseBlock: place must be one of"),
        (lambda: TransitionLayer(0), r"compression must be a number in \(0, 1\], got 0"),
        (lambda: TransitionLayer(normalization="bach"), "TransitionLayer: normalization must"),
    ],
)
def test_options_out_of_range_are_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize("layer", [DenseBlock(2, 4), TransitionLayer()], ids=str)
def test_what_is_no_image_is_refused(layer):
    with pytest.raises(ShapeError, match=r"\(6\)"):
        layer.output_shape((6,))
    with pytest.raises(ShapeError, match="known number of channels"):
        layer.output_shape((None, 8, 8))
    with pytest.raises(ShapeError, match="height of at least 2"):
        TransitionLayer().output_shape((6, 1, 8))
