"""MobileNet: its widths, pyramid, activation and what its paper counts."""

import pytest
import torch
from tests.reference import timm

from neuropil.architectures import mobilenet

STAGES = ("stage1", "stage2", "stage3", "stage4", "stage5")


def made(*args, **options):
    with torch.device("meta"):
        return mobilenet(*args, **options)


def parameters(network) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("width", "millions", "multiply_adds"),
    [(1.0, 4.2, 569), (0.75, 2.6, 325), (0.5, 1.3, 149), (0.25, 0.5, 41)],
)
def test_the_papers_table_of_widths(width, millions, multiply_adds):
    network = made(width=width)
    assert abs(parameters(network) / 1e6 - millions) <= 0.051
    total = sum(
        node.layer.multiply_adds(*(network.nodes[i].shape for i in node.inputs))
        for node in network.nodes
        if node.inputs
    )
    assert round(total / 1e6) == multiply_adds


def test_a_wider_one_is_timms():
    with torch.device("meta"):
        theirs = timm().create_model("mobilenetv1_125", pretrained=False)
    assert parameters(made(width=1.25)) == parameters(theirs)


@pytest.mark.parametrize(("side", "first"), [(224, 112), (64, 32), (32, 32)])
def test_stages_are_a_pyramid(side, first):
    shapes = made(5, input_shape=(1, side, side)).upto(*STAGES).output_shapes
    channels = (64, 128, 256, 512, 1024)
    assert shapes == tuple((c, first >> k, first >> k) for k, c in enumerate(channels))


def test_activations_end_at_six_unless_chosen():
    network = mobilenet(5, width=0.1, input_shape=(3, 32, 32)).eval()
    assert network.upto("stage1")(1000 * torch.randn(1, 3, 32, 32)).max() == 6
    kinds = {type(layer).__name__ for layer in made(activation="swish").modules()}
    assert "Swish" in kinds
    assert "Relu" not in kinds


@pytest.mark.parametrize("width", [0, -1, "1", float("inf")])
def test_a_width_that_is_no_positive_number_is_refused(width):
    with pytest.raises(ValueError, match="mobilenet: width must be a number"):
        mobilenet(width=width)
