"""Mixtures of experts: for tables and pictures, by count, by prototype, by tuple."""

import pytest
import torch

from neuropil.architectures import mixture_of_experts
from neuropil.core import ShapeError
from neuropil.layers import Linear, Relu


@pytest.mark.parametrize("shape", [(7,), (1, 32, 32), (3, None, 40)])
def test_it_takes_tables_and_pictures(shape):
    network = mixture_of_experts(3, input_shape=shape, experts=5, top_k=2).eval()
    assert network.output_shape == (3,)
    x = torch.randn(4, *(length or 33 for length in shape))
    torch.testing.assert_close(network(x).sum(1), torch.ones(4))


def test_experts_are_given_as_one_or_as_several():
    one, other = Relu(8) >> Linear(3), Linear(3)
    network = mixture_of_experts(3, input_shape=(4,), experts=one, count=2)
    assert network.layers["stage1"].multiply_adds((4,)) == 2 * 4 + 2 * (4 * 8 + 8 * 3)
    network = mixture_of_experts(3, input_shape=(4,), experts=(one, other))
    assert network.layers["stage1"].multiply_adds((4,)) == 2 * 4 + 4 * 8 + 8 * 3 + 4 * 3


def test_losses_take_the_scores():
    network = mixture_of_experts(3, input_shape=(4,)).eval()
    x = torch.randn(5, 4)
    torch.testing.assert_close(network.scores()(x).softmax(1), network(x))


def test_a_picture_that_is_too_small_is_refused():
    with pytest.raises(ShapeError, match="MixtureOfExperts"):
        mixture_of_experts(3, input_shape=(1, 4, 4))
