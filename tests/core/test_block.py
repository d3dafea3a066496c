"""Blocks: layers composed of layers."""

import copy
import pickle

import pytest
import torch
from torch import nn

from neuropil.analysis import cost, receptive_field, summary
from neuropil.core import Network, ShapeError, repeat
from neuropil.core.block import Block
from neuropil.layers import (
    BatchNorm,
    Convolution,
    Elementwise,
    Identity,
    Input,
    Linear,
    Relu,
    ResidualBlock,
)


class Twice(Block):
    """Two affine maps beside the identity."""

    def compose(self, shape):
        body = Relu(shape[0]) >> Linear(shape[0])
        return (body | Identity()) >> Elementwise("add")


class Nested(Block):
    def compose(self, shape):
        return Twice() >> Relu() >> Twice()


def flat(shape):
    """What `Nested` is without blocks."""
    width = shape[0]

    def twice():
        return ((Relu(width) >> Linear(width)) | Identity()) >> Elementwise("add")

    return Input(*shape) >> twice() >> Relu() >> twice()


def test_the_output_shape_is_known_before_anything_is_built():
    block = Nested()
    assert block.output_shape((5,)) == (5,)
    assert block.parameter_shapes((5,))["twice1.relu1.weight"] == (5, 5)
    assert block.built_for is None
    assert not list(block.parameters())


def test_it_computes_what_its_parts_compute():
    blocks, parts = Input(3) >> Nested(), flat((3,))
    values = list(blocks.state_dict().values())
    parts.load_state_dict(dict(zip(parts.state_dict(), values, strict=True)))
    x = torch.randn(4, 3)
    torch.testing.assert_close(blocks(x), parts(x))
    assert cost(blocks).multiply_adds == cost(parts).multiply_adds == 4 * 9
    assert cost(blocks).training_bytes == cost(parts).training_bytes
    assert cost(blocks).inference_bytes == cost(parts).inference_bytes


def test_keys_are_dotted():
    network = Input(3) >> Nested(name="both")
    assert [*network.state_dict()][:2] == [
        "both.twice1.relu1.weight",
        "both.twice1.relu1.bias",
    ]


def test_copies_are_apart():
    network = Input(3) >> Nested()
    x = torch.randn(4, 3)
    expected = network(x)
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        torch.testing.assert_close(other(x), expected)
        with torch.no_grad():
            other.layers["nested1"].twice1.relu1.weight.zero_()
        assert not torch.equal(other(x), expected)
    torch.testing.assert_close(network(x), expected)


def test_repeated_blocks_have_their_own_weights():
    network = Input(3) >> repeat(Twice(), 2)
    first, second = network.layers["twice1"], network.layers["twice2"]
    assert first.relu1 is not second.relu1
    shared = Input(3) >> repeat(Twice(), 2, share=True)
    assert len(list(shared.parameters())) == len(list(first.parameters()))


def test_what_does_not_fit_names_the_block_and_builds_nothing():
    block = ResidualBlock(8, shortcut="identity")
    with pytest.raises(ShapeError, match=r"Inside ResidualBlock\(8, shortcut='identity'\)"):
        Input(3, 8, 8) >> block
    assert block.built_for is None
    assert (Input(8, 8, 8) >> block).output_shape == (8, 8, 8)
    with pytest.raises(ShapeError, match=r"Inside .* inputs that agree"):
        Input(4, 8, 8) >> block
    built = ResidualBlock(8)
    _ = Input(4, 8, 8) >> built
    with pytest.raises(ShapeError, match="already built"):
        Input(6, 8, 8) >> built


def test_an_unbuilt_block_says_so():
    with pytest.raises(ShapeError, match="has no parameters yet"):
        Twice()(torch.ones(1, 3))


def test_a_built_block_takes_pictures_of_another_size():
    block = ResidualBlock(4)
    _ = Input(4, 8, 8) >> block
    other = Input(4, 16, 12) >> block
    assert other.output_shape == (4, 16, 12)
    assert other(torch.ones(1, 4, 16, 12)).shape == (1, 4, 16, 12)


def test_redrawing_reaches_every_part():
    network = Input(3) >> Nested()
    drawn = []
    for _ in range(2):
        network.reset_parameters(torch.Generator().manual_seed(3))
        drawn.append([p.detach().clone() for p in network.parameters()])
    for one, other in zip(*drawn, strict=True):
        torch.testing.assert_close(one, other)


def test_analysis_takes_blocks_apart():
    network = Input(4, 20, 20) >> ResidualBlock(4) >> ResidualBlock(8, stride=2)
    parts = (
        Input(4, 20, 20)
        >> Convolution(4, 3, padding=1)
        >> Convolution(4, 3, padding=1)
        >> Convolution(8, 3, stride=2, padding=1)
        >> Convolution(8, 3, padding=1)
    )
    assert receptive_field(network).size == receptive_field(parts).size == (11, 11)
    table = summary(network, depth=1)
    inside = [row for row in table.rows if row.depth]
    assert inside[0].name == "residualblock1.convolution1"
    whole = next(row for row in table.rows if row.name == "residualblock1")
    own = [row for row in inside if row.name.startswith("residualblock1.")]
    assert whole.parameters == sum(row.parameters for row in own)
    assert whole.multiply_adds == sum(row.multiply_adds for row in own)
    assert whole.training_bytes == sum(row.training_bytes for row in own)
    assert table.totals == summary(network).totals


def test_it_is_compiled_whole():
    network = Input(3) >> Nested()
    x = torch.randn(2, 3)
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), network(x))


class Test_what_is_written_over:  # noqa: N801
    def network(self):
        torch.manual_seed(0)
        stem = Input(3, 8, 8) >> Convolution(4, 3) >> BatchNorm() >> Relu()
        return (stem >> (Convolution(4, 1) | Identity()) >> Elementwise("add") >> Relu()).eval()

    def by_hand(self, network, x):
        values = {}
        layers = network.layers
        for name in ("input1", "convolution1", "batchnorm1", "relu1"):
            x = layers[name](x)
            values[name] = x
        other = layers["convolution2"](x)
        return torch.relu(other + x), values

    def test_nothing_that_is_needed(self):
        network, x = self.network(), torch.randn(2, 3, 8, 8)
        before = x.clone()
        expected, _ = self.by_hand(network, x)
        torch.testing.assert_close(network(x), expected)
        torch.testing.assert_close(x, before)
        weights = list(network.parameters())
        have = torch.autograd.grad(network(x).square().sum(), weights)
        want = torch.autograd.grad(self.by_hand(network, x)[0].square().sum(), weights)
        for one, other in zip(have, want, strict=True):
            torch.testing.assert_close(one, other)

    def test_not_what_a_hook_keeps(self):
        network, x = self.network(), torch.randn(2, 3, 8, 8)
        kept = []
        network.layers["batchnorm1"].register_forward_hook(lambda *call: kept.append(call[2]))
        network(x)
        _, values = self.by_hand(network, x)
        torch.testing.assert_close(kept[0], values["batchnorm1"])

    def test_hooks_on_the_layer_itself_are_called(self):
        network, x = self.network(), torch.randn(2, 3, 8, 8)
        called = []
        network.layers["relu1"].register_forward_hook(lambda *_: called.append("forward"))
        network.layers["relu2"].register_full_backward_hook(
            lambda *_: called.append("backward")
        )
        network(x).sum().backward()
        assert called == ["forward", "backward"]

    def test_not_behind_a_replaced_child(self):
        network, x = self.network(), torch.randn(2, 3, 8, 8)
        network._modules["convolution1"] = nn.Identity()
        network._modules["batchnorm1"] = nn.Identity()
        network._modules["convolution2"] = nn.Identity()
        before = x.clone()
        torch.testing.assert_close(network(x), 2 * torch.relu(x))
        torch.testing.assert_close(x, before)


def test_freezing_keeps_weights_and_statistics():
    network = Input(3, 8, 8) >> ResidualBlock(4, name="front") >> ResidualBlock(4)
    network.freeze("front")
    network.train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    network(torch.randn(4, 3, 8, 8)).square().sum().backward()
    optimizer.step()
    for key, value in network.state_dict().items():
        moved = not torch.equal(value, before[key])
        assert moved == (not key.startswith("front") and "num" not in key) or "num" in key, key


def test_an_expression_reads_back():
    network = Input(4, 8, 8) >> ResidualBlock(8, stride=2, activation="elu")
    assert repr(Network.parse(repr(network))) == repr(network)
