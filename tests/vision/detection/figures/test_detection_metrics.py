"""The metrics of detection: one set of rows for all, and one figure wherever it is shown."""

import math
from types import SimpleNamespace

import pytest
import torch
from tests.vision.detection.detections import of_rows, random_answers, random_targets
from torch import Tensor, nn

from neuropil import Trainer
from neuropil.training import BestWeights, History
from neuropil.vision.detection.answer_rows import match_rows
from neuropil.vision.detection.figures.average_precision import average_precision_of_boxes
from neuropil.vision.detection.figures.box_f1 import f1_figure
from neuropil.vision.detection.figures.detection_metrics import detection_metrics

CLASSES = ["cat", "dog", "cow", "bat"]
THRESHOLDS = [0.3, 0.5, 0.7, 0.5]


def as_they_are(values: Tensor) -> Tensor:
    return values


def metrics_of(decode=as_they_are) -> dict:
    """Return the metrics of a task whose outputs are nearly its answers, by name."""
    task = SimpleNamespace(takes="values", decode=decode, restore=as_they_are)
    metrics = detection_metrics(task, CLASSES, THRESHOLDS)  # pyright: ignore[reportArgumentType]
    return {metric.name: metric for metric in metrics}


def test_they_are_the_figures_of_the_plain_functions():
    targets = random_targets(0)
    answers = random_answers(targets, 0)
    found = average_precision_of_boxes(answers, targets, 4)
    figures = {name: metric(answers, targets) for name, metric in metrics_of().items()}
    assert [figures["ap"], figures["ap50"], figures["ap75"]] == pytest.approx(found[:3])
    for number, name in enumerate(CLASSES[:3]):
        ours = [figures[f"{figure} of {name}"] for figure in ("ap", "ap50")]
        by_limit = found.by_class[number].tolist()
        assert ours == pytest.approx([sum(by_limit) / 10, by_limit[0]])
        expected = f1_figure(match_rows(answers, targets, [0.5]), THRESHOLDS, number)
        assert figures[f"f1 of {name}"] == expected
    assert figures["f1"] == pytest.approx(
        sum(figures[f"f1 of {name}"] for name in CLASSES[:3]) / 3
    )
    # There is no bat in the pictures.
    assert all(math.isnan(figures[f"{figure} of bat"]) for figure in ("ap", "ap50", "f1"))


def test_all_gather_by_one_function():
    """`measure` calls it once for all of them."""
    assert len({metric.function for metric in metrics_of().values()}) == 1


class OneBox(nn.Module):
    """A box for each picture, around a place that it learns."""

    def __init__(self) -> None:
        super().__init__()
        self.corners = nn.Parameter(torch.tensor([8.0, 8.0, 28.0, 28.0]))

    def forward(self, pictures: Tensor) -> Tensor:
        score = pictures.mean((1, 2, 3))[:, None]
        corners = self.corners.expand(len(pictures), 4)
        return torch.cat([corners, score, torch.zeros_like(score)], dim=1)[:, None]


def distance(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs[:, 0, :4] - targets[:, 0, :4]).square().mean(1)


@pytest.mark.parametrize("custom", [False, True])
@pytest.mark.parametrize("name", ["ap", "ap50", "f1 of cat"])
def test_a_trainer_has_one_figure_everywhere(name, custom, tmp_path):
    """Validation, evaluate, history.csv and `BestWeights`, with the usual step and another."""
    torch.manual_seed(0)
    pictures, network = torch.rand(12, 1, 4, 4), OneBox()
    targets = of_rows([[(0, 0, 20, 20, 0)]] * 12, 5)
    metric, best = metrics_of()[name], BestWeights(f"validation_{name}")

    def step(trainer, batch):
        return {"loss": trainer.objective.mean(network(batch[0]), batch[1])}

    trainer = Trainer(
        network, loss=distance, metrics=[metric], step=step if custom else None,
        callbacks=[best], optimizer=torch.optim.SGD(network.parameters(), 0.3),
        progress=False, threads=None, seed=0,
    )  # fmt: skip
    data = pictures, targets
    history = trainer.fit(data, data, epochs=4, batch_size=5)
    figures = history[f"validation_{name}"]
    assert figures[0] < figures[-1]
    with torch.no_grad():
        assert trainer.evaluate(data)[name] == metric(network(pictures), targets)
    assert best.best == max(figures)
    history.save(tmp_path / "history.csv")
    assert History.load(tmp_path / "history.csv")[f"validation_{name}"] == figures
