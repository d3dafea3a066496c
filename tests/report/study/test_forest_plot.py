"""The coordinates of the forest plot agree with the numbers beside it."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from tests.report.study.studies import STUDIES, ordinary, wild

from neuropil.report.study.changes import by_gain


def percent(text):
    return float(text.removesuffix("%"))


def forest(page, section):
    """Return the scale, read off the labels of the axis, and the drawing of each row."""
    source = page.source.split(f'<section id="{section}"')[1].split("</section>")[0]
    axis = re.findall(r'<text x="([\d.]+)%" y="70%">([^<]+)</text>', source)
    labels = {float(label.replace("−", "-")): float(place) for place, label in axis}
    slope, start = np.polyfit([*labels], [*labels.values()], 1)
    drawings = re.findall(r'<div class="plot">(<svg.*?)</div>', source, re.DOTALL)
    return (lambda gain: start + slope * gain), [ET.fromstring(each) for each in drawings]


def part(drawing, name, tag="svg"):
    return next((p for p in drawing.findall(tag) if p.get("class") == name), None)


@pytest.mark.parametrize("name", STUDIES)
def test_lines_and_marks_lie_where_the_numbers_are(page_of, name):
    found = STUDIES[name]()
    place, drawings = forest(page_of(found), "gains")
    rows = by_gain(found["variants"])
    assert len(drawings) == len(rows)
    for drawing, row in zip(drawings, rows, strict=True):
        line, mark = part(drawing, "interval", "line"), part(drawing, "gain")
        assert (line is None) == (row["low"] is None)
        if line is not None:
            ends = np.clip([place(row["low"]), place(row["high"])], 0, 100)
            assert [percent(line.get("x1")), percent(line.get("x2"))] == pytest.approx(
                ends, abs=0.01
            )
        shown = row["gain"] is not None and 0 <= place(row["gain"]) <= 100
        assert (mark is not None) == shown
        if shown:
            assert percent(mark.get("x")) == pytest.approx(place(row["gain"]), abs=0.01)
        published = part(drawing, "published")
        if published is not None:
            place_there = place(row["published"])
            assert percent(published.get("x")) == pytest.approx(place_there, abs=0.01)


def test_zero_and_the_band_of_small_differences(page_of):
    place, drawings = forest(page_of(ordinary()), "gains")
    for drawing in drawings:
        assert percent(part(drawing, "zero", "line").get("x1")) == pytest.approx(
            place(0), abs=0.01
        )
        band = part(drawing, "band", "rect")
        left = percent(band.get("x"))
        right = left + percent(band.get("width"))
        assert [left, right] == pytest.approx([place(-0.5), place(0.5)], abs=0.01)


def test_what_lies_beyond_the_scale_is_an_arrow(page_of):
    found = wild()
    place, drawings = forest(page_of(found), "gains")
    for drawing, row in zip(drawings, by_gain(found["variants"]), strict=True):
        left, right = part(drawing, "beyond left"), part(drawing, "beyond right")
        assert (left is not None) == (row["low"] is not None and place(row["low"]) < -0.01)
        assert (right is not None) == (row["high"] is not None and place(row["high"]) > 100.01)
    assert "An arrow marks what lies beyond the scale." in page_of(found).text_of("gains")
    assert "arrow" not in page_of(ordinary()).text_of("gains")


def test_verdicts_differ_in_form_and_not_only_in_colour(page_of):
    found = ordinary()
    _, drawings = forest(page_of(found), "gains")
    forms = {}
    for drawing, row in zip(drawings, by_gain(found["variants"]), strict=True):
        shape = part(drawing, "gain")[0]
        forms.setdefault(row["verdict"], set()).add((shape.tag, str(shape.attrib)))
    assert all(len(form) == 1 for form in forms.values())
    assert len(set.union(*forms.values())) == 4


def test_the_winners_stand_before_their_sum_and_their_joint_gain(page_of):
    found = ordinary()
    place, drawings = forest(page_of(found), "together")
    gains = [1.42, 0.83, 0.61, 2.86, 1.93]
    marks = [percent(part(drawing, "gain").get("x")) for drawing in drawings]
    assert marks == pytest.approx([place(gain) for gain in gains], abs=0.01)
    assert part(drawings[3], "interval", "line") is None


def test_a_single_seed_has_a_mark_without_an_interval(page_of):
    found = ordinary()
    found["variants"][0] |= {"low": None, "high": None, "seeds": 1}
    _, drawings = forest(page_of(found), "gains")
    assert part(drawings[1], "interval", "line") is None
    assert part(drawings[1], "gain") is not None
    assert "helps 1 seed " in page_of(found).text_of("gains")
