"""What activations share: units, shapes, initial weights, formulas held against torch's."""

import inspect
import math
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from neuropil import layers
from neuropil.core import ShapeError
from neuropil.init import Constant
from neuropil.layers import (
    Elu,
    Gelu,
    HardSigmoid,
    Input,
    LeakyRelu,
    Linear,
    PRelu,
    Relu,
    Sigmoid,
    Softmax,
    Softplus,
    Swish,
    Tanh,
)
from neuropil.layers.activations.base import Activation

ALL = [
    cls
    for name in layers.__all__
    if inspect.isclass(cls := getattr(layers, name)) and issubclass(cls, Activation)
]


def normal_distribution(x):
    return (1 + math.erf(x / math.sqrt(2))) / 2


# Each as the sheet writes it, one number at a time in double precision.
FORMULAS = [
    (Linear(), lambda x: x),
    (Sigmoid(), lambda x: 1 / (1 + math.exp(-x))),
    (HardSigmoid(), lambda x: min(1, max(0, 0.2 * x + 0.5))),
    (Tanh(), lambda x: math.sinh(x) / math.cosh(x)),
    (Relu(), lambda x: max(0, x)),
    (LeakyRelu(epsilon=0.3), lambda x: max(0.3 * x, x)),
    (Elu(alpha=0.7), lambda x: x if x > 0 else 0.7 * (math.exp(x) - 1)),
    (PRelu(epsilon=-0.5), lambda x: max(0, x) - 0.5 * min(0, x)),
    (Softplus(beta=2.0), lambda x: math.log(1 + math.exp(2 * x)) / 2),
    (Swish(), lambda x: x / (1 + math.exp(-x))),
    (Swish(beta=1.5), lambda x: x / (1 + math.exp(-1.5 * x))),
    (Swish(beta=1.5, learn_beta=True), lambda x: x / (1 + math.exp(-1.5 * x))),
    (Gelu(), lambda x: x * normal_distribution(x)),
    (
        Gelu(approximate="tanh"),
        lambda x: x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    ),
]
TORCH = [
    (Sigmoid(), nn.Sigmoid()),
    (Tanh(), nn.Tanh()),
    (Relu(), nn.ReLU()),
    (LeakyRelu(), nn.LeakyReLU()),
    (Elu(), nn.ELU()),
    (PRelu(), nn.PReLU()),
    (Softplus(), nn.Softplus(threshold=40)),
    (Swish(), nn.SiLU()),
    (Gelu(), nn.GELU()),
    (Gelu(approximate="tanh"), nn.GELU("tanh")),
    (Softmax(), nn.Softmax(-1)),
]


@pytest.mark.parametrize(("layer", "formula"), FORMULAS)
def test_values_follow_the_formula(layer, formula):
    layer.build((81,))
    x = torch.linspace(-8, 8, 81, dtype=torch.float64)
    expected = torch.tensor([formula(value) for value in x.tolist()], dtype=torch.float64)
    torch.testing.assert_close(layer.double()(x[None])[0], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("layer", "peer"), TORCH, ids=repr)
def test_values_are_those_of_torch(layer, peer):
    x = torch.randn(4, 5, 6, generator=torch.Generator().manual_seed(0))
    layer.build((5, 6))
    torch.testing.assert_close(layer(x), peer(x), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_far_values_stay_finite_and_so_do_their_gradients(cls, dtype):
    x = torch.tensor([[-1e30, -1e4, -50.0, 0.0, 50.0, 1e4, 1e30]], dtype=dtype)
    x.requires_grad_()
    layer = cls()
    layer.build((7,))
    output = layer.to(dtype)(x)
    output.sum().backward()
    assert output.isfinite().all()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("shape", [(6,), (5, 6)], ids=str)
@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_units_put_an_affine_map_in_front(cls, shape):
    network = Input(*shape) >> cls(4)
    alone = Input(*shape[:-1], 4) >> cls()
    x = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    state = network.state_dict()
    prefix = cls.__name__.lower() + "1."
    weight, bias = state[prefix + "weight"], state[prefix + "bias"]
    assert weight.shape == (4, 6)
    assert bias.tolist() == [0.0] * 4
    bias += torch.arange(4)
    torch.testing.assert_close(network(x), alone(F.linear(x, weight, bias)))


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_without_bias_there_is_no_such_parameter(cls):
    network = Input(6) >> cls(4, bias=False)
    assert not any("bias" in key for key in network.state_dict())
    assert network(torch.zeros(1, 6)).shape == (1, 4)


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_weights_start_with_the_variance_that_suits(cls):
    torch.manual_seed(0)
    layer = cls(300)
    layer.build((200,))
    bounded = cls in (Linear, Sigmoid, HardSigmoid, Tanh, Softmax)
    expected = 2 / (200 + 300) if bounded else 2 / 200
    assert layer.weight.var().item() == pytest.approx(expected, rel=0.05)
    assert cls(3, weight=Constant(0.5)).initializers["weight"].value == 0.5


def test_the_input_is_left_alone():
    for cls in ALL:
        x = torch.tensor([[-3.0, 2.0]])
        layer = cls()
        layer.build((2,))
        layer(x)
        assert x.tolist() == [[-3.0, 2.0]]


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_units_refuse_images_with_the_mend(cls):
    expected = r"\(D\) or a sequence \(T, D\), got \(3, 8, 8\): put Flatten\(\) or Convolution"
    with pytest.raises(ShapeError, match=expected + r"\(10, 1\) before it"):
        Input(3, 8, 8) >> cls(10)
    assert (Input(3, 8, 8) >> cls()).output_shape == (3, 8, 8)


def test_units_refuse_a_free_last_axis_with_the_mend():
    with pytest.raises(ShapeError, match=r"known length, got \(None\).*GlobalPooling\('avg'\)"):
        Input(None) >> Relu(10)
    assert (Input(None, 8) >> Relu(10)).output_shape == (None, 10)
    with pytest.raises(ShapeError, match="known lengths to count multiply–adds"):
        Relu(10).multiply_adds((None, 8))


def test_options_out_of_range_are_refused_by_name():
    for make, message in [
        (lambda: Relu(0), r"Relu: units must be a whole number from 1 .*, got 0"),
        (lambda: Tanh(2.5), r"Tanh: units must be a whole number from 1 .*, got 2.5"),
        (lambda: Gelu(True), "Gelu: units must be a whole number"),
        (lambda: Relu(3, weight="0.1"), "Relu: weight must be an initialiser.*got '0.1'"),
        (lambda: LeakyRelu(epsilon=1.5), r"LeakyRelu: epsilon must be .* \[0, 1\], got 1.5"),
        (lambda: Elu(alpha=0), r"Elu: alpha must be a number in \(0, inf\), got 0"),
        (lambda: Elu(alpha=float("nan")), "Elu: alpha must be .*, got nan"),
        (lambda: Softplus(beta=float("inf")), "Softplus: beta must be .*, got inf"),
        (lambda: Swish(beta="1"), "Swish: beta must be a number in .*, got '1'"),
        (lambda: PRelu(epsilon=None), "PRelu: epsilon must be an initialiser, .*, got None"),
        (lambda: Gelu(approximate="erf"), "Gelu: approximate must be 'none' or 'tanh', got"),
        (lambda: Softmax(axis=0.5), "Softmax: axis must be a whole number"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()


def test_a_call_costs_no_more_python_than_torch():
    x = torch.zeros(2, 3)
    with_units = Relu(3)
    with_units.build((3,))
    assert calls(with_units, x) < calls(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), x)
    for layer, peer in TORCH:
        layer = layer.fresh()
        layer.build((3,))
        assert calls(layer, x) <= calls(peer, x)


def calls(module, x):
    """Return how many Python functions a call of a module enters."""
    entered = 0

    def count(_frame, event, _argument):
        nonlocal entered
        entered += event == "call"

    sys.setprofile(count)
    try:
        module(x)
    finally:
        sys.setprofile(None)
    return entered
