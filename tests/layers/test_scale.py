"""Scale: the product with a number, at every rank."""

import pytest
import torch

from neuropil.core import Network
from neuropil.layers import Elementwise, Identity, Input, Scale


@pytest.mark.parametrize("factor", [0.17, -2, 0])
def test_every_number_is_multiplied(factor):
    x = torch.randn(2, 3, 4, 5)
    torch.testing.assert_close(Scale(factor)(x), factor * x, rtol=0, atol=0)


def test_it_damps_a_branch_in_front_of_a_sum():
    network = Input(3) >> (Scale(0.1) | Identity()) >> Elementwise("add")
    torch.testing.assert_close(network(torch.ones(1, 3)), torch.full((1, 3), 1.1))
    assert repr(Network.parse("Input(3) >> Scale(0.1)")) == "Input(3) >> Scale(0.1)"


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), "2", None, True])
def test_what_is_no_finite_number_is_refused(factor):
    with pytest.raises(ValueError, match=r"Scale: factor must be a number .*, got"):
        Scale(factor)
