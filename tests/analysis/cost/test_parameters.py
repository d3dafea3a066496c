"""Counting parameters: the sheet's formulas, torch's totals, each weight once."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neuropil import Network, ShapeError, parallel, repeat
from neuropil.analysis import count_parameters, summary
from neuropil.layers import (
    BatchNorm,
    Convolution,
    Elementwise,
    Flatten,
    Input,
    MaxPooling,
    Relu,
)

sizes = st.integers(1, 9)


@given(channels=sizes, filters=sizes, size=sizes)
def test_a_convolution_has_filters_of_all_channels_and_biases(channels, filters, size):
    network = Input(channels, 9, 9) >> Convolution(filters, size)
    assert count_parameters(network) == (size * size * channels + 1) * filters


@given(inputs=sizes, units=sizes)
def test_units_have_a_weight_for_each_input_and_a_bias(inputs, units):
    assert count_parameters(Input(inputs) >> Relu(units)) == (inputs + 1) * units


def test_pooling_has_none():
    assert count_parameters(Input(3, 8, 8) >> MaxPooling(2)) == 0


def test_totals_are_those_of_torch(small_networks):
    for network in small_networks.values():
        total = sum(p.numel() for p in network.parameters())
        assert count_parameters(network) == total == summary(network).totals.parameters


def test_published_counts(data, architecture):
    rows = (data / "published" / "architectures.csv").read_text().splitlines()[1:]
    published = {name: int(count) for _, name, count, *_ in (row.split(",") for row in rows)}
    for name in ("alexnet", "vgg11", "vgg16", "resnet18", "resnet50"):
        assert count_parameters(architecture(name)) == published[name]


def test_shared_layers_count_once():
    network = Input(4) >> repeat(Relu(4), 3, share=True)
    table = summary(network)
    assert count_parameters(network) == table.totals.parameters == 20
    assert [row.parameters for row in table.rows] == [0, 20, 0, 0]
    assert [row.shared for row in table.rows] == [False, False, True, True]


def test_planned_shared_layers_count_once():
    network = repeat(Relu(4), 3, share=True)
    assert summary(network, (4,)).totals.parameters == 20


def test_tied_weights_count_once():
    network = Input(4) >> Relu(4) >> Relu(4)
    network.layers["relu2"].weight = network.layers["relu1"].weight
    assert count_parameters(network) == 16 + 4 + 4
    assert [row.parameters for row in summary(network).rows] == [0, 20, 4]


def test_frozen_and_trainable():
    network = Input(4) >> Relu(5) >> Relu(2)
    network.layers["relu1"].requires_grad_(False)
    assert count_parameters(network, trainable=True) == 12
    assert count_parameters(network, trainable=False) == 25
    totals = summary(network).totals
    assert (totals.trainable, totals.frozen, totals.parameters) == (12, 25, 37)
    assert "25 of them frozen" in str(summary(network))


def test_memory_follows_the_type():
    network = Input(3) >> Relu(2)
    assert summary(network).totals.parameter_bytes == 8 * 4
    assert summary(network.double()).totals.parameter_bytes == 8 * 8


def test_buffers_are_no_parameters():
    assert count_parameters(Input(3, 4, 4) >> BatchNorm()) == 6


def test_layers_and_sides():
    layer = Convolution(2, 3)
    Input(1, 8, 8) >> layer
    assert count_parameters(layer) == 20
    siamese = Input(3) >> parallel(Relu(2), Relu(2)) >> Elementwise("subtract")
    assert count_parameters(siamese) == 16


def test_an_unbuilt_network_says_what_to_do():
    with pytest.raises(
        ShapeError, match=r"join it to one, as in Input\(3, 32, 32\) >> network"
    ):
        count_parameters(Convolution(3, 3) >> Relu())


@pytest.mark.parametrize("other", [None, "Relu()", torch.nn.Linear])
def test_other_things_are_refused(other):
    with pytest.raises(
        TypeError, match=f"a network, a layer or a PyTorch module, got {type(other).__name__}"
    ):
        count_parameters(other)


def test_planned_counts_equal_built_ones():
    def network() -> Network:
        return Convolution(4, 3) >> BatchNorm() >> Flatten() >> Relu(5)

    planned = summary(network(), (3, 10, 10))
    built = Input(3, 10, 10) >> network()
    assert planned.totals.parameters == count_parameters(built)
    assert not any(True for _ in network().parameters())
