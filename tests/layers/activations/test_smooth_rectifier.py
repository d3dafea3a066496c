"""Smooth rectifiers: precision far out, and the β that Swish learns."""

import math

import pytest
import torch

from neuropil.layers import Elu, Gelu, Input, Softplus, Swish


def test_softplus_is_exact_where_torch_is_straight():
    x = torch.tensor([[21.0]], dtype=torch.float64)
    exact = 21 + math.log1p(math.exp(-21))
    assert Softplus()(x).item() == pytest.approx(exact, rel=1e-15)
    assert exact != 21.0


def test_large_beta_makes_a_rectifier():
    x = torch.tensor([[-3.0, -0.5, 0.5, 3.0]])
    for layer in (Softplus(beta=1000.0), Swish(beta=1000.0)):
        torch.testing.assert_close(layer(x), x.clamp(min=0))


def test_swish_learns_beta():
    network = Input(1) >> Swish(learn_beta=True, beta=0.5)
    x = torch.tensor([[-2.0], [3.0]], dtype=torch.float64)
    network.double()(x).sum().backward()
    (beta,) = network.parameters()
    gate = torch.sigmoid(0.5 * x)
    assert beta.tolist() == [0.5]
    assert beta.grad.item() == pytest.approx((x**2 * gate * (1 - gate)).sum().item())
    assert not list((Input(1) >> Swish(beta=0.5)).parameters())


def test_negative_sides_end_where_they_should():
    far = torch.tensor([[-100.0]])
    assert Elu(alpha=0.25)(far).item() == -0.25
    assert Gelu()(far).item() == 0.0
    assert Swish()(far).item() == pytest.approx(0.0, abs=1e-40)
