"""Joins, slices and predictions that cannot be, each refused at once and in one line."""

import pytest
import torch

from neuropil.core import Network, ShapeError, free_memory, join, parallel, repeat
from neuropil.layers import (
    LSTM,
    BatchNorm,
    Concatenate,
    Convolution,
    Dropout,
    Elementwise,
    Embedding,
    Flatten,
    GatedAverage,
    GlobalPooling,
    Identity,
    Input,
    LayerNorm,
    Linear,
    MaxPooling,
    Relu,
    Reshape,
    ResidualBlock,
    Softmax,
    SpatialPyramidPooling,
    Transpose,
)


def network() -> Network:
    torch.manual_seed(0)
    return Input(3) >> Relu(4) >> BatchNorm() >> Relu(5) >> Softmax(2)


class TestParts:
    def test_a_layer_is_as_good_as_its_name(self):
        whole = network()
        layers = whole.layers
        assert repr(whole.upto(layers["relu1"])) == repr(whole.upto("relu1"))
        assert repr(whole.after(layers["relu1"])) == repr(whole.after("relu1"))
        pyramid = whole.upto(layers["relu1"], "relu2")
        assert pyramid.output_shapes == ((4,), (5,))
        whole.freeze(layers["batchnorm1"])
        assert not layers["relu1"].weight.requires_grad
        assert layers["relu2"].weight.requires_grad

    @pytest.mark.parametrize("part", ["upto", "after", "freeze"])
    @pytest.mark.parametrize("name", [Relu(4), 3, None, "relu7", torch.nn.ReLU()])
    def test_what_is_not_in_the_network_is_refused(self, part, name):
        with pytest.raises(ValueError, match="this network has no layer "):
            getattr(network(), part)(name)

    def test_nothing_is_no_part(self):
        with pytest.raises(ValueError, match="at least one layer"):
            network().upto()


class TestFreeze:
    def test_statistics_stay_from_now_on(self):
        whole = network()
        whole.freeze("batchnorm1")
        before = whole.batchnorm1.running_mean.clone()
        optimizer = torch.optim.SGD((p for p in whole.parameters() if p.requires_grad), lr=0.1)
        for _ in range(5):  # a loop of one's own that never calls `train`
            optimizer.zero_grad()
            whole(torch.randn(8, 3) + 5).square().sum().backward()
            optimizer.step()
        assert torch.equal(whole.batchnorm1.running_mean, before)
        assert whole.training
        whole.train()
        assert not whole.batchnorm1.training

    def test_blocks_are_frozen_with_all_their_parts(self):
        whole = Input(4, 8, 8) >> ResidualBlock(4) >> GlobalPooling() >> Softmax(2)
        whole.freeze("residualblock1")
        block = whole.residualblock1
        assert [p.training for p in block.modules() if isinstance(p, BatchNorm)] == [False] * 2

    def test_a_mode_that_was_set_stays(self):
        whole = Input(3) >> Dropout(0.5) >> Linear(2) >> BatchNorm() >> Linear(1)
        whole.dropout1.eval()
        whole.freeze("batchnorm1")
        assert not whole.dropout1.training
        whole.eval()
        whole.freeze("batchnorm1")
        assert not whole.linear2.training

    def test_without_parameters_there_is_nothing_to_freeze(self):
        with pytest.raises(ShapeError, match="no parameters yet"):
            (Relu(3) >> Relu(4)).freeze("relu1")


class TestPredict:
    def test_inputs_by_name_in_any_order(self):
        both = parallel(Input(2), Input(1, name="age")) >> Concatenate()
        x, age = torch.ones(3, 2), torch.zeros(3, 1)
        expected = both.predict((x, age))
        assert torch.equal(both.predict({"age": age, "input1": x}), expected)
        assert torch.equal(both.predict([x, age]), expected)
        whole = network()
        x = torch.randn(2, 3)
        assert torch.equal(whole.predict({"input1": x}), whole.predict(x))

    @pytest.mark.parametrize(
        "given", [{}, {"x": 1}, {"input1": 1, "x": 2}, {"input2": 1}, {1: 2}]
    )
    def test_other_names_are_refused(self, given):
        with pytest.raises(ValueError, match="the network's inputs are named input1, got "):
            network().predict(given)


class TestNumberOfInputs:
    @pytest.mark.parametrize("layer", [GatedAverage(), Elementwise("subtract")], ids=repr)
    def test_too_few_are_refused_at_once(self, layer):
        for front in (Relu(3), Input(3)):
            with pytest.raises(ShapeError, match=r"takes .*2 inputs, got 1 from .*parallel"):
                front >> layer

    def test_one_is_enough_for_what_takes_any_number(self):
        x = torch.ones(1, 3)
        for operation in ("add", "multiply", "maximum", "mean"):
            assert torch.equal((Input(3) >> Elementwise(operation))(x), x)
        assert torch.equal((Input(3) >> Concatenate())(x), x)

    def test_a_function_is_given_as_many_as_it_takes(self):
        def difference(a, b):
            return a - b

        with pytest.raises(ShapeError, match="the number of inputs that its function takes"):
            Input(3) >> Elementwise(difference)
        merged = parallel(Input(3), Input(3)) >> Elementwise(difference)
        assert merged.output_shape == (3,)
        assert (Input(3) >> Elementwise(torch.relu)).output_shape == (3,)

    @pytest.mark.parametrize("compose", [parallel, join])
    def test_nothing_is_no_network(self, compose):
        with pytest.raises(ValueError, match="at least one network or layer"):
            compose()

    def test_examples_for_each_input(self):
        with pytest.raises(ValueError, match="takes 1 inputs, got examples for 2"):
            network().normalize(torch.ones(1, 3), torch.ones(1, 3))


class TestRepeat:
    @pytest.mark.parametrize(
        "layer",
        [
            LSTM(3),
            GlobalPooling(),
            SpatialPyramidPooling(),
            Embedding(9, 4),
            Relu(3) >> Reshape(1, 1, 3),
            Convolution(8, 3) >> Flatten(),
            GatedAverage(),
            Relu(3) | Linear(3),
        ],
        ids=repr,
    )
    def test_what_cannot_follow_itself_is_refused_at_once(self, layer):
        assert repr(repeat(layer, 1)) == repr(layer)
        with pytest.raises(ShapeError, match=r"cannot f|got 1 from") as caught:
            repeat(layer, 2)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        "layer",
        [
            LSTM(3, only_last=False),
            MaxPooling(2),
            Flatten(),
            Transpose(1, 0),
            Relu(8) >> BatchNorm(),
            Convolution(8, 3),
            Reshape(7, 5),
            ResidualBlock(12),
        ],
        ids=repr,
    )
    def test_what_can_is_repeated(self, layer):
        assert len(repeat(layer, 3)) == 3 * len(join(layer))


class TestOrderOfAxes:
    @pytest.mark.parametrize(
        "front",
        [
            Convolution(3, 3, padding="same"),
            Convolution(3, 3, padding="same") >> BatchNorm() >> Relu() >> Dropout(0.5),
            MaxPooling(2),
            ResidualBlock(4),
            parallel(Convolution(3, 1), Identity()) >> Concatenate(),
            BatchNorm(),
        ],
        ids=repr,
    )
    def test_softmax_does_not_take_a_signal_for_a_sequence(self, front):
        signal = Input(4, 16) >> front
        with pytest.raises(ShapeError, match=r"Softmax\(\) would normalise over the positions"):
            signal >> Softmax()
        y = (signal >> Softmax(axis=0)).eval()(torch.randn(2, 4, 16))
        torch.testing.assert_close(y.sum(1), torch.ones(2, y.shape[2]))
        assert (signal >> Softmax(axis=-1)).output_shape == signal.output_shape

    @pytest.mark.parametrize(
        "front",
        [
            Identity(),
            Relu(3),
            LSTM(3, only_last=False),
            LayerNorm(),
            Convolution(3, 3) >> Transpose(1, 0),
            Convolution(3, 3) >> Transpose(1, 0) >> LSTM(5, only_last=False) >> Relu(),
        ],
        ids=repr,
    )
    def test_the_last_axis_of_a_sequence_is_taken(self, front):
        y = (Input(4, 16) >> front >> Softmax()).eval()(torch.randn(2, 4, 16))
        torch.testing.assert_close(y.sum(-1), torch.ones(y.shape[:2]))

    def test_images_have_channels_by_default(self):
        y = (Input(1, 4, 4) >> Convolution(3, 3) >> Softmax())(torch.randn(2, 1, 4, 4))
        torch.testing.assert_close(y.sum(1), torch.ones(2, 2, 2))


class TestSize:
    def test_parameters_are_held_against_the_memory_that_is_free(self, monkeypatch):
        monkeypatch.setattr(free_memory, "free_memory", lambda: 2**28)
        line = (
            r"^Linear\(10000\) with 100,010,000 parameters needs 400 MB .* 268 MB are free\.$"
        )
        with pytest.raises(MemoryError, match=line):
            Input(10_000) >> Linear(10_000)
        with torch.device("meta"):
            assert (Input(10_000) >> Linear(10_000)).output_shape == (10_000,)

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda long: Input(3) >> Reshape(*[1] * 100_000),
            Relu,
            lambda long: Relu(4, name=f"9{long}"),
            lambda long: Input(3, name=long) >> Relu(4, name=long),
            lambda long: network().upto(long),
            lambda long: network().predict({long: 1}),
            lambda long: Input(3, 8, name=long) >> Convolution(4, 9),
            lambda long: Input(3) >> Elementwise(long),
            lambda long: Input(*[1] * 100_000) >> Relu(4),
            GlobalPooling,
            lambda long: ResidualBlock(4, activation=long),
        ],
    )
    def test_errors_repeat_nothing_at_length(self, wrong):
        with pytest.raises(ValueError, match=r"x|1") as caught:
            wrong("x" * 100_000)
        assert len(str(caught.value)) < 600
        assert "\n" not in str(caught.value)


def test_a_network_of_something_else_is_refused_at_once():
    with pytest.raises(
        TypeError, match=r"composed of layers, as in Input\(4\) .* got Input\(4\)"
    ):
        Network(Input(4) >> Relu(8))


@pytest.mark.parametrize("lengths", [(1, 28, 28), [1, 28, 28]])
def test_a_tuple_of_lengths_is_refused_with_the_call_to_write(lengths):
    with pytest.raises(ValueError, match=r"a (tuple|list): write Input\(1, 28, 28\)\.$"):
        Input(lengths)
