"""The numbers of a report against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    mean_absolute_error,
    precision_recall_fscore_support,
    r2_score,
    root_mean_squared_error,
)

from neuropil import datasets
from neuropil.datasets import ArrayPreparation, Classes, Dataset, Numbers, Splits
from neuropil.layers import Flatten, Input, Linear, Softmax
from neuropil.plots import reliability, wilson_interval
from neuropil.runs.measure import measure
from neuropil.runs.tasks import task_for


@pytest.fixture(scope="module")
def digits():
    return datasets.load_handwritten_digits()


@pytest.fixture(scope="module")
def network(digits):
    """Return a network that is right about most digits: each class's mean picture."""
    network = Input(1, 8, 8) >> Flatten() >> Softmax(10)
    inputs = digits.train.inputs.flatten(1).float()
    means = torch.stack([inputs[digits.train.targets == k].mean(0) for k in range(10)])
    with torch.no_grad():
        network.softmax1.weight.copy_((means / 60).reshape(network.softmax1.weight.shape))
        network.softmax1.bias.copy_(-(means**2).sum(1) / 120)
    return network


@pytest.fixture(scope="module")
def page(digits, network, report):
    return report(network, digits)


def percent(text):
    return float(text.removesuffix("%")) / 100


def test_accuracy_and_its_interval(digits, network, page):
    said = network.predict(digits.test.inputs).argmax(1)
    right = int((said == digits.test.targets).sum())
    low, high = wilson_interval(right, 359)
    assert 0.7 < right / 359 < 0.99
    summary = page.text_of("summary")
    share = accuracy_score(digits.test.targets, said)
    assert f"{100 * share:.1f} % of 359 held-out pictures are classified correctly" in summary
    assert f"(95 % interval {100 * low:.1f}–{100 * high:.1f} %)" in summary


def test_each_class(digits, network, page):
    said = network.predict(digits.test.inputs).argmax(1)
    expected = np.transpose(precision_recall_fscore_support(digits.test.targets, said))
    rows = page.table("class", "examples", "precision")
    assert [row[0] for row in rows] == list("0123456789")
    for row, (precision, recall, f1, count) in zip(rows, expected, strict=True):
        assert int(row[1]) == count
        found = [percent(cell) for cell in row[2:]]
        assert found == pytest.approx([precision, recall, f1], abs=6e-4)


def test_what_was_taken_for_what(digits, network, page):
    said = network.predict(digits.test.inputs).argmax(1)
    counts = confusion_matrix(digits.test.targets, said)
    off = counts - np.diag(np.diag(counts))
    true, guess = np.unravel_index(off.argmax(), off.shape)
    often = f"{true} mistaken for {guess}{off.max()} of {counts[true].sum()}"
    assert often in page.text_of("results")
    drawn = next(svg for svg in page.all("svg") if "Confusion" in svg["aria-label"])
    assert f"{np.trace(counts)} of 359 examples" in drawn["aria-label"]


def test_the_mistakes_are_those_of_which_it_was_most_sure(digits, network, page):
    probabilities = network.predict(digits.test.inputs)
    sure, said = probabilities.max(1)
    wrong = torch.nonzero(said != digits.test.targets).flatten()
    worst = wrong[sure[wrong].argsort(descending=True)][:24]
    shown = page.all("img")[: len(worst)]
    assert [image["alt"] for image in shown] == [
        f"no. {k + 1}: {int(digits.test.targets[k])}, predicted {int(said[k])}"
        for k in worst.tolist()
    ]


def test_the_calibration_error(digits, network, page):
    probabilities = network.predict(digits.test.inputs).double()
    error = reliability(probabilities, digits.test.targets).error
    text = page.text_of("certainty")
    assert f"{100 * error:.1f} % expected calibration error" in text


def test_given_figures_stand_beside_those_measured_anew(digits, network, report):
    figures = {
        "train": {"loss": 0.25, "accuracy": 0.999, "f1": None},
        "validation": {"loss": 0.5, "accuracy": 0.9},
        "test": {"loss": 0.125},
    }
    page = report(network, digits, figures=figures)
    rows = {row[0]: row[1:] for row in page.table("", "training", "validation", "held-out")}
    measured = measure(network, digits.test, task_for(digits.target))
    assert rows["loss"] == ["0.250", "0.500", f"{measured['loss']:.3f}", "–"]
    assert rows["accuracy"][:2] == ["99.9 %", "90.0 %"]
    assert "On the training pictures the accuracy is 99.9 %" in page.text_of("summary")


@pytest.fixture(scope="module")
def line():
    """Return points near a line, in units far from standard ones."""
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(300, 1, generator=generator)
    y = 1000 + 500 * x[:, 0] + 40 * torch.randn(300, generator=generator)
    target = Numbers.fit(y[:150], "here", name="rent")
    return Splits(
        Dataset(x[:150], y[:150]),
        None,
        Dataset(x[150:], y[150:]),
        preparation=ArrayPreparation((1,), target),
        source="flats",
    )


def test_regression_is_judged_in_its_own_units(line, report):
    network = Input(1) >> Linear(1)
    target = line.preparation.target
    with torch.no_grad():
        network.linear1.weight.fill_(500 / target.scale[0])
        network.linear1.bias.fill_((1000 - target.mean[0]) / target.scale[0])
    predicted = 1000 + 500 * line.test.inputs[:, 0].double()
    true = line.test.targets.double()
    page = report(network, line)
    rows = {row[0]: row[1:] for row in page.table("", "held-out")}
    assert float(rows["R²"][0]) == pytest.approx(r2_score(true, predicted), abs=6e-4)
    error = float(rows["root mean squared error"][0])
    assert error == pytest.approx(root_mean_squared_error(true, predicted), abs=0.06)
    expected = mean_absolute_error(true, predicted)
    value, interval = rows["mean absolute error"]
    assert float(value) == pytest.approx(expected, abs=0.06)
    low, high = map(float, interval.split("–"))
    assert low < expected < high
    # Of a normal error the mean |e| has about the deviation 0.6 σ/√n.
    assert (high - low) / (2 * 1.96) == pytest.approx(0.6 * 40 / np.sqrt(150), rel=0.25)
    guess = float((true - target.mean[0]).abs().mean())
    assert f"training mean would be off by {guess:.0f}" in page.text_of("summary")
    assert "is the mean absolute error in predicting rent" in page.text_of("summary")


def test_each_of_several_targets_is_judged_in_its_own_units(report):
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(300, 1, generator=generator)
    noise = torch.randn(300, 2, generator=generator) * torch.tensor([40.0, 0.1])
    y = x * torch.tensor([500.0, 1.0]) + noise
    target = Numbers.fit(y[:150], "here", columns=("rent", "rooms"))
    splits = Splits(
        Dataset(x[:150], y[:150]),
        None,
        Dataset(x[150:], y[150:]),
        preparation=ArrayPreparation((1,), target),
        source="flats",
    )
    network = Input(1) >> Linear(2)
    with torch.no_grad():
        network.linear1.weight.copy_(
            (torch.tensor([500.0, 1.0]) / torch.tensor(target.scale))[:, None]
        )
        network.linear1.bias.copy_(-torch.tensor(target.mean) / torch.tensor(target.scale))
    predicted, true = x[150:] * torch.tensor([500.0, 1.0]), y[150:]
    page = report(network, splits)
    worst = page.table("", "true", "predicted")[0]
    assert "Each cell has rent; rooms." in page.text_of("mistakes")
    assert all(len(cell.split("; ")) == 2 and "re" not in cell for cell in worst[1:4])
    rows = {row[0]: row[1:] for row in page.table("", "held-out")}
    r2 = r2_score(true, predicted, multioutput="raw_values")
    error = mean_absolute_error(true, predicted, multioutput="raw_values")
    for k, name in enumerate(target.columns):
        for figure, expected in (("R²", r2[k]), ("mean absolute error", error[k])):
            value, interval = rows[f"{figure} of {name}"]
            assert float(value) == pytest.approx(expected, rel=2e-3)
            low, high = map(float, interval.split("–"))
            assert low < expected < high
    assert float(rows["R²"][0]) == pytest.approx(r2.mean(), abs=6e-4)


def test_scores_become_probabilities(digits, network, page, report):
    bare = Input(1, 8, 8) >> Flatten() >> Linear(10)
    with torch.no_grad():
        bare.linear1.weight.copy_(network.softmax1.weight)
        bare.linear1.bias.copy_(network.softmax1.bias)
    scores = report(bare, digits)
    for section in ("summary", "mistakes", "certainty"):
        assert page.text_of(section) == scores.text_of(section)


def test_a_network_without_mistakes_shows_where_it_was_least_sure(report):
    inputs = torch.eye(4).repeat(30, 1)
    data = Dataset(inputs, torch.arange(120) % 4)
    target = Classes(list("abcd"))
    preparation = ArrayPreparation((4,), target)
    splits = Splits(data[:60], None, data[60:], preparation=preparation, source="corners")
    network = Input(4) >> Softmax(4)
    with torch.no_grad():
        network.softmax1.weight.copy_(torch.diag(torch.tensor([9.0, 5.0, 9.0, 9.0])))
        network.softmax1.bias.zero_()
    page = report(network, splits)
    assert "100 % of 60 held-out examples" in page.text_of("summary")
    assert "The network makes no mistakes" in page.text_of("summary")
    rows = page.table("", "true", "predicted", "probability")
    assert [row[1:3] for row in rows] == [["b", "b"]] * 8
