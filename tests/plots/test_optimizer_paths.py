"""Paths of optimisers over a loss of two weights."""

import numpy as np
import pytest
import torch
from scipy.optimize import rosen

from neuropil.optim import (
    Adam,
    ConjugateGradient,
    GradientDescent,
    IRPROPPlus,
    LevenbergMarquardt,
    QuasiNewton,
)
from neuropil.plots import optimizer_paths
from neuropil.plots.optimizer_walks import Walk, rosenbrock


def bowl(w):
    """Return (4 x² + y²) / 2."""
    return 2 * w[0].square() + w[1].square() / 2


def walk(make, surface=bowl, start=(1.0, 1.0), steps=20, goal=1e-10):
    return Walk(make, surface, start).follow(steps, goal)


def test_the_path_of_gradient_descent_by_hand():
    path = walk(lambda w: GradientDescent(w, lr=0.25), steps=3)
    # x ← x (1 − 4/4), y ← y (1 − 1/4)
    np.testing.assert_allclose(path.points, [[1, 1], [0, 0.75], [0, 0.5625], [0, 0.421875]])
    np.testing.assert_allclose(path.losses[:2], [2.5, 0.75**2 / 2])
    assert (path.steps, path.evaluations) == (3, 3)


def test_rosenbrocks_valley_is_scipys():
    for place in ([-1.2, 1.0], [0.3, -2.0], [1.0, 1.0]):
        residuals = rosenbrock(torch.tensor(place, dtype=torch.float64))
        assert residuals.square().sum().item() == pytest.approx(rosen(place))


@pytest.mark.parametrize(
    "make",
    [
        ConjugateGradient,
        QuasiNewton,
        LevenbergMarquardt,
        lambda w: torch.optim.LBFGS(
            w, max_iter=5, tolerance_change=0, line_search_fn="strong_wolfe"
        ),
    ],
)
def test_whole_batch_methods_reach_the_end_of_the_valley(make):
    path = walk(make, rosenbrock, (-1.2, 1.0), steps=100)
    np.testing.assert_allclose(path.points[-1], [1, 1], atol=1e-4)
    assert path.losses[-1] <= 1e-10
    assert path.losses[-2] > 1e-10  # it ends at the goal and not later
    assert path.evaluations > path.steps


def test_every_evaluation_counts():
    asked = 0

    def counted(w):
        nonlocal asked
        asked += w.requires_grad
        return rosenbrock(w)

    path = walk(QuasiNewton, counted, (-1.2, 1.0))
    assert path.evaluations == asked - len(path.losses)  # a look at each place besides


def test_a_path_ends_where_the_algorithm_says_so_or_the_loss_leaves_the_numbers():
    raised = walk(QuasiNewton, lambda w: bowl(w) + 1, steps=100)
    assert raised.steps < 10
    away = walk(lambda w: GradientDescent(w, lr=1e9), lambda w: w.pow(4).sum(), steps=1000)
    assert away.steps < 100
    assert not np.isfinite(away.losses[-1])


def test_each_algorithm_has_a_panel_with_its_path_and_its_cost():
    makers = {"one": lambda w: Adam(w, lr=0.1), "two": LevenbergMarquardt, "three": IRPROPPlus}
    figure = optimizer_paths(makers, steps=10, start=(-1.0, 0.5))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == list(makers)
    for axes, make in zip(figure.axes, makers.values(), strict=True):
        path = walk(make, rosenbrock, (-1.0, 0.5), steps=10)
        np.testing.assert_allclose(axes.get_lines()[0].get_xydata(), path.points)
        np.testing.assert_allclose(axes.get_lines()[-1].get_xydata(), path.points[-1:])
        assert axes.texts[0].get_text().startswith(f"{path.steps} step")
        assert len(axes.collections) == 1  # the lines of equal loss
    assert "evaluations" in figure.axes[1].texts[0].get_text()


def test_many_algorithms_stand_in_rows_and_any_surface_is_drawn():
    makers = {f"rate {lr}": lambda w, lr=lr: GradientDescent(w, lr=lr) for lr in range(1, 7)}
    flat = optimizer_paths(makers, lambda w: 0 * w[0], steps=2)
    assert len(flat.axes) == 8
    assert sum(axes.axison for axes in flat.axes) == 6
    flat.canvas.draw()
    below = optimizer_paths({"a": Adam}, lambda w: (w[0] * 9).sin() - w[1].log(), steps=5)
    assert below.axes[0].texts[0].get_text().startswith("1 step") is False
    below.canvas.draw()


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(ValueError, match="at least one optimiser"):
        optimizer_paths({})
    with pytest.raises(
        ValueError, match="mine needs residuals, but the surface returns the loss"
    ):
        optimizer_paths({"mine": LevenbergMarquardt}, bowl)
    with pytest.raises(ValueError, match="is nan; choose another start"):
        optimizer_paths({"a": Adam}, lambda w: (w[0] - 9).log() + w[1])
