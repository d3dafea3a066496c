"""The report on a detection, from boxes that were made up."""

import functools
import re

import pytest
import torch
from tests.report.conftest import Page
from tests.report.sections.detection.made_up import detection, labels

from neuropil.report.sections.detection.box_findings import findings
from neuropil.report.sections.detection.box_pictures import error_marks
from neuropil.report.training_report import training_report
from neuropil.vision.detection.figures.box_errors import box_errors

HOSTILE = '<img src="x" onerror=alert(1)>'
CLASSES = ["cat", HOSTILE, "absent"]


@functools.cache
def a_subject():
    return detection(CLASSES, labels(12, 2))


@functools.cache
def a_page():
    return Page(training_report(a_subject()))


def test_the_page_is_whole_and_escapes_names():
    page = a_page()
    assert {"summary", "results", "mistakes", "pictures", "data", "use"} <= set(page.sections)
    assert not re.search(r"\b(nan|inf|None)\b", page.text)
    assert HOSTILE in page.text
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "link"})
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    assert not [1 for _, found in page.elements for name in found if name.startswith("on")]


def test_the_headline_counts_what_is_found():
    subject, text = a_subject(), a_page().text_of("summary")
    right, given, boxes = findings(subject.evidence).counts.sum(axis=0).tolist()
    value = subject.figures["test"]["ap50"]
    assert text.startswith(
        f"{value:#.3g} is the average precision at IoU 0.5 (AP50) on 12 held"
    )
    assert (
        f"{right} of {boxes} boxes are found, and {given - right} of {given} predicted" in text
    )
    assert "Measured on only 12 pictures" in text
    assert "its class, 0.50, chosen on the validation part: " in text
    assert f"{100 * right / boxes:.1f} % of the boxes are found" in text.replace("\u202f", " ")
    assert "The means leave out 1 class without a box here: “absent”." in text


def test_the_tables_have_the_figures_of_the_classes():
    subject, page = a_subject(), a_page()
    rows = {row[0]: row[1:] for row in page.table("class", "boxes", "AP50")}
    assert list(rows) == CLASSES
    counts = findings(subject.evidence).counts
    for place, name in enumerate(CLASSES[:2]):
        figures = subject.figures["test"]
        assert rows[name][0] == str(counts[place, 2])
        assert rows[name][1] == f"{figures[f'ap50 of {name}']:#.3g}"
        assert rows[name][2] == "0.50 (0.40–0.60)"
        assert rows[name][3] == f"{figures[f'f1 of {name}']:#.3g}"
    assert rows["absent"] == ["0", "–", "0.50 (0.40–0.60)", "–", "–"]
    whole = {row[0]: row[1:] for row in page.table("", "training", "held-out")}
    assert list(whole) == ["AP", "AP50", "AP75", "F1", "loss"]
    low, high = re.findall(r"0\.\d+", whole["AP50"][2])
    assert float(low) < float(whole["AP50"][1]) < float(high)


def test_every_error_is_named_in_its_picture():
    subject, page = a_subject(), a_page()
    found = findings(subject.evidence)
    assert found.errors == box_errors(found.answers, found.targets)
    assert {"missed", "misplaced", "background"} <= set(found.kinds)
    worst = max(range(12), key=lambda place: len(found.errors[place]))
    marks = error_marks(found, worst)
    named = [mark for mark in marks if mark.texts]
    assert len(named) == len(found.errors[worst])
    for error, mark in zip(found.errors[worst], named, strict=True):
        assert mark.texts[0].startswith(error.kind)
        assert mark.dashed == (error.kind == "missed")
    right = [mark for mark in marks if mark.faint]
    assert len(right) == int((found.answers[worst, :, 5] >= 0).sum()) - sum(
        error.answer is not None for error in found.errors[worst]
    )
    text = page.text_of("results")
    for kind, count in found.kinds.items():
        assert re.search(rf"{kind} [^0-9]+(IoU below 0\.5 ?)?{count}\b", text), kind
    alternatives = [image["alt"] for image in page.all("img")]
    assert sum("missed" in words for words in alternatives) >= 1


def test_the_data_have_their_boxes():
    page = a_page()
    text = page.text_of("data")
    assert "box 3: no area." in text
    assert "training boxes" in text
    assert "sides 6 to 12 pixels" in text
    assert "Number of boxes per class" in text
    assert "boxes = run.predict(inputs)  # (N, 100, 6): x1, y1" in "".join(page.sections["use"])


def test_a_detector_without_errors():
    subject = detection(["cat", "dog"], labels(6, 2, most=1), right=1)
    page = Page(training_report(subject))
    assert "No picture has an error." in page.text_of("summary")
    assert "No error in 6 held-out pictures." in page.text_of("mistakes")
    assert "1.00 is the average precision" in page.text_of("summary")


@pytest.mark.parametrize("boxes", [True, False])
def test_nothing_to_be_found_and_nothing_found(boxes):
    nothing = torch.zeros(4, 100, 6)
    nothing[..., 5] = -1
    own = labels(4, 2)
    subject = detection(["cat", "dog"], own if boxes else [own[0][:0]] * 4, answers=nothing)
    page = Page(training_report(subject))
    assert not re.search(r"\b(nan|inf|None)\b", page.text)
    said = "0 of" if boxes else "the 4 held-out pictures have no boxes to be found"
    assert said in page.text_of("summary")


def test_many_classes_are_listed_and_not_drawn():
    names = [f"class {number}" for number in range(27)]
    subject = detection(names, labels(12, 27, most=5))
    page = Page(training_report(subject))
    results = page.text_of("results")
    assert "The worst classes come first" in results
    assert "What is taken for what" not in results
    assert re.search(r"without \d+ other classes", results)
