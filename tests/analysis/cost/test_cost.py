"""Multiply–adds against published ones, memory against what PyTorch itself holds."""

import pickle
import re
import sys
import weakref

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from neuropil import Layer, ShapeError, parallel, repeat
from neuropil.analysis import cost, summary
from neuropil.layers import (
    AveragePooling,
    BatchNorm,
    Concatenate,
    Convolution,
    Deconvolution,
    Dropout,
    Elementwise,
    Elu,
    Flatten,
    Gelu,
    GlobalPooling,
    GroupNorm,
    Identity,
    Input,
    LeakyRelu,
    MaxPooling,
    PRelu,
    Relu,
    Reshape,
    Sigmoid,
    Softmax,
    Softplus,
    Swish,
    Tanh,
    Upscale,
)


def test_published_multiply_adds(data, architecture):
    rows = (data / "published" / "architectures.csv").read_text().splitlines()[1:]
    published = {name: float(cost) for _, name, _, cost, _ in (row.split(",") for row in rows)}
    for name in ("alexnet", "vgg11", "vgg16", "resnet18", "resnet50"):
        total = summary(architecture(name)).totals.multiply_adds
        assert round(total / 1e9, 4) == published[name]


def test_by_hand():
    network = (
        Input(4, 9, 9)
        >> Convolution(6, 3, stride=2, groups=2)
        >> Relu()
        >> Flatten()
        >> Relu(5)
        >> Softmax(3)
    )
    layers = {layer.name: layer.multiply_adds for layer in cost(network).layers}
    assert layers == {
        "input1": 0,
        "convolution1": 3 * 3 * 2 * 6 * 4 * 4,
        "relu1": 0,
        "flatten1": 0,
        "relu2": 96 * 5,
        "softmax1": 15,
    }
    assert cost(network).multiply_adds == sum(layers.values())


def test_a_shared_layer_costs_each_time():
    assert cost(Input(4) >> repeat(Relu(4), 3, share=True)).multiply_adds == 3 * 16


def test_free_lengths_are_filled_in_without_touching_the_network():
    network = Input(3, None, None) >> Convolution(8, 3) >> GlobalPooling("avg") >> Softmax(2)
    before = [node.shape for node in network.nodes]
    fixed = Input(3, 20, 24) >> Convolution(8, 3) >> GlobalPooling("avg") >> Softmax(2)
    assert cost(network, (3, 20, 24)) == cost(fixed)
    assert cost(network, (3, 40, 48)).multiply_adds > cost(fixed).multiply_adds
    assert [node.shape for node in network.nodes] == before


def test_free_lengths_that_nobody_gives():
    with pytest.raises(ShapeError, match=r"give input_shape, such as \(3, 224, 224\)"):
        cost(Input(3, None, None) >> Convolution(8, 3))
    with pytest.raises(ShapeError, match=r"start the network with an Input"):
        cost(Convolution(8, 3) >> Relu())
    several = parallel(Input(3, None, name="a"), Input(3, 5, name="b")) >> Concatenate()
    with pytest.raises(ShapeError, match=r"such as \(\(3, 224\), \(3, 5\)\)"):
        cost(several)


# Memory for inference


def alive_at_once(network, *shapes):
    """Return the most bytes of outputs that are alive after any layer of a real pass."""
    outputs, most = [], []

    def watch(_, inputs, output):
        outputs.append(weakref.ref(output))
        present = [tensor for ref in outputs if (tensor := ref()) is not None]
        storages = {
            t.untyped_storage().data_ptr(): t.untyped_storage().nbytes()
            for t in [*present, *inputs]
        }
        most.append(sum(storages.values()))

    handles = [layer.register_forward_hook(watch) for layer in network.layers.values()]
    with torch.inference_mode():
        network.eval()(*(torch.zeros(1, *shape) for shape in shapes))
    for handle in handles:
        handle.remove()
    return max(most)


def test_inference_memory_is_what_is_alive_at_once(small_networks):
    for name in ("chain", "residual"):
        network = small_networks[name]
        held = alive_at_once(network, *network.input_shapes)
        # What is seen at a layer lacks the network's input where that is not the layer's own.
        sources = sum(4 * torch.Size(shape).numel() for shape in network.input_shapes)
        assert held <= cost(network).inference_bytes <= held + sources


def test_long_branches_keep_what_they_need():
    # 400 numbers wait for the sum while 1,600 and then 400 more come and go.
    wide = Convolution(16, 1) >> Convolution(4, 1)
    network = Input(4, 10, 10) >> parallel(Identity(), wide) >> Elementwise("add")
    assert cost(network).inference_bytes == 4 * (400 + 1600 + 400)
    assert cost(network).inference_bytes == alive_at_once(network, (4, 10, 10))


def test_dropout_takes_nothing_in_test_mode():
    network = Input(50, 8) >> parallel(Dropout(0.5), Tanh()) >> Elementwise("add")
    assert cost(network).inference_bytes == alive_at_once(network, (50, 8)) == 3 * 1600


# Memory for training


def saved_bytes(network):
    """Return the bytes that a real pass saves for its backward pass, beside the parameters."""
    saved = []
    with saved_tensors_hooks(saved.append, lambda packed: packed):
        outputs = network.train()(*(torch.zeros(1, *s) for s in network.input_shapes))
    own = {t.untyped_storage().data_ptr() for t in (*network.parameters(), *network.buffers())}
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in saved}
    del outputs
    return sum(size for place, size in storages.items() if place not in own)


def test_training_memory_is_what_torch_saves(small_networks):
    for network in small_networks.values():
        assert cost(network).training_bytes == saved_bytes(network)


ACTIVATIONS = (Relu, LeakyRelu, Elu, PRelu, Softplus, Swish, Gelu, Sigmoid, Tanh, Softmax)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_training_memory_of_activations(activation):
    picture = Input(3, 30, 30) >> Convolution(4, 3) >> activation() >> Convolution(2, 3)
    assert cost(picture).training_bytes == saved_bytes(picture)
    units = Input(200) >> Relu(90) >> activation(50) >> Relu(3)
    assert cost(units).training_bytes == saved_bytes(units)


@pytest.mark.parametrize(
    "layer",
    [
        Deconvolution(3, 4, stride=2),
        MaxPooling(3, stride=2),
        AveragePooling(2),
        Upscale(2),
        GroupNorm(2),
        Dropout(0.2),
        Reshape(2, 72, 36),
        GlobalPooling("max"),
    ],
    ids=repr,
)
def test_training_memory_of_other_layers(layer):
    network = Input(3, 38, 38) >> Convolution(4, 3) >> Tanh() >> layer >> Sigmoid()
    assert cost(network).training_bytes == saved_bytes(network)


def test_wider_types_take_more():
    def network():
        return Input(3, 8, 8) >> Convolution(4, 3) >> Relu()

    single, double = cost(network()), cost(network().double())
    assert double.inference_bytes == 2 * single.inference_bytes
    assert double.training_bytes == 2 * single.training_bytes


def test_integer_inputs_take_their_own_width():
    for dtype, width in (("int64", 8), ("int32", 4), ("uint8", 1)):
        assert cost(Input(50, dtype=dtype) >> Identity()).inference_bytes == 50 * width


def test_huge_layers_are_weighed_without_being_made():
    with torch.device("meta"):
        network = Input(2048, 100, 100) >> Convolution(4096, 5) >> Relu() >> MaxPooling(2)
    expected = 2048 * 100 * 100 + 4096 * 96 * 96 + 2 * 4096 * 48 * 48  # and 8 bytes a maximum
    assert cost(network).training_bytes == 4 * expected


def test_a_layer_that_cannot_be_asked_is_not_fatal():
    class Picky(Layer):
        def forward(self, x):
            raise RuntimeError

    network = Input(3, 8, 8) >> Convolution(4, 3) >> Picky()
    assert cost(network).training_bytes == 4 * (3 * 64 + 4 * 36 + 4 * 36)


def test_nothing_is_run_or_changed(small_networks):
    class Random(Layer):  # of a new kind, so that it must be asked what it keeps
        def forward(self, x):
            return x * torch.rand_like(x)

    network = small_networks["chain"] >> Random()
    state = {key: value.clone() for key, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    calls = []
    handles = [m.register_forward_hook(lambda *_: calls.append(1)) for m in network.modules()]
    random = torch.get_rng_state()
    summary(network)
    cost(network)
    assert not calls
    assert torch.equal(random, torch.get_rng_state())
    assert modes == [module.training for module in network.modules()]
    for key, value in network.state_dict().items():
        assert torch.equal(value, state[key])
    assert all(p.grad is None for p in network.parameters())
    for handle in handles:
        handle.remove()


def test_on_the_meta_device():
    with torch.device("meta"):
        network = Input(3, 16, 16) >> Convolution(4, 3) >> BatchNorm() >> Relu() >> Dropout(0.5)
    same = Input(3, 16, 16) >> Convolution(4, 3) >> BatchNorm() >> Relu() >> Dropout(0.5)
    assert cost(network) == cost(same)


def test_multiply_adds_do_not_pay_for_memory(small_networks, monkeypatch):
    network = small_networks["chain"]
    module = torch.nn.Linear(3, 4)
    expected = cost(network)
    figures = expected.memory

    def refuse(*_):
        raise AssertionError

    costs = sys.modules[cost.__module__]
    monkeypatch.setattr(costs, "activation_memory", refuse)
    monkeypatch.setattr(costs, "report", refuse)
    assert cost(network).multiply_adds == expected.multiply_adds
    assert cost(module, (3,)).multiply_adds == 12
    with pytest.raises(AssertionError):
        _ = cost(network).inference_bytes
    assert expected.memory is figures  # once is enough


def test_a_notebook_shows_the_layers_and_the_totals(small_networks):
    found = cost(small_networks["chain"])
    rows = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
        for row in re.findall("<tr>(.*?)</tr>", found._repr_html_())
    ]
    layers = [row for row in rows if row[0] in {layer.name for layer in found.layers}]
    assert [row[1] for row in layers] == [f"{each.multiply_adds:,}" for each in found.layers]
    assert ["Mult–adds", f"{found.multiply_adds:,}"] in rows


def test_a_copy_has_the_figures_and_not_the_network(small_networks):
    found = cost(small_networks["chain"])
    copied = pickle.loads(pickle.dumps(found))
    assert copied == found
    assert hash(copied) == hash(found)
    assert repr(copied) == repr(found)
    assert "work_out" not in vars(copied)
    assert found != 3
