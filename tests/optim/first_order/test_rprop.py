"""RPROP beside torch's, iRPROP+ beside the published rule."""

import math

import pytest
import torch
from torch import nn

from neuropil.optim import RPROP, IRPROPPlus


def told(w, value, gradient):
    """A closure whose loss has this value and this gradient, wherever the weights are."""
    g = torch.tensor(gradient, dtype=w.dtype)
    return lambda: value + (g * (w - w.detach())).sum()


def test_irprop_plus_takes_the_steps_worked_out_by_hand():
    w = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimizer = IRPROPPlus([w], lr=1.0, etas=(0.5, 1.5), step_sizes=(0.3, 2.0))
    for loss, gradient, weights in (
        # Nothing came before: all go down by 1.
        (10.0, (2, -1, 3), (-1, 1, -1)),
        # The first and third go on by 1.5. The second turned: Δ is 0.5; 8 < 10, so it stays.
        (8.0, (1, 4, 2), (-2.5, 1, -2.5)),
        # The first turned, and 9 > 8: back by 1.5, Δ is 0.75. The second goes by its 0.5, as if
        # for the first time. The third goes by 2.25, but not more than 2.
        (9.0, (-1, 2, 1), (-1, 0.5, -4.5)),
        # The first goes by 0.75. The second turned, Δ 0.25, but not less than 0.3. The third
        # turned, Δ is 1. Since 7 < 9 both stay.
        (7.0, (-1, -2, -1), (-0.25, 0.5, -4.5)),
        # The first turned, and 12 > 7: back by 0.75. The second goes by 0.3. The third has no
        # gradient.
        (12.0, (1, -2, 0), (-1, 0.8, -4.5)),
    ):
        assert optimizer.step(told(w, loss, gradient)) == loss
        assert w.tolist() == pytest.approx(weights, abs=1e-15)
    sizes = optimizer.state[w]["sizes"]
    assert sizes.tolist() == pytest.approx((0.375, 0.3, 1.0), abs=1e-15)


def published(gradient_of, loss_of, w, steps, size=0.0125):
    """Igel and Hüsken's rule, weight by weight, in plain Python."""
    n = len(w)
    sizes, before, moves, last_loss = [size] * n, [0.0] * n, [0.0] * n, math.inf
    for _ in range(steps):
        gradient, loss = gradient_of(w), loss_of(w)
        for i in range(n):
            if before[i] * gradient[i] > 0:
                sizes[i] = min(sizes[i] * 1.2, 50.0)
            elif before[i] * gradient[i] < 0:
                sizes[i] = max(sizes[i] * 0.5, 0.0)
                if loss > last_loss:
                    w[i] -= moves[i]
                before[i] = 0.0
                continue
            moves[i] = -math.copysign(sizes[i], gradient[i]) if gradient[i] else 0.0
            w[i] += moves[i]
            before[i] = gradient[i]
        last_loss = loss
    return w


def test_irprop_plus_with_its_defaults_is_the_published_rule():
    def loss_of(w):
        return (1 - w[0]) ** 2 + 10 * (w[1] - w[0] ** 2) ** 2

    def gradient_of(w):
        inner = w[1] - w[0] ** 2
        return [-2 * (1 - w[0]) - 40 * w[0] * inner, 20 * inner]

    w = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    optimizer = IRPROPPlus([w])
    for _ in range(150):
        optimizer.step(lambda: loss_of(w))
    assert w.tolist() == pytest.approx(published(gradient_of, loss_of, [-1.2, 1.0], 150), 1e-9)
    assert loss_of(w) < 0.1


def test_rprop_is_torchs():
    start = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    options = {"etas": (0.4, 1.3), "step_sizes": (1e-5, 0.3)}
    pairs = (
        (ours, RPROP([ours], lr=0.02, **options)),
        (theirs, torch.optim.Rprop([theirs], lr=0.02, **options)),
    )
    for _ in range(20):
        for w, optimizer in pairs:
            optimizer.zero_grad()
            (w**4 - w).sum().backward()
            optimizer.step()
    assert torch.equal(ours, theirs)


def test_groups_have_their_own_options_and_frozen_weights_stay():
    first, second, frozen, unused = (nn.Parameter(torch.ones(2)) for _ in range(4))
    frozen.requires_grad_(requires_grad=False)
    optimizer = IRPROPPlus(
        [{"params": [first, frozen]}, {"params": [second, unused], "lr": 0.5}], lr=0.25
    )
    optimizer.step(lambda: (first * frozen).sum() + second.sum())
    assert first.tolist() == [0.75, 0.75]
    assert second.tolist() == [0.5, 0.5]
    assert frozen.tolist() == unused.tolist() == [1, 1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_irprop_plus_is_resumed_bit_by_bit(dtype):
    def run(cut):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).to(dtype)
        x = torch.randn(20, 3, dtype=dtype)
        optimizer = IRPROPPlus(net.parameters(), lr=0.05)
        for step in range(30):
            if step == cut:
                state = optimizer.state_dict()
                optimizer = IRPROPPlus(net.parameters())
                optimizer.load_state_dict(state)
            optimizer.step(lambda net=net: (net(x) - x.sum(1, keepdim=True)).square().mean())
        assert optimizer.outcome.steps == 30
        return nn.utils.parameters_to_vector(net.parameters())

    assert torch.equal(run(None), run(13))


def test_a_loss_that_is_not_finite_takes_the_step_back():
    w = nn.Parameter(torch.tensor([1.0, 2.0]))
    optimizer = IRPROPPlus([w], lr=1.5, etas=(0.5, 1.2))
    closure = lambda: w.sqrt().sum()  # noqa: E731 - the root of a weight below 0 is NaN
    optimizer.step(closure)
    assert w.tolist() == [-0.5, 0.5]
    optimizer.step(closure)
    assert w.tolist() == [1.0, 2.0]
    assert not optimizer.outcome.done
    optimizer.step(closure)
    assert w.tolist() == [0.25, 1.25]


def test_a_start_that_is_not_finite_is_said_and_left():
    w = nn.Parameter(torch.tensor([-1.0, 2.0]))
    optimizer = IRPROPPlus([w])
    optimizer.step(lambda: w.sqrt().sum())
    assert optimizer.outcome.reason == "not finite"
    assert w.tolist() == [-1, 2]


def test_no_gradient_is_an_end():
    w = nn.Parameter(torch.zeros(2))
    outcome = IRPROPPlus([w]).minimize(lambda: w @ w)
    assert (outcome.reason, outcome.steps) == ("gradient", 1)


@pytest.mark.parametrize("kind", [RPROP, IRPROPPlus])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lr": 0.0}, r"`lr` must be a number in \(0, inf\), got 0.0"),
        ({"etas": (1.2, 0.5)}, r"`etas` must be \(η⁻, η⁺\), 0 < η⁻ < 1 < η⁺, got \(1.2, 0.5\)"),
        ({"etas": 0.5}, "`etas` must be"),
        ({"step_sizes": (1.0, 0.1)}, "`step_sizes` must be"),
    ],
)
def test_options_out_of_range_are_refused(kind, options, words):
    with pytest.raises(ValueError, match=f"{kind.__name__}: {words}"):
        kind([nn.Parameter(torch.ones(1))], **options)


def test_what_is_no_loss_is_refused():
    w = nn.Parameter(torch.ones(2))
    with pytest.raises(TypeError, match="must return the loss, a scalar tensor"):
        IRPROPPlus([w]).step(lambda: w * 2)
    w.requires_grad_(requires_grad=False)
    with pytest.raises(ValueError, match="every parameter is frozen"):
        IRPROPPlus([w]).step(lambda: w @ w)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_irprop_plus_on_a_gpu_takes_the_steps_of_the_cpu():
    ends = []
    for device in ("cpu", "cuda"):
        w = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64, device=device))
        optimizer = IRPROPPlus([w])
        for _ in range(50):
            optimizer.step(lambda w=w: (1 - w[0]) ** 2 + 10 * (w[1] - w[0] ** 2) ** 2)
        ends.append(w.tolist())
    assert ends[0] == pytest.approx(ends[1], 1e-9)
