"""Group convolution against its definition, and its theorem: f(g·x) = g·f(x)."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pytest
import torch

from neuropil.analysis import receptive_field
from neuropil.core import Network, ShapeError
from neuropil.init import HeNormal, XavierNormal
from neuropil.layers import (
    BatchNorm,
    BlurPooling,
    Convolution,
    Elementwise,
    GlobalPooling,
    GroupConvolution,
    GroupPooling,
    Identity,
    Input,
    Linear,
    MaxPooling,
    Relu,
    parallel,
)

ORDERS = {"p4": 4, "p4m": 8}
EXACT = 1e-10
cases = pytest.mark.parametrize(
    ("group", "element"), [(group, g) for group, n in ORDERS.items() for g in range(n)]
)
both_groups = pytest.mark.parametrize("group", ORDERS)


# The group, once more and by other means: matrices over coordinates, and torch's own turns


def matrix(element):
    """Return what an element does to (row, column): mirror the columns, then turn."""
    quarter = np.array([[0, -1], [1, 0]])  # anticlockwise on a picture: column 1 goes up
    mirror = np.diag([1, -1])
    turns = np.linalg.matrix_power(quarter, element % 4)
    return turns @ (mirror if element >= 4 else np.eye(2, dtype=int))


def element_of(m, order):
    return next(g for g in range(order) if (matrix(g) == m).all())


def quotient(g, h, order):
    """Return g⁻¹h."""
    return element_of(np.round(np.linalg.inv(matrix(g)) @ matrix(h)).astype(int), order)


def turned(x, element):
    """Return pictures, or planes of features, under an element."""
    return (x.flip(-1) if element >= 4 else x).rot90(element % 4, (-2, -1))


def acted(y, element, order):
    """Return lifted features under an element: (u·y)(g) = u·(y(u⁻¹g))."""
    from_where = [quotient(element, g, order) for g in range(order)]
    return turned(y[:, :, from_where], element)


def by_definition(layer, x):
    """Return b[k] + Σ_c Σ_h Σ_t w[k, c, g⁻¹h, g⁻¹t] x[c, h, o + t], tap by tap."""
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    order, size = layer.order, weight.shape[-1]
    if x.ndim == 3:
        x, weight = x[:, None], weight[:, :, None]
    depth = x.shape[1]
    height, width = (n - size + 1 for n in x.shape[2:])
    y = np.zeros((len(weight), order, height, width)) + bias[:, None, None, None]
    middle = (size - 1) / 2
    for g, h in itertools.product(range(order), range(depth)):
        source = quotient(g, h, order) if depth > 1 else 0
        for i, j in itertools.product(range(size), repeat=2):
            place = np.linalg.inv(matrix(g)) @ np.array([i - middle, j - middle])
            a, b = np.round(place + middle).astype(int)
            part = x[:, h, i : i + height, j : j + width]
            y[:, g] += np.einsum("kc,chw->khw", weight[:, :, source, a, b], part)
    return y


def random(network, seed=0):
    """Return the network in double precision, all weights and statistics drawn."""
    generator = torch.Generator().manual_seed(seed)
    network.double()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                value.normal_(generator=generator).mul_(0.3)
            if name.endswith("running_var"):
                value.abs_().add_(0.5)
    return network


@pytest.fixture(scope="module")
def pictures(data):
    """Return eight real photographs, 32×32, as (8, 3, 32, 32)."""
    with np.load(data / "cifar10_subset" / "cifar10_subset.npz") as arrays:
        taken = arrays["x_test"][:8]
    return torch.tensor(taken).permute(0, 3, 1, 2).double() / 255


def stack(group, size=32):
    """Return several layers of all kinds that keep the symmetry, features at the end."""
    planes = (1, 2, 2)
    return (
        Input(3, size, size)
        >> GroupConvolution(4, 3, group=group, padding=1)
        >> BatchNorm()
        >> Relu()
        >> MaxPooling(planes)
        >> parallel(
            GroupConvolution(4, 3, group=group, padding="same", bias=False)
            >> BatchNorm()
            >> Relu()
            >> GroupConvolution(4, 5, group=group, padding=2),
            Identity(),
        )
        >> Elementwise("add")
        >> GroupConvolution(5, 2, group=group, dilation=2)
        >> BlurPooling((1, 2, 2), stride=planes, padding="valid")
        >> GroupConvolution(6, 3, group=group, stride=2)
    )


# Its definition


@both_groups
@pytest.mark.parametrize("lifted", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_it_follows_the_definition(group, lifted, size):
    shape = (2, *([ORDERS[group]] if lifted else []), 5, 4)
    layer = GroupConvolution(3, size, group=group)
    network = random(Input(*shape) >> layer)
    x = np.random.default_rng(0).normal(size=shape)
    expected = torch.tensor(by_definition(layer, x))
    assert network.output_shape == tuple(expected.shape)
    torch.testing.assert_close(network(torch.tensor(x)[None])[0], expected)


def test_a_filter_of_one_tap_turned_by_hand():
    layer = GroupConvolution(1, 3, group="p4m", bias=False)
    network = Input(1, 3, 3) >> layer
    with torch.no_grad():
        layer.weight.zero_()[0, 0, 0, 1] = 1  # top row, in the middle
    x = torch.arange(9.0).view(1, 1, 3, 3)
    # Turned anticlockwise: up, left, down, right; the mirror leaves the middle column.
    assert network(x).flatten().tolist() == [1, 3, 7, 5] * 2
    with torch.no_grad():
        layer.weight.zero_()[0, 0, 0, 0] = 1
    # The corners 0, 6, 8, 2; mirrored first: 2, 0, 6, 8.
    assert network(x).flatten().tolist() == [0, 6, 8, 2, 2, 0, 6, 8]


# Its theorem


@cases
@pytest.mark.parametrize("train", [False, True])
def test_turning_the_picture_turns_the_features(pictures, group, element, train):
    network = random(stack(group)).train(train)
    features = network(pictures)
    assert features.std() > 0.01
    got = network(turned(pictures, element))
    expected = acted(features, element, ORDERS[group])
    assert (got - expected).abs().max() <= EXACT


@cases
def test_pooled_over_the_group_it_turns_and_over_all_it_stays(pictures, group, element):
    network = random(stack(group)).eval()
    for mode in ("max", "avg"):
        planes = (network >> GroupPooling(mode)).eval()
        got, expected = planes(turned(pictures, element)), turned(planes(pictures), element)
        assert (got - expected).abs().max() <= EXACT
    for end in (GroupPooling("max") >> GlobalPooling("avg"), GlobalPooling("max") >> Linear(3)):
        answer = (network >> end).double().eval()
        assert (answer(turned(pictures, element)) - answer(pictures)).abs().max() <= EXACT


@both_groups
@pytest.mark.parametrize("shift", [(1, 0), (0, 3), (5, 2)], ids=str)
def test_moving_the_picture_moves_the_features(pictures, group, shift):
    """Without padding and strides: what both pictures hold gives the same."""
    network = random(
        Input(3, None, None)
        >> GroupConvolution(4, 3, group=group)
        >> BatchNorm()
        >> Relu()
        >> GroupConvolution(4, 3, group=group)
        >> GroupPooling()
    ).eval()
    down, right = shift
    whole, part = network(pictures), network(pictures[:, :, down:, right:])
    assert (whole[:, :, down:, right:] - part).abs().max() <= EXACT


def test_strides_that_leave_a_remainder_break_it_as_said(pictures):
    def error(size):
        network = random(Input(3, 32, 32) >> GroupConvolution(4, size, stride=2))
        got, features = network(turned(pictures, 1)), network(pictures)
        return (got - acted(features, 1, 4)).abs().max()

    assert error(2) <= EXACT < 0.01 < error(3)


def test_a_plain_convolution_would_not_do(pictures):
    network = random(Input(3, 32, 32) >> Convolution(4, 3))
    assert (network(turned(pictures, 1)) - turned(network(pictures), 1)).abs().max() > 0.01


# Folded


@both_groups
@pytest.mark.parametrize("lifted", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_it_is_one_plain_convolution(group, lifted, bias):
    order = ORDERS[group]
    shape = (2, *([order] if lifted else []), 9, 9)
    options = {"stride": 2, "padding": 1, "dilation": 2, "bias": bias}
    layer = GroupConvolution(3, 3, group=group, **options)
    network = random(Input(*shape) >> layer).eval()
    plain = layer.to_convolution()
    assert isinstance(plain, Convolution)
    assert repr(plain).startswith(f"Convolution({3 * order}, 3, stride=(2, 2)")
    x = torch.randn(2, *shape, dtype=torch.float64)
    flat = x.flatten(1, 2) if lifted else x
    expected = network(x)
    assert torch.equal(plain(flat).unflatten(1, (3, order)), expected)
    inside = Input(*flat.shape[1:], name="flat") >> plain.float()
    assert inside.output_shape == (3 * order, 4, 4)
    layer.fold()
    assert torch.equal(network(x), expected)
    assert layer.multiply_adds(shape) == plain.multiply_adds(tuple(flat.shape[1:]))


def test_folding_lasts_until_the_weights_may_change():
    layer = GroupConvolution(3, 3)
    with pytest.raises(ValueError, match=r"GroupConvolution\(3, 3\) can only be folded"):
        layer.eval().fold()
    network = Input(2, 6, 6) >> GroupConvolution(3, 3) >> layer
    x = torch.randn(2, 2, 6, 6)
    with pytest.raises(ValueError, match=r"call \.eval\(\) first"):
        layer.train().fold()
    before = network.eval()(x)

    def fold():
        for module in network.eval().modules():
            if isinstance(module, GroupConvolution):
                module.fold()

    fold()
    assert torch.equal(network(x), before)
    assert not any("folded" in key for key in network.state_dict())
    for changed in (
        lambda: network.load_state_dict({k: 2 * v for k, v in network.state_dict().items()}),
        lambda: network.reset_parameters(torch.Generator().manual_seed(5)),
        network.train,
    ):
        fold()
        before = network(x)
        changed()
        with torch.no_grad():
            layer.bias.add_(1)
        assert not torch.allclose(network.eval()(x), before)
        peer = layer.to_convolution()
        lifted = network.layers["groupconvolution1"](x)
        assert torch.equal(peer(lifted.flatten(1, 2)).unflatten(1, (3, 4)), network(x))
    fold()
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(twin(x), network(x))
    assert network.double()(x.double()).dtype == torch.float64


# As a part of networks


def test_gradients_reach_every_weight_once_for_each_orientation():
    layer = GroupConvolution(1, 3, group="p4m", bias=False)
    network = random(Input(1, 3, 3) >> layer)
    x = torch.randn(1, 1, 3, 3, dtype=torch.float64)
    (got,) = torch.autograd.grad(network(x).sum(), layer.weight)
    expected = sum(turned(x, element) for element in range(8))
    torch.testing.assert_close(got, expected)


def test_a_loaded_network_has_its_index_again(tmp_path):
    network = Input(3, 8, 8) >> GroupConvolution(4, 3) >> Relu() >> GroupConvolution(4, 3)
    network = network >> GroupPooling() >> BlurPooling() >> GlobalPooling()
    network.eval().save(tmp_path)
    loaded = Network.load(tmp_path).eval()
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(loaded(x), network(x))
    assert not any("places" in key or "filter" in key for key in network.state_dict())


def test_weights_start_by_what_one_output_sums():
    layer = GroupConvolution(64, 3, weight=HeNormal(gain=2, seed=0))
    Input(32, 4, 8, 8) >> layer
    assert layer.weight.var().item() == pytest.approx(2 / (32 * 4 * 9), rel=0.05)
    layer = GroupConvolution(64, 3, weight=XavierNormal(seed=0))
    Input(32, 8, 8) >> layer
    assert layer.weight.var().item() == pytest.approx(2 / (32 * 9 + 64 * 4 * 9), rel=0.05)


def test_parameters_cost_and_reach():
    layer = GroupConvolution(8, 3, group="p4m")
    assert layer.parameter_shapes((3, 9, 9)) == {"weight": (8, 3, 3, 3), "bias": (8,)}
    shapes = layer.parameter_shapes((5, 8, 9, 9))
    assert shapes == {"weight": (8, 5, 8, 3, 3), "bias": (8,)}
    assert layer.multiply_adds((3, 9, 9)) == 64 * 3 * 9 * 49
    assert layer.multiply_adds((5, 8, 9, 9)) == 64 * 40 * 9 * 49
    with pytest.raises(ShapeError, match="known lengths"):
        layer.multiply_adds((3, None, 9))
    field = receptive_field(Input(5, 8, 9, 9) >> GroupConvolution(8, 3, group="p4m"))
    assert field.size == (8, 3, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "p6"}, "GroupConvolution: group must be 'p4' or 'p4m', got 'p6'"),
        ({"kernel_size": (3, 3)}, r"GroupConvolution: kernel_size must be .* got \(3, 3\)"),
        ({"stride": (1, 2)}, r"GroupConvolution: stride must be .* got \(1, 2\)"),
        ({"padding": (1, 1)}, r"padding must be the same on all sides, but \(1, 1\) is not"),
        ({"kernel_size": 2, "padding": "same"}, "on all sides, but 'same' is not .*size=2"),
        ({"stride": 2, "padding": "same"}, "on all sides, but 'same' is not .*stride=2"),
        ({"filters": 0}, "GroupConvolution: filters must be .* got 0"),
        ({"padding": "some"}, "GroupConvolution: padding must be one of"),
    ],
    ids=str,
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        GroupConvolution(**{"filters": 4, "kernel_size": 3, **options})


@pytest.mark.parametrize(
    ("shape", "layer", "message"),
    [
        (
            (3, 8, 9, 9),
            GroupConvolution(8, 3),
            r"by p4, \(C, 4, H, W\), got \(3, 8, 9, 9",
        ),
        ((3, 9), GroupConvolution(8, 3), r"needs an image \(C, H, W\), or one lifted by p4"),
        ((3, 2, 9), GroupConvolution(8, 3), "needs a height of at least 3"),
        ((None, 9, 9), GroupConvolution(8, 3), "known number of channels"),
        ((3, 9, 9), GroupPooling(), r"needs a group axis .*put it after GroupConvolution"),
    ],
    ids=str,
)
def test_inputs_that_do_not_fit_are_refused(shape, layer, message):
    with pytest.raises(ShapeError, match=message):
        Input(*shape) >> layer


def test_group_pooling_takes_known_modes():
    with pytest.raises(ValueError, match="GroupPooling: mode must be 'max' or 'avg'"):
        GroupPooling("min")
    x = torch.randn(2, 3, 4, 5, 6)
    assert torch.equal(GroupPooling()(x), x.max(2).values)
    torch.testing.assert_close(GroupPooling("avg")(x), x.sum(2) / 4)


@pytest.mark.parametrize("fold", [False, True])
def test_it_is_compiled_and_exported(fold):
    network = stack("p4", 16) >> GroupPooling() >> GlobalPooling() >> Linear(3)
    network.eval()
    for module in network.modules():
        if fold and isinstance(module, GroupConvolution):
            module.fold()
    x = torch.randn(2, 3, 16, 16)
    expected = network(x)
    compiled = torch.compile(network, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), expected)
    exported = torch.export.export(network, (x,)).module()
    torch.testing.assert_close(exported(x), expected)
