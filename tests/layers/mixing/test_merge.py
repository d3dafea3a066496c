"""Layers with several inputs, held against NumPy."""

import numpy as np
import pytest
import torch

from neuropil.core import ShapeError, parallel
from neuropil.layers import (
    Concatenate,
    Convolution,
    Elementwise,
    GatedAverage,
    GlobalPooling,
    Identity,
    Input,
    Relu,
    Reshape,
    Softmax,
)


def inputs(*shapes):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(4, *shape, generator=generator) for shape in shapes]


@pytest.mark.parametrize(
    ("operation", "numpys"),
    [
        ("add", lambda *x: np.sum(x, 0)),
        ("multiply", lambda *x: np.prod(x, 0)),
        ("maximum", lambda *x: np.max(x, 0)),
        ("mean", lambda *x: np.mean(x, 0)),
        (lambda *x: torch.stack(x).amin(0), lambda *x: np.min(x, 0)),
    ],
)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_elementwise_is_numpys(operation, numpys, number):
    tensors = inputs(*[(3, 2)] * number)
    network = parallel(*(Input(3, 2) for _ in tensors)) >> Elementwise(operation)
    expected = numpys(*(x.numpy() for x in tensors))
    np.testing.assert_allclose(network(*tensors), expected, rtol=1e-6)


def test_subtract_takes_the_second_from_the_first():
    one, two = inputs((3,), (3,))
    network = (Input(3) | Input(3)) >> Elementwise("subtract")
    assert torch.equal(network(one, two), one - two)
    for number in (1, 3):
        with pytest.raises(ShapeError, match="Elementwise"):
            parallel(*(Input(3) for _ in range(number))) >> Elementwise("subtract")
    with pytest.raises(ShapeError, match=r"two inputs, got \(3\) and \(3\) and \(3\)"):
        Elementwise("subtract").output_shape((3,), (3,), (3,))


def test_a_residual_block_adds():
    shortcut = Input(3, 6, 6) >> (Identity() | Convolution(3, 3, padding="same"))
    network = shortcut >> Elementwise("add")
    (x,) = inputs((3, 6, 6))
    torch.testing.assert_close(network(x), x + network.layers["convolution1"](x))


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ([(8, 5, 4), (8, 1, 1)], (8, 5, 4)),
        ([(1, 5), (8, 1)], (8, 5)),
        ([(3, None), (3, None)], (3, None)),
        ([(3, None), (3, 1)], (3, None)),
        ([(3, None), (3, 7)], (3, 7)),
        ([(1,), (1,)], (1,)),
    ],
    ids=str,
)
def test_only_lengths_of_one_are_stretched(shapes, expected):
    assert Elementwise("multiply").output_shape(*shapes) == expected
    concrete = [tuple(n or 7 for n in shape) for shape in shapes]
    output = Elementwise("multiply")(*inputs(*concrete))
    assert output.shape[1:] == np.broadcast_shapes(*concrete)


def test_scaling_channels():
    network = (
        Input(3, 4, 4)
        >> (Identity() | GlobalPooling() >> Softmax() >> Reshape(3, 1, 1))
        >> Elementwise("multiply")
    )
    (x,) = inputs((3, 4, 4))
    gate = torch.softmax(x.mean((2, 3)), -1)
    torch.testing.assert_close(network(x), x * gate[:, :, None, None])


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_concatenate_is_numpys(axis):
    shapes = [(2, 3), (2, 3), (2, 3)]
    shapes[1] = (5, 3) if axis in (0, -2) else (2, 5)
    tensors = inputs(*shapes)
    network = parallel(*(Input(*shape) for shape in shapes)) >> Concatenate(axis)
    expected = np.concatenate([x.numpy() for x in tensors], axis + 1 if axis >= 0 else axis)
    np.testing.assert_array_equal(network(*tensors), expected)
    assert network.output_shape == expected.shape[1:]


@pytest.mark.parametrize("gate", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4)], ids=str)
def test_gated_average_follows_the_formula(gate, shape):
    shapes = [shape, shape]
    shapes.insert(gate % 3, (2,))
    tensors = inputs(*shapes)
    experts = list(tensors)
    g = experts.pop(gate)
    weights = [g[:, i].reshape(4, *[1] * len(shape)) for i in range(2)]
    expected = weights[0] * experts[0] + weights[1] * experts[1]
    torch.testing.assert_close(GatedAverage(gate)(*tensors), expected)


def test_a_mixture_of_experts():
    experts = parallel(Softmax(2), Relu(4), Relu(4))
    network = Input(6) >> experts >> GatedAverage()
    (x,) = inputs((6,))
    first, *rest = (network.upto(name)(x) for name in ("softmax1", "relu1", "relu2"))
    torch.testing.assert_close(network(x), first[:, :1] * rest[0] + first[:, 1:] * rest[1])
    network(x).sum().backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize(
    ("layer", "shapes", "message"),
    [
        (Elementwise(), [(3,), (4,)], r"inputs that agree, got \(3\) and \(4\): make their"),
        (Elementwise(), [(3,), (3, 1)], r"same number of axes, got \(3\) and \(3, 1\): put"),
        (Concatenate(), [(3, 4), (3, 5)], r"got \(3, 4\) and \(3, 5\): only axis 0 may differ"),
        (Concatenate(-1), [(3, 4), (2, 4)], "only axis 1 may differ"),
        (Concatenate(2), [(3, 4), (3, 4)], r"an axis 2, .* choose axis from -2 to 1"),
        (Concatenate(), [(3,), (3, 1)], "same number of axes"),
        (GatedAverage(), [(4,), (3,), (3,)], r"shape \(2\) as input 0, .* with Softmax\(2\)"),
        (GatedAverage(), [(2, 1), (3,), (3,)], r"a gate of shape \(2\)"),
        (GatedAverage(1), [(2,), (3,), (3,)], r"a gate of shape \(2\) as input 1"),
        (GatedAverage(), [(2,), (3,), (4,)], "make the experts' shapes equal"),
        (GatedAverage(3), [(2,), (3,), (3,)], r"an input 3 as the gate.*from -3 to 2"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_with_the_mend(layer, shapes, message):
    with pytest.raises(ShapeError, match=message):
        parallel(*(Input(*shape) for shape in shapes)) >> layer.fresh()


def test_options_out_of_range_are_refused():
    for make, message in [
        (lambda: Elementwise("sum"), "one of 'add', .*'mean' or a function, got 'sum'"),
        (lambda: Elementwise(3), "Elementwise: operation must be a name or a function, got 3"),
        (lambda: Concatenate(0.5), "Concatenate: axis must be a whole number"),
        (lambda: GatedAverage(None), "GatedAverage: gate must be a whole number"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()


def test_a_function_runs_and_is_not_saved(tmp_path):
    network = (Input(3) | Input(3)) >> Elementwise(torch.hypot)
    one, two = inputs((3,), (3,))
    torch.testing.assert_close(network(one, two), torch.hypot(one, two))
    with pytest.raises(ValueError, match="operation is a function, which cannot be saved"):
        network.save(tmp_path)
