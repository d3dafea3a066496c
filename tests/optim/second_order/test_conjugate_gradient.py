"""Conjugate gradients: quadratics in n steps, the six formulas, restarts."""

import itertools
import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import rosen
from tests.agreement import solves_quadratic

from neuropil.optim import ConjugateGradient
from neuropil.optim.second_order.conjugate_gradient import FORMULAS

every_formula = pytest.mark.parametrize("formula", FORMULAS)
EXACT = 2e-4  # c₂ of a line search that is nearly exact


def quadratic(n, seed=0, spread=20.0):
    """Return A and b of ½ wᵀA w − bᵀw, with eigenvalues from 1 to `spread`."""
    generator = torch.Generator().manual_seed(seed)
    basis, _ = torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=torch.float64))
    A = basis @ torch.diag(torch.linspace(1, spread, n, dtype=torch.float64)) @ basis.T
    return (A + A.T) / 2, torch.randn(n, generator=generator, dtype=torch.float64)


def weights(*values, dtype=torch.float64):
    return torch.nn.Parameter(torch.tensor(values, dtype=dtype))


@every_formula
@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_a_quadratic_in_n_variables_is_solved_in_n_steps(formula, n):
    A, b = quadratic(n)
    make = partial(ConjugateGradient, formula=formula, curvature=EXACT, tolerance=1e-9)
    solves_quadratic(make, A, b, steps=n, atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 8), st.integers(0, 10**6), st.sampled_from(sorted(FORMULAS)))
def test_directions_are_conjugate_and_gradients_orthogonal(n, seed, formula):
    A, b = quadratic(n, seed)
    w = weights(*[0.0] * n)
    optimizer = ConjugateGradient([w], formula=formula, curvature=EXACT)
    directions, gradients = [], []
    for _ in range(n):
        gradients.append((A @ w - b).detach().clone())
        before = w.detach().clone()
        optimizer.step(lambda: w @ A @ w / 2 - b @ w)
        directions.append(w.detach() - before)
    D, G = (torch.nn.functional.normalize(torch.stack(v)) for v in (directions, gradients))
    off = ~torch.eye(n, dtype=torch.bool)
    assert (D @ A @ D.T)[off].abs().max() < 1e-5
    assert (G @ G.T)[off].abs().max() < 1e-5


def products(formula, old, new, direction):
    """β by its definition."""
    change = new - old
    return {
        "fletcher_reeves": new @ new / (old @ old),
        "polak_ribiere": new @ change / (old @ old),
        "hestenes_stiefel": new @ change / (direction @ change),
        "conjugate_descent": new @ new / -(direction @ old),
        "liu_storey": new @ change / -(direction @ old),
        "dai_yuan": new @ new / (direction @ change),
    }[formula]


@every_formula
def test_the_second_direction_is_bent_by_the_formula(formula):
    w = weights(1.0, 0.5, -0.25)

    def closure():
        return w[0] ** 2 + 2 * w[1] ** 4 + torch.cosh(3 * w[2])

    gradients, places = [], []
    optimizer = ConjugateGradient([w], formula=formula)
    for _ in range(3):
        gradients.append(torch.autograd.grad(closure(), w)[0])
        places.append(w.detach().clone())
        optimizer.step(closure)
    first, second = (b - a for a, b in itertools.pairwise(places))
    old, new = gradients[:2]
    assert abs(new @ first) / (new.norm() * first.norm()) > 0.01  # not an exact line search
    beta = products(formula, old, new, -old)
    assert beta > 0.05
    wanted = beta * -old - new
    torch.testing.assert_close(first / first.norm(), -old / old.norm())
    torch.testing.assert_close(second / second.norm(), wanted / wanted.norm())


@every_formula
def test_it_arrives_on_a_curved_valley(formula):
    w = weights(-1.2, 1.0)
    optimizer = ConjugateGradient([w], formula=formula)
    outcome = optimizer.minimize(lambda: (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2)
    assert outcome.converged
    assert w.tolist() == pytest.approx([1, 1], abs=1e-5)
    assert outcome.loss == pytest.approx(rosen(w.tolist()), abs=1e-15)
    assert outcome.evaluations < 250


def test_it_starts_afresh_where_successive_gradients_are_alike():
    w = weights(-1.2, 1.0, -1.2, 1.0, 0.5)
    optimizer = ConjugateGradient([w], formula="fletcher_reeves")
    alike = []
    for _ in range(20):
        old = torch.autograd.grad(valley(w), w)[0]
        optimizer.step(lambda: valley(w))
        new = torch.autograd.grad(valley(w), w)[0]
        alike.append(bool(abs(old @ new) > 0.2 * (new @ new)))
        assert (optimizer.memory["beta"] == 0) == alike[-1]
    assert 0 < sum(alike) < 20


def test_it_starts_afresh_after_six_times_as_many_steps_as_weights():
    w = weights(3.0, 1.0)
    optimizer = ConjugateGradient([w])
    ages, betas = [], []
    for _ in range(12):
        optimizer.step(lambda: valley(w))
        ages.append(optimizer.memory["age"])
        betas.append(optimizer.memory["beta"])
    assert ages == [*range(1, 12), 0]
    assert betas[-1] == 0 < betas[5]


def valley(w):
    return (1 - w[:-1]).square().sum() + 100 * (w[1:] - w[:-1] ** 2).square().sum()


def test_a_direction_that_does_not_descend_gives_way_to_the_gradient():
    w = weights(3.0, 1.0)

    def bowl():
        return w[0] ** 2 + 10 * w[1] ** 2

    optimizer = ConjugateGradient([w])
    optimizer.step(bowl)
    optimizer.memory["beta"] = 1e6
    gradient = torch.stack((2 * w[0], 20 * w[1])).detach()
    optimizer.memory["direction"] = gradient.clone()
    before, loss = w.detach().clone(), bowl().item()
    optimizer.step(bowl)
    moved = w.detach() - before
    assert bowl().item() < loss
    torch.testing.assert_close(moved / moved.norm(), -gradient / gradient.norm())


def test_another_loss_in_each_step_still_descends_each():
    generator = torch.Generator().manual_seed(0)
    w = weights(*[1.0] * 6)
    optimizer = ConjugateGradient([w])
    for _ in range(20):
        rows = torch.randn(4, 6, generator=generator, dtype=torch.float64)

        def batch(rows=rows):
            return (rows @ w).square().mean() + 1e-3 * w.square().sum()

        before = batch().item()
        assert optimizer.step(batch).item() == before
        assert batch().item() < before
    assert math.isfinite(w.sum().item())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"formula": "polak"}, "`formula` must be one of .*, got 'polak'. Did you mean"),
        ({"formula": None}, "`formula` must be one of 'fletcher_reeves', .*, got None"),
        ({"curvature": 1.0}, r"`curvature` must be a number in \(0.0001, 1\), got 1.0"),
        ({"tolerance": -1}, r"`tolerance` must be a number in \[0, inf\), got -1"),
        ({"max_evaluations": 0}, "`max_evaluations` must be a whole number from 1"),
        ({"max_evaluations": 2.5}, "`max_evaluations` must be a whole number from 1"),
    ],
)
def test_an_option_out_of_its_range_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        ConjugateGradient([weights(1.0)], **options)
