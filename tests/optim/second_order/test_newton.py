"""Newton's method beside autograd's Hessian, exact solutions and conditions of optimality."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agreement import stays_where_nothing_is_lower
from torch import nn
from torch.func import functional_call

from neuropil.layers import Input, Linear, Tanh
from neuropil.optim import Hessian
from neuropil.optim.second_order.curvature import Curvature
from neuropil.optim.second_order.trust_region import Spectrum, Truncated

GOAL = 0.002


def quadratic(size, seed=0):
    """A positive matrix with condition 1,000, and where the minimum is."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64)).Q
    matrix = basis @ torch.diag(torch.logspace(-1, 2, size, dtype=torch.float64)) @ basis.T
    return matrix, 10 * torch.randn(size, generator=generator, dtype=torch.float64)


def rosenbrock(w):
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


def sine(seed):
    network = Input(1) >> Tanh(5) >> Linear(1)
    network.reset_parameters(torch.Generator().manual_seed(seed))
    network.double()
    x = torch.linspace(-1, 1, 41, dtype=torch.float64).reshape(-1, 1)
    y = torch.sin(math.pi * x)
    return network, lambda: (network(x) - y).square().sum()


# The Hessian itself


def convolutional():
    return nn.Sequential(
        nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2), nn.Tanh(), nn.MaxPool1d(2), nn.Flatten(),
        nn.Linear(4, 1),
    )  # fmt: skip


class Shared(nn.Module):
    """A layer that stands in two places."""

    def __init__(self):
        super().__init__()
        self.inner, self.last = nn.Linear(6, 6), nn.Linear(6, 1)

    def forward(self, x):
        return self.last(self.inner(self.inner(x.flatten(1)).sigmoid()))


@pytest.mark.parametrize("make", [convolutional, Shared])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_hessian_is_autograds(make, dtype):
    torch.manual_seed(0)
    network = make().to(dtype)
    x, y = torch.randn(7, 1, 6, dtype=dtype), torch.randn(7, 1, dtype=dtype)
    names, parameters = zip(*network.named_parameters(), strict=True)
    splits = [p.numel() for p in parameters]

    def loss_of(vector):
        parts = vector.split(splits)
        weights = {n: v.view_as(p) for n, v, p in zip(names, parts, parameters, strict=True)}
        return (functional_call(network, weights, (x,)) - y).square().mean()

    vector = nn.utils.parameters_to_vector(parameters).detach()
    expected = torch.autograd.functional.hessian(loss_of, vector)
    loss = (network(x) - y).square().mean()
    curvature = Curvature("Hessian", loss, parameters)
    tolerance = 1e-4 if dtype == torch.float32 else 1e-11
    torch.testing.assert_close(curvature.matrix(), expected, rtol=tolerance, atol=tolerance)
    direction = torch.randn_like(vector)
    torch.testing.assert_close(
        curvature.times(direction), expected @ direction, rtol=tolerance, atol=tolerance
    )


def test_a_function_without_second_derivatives_is_named():
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.exp()

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, grad):
            return grad * ctx.saved_tensors[0].exp()

    w = nn.Parameter(torch.ones(3))
    with pytest.raises(ValueError, match="Hessian needs second derivatives, but a function"):
        Hessian([w]).step(lambda: Once.apply(w).square().sum())


# Steps within a radius


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 6),
    st.integers(0, 10**6),
    st.sampled_from([1e-3, 0.3, 1.0, 30.0]),
    st.booleans(),
)
def test_a_step_is_the_least_of_the_model_in_the_ball(size, seed, radius, hard):
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(size, size, generator=generator, dtype=torch.float64)
    matrix = matrix + matrix.T
    gradient = torch.randn(size, generator=generator, dtype=torch.float64)
    values, vectors = torch.linalg.eigh(matrix)
    if hard:  # nothing of the gradient along the lowest curvature
        gradient -= (gradient @ vectors[:, 0]) * vectors[:, 0]
    step, length, decrease = Spectrum(matrix, gradient).step(radius)
    assert length <= radius * (1 + 2e-3)
    assert decrease == pytest.approx(
        -float(gradient @ step + 0.5 * step @ matrix @ step), abs=1e-9 * (1 + radius**2)
    )
    # Moré and Sorensen's conditions: (H + ν) p = −g with ν ≥ 0, H + ν ≥ 0, ν (Δ − ‖p‖) = 0.
    shift = -float(step @ (gradient + matrix @ step)) / max(length**2, 1e-300)
    scale = float(values.abs().max()) + float(gradient.norm()) / radius
    assert shift >= max(0.0, -float(values[0])) - 1e-5 * scale
    residual = (matrix @ step + shift * step + gradient).norm()
    assert residual <= 1e-5 * scale * max(length, 1e-300)
    assert shift <= 1e-5 * scale or length >= radius * (1 - 2e-3)


def test_conjugate_gradients_find_the_newton_step_and_keep_to_the_radius():
    matrix, gradient = quadratic(6)
    exact = -torch.linalg.solve(matrix, gradient)
    model = Truncated(matrix.matmul, 1e-12 * gradient, math.inf, 1.0)
    torch.testing.assert_close(model.step(math.inf).step, 1e-12 * exact, rtol=1e-5, atol=0)
    short = Truncated(matrix.matmul, gradient, 0.01, 1.0).step(0.01)
    assert float(short.step.norm()) == pytest.approx(0.01)
    assert 0 < short.decrease <= 0.01 * float(gradient.norm())
    down = Truncated(lambda v: -v, gradient, math.inf, 3.0)
    assert down.indefinite
    assert float(down.step(math.inf).step.norm()) == pytest.approx(3.0)


# The method


@pytest.mark.parametrize("size", [1, 2, 12])
def test_a_quadratic_is_solved_in_one_step(size):
    matrix, minimum = quadratic(size)
    w = nn.Parameter(torch.zeros(size, dtype=torch.float64))
    optimizer = Hessian([w])
    optimizer.step(lambda: 0.5 * (w - minimum) @ matrix @ (w - minimum))
    torch.testing.assert_close(w.detach(), minimum, rtol=1e-9, atol=1e-9)
    assert not optimizer.indefinite
    optimizer.step(lambda: 0.5 * (w - minimum) @ matrix @ (w - minimum))
    assert optimizer.outcome.converged


@pytest.mark.parametrize("hessian_free", [False, True])
def test_rosenbrocks_valley_is_followed_to_its_end(hessian_free):
    w = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    outcome = Hessian([w], hessian_free=hessian_free).minimize(lambda: rosenbrock(w), 200)
    assert outcome.converged
    assert outcome.evaluations < 120
    assert w.tolist() == pytest.approx([1, 1], abs=1e-6)


def test_a_saddle_is_said_and_left_even_from_its_very_middle():
    w = nn.Parameter(torch.zeros(2, dtype=torch.float64))
    optimizer = Hessian([w])

    def loss_of():
        return w[0] ** 2 + (w[1] ** 2 - 1) ** 2

    optimizer.step(loss_of)
    assert optimizer.indefinite
    assert optimizer.outcome.loss < 1
    outcome = optimizer.minimize(loss_of)
    assert outcome.reason == "gradient"
    assert not optimizer.indefinite
    assert abs(w[1].item()) == pytest.approx(1)


def test_the_sine_is_fitted_from_ten_starts():
    for seed in range(10):
        network, closure = sine(seed)
        optimizer = Hessian(network.parameters())
        for _ in range(150):
            optimizer.step(closure)
            if optimizer.outcome.loss <= GOAL or optimizer.outcome.done:
                break
        assert closure().item() <= GOAL, (seed, str(optimizer.outcome))


def test_it_is_fitted_without_a_matrix_too():
    network, closure = sine(0)
    outcome = Hessian(network.parameters(), hessian_free=True).minimize(closure, 150)
    assert outcome.loss <= GOAL


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_no_step_goes_uphill(seed, hessian_free):
    generator = torch.Generator().manual_seed(seed)
    coefficients = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    w = nn.Parameter(3 * torch.randn(3, generator=generator, dtype=torch.float64))

    def loss_of():
        waves = (coefficients @ w).sin().sum() + (coefficients @ w).square().log1p().sum()
        return waves + 0.01 * w @ w

    optimizer = Hessian([w], hessian_free=hessian_free)
    before = loss_of().item()
    for _ in range(8):
        began = float(optimizer.step(loss_of))
        after = loss_of().item()
        assert began == before
        assert after <= before
        assert optimizer.outcome.loss == pytest.approx(after, abs=1e-12)
        before = after


@pytest.mark.parametrize("hessian_free", [False, True])
def test_it_is_resumed_bit_by_bit(hessian_free):
    def run(cut):
        network, closure = sine(3)
        optimizer = Hessian(network.parameters(), hessian_free=hessian_free)
        for step in range(12):
            if step == cut:
                state = optimizer.state_dict()
                optimizer = Hessian(network.parameters(), hessian_free=hessian_free)
                optimizer.load_state_dict(state)
            optimizer.step(closure)
        return nn.utils.parameters_to_vector(network.parameters()), optimizer.outcome

    (ran, outcome), (resumed, again) = run(None), run(5)
    assert torch.equal(ran, resumed)
    assert outcome == again


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("hessian_free", [False, True])
def test_groups_frozen_and_unused_weights(dtype, hessian_free):
    first, second, frozen, unused = (nn.Parameter(torch.ones(2, dtype=dtype)) for _ in range(4))
    frozen.requires_grad_(requires_grad=False)
    optimizer = Hessian(
        [{"params": [first, frozen]}, {"params": [second, unused]}], hessian_free=hessian_free
    )
    outcome = optimizer.minimize(lambda: (first - frozen * 3).square().sum() + second @ second)
    assert outcome.converged
    assert first.tolist() == pytest.approx([3, 3], abs=1e-4)
    assert second.tolist() == pytest.approx([0, 0], abs=1e-4)
    assert frozen.tolist() == unused.tolist() == [1, 1]


def test_beyond_the_edge_of_the_function_it_steps_back():
    w = nn.Parameter(torch.tensor([5.0], dtype=torch.float64))
    outcome = Hessian([w]).minimize(lambda: (w - w.log())[0])  # NaN below 0, least at 1
    assert outcome.converged
    assert w.item() == pytest.approx(1)


@pytest.mark.parametrize("hessian_free", [False, True])
def test_a_start_that_is_not_finite_is_said_and_left(hessian_free):
    w = nn.Parameter(torch.tensor([-1.0, 2.0]))
    outcome = Hessian([w], hessian_free=hessian_free).minimize(lambda: w.log().sum())
    assert outcome.reason == "not finite"
    assert w.tolist() == [-1, 2]


def test_a_loss_that_is_linear_goes_down_and_does_not_crash():
    w = nn.Parameter(torch.ones(2, dtype=torch.float64))
    outcome = Hessian([w]).minimize(lambda: w.sum() + 0 * (w @ w), 5)
    assert outcome.loss < -10


def test_where_nothing_is_lower_the_weights_stay_and_it_is_said():
    stays_where_nothing_is_lower(Hessian)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("hessian_free", [False, True])
def test_rosenbrock_on_a_gpu(hessian_free):
    w = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64, device="cuda"))
    assert Hessian([w], hessian_free=hessian_free).minimize(lambda: rosenbrock(w)).converged
    assert w.tolist() == pytest.approx([1, 1], abs=1e-6)
