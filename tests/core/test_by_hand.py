"""Layers called by hand, without a join: what fits runs, what does not is said in a line."""

import copy
import pickle
import re

import pytest
import torch
from torch import nn

from neuropil.core import Layer, ShapeError
from neuropil.layers import (
    GRU,
    LSTM,
    Attention,
    BatchNorm,
    BlurPooling,
    Concatenate,
    Convolution,
    DepthwiseConvolution,
    DropBlock,
    Elementwise,
    Embedding,
    FlattenedConvolution,
    GatedAverage,
    GlobalPooling,
    GroupConvolution,
    GroupPooling,
    Input,
    InstanceNorm,
    LayerNorm,
    LearnedColorspace,
    Linear,
    MaxPooling,
    MixtureOfExperts,
    Module,
    PRelu,
    Relu,
    Reshape,
    ResidualBlock,
    SeparableConvolution,
    Softmax,
    SpatialPyramidPooling,
    SqueezeExcitation,
    Swish,
    Transpose,
    Upscale,
)

# Layers with parameters or statistics, and the shape of a batch that they take.
UNJOINED: list[tuple[Layer, tuple[int, ...]]] = [
    (Linear(3), (2, 4)),
    (Softmax(3), (2, 4)),
    (PRelu(), (2, 4)),
    (Swish(learn_beta=True), (2, 4)),
    (Convolution(4, 3), (2, 4, 8)),
    (DepthwiseConvolution(3), (2, 4, 8)),
    (SeparableConvolution(4, 3), (2, 4, 8)),
    (FlattenedConvolution(4, 3), (2, 4, 8)),
    (GroupConvolution(4, 3), (2, 4, 8, 8)),
    (LearnedColorspace(), (2, 3, 8, 8)),
    (SqueezeExcitation(), (2, 4, 8)),
    (BatchNorm(), (2, 4)),
    (BatchNorm(affine=False), (2, 4)),
    (LayerNorm(), (2, 4)),
    (GRU(3), (2, 5, 4)),
    (LSTM(3, peepholes=True), (2, 5, 4)),
    (Attention(2), (2, 5, 4)),
    (Embedding(9, 4), (2, 5)),
    (MixtureOfExperts(Linear(3), 2), (2, 4)),
    (ResidualBlock(4), (2, 4, 8, 8)),
]


@pytest.mark.parametrize(("layer", "shape"), UNJOINED, ids=repr)
def test_a_layer_that_was_never_joined_says_so(layer, shape):
    whole = layer.dtype_taken == "int"
    x = torch.zeros(shape, dtype=torch.int64 if whole else torch.float32)
    for one in (layer, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), layer.fresh()):
        with pytest.raises(
            ShapeError, match=r"no parameters yet.*join it to an Input first"
        ) as e:
            one(x)
        assert type(layer).__name__ in str(e.value)
        assert "\n" not in str(e.value)
    joined = layer.fresh()
    Input(*shape[1:], dtype="int64" if whole else "float") >> joined
    assert joined.eval()(x).shape[0] == 2


def test_a_layer_of_a_users_own_says_so_too():
    class Weigh(Layer):
        def parameter_shapes(self, shape):
            return {"weight": shape}

        def forward(self, x):
            return x * self.weight

    with pytest.raises(ShapeError, match=re.escape("as in Input(2) >> Weigh().")):
        Weigh()(torch.ones(1, 2))
    layer = Weigh()
    Input(2) >> layer
    assert layer(torch.ones(1, 2)).shape == (1, 2)


# Layers without parameters, and batches that are not theirs.
UNFIT: list[tuple[Layer, tuple[tuple[int, ...], ...], str]] = [
    (GlobalPooling(), ((2, 5),), "axes after the channels"),
    (GlobalPooling(), ((5,),), "axes after the channels"),
    (MaxPooling(2), ((2, 5),), "a signal"),
    (MaxPooling(2), ((2, 3, 4, 4, 4, 4),), "a signal"),
    (BlurPooling(), ((2, 5),), "a signal"),
    (SpatialPyramidPooling(), ((2, 5),), "a signal"),
    (Upscale(2), ((2, 5),), "a signal"),
    (DropBlock(0.5), ((2, 5),), "a signal"),
    (GroupPooling(), ((2, 6, 6),), "a group axis"),
    (InstanceNorm(), ((2, 5),), "more than one value"),
    (Transpose(1, 0), ((2, 5),), "an input of 2 axes"),
    (Reshape(2, 2), ((2, 5),), "4 elements"),
    (Concatenate(1), ((2, 5), (2, 5)), "an axis 1"),
    (Softmax(axis=2), ((2, 5),), "an axis 2"),
    (GatedAverage(), ((2, 5), (2, 5)), "a gate of shape"),
    (GatedAverage(), ((2, 5),), "takes at least 2 inputs, got 1"),
    (Elementwise(), (), "takes at least 1 input, got 0"),
    (Elementwise("subtract"), ((2, 5),), "takes 2 inputs, got 1"),
    (Relu(), ((2, 5), (2, 5)), "takes 1 input, got 2"),
]


@pytest.mark.parametrize(("layer", "shapes", "message"), UNFIT, ids=repr)
def test_a_batch_that_does_not_fit_is_refused(layer, shapes, message):
    with pytest.raises(ShapeError, match=message) as caught:
        layer(*map(torch.ones, shapes))
    assert type(layer).__name__ in str(caught.value)


def test_what_fits_runs_and_nothing_is_left_of_the_check():
    x = torch.ones(2, 3, 8)
    assert MaxPooling(2)(x).shape == (2, 3, 4)
    assert Relu()(torch.ones(3)).shape == (3,)
    assert Module(nn.Linear(8, 4))(x).shape == (2, 3, 4)
    layer = MaxPooling(2)
    Input(3, 8) >> layer
    assert "forward" not in vars(layer)  # a joined layer pays nothing


def test_hooks_and_replaced_forwards_work_by_hand():
    seen = []
    layer = Relu()
    layer.register_forward_hook(lambda *given: seen.append(given[2]))
    layer(torch.ones(1, 2))
    assert len(seen) == 1
