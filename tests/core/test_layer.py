"""Attributes of layers: plain values go by a short way, everything else by torch's."""

import pytest
import torch
from torch import nn

from neuropil.core import Layer
from neuropil.layers import Input, Linear


class Attributed(Layer):
    def __init__(self) -> None:
        self.before = 1
        super().__init__()
        self.after = (2, "b")
        self.child = nn.Linear(1, 1)
        self.weight = nn.Parameter(torch.ones(2))
        self.register_buffer("mean", torch.zeros(2))

    @property
    def doubled(self) -> int:
        return 2 * self.before

    @doubled.setter
    def doubled(self, value: int) -> None:
        self.before = value // 2


def test_plain_values_are_attributes_and_nothing_else():
    layer = Attributed()
    assert (layer.before, layer.after) == (1, (2, "b"))
    assert {"before", "after"} <= {*vars(layer)}
    assert [*layer.state_dict()] == ["weight", "mean", "child.weight", "child.bias"]


@pytest.mark.parametrize("name", ["child", "weight", "mean"])
def test_what_torch_registered_is_taken_away_by_none(name):
    layer = Attributed()
    setattr(layer, name, None)
    assert getattr(layer, name) is None
    assert name not in vars(layer)
    assert not any(key.startswith(name) for key in layer.state_dict())


def test_a_registered_name_takes_no_plain_value():
    layer = Attributed()
    for name in ("child", "weight", "mean"):
        with pytest.raises(TypeError):
            setattr(layer, name, 3)


def test_a_property_is_set_by_its_own_way():
    layer = Attributed()
    layer.doubled = 10
    assert layer.before == 5
    assert "doubled" not in vars(layer)


def test_a_network_keeps_its_children_in_order():
    network = Input(2) >> Linear(3)
    network.linear1.note = "kept"
    assert network.linear1.note == "kept"
    assert [*network.state_dict()] == ["linear1.weight", "linear1.bias"]
