"""The two ways to a figure agree: arithmetic on our layers, and operations of any module.

Both are held to a real run as well. What is counted is every tensor that one operation hands to
another: inputs and activations, without parameters and buffers, and without the workspace that
an operation takes and gives back, such as the indices of a max pooling whose output alone is
used.
"""

import weakref

import pytest
import torch
from tests.agreement import Does
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from neuropil import architectures, parallel
from neuropil.analysis import cost, summary
from neuropil.architectures.published.zoo_table import zoo_table
from neuropil.layers import (
    GRU,
    LSTM,
    AveragePooling,
    BatchNorm,
    Convolution,
    Dropout,
    Elementwise,
    Flatten,
    GlobalPooling,
    GroupNorm,
    Input,
    LayerNorm,
    LocalResponseNorm,
    MaxPooling,
    MixtureOfExperts,
    PRelu,
    Relu,
    ResidualBlock,
    Sigmoid,
    Softmax,
    SqueezeExcitation,
    Tanh,
)


def both(network):
    """Return the summary of a network, and that of a module that holds it."""
    (shape,) = network.input_shapes
    return summary(network, depth=9), summary(Does(network), shape, depth=9)


@pytest.mark.parametrize("name", [*zoo_table()])
def test_the_whole_zoo(name):
    with torch.device("meta"):
        network = getattr(architectures, name)()
    ours, theirs = both(network)
    assert ours.totals == theirs.totals
    others = {row.name.removeprefix("function."): row for row in theirs.rows}
    for row in ours.rows:
        other = others.get(row.name)
        if other is None:  # it wrote over its input, which is no call of a module
            assert row.layer.startswith("Relu(")
            continue
        assert (1, *row.output_shape) == other.output_shape
        assert row.multiply_adds == other.multiply_adds
        assert (row.parameters, row.trainable) == (other.parameters, other.trainable)
        assert (row.receptive_field, row.sees_all) == (other.receptive_field, other.sees_all)


class Live(TorchDispatchMode):
    """Counts the storages that are alive after each operation of a real run.

    Args:
        known: Tensors that do not count.
        given: Tensors that are there from the start.
    """

    def __init__(self, known, given):
        super().__init__()
        self.known = {tensor.untyped_storage().data_ptr() for tensor in known}
        self.seen = list(map(weakref.ref, given))
        self.most = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        made = [leaf for leaf in tree_leaves(output) if isinstance(leaf, torch.Tensor)]
        self.seen += map(weakref.ref, made)
        alive = [tensor for ref in self.seen if (tensor := ref()) is not None]
        self.seen = list(map(weakref.ref, alive))
        self.most = max(self.most, sum(sizes(alive, self.known).values()))
        return output


def sizes(tensors, known):
    """Return the bytes of each storage of some tensors but those known."""
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
    return {place: size for place, size in storages.items() if place not in known}


def measured(network):
    """Return the bytes that one sample takes in test mode, and those that training saves."""
    inputs = [torch.zeros(1, *shape) for shape in network.input_shapes]
    constants = [*network.parameters(), *network.buffers()]
    live = Live(constants, inputs)
    with torch.inference_mode(), live:
        network.eval()(*inputs)
    saved = []
    with saved_tensors_hooks(saved.append, lambda packed: packed):
        outputs = network.train()(*inputs)
    del outputs
    return live.most, sum(sizes(saved, live.known).values())


PUBLISHED = {
    "lenet5": (1, 32, 32),
    "resnet20": (3, 32, 32),
    "squeezenet": (3, 64, 64),
    "vgg11": (3, 32, 32),
    "densenet121": (3, 64, 64),
    "mobilenet": (3, 64, 64),
    "resnet50": (3, 64, 64),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_memory_of_a_real_run(name):
    with torch.device("meta"):
        network = getattr(architectures, name)(input_shape=PUBLISHED[name])
    network = network.to_empty(device="cpu")
    for tensor in (*network.parameters(), *network.buffers()):
        tensor.detach().zero_()
    found = cost(network)
    assert (found.inference_bytes, found.training_bytes) == measured(network)


def frozen(network):
    for parameter in network.parameters():
        parameter.requires_grad = False
    return network


PICTURE = Input(3, 12, 12)
NETWORKS = {
    "first layers without parameters": lambda: PICTURE >> MaxPooling(2) >> Tanh() >> Relu(),
    "frozen": lambda: (
        frozen(PICTURE >> Convolution(4, 3) >> Sigmoid()) >> Flatten() >> Softmax(3)
    ),
    "padding unlike at both ends": lambda: (
        PICTURE >> Convolution(4, 3, padding="same") >> Convolution(4, 4, padding="same")
    ),
    "pooling with padding": lambda: PICTURE >> AveragePooling(3, stride=2, padding="same"),
    "normalisations": lambda: (
        PICTURE >> Convolution(4, 3) >> GroupNorm(2) >> Convolution(4, 3) >> LocalResponseNorm()
    ),
    "one position": lambda: PICTURE >> Convolution(4, 12) >> Tanh() >> Dropout(0.5) >> PRelu(),
    "units": lambda: Input(40) >> Relu(90) >> LayerNorm() >> Tanh(50) >> Dropout(0.5),
    "a wide branch": lambda: (
        PICTURE
        >> parallel(Convolution(16, 1) >> Relu() >> Convolution(3, 1), Tanh())
        >> Elementwise("add")
        >> Relu()
    ),
    "a block": lambda: (
        PICTURE >> ResidualBlock(8, stride=2) >> SqueezeExcitation() >> GlobalPooling("avg")
    ),
    "experts": lambda: Input(20) >> MixtureOfExperts(Relu(64) >> Relu(10), 3),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_all_figures_of_small_networks(kind):
    network = NETWORKS[kind]()
    ours, theirs = both(network)
    assert ours.totals == theirs.totals
    found = measured(network)
    assert (ours.totals.inference_bytes, ours.totals.training_bytes) == found


def test_statistics_of_a_single_position():
    network = PICTURE >> Convolution(4, 12) >> BatchNorm()  # one value is too few to train on
    ours, theirs = both(network)
    assert ours.totals == theirs.totals
    saved = 4 * (3 * 144 + 4 + 2 * 4)  # the picture, the input of BatchNorm, mean and deviation
    assert ours.totals.training_bytes == saved


def test_an_input_that_normalizes():
    network = PICTURE >> Convolution(4, 3)
    network.layers["input1"].set_normalization(0.5, 2.0)
    ours, theirs = both(network)
    assert ours.totals == theirs.totals
    assert (ours.totals.inference_bytes, ours.totals.training_bytes) == measured(network)


@pytest.mark.parametrize("layer", [LSTM(12), GRU(12), LSTM(12, only_last=False)], ids=repr)
def test_recurrent_layers(layer):
    ours, theirs = both(Input(9, 5) >> layer >> Relu(4))
    assert ours.totals == theirs.totals
