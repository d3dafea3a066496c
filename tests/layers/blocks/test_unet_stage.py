import io

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from neuropil.analysis import receptive_field
from neuropil.core import ShapeError
from neuropil.layers import Convolution, Input, UNetStage


def double(channels, filters, padding):
    return nn.Sequential(
        nn.Conv2d(channels, filters, 3, padding=padding),
        nn.ReLU(),
        nn.Conv2d(filters, filters, 3, padding=padding),
        nn.ReLU(),
    )


class Reference(nn.Module):
    """A U-net of three resolutions as written by hand, for lengths that 4 divides."""

    def __init__(self, padding):
        super().__init__()
        self.down1, self.down2 = double(2, 3, padding), double(3, 6, padding)
        self.bottom, self.up2 = double(6, 12, padding), nn.ConvTranspose2d(12, 6, 2, 2)
        self.rise2, self.up1 = double(12, 6, padding), nn.ConvTranspose2d(6, 3, 2, 2)
        self.rise1 = double(6, 3, padding)

    def forward(self, x):
        first = self.down1(x)
        second = self.down2(F.max_pool2d(first, 2))
        up = self.up2(self.bottom(F.max_pool2d(second, 2)))
        up = self.up1(self.rise2(torch.cat([crop(second, up), up], 1)))
        return self.rise1(torch.cat([crop(first, up), up], 1))


def crop(x, like):
    top, left = ((a - b) // 2 for a, b in zip(x.shape[2:], like.shape[2:], strict=True))
    return x[:, :, top : top + like.shape[2], left : left + like.shape[3]]


def stages(padding="same", **options):
    options = {"padding": padding, "normalization": None} | options
    bottom = UNetStage(12, **options)
    return UNetStage(3, UNetStage(6, bottom, **options), **options)


@pytest.mark.parametrize(("padding", "side"), [("same", 16), ("valid", 60)])
def test_it_equals_a_network_written_by_hand(padding, side):
    torch.manual_seed(0)
    reference = Reference(1 if padding == "same" else 0)
    network = Input(2, side, side) >> stages(padding)
    with torch.no_grad():
        for ours, theirs in zip(network.parameters(), reference.parameters(), strict=True):
            ours.copy_(theirs)
    x = torch.randn(1, 2, side, side)
    torch.testing.assert_close(network(x), reference(x))


@pytest.mark.parametrize("length", [1, 2, 3, 5, 7, 13])
@pytest.mark.parametrize("up", ["deconvolution", "nearest", "bilinear"])
def test_same_padding_keeps_every_length(length, up):
    network = Input(2, None, length) >> stages(up=up)
    assert network.output_shape == (3, None, length)
    assert network(torch.ones(1, 2, 6, length)).shape == (1, 3, 6, length)


@pytest.mark.parametrize("shape", [(2, 9), (2, 5, 4, 6)])
def test_it_works_on_signals_and_volumes(shape):
    network = Input(*shape) >> UNetStage(3, UNetStage(4))
    assert network(torch.ones(2, *shape)).shape[2:] == shape[1:]


def test_the_parameters_are_those_of_the_formula():
    with torch.device("meta"):
        inner = UNetStage(7, normalization=None)
        network = Input(2, 8, 8) >> UNetStage(5, inner, normalization=None)
    count = sum(p.numel() for p in network.parameters())
    bottom = 9 * 7 * (5 + 7) + 2 * 7
    assert count == 9 * 5 * (2 + 4 * 5) + 4 * 7 * 5 + 5 * 5 + bottom


@pytest.mark.parametrize(("padding", "side"), [("same", 24), ("valid", 60)])
def test_the_receptive_field_is_the_footprint_of_the_gradient(padding, side):
    torch.manual_seed(0)
    network = Input(2, side, side) >> stages(padding, activation=None)
    network = network.double()
    x = torch.randn(1, 2, side, side, dtype=torch.float64, requires_grad=True)
    y = network(x)
    size = 0
    for place in range(y.shape[2] // 2 - 2, y.shape[2] // 2 + 2):
        # Pooling passes one of four on, so several inputs are tried.
        seen = torch.zeros(side)
        for _ in range(6):
            x = torch.randn_like(x, requires_grad=True)
            (slope,) = torch.autograd.grad(network(x)[0, :, place, place].sum(), x)
            seen += slope.abs().sum((0, 1, 3)) > 0
        (touched,) = seen.nonzero(as_tuple=True)
        size = max(size, int(touched[-1] - touched[0]) + 1)
    foretold = receptive_field(network).clipped[0]
    assert size <= foretold
    assert size >= min(foretold - 2, side - 4)


def test_it_does_not_touch_the_network_given_to_it():
    inner = Convolution(4, 3, padding="same")
    layer = UNetStage(3, inner)
    one, other = Input(2, 8, 8) >> layer.fresh(), Input(2, 8, 8) >> layer.fresh()
    assert inner.built_for is None
    assert not {id(p) for p in one.parameters()} & {id(p) for p in other.parameters()}


def test_dropout_stands_on_the_way_down_only():
    network = Input(2, 8, 8) >> UNetStage(3, UNetStage(4), dropout=0.5)
    assert [type(m).__name__ for m in network.modules()].count("Dropout") == 1


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="UNetStage: padding must be 'same' or 'valid'"):
        UNetStage(3, padding="full")
    with pytest.raises(ValueError, match="UNetStage: up must be one of 'deconvolution'"):
        UNetStage(3, up="cubic")
    with pytest.raises(ShapeError, match="upsampled features at least as long"):
        Input(2, 8, 8) >> UNetStage(3, Convolution(4, 3))
    with pytest.raises(ShapeError, match="at least 3"):
        Input(2, 8, 8) >> stages("valid")


@pytest.mark.parametrize(
    ("padding", "traced", "given"), [("same", (8, 12), (7, 9)), ("valid", (20, 24), (24, 28))]
)
def test_an_export_is_not_bound_to_the_lengths_of_its_example(padding, traced, given):
    inner = UNetStage(4, padding=padding)
    network = Input(1, None, None) >> UNetStage(2, inner, padding=padding)
    free = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
    file = io.BytesIO()
    with torch.no_grad():
        example = torch.ones(1, 1, *traced)
        exported = torch.export.export(network.eval(), (example,), dynamic_shapes=(free,))
        torch.export.save(exported, file)
        file.seek(0)
        pictures = torch.randn(1, 1, *given)
        again = torch.export.load(file).module()
        assert torch.equal(again(pictures), network(pictures))
