"""Rewriting: all else as it was, in any graph, in blocks and in shared layers."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil import Network, ShapeError, join, parallel, shared
from neuropil.analysis import summary
from neuropil.architectures import dense, small_convolutional
from neuropil.core import Layer
from neuropil.layers import (
    GRU,
    AveragePooling,
    BatchNorm,
    Concatenate,
    Convolution,
    DenseBlock,
    Dropout,
    Elementwise,
    Elu,
    Embedding,
    Flatten,
    GlobalPooling,
    Identity,
    InceptionModule,
    Input,
    Linear,
    MaxPooling,
    PRelu,
    Relu,
    ResidualBlock,
    Softmax,
    UNetStage,
)
from neuropil.study.setups.rewriting import rewrite


def keep(name, layer, shapes):
    return None


def to_elu(name, layer, shapes):
    return Elu(layer.units) if type(layer) is Relu else None


def normalized(name, layer, shapes):
    return layer >> BatchNorm() if type(layer) is Relu else None


def halved(name, layer, shapes):
    return Convolution(layer.filters // 2, 3, padding="same") if name == "wide" else None


def small_residual():
    return join(
        Input(2, 8, 8),
        Convolution(8, 3, padding=1, bias=False),
        BatchNorm(),
        Relu(),
        ResidualBlock(8),
        ResidualBlock(12, stride=2, name="stage1"),
        GlobalPooling(),
        Softmax(3),
    )


def siamese():
    tower = Relu(6) >> Linear(5)
    left, right = Input(4, name="left"), Input(4, name="right")
    pair = parallel(left >> tower, right >> shared(tower)) >> Elementwise("subtract")
    return pair >> Softmax(2)


def same(one, other, *inputs):
    """Tell whether two networks give the same outputs with the same weights."""
    other.load_state_dict(one.state_dict())
    return torch.equal(one.eval()(*inputs), other.eval()(*inputs))


# All else as it was

NETWORKS = {
    "small": lambda: small_convolutional((1, 8, 8), 4),
    "linear path": lambda: dense((5,), 3, hidden=(8,), linear_path=True),
    "residual": small_residual,
    "dense block": lambda: Input(2, 6, 6) >> DenseBlock(2, 3) >> GlobalPooling() >> Softmax(2),
    "inception": lambda: Input(2, 6, 6) >> InceptionModule(((4, 1),), ((2, 1), (4, 3))),
    "u-net": lambda: Input(1, 8, 8) >> UNetStage(4, UNetStage(8)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_without_changes_it_is_a_copy(name):
    network = NETWORKS[name]()
    copied = rewrite(network, keep)
    assert repr(copied) == repr(network)
    assert list(copied.layers) == list(network.layers)
    assert list(copied.state_dict()) == list(network.state_dict())
    assert same(network, copied, torch.randn(3, *network.input_shape))
    assert not {*map(id, copied.parameters())} & {*map(id, network.parameters())}


@pytest.mark.parametrize("change", [to_elu, normalized])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_original_stays_as_it_is(name, change):
    network = NETWORKS[name]()
    before, text = copy.deepcopy(network.state_dict()), repr(network)
    rewrite(network, change)
    assert repr(network) == text
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize("name", NETWORKS)
def test_kept_layers_keep_their_names_and_shapes(name):
    network = NETWORKS[name]()
    for change in (to_elu, normalized):
        new = rewrite(network, change).state_dict()
        assert {k: v.shape for k, v in network.state_dict().items()}.items() <= {
            k: v.shape for k, v in new.items()
        }.items()


@st.composite
def random_networks(draw):
    """Return a network for pictures with chains, branches, blocks and names."""
    pick = draw(st.lists(st.integers(0, 7), min_size=1, max_size=5))
    parts = [
        lambda k: Convolution(4, 3, padding="same", name=f"own{k}"),
        lambda k: BatchNorm() >> Relu(),
        lambda k: MaxPooling(2, ceil_mode=True, name=f"stage{k}"),
        lambda k: (
            parallel(Convolution(3, 1), AveragePooling(3, stride=1, padding=1)) >> Concatenate()
        ),
        lambda k: (Identity() | Convolution(4, 3, padding=1)) >> Concatenate() >> Relu(),
        lambda k: ResidualBlock(4, normalization=draw(st.sampled_from(["batch", None]))),
        lambda k: Dropout(0.5),
        lambda k: DenseBlock(1, 2),
    ]
    layers = [parts[kind](place) for place, kind in enumerate(pick)]
    return join(Input(2, 6, 6), *layers, Flatten(), Softmax(3))


@settings(max_examples=25)
@given(random_networks())
def test_a_copy_of_any_network_gives_the_same_outputs(network):
    assert same(network, rewrite(network, keep), torch.randn(2, 2, 6, 6))
    twice = rewrite(rewrite(network, normalized), keep)
    assert list(twice.layers) == list(rewrite(network, normalized).layers)


# What takes a place


def test_a_dense_layer_passes_on_its_name_with_its_weights():
    network = rewrite(Input(4) >> Relu(8) >> Relu(6) >> Softmax(3), to_elu)
    assert list(network.layers) == ["input1", "relu1", "relu2", "softmax1"]
    assert [type(layer).__name__ for layer in network] == ["Input", "Elu", "Elu", "Softmax"]


def test_the_affine_part_of_a_chain_takes_over_the_name():
    def split(name, layer, shapes):
        return Linear(8) >> BatchNorm() >> Relu() if type(layer) is Relu else None

    network = Input(4) >> Relu(8) >> Softmax(3)
    assert list(rewrite(network, split).layers) == [
        *("input1", "relu1", "batchnorm1", "relu2", "softmax1")
    ]


def test_a_name_of_the_user_stays_at_the_output():
    def more(name, layer, shapes):
        return Convolution(4, 1) >> MaxPooling(2) if name == "stage1" else None

    network = Input(3, 8, 8) >> MaxPooling(2, name="stage1") >> GlobalPooling()
    new = rewrite(network, more)
    assert new.upto("stage1").output_shape == (4, 4, 4)
    assert list(new.layers) == ["input1", "convolution1", "stage1", "globalpooling1"]


def test_new_layers_get_names_that_were_not_in_use():
    def swap(name, layer, shapes):
        return Convolution(2, 3) >> BatchNorm() if isinstance(layer, BatchNorm) else None

    network = Input(2, 8, 8) >> BatchNorm(affine=False) >> Convolution(2, 1) >> BatchNorm()
    assert list(rewrite(network, swap).layers) == [
        *("input1", "convolution2", "batchnorm1", "convolution1", "convolution3", "batchnorm2")
    ]


def test_identity_takes_a_layer_out():
    def out(name, layer, shapes):
        return Identity() if isinstance(layer, Dropout) else None

    network = Input(4) >> Relu(8) >> Dropout(0.5) >> Softmax(3)
    assert repr(rewrite(network, out)) == "Input(4) >> Relu(8) >> Softmax(3)"


def test_shapes_are_inferred_anew():
    seen = {}

    def change(name, layer, shapes):
        seen[name] = shapes
        return halved(name, layer, shapes)

    network = join(
        Input(2, 8, 8), Convolution(8, 3, padding=1, name="wide"), BatchNorm(), ResidualBlock(8)
    )
    new = rewrite(network, change)
    assert seen["batchnorm1"] == ((4, 8, 8),)
    assert seen["residualblock1.convolution1"] == ((4, 8, 8),)
    assert new.output_shape == (8, 8, 8)


def test_several_inputs_of_a_merging_layer():
    def scaled(name, layer, shapes):
        return layer >> BatchNorm() if isinstance(layer, Elementwise) else None

    network = dense((5,), 3, hidden=(8,), linear_path=True)
    new = rewrite(network, scaled)
    assert new.output_shape == (3,)
    assert [type(layer).__name__ for layer in new][-3:] == [
        "Elementwise",
        "BatchNorm",
        "Softmax",
    ]


def test_an_input_may_be_another():
    network = Input(2, 8, 8) >> Convolution(4, 3) >> Flatten() >> Linear(2)
    larger = rewrite(
        network, lambda name, layer, _: Input(2, 10, 10) if name == "input1" else None
    )
    assert larger.input_shape == (2, 10, 10)
    assert larger.linear1.weight.shape == (2, 4 * 8 * 8)


def test_integers_and_sequences():
    network = Input(6, dtype="int64") >> Embedding(9, 4) >> GRU(5, only_last=True) >> Relu(3)
    new = rewrite(network, to_elu)
    assert new(torch.zeros(2, 6, dtype=torch.int64)).shape == (2, 3)
    assert list(new.state_dict()) == list(network.state_dict())


# Blocks


def test_parts_of_blocks_are_replaced():
    network = small_residual()
    new = rewrite(network, to_elu)
    assert list(new.layers)[4:6] == ["residualblock1", "stage1"]
    assert list(new.state_dict()) == list(network.state_dict())
    kinds = {type(module) for module in new.modules() if isinstance(module, Layer)}
    assert Elu in kinds
    assert Relu not in kinds
    assert same(new, rewrite(new, keep), torch.randn(2, 2, 8, 8))
    assert new.upto("stage1").output_shape == (12, 4, 4)


def test_a_block_may_be_replaced_as_a_whole():
    def whole(name, layer, shapes):
        return ResidualBlock(8, activation="elu") if name == "residualblock1" else None

    new = rewrite(small_residual(), whole)
    assert repr(new.residualblock1) == "ResidualBlock(8, activation='elu')"


def test_parts_of_blocks_keep_the_function():
    """Another name for the same layers gives the same outputs."""

    def again(name, layer, shapes):
        return Relu() if type(layer) is Relu else None

    network = small_residual()
    assert same(network, rewrite(network, again), torch.randn(2, 2, 8, 8))


def test_a_rewritten_network_is_saved_summarised_and_copied(tmp_path):
    network = rewrite(small_residual(), normalized)
    network.save(tmp_path)
    loaded = Network.load(tmp_path)
    x = torch.randn(2, 2, 8, 8)
    assert torch.equal(network.eval()(x), loaded.eval()(x))
    assert torch.equal(copy.deepcopy(network)(x), network(x))
    assert list(loaded.state_dict()) == list(network.state_dict())
    assert "stage1" in str(summary(network))


# Shared layers


def test_shared_layers_stay_shared():
    network = siamese()
    new = rewrite(network, keep)
    assert new.node_names == network.node_names
    assert same(network, new, torch.randn(3, 4), torch.randn(3, 4))


def test_a_shared_layer_is_replaced_once():
    def change(name, layer, shapes):
        return PRelu(6) >> BatchNorm() if name == "relu1" else None

    new = rewrite(siamese(), change)
    assert new.node_names == (
        *("left", "relu1", "batchnorm1", "linear1", "right"),
        *("relu1@2", "batchnorm1@2", "linear1@2", "elementwise1", "softmax1"),
    )
    x = torch.randn(3, 4)
    assert torch.equal(new.eval().upto("elementwise1")(x, x), torch.zeros(3, 5))


# Errors


def test_a_network_needs_its_input():
    with pytest.raises(ShapeError, match="no parameters yet"):
        rewrite(Relu(3) >> Relu(4), keep)
    network = Input(4) >> Relu(3) >> Relu(4)
    with pytest.raises(ShapeError, match="without an Input cannot be rewritten"):
        rewrite(network.after("relu1"), keep)


def test_a_change_that_does_not_fit_is_refused():
    def wide(name, layer, shapes):
        return Convolution(8, 9) if name == "convolution1" else None

    network = Input(2, 8, 8) >> Convolution(4, 3) >> GlobalPooling()
    with pytest.raises(ShapeError, match="needs a height of at least 9"):
        rewrite(network, wide)

    def two(name, layer, shapes):
        return Convolution(4, 3) | Convolution(4, 3) if name == "convolution1" else None

    with pytest.raises(ShapeError, match="cannot be replaced by a network with 2 outputs"):
        rewrite(network, two)


def test_an_input_and_a_layer_cannot_take_each_others_place():
    network = Input(4) >> Relu(3)
    with pytest.raises(ShapeError, match=r"Relu\(4\) cannot take the place of an Input"):
        rewrite(network, lambda name, layer, _: Relu(4) if name == "input1" else None)
    with pytest.raises(ShapeError, match=r"Input\(4\) cannot take the place of a layer that"):
        rewrite(network, lambda name, layer, _: Input(4) if name == "relu1" else None)
