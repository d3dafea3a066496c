"""The report on a localisation, from places that were made up."""

import functools
import re

import torch
from tests.report.conftest import Page
from tests.report.sections.detection.made_up import SIDE, guesses, labels, splits_of, subject_of

from neuropil.datasets import Boxes
from neuropil.report.training_report import training_report
from neuropil.vision.detection.localisation_metrics import localisation_accuracy, mean_iou
from neuropil.vision.localisation.task import Localisation


@functools.cache
def a_subject():
    """Return a subject with a wrong class, a wrong place, and a picture with nothing."""
    target = Boxes(["cat", "dog"])
    own = labels(30, 2, most=1)
    own[4] = own[4][:0]
    splits = splits_of(target, own, own[:3], own)
    truth = splits.test.targets.double()
    answers = guesses(truth, right=1, most=1).double()
    answers[0, 0, 5] = 1 - answers[0, 0, 5]
    answers[1, 0, :4] += 30
    answers[2] = torch.tensor([0, 0, 0, 0, 0, -1.0])
    figures = {
        "accuracy": localisation_accuracy(answers, truth),
        "mean_iou": mean_iou(answers, truth),
    }
    task = Localisation(target, size=(SIDE, SIDE))
    return subject_of(splits, task, answers, {"train": figures, "test": figures})


@functools.cache
def a_page():
    return Page(training_report(a_subject()))


def test_the_headline_has_the_accuracy_and_the_fit():
    figures, text = (
        a_subject().figures["test"],
        a_page().text_of("summary").replace("\u202f", " "),
    )
    assert figures["accuracy"] == 28 / 30
    assert text.startswith("93.3 % of 30 held-out pictures are classified correctly (95 %")
    assert f"the boxes overlap by an IoU of {figures['mean_iou']:#.3g} on average" in text
    assert "of the 29 boxes overlap by at least 0.5" in text
    assert "Errors: 2 missed, 1 mistaken, 1 on background." in text


def test_classes_and_confusions():
    page = a_page()
    rows = {row[0]: row[1:] for row in page.table("class", "pictures", "found")}
    assert set(rows) == {"cat", "dog"}
    assert sum(int(row[0]) for row in rows.values()) == 29
    whole = {row[0]: row[1:] for row in page.table("", "training", "held-out")}
    assert list(whole) == ["accuracy", "mean IoU"]
    assert "28 of 30 held-out pictures are classified correctly" in page.source
    assert not re.search(r"\b(nan|inf|None)\b", page.text)


def test_mistakes_are_drawn_worst_first():
    page = a_page()
    assert "3 of 30 held-out pictures have an error" in page.text_of("mistakes")
    assert len(page.all("img")) == 3 + 10 + 6
