"""A class of two that is rare: its threshold, its metrics, and what is predicted."""

import json

import numpy as np
import pytest
import torch
from sklearn import metrics as peers
from sklearn.linear_model import LogisticRegression

from neuropil import datasets
from neuropil.cli import main
from neuropil.datasets import Classes, Dataset
from neuropil.layers import Input, Sigmoid, Softmax
from neuropil.runs import Run, export
from neuropil.runs.classification import Classification
from neuropil.runs.figures.decision_threshold import choose_threshold
from neuropil.runs.measure import measure
from neuropil.runs.tasks import task_for, task_from

FRAUD = Classes(["fraud", "usual"], name="kind")


def draw(rows, seed=0):
    """Return three columns, and whether each row belongs to a class of about 3 %."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 3, generator=generator)
    chance = (2 * x[:, 0] + x[:, 1] - 6).sigmoid()
    return x, torch.rand(rows, generator=generator) < chance


def settled(last):
    """Return a network that knows the chances, its task, and labelled examples."""
    x, rare = draw(2000)
    network = Input(3) >> last
    weight, bias = network.parameters()
    sign = torch.tensor([[1.0], [0.0]] if len(bias) == 2 else [[-1.0]])
    with torch.no_grad():
        weight.copy_(sign * torch.tensor([[2.0, 1.0, 0.0]]))
        bias.copy_(-6 * sign[:, 0])
    labels = (~rare).long()
    task = task_for(FRAUD, labels=labels).adapt_to(network)
    answers = task.decode(network.scores().predict(x))
    return network, task.settle(answers, labels), x, labels


@pytest.mark.parametrize("last", [Softmax(2), Sigmoid(1)])
def test_its_metrics_are_scikit_learns_at_the_threshold(last):
    network, task, x, labels = settled(last.fresh())
    assert task.positive == "fraud"
    assert 0.05 < task.threshold < 0.5
    found = measure(network, Dataset(x, labels), task)
    chance = network.predict(x.numpy())[:, 0].astype(float)
    chance = chance if last.units == 2 else 1 - chance
    true, said = labels == 0, chance > task.threshold
    expected = {
        "average_precision": peers.average_precision_score(true, chance),
        "roc_auc": peers.roc_auc_score(true, chance),
        "f1 of fraud": peers.f1_score(true, said),
        "precision of fraud": peers.precision_score(true, said),
        "recall of fraud": peers.recall_score(true, said),
        "accuracy": peers.accuracy_score(true, said),
        "balanced_accuracy": peers.balanced_accuracy_score(true, said),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert set(found) == {"loss", *expected}
    assert next(iter(task.metrics())).name == "average_precision"


def test_the_predicted_class_is_that_of_the_threshold_everywhere():
    task = Classification(FRAUD, positive="fraud", threshold=0.25)
    answers = torch.tensor([[0.3, 0.7], [0.2, 0.8], [0.9, 0.1], [0.01, 0.99]])
    assert task.predicted(answers).tolist() == [0, 1, 0, 1]
    assert [row["class"] for row in task.rows(answers, "abcd")] == [
        "fraud", "usual", "fraud", "usual",
    ]  # fmt: skip
    columns = task.columns(answers, {})
    assert columns["predicted kind"] == ["fraud", "usual", "fraud", "usual"]
    assert task.sentence(answers[0], {}, 2) == "fraud (0.300), usual (0.700)"
    assert task.sentence(answers[1], {}, 2) == "usual (0.800), fraud (0.200)"
    mistakes = task.mistakes(answers, torch.tensor([1, 0, 1, 1]))
    assert [mistake.example for mistake in mistakes] == [2, 1, 0]
    assert mistakes[1].kind == "fraud mistaken for usual"


def test_it_is_kept_in_run_json_and_damage_is_named():
    task = Classification(FRAUD, positive="fraud", threshold=0.25)
    assert task_from(json.loads(json.dumps(task.to_json())), FRAUD) == task
    for odd in ({"threshold": 0.5}, {"positive": "x"}, {"positive": "fraud", "threshold": 2.0}):
        with pytest.raises(ValueError, match=r"two classes|no threshold"):
            task_from({"name": "classification"} | odd, FRAUD)


@pytest.mark.parametrize(
    ("rare", "of", "classes"), [(5, 50, FRAUD), (0, 30, Classes("abc")), (20, 40, FRAUD)]
)
def test_classes_that_are_not_rare_keep_the_most_probable(rare, of, classes):
    task = task_for(classes, labels=torch.arange(of).ge(rare).long())
    answers = torch.rand(of, len(classes.classes)).softmax(1)
    assert (task.positive, task.settle(answers, torch.zeros(of)).threshold) == (None, None)


def test_the_threshold_generalises_better_than_that_of_a_few_examples():
    """The best of a validation part with ten positives fits their chance."""
    ours, best, half = [], [], []
    for seed in range(12):
        x, rare = draw(4000, seed)
        fresh, truth = draw(20000, 100 + seed)
        model = LogisticRegression().fit(x[400:], rare[400:])
        held, new = (model.predict_proba(part)[:, 1] for part in (x[:400], fresh))
        threshold = choose_threshold(torch.from_numpy(held), rare[:400])
        precision, recall, tried = peers.precision_recall_curve(rare[:400], held)
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
        for figures, limit in ((ours, threshold), (best, tried[f1.argmax()]), (half, 0.5)):
            figures.append(peers.f1_score(truth, new > limit))
    assert np.mean(ours) > np.mean(half) + 0.03
    assert np.mean(ours) > np.mean(best)


@pytest.mark.parametrize("shift", [-4.0, 0.0, 5.0])
def test_the_threshold_moves_with_probabilities_of_weighted_classes(shift):
    x, rare = draw(3000)
    odds = 2 * x[:, 0] + x[:, 1] - 6
    usual = choose_threshold(odds.sigmoid(), rare)
    moved = choose_threshold((odds + shift).double().sigmoid(), rare)
    assert torch.tensor(moved).logit() - shift == pytest.approx(
        float(torch.tensor(usual).logit()), abs=0.3
    )


@pytest.mark.parametrize("members", [[], [False] * 4, [True] * 4])
def test_one_class_alone_gives_no_threshold(members):
    chance = torch.linspace(0.1, 0.9, len(members))
    assert choose_threshold(chance, torch.tensor(members, dtype=torch.bool)) is None
    assert choose_threshold(torch.full((4,), 0.5), torch.tensor([True, False] * 2)) is None


def test_the_result_in_words():
    task = Classification(FRAUD, positive="fraud", threshold=0.25)
    figures = {"recall of fraud": 0.6, "precision of fraud": 0.75, "average_precision": 0.7}
    said = task.verdict(figures, torch.tensor([0, 1]), "600 test examples")
    assert said == (
        "60.0% of 'fraud' found among the 600 test examples, 75.0% of those predicted are "
        "right at the threshold 0.25; average precision 0.700"
    )
    figures |= {"recall of fraud": 0.0, "precision of fraud": None}
    said = task.verdict(figures, torch.tensor([0, 1]), "600 test examples")
    assert said.startswith("0.0% of 'fraud' found among the 600 test examples at the threshold")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a run on a table with a rare class."""
    folder = tmp_path_factory.mktemp("rare")
    x, rare = draw(1500)
    rows = (
        f"{a:.4f},{b:.4f},{c:.4f},{'fraud' if y else 'usual'}"
        for (a, b, c), y in zip(x.tolist(), rare.tolist(), strict=True)
    )
    (folder / "table.csv").write_text("\n".join(["a,b,c,kind", *rows, ""]))
    quick = [
        "--epochs",
        "12",
        "--lr",
        "0.03",
        "--threads",
        "1",
        "--network",
        "Relu(4) >> Softmax(2)",
        "--quiet",
    ]
    data = ["--data", str(folder / "table.csv"), "--out", str(folder / "run")]
    assert main(["train", *data, *quick]) == 0
    return Run.open(folder / "run")


def test_a_run_has_a_threshold_that_predict_evaluate_and_files_use(run, capsys, tmp_path):
    plain = json.loads((run.path / "run.json").read_text())
    threshold = plain["data"]["task"]["threshold"]
    assert plain["data"]["task"]["positive"] == "fraud"
    splits = datasets.open(run.settings["data"])
    chance = run.predict(splits.test.inputs)[:, 0]
    true, said = splits.test.targets == 0, chance > threshold
    recall = run.figures["test"]["recall of fraud"]
    assert recall == pytest.approx(peers.recall_score(true, said))
    assert recall > ((chance > 0.5) & true).sum() / true.sum()  # the threshold does something
    best = min(run.history(), key=lambda record: record["validation_loss"])
    figure = run.figures["validation"]["average_precision"]
    assert best["validation_average_precision"] == figure
    capsys.readouterr()
    assert main(["evaluate", str(run.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"] == run.figures["test"]
    assert main(["predict", str(run.path), run.settings["data"], "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    for row in rows:
        fraud = row["probabilities"]["fraud"] > threshold
        assert row["class"] == ("fraud" if fraud else "usual")
    facts = export(run, tmp_path / "network.pt2")
    assert (facts["positive"], float(facts["threshold"])) == ("fraud", threshold)
    module = torch.export.load(tmp_path / "network.pt2").module()
    _, predicted = module(splits.test.inputs)
    assert predicted.tolist() == (~said).long().tolist()


@pytest.mark.extended
def test_an_onnx_file_has_the_threshold_inside(run, tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    export(run, tmp_path / "network.onnx")
    session = runtime.InferenceSession(
        tmp_path / "network.onnx", providers=["CPUExecutionProvider"]
    )
    inputs = datasets.open(run.settings["data"]).test.inputs
    chances, numbers = session.run(["probabilities", "class"], {"inputs": inputs.numpy()})
    assert numbers.tolist() == (chances[:, 0] <= run.task.threshold).astype(int).tolist()
    assert 0 in numbers
