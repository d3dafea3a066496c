"""What layers do with what they are given: where weights and biases start."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from neuropil.core import Layer, Network, ShapeError, join, repeat
from neuropil.init import Constant, HeNormal, Normal, Orthogonal, Uniform
from neuropil.layers import (
    LSTM,
    Attention,
    BatchNorm,
    Convolution,
    Deconvolution,
    DepthwiseConvolution,
    Elu,
    FlattenedConvolution,
    GroupConvolution,
    GroupNorm,
    Input,
    InstanceNorm,
    LayerNorm,
    LearnedColorspace,
    Linear,
    MixtureOfExperts,
    PRelu,
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
    (BatchNorm, (4, 5)),
    (LayerNorm, (5, 4)),
    (lambda **bias: GroupNorm(2, **bias), (4, 5)),
    (lambda **bias: InstanceNorm(affine=True, **bias), (4, 5)),
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


def test_weights_start_at_the_array_given():
    rows = np.random.default_rng(0)
    weight, bias = rows.normal(size=(8, 3, 3, 3)), rows.normal(size=8)
    network = Input(3, 6, 6) >> Convolution(8, 3, weight=weight, bias=torch.tensor(bias))
    peer = nn.Conv2d(3, 8, 3)
    with torch.no_grad():
        peer.weight.copy_(torch.from_numpy(weight))
        peer.bias.copy_(torch.from_numpy(bias))
    x = torch.randn(2, 3, 6, 6)
    assert torch.equal(network(x), peer(x))
    with torch.no_grad():
        network.convolution1.weight.zero_()
    network.reset_parameters()
    assert torch.equal(network(x), peer(x))


def test_the_array_is_copied_when_it_is_given():
    weight = np.ones((2, 3))
    layer = Linear(2, weight=weight)
    weight[:] = 7
    assert (Input(3) >> layer)(torch.ones(1, 3)).tolist() == [[3.0, 3.0]]


@pytest.mark.parametrize(
    ("make", "parameter", "sequence"),
    [
        (lambda v: Relu(2, weight=v), "weight", False),
        (lambda v: Deconvolution(2, 1, weight=v), "weight", True),
        (lambda v: SeparableConvolution(2, 1, weight=v), "depthwise_weight", True),
        (lambda v: BatchNorm(weight=v), "weight", False),
        (lambda v: PRelu(shared=False, epsilon=v), "epsilon", False),
        (lambda v: LSTM(2, weight=v), "weight_ih_l0", True),
        (lambda v: Attention(1, weight=v), "out_proj_weight", True),
    ],
)
def test_a_number_fills_the_weights(make, parameter, sequence):
    for value in (0.5, np.float32(0.5), 1):
        layer = make(value)
        network = Input(*((3, 5) if sequence else (3,))) >> layer
        values = layer.get_parameter(parameter)
        assert torch.equal(values, torch.full_like(values, float(value)))
        assert repr(Network.parse(repr(network))) == repr(network)


def test_stacked_gates_take_one_array():
    peer = nn.LSTM(3, 4, batch_first=True)
    lstm = LSTM(4, weight=peer.weight_ih_l0, recurrent_weight=peer.weight_hh_l0.detach())
    Input(5, 3) >> lstm
    assert torch.equal(lstm.weight_ih_l0, peer.weight_ih_l0)
    assert torch.equal(lstm.weight_hh_l0, peer.weight_hh_l0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Input(4) >> Relu(3) >> Linear(2, weight=np.ones((2, 4))),
            r"^Linear\(2, weight=...\) was given an array of shape \(2, 4\) for weight, which ",
        ),
        (
            lambda: Input(2, 5) >> SqueezeExcitation(2, weight=np.ones((1, 2))),
            r"array of shape \(1, 2\) for excite_weight, which has shape \(2, 1\)",
        ),
        (
            lambda: Input(2, 5) >> SeparableConvolution(2, 3, weight=np.ones((2, 1, 3))),
            r"array of shape \(2, 1, 3\) for pointwise_weight",
        ),
        (lambda: Relu(3, weight=np.array([1j])), "Relu: weight must hold real numbers, got"),
        (lambda: Relu(3, weight=torch.ones(3) > 0), "Relu: weight must hold real numbers, got"),
        (lambda: Relu(3, weight=np.array([np.nan])), "weight must hold finite numbers, got"),
        (
            lambda: Relu(3, bias=nn.Parameter(torch.ones(3)) * 2),
            "Relu: bias is a tensor that was computed from parameters: give it detached",
        ),
    ],
)
def test_an_array_that_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_nothing_is_built_when_an_array_does_not_fit():
    first = Relu(3)
    with pytest.raises(ShapeError):
        Input(4) >> (first >> Linear(2, weight=np.ones((2, 4))))
    assert first.built_for is None


def test_a_network_with_an_array_is_saved_with_its_weights(tmp_path):
    weight = np.arange(6.0).reshape(2, 3)
    network = Input(3) >> Linear(2, weight=weight, bias=np.array([1.0, 2.0])) >> Softmax()
    assert repr(network) == "Input(3) >> Linear(2, bias=..., weight=...) >> Softmax()"
    network.scores().save(tmp_path)
    network.save(tmp_path)
    assert len((tmp_path / "network.json").read_text()) < 1500
    loaded = Network.load(tmp_path)
    assert repr(loaded) == "Input(3) >> Linear(2) >> Softmax()"
    assert torch.equal(loaded.linear1.weight, torch.tensor(weight).float())
    assert loaded.linear1.bias.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match=r"^an array of initial values is not part of "):
        Network.parse(repr(network))


def test_copies_start_at_the_same_array():
    network = Input(2) >> repeat(Linear(2, weight=torch.eye(2) * 3), 2)
    for part in (network, copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        part.reset_parameters()
        assert part(torch.ones(1, 2)).tolist() == [[9.0, 9.0]]
