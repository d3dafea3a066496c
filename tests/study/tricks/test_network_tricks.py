"""What each trick makes of a network, layer by layer."""

import re

import pytest
import torch
from tests.study.tricks.tiny_setups import CLASSIFICATION, REGRESSION, case, residual, setup_of

from neuropil import join, parallel
from neuropil.analysis import count_parameters
from neuropil.architectures import caffenet128, dense, small_convolutional
from neuropil.core import Layer
from neuropil.layers import (
    AveragePooling,
    BatchNorm,
    Convolution,
    Dropout,
    Elementwise,
    Flatten,
    FlattenedConvolution,
    GlobalPooling,
    GroupNorm,
    Input,
    LearnedColorspace,
    Linear,
    MaxPooling,
    PRelu,
    Relu,
    SeparableConvolution,
    Softmax,
    Tanh,
)
from neuropil.study.tricks.trick_table import by_name


def net(*layers):
    """Join copies of layers: those of a network have weights."""
    return join(*(layer.fresh() for layer in layers))


def after(name, network, task=CLASSIFICATION):
    """Return the network that a trick makes, or the reason why it does not."""
    changed = by_name(name).change(setup_of(network), task)
    return changed if isinstance(changed, str) else changed.recipe.network


def written(name, *layers, task=CLASSIFICATION):
    return texts(after(name, net(*layers), task))


def texts(network):
    """Return the layers without their names."""
    return [re.sub(r"(, )?name='\w+'", "", repr(layer)) for layer in network]


def kinds(network):
    """Return the names of the classes of all layers, without those of blocks."""
    modules = [module for module in network.modules() if isinstance(module, Layer)]
    return [type(module).__name__ for module in modules if not [*module.children()]]


FRONT = (Input(3, 8, 8), Convolution(8, 3, padding=1), Relu())
BACK = (Flatten(), Relu(6), Softmax(4))


# Activations


def test_elu_takes_the_place_of_every_relu():
    assert written("elu", *FRONT, *BACK)[2:] == [
        *("Elu()", "Flatten()", "Elu(6)", "Softmax(4)")
    ]
    assert set(kinds(after("elu", residual()))) & {"Relu", "Elu"} == {"Elu"}


def test_prelu_learns_a_slope_for_each_channel():
    network = after("prelu", net(*FRONT, *BACK))
    assert [layer.epsilon.shape for layer in network if isinstance(layer, PRelu)] == [
        (8,),
        (6,),
    ]


def test_options_of_the_affine_map_stay():
    network = after("tanh", Input(4) >> Relu(8, bias=False, weight=0.5) >> Softmax(4))
    assert repr(network.relu1) == "Tanh(8, bias=False, weight=0.5, name='relu1')"


def test_relu_takes_the_place_of_others():
    assert written("relu", Input(4), Tanh(8), Softmax(4))[1] == "Relu(8)"
    assert after("relu", net(*FRONT, *BACK)) == "the network has no activation but ReLU"
    assert after("elu", Input(4) >> Tanh(8) >> Softmax(4)) == "the network has no ReLU"


def test_outputs_stay():
    network = Input(4) >> Relu(3) >> Relu(1)
    assert texts(after("elu", network, REGRESSION)) == ["Input(4)", "Elu(3)", "Relu(1)"]


# BatchNorm


def test_batch_norm_before_the_activations():
    assert written("batch_norm_before", *FRONT, *BACK)[2:] == [
        *("BatchNorm()", "Relu()", "Flatten()", "Linear(6)", "BatchNorm()"),
        *("Relu()", "Softmax(4)"),
    ]


def test_batch_norm_after_the_activations():
    assert written("batch_norm_after", *FRONT, *BACK)[2:] == [
        *("Relu()", "BatchNorm()", "Flatten()", "Relu(6)", "BatchNorm()", "Softmax(4)")
    ]


def test_batch_norm_moves_to_the_other_place():
    before = net(*FRONT[:2], BatchNorm(eps=0.1, name="norm"), Relu(name="active"), *BACK)
    moved = after("batch_norm_after", before)
    assert [repr(layer) for layer in moved][2:4] == [
        *("Relu(name='norm')", "BatchNorm(eps=0.1, name='active')")
    ]
    back = after("batch_norm_before", moved)
    assert texts(back) == texts(before)
    assert (back.norm.eps, type(back.active)) == (0.1, Relu)
    already = "BatchNorm stands {} the activations already"
    assert after("batch_norm_before", before) == already.format("before")
    assert after("batch_norm_after", moved) == already.format("after")


def test_batch_norm_moves_in_blocks():
    network = after("batch_norm_after", residual())
    assert kinds(network).count("BatchNorm") == kinds(residual()).count("BatchNorm")
    first = [type(layer).__name__ for layer in network.residualblock1.children()]
    assert first[:3] == ["Convolution", "Relu", "BatchNorm"]


def test_without_batch_norm_filters_have_a_bias():
    network = after("no_batch_norm", residual())
    assert "BatchNorm" not in kinds(network)
    filters = [module for module in network.modules() if isinstance(module, Convolution)]
    assert all(layer.bias is not None for layer in filters)
    assert after("no_batch_norm", net(*FRONT, *BACK)) == "the network has no BatchNorm"


def test_another_normalisation_stays():
    network = net(*FRONT[:2], GroupNorm(4), Relu(), *BACK)
    assert after("batch_norm_before", network) == "the network has GroupNorm already"


# Pooling


def pooled(pooling):
    return *FRONT, pooling, *BACK


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("average_pooling", "AveragePooling(3, stride=2, ceil_mode=True)"),
        (
            "max_average_pooling",
            "MaxAveragePooling(3, stride=2, ceil_mode=True)",
        ),
        ("pooling_2x2", "MaxPooling(2, stride=2, ceil_mode=True)"),
        ("padded_pooling", "MaxPooling(3, stride=2, padding=1, ceil_mode=True)"),
        ("strided_convolution", "Identity()"),
    ],
)
def test_other_pooling(name, made):
    assert (
        written(name, *pooled(MaxPooling(3, stride=2, ceil_mode=True, name="stage1")))[3]
        == made
    )


def test_overlapping_windows_keep_the_number_of_positions():
    network = net(*pooled(MaxPooling(2)))
    assert after("pooling_3x3", network).relu2.weight.shape == network.relu2.weight.shape


def test_the_convolution_before_the_pooling_gets_its_stride():
    layers = written("strided_convolution", *pooled(MaxPooling(2)))
    assert layers[1] == "Convolution(8, 3, stride=(2, 2), padding=1)"
    assert "MaxPooling(2)" not in layers


def test_a_pooling_whose_input_is_used_elsewhere_stays():
    network = join(
        net(*FRONT), parallel(Flatten() >> Linear(4), MaxPooling(2) >> Flatten() >> Linear(4))
    )
    network = network >> Elementwise("add") >> Softmax()
    assert after("strided_convolution", network) == "no pooling follows a convolution"


def test_pooling_that_is_not_there():
    assert after("pooling_2x2", residual()) == "the network has no pooling in 3×3 windows"
    assert after("max_pooling", residual()) == "the network has no AveragePooling"
    assert written("max_pooling", *pooled(AveragePooling(2)))[3] == "MaxPooling(2)"


# Filters and colours


def test_a_learned_colour_space():
    network = after("learned_colorspace", net(*FRONT, *BACK))
    assert [type(layer) for layer in network][1] is LearnedColorspace
    assert network.learnedcolorspace1.first_weight.shape == (10, 3, 1, 1)
    grey = small_convolutional((1, 8, 8), 4)
    assert after("learned_colorspace", grey) == "the inputs are not pictures of 3 channels"


FILTERS = (*FRONT, Convolution(12, 3, padding="same", bias=False), Relu(), *BACK)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("flattened_filters", ["Flattened"]),
        ("separable_filters", ["Separable"]),
        ("separable_filters_activated", ["Separable"]),
        ("pointwise_first", ["", ""]),
        ("pointwise_first_activated", ["", "Relu()", ""]),
        ("pointwise_last", ["", ""]),
        ("pointwise_last_activated", ["", "Relu()", ""]),
    ],
)
def test_cheaper_filters(name, made):
    network = net(*FILTERS)
    new = after(name, network)
    assert count_parameters(new) < count_parameters(network)
    names = [type(layer).__name__ for layer in new][3 : 3 + len(made)]
    assert names == [f"{kind}Convolution" if "(" not in kind else "Relu" for kind in made]
    assert new.convolution1.weight.shape == (8, 3, 3, 3)  # pictures keep their filters
    assert new.flatten1.built_for == ((12, 8, 8),)


def test_the_steps_of_cheaper_filters():
    layers = written("pointwise_first_activated", *FILTERS)
    assert layers[3:6] == [
        *("Convolution(4, 1)", "Relu()"),
        "Convolution(12, 3, padding='same', bias=False)",
    ]
    last = written("pointwise_last", *FILTERS)
    start = "padding='same', bias=False, weight=HeNormal(1)"
    assert last[3:5] == [
        f"Convolution(6, 3, {start})",
        "Convolution(12, 1, bias=False)",
    ]
    network = after("separable_filters_activated", net(*FILTERS))
    (layer,) = (each for each in network if isinstance(each, SeparableConvolution))
    assert layer.between is not None
    network = after("flattened_filters", residual())
    assert kinds(network).count("FlattenedConvolution") == 1  # four channels are too few
    assert isinstance(
        after("flattened_filters", net(*FILTERS)).flattenedconvolution1, FlattenedConvolution
    )


def test_filters_in_blocks():
    network = after("separable_filters", small_convolutional((1, 8, 8), 4))
    assert kinds(network).count("SeparableConvolution") == 3


def test_a_point_more_after_the_first_convolution():
    assert written("pointwise_after_first", *FRONT, *BACK)[1:5] == [
        *("Convolution(8, 3, padding=1)", "Relu()", "Convolution(8, 1)", "Relu()")
    ]


# Heads


def test_dense_layers_become_convolutions():
    assert written("convolutional_head", *FRONT, *BACK)[3:] == [
        "Convolution(6, 3, padding='same')",
        *("Relu()", "Convolution(4, 1, padding='same', weight=HeNormal(1))"),
        *("GlobalPooling()", "Softmax()"),
    ]


def test_the_head_is_that_of_the_architecture():
    options = {"width": 0.0625, "input_shape": (3, 32, 32)}
    made = after("convolutional_head", caffenet128(4, **options))
    ours = caffenet128(4, **options, head="convolutional")
    assert kinds(made) == kinds(ours)
    assert count_parameters(made) == count_parameters(ours)


def test_a_single_score_stays_one():
    network = net(*FRONT, Flatten(), Linear(1))
    assert after("convolutional_head", network, REGRESSION).output_shape == (1,)


def test_other_ways_to_a_vector():
    assert written("global_average_pooling", *FRONT, *BACK)[3] == "GlobalPooling()"
    assert written("spatial_pyramid_pooling", *FRONT, *BACK)[3] == "SpatialPyramidPooling()"
    why = "the network does not flatten features that have a place"
    assert after("convolutional_head", residual()) == why
    assert after("global_average_pooling", residual()) == why
    table = dense((5,), 4, hidden=(8,))
    assert after("convolutional_head", table) == "the network has no convolution"
    small = small_convolutional((1, 8, 8), 4)
    assert "4×4 positions" in after("spatial_pyramid_pooling", small)


# Dropout


def test_all_dropout_gets_the_rate():
    network = after("dropout_20", dense((5,), 4, hidden=(8, 8), dropout=0.5))
    assert [layer.rate for layer in network if isinstance(layer, Dropout)] == [0.2, 0.2]
    assert after("dropout_20", network) == "the network has dropout of 20 % already"
    assert "Dropout" not in kinds(after("no_dropout", network))


def test_dropout_before_the_dense_layers():
    layers = written("dropout_30", *FRONT, *BACK)
    assert layers[3:] == ["Flatten()", "Dropout(0.3)", "Relu(6)", "Dropout(0.3)", "Softmax(4)"]
    table = after("dropout_50", dense((5,), 4, hidden=(8,), linear_path=True))
    assert kinds(table) == [
        "Input",
        "Relu",
        "Dropout",
        "Linear",
        "Linear",
        "Elementwise",
        "Softmax",
    ]
    assert after("no_dropout", net(*FRONT, *BACK)) == "the network has no dropout"
    linear = dense((5,), 4, hidden=())
    assert after("dropout_20", linear) == "the network has no dense layers, but of the inputs"


# Width


@pytest.mark.parametrize(("name", "factor"), [("double_width", 2), ("half_width", 0.5)])
def test_width(name, factor):
    layers = written(name, *FRONT, Convolution(4, 3, groups=4), Relu(), *BACK)
    wide, grouped, units = (int(factor * number) for number in (8, 4, 6))
    grouped = max(4, grouped)
    assert layers[1] == f"Convolution({wide}, 3, padding=1)"
    assert layers[3] == f"Convolution({grouped}, 3, groups=4)"
    assert layers[-2:] == [f"Relu({units})", "Softmax(4)"]


def test_the_width_of_outputs_stays():
    table = after("double_width", dense((5,), 4, hidden=(8,), linear_path=True))
    assert texts(table)[1:4] == ["Relu(16)", "Linear(4, weight=Constant())", "Linear(4)"]
    pixels = after("half_width", case("masks").setup.recipe.network, case("masks").task)
    assert pixels.output_shape == case("masks").setup.recipe.network.output_shape
    linear = dense((5,), 4, hidden=())
    assert "no hidden layer" in after("half_width", linear)


def test_the_last_layer_with_units_ends_the_search():
    network = net(Input(4), Relu(8), PRelu(4), BatchNorm())
    assert texts(after("half_width", network))[1:3] == ["Relu(4)", "PRelu(4)"]


def test_width_in_blocks():
    network = after("double_width", residual())
    assert network.upto("stage1").output_shape == (16, 4, 4)
    # The shortcut of the first block is still the identity.
    assert len([*network.residualblock1.children()]) == len(
        [*residual().residualblock1.children()]
    )


def test_weights_of_a_trick_are_those_of_the_baseline():
    """ELU in the place of ReLU for positive sums changes nothing."""
    network = Input(4) >> Relu(8) >> Softmax(4)
    elu = after("elu", network)
    elu.load_state_dict(network.state_dict())
    x = torch.randn(5, 4)
    hidden = x @ network.relu1.weight.T + network.relu1.bias
    assert torch.allclose(elu.relu1(x), torch.nn.functional.elu(hidden), atol=1e-6)


def test_global_pooling_is_no_place():
    network = net(*FRONT, GlobalPooling(), Softmax(4))
    assert "does not flatten" in after("global_average_pooling", network)
