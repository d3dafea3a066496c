"""What stands first in a report is what beats guessing."""

import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from neuropil.datasets import ArrayPreparation, Classes, Dataset, Numbers, Splits
from neuropil.layers import Input, Linear, Softmax
from neuropil.report.classification_figures import classification_figures
from neuropil.report.evidence import gather_evidence
from neuropil.runs.classification import Classification
from neuropil.runs.measure import measure
from neuropil.runs.tasks import task_for

CLASSES = ("healthy", "ill", "dying")


@pytest.fixture
def of_classes():
    """Return data whose only column is the class that a network will name."""

    def made(said, true, classes=2):
        inputs = torch.nn.functional.one_hot(torch.tensor(said), classes).float()
        data = Dataset(inputs, torch.tensor(true))
        target = Classes(CLASSES[:classes])
        preparation = ArrayPreparation((classes,), target)
        return Splits(data, None, data, preparation=preparation, source="ward")

    return made


def echo(classes=2):
    """Return a network that names the class that its input holds, 97.8 % sure."""
    network = Input(classes) >> Softmax(classes)
    with torch.no_grad():
        network.softmax1.weight.copy_(3.8 * torch.eye(classes))
        network.softmax1.bias.zero_()
    return network


def test_a_classifier_that_finds_nothing_is_not_celebrated(of_classes, report):
    page = report(echo(), of_classes([0] * 600, [1] * 12 + [0] * 588))
    summary = page.text_of("summary")
    assert summary.startswith("50.0 % is the balanced accuracy on 600 held-out examples")
    assert (
        "Guessing gives 50.0 %; the network finds none of the 12 examples of “ill”." in summary
    )
    assert "accuracy is 98.0 %; always answering “healthy”, the most frequent" in summary
    assert "probabilities can be trusted" not in summary
    assert "this says little" in summary
    assert "says nothing about the other classes" in page.text_of("certainty")


def rare(threshold=None):
    return Classification(Classes(CLASSES[:2]), positive="ill", threshold=threshold)


def test_a_rare_class_is_judged_by_its_f1(of_classes, report):
    splits = of_classes([1] * 8 + [0] * 592, [1] * 6 + [0] * 3 + [1] * 6 + [0] * 585)
    page = report(echo(), splits, task=rare(0.4))
    summary = page.text_of("summary")
    # 6 of 8 predictions are right: 2 · 6 / (8 + 12).
    assert summary.startswith(
        "0.600 is the F1 of “ill” on 600 held-out examples (95 % interval"
    )
    assert "6 of its 12 examples are found, and 6 of 8 such predictions are right." in summary
    assert "guessing 0.0392" in summary
    assert "“ill” is predicted if its probability is above 40.0 %. This threshold" in summary
    assert "With 50.0 %, 6 would be found, in 8 predictions." in summary
    rows = {row[0]: row[1:] for row in page.table("", "held-out")}
    assert rows["precision of ill"][0] == "75.0 %"
    assert rows["recall of ill"][-1] == "25.4–74.6 %"  # Wilson's interval of 6 of 12
    curves = page.text_of("curves")
    assert "above 40.0 %, the threshold that was chosen on the validation part" in curves
    area = roc_auc_score(splits.test.targets, splits.test.inputs[:, 1])
    assert f"ROC AUC {area:.3f} (95 % interval" in curves
    assert "class-weight" not in summary


def test_the_threshold_decides_what_is_a_mistake(of_classes, report):
    splits = of_classes([1] * 8 + [0] * 592, [1] * 6 + [0] * 594)
    # The network is 2.2 % sure of “ill” where it names “healthy”.
    page = report(echo(), splits, task=rare(0.01))
    assert "6 of its 6 examples are found, and 6 of 600 such predictions are right" in (
        page.text_of("summary")
    )
    assert "Most often, “healthy” is mistaken for “ill”: 594 of 594" in page.text_of("summary")
    # The probability of the class that is named, not the larger one.
    assert page.table("", "true", "predicted")[0][1:4] == ["healthy", "ill", "97.8 %"]
    assert page.table("", "true", "predicted")[-1][1:4] == ["healthy", "ill", "2.2 %"]


def test_weights_are_suggested_where_a_class_is_missed(of_classes, report):
    splits = of_classes([0] * 600, [1] * 12 + [0] * 588)
    advice = "Hardly any example of 'ill' is found: --class-weight balanced"
    page = report(echo(), splits, task=rare())
    assert page.text_of("summary").startswith("0 is the F1 of “ill”")
    assert "0 of its 12 examples are found." in page.text_of("summary")
    assert advice in page.text_of("summary")
    weighted = report(echo(), splits, task=rare(), settings={"class_weight": "balanced"})
    assert "--class-weight" not in weighted.text_of("summary")
    several = report(echo(3), of_classes([0] * 60, [1] * 3 + [2] * 4 + [0] * 53, 3))
    assert "example of 'ill', 'dying' is found" in several.text_of("summary")
    # Weights would not help the frequent class.
    alarms = report(echo(), of_classes([1] * 600, [1] * 12 + [0] * 588), task=rare())
    assert "--class-weight" not in alarms.text_of("summary")
    # A frequent class is missed for other reasons than its weight.
    even = report(echo(), of_classes([0] * 600, [1] * 250 + [0] * 350))
    assert "class-weight" not in even.text_of("summary")


def test_a_class_that_is_half_found_stands_first_too(of_classes, report):
    page = report(echo(), of_classes([1] * 6 + [0] * 594, [1] * 12 + [0] * 588))
    summary = page.text_of("summary")
    assert summary.startswith("75.0 % is the balanced accuracy")
    assert "finds 6 of the 12 examples of “ill”" in summary


def test_all_that_is_missed_is_named(of_classes, report):
    page = report(echo(3), of_classes([0] * 60, [1] * 3 + [2] * 4 + [0] * 53, 3))
    assert "finds no example of the classes “ill” and “dying”" in page.text_of("summary")


def test_what_beats_guessing_is_the_accuracy(of_classes, report):
    page = report(echo(), of_classes([0, 1] * 60, [0, 1] * 58 + [1, 1] * 2))
    summary = page.text_of("summary")
    assert summary.startswith("98.3 % of 120 held-out examples are classified correctly")
    assert (
        "Always answering “ill”, the most frequent class in training, would give an accuracy "
        "of 51.7" in summary
    )
    assert "probabilities can be trusted" in summary


@pytest.mark.parametrize("slope", [0.0, -1.0, 1.0])
def test_a_regression_is_held_against_the_mean(slope, report):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(100, 1, generator=generator)
    y = 50 + 3 * x[:, 0] + 0.5 * torch.randn(100, generator=generator)
    target = Numbers.fit(y, "here", name="price")
    preparation = ArrayPreparation((1,), target)
    splits = Splits(Dataset(x, y), None, Dataset(x, y), preparation=preparation, source="x")
    network = Input(1) >> Linear(1)
    with torch.no_grad():
        network.linear1.weight.fill_(slope)
        network.linear1.bias.zero_()
    summary = report(network, splits).text_of("summary")
    if slope == 1:
        assert "is the mean absolute error in predicting price" in summary
        return
    assert "is R² on 100 held-out examples" in summary
    assert "predictions of price are no" in summary
    assert "better than always predicting the training mean" in summary


def test_balanced_accuracy_is_scikit_learns_inside_its_interval(of_classes):
    said = [0, 1, 2, 2, 1, 0, 0, 2, 1, 1] * 9
    true = [0, 1, 1, 2, 1, 0, 2, 2, 0, 1] * 9
    splits = of_classes(said, true, 3)
    task = task_for(splits.target)
    evidence = gather_evidence(echo(3), splits, task)
    values = measure(echo(3), evidence.data, task)
    found = classification_figures(evidence, values)["balanced_accuracy"]
    assert found.value == pytest.approx(balanced_accuracy_score(true, said))
    assert 0 < found.low < found.value < found.high < 1
