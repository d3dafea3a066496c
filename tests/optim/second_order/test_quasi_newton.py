"""Quasi-Newton methods: their matrices against formulas in NumPy, and where they arrive."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import rosen
from tests.agreement import solves_quadratic

from neuropil.optim import QuasiNewton
from neuropil.optim.line_search.objective import Point
from neuropil.optim.second_order import bfgs
from neuropil.optim.second_order.limited_memory import two_loops
from neuropil.optim.second_order.matrix_updates import UPDATES as MATRICES
from neuropil.optim.second_order.matrix_updates import solve

DIRECT = ("psb", "sr1")
UPDATES = ("bfgs", *MATRICES, "lbfgs")
every_update = pytest.mark.parametrize("update", UPDATES)
every_matrix = pytest.mark.parametrize("update", MATRICES)
EXACT = 2e-4  # c₂ of a line search that is nearly exact


def quadratic(n, seed=0):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n, n))
    return torch.tensor(A @ A.T + n * np.eye(n)), torch.tensor(rng.normal(size=n))


def weights(*values, dtype=torch.float64):
    return torch.nn.Parameter(torch.tensor(values, dtype=dtype))


def rosenbrock(w):
    return (1 - w[:-1]).square().sum() + 100 * (w[1:] - w[:-1] ** 2).square().sum()


def pair(n, seed):
    """Return a positive definite matrix, a step and a change with positive curvature."""
    A, s = quadratic(n, seed)
    H, _ = quadratic(n, seed + 1)
    return H / n, s, A @ s


def as_published(update, M, s, y):
    """The update in NumPy, as Nocedal and Wright print it."""
    M, s, y = (np.asarray(v) for v in (M, s, y))
    if update == "bfgs":  # (6.17)
        V = np.eye(len(s)) - np.outer(y, s) / (y @ s)
        return V.T @ M @ V + np.outer(s, s) / (y @ s)
    if update == "dfp":  # (6.15)
        return M - M @ np.outer(y, y) @ M / (y @ M @ y) + np.outer(s, s) / (y @ s)
    r = y - M @ s
    if update == "sr1":  # (6.24)
        return M + np.outer(r, r) / (r @ s)
    rank_two = (np.outer(r, s) + np.outer(s, r)) / (s @ s)  # Powell 1970
    return M + rank_two - (r @ s) * np.outer(s, s) / (s @ s) ** 2


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(MATRICES)), st.integers(1, 7), st.integers(0, 10**6))
def test_a_matrix_is_updated_as_published_and_explains_the_last_step(update, n, seed):
    matrix, s, y = pair(n, seed)
    new = matrix.clone()
    MATRICES[update](new, s, y)
    close = {"rtol": 1e-8, "atol": 1e-8}
    np.testing.assert_allclose(new, as_published(update, matrix, s, y), **close)
    given_, wanted = (y, s) if update == "dfp" else (s, y)
    np.testing.assert_allclose(new @ given_, wanted, **close)
    if update == "dfp":
        assert np.linalg.eigvalsh(new.numpy()).min() > 0


@every_matrix
def test_a_pair_without_curvature_never_spoils_a_matrix(update):
    matrix, s, _ = pair(4, 0)
    for y in (-s, torch.zeros_like(s), matrix @ s):
        new = matrix.clone()
        MATRICES[update](new, s, y)
        assert torch.isfinite(new).all()
        if update == "dfp":
            assert np.linalg.eigvalsh(new.numpy()).min() > 0


def point(weights, A):
    weights = torch.as_tensor(weights)
    return Point(weights, float(weights @ A @ weights / 2), A @ weights, 1.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 10**6))
def test_the_scale_of_the_first_matrix_can_be_chosen_afterwards(n, pairs, seed):
    A, gradient = quadratic(n, seed)
    rng = np.random.default_rng(seed)
    places = [torch.tensor(rng.normal(size=n)) for _ in range(pairs + 1)]
    memory = {}
    for old, new in itertools.pairwise(places):
        bfgs.learn(memory, point(old, A), point(new, A))
    memory |= {"bold": 0.37, "cautious": 0.37}
    H = 0.37 * np.eye(n)
    for old, new in itertools.pairwise(places):
        H = as_published("bfgs", H, new - old, A @ (new - old))
    found = bfgs.direction(memory, gradient)
    np.testing.assert_allclose(found, -H @ gradient.numpy(), rtol=1e-7, atol=1e-7)


def test_a_pair_without_curvature_is_left_out_of_bfgs():
    here = Point(torch.zeros(2), 0.0, torch.tensor([1.0, 0.0]), 1.0)
    memory = {}
    for gradient in ([1.0, 0.0], [2.0, 0.0]):
        there = Point(torch.tensor([-1.0, 0.0]), -1.0, torch.tensor(gradient), 1.0)
        bfgs.learn(memory, here, there)
        assert memory["matrices"].tolist() == [[[1, 0], [0, 1]], [[0, 0], [0, 0]]]
        assert bfgs.direction(memory, here.gradient).isfinite().all()


@pytest.mark.parametrize("n", [20, 50])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_bfgs_needs_few_evaluations_on_a_quadratic_of_condition_a_million(n, scale):
    """An exact line search takes n + 1 steps of 2 evaluations; SciPy takes 37 and 77."""
    generator = torch.Generator().manual_seed(0)
    mixed = torch.randn(n, n, generator=generator, dtype=torch.float64)
    axes = torch.linalg.qr(mixed).Q
    A = scale * (axes * torch.logspace(0, 6, n, dtype=torch.float64)) @ axes.T
    w = weights(*[1.0] * n)
    optimizer = QuasiNewton([w], update="bfgs", tolerance=1e-8 * scale)
    outcome = optimizer.minimize(lambda: w @ (A @ w) / 2)
    assert outcome.reason == "gradient"
    assert outcome.evaluations <= 1.6 * n + 5


def test_bfgs_takes_few_evaluations_in_a_curved_valley():
    """SciPy's BFGS takes 215 on this function of Moré, Garbow and Hillstrom."""
    w = weights(*[-1.2, 1.0] * 10)

    def loss():
        odd, even = w[0::2], w[1::2]
        return (100 * (even - odd**2).square() + (1 - odd).square()).sum()

    outcome = QuasiNewton([w], update="bfgs", tolerance=1e-8).minimize(loss)
    assert outcome.reason == "gradient"
    assert outcome.evaluations <= 60


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 10**6))
def test_two_loops_are_bfgs_without_the_matrix(n, pairs, seed):
    A, gradient = quadratic(n, seed)
    rng = np.random.default_rng(seed)
    steps = [torch.tensor(rng.normal(size=n)) for _ in range(pairs)]
    changes = [A @ s for s in steps]
    H = float(steps[-1] @ changes[-1] / changes[-1].square().sum()) * np.eye(n)
    for s, y in zip(steps, changes, strict=True):
        H = as_published("bfgs", H, s, y)
    scales = [(s @ y).rsqrt() for s, y in zip(steps, changes, strict=True)]
    scaled = [[v * c for v, c in zip(vs, scales, strict=True)] for vs in (steps, changes)]
    found = two_loops(gradient, *scaled)
    np.testing.assert_allclose(found, -H @ gradient.numpy(), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("n", [1, 2, 4, 9])
@pytest.mark.parametrize(
    "update", [name for name in UPDATES if name != "psb"]
)  # PSB takes more
def test_a_quadratic_in_n_variables_is_solved_in_n_steps(update, n):
    A, b = quadratic(n)
    make = partial(QuasiNewton, update=update, curvature=EXACT, tolerance=1e-8)
    optimizer = solves_quadratic(make, A, b, steps=n + (update == "sr1"), atol=1e-8)
    if update == "dfp":
        torch.testing.assert_close(
            optimizer.memory["matrix"], torch.linalg.inv(A), atol=1e-6, rtol=0
        )
    if update == "bfgs":
        unseen, seen = optimizer.memory["matrices"]
        torch.testing.assert_close(seen, torch.linalg.inv(A), atol=1e-6, rtol=0)
        assert float(unseen.abs().max()) < 1e-9
    if update == "sr1":
        torch.testing.assert_close(optimizer.memory["matrix"], A, atol=1e-6, rtol=0)


@every_update
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_arrives_on_a_curved_valley(update, dtype):
    w = weights(-1.2, 1.0, -1.2, 1.0, dtype=dtype)
    optimizer = QuasiNewton([w], update=update)
    outcome = optimizer.minimize(lambda: rosenbrock(w))
    assert outcome.converged
    assert w.tolist() == pytest.approx([1] * 4, abs=1e-6 if dtype == torch.float64 else 1e-3)
    assert rosen(w.double().tolist()) < 1e-6


@pytest.mark.parametrize("update", DIRECT)
def test_an_indefinite_matrix_still_gives_a_descent(update):
    """From beside the saddle of w₁² − w₂² + w₂⁴ it comes to a minimum, −¼."""
    w = weights(1.0, 1e-3)
    optimizer = QuasiNewton([w], update=update)
    outcome = optimizer.minimize(lambda: w[0] ** 2 - w[1] ** 2 + w[1] ** 4)
    assert outcome.loss == pytest.approx(-0.25, abs=1e-9)


def test_negative_eigenvalues_count_by_their_size():
    B = torch.diag(torch.tensor([2.0, -4.0, 8.0], dtype=torch.float64))
    gradient = torch.ones(3, dtype=torch.float64)
    assert solve(B, gradient).tolist() == pytest.approx([0.5, 0.25, 0.125])
    assert solve(B.abs(), gradient).tolist() == pytest.approx([0.5, 0.25, 0.125])
    assert solve(-B, gradient).tolist() == pytest.approx([0.5, 0.25, 0.125])
    B[1, 1] = 0  # no curvature there: far, but not for ever
    assert torch.isfinite(solve(B, gradient)).all()


def test_limited_memory_keeps_so_many_pairs():
    w = weights(*[-1.2, 1.0] * 5)
    optimizer = QuasiNewton([w], update="lbfgs", memory=3)
    optimizer.minimize(lambda: rosenbrock(w), max_steps=10)
    assert [len(optimizer.memory[name]) for name in ("steps_kept", "changes_kept")] == [3, 3]


def test_more_weights_than_a_matrix_should_hold_are_told_of_lbfgs():
    w = torch.nn.Parameter(torch.zeros(5001))
    optimizer = QuasiNewton([w], update="sr1")
    said = r"update='sr1'.*at most 5,000 weights, got 5,001; use update='lbfgs'"
    with pytest.raises(ValueError, match=said):
        optimizer.step(lambda: (w - 1).square().sum())
    assert QuasiNewton([w], update="lbfgs").minimize(lambda: (w - 1).square().sum()).converged


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"update": "bgfs"}, "`update` must be one of 'bfgs', .*'bgfs'. Did you mean 'bfgs'"),
        ({"memory": 0}, "`memory` must be a whole number from 1 .*, got 0"),
        ({"curvature": 0}, r"`curvature` .* in \(0.0001, 1\) or None, got 0"),
        ({"tolerance": float("nan")}, r"`tolerance` must be a number in \[0, inf\), got nan"),
    ],
)
def test_an_option_out_of_its_range_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        QuasiNewton([weights(1.0)], **options)
