"""Every metric and loss on sets that strain numbers, against fractions and other libraries.

Regression is worked out in fractions, which do not round; classes by scikit-learn and SciPy.
"""

import math
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import sklearn.metrics as peers
import torch
import torch.nn.functional as F
from scipy.special import log_softmax
from torch import Tensor

from neuropil import Trainer, training
from neuropil.layers import Input, Linear
from neuropil.training.losses import losses
from neuropil.training.metrics import metrics

N = 40


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


# Numbers: name -> (values, targets)

NOISE, ERROR = normal(N), 0.3 * normal(N, seed=1)
STEPS = torch.arange(N).double()
NUMBERS = {
    "plain": (NOISE + ERROR, NOISE),
    "offset of a million": (1e6 + NOISE + ERROR, 1e6 + NOISE),
    "offset of a milliard": (1e9 + 10 * (NOISE + ERROR), 1e9 + 10 * NOISE),
    "offset at the end of float64": (2.0**52 + STEPS + 1, 2.0**52 + STEPS),
    "offset below zero": (-1e12 + NOISE + ERROR, -1e12 + NOISE),
    "timestamps": (1.7e12 + 1e3 * STEPS + 500, 1.7e12 + 1e3 * STEPS),
    "tiny": (1e-100 * (NOISE + ERROR), 1e-100 * NOISE),
    "huge": (1e150 * (NOISE + ERROR), 1e150 * NOISE),
    "float32 far from zero": ((1e4 + NOISE + ERROR).float(), (1e4 + NOISE).float()),
    "float32 and large": ((1e15 * (NOISE + ERROR)).float(), (1e15 * NOISE).float()),
    "float32 for float64": ((1e6 + NOISE).float(), 1e6 + NOISE),
    "half precision": ((NOISE + ERROR).half(), NOISE.half()),
    "bfloat16": ((NOISE + ERROR).bfloat16(), NOISE.bfloat16()),
    "whole numbers": (STEPS + ERROR, torch.arange(N)),
    "a column and a vector": ((NOISE + ERROR)[:, None], NOISE),
    "several outputs": (
        normal(N, 3) * torch.tensor([1e-6, 1.0, 1e6]),
        normal(N, 3, seed=1) * torch.tensor([1e-6, 1.0, 1e6]) + 1e7,
    ),
    "one output constant": (
        torch.stack([NOISE, NOISE], 1),
        torch.stack([NOISE + ERROR, torch.full((N,), 0.1).double()], 1),
    ),
    "constant and met": (torch.full((N,), 0.1).double(), torch.full((N,), 0.1).double()),
    "constant and missed": (torch.full((N,), 0.3).double(), torch.full((N,), 0.1).double()),
    "in order": (1e8 + STEPS**3 + 100, 1e8 + STEPS**3),
    "a single row": (torch.tensor([2.5]).double(), torch.tensor([2.0]).double()),
    "outliers": (NOISE, torch.where(STEPS == 7, 1e12, NOISE + ERROR)),
}

# Scores of classes: name -> (scores, targets)

LABELS = torch.randint(4, (N,), generator=torch.Generator().manual_seed(2))
SCORES = normal(N, 4, seed=3)
CLASSES = {
    "plain": (SCORES, LABELS),
    "all alike": (torch.zeros(N, 4).double(), LABELS),
    "ties for the best": (SCORES.round().clamp(-1, 0), LABELS),
    "one class in the targets": (SCORES, torch.full((N,), 2)),
    "one class predicted": (SCORES + torch.tensor([0, 99, 0, 0]), LABELS),
    "a class that is not there": (SCORES, LABELS.clamp(max=2)),
    "classes that were never seen": (torch.cat([SCORES, SCORES - 50], 1), LABELS),
    "all wrong": (-50 * F.one_hot(LABELS, 4).double(), LABELS),
    "a single row": (SCORES[:1], LABELS[:1]),
    "extreme, float32": (1e4 * SCORES.float(), LABELS),
    "extreme, float64": (1e300 * SCORES, LABELS),
    "far from zero": (SCORES + 1e9, LABELS),
    "barely apart": (1 + 1e-15 * SCORES.round(), LABELS),
    "half precision": (SCORES.half(), LABELS),
    "bfloat16": (SCORES.bfloat16(), LABELS),
    "bytes for targets": (SCORES, LABELS.to(torch.uint8)),
    "a column of targets": (SCORES, LABELS[:, None]),
    "a class ruled out": (
        SCORES.masked_fill(F.one_hot((LABELS + 1) % 4, 4).bool(), -math.inf),
        LABELS,
    ),
}


def exact(tensor: Tensor) -> list[list[Fraction]]:
    return [
        list(map(Fraction, row)) for row in tensor.double().reshape(len(tensor), -1).tolist()
    ]


def errors_of(values: Tensor, targets: Tensor) -> list[list[Fraction]]:
    pairs = zip(exact(values), exact(targets), strict=True)
    return [[a - b for a, b in zip(one, other, strict=True)] for one, other in pairs]


def mean(numbers) -> Fraction:
    numbers = list(numbers)
    return sum(numbers, Fraction(0)) / len(numbers)


def exact_r2(values: Tensor, targets: Tensor) -> float:
    each = []
    columns = zip(*errors_of(values, targets), strict=True)
    for wrong, true in zip(columns, zip(*exact(targets), strict=True), strict=True):
        middle = mean(true)
        variation = sum((t - middle) ** 2 for t in true)
        error = sum(e**2 for e in wrong)
        each.append(1 - error / variation if variation else Fraction(not error))
    return float(mean(each))


def flat(rows):
    return [number for row in rows for number in row]


FIGURES = {
    "r2": exact_r2,
    "mean_squared_error": lambda v, t: float(mean(e**2 for e in flat(errors_of(v, t)))),
    "root_mean_squared_error": lambda v, t: math.sqrt(
        float(mean(e**2 for e in flat(errors_of(v, t))))
    ),
    "mean_absolute_error": lambda v, t: float(mean(map(abs, flat(errors_of(v, t))))),
}


def in_parts(metric, outputs, targets, size):
    """Return the figure that is made of parts, as a training makes it."""
    pairs = zip(outputs.split(size), targets.split(size), strict=True)
    return metric.compute(metric.merge([metric.gather(*pair) for pair in pairs]))


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("figure", FIGURES)
def test_figures_of_numbers_are_exact(figure, name):
    values, targets = NUMBERS[name]
    metric = metrics.by_name(figure)
    expected = FIGURES[figure](values, targets)
    for found in (
        metric(values, targets),
        in_parts(metric, values, targets, 7),
        in_parts(metric, values, targets, 1),
    ):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("name", ["plain", "half precision", "float32 far from zero"])
def test_r2_is_scikit_learns_where_that_does_not_round(name):
    values, targets = (each.double().numpy() for each in NUMBERS[name])
    expected = peers.r2_score(targets, values)
    assert training.r2(*NUMBERS[name]) == pytest.approx(expected, rel=1e-9)


EPS = {torch.float64: 1e-12, torch.float32: 2e-5, torch.float16: 1e-2, torch.bfloat16: 5e-2}


def huber_of(error: Fraction) -> float:
    size = abs(float(error))
    return size**2 / 2 if size <= 1 else size - 0.5


LOSSES = {
    "squared_error": lambda e: float(e * e),
    "absolute_error": lambda e: float(abs(e)),
    "huber": huber_of,
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_of_numbers(loss, name):
    values, targets = NUMBERS[name]
    # Targets follow the values in their type.
    errors = errors_of(values, targets.to(values.dtype))
    exactly = [float(np.mean([LOSSES[loss](e) for e in row])) for row in errors]
    found = losses.by_name(loss)(values, targets)
    close = EPS[values.dtype]
    assert found.tolist() == pytest.approx(exactly, rel=close, abs=close**2 / 1e300)


# Classes


def predicted_of(scores: Tensor) -> np.ndarray:
    return scores.double().numpy().argmax(1)


def recalls(true, predicted) -> float:
    return float(np.mean([(predicted[true == k] == k).mean() for k in np.unique(true)]))


def best(scores: Tensor, true, k: int) -> float:
    order = np.argsort(-scores.double().numpy(), axis=1, kind="stable")[:, :k]
    return float((order == true[:, None]).any(1).mean())


@pytest.mark.parametrize("size", [1, 7, N])
@pytest.mark.parametrize("name", CLASSES)
def test_figures_of_classes(name, size):
    scores, targets = CLASSES[name]
    true, predicted = targets.numpy().reshape(-1).astype(int), predicted_of(scores)
    expected = {
        "accuracy": peers.accuracy_score(true, predicted),
        "balanced_accuracy": recalls(true, predicted),
        "f1": peers.f1_score(true, predicted, average="macro", zero_division=0),
    }
    for figure, value in expected.items():
        metric = metrics.by_name(figure)
        assert in_parts(metric, scores, targets, size) == pytest.approx(value), figure
    for k in (1, 2, 3, 9):
        top = metrics.resolve(partial(training.top_k_accuracy, k=k))
        assert in_parts(top, scores, targets, size) == pytest.approx(best(scores, true, k)), k
    labels = range(scores.shape[1])
    matrix = peers.confusion_matrix(true, predicted, labels=labels)
    assert training.confusion_matrix(scores, targets).tolist() == matrix.tolist()


@pytest.mark.parametrize("name", CLASSES)
def test_losses_of_classes(name):
    scores, targets = CLASSES[name]
    s, t = scores.double().numpy(), targets.numpy().reshape(-1).astype(int)
    rows = np.arange(len(t))
    log = log_softmax(s, axis=1)
    others = s.copy()
    others[rows, t] = -np.inf
    expected = {
        "cross_entropy": -log[rows, t],
        "hinge": np.maximum(0, 1 + others.max(1) - s[rows, t]),
    }
    rel = EPS[scores.dtype]
    for loss, values in expected.items():
        found = losses.by_name(loss)(scores, targets).double().numpy()
        np.testing.assert_allclose(found, values, rtol=rel, atol=rel, err_msg=loss)
    chances = torch.softmax(normal(len(t), s.shape[1], seed=5), 1)
    if torch.isinf(scores).any():  # what is impossible there would have to be so in the targets
        return
    found = training.kl_divergence(scores, chances.to(scores.dtype)).double().numpy()
    p = chances.to(scores.dtype).double().numpy()
    np.testing.assert_allclose(found, (p * (np.log(p) - log)).sum(1), rtol=5 * rel, atol=rel)


DECISIONS = {
    "plain": NOISE,
    "extreme": 1e4 * NOISE,
    "extreme, float32": (1e4 * NOISE).float(),
    "beyond all bounds": 1e300 * NOISE,
    "zero": torch.zeros(N).double(),
    "barely off zero": 1e-300 * NOISE,
}


@pytest.mark.parametrize("name", DECISIONS)
def test_single_scores(name):
    scores, yes = DECISIONS[name], LABELS > 1
    s, t = scores.double().numpy(), yes.numpy()
    entropy = np.logaddexp(0, s) - t * s
    rel = EPS[scores.dtype]
    found = training.binary_cross_entropy(scores, yes)
    np.testing.assert_allclose(found.double().numpy(), entropy, rtol=rel, atol=rel)
    found = training.binary_hinge(scores, yes)
    margin = np.maximum(0, 1 - np.where(t, 1, -1) * s)
    np.testing.assert_allclose(found.double().numpy(), margin, rtol=rel, atol=rel)
    assert training.accuracy(scores, yes) == peers.accuracy_score(t, s > 0)
    assert training.balanced_accuracy(scores, yes) == pytest.approx(recalls(t, s > 0))


# What is not a number


@pytest.mark.parametrize("scores", [SCORES, NOISE], ids=["classes", "single"])
def test_scores_that_are_nan_are_never_right(scores):
    targets = LABELS if scores.dim() > 1 else (LABELS > 1).long()
    broken = scores.clone()
    broken[::4] = math.nan
    bad = np.zeros(N, bool)
    bad[::4] = True
    named = scores.argmax(1) if scores.dim() > 1 else (scores > 0).long()
    predicted = np.where(bad, -1, named.numpy())
    with pytest.warns(UserWarning, match="the scores of 10 of 40 predictions are NaN"):
        found = training.accuracy(broken, targets)
    assert found == pytest.approx((predicted == targets.numpy()).mean())
    with pytest.warns(UserWarning, match="NaN"):
        found = training.balanced_accuracy(broken, targets)
    assert found == pytest.approx(recalls(targets.numpy(), predicted))
    with pytest.warns(UserWarning, match="NaN"):
        found = training.f1(broken, targets)
    labels = sorted(set(targets.tolist()) | set(predicted[~bad].tolist()))
    expected = peers.f1_score(
        targets.numpy(), predicted, labels=labels, average="macro", zero_division=0
    )
    assert found == pytest.approx(expected)
    refused = pytest.raises(ValueError, match="confusion_matrix: 10 of 40 predictions have NaN")
    with refused, pytest.warns(UserWarning, match="NaN"):
        training.confusion_matrix(broken, targets)


@pytest.mark.filterwarnings("ignore:the scores of:UserWarning")
@pytest.mark.parametrize("width", [1, 3])
def test_a_network_of_nan_has_an_accuracy_of_nothing(width):
    scores = torch.full((N, width), math.nan)
    targets = torch.zeros(N, dtype=torch.long)
    for name in ("accuracy", "balanced_accuracy", "f1"):
        assert metrics.by_name(name)(scores, targets) == 0
    if width > 1:
        assert training.top_k_accuracy(scores, targets, k=width) == 0


@pytest.mark.parametrize("name", ["plain", "constant and met", "constant and missed"])
def test_figures_of_values_that_are_nan_are_nan(name):
    values, targets = (each.clone() for each in NUMBERS[name])
    values[3] = math.nan
    for figure in FIGURES:
        assert math.isnan(metrics.by_name(figure)(values, targets)), figure
        assert math.isnan(in_parts(metrics.by_name(figure), values, targets, 7)), figure


# Through the trainer


@pytest.mark.parametrize("name", ["offset of a milliard", "timestamps", "in order"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.filterwarnings("ignore:the .* differ by less than")  # single precision's limit
def test_a_trainer_reports_them(name, dtype):
    values, targets = NUMBERS[name]
    network = (Input(1) >> Linear(1)).to(dtype)
    with torch.no_grad():
        network.linear1.weight.fill_(1.0)
        network.linear1.bias.zero_()
    x, t = values[:, None], targets[:, None]
    still = torch.optim.SGD(network.parameters(), lr=0.0)
    trainer = Trainer(
        network, loss="squared_error", metrics=["r2"], optimizer=still, normalize=False,
        progress=False,
    )  # fmt: skip
    record = trainer.fit((x, t), validation=(x, t), epochs=1, batch_size=6)[-1]
    expected = exact_r2(network.predict(x.to(dtype)), t)
    assert record["r2"] == pytest.approx(expected, rel=1e-6)
    assert record["validation_r2"] == pytest.approx(expected, rel=1e-6)
