"""Every plot by its row: it draws, names stay text, wrong input is one line."""

import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib import rcParams
from matplotlib.figure import Figure
from matplotlib.text import Text

from neuropil import plots
from neuropil.analysis import gradient_health
from neuropil.classic import LVQ, RBM, SOFM, DiscreteHopfieldNetwork, GrowingNeuralGas
from neuropil.layers import Convolution, Flatten, Input, Relu, Sigmoid
from neuropil.optim import Adam
from neuropil.runs import Importance
from neuropil.training import History
from neuropil.vision import VerificationCurve, verification_curve

NASTY = "<b>$\\frac{$\x1b[31m\n\u202e\udc80"
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.random((12, 2)), np.arange(12) % 2
PROBABILITIES = RANDOM.dirichlet([1, 1], 12)
NUMBERS = RANDOM.random(12)


def a_history() -> History:
    """Return two epochs."""
    return History({"epoch": k, "steps": k, "seconds": 0.1, "loss": 1 / k} for k in (1, 2))


def a_network():
    """Return a small convolutional network."""
    return Input(1, 4, 4) >> Convolution(2, 3) >> Flatten() >> Relu(3) >> Sigmoid(1)


def a_health():
    """Return what a batch measures on a network."""
    return gradient_health(a_network(), torch.rand(4, 1, 4, 4), torch.rand(4, 1))


def a_map(names: int = 2) -> SOFM:
    """Return a fitted map."""
    return SOFM((2, 3), n_epochs=2, random_state=0).fit(RANDOM.random((12, names)))


def a_curve() -> VerificationCurve:
    """Return the errors of six people with two pictures each."""
    return verification_curve(RANDOM.random((12, 3)), np.arange(12) // 2)


@cache
def a_memory() -> DiscreteHopfieldNetwork:
    """Return a network with one pattern."""
    return DiscreteHopfieldNetwork(random_state=0).fit([[1, 0, 1, 0]])


@cache
def a_machine() -> RBM:
    """Return a machine over pictures of 2 × 3."""
    return RBM(2, n_epochs=1, random_state=0).fit(np.eye(6))


@dataclass(frozen=True)
class Row:
    """Small input of a plot, the places for names, and an input that it must refuse."""

    arguments: Callable[[], tuple[Any, ...]]
    wrong: Callable[[], tuple[Any, ...]]
    message: str
    names: dict[str, Any] = field(default_factory=dict)


PAIR = Row(lambda: (NUMBERS, NUMBERS), lambda: ([1.0, 2.0], [1.0]), "shapes", {"name": NASTY})
VERIFICATION = Row(lambda: (a_curve(), 0.5), lambda: (a_curve(), 2.5), r"in \[0, 2\], got 2.5")
ROWS = {
    "box_curves": Row(
        lambda: ([[[0.0, 0, 9, 9, 0.8, 0], [5, 5, 9, 9, 0.3, 0]]], [[[0.0, 0, 9, 9, 0]]]),
        lambda: ([[[0.0, 0, 9, 9, 0.8, 0]]], [[[0.0, 0, 9, 9, -1]]], ["a"]), "one true box",
        {"classes": [NASTY], "thresholds": [0.5]},
    ),
    "calibration": Row(
        lambda: (PROBABILITIES, Y), lambda: ([[0.2, 1.8]], [0]), "between 0 and 1"
    ),
    "capacity_curves": Row(
        lambda: (a_memory().capacity_curve(8, [0.2, 0.4]),), tuple, "1 to 4 curves, got 0"
    ),
    "cluster_map": Row(lambda: (a_map(), 2), lambda: (a_map(), 99), "99"),
    "column_importance": Row(
        lambda: ([Importance(NASTY, 0.2, -0.1, 0.3)],), lambda: ([],), "at least one column",
        {"metric": NASTY},
    ),
    "component_planes": Row(
        lambda: (a_map(),), lambda: (a_map(), ["a"]), "2 features, 1 names",
        {"names": [NASTY, "b"]},
    ),
    "confusion_matrix": Row(
        lambda: ([[3, 1], [0, 2]],), lambda: ([[1, 2]],), "square", {"classes": [NASTY, "b"]}
    ),
    "decision_regions": Row(
        lambda: (LVQ(random_state=0).fit(X, np.array([NASTY, "b"])[Y]), X),
        lambda: (LVQ().fit(X, Y), X, Y[:3]), "12 rows, 3 classes",
        {"y": np.array([NASTY, "b"])[Y]},
    ),
    "det_curve": VERIFICATION,
    "distance_histogram": VERIFICATION,
    "error_by_decile": PAIR,
    "filters": Row(lambda: (a_network(),), lambda: (Input(3) >> Relu(4),), "no convolution"),
    "gradient_flow": Row(lambda: (a_health(),), lambda: ([],), "nothing was measured"),
    "growing_gas": Row(
        lambda: (GrowingNeuralGas(5, random_state=0).fit(X), X),
        lambda: (GrowingNeuralGas(3).fit(X[:, :1]), X[:, :1]), "two columns, got one",
    ),
    "hinton": Row(
        lambda: ([[1.0, -0.5]],), lambda: ([[np.nan]],), "NaN",
        {"rows": [NASTY], "columns": [NASTY, "b"]},
    ),
    "hit_map": Row(
        lambda: (a_map(), X), lambda: (a_map(), X, ["a"]), "12 rows, 1 labels",
        {"labels": [NASTY] * 12},
    ),
    "hopfield_recall": Row(
        lambda: (a_memory(), [[1, 0, 0, 0]]), lambda: (a_memory(), np.ones((9, 4))),
        "1 to 8 probes, got 9",
    ),
    "landmark_errors": Row(
        lambda: (NUMBERS,), lambda: ([],), "one finite error",
        {"others": NUMBERS, "name": NASTY},
    ),
    "learning_curves": Row(
        lambda: (a_history(),), lambda: (History(),), "is empty",
    ),
    "loss_against_time": Row(
        lambda: ({NASTY: a_history(), "b": a_history()},), lambda: ({},), "at least one history"
    ),
    "machine_filters": Row(
        lambda: (a_machine(), (2, 3)), lambda: (a_machine(), (3, 3)), "3 × 3 has 9 pixels"
    ),
    "optimizer_paths": Row(
        lambda: ({NASTY: lambda w: Adam(w, lr=0.1)}, lambda w: w.square().sum()),
        lambda: ({},), "at least one optimiser", {"steps": 2},
    ),
    "precision_recall_curve": Row(
        lambda: (NUMBERS, Y), lambda: (PROBABILITIES, Y), r"give \[:, 1\]", {"threshold": 0.5}
    ),
    "predicted_against_true": PAIR,
    "residuals": PAIR,
    "roc_curve": Row(
        lambda: (NUMBERS, Y), lambda: (NUMBERS, 0 * Y), "both must occur", {"threshold": 2.0}
    ),
    "run_curves": Row(
        lambda: ({"a": a_history(), NASTY: a_history()}, "loss"),
        lambda: ({"a": a_history()},), "none of the histories has the column 'validation_loss'",
    ),
    "samples": Row(
        lambda: (a_machine(), (2, 3)), lambda: (a_machine(), (3, 3)), "3 × 3 has 9 pixels",
        {"count": 2, "n_steps": 2, "random_state": 0},
    ),
    "verification_roc": VERIFICATION,
    "u_matrix": Row(
        lambda: (a_map(),), lambda: (SOFM((2, 2, 2)).fit(X),), "one axis or two, got 3 axes"
    ),
}  # fmt: skip
PLOTS = [
    name
    for name in plots.__all__
    if inspect.isfunction(found := getattr(plots, name))
    and found.__annotations__["return"] == "Figure"
]


def draw(name: str) -> Figure:
    """Return the picture of a plot's small input, hostile names and all."""
    return getattr(plots, name)(*ROWS[name].arguments(), **ROWS[name].names)


def state() -> list[object]:
    """Return all that a plot must leave alone."""
    numpy = np.random.get_state()[1].tolist()  # noqa: NPY002 - what must not change
    seeds = [numpy, torch.get_rng_state().tolist()]
    return [dict(rcParams), "matplotlib.pyplot" in sys.modules, seeds]


def test_every_plot_has_a_row():
    assert sorted(ROWS) == sorted(PLOTS), "give each plot a row"


@pytest.mark.parametrize("name", PLOTS)
def test_it_draws_and_leaves_no_trace(name):
    arguments = ROWS[name].arguments()
    before = state()
    figure = getattr(plots, name)(*arguments, **ROWS[name].names)
    assert isinstance(figure, Figure)
    assert figure.axes
    figure.canvas.draw()
    assert state() == before


@pytest.mark.parametrize("name", PLOTS)
def test_names_are_text_and_nothing_else(name):
    figure = draw(name)
    words = [text.get_text() for text in figure.findobj(Text)]
    given = " ".join(map(str, [*ROWS[name].names.values(), *ROWS[name].arguments()]))
    assert any("<b>" in word for word in words) == ("<b>" in given)
    for word in words:
        assert "\n" not in word or "<b>" not in word
        assert not re.search(r"(?<!\\)\$.*<b>|<b>.*(?<!\\)\$", word), "mathematics"
        assert not re.search("[\x1b\u202e\udc80]", word)


@pytest.mark.parametrize("name", PLOTS)
def test_wrong_input_is_one_line(name):
    row = ROWS[name]
    with pytest.raises(ValueError, match=row.message) as caught:
        getattr(plots, name)(*row.wrong())
    assert "\n" not in str(caught.value)
