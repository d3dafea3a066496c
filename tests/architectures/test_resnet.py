"""Dilated residual networks, beside the plain ones whose weights they share."""

import pytest
import torch
from torch import Tensor

from neuropil import Network
from neuropil.analysis import receptive_field
from neuropil.architectures import resnet, resnet18, resnet34, resnet50

# Small ones: what is looked at depends on the number of stages, not on their width.
NARROW = {"WIDTHS": (4, 8, 12, 16), "BOTTLENECK": {50: (1, 2, 2, 2)}}


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    for name, value in NARROW.items():
        monkeypatch.setattr(resnet, name, value)


def twins(make, **options) -> tuple[Network, Network, Tensor]:
    """Return a plain and a dilated network of equal weights, and pictures."""
    torch.manual_seed(0)
    plain, dilated = make(3), make(3, **options)
    dilated.load_state_dict(plain.state_dict())
    for network in (plain, dilated):
        network.double().eval()
    return plain, dilated, torch.randn(1, 3, 224, 224, dtype=torch.float64)


@pytest.mark.parametrize("make", [resnet18, resnet50])
@pytest.mark.parametrize("pre_activation", [False, True])
@pytest.mark.parametrize(("stride", "finer"), [(16, 2), (8, 4)])
def test_a_dilated_network_is_the_plain_one_at_more_positions(
    make, pre_activation, stride, finer
):
    """Yu et al.: removed strides are made up for by dilation, so receptive fields stay."""

    def network(classes: int, **options) -> Network:
        return make(classes, pre_activation=pre_activation, **options)

    plain, dilated, x = twins(network, output_stride=stride)
    features, finer_features = plain.upto("stage4")(x), dilated.upto("stage4")(x)
    assert finer_features.shape[2:] == (224 // stride, 224 // stride)
    torch.testing.assert_close(finer_features[..., ::finer, ::finer], features)
    assert torch.equal(dilated.upto("stage2")(x), plain.upto("stage2")(x))


@pytest.mark.parametrize("make", [resnet34, resnet50])
def test_the_receptive_field_is_that_of_the_plain_network(make):
    plain, dilated = make().upto("stage4"), make(output_stride=8).upto("stage4")
    assert receptive_field(plain).size == receptive_field(dilated).size
    assert receptive_field(plain).stride == (32, 32)
    assert receptive_field(dilated).stride == (8, 8)


def test_the_shapes_are_those_of_the_paper():
    for stride, lengths in (
        (32, (28, 14, 7)),
        (16, (28, 14, 14)),
        (8, (28, 28, 28)),
    ):
        network = resnet50(output_stride=stride)
        shapes = network.upto("stage2", "stage3", "stage4").output_shapes
        assert tuple(shape[1] for shape in shapes) == lengths


def test_small_images_shrink_by_eight_only():
    network = resnet18(input_shape=(3, 32, 32), output_stride=8)
    assert network.upto("stage4").output_shape == (16, 4, 4)


@pytest.mark.parametrize("stride", [4, 0, 64, "8", True])
def test_another_output_stride_is_refused(stride):
    with pytest.raises(ValueError, match="output_stride must be 8, 16 or 32, got"):
        resnet18(output_stride=stride)
