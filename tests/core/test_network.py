"""Composing, cutting, running and copying networks."""

import copy
import pickle
import weakref

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from neuropil import Layer, Network, ShapeError, join, layers, parallel, repeat
from neuropil.layers import Input, Linear, Relu, Softmax, Tanh


def residual(channels: int) -> Network:
    body = layers.Convolution(channels, 3, padding="same") >> layers.BatchNorm() >> Relu()
    return parallel(
        body >> layers.Convolution(channels, 3, padding="same"), layers.Identity()
    ) >> layers.Elementwise("add")


def small() -> Network:
    return (
        Input(3, 8, 8)
        >> layers.Convolution(4, 3)
        >> residual(4)
        >> Relu()
        >> layers.Flatten()
        >> Softmax(5)
    )


class TestComposing:
    def test_join_is_associative(self):
        torch.manual_seed(0)
        left = (Input(4) >> Relu(8)) >> (Tanh(3) >> Softmax(2))
        torch.manual_seed(0)
        right = Input(4) >> (Relu(8) >> (Tanh(3) >> Softmax(2)))
        x = torch.randn(5, 4)
        assert repr(left) == repr(right)
        assert list(left.state_dict()) == list(right.state_dict())
        assert left(x).shape == right(x).shape == (5, 2)

    def test_the_same_code_and_seed_give_the_same_weights(self):
        torch.manual_seed(3)
        first = small()
        torch.manual_seed(3)
        second = small()
        for a, b in zip(first.parameters(), second.parameters(), strict=True):
            assert torch.equal(a, b)

    def test_reset_parameters_does_not_depend_on_how_it_was_composed(self):
        chain = Input(4) >> Relu(8) >> Tanh(3)
        nested = Input(4) >> (Relu(8) >> Tanh(3))
        for network in (chain, nested):
            network.reset_parameters(torch.Generator().manual_seed(7))
        for a, b in zip(chain.parameters(), nested.parameters(), strict=True):
            assert torch.equal(a, b)

    def test_composing_changes_neither_operand(self):
        first, second = Input(4) >> Relu(8), Relu(3) >> Softmax(2)
        before = repr(first), repr(second), list(first.state_dict())
        first >> second
        assert (repr(first), repr(second), list(first.state_dict())) == before
        assert len(second) == 2

    def test_a_join_that_cannot_fit_names_both_layers_both_shapes_and_the_mend(self):
        with pytest.raises(ShapeError) as caught:
            (
                Input(3, 32, 32)
                >> layers.Convolution(8, 3)
                >> layers.Flatten()
                >> Relu(10)
                >> layers.Convolution(8, 3)
            )
        message = str(caught.value)
        for part in ("Relu(10)", "(10)", "Convolution(8, 3)", "(C, H, W)", "put "):
            assert part in message

    def test_a_join_that_fails_builds_nothing(self):
        tail = Relu(10) >> layers.Convolution(8, 3)
        with pytest.raises(ShapeError):
            Input(4) >> tail
        assert not list(tail.parameters())

    def test_units_behind_an_image_are_refused_with_the_mend(self):
        with pytest.raises(ShapeError, match=r"Flatten\(\) or Convolution\(10, 1\)"):
            Input(3, 8, 8) >> Relu(10)

    def test_one_output_feeds_many_and_many_feed_a_merging_layer(self):
        network = Input(4) >> (Relu(3) | Tanh(2) | layers.Identity()) >> layers.Concatenate()
        x = torch.randn(2, 4)
        expected = torch.cat([network.relu1(x), network.tanh1(x), x], 1)
        assert torch.equal(network(x), expected)

    def test_many_to_one_needs_a_merging_layer(self):
        with pytest.raises(ShapeError, match=r"Relu\(3\) takes 1 input, got 2"):
            Input(4) >> (Relu(3) | Tanh(3)) >> Relu(3)

    def test_many_to_many_is_refused_as_ambiguous(self):
        with pytest.raises(ShapeError, match="2 outputs cannot feed 2 layers"):
            Input(4) >> (Relu(3) | Tanh(3)) >> (Relu(3) | Tanh(3))

    def test_an_input_takes_nothing(self):
        with pytest.raises(ShapeError, match=r"Input\(4\) starts a network"):
            Input(4) >> Relu(3) >> Input(4)

    def test_integers_are_refused_where_floats_are_needed(self):
        with pytest.raises(ShapeError, match=r"gives integers: put Embedding"):
            Input(4, dtype="int64") >> Relu(3)

    def test_a_mask_is_of_integers_among_floats(self):
        class Masked(Layer):
            inputs_taken = (1, 2)

            def is_mask(self, shape):
                return len(shape) == 1

            def forward(self, x, mask=None):
                return x if mask is None else x * (mask != 0).unsqueeze(-1)

        network = parallel(Input(3, 2), Input(3, dtype="uint8")) >> Masked()
        assert network.graph.nodes[-1].kind == "float"
        kept = network(torch.ones(1, 3, 2), torch.tensor([[1, 0, 7]]))
        assert kept[0, :, 0].tolist() == [1, 0, 1]
        with pytest.raises(ShapeError, match=r"a mask of integers, and Input\(3\) gives"):
            parallel(Input(3, 2), Input(3)) >> Masked()
        with pytest.raises(ShapeError, match=r"Masked\(\) takes floats"):
            parallel(Input(3, 2, dtype="int64"), Input(3, dtype="int64")) >> Masked()
        # Alone it is no mask, whatever its shape.
        assert (Input(3) >> Masked()).output_shape == (3,)

    def test_strangers_are_left_to_python(self):
        with pytest.raises(TypeError):
            Input(4) >> nn.Linear(4, 3)

    def test_a_layer_stands_once(self):
        relu = Relu()
        with pytest.raises(ShapeError, match=r"is already in this network"):
            Input(4) >> relu >> Linear(4) >> relu

    def test_parallel_merges_what_networks_share(self):
        trunk = Input(4) >> Relu(8)
        both = parallel(trunk >> Softmax(3), trunk >> Linear(2))
        assert len(both) == 4
        assert both.output_shapes == ((3,), (2,))
        assert len(both.inputs) == 1

    def test_a_network_built_for_other_shapes_says_copy_it_first(self):
        head = Relu(3) >> Softmax(2)
        Input(4) >> head
        with pytest.raises(ShapeError, match="copy it first"):
            Input(5) >> head

    def test_a_free_axis_stays_free_to_the_global_pooling(self):
        network = (
            Input(3, None, None) >> layers.Convolution(8, 3) >> layers.MaxPooling(2) >> Relu()
        )
        assert network.output_shape == (8, None, None)
        network = network >> layers.GlobalPooling("avg") >> Softmax(10)
        assert network.output_shape == (10,)
        for side in (32, 64):
            assert network(torch.randn(2, 3, side, side)).shape == (2, 10)

    def test_join_and_operators_agree(self):
        assert repr(join(Input(4), Relu(3), Tanh())) == repr(Input(4) >> Relu(3) >> Tanh())


class TestRepeat:
    def test_copies_share_nothing(self):
        network = Input(4) >> repeat(Relu(4) >> Tanh(), 3)
        assert len(network.layers) == 7
        assert sum(p.numel() for p in network.parameters()) == 3 * 20

    def test_shared_calls_are_registered_once(self):
        network = Input(4) >> repeat(Relu(4), 3, share=True)
        assert network.node_names == ("input1", "relu1", "relu1@2", "relu1@3")
        assert list(network.state_dict()) == ["relu1.weight", "relu1.bias"]
        x = torch.randn(2, 4)
        layer = network.relu1
        assert torch.equal(network(x), layer(layer(layer(x))))

    def test_a_shared_layer_must_fit_every_call(self):
        with pytest.raises(ShapeError, match="already built"):
            Input(4) >> repeat(Relu(5), 2, share=True)

    def test_user_names_are_numbered(self):
        network = Input(4) >> repeat(Relu(4, name="block"), 2)
        assert network.node_names == ("input1", "block", "block_2")

    def test_a_siamese_pair_shares_its_weights(self):
        half = Input(4) >> Relu(3)
        pair = parallel(half, half, share=True) >> layers.Elementwise("subtract")
        assert len(pair.inputs) == 2
        a, b = torch.randn(2, 4), torch.randn(2, 4)
        assert torch.equal(pair(a, b), half(a) - half(b))
        assert sum(p.numel() for p in pair.parameters()) == 15

    @pytest.mark.parametrize("n", [0, -1, 1.5, "2"])
    def test_a_wrong_number_is_refused(self, n):
        with pytest.raises(ValueError, match="number of repetitions"):
            repeat(Relu(), n)

    def test_an_absurd_number_is_refused_at_once(self):
        with pytest.raises(ShapeError, match="at most"):
            repeat(Relu(), 10**9)


class TestInputsByName:
    def test_they_are_taken_in_any_order(self):
        network = parallel(Input(2, name="left"), Input(3, name="x1"), Input(1)) >> (
            layers.Concatenate()
        )
        a, b, c = torch.randn(4, 2), torch.randn(4, 3), torch.randn(4, 1)
        expected = torch.cat((a, b, c), 1)
        assert torch.equal(network(input1=c, x1=b, left=a), expected)
        assert torch.equal(network(a, input1=c, x1=b), expected)
        named = {"input1": c, "left": a, "x1": b}
        assert torch.equal(network.predict(named), expected)
        compiled = torch.compile(network, backend="eager", fullgraph=True)
        assert torch.equal(compiled(**named), expected)
        exported = torch.export.export(network, (), named)
        assert torch.equal(exported.module()(**named), expected)
        assert network.input_names == ("left", "x1", "input1")

    def test_names_of_variables_are_names_of_inputs_too(self):
        network = parallel(Input(2, name="self") >> Relu(3), Input(2, name="m1")) >> (
            layers.Concatenate()
        )
        a, b = torch.randn(4, 2), torch.randn(4, 2)
        # Torch itself has no place for a keyword "self".
        assert torch.equal(network(a, m1=b), network(a, b))
        assert torch.equal(network(a, b)[:, 3:], b)

    def test_a_wrong_name_is_refused(self):
        network = parallel(Input(2, name="left"), Input(2)) >> layers.Concatenate()
        with pytest.raises(TypeError, match="unexpected keyword argument 'right'"):
            network(left=torch.ones(1, 2), right=torch.ones(1, 2))
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'input1'"):
            network(left=torch.ones(1, 2))


class TestNames:
    def test_numbers_start_anew_in_every_network(self):
        assert small().node_names == small().node_names
        assert "convolution3" in small().node_names

    def test_automatic_names_make_way_for_the_users(self):
        network = Input(4) >> Relu(3, name="relu1") >> Relu(2)
        assert network.node_names == ("input1", "relu1", "relu2")

    def test_equal_user_names_are_refused(self):
        with pytest.raises(ValueError, match="two layers are named 'same'"):
            Input(4) >> Relu(3, name="same") >> Relu(2, name="same")

    @pytest.mark.parametrize("name", ["a b", "1a", "class", "_x", "a.b", "", "a;import os"])
    def test_names_are_identifiers(self, name):
        with pytest.raises(ValueError, match="Python identifier"):
            Relu(name=name)

    @pytest.mark.parametrize("name", ["forward", "train", "names", "parameters"])
    def test_names_of_a_network_are_taken(self, name):
        with pytest.raises(ValueError, match="networks use that name"):
            Input(3) >> Relu(name=name)


class TestParts:
    def test_both_parts_together_are_the_whole(self):
        network = small()
        x = torch.randn(2, 3, 8, 8)
        network.eval()
        front, back = network.upto("elementwise1"), network.after("elementwise1")
        assert torch.allclose(back(front(x)), network(x))
        assert front.node_names + back.node_names == network.node_names
        assert front.convolution1.weight is network.convolution1.weight

    def test_a_cut_between_branches_is_refused(self):
        with pytest.raises(ValueError, match="cut before the branches part"):
            small().after("convolution2")

    def test_an_unknown_name_suggests_the_nearest(self):
        with pytest.raises(ValueError, match="Did you mean 'convolution1'"):
            small().upto("convolutoin1")

    def test_parts_can_be_joined_to_something_new(self):
        network = small()
        other = network.upto("relu2") >> layers.GlobalPooling("avg") >> Softmax(2)
        assert other.output_shape == (2,)
        assert other.convolution1.weight is network.convolution1.weight


class TestScores:
    @pytest.mark.parametrize(
        ("last", "activate"),
        [
            (lambda: Softmax(3), lambda z: z.softmax(1)),
            (lambda: layers.Sigmoid(3), torch.sigmoid),
            (lambda: Linear(3) >> Softmax(), lambda z: z.softmax(1)),
        ],
    )
    def test_scores_end_before_the_last_activation(self, last, activate):
        network = Input(4) >> Relu(5) >> last()
        scores = network.scores()
        x = torch.randn(6, 4)
        assert torch.allclose(activate(scores(x)), network(x))
        assert list(scores.state_dict()) == list(network.state_dict())
        for a, b in zip(scores.parameters(), network.parameters(), strict=True):
            assert a is b

    def test_moving_the_scores_moves_the_network(self):
        network = Input(4) >> Softmax(3)
        network.scores().double()
        assert network(torch.randn(2, 4)).dtype == torch.float64

    def test_other_networks_are_their_own_scores(self):
        network = Input(4) >> Relu(3)
        assert network.scores() is network

    def test_a_softmax_inside_is_left_alone(self):
        network = Input(4) >> Softmax(3) >> Linear(2)
        assert network.scores() is network


class TestRunning:
    def test_equal_to_hand_written_torch(self):
        network = small()
        x = torch.randn(4, 3, 8, 8)
        z = network.convolution1(x)
        y = network.convolution3(network.relu1(network.batchnorm1(network.convolution2(z))))
        expected = network.softmax1(torch.relu(y + z).flatten(1))
        assert torch.allclose(network(x), expected, atol=1e-6)

    def test_hooks_and_replaced_children_work(self):
        network = Input(4) >> Relu(3) >> Linear(2)
        seen = []
        network.relu1.register_forward_hook(lambda *args: seen.append(args[2].shape))
        network(torch.randn(5, 4))
        assert seen == [(5, 3)]
        network.linear1 = nn.Linear(3, 7)
        assert network(torch.randn(5, 4)).shape == (5, 7)

    def test_unbuilt_networks_say_what_is_missing(self):
        with pytest.raises(ShapeError, match="join it to one"):
            (Relu(3) >> Tanh())(torch.randn(2, 4))

    def test_a_wrong_batch_is_refused(self):
        with pytest.raises(ShapeError, match=r"takes batches of shape \(N, 4\), got \(2, 5\)"):
            (Input(4) >> Relu(3))(torch.randn(2, 5))

    def test_activations_are_freed_as_soon_as_they_can_be(self):
        outputs, alive = [], []

        class Step(Layer):
            def forward(self, x):
                alive.append(sum(output() is not None for output in outputs))
                y = x + 1
                outputs.append(weakref.ref(y))
                return y

        network = Input(3) >> repeat(Step(), 6)
        with torch.no_grad():
            network(torch.zeros(7, 3))
        assert max(alive) == 1

    @settings(max_examples=30, deadline=None)
    @given(data=st.data())
    def test_random_graphs_equal_direct_evaluation(self, data):
        network = Input(3) >> Linear(3)
        trunk = network
        for _ in range(data.draw(st.integers(1, 4))):
            branches = data.draw(st.integers(1, 3))
            parts = [
                Linear(3) >> Tanh() if branch else layers.Identity()
                for branch in range(branches)
            ]
            merged = parallel(*parts) >> layers.Elementwise("add")
            trunk = trunk >> (merged if branches > 1 else Tanh(3))
        x = torch.randn(2, 3)
        values: list[torch.Tensor] = []
        for node in trunk.nodes:
            values.append(node.layer(*([values[i] for i in node.inputs] or [x])))
        assert torch.allclose(trunk(x), values[-1])


class TestPredict:
    def test_kinds_batches_and_modes(self):
        network = Input(4) >> layers.BatchNorm() >> layers.Dropout(0.5) >> Softmax(3)
        network.train()
        x = torch.randn(11, 4)
        whole = network.predict(x)
        assert network.training
        assert torch.allclose(whole, network.predict(x, batch_size=2))
        assert isinstance(network.predict(x.numpy()), np.ndarray)
        assert np.allclose(network.predict(x.tolist()), whole)
        assert not whole.requires_grad

    def test_frozen_parts_stay_frozen(self):
        network = Input(4) >> layers.BatchNorm() >> Linear(2)
        network.train()
        network.batchnorm1.eval()
        network.predict(torch.randn(3, 4))
        assert not network.batchnorm1.training
        assert network.linear1.training

    def test_no_samples_give_no_outputs(self):
        assert (Input(4) >> Linear(2)).predict(torch.zeros(0, 4)).shape == (0, 2)

    def test_a_sample_without_its_batch_axis_is_named(self):
        with pytest.raises(ValueError, match="the first axis is the batch"):
            (Input(4, 3) >> Relu()).predict(np.zeros((4, 3)))

    def test_several_inputs_and_outputs(self):
        network = parallel(Input(2) >> Linear(3), Input(4) >> Linear(3))
        first, second = network.predict((np.ones((5, 2)), np.ones((5, 4))))
        assert first.shape == second.shape == (5, 3)
        with pytest.raises(ValueError, match="the same number"):
            network.predict((np.ones((5, 2)), np.ones((4, 4))))
        with pytest.raises(ValueError, match="takes 2 inputs, got 1"):
            network.predict(np.ones((5, 2)))


class TestCopies:
    def test_deepcopy_and_pickle(self):
        network = small().eval()
        x = torch.randn(2, 3, 8, 8)
        expected = network(x)
        for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
            assert torch.equal(other(x), expected)
            assert other.node_names == network.node_names
            assert other.convolution1.weight is not network.convolution1.weight

    @pytest.mark.parametrize("run_before", [False, True])
    def test_compile_traces_the_whole_network(self, run_before):
        network = small().eval()
        x = torch.randn(2, 3, 8, 8)
        if run_before:
            network(x)
        compiled = torch.compile(network, fullgraph=True, backend="eager")
        assert torch.allclose(compiled(x), network(x))

    def test_export(self):
        network = small().eval()
        x = torch.randn(2, 3, 8, 8)
        exported = torch.export.export(network, (x,))
        assert torch.allclose(exported.module()(x), network(x))

    @pytest.mark.filterwarnings("ignore")  # the exporter's own deprecations
    def test_onnx(self, tmp_path):
        pytest.importorskip("onnxscript")
        runtime = pytest.importorskip("onnxruntime")
        network = small().eval()
        network.normalize(torch.randn(9, 3, 8, 8) * 3 + 1)
        x = torch.randn(2, 3, 8, 8)
        path = tmp_path / "network.onnx"
        torch.onnx.export(network, (x,), path, dynamo=True, verbose=False)
        session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (output,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        assert np.allclose(output, network(x).detach().numpy(), atol=1e-5)


class TestNormalization:
    def test_mean_and_scale_come_from_the_examples(self):
        network = Input(3) >> layers.Identity()
        x = torch.randn(1000, 3) * torch.tensor([1.0, 10.0, 0.0]) + torch.tensor(
            [0.0, 5.0, 7.0]
        )
        network.normalize(x)
        y = network(x)
        assert torch.allclose(y.mean(0), torch.zeros(3), atol=1e-5)
        assert torch.allclose(y.std(0, correction=0), torch.tensor([1.0, 1.0, 0.0]), atol=1e-5)

    def test_pictures_have_one_a_channel(self):
        network = Input(2, 4, 4) >> layers.Identity()
        x = torch.randint(0, 256, (50, 2, 4, 4), dtype=torch.uint8)
        network.normalize(x)
        y = network(x)
        assert y.dtype == torch.float32
        assert torch.allclose(y.mean((0, 2, 3)), torch.zeros(2), atol=1e-5)
        assert network.input1.mean.shape == (2, 1, 1)

    def test_what_is_set_stays(self):
        network = Input(2) >> layers.Identity()
        network.input1.set_normalization(1.0, 2.0)
        network.normalize(torch.randn(10, 2))
        assert network(torch.ones(1, 2) * 5).tolist() == [[2.0, 2.0]]

    def test_integers_are_never_touched(self):
        network = Input(2, dtype="int64") >> layers.Identity()
        network.normalize(torch.arange(6).reshape(3, 2))
        assert network(torch.tensor([[3, 4]])).tolist() == [[3, 4]]

    @pytest.mark.parametrize(("mean", "scale"), [(float("nan"), 1.0), (0.0, 0.0)])
    def test_what_would_give_nan_is_refused(self, mean, scale):
        with pytest.raises(ValueError, match="finite"):
            Input(2).set_normalization(mean, scale)


@pytest.mark.parametrize("given", [None, "x", {"input1": ["a", "b"]}])
def test_inputs_that_are_not_numbers_are_refused_in_our_words(given):
    network = Input(3) >> Relu(2)
    with pytest.raises(TypeError, match="a network takes numbers in an array or a tensor, got"):
        network.predict(given)
