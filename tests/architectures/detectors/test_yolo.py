"""YOLO on any backbone."""

import pytest
import torch

from neuropil.architectures import (
    densenet121,
    inception_v3,
    lenet5,
    resnet18,
    resnet20,
    squeezenet,
    yolo,
)
from neuropil.architectures.detectors.feature_pyramid import stage_strides
from neuropil.core import Network, ShapeError, join
from neuropil.layers import Convolution, GlobalPooling, Input, Softmax

ANCHORS = [[(20, 20)], [(50, 50), (60, 58)]]


def on_meta(**options) -> Network:
    with torch.device("meta"):
        return yolo(3, **({"anchors": ANCHORS} | options))


def colored_lenet() -> Network:
    return lenet5(input_shape=(3, 32, 32))


@pytest.mark.parametrize(
    "build", [squeezenet, resnet18, resnet20, densenet121, inception_v3, colored_lenet, None]
)
def test_any_backbone_gives_the_same_grid(build):
    with torch.device("meta"):
        backbone = build and build()
    network = on_meta(input_shape=(3, 250, 320), backbone=backbone)
    assert network.output_shape == (16, 20, (4 * 1 + 2) * 8)


@pytest.mark.parametrize("strides", [(4,), (8,), (32,), (8, 32), (2, 4, 8, 16), (64,)])
def test_any_strides_give_a_grid(strides):
    network = on_meta(strides=strides, anchors=[[(9, 9)]] * len(strides))
    count = sum((strides[-1] // stride) ** 2 for stride in strides)
    side = -(-100 // strides[-1])
    assert network(torch.zeros(2, 3, 100, 30, device="meta")).shape[1:] == (
        side,
        -(-30 // strides[-1]),
        count * 8,
    )


def test_padding_a_picture_to_whole_cells_changes_nothing():
    torch.manual_seed(0)
    network = yolo(2, anchors=ANCHORS).eval()
    picture = torch.randn(1, 3, 40, 50)
    padded = torch.nn.functional.pad(picture, (0, 14, 0, 8))
    torch.testing.assert_close(network(picture), network(padded))


def test_a_backbone_brings_its_weights_and_its_normalisation():
    torch.manual_seed(0)
    classifier = resnet20()
    classifier.inputs[0].set_normalization([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    network = yolo(2, anchors=ANCHORS, backbone=classifier)
    assert network.layers["stage3"] is classifier.layers["stage3"]
    assert torch.equal(network.inputs[0].mean, classifier.inputs[0].mean)
    assert "softmax1" not in network.layers


def test_layers_without_padding_see_the_picture_up_to_its_border():
    # SqueezeNet alone has 7 × 7 features here, which say nothing of the outermost pixels.
    torch.manual_seed(0)
    body = squeezenet(input_shape=(3, None, None))
    network = yolo(
        1, anchors=[[(20, 20)]], strides=(8,), backbone=body, input_shape=(3, 64, 64)
    )
    place = network.node_names.index("cellalignment1")
    aligned = network.upto(network.node_names[place]).eval()
    picture = torch.randn(1, 3, 64, 64)
    features = body.upto("stage2").eval()
    assert features(picture).shape[2:] == (7, 7)
    surrounded = torch.nn.functional.pad(picture, (4, 4, 4, 4))
    torch.testing.assert_close(aligned(picture), features(surrounded), rtol=1e-4, atol=1e-4)


def test_stages_are_found_by_their_stride():
    with torch.device("meta"):
        assert stage_strides("yolo", squeezenet()) == {4: "stage1", 8: "stage2", 16: "stage3"}
        assert stage_strides("yolo", resnet20()) == {1: "stage1", 2: "stage2", 4: "stage3"}


def test_a_backbone_for_small_pictures_gets_the_means_of_their_pixels():
    torch.manual_seed(0)
    body = resnet20().eval()
    network = yolo(1, anchors=[[(20, 20)]], strides=(8,), backbone=body).eval()
    picture = torch.randn(1, 3, 128, 128)
    small = torch.nn.functional.avg_pool2d(picture, 4)
    torch.testing.assert_close(network.upto("stage2")(picture), body.upto("stage2")(small))


def test_it_is_saved_and_loaded(tmp_path):
    network = yolo(2, anchors=ANCHORS, input_shape=(3, 32, 48)).eval()
    network.save(tmp_path)
    again = Network.load(tmp_path).eval()
    picture = torch.rand(1, 3, 32, 48)
    assert torch.equal(network(picture), again(picture))
    last, read = network.boxgrid1, again.boxgrid1
    assert (last.anchors, last.strides) == (read.anchors, read.strides)


def test_what_cannot_be_a_backbone_is_refused():
    plain = join(Input(3, 8, 8), Convolution(4, 3), GlobalPooling("avg"), Softmax(2))
    with pytest.raises(ValueError, match=r"name its layers .* stage1"):
        on_meta(backbone=plain)
    with pytest.raises(ValueError, match=r"begin at a stride of 4: .* got 2"):
        on_meta(strides=(2,), anchors=[[(9, 9)]])
    with pytest.raises(ShapeError, match=r"images \(C, H, W\)"):
        on_meta(input_shape=(3, 32))
    with pytest.raises(ValueError, match=r"powers of two, got \[6\]"):
        on_meta(strides=(6,), anchors=[[(9, 9)]])
