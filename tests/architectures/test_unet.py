"""U-Net: the paper's sizes, and a probability for each pixel."""

import pytest
import torch

from neuropil.analysis import count_parameters
from neuropil.architectures import unet


def test_the_papers_network():
    with torch.device("meta"):
        network = unet(2, input_shape=(1, 572, 572), padding="valid", normalization=None)
    assert network.output_shape == (2, 388, 388)
    assert count_parameters(network) == 31030658


@pytest.mark.parametrize("shape", [(3, 37, 50), (1, 40), (2, 8, 9, 10)])
def test_each_position_has_probabilities(shape):
    torch.manual_seed(0)
    network = unet(4, input_shape=shape, depth=2, width=4).eval()
    probabilities = network(torch.randn(2, *shape))
    assert probabilities.shape == (2, 4, *shape[1:])
    torch.testing.assert_close(probabilities.sum(1), torch.ones(2, *shape[1:]))
    assert network.upto("stage1").output_shape == (4, *shape[1:])


def test_depth_and_width_are_options():
    with torch.device("meta"):
        network = unet(2, input_shape=(1, 64, 64), depth=1, width=8, normalization=None)
    assert count_parameters(network) == (
        9 * 8 * (1 + 4 * 8) + 4 * 16 * 8 + 5 * 8 + 9 * 16 * (8 + 16) + 2 * 16 + 2 * 9
    )
    with pytest.raises(ValueError, match="depth must be at most 16, got 40"):
        unet(depth=40)
