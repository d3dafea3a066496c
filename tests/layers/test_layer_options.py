"""What layers do with what they are given: where weights and biases start."""

from typing import Any

import pytest
import torch

from neuropil.core import Layer, Network, join
from neuropil.init import Constant, HeNormal, Normal, Orthogonal, Uniform
from neuropil.layers import (
    Attention,
    Convolution,
    Deconvolution,
    DepthwiseConvolution,
    Elu,
    FlattenedConvolution,
    GroupConvolution,
    Input,
    LearnedColorspace,
    Linear,
    MixtureOfExperts,
    Relu,
    SeparableConvolution,
    Sigmoid,
    Softmax,
    SqueezeExcitation,
    Tanh,
)


def biases(layer: Layer) -> dict[str, torch.Tensor]:
    return {n: p.detach() for n, p in layer.named_parameters() if n.endswith("bias")}


# How each layer with a bias is made, and the input it takes.
WITH_BIAS: list[tuple[Any, tuple[int, ...]]] = [
    (lambda **bias: Linear(3, **bias), (4,)),
    (lambda **bias: Relu(3, **bias), (4,)),
    (lambda **bias: Softmax(3, **bias), (4,)),
    (lambda **bias: Convolution(4, 3, **bias), (2, 5, 5)),
    (lambda **bias: Deconvolution(4, 3, **bias), (2, 5, 5)),
    (lambda **bias: DepthwiseConvolution(3, **bias), (2, 5, 5)),
    (lambda **bias: GroupConvolution(4, 3, **bias), (2, 5, 5)),
    (lambda **bias: SeparableConvolution(4, 3, activation="relu", **bias), (2, 5, 5)),
    (lambda **bias: FlattenedConvolution(4, 3, **bias), (2, 5, 5)),
    (LearnedColorspace, (3, 5, 5)),
    (lambda **bias: SqueezeExcitation(1, **bias), (4, 5)),
    (lambda **bias: Attention(2, **bias), (5, 4)),
]


@pytest.mark.parametrize(("make", "shape"), WITH_BIAS)
def test_a_bias_starts_where_it_was_asked_to(make, shape):
    def started(bias: Any) -> dict[str, torch.Tensor]:
        layer = make(bias=bias)
        network = Input(*shape) >> layer
        assert layer.arguments["bias"] is bias
        assert repr(Network.parse(repr(network))) == repr(network)
        return biases(layer)

    by_default = started(True)
    assert by_default
    for values in by_default.values():
        assert not values.any()
    assert started(False) == {}
    for bias, first in ((0, 0.0), (1.5, 1.5), (-2, -2.0), (Constant(1.0), 1.0)):
        for name, values in started(bias).items():
            assert name in by_default
            assert values.tolist() == [first] * len(values)
    for bias in (Uniform(2.0, 3.0), Normal(5.0, 0.1)):
        for values in started(bias).values():
            assert values.min() >= 2
            assert len(set(values.tolist())) == len(values)


@pytest.mark.parametrize(("make", "shape"), WITH_BIAS)
@pytest.mark.parametrize(
    "bias", ["yes", None, float("nan"), float("inf"), [1.0], HeNormal(), Orthogonal()]
)
def test_another_bias_is_refused(make, shape, bias):
    who = type(make()).__name__
    with pytest.raises(ValueError, match=f"^{who}: bias must .*got"):
        make(bias=bias)


def test_an_affine_part_keeps_its_bias():
    network = Input(4) >> Softmax(3, bias=2.0)
    scores = network.scores()
    scores.reset_parameters()
    assert network.softmax1.bias.tolist() == [2.0] * 3


@pytest.mark.parametrize("options", [{"bias": 1.0}, {"weight": Constant(1.0)}, {"bias": "no"}])
def test_options_of_a_map_need_units(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"^Relu: {name} has no effect without units, got"):
        Relu(**options)
    assert repr(Relu(bias=False)) == "Relu(bias=False)"


STACKED = [
    lambda: Convolution(64, 3, padding="same"),
    lambda: Deconvolution(64, 3, padding="same"),
    lambda: SeparableConvolution(64, 3, padding="same"),
    lambda: SeparableConvolution(64, 3, padding="same", activation="relu"),
    lambda: FlattenedConvolution(64, 3, padding="same"),
]


@pytest.mark.parametrize("make", STACKED)
def test_ten_layers_with_rectifiers_keep_the_size_of_signals(make):
    torch.manual_seed(0)
    layers = [layer for _ in range(10) for layer in (make(), Relu())]
    network = join(Input(64, 16, 16), *layers)
    signal = torch.randn(1, 64, 16, 16)
    with torch.no_grad():
        size = (network(signal).square().mean() / signal.square().mean()).sqrt()
    assert 0.1 < size < 4  # with 1/fan_in 0.03 and less


@pytest.mark.parametrize(
    ("layer", "variance"),
    [
        (Linear(300), 2 / 600),
        (Tanh(300), 2 / 600),
        (Sigmoid(300), 2 / 600),
        (Softmax(300), 2 / 600),
        (Relu(300), 2 / 300),
        (Elu(300), 2 / 300),
    ],
    ids=repr,
)
def test_each_function_has_the_rule_for_what_follows(layer, variance):
    torch.manual_seed(0)
    join(Input(300), layer)
    assert layer.weight.var().item() == pytest.approx(variance, rel=0.05)


def test_gates_keep_their_rules():
    torch.manual_seed(0)
    mixture = MixtureOfExperts(Linear(1), 300)
    join(Input(200), mixture)
    gate = dict(mixture.named_parameters())["gate.weight"]
    assert gate.var().item() == pytest.approx(1 / 200, rel=0.05)  # softmax follows
    squeeze = SqueezeExcitation(1)
    join(Input(200, 5), squeeze)
    assert squeeze.excite_weight.var().item() == pytest.approx(2 / 200, rel=0.05)
