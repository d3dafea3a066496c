"""Output shapes before an Input, beside those after one."""

import pytest

from neuropil import Network, parallel
from neuropil.core.composition import as_network
from neuropil.layers import (
    LSTM,
    BatchNorm,
    Concatenate,
    Convolution,
    Embedding,
    Flatten,
    GlobalPooling,
    Input,
    LayerNorm,
    Linear,
    MaxPooling,
    Relu,
    Softmax,
)


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        ("Convolution(8, 3) >> GlobalPooling('avg')", (8,)),
        ("Convolution(8, 3, groups=4, stride=2) >> Relu() >> GlobalPooling('both')", (16,)),
        ("Flatten() >> Relu(64) >> Softmax(10)", (10,)),
        ("LSTM(5)", (5,)),
        ("Embedding(9, 4)", (None, 4)),
        ("Embedding(9, 4) >> LSTM(3, only_last=False)", (None, 3)),
        ("Transpose(2, 0, 1) >> Convolution(4, 1)", (4, None, None)),
        ("parallel(Relu(3), Linear(4)) >> Concatenate()", (7,)),
        ("ResidualBlock(6) >> GlobalPooling('avg')", (6,)),
        ("Relu(10)", (10,)),  # of a vector; a sequence has (T, 10)
        ("Relu(4) >> BatchNorm() >> Softmax(2)", (2,)),
    ],
)
def test_it_is_what_any_input_gives(network, shape):
    layer = Network.parse(network)
    assert layer.output_shape == shape
    assert not layer.built


@pytest.mark.parametrize(
    "layer", [Relu(), BatchNorm(), Convolution(8, 3), MaxPooling(2), Flatten(), LayerNorm()]
)
def test_it_is_not_told_where_it_depends_on_the_input(layer):
    shape = as_network(layer).output_shape
    assert shape is None or set(shape) == {None}


@pytest.mark.parametrize("shape", [(3, 20), (1, 32, 32), (3, None, 40), (2, 12, 12, 12)])
def test_it_agrees_with_the_shape_after_an_input(shape):
    body = Convolution(6, 3) >> MaxPooling(2) >> GlobalPooling("avg") >> Linear(3)
    assert body.output_shape == (3,) == (Input(*shape) >> body).output_shape


def test_each_output_is_told_by_itself():
    heads = parallel(Relu(3), LayerNorm(), Softmax(2))
    assert heads.output_shapes == ((3,), None, (2,))
    with_input = parallel(Input(4) >> Relu(2), Relu(3)) >> Concatenate()
    assert with_input.output_shape is None
    assert (Embedding(9, 4) >> LSTM(3)).output_shapes == ((3,),)
