"""The health of gradients: figures against autograd and by hand, verdicts on sick networks."""

import copy
import itertools
import json
import math
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agreement import Parts
from torch import nn

from neuropil import datasets, layers
from neuropil.analysis import gradient_health
from neuropil.analysis.health.health_verdicts import VANISHING, find_vanishing, times
from neuropil.architectures import resnet18, small_convolutional
from neuropil.layers import Input, Linear, Relu, Sigmoid, Softmax


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def batch(examples=128, width=20, classes=10):
    return torch.randn(examples, width), torch.randint(0, classes, (examples,))


def deep(depth, activation, gain=1.0, width=32):
    """Return a plain network with Xavier weights times a gain."""
    sizes = [20, *[width] * depth]
    parts = []
    for before, after in itertools.pairwise(sizes):
        linear = nn.Linear(before, after)
        nn.init.xavier_normal_(linear.weight, gain=gain)
        parts += [linear, activation()]
    return nn.Sequential(*parts, nn.Linear(width, 10))


def kinds(health):
    return {verdict.kind for verdict in health.verdicts}


def by_name(health):
    return {row.name: row for row in health.rows}


# Figures


def test_figures_of_a_network_worked_by_hand():
    network = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0], [-1.0]]))
        network[0].bias.zero_()
        network[2].weight.copy_(torch.tensor([[2.0, 3.0]]))
    x = torch.tensor([[1.0], [3.0]])
    # Hidden (1, 0) and (3, 0), outputs 2 and 6; the loss is the mean of 1² and 2².
    health = gradient_health(network, x, torch.tensor([[1.0], [4.0]]))
    assert health.loss == pytest.approx(2.5)
    first, relu, last = health.rows
    # dL/dy = (1, 2); dL/dV = (1·1 + 2·3, 0) = (7, 0); dL/dh₁ = (2, 4).
    assert last.gradient == pytest.approx(7 / math.sqrt(2))
    assert last.weight == pytest.approx(math.sqrt((4 + 9) / 2))
    assert last.relative == pytest.approx(7 / math.sqrt(13))
    # dL/dw = (2·1 + 4·3, 0), dL/db = (2 + 4, 0), over four parameters.
    assert first.gradient == pytest.approx(math.sqrt((14**2 + 6**2) / 4))
    assert (first.parameters, first.mean) == (4, pytest.approx(0.0))
    assert first.deviation == pytest.approx(math.sqrt(5))
    assert (relu.mean, relu.deviation) == (
        pytest.approx(1.0),
        pytest.approx(np.std([1, 0, 3, 0])),
    )
    assert (relu.units, relu.dead, relu.values) == (2, 1, 2)
    assert relu.gradient is None
    assert relu.size == pytest.approx(math.sqrt(10 / 4))


def test_gradients_are_those_that_autograd_gives():
    network = (
        Input(1, 8, 8)
        >> layers.Convolution(4, 3)
        >> layers.BatchNorm()
        >> Relu()
        >> layers.Flatten()
    )
    network = network >> layers.Tanh(8) >> Softmax(5)
    x, y = torch.randn(16, 1, 8, 8), torch.randint(0, 5, (16,))
    health = gradient_health(network, x, y)
    loss = F.cross_entropy(network.scores()(x), y)
    loss.backward()
    assert health.loss == pytest.approx(loss.item(), rel=1e-6)
    for row in health.rows:
        own = list(network.layers[row.name].parameters())
        assert row.parameters == sum(p.numel() for p in own)
        if own:
            grads = torch.cat([p.grad.flatten() for p in own]).double()
            assert row.gradient == pytest.approx(grads.square().mean().sqrt().item(), rel=1e-5)
            weights = torch.cat([p.detach().flatten() for p in own]).double()
            assert row.weight == pytest.approx(weights.square().mean().sqrt().item(), rel=1e-5)
    assert [row.name for row in health.rows] == [
        *("convolution1", "batchnorm1", "relu1", "tanh1", "softmax1")
    ]


@settings(max_examples=30, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(1, 3))
def test_mean_and_deviation_over_all_calls_of_a_layer(middle, spread, calls):
    class Repeated(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones((), dtype=torch.float64))
            self.part = nn.Softplus()

        def forward(self, x):
            self.given = [self.part(x * self.scale + k * middle) for k in range(calls)]
            return sum(self.given)

    network = Repeated()
    x = torch.randn(40, 3, dtype=torch.float64) * spread
    health = gradient_health(network, x, torch.zeros(40, 3, dtype=torch.float64))
    row = by_name(health)["part"]
    values = torch.stack(network.given).detach().numpy()
    assert row.mean == pytest.approx(values.mean(), rel=1e-9, abs=1e-9)
    assert row.deviation == pytest.approx(values.std(), rel=1e-6, abs=1e-9)
    assert row.units == 3 * calls


def test_units_are_channels_of_pictures_and_the_last_axis_of_sequences():
    silent = torch.tensor([-100.0, 0.0, 0.0])
    signal = nn.Sequential(nn.Conv1d(2, 3, 1), nn.ReLU(), nn.Conv1d(3, 1, 1))
    words = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    for network, shape in ((signal, (40, 2, 5)), (words, (40, 5, 2))):
        with torch.no_grad():
            network[0].bias.copy_(silent)
        x = torch.randn(shape)
        row = gradient_health(network, x, network(x).detach()).rows[1]
        assert (row.units, row.dead) == (3, 1)
        assert row.values == 40 * 5


def test_saturated_is_beyond_97_percent_of_the_range():
    ends = torch.tensor([[0.014], [0.016], [0.5], [0.984], [0.986], [0.5], [0.5], [0.5]])
    network = nn.Sequential(nn.Linear(1, 1), nn.Sigmoid(), nn.Linear(1, 1))
    with torch.no_grad():
        network[0].weight.fill_(1.0)
        network[0].bias.zero_()
    row = gradient_health(network, ends.logit(), torch.zeros(8, 1)).rows[1]
    assert row.saturated == pytest.approx(2 / 8)


# Nothing is changed


def test_network_and_random_states_are_left_as_they_were():
    network = (
        Input(6)
        >> Linear(8)
        >> layers.BatchNorm()
        >> Relu()
        >> layers.Dropout(0.5)
        >> Softmax(3)
    )
    network.eval()
    network.layers["dropout1"].train()
    x, y = batch(32, 6, 3)
    network.layers["linear1"].weight.grad = torch.ones(8, 6)
    before = copy.deepcopy(network.state_dict())
    state = torch.get_rng_state()
    gradient_health(network, x, y)
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert network.layers["linear1"].weight.grad.eq(1).all()
    assert [m.training for m in network.layers.values()] == [False] * 4 + [True, False]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_hooks_are_gone_after_an_error():
    network = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    with pytest.raises(
        ValueError, match=r"shape \(8, 3\) do not fit outputs of shape \(8, 4\)"
    ):
        gradient_health(network, torch.randn(8, 4), torch.randn(8, 3))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


# Sick networks


def test_thirty_sigmoid_layers_vanish():
    health = gradient_health(deep(30, nn.Sigmoid), *batch())
    assert kinds(health) == {"vanishing"}
    (verdict,) = health.verdicts
    first, last = health.rows[0], health.rows[-1]
    assert verdict.layer == "0"
    assert str(verdict).startswith(
        f"gradients vanish: 0 (Linear)'s are {times(first.gradient / last.gradient)} of 60 (Li"
    )


@pytest.mark.parametrize(("depth", "activation"), [(10, nn.ReLU), (30, nn.ReLU), (30, nn.Tanh)])
def test_a_gain_of_five_explodes(depth, activation):
    health = gradient_health(deep(depth, activation, gain=5), *batch())
    assert "exploding" in kinds(health)
    assert "vanishing" not in kinds(health)
    if activation is nn.ReLU:
        assert any("outputs explode" in str(v) for v in health.verdicts)
    else:
        # Thirty layers with the same trouble fill no page.
        saturated = [v for v in health.verdicts if v.kind == "saturated"]
        assert len(saturated) == 4
        assert "and 24 more" in saturated[-1].text


def test_a_small_gain_vanishes():
    assert "vanishing" in kinds(gradient_health(deep(30, nn.ReLU, gain=0.1), *batch()))


def test_a_bias_of_minus_ten_is_death():
    network = Input(20) >> Relu(32) >> Relu(64) >> Softmax(10)
    with torch.no_grad():
        network.layers["relu2"].bias[:37] = -10.0
    x, y = batch()
    health = gradient_health(network, x, y)
    assert [str(v) for v in health.verdicts] == [
        "relu2: 37 of 64 units never fire on any of these 128 examples"
    ]
    with torch.no_grad():
        network.layers["relu2"].bias.fill_(-10.0)
    health = gradient_health(network, x, y)
    assert [str(v) for v in health.verdicts] == [
        "no gradient reaches relu1, relu2",
        "relu2: none of its 64 units fires on any of these 128 examples",
    ]
    assert by_name(health)["relu2"].dead == 64


def test_a_notebook_shows_the_table_and_the_verdicts():
    health = gradient_health(Input(20) >> Relu(32) >> Softmax(10), *batch(examples=8))
    page = health._repr_html_()
    assert re.findall(r"<tr><td>(\w+)</td>", page) == [row.title for row in health.rows]
    for line in str(health).splitlines()[2:-2]:
        for cell in line.split("  ")[1:]:
            assert f">{cell.strip()}</td>" in page
    assert f"<p>{str(health).splitlines()[-1]}</p>" in page


def test_few_examples_tell_nothing_of_dead_units():
    network = Input(20) >> Relu(32) >> Softmax(10)
    with torch.no_grad():
        network.layers["relu1"].bias[:30] = -10.0
    health = gradient_health(network, *batch(examples=31))
    assert health.healthy
    assert by_name(health)["relu1"].dead == 30
    assert not gradient_health(network, *batch(examples=32)).healthy


def test_numbers_that_are_none_are_named_alone():
    network = Input(20) >> Relu(8) >> Relu(8) >> Linear(8) >> Softmax(10)
    with torch.no_grad():
        network.layers["relu2"].weight[0, 0] = math.inf
    health = gradient_health(network, *batch())
    assert [(v.kind, v.layer) for v in health.verdicts] == [("not finite", "relu2")]
    assert json.dumps(health.to_dict())

    def root(outputs, targets):
        return outputs.sub(outputs.detach()).abs().sqrt().sum(1)  # its slope at 0 is infinite

    health = gradient_health(Input(20) >> Linear(8) >> Linear(3), *batch(), loss=root)
    assert [(v.kind, v.layer) for v in health.verdicts] == [("not finite", "linear2")]

    health = gradient_health(
        Input(20) >> Linear(3), *batch(), loss=lambda outputs, _: outputs.sum() / 0
    )
    assert health.verdicts[0].kind == "not finite"


def test_numbers_whose_squares_overflow_are_measured():
    network = deep(1, nn.ReLU)
    x, y = batch()
    health = gradient_health(network, x * 1e25, y)
    expected = network[0](x * 1e25).double().std(correction=0).item()
    assert health.rows[0].deviation == pytest.approx(expected, rel=1e-4)


def test_weights_that_the_loss_does_not_see():
    forgetful = Parts(
        lambda own, x: own.used(x), used=nn.Linear(20, 10), forgotten=nn.Linear(20, 10)
    )
    health = gradient_health(forgetful, *batch())
    assert [str(v) for v in health.verdicts] == [
        "the loss does not depend on the weights of forgotten"
    ]


def test_saturated_outputs_at_the_end_are_no_trouble():
    network = nn.Sequential(nn.Linear(20, 1), nn.Sigmoid())
    x = torch.randn(64, 20)
    with torch.no_grad():
        network[0].weight.mul_(1000)
    assert gradient_health(network, x, network(x).detach() + 1e-3).healthy


# Healthy ones


@pytest.mark.parametrize("epochs", [0, 3])
def test_the_default_network_for_digits_is_healthy(epochs):
    digits = datasets.load_handwritten_digits().train
    network = small_convolutional((1, 8, 8), 10)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    scores = network.scores()
    for _ in range(epochs):
        for start in range(0, len(digits), 64):
            rows = slice(start, start + 64)
            optimizer.zero_grad()
            F.cross_entropy(scores(digits.inputs[rows]), digits.targets[rows].long()).backward()
            optimizer.step()
    health = gradient_health(network, digits.inputs[:64], digits.targets[:64])
    assert health.healthy, str(health)
    assert health.examples == 64
    assert "Healthy" in str(health)


def test_a_residual_network_is_healthy_even_where_branches_begin_at_zero():
    network = resnet18(10, input_shape=(3, 32, 32))
    x, y = torch.randn(16, 3, 32, 32), torch.randint(0, 10, (16,))
    assert gradient_health(network, x, y).healthy
    norms = [m for n, m in network.named_modules() if n.endswith("batchnorm2")]
    assert len(norms) == 8
    for norm in norms:
        nn.init.zeros_(norm.weight)
    health = gradient_health(network, x, y)
    assert any(row.gradient == 0 for row in health.rows)
    assert health.healthy, str(health)


@pytest.mark.parametrize(
    ("activation", "gain"), [(nn.ReLU, 2**0.5), (nn.Tanh, 1.0), (nn.GELU, 1.4)]
)
def test_networks_with_fitting_weights_are_healthy(activation, gain):
    assert gradient_health(deep(5, activation, gain, width=64), *batch()).healthy


def test_a_transformer_and_a_recurrent_network():
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    x = torch.randn(8, 5, 16)
    health = gradient_health(nn.TransformerEncoder(layer, 2), x, torch.randn(8, 5, 16))
    assert health.healthy
    names = [row.name for row in health.rows]
    # Its weights are used, but the module itself is never called.
    assert names.index("layers.0.self_attn.out_proj") == names.index("layers.0.self_attn") + 1
    recurrent = Input(30, 3) >> layers.LSTM(16) >> Softmax(5)
    health = gradient_health(recurrent, torch.randn(8, 30, 3), torch.randint(0, 5, (8,)))
    assert [row.name for row in health.rows] == ["lstm1", "softmax1"]
    assert health.healthy


# The interface


def test_each_kind_of_target_has_its_loss():
    x = torch.randn(32, 6)
    numbers = nn.Linear(6, 1)
    found = gradient_health(numbers, x.double().numpy(), np.ones(32)).loss
    assert found == pytest.approx((numbers(x) - 1).square().mean().item(), rel=1e-6)
    yes = torch.randint(0, 2, (32,))
    one = Input(6) >> Sigmoid(1)
    expected = F.binary_cross_entropy(one(x).flatten(), yes.float()).item()
    assert gradient_health(one, x, yes).loss == pytest.approx(expected, rel=1e-5)
    words, tags = torch.randn(4, 7, 6), torch.randint(0, 3, (4, 7))
    each = Input(7, 6) >> Softmax(3)
    expected = F.nll_loss(each(words).log().flatten(0, 1), tags.flatten()).item()
    assert gradient_health(each, words, tags).loss == pytest.approx(expected, rel=1e-5)


def test_several_inputs_and_a_loss_of_ones_own():
    both = Parts(lambda own, a, b: (own.a(a), own.b(b)), a=nn.Linear(3, 2), b=nn.Linear(4, 2))
    inputs = torch.randn(8, 3), torch.randn(8, 4)
    with pytest.raises(ValueError, match="returns a tuple instead of a tensor: pass loss="):
        gradient_health(both, inputs, torch.zeros(8, 2))
    health = gradient_health(
        both, inputs, torch.zeros(8, 2), loss=lambda y, t: (y[0] + y[1] - t).abs()
    )
    assert [row.name for row in health.rows] == ["a", "b"]


def test_what_cannot_be_measured_is_said():
    x, y = batch()
    frozen = nn.Linear(20, 10).requires_grad_(requires_grad=False)
    with pytest.raises(ValueError, match="every parameter frozen"):
        gradient_health(frozen, x, y)
    with pytest.raises(TypeError, match="must be a function of outputs and targets, got 'mse'"):
        gradient_health(nn.Linear(20, 10), x, y, loss="mse")
    with pytest.raises(ValueError, match="at least one example"):
        gradient_health(nn.Linear(20, 10), x[:0], y[:0])
    with pytest.raises(ValueError, match="meta device"):
        gradient_health(nn.Linear(20, 10, device="meta"), x, y)


def test_frozen_layers_have_no_gradient_and_no_verdict():
    network = deep(2, nn.ReLU)
    network[0].requires_grad_(requires_grad=False)
    health = gradient_health(network, *batch())
    assert health.rows[0].gradient is None
    assert health.rows[0].parameters == 0
    assert health.healthy


def test_plain_data_and_text():
    health = gradient_health(Input(20) >> Relu(8) >> Softmax(10), *batch())
    plain = json.loads(json.dumps(health.to_dict()))
    assert [row["name"] for row in plain["rows"]] == ["relu1", "softmax1"]
    head, ruler, first, *_ = str(health).splitlines()
    assert head.split() == [
        "Layer",
        "Gradient",
        "Weights",
        "Ratio",
        "Mean",
        "Deviation",
        "Dead",
    ]
    assert set(ruler) == {"─"}
    assert first.startswith("relu1")
    assert first.endswith("0 of 8")


# Gradients that are sparse or complex


def test_sparse_gradients_are_measured_as_dense_ones():
    def rows(*, sparse):
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Embedding(10, 4, sparse=sparse), nn.Flatten(), nn.Linear(8, 3)
        )
        # Rows that come twice are summed.
        inputs, targets = torch.tensor([[1, 1], [2, 1], [3, 0]]), torch.tensor([0, 1, 2])
        return gradient_health(network, inputs, targets).rows

    for sparse, dense in zip(rows(sparse=True), rows(sparse=False), strict=True):
        assert sparse.gradient == pytest.approx(dense.gradient)
        assert sparse._replace(gradient=None) == dense._replace(gradient=None)


def test_sparse_weights_and_outputs():
    class Sparse(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.eye(4).to_sparse())
            self.units = nn.Linear(3, 2)

        def forward(self, x):
            return self.units(torch.sparse.mm(self.weight, x))

    health = gradient_health(Sparse(), torch.randn(4, 3), torch.tensor([0, 1, 0, 1]))
    weight = next(row for row in health.rows if row.kind == "Sparse")
    assert weight.gradient
    assert weight.finite


def test_complex_gradients_are_those_of_their_real_parts():
    torch.manual_seed(0)
    network = nn.Linear(4, 3, dtype=torch.complex64)
    x, y = (torch.randn(8, n, dtype=torch.complex64) for n in (4, 3))
    (row,) = gradient_health(network, x, y).rows
    loss = (network(x) - y).abs().square().mean()
    gradients = torch.autograd.grad(loss, [*network.parameters()])
    square = sum(gradient.abs().square().sum() for gradient in gradients)
    assert row.gradient == pytest.approx(float((square / row.parameters).sqrt()), rel=1e-5)
    outputs = torch.view_as_real(network(x).detach())
    assert row.mean == pytest.approx(float(outputs.mean()), rel=1e-4)
    with pytest.raises(ValueError, match="the loss is complex"):
        gradient_health(network, x, y, loss=lambda outputs, targets: outputs - targets)


@pytest.mark.parametrize(
    ("last", "loss", "wanted"),
    [
        (Sigmoid(1), None, lambda p, t: (p[:, 0] - t).square().mean()),
        (Sigmoid(1), F.mse_loss, lambda p, t: (p[:, 0] - t).square().mean()),
        (Softmax(3), F.cross_entropy, lambda p, t: -p[range(len(t)), t].log().mean()),
        (Softmax(3), nn.NLLLoss(), lambda p, t: -p[range(len(t)), t].log().mean()),
        (Softmax(3), None, lambda p, t: -p[range(len(t)), t].log().mean()),
    ],
)
def test_a_loss_of_values_sees_what_the_network_predicts(last, loss, wanted):
    torch.manual_seed(0)
    network = Input(4) >> Relu(8) >> copy.deepcopy(last)
    x = torch.randn(64, 4)
    targets = torch.rand(64) if isinstance(last, Sigmoid) else torch.arange(64) % 3
    given = targets[:, None] if loss is F.mse_loss else targets
    health = gradient_health(network, x, given, loss=loss)
    torch.testing.assert_close(torch.tensor(health.loss), wanted(network.predict(x), targets))


@pytest.mark.parametrize(("gradient", "verdicts"), [(VANISHING, 0), (0.99 * VANISHING, 1)])
def test_gradients_vanish_below_the_bound(gradient, verdicts):
    network = Input(2) >> Linear(2) >> Linear(2)
    rows = gradient_health(network, torch.randn(4, 2), torch.randn(4, 2)).rows
    first, last = (row for row in rows if row.parameters)
    rows = [first._replace(gradient=gradient), last._replace(gradient=1.0)]
    assert len(list(find_vanishing(rows))) == verdicts
