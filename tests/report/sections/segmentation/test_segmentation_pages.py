"""The report on a segmentation, from masks that were made up."""

import functools
import re

import numpy as np
import pytest
import torch
from tests.report.conftest import Page
from tests.report.sections.detection.made_up import HISTORY, SIDE

from neuropil.datasets import Dataset, Masks, PicturePreparation, Splits
from neuropil.layers import Convolution, Input
from neuropil.plots.palette import class_palette
from neuropil.report.evidence import Evidence
from neuropil.report.sections.segmentation.mask_pictures import (
    EXTRA,
    MISSED,
    blend,
    colored,
    rgb,
)
from neuropil.report.sections.segmentation.segmentation_pages import is_faultless
from neuropil.report.subject import Subject
from neuropil.report.training_report import pages_of, training_report
from neuropil.vision import mask_dice, mask_iou
from neuropil.vision.segmentation.task import Segmentation

HOSTILE = '<img src="x" onerror=alert(1)>'
CLASSES = ["background", "cell", HOSTILE, "absent"]
COUNT = 12


def drawn():
    """Return answers and targets: squares of two classes, some of them one pixel too wide."""
    targets = torch.zeros(COUNT, SIDE, SIDE, dtype=torch.uint8)
    targets[:, 5:15, 5:15], targets[::2, 20:30, 20:26] = 1, 2
    targets[:, 39] = 255
    answers = torch.zeros_like(targets)
    answers[:, 5:15, 5:15], answers[::2, 20:30, 20:26] = 1, 2
    answers[3, 5:15, 15] = 1
    answers[4, 20:25, 20:26] = 0
    return answers, targets


@functools.cache
def a_subject(*, perfect=False):
    """Return the subject of a report with two pictures that have errors, or none."""
    answers, targets = drawn()
    answers = targets.where(targets < 255, 0) if perfect else answers
    target = Masks(CLASSES)
    pictures = torch.randint(0, 256, (COUNT, 1, SIDE, SIDE), dtype=torch.uint8)
    data = Dataset(pictures, targets)
    preparation = PicturePreparation((1, SIDE, SIDE), target)
    splits = Splits(data, data, data, preparation=preparation, source="drawn")
    task = Segmentation(target)
    outputs = torch.nn.functional.one_hot(answers.long(), 4).movedim(-1, 1).float()
    figures = {"loss": 1.0} | {m.name: m(outputs, targets) for m in task.metrics()}
    figures = {name: value for name, value in figures.items() if value == value}
    evidence = Evidence("test", data, answers.numpy(), targets.numpy(), task)
    return Subject(
        network=Input(1, SIDE, SIDE) >> Convolution(4, 3, padding="same"),
        splits=splits,
        history=HISTORY,
        settings={},
        figures={"train": figures, "test": figures},
        versions={},
        run="runs/masks",
        evidence=evidence,
        measured=pages_of(task).intervals(evidence, figures),
    )


@functools.cache
def a_page():
    return Page(training_report(a_subject()))


def test_the_page_is_whole_and_escapes_names():
    page = a_page()
    assert {"summary", "results", "mistakes", "pictures", "data", "use"} <= set(page.sections)
    assert not re.search(r"\b(nan|inf|None)\b", page.text)
    assert HOSTILE in page.text
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    assert not [1 for _, found in page.elements for name in found if name.startswith("on")]


def test_the_headline_has_dice_and_the_remarks_the_rest():
    answers, targets = drawn()
    text = a_page().text_of("summary")
    dice = mask_dice(answers, targets, classes=(1, 2))
    iou = mask_iou(answers, targets, classes=(1, 2))
    assert text.startswith(f"{dice:#.3g} is the Dice of cell, {HOSTILE}, absent on 12 held-out")
    assert f"The IoU is {iou:#.3g} (95" in text
    worst = mask_dice(answers, targets, classes=(2,))
    assert f"The hardest class is “{HOSTILE}”: Dice {worst:#.3g}." in text
    assert "1 class without a pixel here: “absent”." in text


def test_intervals_contain_the_figures():
    measured = a_subject().measured
    assert {"dice", "iou", "dice_per_picture", "dice of cell"} <= set(measured)
    for figure in measured.values():
        assert figure.low <= figure.value + 1e-12
        assert figure.value <= figure.high + 1e-12


def test_classes_have_their_figures():
    answers, targets = drawn()
    rows = {row[0]: row[1:] for row in a_page().table("class", "pictures", "pixels")}
    assert list(rows) == CLASSES[1:]
    assert rows["cell"][0] == "12"
    assert rows[HOSTILE][2] == f"{mask_dice(answers, targets, classes=(2,)):#.3g}"
    assert rows["absent"] == ["0", "0 %", "–", "–"]


def test_mistakes_are_drawn_worst_first():
    page = a_page()
    text = page.text_of("mistakes")
    assert "2 of 12 held-out pictures have a wrong pixel" in text
    assert "cell: Dice 0.95, 0 pixels missed, 10 too many" in text
    assert text.index("30 pixels missed") < text.index("10 too many")
    assert len(page.all("img")) == 2 + 10 + 6


@pytest.mark.parametrize("perfect", [True, False])
def test_it_is_faultless_only_without_a_wrong_pixel(perfect):
    subject = a_subject(perfect=perfect)
    assert is_faultless(subject.evidence) == perfect
    wrong = "No wrong pixel in 12 held-out pictures." in training_report(subject)
    assert wrong == perfect


def test_colours_are_mixed_where_the_mask_is():
    pixels = np.full((2, 2, 3), 100, np.uint8)
    where = np.array([[True, False], [False, False]])
    mixed = blend(pixels, where, MISSED, 0.5)
    assert mixed[0, 0].tolist() == [round((100 + c) / 2) for c in rgb(MISSED)]
    assert (mixed[1] == 100).all()
    assert rgb(EXTRA) == [86, 180, 233]


def test_classes_are_outlined_in_colours_that_are_explained():
    mask = torch.zeros(80, 80, dtype=torch.uint8)
    mask[20:60, 20:60] = 1
    drawn = colored(np.full((80, 80, 3), 100, np.uint8), mask, [1], 2)
    assert drawn.shape == (320, 320, 3)
    color = rgb(class_palette(2)[1])
    assert drawn[80, 80].tolist() == drawn[82 - 1, 160].tolist() == color
    assert drawn[160, 160].tolist() == [round(0.75 * 100 + 0.25 * each) for each in color]
    assert (drawn[0] == 100).all()
    swatches = [each for each in a_page().all("span") if "swatch" in each.get("class", "")]
    assert len(swatches) == 2


def test_the_classes_of_the_data_are_counted_in_pixels():
    _, targets = drawn()
    assert "Number of pixels per class" in a_page().text_of("data")
    rows = {row[0]: row[1:] for row in a_page().table("class", "training", "validation")}
    assert rows["cell"][0] == f"{int((targets == 1).sum()):,}"


def test_guessing_is_explained():
    assert "Marking every pixel as “" in a_page().text_of("summary")
