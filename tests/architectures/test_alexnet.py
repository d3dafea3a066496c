"""AlexNet: its stem, and pictures of other sizes."""

import pytest
import torch
from tests import reference

from neuropil.architectures import alexnet


def on_meta(**options):
    with torch.device("meta"):
        return alexnet(5, **options)


@pytest.mark.parametrize(("side", "left"), [(32, 3), (63, 7), (64, 1), (224, 6), (256, 7)])
def test_what_is_left_of_a_picture(side, left):
    network = on_meta(input_shape=(1, side, side))
    assert network.upto("stage3").output_shape == (256, left, left)
    assert network.output_shape == (5,)


def test_larger_pictures_are_averaged_as_torchvision_does():
    torch.manual_seed(0)
    theirs = reference.torchvision().models.alexnet(weights=None, num_classes=5).eval()
    ours = alexnet(5, input_shape=(3, None, None), weights=theirs.state_dict()).eval()
    x = torch.randn(1, 3, 260, 300)
    with torch.no_grad():
        torch.testing.assert_close(ours.scores()(x), theirs(x), rtol=0, atol=1e-6)
