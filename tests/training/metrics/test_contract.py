"""What every metric promises, tested for all that are defined.

A new metric adds one row to `ROWS`: what draws scores and targets for it, what gives its figure
by other means than ours, and its best figure.
"""

import inspect
import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import hypothesis.strategies as st
import pytest
import sklearn.metrics as peers
import torch
from hypothesis import given, settings
from tests.training.contract import (
    have_rows_and_are_public,
    looks_like_a_documented_function,
    refuses_a_target_too_few,
)
from torch import Tensor, nn

from neuropil import Trainer
from neuropil.training import BestWeights, History, Metric
from neuropil.training.metrics.metrics import METRICS, by_name, resolve


class Row(NamedTuple):
    """Scores and targets, the figure of both, and the figure of perfect scores."""

    draw: Callable[[int], tuple[Tensor, Tensor]]
    reference: Callable[[Any, Any], float]
    best: float


def classes(n: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(n)
    return torch.randn(n, 7, generator=generator), torch.randint(7, (n,), generator=generator)


def numbers(n: int) -> tuple[Tensor, Tensor]:
    scores = classes(n)[0]
    return scores, scores.roll(1, 0) + 3


def of_decisions(peer: Callable[..., float]) -> Callable[[Any, Any], float]:
    """Return the figure that scikit-learn gives for predicted classes."""
    return lambda scores, targets: peer(targets, scores.argmax(1))


def of_values(peer: Callable[..., float]) -> Callable[[Any, Any], float]:
    return lambda scores, targets: peer(targets, scores)


ROWS = {
    "accuracy": Row(classes, of_decisions(peers.accuracy_score), 1),
    "average_precision": Row(
        classes, lambda s, t: peers.average_precision_score(torch.eye(7)[t], s.softmax(1)), 1
    ),
    "balanced_accuracy": Row(classes, of_decisions(peers.balanced_accuracy_score), 1),
    "f1": Row(classes, of_decisions(lambda t, p: peers.f1_score(t, p, average="macro")), 1),
    "mean_absolute_error": Row(numbers, of_values(peers.mean_absolute_error), 0),
    "mean_squared_error": Row(numbers, of_values(peers.mean_squared_error), 0),
    "r2": Row(numbers, of_values(peers.r2_score), 1),
    "roc_auc": Row(
        classes, lambda s, t: peers.roc_auc_score(t, s.softmax(1), multi_class="ovr"), 1
    ),
    "root_mean_squared_error": Row(
        numbers, lambda s, t: float((s - t).square().mean().sqrt()), 0
    ),
    "top_k_accuracy": Row(classes, lambda s, t: peers.top_k_accuracy_score(t, s, k=5), 1),
}
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=str)


def examples(metric: Metric, n: int = 24) -> tuple[Tensor, Tensor]:
    return ROWS[metric.name].draw(n)


def test_every_metric_has_a_row_and_is_public():
    have_rows_and_are_public(Metric, METRICS, ROWS)


@every_metric
def test_the_figure_is_that_of_the_reference(metric: Metric):
    scores, targets = examples(metric, 60)
    expected = ROWS[metric.name].reference(scores.double(), targets)
    assert metric(scores, targets) == pytest.approx(expected, rel=1e-6)


@every_metric
def test_better_is_better(metric: Metric):
    _, targets = examples(metric)
    perfect = targets if targets.is_floating_point() else torch.eye(7)[targets]
    assert metric(perfect, targets) == ROWS[metric.name].best
    assert (metric(perfect, targets) > metric(-perfect, targets)) == metric.greater_is_better


@every_metric
@pytest.mark.parametrize("custom", [False, True])
def test_a_trainer_knows_it_by_name(metric: Metric, custom: bool, tmp_path):
    """Validation, evaluate and history.csv hold one figure, and `BestWeights` goes by it."""
    inputs, targets = examples(metric, 70)
    torch.manual_seed(0)
    network = nn.Linear(7, 7)
    loss = "squared_error" if targets.is_floating_point() else "cross_entropy"

    def step(trainer, batch):
        return {"loss": trainer.objective.mean(network(batch[0]), batch[1])}

    column = f"validation_{metric.name}"
    best = BestWeights(column)
    trainer = Trainer(
        network, loss=loss, metrics=[metric.name], step=step if custom else None,
        callbacks=[best], optimizer=torch.optim.SGD(network.parameters(), 0.3),
        progress=False, threads=None, seed=0,
    )  # fmt: skip
    data = inputs[:50], targets[:50]
    held_out = inputs[20:], targets[20:]
    history = trainer.fit(data, held_out, epochs=4, batch_size=10)
    assert (metric.name in history.columns) != custom
    figures = history[column]
    assert all(map(math.isfinite, figures))
    top = (max if metric.greater_is_better else min)(figures)
    assert best.best == top == figures[best.best_epoch - 1]
    # The best weights are in the network again.
    with torch.no_grad():
        expected = ROWS[metric.name].reference(network(held_out[0]).double(), held_out[1])
    assert trainer.evaluate(held_out)[metric.name] == pytest.approx(expected, rel=1e-5)
    assert top == pytest.approx(expected, rel=1e-5)
    history.save(tmp_path / "history.csv")
    assert History.load(tmp_path / "history.csv")[column] == figures


@every_metric
@settings(deadline=None, max_examples=50)
@given(cuts=st.lists(st.integers(0, 24), max_size=4))
def test_parts_merge_into_the_whole(metric: Metric, cuts: list[int]):
    scores, targets = examples(metric)
    edges = [0, *sorted(cuts), len(scores)]
    parts = [metric.gather(scores[i:j], targets[i:j]) for i, j in itertools.pairwise(edges)]
    assert all(part.dtype is torch.float64 for part in parts)
    got = metric.compute(metric.merge(parts))
    assert got == pytest.approx(metric(scores, targets), rel=1e-12)
    assert isinstance(got, float)


@every_metric
def test_nothing_is_tracked(metric: Metric):
    scores, targets = examples(metric)
    assert not metric.gather(scores.requires_grad_(), targets).requires_grad
    assert metric(scores, targets) == metric(scores.detach(), targets)


@every_metric
def test_no_examples_are_an_error_that_says_so(metric: Metric):
    scores, targets = examples(metric)
    with pytest.raises(ValueError, match=f"{metric.name}: there are no examples to measure"):
        metric(scores[:0], targets[:0])


@every_metric
def test_a_wrong_number_of_examples_is_refused(metric: Metric):
    scores, targets = examples(metric)
    refuses_a_target_too_few(metric.name, metric, scores, targets)


@every_metric
def test_it_looks_like_a_function(metric: Metric):
    looks_like_a_documented_function(metric)
    assert inspect.signature(metric).return_annotation == "float"
    assert by_name(metric.name) is metric is resolve(metric) is resolve(metric.name.upper())
