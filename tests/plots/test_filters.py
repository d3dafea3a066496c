"""Filters as pictures."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from neuropil.layers import Convolution, Deconvolution, Flatten, Input, Relu
from neuropil.plots import filters
from neuropil.plots.palette import ZERO, signed_scale


def picture(figure):
    return np.asarray(figure.axes[0].get_images()[0].get_array())


def with_weights(network, name, weight):
    getattr(network, name).weight.data = torch.tensor(weight, dtype=torch.float32)
    return network


def test_weights_of_one_channel_are_light_dark_or_grey():
    network = with_weights(
        Input(1, 4, 4) >> Convolution(1, 2), "convolution1", [[[[2.0, -1.0], [0.0, 1.0]]]]
    )
    shown = picture(filters(network))
    times = shown.shape[0] // 2
    cells = shown[::times, ::times]
    # 2, −1, 0 and 1 by their largest size.
    np.testing.assert_allclose(cells, signed_scale()([[1.0, 0.25], [0.5, 0.75]]))
    np.testing.assert_allclose(cells[1, 0, :3], to_rgb(ZERO), atol=3e-3)


def test_filters_over_colours_show_them_around_grey():
    weight = np.zeros((1, 3, 1, 2))
    weight[0, 0, 0, 0] = 4.0
    weight[0, 2, 0, 1] = -4.0
    network = with_weights(Input(3, 2, 2) >> Convolution(1, (1, 2)), "convolution1", weight)
    shown = picture(filters(network))
    times = shown.shape[0]
    np.testing.assert_allclose(shown[0, 0], [1, 0.5, 0.5, 1])
    np.testing.assert_allclose(shown[0, times], [0.5, 0.5, 0, 1])


@pytest.mark.parametrize(
    ("network", "title"),
    [
        (Input(1, 9) >> Convolution(4, 3), "convolution1: 4 filters of 3 over 1 channel"),
        (
            Input(5, 8, 8) >> Convolution(1, 3),
            "convolution1: 1 filter of 3 × 3 over 5 channels",
        ),
        (
            Input(1, 4, 4, 4) >> Convolution(2, 3),
            "convolution1: 2 filters of 3 × 3 × 3 over 1 channel",
        ),
        (
            Input(2, 4, 4) >> Deconvolution(7, 3),
            "deconvolution1: 7 filters of 3 × 3 over 2 channels",
        ),
        (
            Input(1, 4, 4) >> Convolution(300, 3),
            "convolution1: 300 filters of 3 × 3 over 1 channel (the first 256 shown)",
        ),
    ],
)
def test_every_rank_and_number_of_channels_is_drawn(network, title):
    figure = filters(network)
    figure.canvas.draw()
    assert figure.axes[0].get_title(loc="left") == title


def test_the_first_layer_with_filters_or_the_one_that_is_named():
    network = Input(1, 8, 8) >> Convolution(2, 1) >> Convolution(3, 3) >> Convolution(4, 3)
    assert filters(network).axes[0].get_title(loc="left").startswith("convolution2: 3 ")
    named = filters(network, "convolution3")
    assert named.axes[0].get_title(loc="left").startswith("convolution3: 4 ")


def test_layers_without_filters_are_refused():
    network = Input(1, 8, 8) >> Convolution(2, 3) >> Flatten() >> Relu(3)
    with pytest.raises(
        ValueError, match="'relu1' is not a layer with filters; those with filters: conv"
    ):
        filters(network, "relu1")
    with pytest.raises(ValueError, match="no convolution"):
        filters(Input(3) >> Relu(4))


def test_the_weights_stay_as_they_are():
    network = Input(1, 8, 8) >> Convolution(2, 3)
    before = network.convolution1.weight.detach().clone()
    filters(network)
    assert torch.equal(before, network.convolution1.weight)
