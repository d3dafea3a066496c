"""SqueezeNet: its versions, its bypasses, and the authors' weights on real pictures."""

import numpy as np
import pytest
import torch
from tests import reference

from neuropil.analysis import count_parameters
from neuropil.architectures import squeezenet
from neuropil.layers import Convolution, Elementwise


def test_version_1_1_equals_torchvisions():
    torch.manual_seed(0)
    theirs = reference.torchvision().models.squeezenet1_1(weights=None, num_classes=5).eval()
    ours = squeezenet(5, input_shape=(3, 96, 80), version="1.1", weights=theirs.state_dict())
    x = torch.randn(2, 3, 96, 80)
    with torch.no_grad():
        torch.testing.assert_close(ours.eval().scores()(x), theirs(x), rtol=0, atol=1e-6)


def test_version_1_1_has_the_published_parameters():
    with torch.device("meta"):
        assert count_parameters(squeezenet(version="1.1")) == 1235496


@pytest.mark.parametrize(
    ("picture", "first"), [("content_chelsea.png", "cat"), ("content_coffee.png", "espresso")]
)
def test_the_authors_weights_name_what_is_in_a_picture(picture, first, data):
    image = pytest.importorskip("PIL.Image")
    folder = data / "pretrained"
    arrays = np.load(folder / "squeezenet1_0_imagenet.npz")
    weights = {name: torch.from_numpy(value) for name, value in arrays.items()}
    network = squeezenet(input_shape=(3, 227, 227), head_padding=1, weights=weights)
    pixels = np.array(image.open(data / "style" / picture).convert("RGB").resize((227, 227)))
    answers = network.predict(torch.from_numpy(pixels).permute(2, 0, 1)[None])
    words = (folder / "imagenet_synset_words.txt").read_text().splitlines()
    assert first in words[int(answers.argmax())]


@pytest.mark.parametrize(
    ("shortcut", "sums", "projections"), [(None, 0, 0), ("identity", 4, 0), ("auto", 8, 4)]
)
def test_bypasses(shortcut, sums, projections):
    with torch.device("meta"):
        network = squeezenet(5, input_shape=(1, 32, 32), shortcut=shortcut)
    kinds = [type(module) for module in network.modules()]
    assert kinds.count(Elementwise) == sums
    assert kinds.count(Convolution) == 2 + 3 * 8 + projections


def test_small_pictures_keep_their_positions_in_front():
    with torch.device("meta"):
        network = squeezenet(5, input_shape=(1, 32, 32), version="1.1")
    assert network.upto("stage1", "stage2", "stage3").output_shapes == (
        (128, 32, 32),
        (256, 16, 16),
        (512, 8, 8),
    )


def test_wrong_versions_are_refused():
    with pytest.raises(ValueError, match=r"version must be '1\.0' or '1\.1', got '2\.0'"):
        squeezenet(version="2.0")
