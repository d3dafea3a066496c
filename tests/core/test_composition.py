"""A layer at several places of a network, beside a module written by hand."""

import copy
import pickle

import pytest
import torch
from tests.agreement import same_compiled_exported_copied_and_saved
from torch import Tensor, nn

from neuropil import Network, ShapeError, join, parallel, repeat, shared
from neuropil.analysis import cost, diagram
from neuropil.layers import (
    BatchNorm,
    Concatenate,
    Elementwise,
    Identity,
    Input,
    Linear,
    Module,
    Relu,
    Softmax,
    Tanh,
)


class Siamese(nn.Module):
    """One tower for both inputs, and the same map used three times after it."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(4, 6), nn.ReLU())
        self.square = nn.Linear(6, 6)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        x = self.tower(left) - self.tower(right)
        return self.square(torch.tanh(self.square(x))) + self.square(x)


def siamese() -> Network:
    tower, square = Relu(6), Linear(6)
    left, right = Input(4, name="left"), Input(4, name="right")
    pair = parallel(left >> tower, right >> shared(tower)) >> Elementwise("subtract")
    ways = parallel(square >> Tanh() >> shared(square), shared(square))
    return pair >> ways >> Elementwise("add")


def test_outputs_and_gradients_are_those_of_a_module_by_hand():
    torch.manual_seed(0)
    network, peer = siamese().double(), Siamese().double()
    network.relu1.load_state_dict(peer.tower[0].state_dict())
    network.linear1.load_state_dict(peer.square.state_dict())
    left, right = torch.randn(2, 5, 4, dtype=torch.float64)
    output, expected = network(left, right), peer(left, right)
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-12)
    output.square().sum().backward()
    expected.square().sum().backward()
    for one, two in zip(network.parameters(), peer.parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad, rtol=0, atol=1e-12)


def test_a_shared_layer_is_registered_once_and_called_at_each_place():
    network = siamese()
    names = [name for name in network.node_names if "linear" in name or "relu" in name]
    assert names == ["relu1", "relu1@2", "linear1", "linear1@2", "linear1@3"]
    assert list(network.layers) == [
        *("left", "relu1", "right", "elementwise1", "linear1", "tanh1", "elementwise2")
    ]
    assert sum(p.numel() for p in network.parameters()) == 5 * 6 + 7 * 6
    assert cost(network).multiply_adds == 2 * 4 * 6 + 3 * 6 * 6
    rows = network.summary().rows
    assert [row.name for row in rows if row.shared] == ["relu1@2", "linear1@2", "linear1@3"]
    assert "relu1@2" in str(network)
    assert "Linear(6)" in diagram(network).svg


def test_it_is_copied_and_saved(tmp_path):
    network = siamese()
    left, right = torch.randn(2, 5, 4)
    expected = network(left, right)
    network.save(tmp_path)
    copies = [copy.deepcopy(network), pickle.loads(pickle.dumps(network))]
    for other in (*copies, Network.load(tmp_path)):
        assert torch.equal(other(left, right), expected)
        assert other.node_names == network.node_names
        assert repr(other) == repr(network)
        again = other >> shared(other.linear1)
        assert again.node_names[-1] == "linear1@4"


def test_it_is_compiled_and_exported(tmp_path):
    square = Linear(4)
    network = Input(4) >> square >> Tanh() >> shared(square) >> Softmax(2)
    same_compiled_exported_copied_and_saved(
        network, torch.randn(3, 4), tmp_path, fullgraph=True
    )


def test_each_order_of_composing_gives_the_same_network():
    def parts() -> tuple[Input, Linear, Tanh]:
        return Input(3), Linear(3), Tanh()

    start, square, tanh = parts()
    at_once = start >> square >> tanh >> shared(square)
    start, square, tanh = parts()
    from_the_end = start >> (square >> (tanh >> shared(square)))
    start, square, tanh = parts()
    shared_first = start >> shared(square) >> tanh >> square
    start, square, tanh = parts()
    only_shared = join(start, shared(square), tanh, shared(square))
    start, square, tanh = parts()
    of_a_network = start >> square >> shared(Identity() >> square)
    for network in (at_once, from_the_end, shared_first, only_shared):
        assert network.node_names == ("input1", "linear1", "tanh1", "linear1@2")
    assert of_a_network.node_names == ("input1", "linear1", "identity1", "linear1@2")


def test_networks_that_hold_the_same_place_are_merged():
    square = Linear(3)
    trunk = Input(3) >> square >> Tanh() >> shared(square)
    both = parallel(trunk >> Softmax(2), trunk >> Relu(2))
    assert both.node_names == (
        *("input1", "linear1", "tanh1", "linear1@2", "softmax1", "relu1"),
    )
    twice = Input(3) >> parallel(square := Linear(3), shared(square)) >> Concatenate()
    assert twice.node_names == ("input1", "linear1", "linear1@2", "concatenate1")


def test_it_works_with_the_other_ways_of_sharing():
    square = Linear(3)
    network = Input(3) >> repeat(square, 2, share=True) >> shared(square)
    assert network.node_names == ("input1", "linear1", "linear1@2", "linear1@3")
    pair = square >> Tanh() >> shared(square)
    assert len({*repeat(pair, 2, share=True).node_names}) == 6
    copies = Input(3) >> repeat(pair, 2)
    assert [*copies.layers] == ["input1", "linear1", "tanh1", "linear2", "tanh2"]


def test_a_cut_keeps_the_calls():
    square = Linear(3)
    network = Input(3) >> square >> Tanh() >> shared(square) >> Relu(2)
    x = torch.randn(2, 3)
    assert torch.equal(network.upto("linear1@2")(x), square(square(x).tanh()))
    assert torch.equal(network.after("tanh1")(x), network.relu1(square(x)))


def test_any_layer_can_be_shared():
    norm, module = BatchNorm(), Module(nn.Linear(3, 3))
    network = Input(3) >> norm >> module >> shared(norm) >> shared(module)
    network(torch.randn(4, 3))
    assert network.batchnorm1.num_batches_tracked == 2
    assert len([*network.parameters()]) == 4


def test_wrong_use_is_refused():
    square = Linear(3)
    with pytest.raises(ShapeError, match=r"already in this network: .*shared\(layer\) here"):
        Input(3) >> square >> Tanh() >> square
    with pytest.raises(ShapeError, match="already built for"):
        Input(3) >> (wide := Linear(5)) >> shared(wide)
    place = shared(square)
    with pytest.raises(ShapeError, match="already in this network"):
        Input(3) >> place >> place
    with pytest.raises(TypeError, match="composed of layers and networks, got Linear"):
        shared(nn.Linear(3, 3))
