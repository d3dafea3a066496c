"""The subject of a report on boxes that were made up."""

import numpy as np
import torch

from neuropil.datasets import Boxes, Dataset, PicturePreparation, Splits
from neuropil.layers import Convolution, Input, Relu
from neuropil.report.evidence import Evidence
from neuropil.report.subject import Subject
from neuropil.report.training_report import pages_of
from neuropil.training import History
from neuropil.vision.detection.answer_rows import match_rows
from neuropil.vision.detection.figures.average_precision import average_precision_of_boxes
from neuropil.vision.detection.figures.box_f1 import f1_figure
from neuropil.vision.detection.task import Detection

SIDE = 40
HISTORY = History(
    [{"epoch": 1, "loss": 2.0, "validation_loss": 2.5, "lr": 0.1, "seconds": 3.0}]
)


def labels(pictures, classes, seed=0, most=4):
    """Return one to `most` boxes in each picture, of the first classes."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(pictures):
        corners = random.uniform(0, SIDE - 12, (random.integers(1, most + 1), 2))
        sides = random.uniform(6, 12, corners.shape)
        numbers = random.integers(0, classes, (len(corners), 1))
        found.append(np.concatenate([corners, corners + sides, numbers], axis=1))
    return found


def guesses(targets, *, right=0.7, seed=1, most=100):
    """Return answers of which about a share are right; the others are wrong in every way."""
    random = np.random.default_rng(seed)
    answers = torch.zeros(len(targets), most, 6)
    answers[..., 5] = -1
    for place, boxes in enumerate(targets):
        rows = []
        for box in boxes[boxes[:, 4] >= 0].tolist():
            if random.random() < right:
                rows.append([*box[:4], random.uniform(0.6, 1), box[4]])
            elif random.random() < 0.5:
                moved = np.array(box[:4]) + random.uniform(3, 5)
                rows.append([*moved, random.uniform(0.3, 0.8), box[4]])
        if right < 1:
            rows.append([1, 1, 6, 6, random.uniform(0.2, 0.7), 0])
        rows = sorted(rows, key=lambda row: -row[4])[:most]
        if rows:
            answers[place, : len(rows)] = torch.tensor(rows)
    return answers


def splits_of(target, *parts):
    """Return grey pictures with labels, in parts."""
    pieces = [
        Dataset(
            torch.randint(0, 256, (len(own), 1, SIDE, SIDE), dtype=torch.uint8),
            target.collate(own, "here"),
        )
        for own in parts
    ]
    preparation = PicturePreparation((1, SIDE, SIDE), target)
    return Splits(*pieces, preparation=preparation, source="drawn", notes=["box 3: no area."])


def figures_of(answers, targets, classes, thresholds):
    """Return the figures of a detection, computed apart from its metrics."""
    found = average_precision_of_boxes(answers, targets, len(classes))
    rows = match_rows(answers, targets)
    figures = {"loss": 1.0, "ap": found.ap, "ap50": found.ap50, "ap75": found.ap75}
    figures["f1"] = f1_figure(rows, thresholds)
    for number, name in enumerate(classes):
        figures[f"ap of {name}"] = float(found.by_class[number].mean())
        figures[f"ap50 of {name}"] = float(found.by_class[number, 0])
        figures[f"f1 of {name}"] = f1_figure(rows, thresholds, number)
    return {name: value for name, value in figures.items() if value == value}


def detection(classes, own, *, right=0.7, answers=None):
    """Return the subject of a report on a detection."""
    target = Boxes(classes)
    splits = splits_of(target, own, own[:3], own)
    thresholds, intervals = (0.5,) * len(classes), ((0.4, 0.6),) * len(classes)
    task = Detection(target, thresholds=thresholds, intervals=intervals)
    truth = splits.test.targets.double()
    answers = (guesses(truth, right=right) if answers is None else answers).double()
    figures = figures_of(answers, truth, classes, thresholds)
    return subject_of(splits, task, answers, {"train": figures, "test": figures})


def subject_of(splits, task, answers, figures):
    """Return the subject of a report on boxes."""
    truth = splits.test.targets.double()
    evidence = Evidence("test", splits.test, answers.double().numpy(), truth.numpy(), task)
    return Subject(
        network=Input(1, SIDE, SIDE) >> Convolution(2, 3, stride=8) >> Relu(),
        splits=splits,
        history=HISTORY,
        settings={},
        figures=figures,
        versions={},
        run="runs/boxes",
        evidence=evidence,
        measured=pages_of(task).intervals(evidence, figures["test"]),
    )
