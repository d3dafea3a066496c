"""Steps by the diagonal of the Hessian: exact, estimated, and held back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agreement import stays_where_nothing_is_lower
from torch import nn
from torch.nn import functional as F

from neuropil.optim import HessianDiagonal
from neuropil.optim.second_order.curvature import Curvature


def coupled(size, strength, seed=0):
    """A quadratic whose weights interact a little."""
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(size, size, generator=generator, dtype=torch.float64)
    matrix = strength / size * (matrix + matrix.T) + torch.diag(
        torch.linspace(1, 50, size, dtype=torch.float64)
    )
    return matrix, torch.randn(size, generator=generator, dtype=torch.float64)


def test_a_step_divides_by_each_second_derivative():
    w = nn.Parameter(torch.tensor([2.0, 1.0, 0.5], dtype=torch.float64))
    # Second derivatives: 12 w² = 48; −2, of which the size counts; 0.001, raised to 0.1.
    loss = lambda: w[0] ** 4 - w[1] ** 2 + 5e-4 * w[2] ** 2  # noqa: E731
    HessianDiagonal([w], lr=0.5, min_curvature=0.1).step(loss)
    expected = 2 - 0.5 * 32 / 48, 1 + 0.5 * 2 / 2, 0.5 - 0.5 * 5e-4 / 0.1
    assert w.tolist() == pytest.approx(expected)


def test_a_quadratic_without_interactions_takes_one_step():
    w = nn.Parameter(torch.full((4,), 3.0))
    scale = torch.tensor([0.1, 1.0, 10.0, 100.0])
    outcome = HessianDiagonal([w]).minimize(lambda: scale @ (w - 1) ** 2)
    assert outcome.converged
    assert outcome.steps <= 2
    assert w.tolist() == pytest.approx([1] * 4)


@pytest.mark.parametrize("size", [20, 600])
def test_a_coupled_quadratic_is_solved(size):
    matrix, minimum = coupled(size, 1.0)
    w = nn.Parameter(torch.zeros(size, dtype=torch.float64))
    loss = lambda: 0.5 * (w - minimum) @ matrix @ (w - minimum)  # noqa: E731
    outcome = HessianDiagonal([w], tolerance=1e-6).minimize(loss, 200)
    assert outcome.converged
    torch.testing.assert_close(w.detach(), minimum, rtol=0, atol=1e-5)


def test_the_estimate_is_the_diagonal_in_the_mean():
    size = 510
    matrix, minimum = coupled(size, 5.0)
    w = nn.Parameter(torch.zeros(size, dtype=torch.float64))
    diagonals = []
    for seed in range(200):
        optimizer = HessianDiagonal([w], seed=1000 * seed)
        loss = 0.5 * (w - minimum) @ matrix @ (w - minimum)
        diagonals.append(optimizer.diagonal(Curvature("HessianDiagonal", loss, [w])))
    estimates = torch.stack(diagonals)
    error = (estimates.mean(0) - matrix.diagonal()).abs()
    # One entry's deviation is √(2 Σ_j≠i H_ij²) at most, over √(4 · 200) in the mean.
    off = (matrix.square().sum(1) - matrix.diagonal().square()).sqrt()
    assert bool((error <= 5 * off / (4 * 200) ** 0.5).all())
    assert float(estimates.std(0).mean()) > 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_no_step_goes_uphill(seed):
    generator = torch.Generator().manual_seed(seed)
    coefficients = 2 * torch.randn(5, 3, generator=generator, dtype=torch.float64)
    w = nn.Parameter(3 * torch.randn(3, generator=generator, dtype=torch.float64))

    def loss_of():
        return (coefficients @ w).sin().sum() + 0.01 * w @ w

    optimizer = HessianDiagonal([w], min_curvature=1e-3)
    before = loss_of().item()
    for _ in range(8):
        optimizer.step(loss_of)
        after = loss_of().item()
        assert after <= before
        assert optimizer.outcome.loss == pytest.approx(after, abs=1e-12)
        before = after


@pytest.mark.parametrize("units", [4, 60])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_learns_and_is_resumed_bit_by_bit(units, dtype):
    x = torch.randn(40, 8, generator=torch.Generator().manual_seed(0)).to(dtype)
    y = (x[:, 0] * x[:, 1] > 0).long()

    def run(cut):
        torch.manual_seed(1)
        net = nn.Sequential(nn.Linear(8, units), nn.Tanh(), nn.Linear(units, 2)).to(dtype)
        optimizer = HessianDiagonal(net.parameters())
        for step in range(15):
            if step == cut:
                state = optimizer.state_dict()
                optimizer = HessianDiagonal(net.parameters())
                optimizer.load_state_dict(state)
            optimizer.step(lambda net=net: F.cross_entropy(net(x), y))
        return nn.utils.parameters_to_vector(net.parameters()), optimizer.outcome

    (ran, outcome), (resumed, again) = run(None), run(6)
    assert torch.equal(ran, resumed)
    assert outcome == again
    assert outcome.loss < 0.5


def test_groups_frozen_and_unused_weights():
    first, second, frozen, unused = (nn.Parameter(torch.ones(2)) for _ in range(4))
    frozen.requires_grad_(requires_grad=False)
    groups = [{"params": [first, frozen]}, {"params": [second, unused]}]
    outcome = HessianDiagonal(groups).minimize(
        lambda: (first - 3 * frozen).square().sum() + 2 * second @ second
    )
    assert outcome.converged
    assert first.tolist() == pytest.approx([3, 3])
    assert second.tolist() == pytest.approx([0, 0], abs=1e-6)
    assert frozen.tolist() == unused.tolist() == [1, 1]


def test_a_start_that_is_not_finite_is_said_and_left():
    w = nn.Parameter(torch.tensor([-1.0, 2.0]))
    assert HessianDiagonal([w]).minimize(lambda: w.log().sum()).reason == "not finite"
    assert w.tolist() == [-1, 2]


def test_beyond_the_edge_of_the_function_it_steps_back():
    w = nn.Parameter(torch.tensor([9.0], dtype=torch.float64))
    outcome = HessianDiagonal([w]).minimize(lambda: (w - w.log())[0])
    assert outcome.converged
    assert w.item() == pytest.approx(1, abs=1e-6)


def test_where_nothing_is_lower_the_weights_stay_and_it_is_said():
    stays_where_nothing_is_lower(HessianDiagonal)


@pytest.mark.parametrize("given_", [0.0, -1.0, float("nan")])
def test_a_curvature_that_is_none_is_refused(given_):
    with pytest.raises(ValueError, match=r"`min_curvature` must be a number in \(0, inf\)"):
        HessianDiagonal([nn.Parameter(torch.ones(1))], min_curvature=given_)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("size", [20, 600])
def test_a_coupled_quadratic_on_a_gpu(size):
    matrix, minimum = (t.cuda() for t in coupled(size, 1.0))
    w = nn.Parameter(torch.zeros(size, dtype=torch.float64, device="cuda"))
    loss = lambda: 0.5 * (w - minimum) @ matrix @ (w - minimum)  # noqa: E731
    assert HessianDiagonal([w], tolerance=1e-6).minimize(loss, 200).converged


@pytest.mark.parametrize("steepness", [1e6, 1e9])
def test_going_to_and_fro_across_a_valley_is_stuck(steepness):
    """Newton's steps by the diagonal cross the valley and move by 1/steepness along it."""
    w = nn.Parameter(torch.tensor([1.0, 0.5], dtype=torch.float64))

    def loss():
        return 0.5 * (steepness * (w[0] + w[1]).square() + (w[0] - w[1]).square())

    optimizer = HessianDiagonal([w])
    outcome = optimizer.minimize(loss, 1000)
    assert outcome.reason == "stuck"
    assert outcome.steps <= 201
    optimizer.step(loss)  # it can be asked to go on
    assert optimizer.outcome.reason == "going on"


def test_slow_but_steady_is_not_stuck():
    w = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    loss = lambda: 100 * (w[1] - w[0] ** 2) ** 2 + (1 - w[0]) ** 2  # noqa: E731
    assert HessianDiagonal([w]).minimize(loss, 500).reason == "going on"
