"""Metrics against scikit-learn, in one piece and in parts."""

import math
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import hypothesis.strategies as st
import pytest
import sklearn.metrics as peers
import torch
from hypothesis import given, settings
from torch import Tensor

from neuropil.training import (
    Loss,
    Metric,
    accuracy,
    average_precision,
    balanced_accuracy,
    binary_cross_entropy,
    confusion_matrix,
    cross_entropy,
    f1,
    mean_absolute_error,
    mean_squared_error,
    r2,
    roc_auc,
    root_mean_squared_error,
    squared_error,
    top_k_accuracy,
)
from neuropil.training.metrics.metrics import resolve

sizes = st.tuples(st.integers(1, 30), st.integers(2, 6), st.integers(0, 999))


def class_examples(n: int, k: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(n, k, generator=generator)
    return scores, torch.randint(k, (n,), generator=generator)


# Values


@settings(deadline=None, max_examples=50)
@given(sizes)
def test_class_metrics_equal_scikit_learns(size: tuple[int, int, int]):
    scores, targets = class_examples(*size)
    predicted, true = scores.argmax(1).numpy(), targets.numpy()
    assert accuracy(scores, targets) == pytest.approx(peers.accuracy_score(true, predicted))
    expected = peers.f1_score(true, predicted, average="macro", zero_division=0)
    assert f1(scores, targets) == pytest.approx(expected)
    # Scikit-learn warns of predicted classes that are not there, so the recalls are worked out.
    recalls = [(predicted[true == each] == each).mean() for each in set(true.tolist())]
    assert balanced_accuracy(scores, targets) == pytest.approx(sum(recalls) / len(recalls))
    matrix = peers.confusion_matrix(true, predicted, labels=range(size[1]))
    assert confusion_matrix(scores, targets).tolist() == matrix.tolist()


def test_balanced_accuracy_equals_scikit_learns():
    scores, targets = class_examples(200, 4)
    expected = peers.balanced_accuracy_score(targets, scores.argmax(1))
    assert balanced_accuracy(scores, targets) == pytest.approx(expected)


@pytest.mark.parametrize(("true", "expected"), [(0, [1, 1, 1]), (1, [0, 1, 1]), (2, [0, 0, 1])])
def test_of_equal_scores_the_earlier_class_ranks_first(true: int, expected: list[int]):
    scores, targets = torch.zeros(1, 3), torch.tensor([true])
    assert [top_k_accuracy(scores, targets, k=k) for k in (1, 2, 3)] == expected


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_top_k_accuracy_equals_scikit_learns(k: int):
    scores, targets = class_examples(40, 6)
    expected = peers.top_k_accuracy_score(targets, scores, k=k, labels=range(6))
    assert top_k_accuracy(scores, targets, k=k) == pytest.approx(expected)
    assert top_k_accuracy(scores, targets, k=k + 6) == 1
    assert top_k_accuracy(scores, targets, k=1) == accuracy(scores, targets)


@settings(deadline=None, max_examples=50)
@given(n=st.integers(12, 40), k=st.integers(2, 4), digits=st.sampled_from([0, 1, 5]))
def test_the_area_under_the_curve_is_scikit_learns(n: int, k: int, digits: int):
    """Few digits make ties."""
    generator = torch.Generator().manual_seed(n)
    scores = torch.randn(n, k, generator=generator, dtype=torch.float64).round(decimals=digits)
    targets = torch.arange(n) % k
    chances = scores.softmax(1).numpy()
    if k == 2:
        expected = peers.roc_auc_score(targets, chances[:, 1])
        single = (scores[:, 1] - scores[:, 0]).round(decimals=digits)
        by_single = peers.roc_auc_score(targets, single)
        assert roc_auc(single, targets) == pytest.approx(by_single, abs=1e-12)
        assert roc_auc(single[:, None], 2 * targets - 1) == pytest.approx(by_single, abs=1e-12)
    else:
        expected = peers.roc_auc_score(targets, chances, multi_class="ovr")
    # Probabilities that are equal but for rounding rank by chance, there and here.
    assert roc_auc(scores, targets) == pytest.approx(expected, abs=0.05 if digits < 5 else 1e-9)


def test_the_area_under_the_curve_of_one_class_is_unknown():
    scores = torch.tensor([0.1, 0.2, 0.3])
    assert math.isnan(roc_auc(scores, torch.ones(3)))
    assert math.isnan(roc_auc(torch.tensor([math.nan, 0.2, 0.3]), torch.tensor([0, 1, 1])))
    # A class that does not occur has no curve; the others have.
    wide = torch.eye(3)[:2]
    assert roc_auc(wide, torch.tensor([0, 1])) == 1


@settings(deadline=None, max_examples=50)
@given(n=st.integers(12, 40), k=st.integers(2, 4), digits=st.sampled_from([0, 1, 5]))
def test_average_precision_is_scikit_learns(n: int, k: int, digits: int):
    """Few digits make ties."""
    generator = torch.Generator().manual_seed(n)
    single = torch.randn(n, generator=generator, dtype=torch.float64).round(decimals=digits)
    rare = torch.arange(n) % 6 == 0
    expected = peers.average_precision_score(rare, single)
    assert average_precision(single, rare.long()) == pytest.approx(expected, abs=1e-12)
    assert average_precision(single[:, None], 2.0 * rare - 1) == pytest.approx(
        expected, abs=1e-12
    )
    two = torch.stack([-single / 2, single / 2], dim=1)
    assert average_precision(two, rare.long()) == pytest.approx(expected, abs=1e-12)
    scores = torch.randn(n, k, generator=generator, dtype=torch.float64)
    targets = torch.arange(n) % k
    truth = torch.eye(k)[targets] if k > 2 else targets
    chances = scores.softmax(1) if k > 2 else scores.softmax(1)[:, 1]
    expected = peers.average_precision_score(truth, chances, average="macro")
    assert average_precision(scores, targets) == pytest.approx(expected, abs=1e-12)


def test_the_average_precision_of_an_absent_class_is_unknown():
    scores = torch.tensor([0.1, 0.2, 0.3])
    assert math.isnan(average_precision(scores, torch.zeros(3)))
    assert average_precision(scores, torch.ones(3)) == 1
    assert math.isnan(average_precision(torch.tensor([math.nan, 0.2]), torch.tensor([0, 1])))
    # A class that does not occur has no curve; the others have.
    assert average_precision(torch.eye(3)[:2], torch.tensor([0, 1])) == 1


def test_the_area_under_the_curve_does_not_saturate():
    scores = torch.tensor([[0.0, 1e3], [0.0, 2e3], [0.0, 3e3], [0.0, 4e3]])
    assert roc_auc(scores, torch.tensor([0, 1, 0, 1])) == 0.75


@settings(deadline=None, max_examples=50)
@given(
    n=st.integers(2, 30), outputs=st.integers(1, 4), centre=st.sampled_from([0.0, -50.0, 1e3])
)
def test_value_metrics_equal_scikit_learns(n: int, outputs: int, centre: float):
    generator = torch.Generator().manual_seed(n)
    targets = torch.randn(n, outputs, generator=generator, dtype=torch.float64) + centre
    scores = targets + torch.randn(n, outputs, generator=generator, dtype=torch.float64)
    true, predicted = targets.numpy(), scores.numpy()
    expected = peers.mean_squared_error(true, predicted)
    assert mean_squared_error(scores, targets) == pytest.approx(expected)
    assert root_mean_squared_error(scores, targets) == pytest.approx(math.sqrt(expected))
    expected = peers.mean_absolute_error(true, predicted)
    assert mean_absolute_error(scores, targets) == pytest.approx(expected)
    assert r2(scores, targets) == pytest.approx(peers.r2_score(true, predicted), rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6])
def test_r2_of_a_constant_is_scikit_learns(value: float):
    targets = torch.full((9,), value, dtype=torch.float64)
    assert r2(targets, targets) == 1
    assert r2(targets + 1, targets) == 0


def test_r2_survives_a_far_origin():
    targets = torch.arange(100, dtype=torch.float64) + 1e6
    scores = targets + torch.tensor([1.0, -1.0]).repeat(50)
    expected = peers.r2_score(targets, scores)
    assert r2(scores, targets) == pytest.approx(expected, rel=1e-6)


def test_float32_is_added_up_in_double_precision():
    scores, targets = torch.full((10**5,), 0.1), torch.zeros(10**5)
    tenth = scores[0].item()
    assert mean_squared_error(scores, targets) == pytest.approx(tenth**2, rel=1e-12)
    own = resolve(lambda given, _targets: given)
    assert own(scores, targets) == pytest.approx(tenth, rel=1e-12)


@pytest.mark.parametrize(
    "targets",
    [
        torch.tensor([0, 1, 1, 0]),
        torch.tensor([[0], [1], [1], [0]]),
        torch.tensor([False, True, True, False]),
        torch.tensor([-1.0, 1.0, 1.0, -1.0]),
        torch.tensor([0.1, 0.9, 0.6, 0.4]),
    ],
)
def test_a_single_score_decides_between_two_classes(targets: Tensor):
    scores = torch.tensor([-1.0, 2.0, -0.5, -3.0])
    for given_scores in (scores, scores.unsqueeze(1)):
        assert accuracy(given_scores, targets) == 0.75
        assert balanced_accuracy(given_scores, targets) == 0.75
        assert confusion_matrix(given_scores, targets).tolist() == [[2, 0], [1, 1]]


def test_positions_count_like_examples():
    scores, targets = torch.randn(3, 4, 5, 2), torch.randint(4, (3, 5, 2))
    expected = (scores.argmax(1) == targets).double().mean().item()
    assert accuracy(scores, targets) == pytest.approx(expected)
    assert confusion_matrix(scores, targets).sum() == 30


def test_soft_targets_count_as_their_largest():
    scores, targets = class_examples(30, 4)
    soft = 0.6 * torch.nn.functional.one_hot(targets, 4) + 0.1
    for metric in (accuracy, f1, balanced_accuracy):
        assert metric(scores, soft) == metric(scores, targets)


def test_every_label_may_count_for_itself():
    scores = torch.tensor([[1.0, -1.0, 1.0], [1.0, 1.0, 1.0]])
    targets = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 1.0]])
    assert accuracy(scores, targets, multilabel=True) == pytest.approx(4 / 6)
    for metric in (f1, balanced_accuracy):
        with pytest.raises(ValueError, match=f"{metric.name} is for one decision per"):
            metric(scores, targets, multilabel=True)
    assert f1(scores[:, :1], targets[:, :1], multilabel=True) == 1


# Looks, names and what users give


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("mse", mean_squared_error),
        ("rmse", root_mean_squared_error),
        ("mae", mean_absolute_error),
        ("r2_score", r2),
        ("f1-score", f1),
        ("AUC", roc_auc),
    ],
)
def test_short_names(name: str, metric: Metric):
    assert resolve(name) is metric


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"no metric 'acuracy'\. Did you mean 'accuracy'\?"):
        resolve("acuracy")


def test_a_partial_is_a_metric_with_options_and_says_so():
    scores, targets = class_examples(30, 6)
    three = resolve(partial(top_k_accuracy, k=3))
    assert three.name == "top_k_accuracy(k=3)"
    assert three(scores, targets) == top_k_accuracy(scores, targets, k=3)
    assert three.compute(three.gather(scores, targets)) == three(scores, targets)
    again = pickle.loads(pickle.dumps(three))
    assert (again.name, again(scores, targets)) == (three.name, three(scores, targets))
    with pytest.raises(
        ValueError, match=r"partial\(top_k_accuracy, …\) may set k, got \['best'\]"
    ):
        resolve(partial(top_k_accuracy, best=3))


def test_any_function_is_a_metric():
    def far(scores: Tensor, targets: Tensor) -> Tensor:
        return (scores - targets).abs() > 1

    metric = resolve(far)
    scores, targets = torch.tensor([0.0, 2.0, 5.0, 0.0]), torch.zeros(4)
    assert (metric.name, metric(scores, targets)) == ("far", 0.5)
    assert metric.gather(scores, targets).tolist() == [2, 4]
    assert metric.compute(torch.tensor([3.0, 4.0])) == 0.75
    assert metric.greater_is_better


def test_whether_greater_is_better_is_told_by_name_or_attribute():
    def pinball_error(scores: Tensor, targets: Tensor) -> Tensor:
        return scores - targets

    def cost(scores: Tensor, targets: Tensor) -> Tensor:
        return scores - targets

    cost.greater_is_better = False
    assert not resolve(pinball_error).greater_is_better
    assert not resolve(cost).greater_is_better
    assert not resolve(cross_entropy).greater_is_better
    assert not resolve(partial(cross_entropy, label_smoothing=0.1)).greater_is_better


@pytest.mark.parametrize("loss", [cross_entropy, squared_error], ids=str)
def test_a_loss_is_a_metric(loss: Loss):
    scores = torch.randn(6, 3)
    targets = torch.tensor([0, 1, 2, 0, 1, 2]) if loss is cross_entropy else torch.ones(6, 3)
    metric = resolve(loss)
    assert metric.name == loss.name
    assert metric(scores, targets) == pytest.approx(loss.mean(scores, targets).item(), rel=1e-6)
    again = pickle.loads(pickle.dumps(metric))
    assert again(scores, targets) == metric(scores, targets)


def test_the_loss_says_what_a_decision_is():
    scores = torch.tensor([[1.0, -1.0], [1.0, 2.0]])
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    labels = resolve("accuracy", binary_cross_entropy)
    assert (labels.name, labels(scores, targets)) == ("accuracy", 0.75)
    assert resolve("accuracy", cross_entropy) is accuracy
    assert resolve("mse", binary_cross_entropy) is mean_squared_error
    assert resolve("f1", binary_cross_entropy)(scores[:, 0], targets[:, 0]) == 1
    again = pickle.loads(pickle.dumps(labels))
    assert (again.name, again(scores, targets)) == ("accuracy", 0.75)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: resolve(3), TypeError, "a metric must be a name or a function .* got 3"),
        (
            lambda: resolve(torch.sub)(torch.ones(2, 3), 1),
            ValueError,
            r"Metric 'sub' must return one value per example, a tensor \(N,\), got \(2, 3\)",
        ),
        (
            lambda: top_k_accuracy(torch.zeros(2, 3), torch.tensor([0, 1]), k=0),
            ValueError,
            "top_k_accuracy: k must be a whole number from 1 .* got 0",
        ),
        (
            lambda: accuracy(torch.zeros(2, 3), torch.zeros(2)),
            ValueError,
            "accuracy takes classes as integers",
        ),
        (
            lambda: mean_squared_error(torch.zeros(4, 3), torch.zeros(4)),
            ValueError,
            r"mean_squared_error needs targets of the shape of the scores \(4, 3\), got \(4,\)",
        ),
    ],
)
def test_wrong_use_is_refused(call: Callable[[], Any], error: type, message: str):
    with pytest.raises(error, match=message):
        call()


# The confusion matrix


def test_confusion_of_class_numbers():
    predicted, true = torch.tensor([0, 2, 2, 1]), torch.tensor([0, 2, 1, 1])
    expected = peers.confusion_matrix(true, predicted)
    assert confusion_matrix(predicted, true).tolist() == expected.tolist()
    assert confusion_matrix(predicted, true, classes=4).shape == (4, 4)
    assert confusion_matrix(predicted[:0], true[:0]).tolist() == [[0]]
    dense = confusion_matrix(predicted.reshape(2, 2), true.reshape(2, 2))
    assert dense.tolist() == expected.tolist()
    assert dense.dtype is torch.int64


@pytest.mark.parametrize(
    ("predicted", "true"), [([0, 3], [0, 1]), ([0, 1], [0, 3]), ([0], [-1])]
)
def test_confusion_of_unknown_classes_is_refused(predicted: list[int], true: list[int]):
    with pytest.raises(ValueError, match="confusion_matrix: the scores are for 3 classes"):
        confusion_matrix(torch.tensor(predicted), torch.tensor(true), classes=3)
