"""RNN, LSTM and GRU: torch's layers under equal weights, peepholes by hand, states."""

import math

import pytest
import torch
from tests.agreement import same_compiled_exported_copied_and_saved
from torch import Tensor, nn

from neuropil.core import Layer, Network, ShapeError, parallel
from neuropil.init import Constant
from neuropil.layers import GRU, LSTM, RNN, Embedding, Input, Linear, Relu, Softmax

PAIRS = [(LSTM, nn.LSTM), (GRU, nn.GRU), (RNN, nn.RNN)]
both = pytest.mark.parametrize(("cls", "peer"), PAIRS, ids=["LSTM", "GRU", "RNN"])
exact = {"rtol": 0, "atol": 1e-12}


def twins(cls, peer, *, bidirectional: bool, **options) -> tuple[Layer, nn.Module]:
    """Return our layer and torch's, of equal random weights, in double precision."""
    torch.manual_seed(0)
    ours = cls(5, bidirectional=bidirectional, **options)
    _ = Input(None, 3) >> ours
    theirs = peer(3, 5, batch_first=True, bidirectional=bidirectional).double()
    ours.double().load_state_dict(theirs.state_dict())
    return ours, theirs


@both
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("started", [False, True])
def test_outputs_and_gradients_are_torchs(cls, peer, bidirectional, started):
    ours, theirs = twins(cls, peer, bidirectional=bidirectional, only_last=False)
    width, directions = 5 * (1 + bidirectional), 1 + bidirectional
    x = torch.randn(4, 7, 3, dtype=torch.float64)
    starts = [torch.randn(4, width, dtype=torch.float64) for _ in ours.states * started]
    given = [x.clone().requires_grad_(), *(s.clone().requires_grad_() for s in starts)]
    twin = [x.clone().requires_grad_(), *(s.clone().requires_grad_() for s in starts)]
    state = [s.reshape(4, directions, 5).transpose(0, 1).contiguous() for s in twin[1:]]
    hx = None if not started else tuple(state) if cls is LSTM else state[0]
    expected, _ = theirs(twin[0], hx)
    output = ours(*given)
    torch.testing.assert_close(output, expected, **exact)

    factors = torch.randn_like(expected)
    (output * factors).sum().backward()
    (expected * factors).sum().backward()
    for one, two in zip(
        [*given, *ours.parameters()], [*twin, *theirs.parameters()], strict=True
    ):
        torch.testing.assert_close(one.grad, two.grad, **exact)


@both
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_last_output_is_the_state_behind_everything(cls, peer, bidirectional):
    ours, theirs = twins(cls, peer, bidirectional=bidirectional)
    x = torch.randn(4, 7, 3, dtype=torch.float64)
    _, state = theirs(x)
    h = state[0] if cls is LSTM else state
    torch.testing.assert_close(ours(x), h.transpose(0, 1).flatten(1), **exact)


@both
def test_a_sequence_in_parts_gives_what_it_gives_at_once(cls, peer):
    ours, theirs = twins(cls, peer, bidirectional=False)
    x = torch.randn(2, 9, 3, dtype=torch.float64)
    expected, last = theirs(x)
    outputs, state = [], ()
    for step in x.split([1, 5, 3], 1):
        output, state = ours.run(step, state)
        outputs.append(output)
    torch.testing.assert_close(torch.cat(outputs, 1), expected, **exact)
    for own, their in zip(state, last if cls is LSTM else (last,), strict=True):
        torch.testing.assert_close(own, their[0], **exact)


def test_a_state_can_be_fed_to_the_layer_as_it_came():
    ours, _ = twins(LSTM, nn.LSTM, bidirectional=True)
    x = torch.randn(2, 9, 3, dtype=torch.float64)
    outputs, state = ours.run(x)
    assert [tuple(s.shape) for s in state] == [(2, 10), (2, 10)]
    again, _ = ours.run(x, state)
    torch.testing.assert_close(ours(x, *state)[:, :5], again[:, -1, :5], **exact)
    assert not torch.equal(outputs, again)


@both
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_network_with_starts_feeds_them(cls, peer, bidirectional):
    states, width = (2 if cls is LSTM else 1), 5 * (1 + bidirectional)
    layer = cls(5, bidirectional=bidirectional, only_last=False)
    vectors = [Input(4) >> Linear(width) for _ in range(states)]
    network = parallel(Input(None, 3), *vectors) >> layer
    x, *given = torch.randn(2, 6, 3), *(torch.randn(2, 4) for _ in range(states))
    starts = [vector(value) for vector, value in zip(vectors, given, strict=True)]
    torch.testing.assert_close(network(x, *given), layer.run(x, tuple(starts))[0])
    assert network.output_shape == (None, width)


def test_a_cell_without_a_start_begins_at_zero():
    layer = LSTM(5)
    _ = Input(None, 3) >> layer
    x, h = torch.randn(2, 6, 3), torch.randn(2, 5)
    torch.testing.assert_close(layer(x, h), layer(x, h, torch.zeros(2, 5)), rtol=0, atol=0)


def test_rectified_units_are_torchs():
    torch.manual_seed(0)
    ours = RNN(5, activation="relu", only_last=False)
    _ = Input(None, 3) >> ours
    theirs = nn.RNN(3, 5, batch_first=True, nonlinearity="relu")
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(4, 7, 3)
    torch.testing.assert_close(ours(x), theirs(x)[0], rtol=0, atol=0)


@both
@pytest.mark.parametrize("only_last", [False, True])
def test_backward_is_the_second_direction_of_torchs(cls, peer, only_last):
    torch.manual_seed(0)
    theirs = peer(3, 5, batch_first=True, bidirectional=True)
    ours = cls(5, backward=True, only_last=only_last)
    _ = Input(None, 3) >> ours
    weights = {k.removesuffix("_reverse"): v for k, v in theirs.state_dict().items()}
    ours.load_state_dict(weights)  # those of the second direction come last
    x = torch.randn(4, 7, 3)
    expected = theirs(x)[0][..., 5:]
    torch.testing.assert_close(ours(x), expected[:, 0] if only_last else expected)
    late, state = ours.run(x[:, 4:])
    early, _ = ours.run(x[:, :4], state)
    torch.testing.assert_close(torch.cat((early, late), 1), expected)


@both
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_learned_start_is_torchs_state(cls, peer, bidirectional):
    _, theirs = twins(cls, peer, bidirectional=bidirectional)
    learned = cls(5, bidirectional=bidirectional, learn_start=True, only_last=False)
    network = Input(None, 3) >> learned
    network.double()
    missing, unexpected = learned.load_state_dict(theirs.state_dict(), strict=False)
    assert (missing, unexpected) == ([f"{state}0" for state in cls.states], [])
    x = torch.randn(4, 7, 3, dtype=torch.float64)
    torch.testing.assert_close(network(x), theirs(x)[0], **exact)  # it starts at zero

    directions = 1 + bidirectional
    states = [torch.randn(directions, 5, dtype=torch.float64) for _ in cls.states]
    with torch.no_grad():
        for name, state in zip(missing, states, strict=True):
            learned.get_parameter(name).copy_(state.flatten())
    each = [state[:, None].expand(-1, 4, -1).contiguous() for state in states]
    expected = theirs(x, tuple(each) if cls is LSTM else each[0])[0]
    torch.testing.assert_close(network(x), expected, **exact)
    network(x).square().sum().backward()
    assert all(learned.get_parameter(name).grad.abs().min() > 0 for name in missing)


@both
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_layer_without_biases_is_torchs(cls, peer, bidirectional):
    torch.manual_seed(0)
    theirs = peer(3, 5, batch_first=True, bidirectional=bidirectional, bias=False)
    ours = cls(5, bidirectional=bidirectional, bias=False, only_last=False)
    _ = Input(None, 3) >> ours
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(4, 7, 3)
    torch.testing.assert_close(ours(x), theirs(x)[0], rtol=0, atol=0)


def test_the_start_of_a_bias_goes_before_that_of_the_forget_gate():
    lstm = LSTM(2, bias=0.5)
    _ = Input(None, 3) >> lstm
    assert lstm.bias_ih_l0.tolist() == [0.5] * 8
    assert not lstm.bias_hh_l0.any()
    values = torch.arange(6.0)
    gru = GRU(2, bias=values, bidirectional=True)
    _ = Input(None, 3) >> gru
    assert gru.bias_ih_l0.tolist() == gru.bias_ih_l0_reverse.tolist() == values.tolist()


# Peepholes


def sigma(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_peepholes_by_hand():
    """Two steps with one unit: the output gate sees the new cell, the others the old one."""
    lstm = LSTM(1, peepholes=True, only_last=False)
    _ = Input(None, 1) >> lstm
    weights = {
        "weight_ih_l0": [[0.5], [-0.3], [0.8], [0.2]],
        "weight_hh_l0": [[0.1], [0.4], [-0.6], [0.7]],
        "bias_ih_l0": [0.05, 1.0, -0.1, 0.3],
        "bias_hh_l0": [0.01, 0.02, 0.03, 0.04],
        "peephole_l0": [0.9, -0.7, 0.6],
    }
    lstm.double().load_state_dict({k: torch.tensor(v).double() for k, v in weights.items()})
    h = c = 0.0
    expected = []
    for x in (1.5, -2.0):
        i = sigma(0.5 * x + 0.1 * h + 0.06 + 0.9 * c)
        f = sigma(-0.3 * x + 0.4 * h + 1.02 - 0.7 * c)
        c = f * c + i * math.tanh(0.8 * x - 0.6 * h - 0.07)
        h = sigma(0.2 * x + 0.7 * h + 0.34 + 0.6 * c) * math.tanh(c)
        expected.append(h)
    x = torch.tensor([[[1.5], [-2.0]]], dtype=torch.float64)
    assert lstm(x).flatten().tolist() == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_closed_peepholes_are_torchs_lstm(bidirectional):
    torch.manual_seed(0)
    ours = LSTM(5, bidirectional=bidirectional, peepholes=True, only_last=False)
    _ = Input(None, 3) >> ours
    theirs = nn.LSTM(3, 5, batch_first=True, bidirectional=bidirectional).double()
    ours.double().load_state_dict(theirs.state_dict(), strict=False)
    x = torch.randn(4, 7, 3, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x)[0], **exact)
    torch.testing.assert_close(
        ours.run(x)[1][1], theirs(x)[1][1].transpose(0, 1).flatten(1), **exact
    )


def test_each_direction_has_its_own_peepholes():
    lstm = LSTM(2, bidirectional=True, peepholes=True, only_last=False)
    _ = Input(None, 1) >> lstm
    x = torch.randn(1, 4, 1)
    before = lstm(x)
    with torch.no_grad():
        lstm.peephole_l0_reverse.fill_(0.5)
    changed = lstm(x) != before
    # The first step backward starts from an empty cell, but its output gate sees the new one.
    assert changed.tolist() == [[[False, False, True, True]] * 4]


# Weights


@both
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_parameters_are_torchs(cls, peer, bidirectional):
    ours, theirs = twins(cls, peer, bidirectional=bidirectional)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())


def test_every_gate_is_drawn_by_itself():
    torch.manual_seed(0)
    lstm, gru = LSTM(6, forget_bias=1.5), GRU(6)
    _ = Input(None, 4) >> lstm, Input(None, 4) >> gru
    for layer in (lstm, gru):
        for U in layer.weight_hh_l0.detach().chunk(layer.gates):
            torch.testing.assert_close(U @ U.T, torch.eye(6), rtol=0, atol=1e-5)
        bound = math.sqrt(6 / (6 + 4))
        assert 0.7 * bound < layer.weight_ih_l0.abs().max() < bound
    assert lstm.bias_ih_l0.tolist() == [0.0] * 6 + [1.5] * 6 + [0.0] * 12
    assert lstm.bias_hh_l0.count_nonzero() == gru.bias_ih_l0.count_nonzero() == 0


def test_initialisers_can_be_chosen():
    layer = GRU(3, weight=Constant(0.5), recurrent_weight=Constant(-1.0), bidirectional=True)
    _ = Input(None, 2) >> layer
    assert layer.weight_ih_l0_reverse.unique().tolist() == [0.5]
    assert layer.weight_hh_l0_reverse.unique().tolist() == [-1.0]


def test_parameters_and_cost_are_the_published_ones():
    layer = LSTM(48)
    assert layer.multiply_adds((50, 32)) == 768_000
    assert sum(map(math.prod, layer.parameter_shapes((50, 32)).values())) == 15_744
    assert LSTM(48, bidirectional=True).multiply_adds((50, 32)) == 2 * 768_000
    assert LSTM(48, peepholes=True).multiply_adds((50, 32)) == 768_000 + 50 * 3 * 48
    assert GRU(48).multiply_adds((50, 32)) == 768_000 * 3 // 4


# Within a network


def network_of(cls) -> tuple[Network, Tensor]:
    torch.manual_seed(0)
    network = Input(12, dtype="int64") >> Embedding(9, 4) >> cls(5) >> Relu(6) >> Softmax(3)
    return network, torch.randint(0, 9, (2, 12))


# The compiler looks at what a broken graph hands over, and torch warns of the look.
@pytest.mark.filterwarnings("ignore:The .grad attribute")
@both
def test_it_is_compiled_exported_copied_and_saved(cls, peer, tmp_path):
    network, x = network_of(cls)
    compiled = same_compiled_exported_copied_and_saved(network, x, tmp_path, fullgraph=False)
    compiled(x).log().sum().backward()


@both
def test_wrong_use_is_refused(cls, peer):
    name = cls.__name__
    with pytest.raises(
        ShapeError, match=r"needs a sequence \(T, D\), got \(5\): put Embedding"
    ):
        Input(5) >> cls(3)
    with pytest.raises(
        ShapeError, match=r"needs a sequence \(T, D\), got \(3, 8, 8\): put Resh"
    ):
        Input(3, 8, 8) >> cls(3)
    with pytest.raises(ShapeError, match="a last axis of known length"):
        Input(5, None) >> cls(3)
    with pytest.raises(ShapeError, match=r"h of shape \(6\).* got \(5, 2\) and \(3\)"):
        parallel(Input(5, 2), Input(3)) >> cls(3, bidirectional=True)
    with pytest.raises(ShapeError, match="a known length to count"):
        cls(3).multiply_adds((None, 2))
    with pytest.raises(ValueError, match=f"{name}: units must be a whole number"):
        cls(0)
    with pytest.raises(ShapeError, match=r"takes floats, .* put Embedding"):
        Input(5, dtype="int64") >> cls(3)


def test_wrong_numbers_are_refused():
    with pytest.raises(ValueError, match="LSTM: forget_bias must be a number"):
        LSTM(3, forget_bias="much")
    with pytest.raises(ValueError, match="GRU: recurrent_weight must be an initialiser"):
        GRU(3, recurrent_weight="large")
    with pytest.raises(ValueError, match="RNN: activation must be 'tanh' or 'relu'"):
        RNN(3, activation="elu")
    with pytest.raises(ValueError, match="RNN: backward has no effect with bidirectional=True"):
        RNN(3, backward=True, bidirectional=True)
    with pytest.raises(ShapeError, match=r"learns its initial state and takes none as input"):
        parallel(Input(5, 2), Input(3)) >> GRU(3, learn_start=True)
