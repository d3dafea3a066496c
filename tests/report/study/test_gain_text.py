"""Gains as text: as many decimals as can be told apart, and no gain that reads as none."""

import math

import pytest
from tests.report.study.studies import ordinary, undecided

from neuropil.report.study.gain_text import GainText


def test_the_decimals_follow_the_intervals():
    assert GainText.of(ordinary()) == GainText("points", 1)
    assert GainText.of(undecided()) == GainText("", 3)
    found = ordinary()
    for variant in found["variants"]:
        variant |= {"low": variant["gain"] - 0.02, "high": variant["gain"] + 0.02}
    assert GainText.of(found) == GainText("points", 3)


def test_without_intervals_the_smallest_difference_decides():
    found = ordinary() | {"together": None}
    found["variants"] = []
    assert GainText.of(found).decimals == 1
    found["study"]["smallest"] = None
    assert GainText.of(found).decimals == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.83, "+0.8"),
        (-0.83, "−0.8"),
        (0.0, "0.0"),
        (-0.0, "0.0"),
        (0.012, "+0.01"),
        (-0.049, "−0.05"),
        (1e-12, "0.0"),
        (0.00002, "+0.00002"),
        (1234.56, "+1,234.6"),
        (math.inf, "+∞"),
        (-math.inf, "−∞"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_gains(value, text):
    assert GainText("points", 1).gain(value) == text


def test_units_of_sizes_settings_and_outcomes():
    assert GainText("points", 0).size(1) == "1 point"
    assert GainText("seconds", 1).size(1.26) == "1.3 seconds"
    assert GainText("points", 3).setting(0.5) == "0.5 points"
    assert GainText("points", 1).outcome(97.12) == "97.1\u202f%"
    assert GainText("", 3).outcome(0.0834) == "0.083"
    assert GainText("epochs", 0).outcome(None) == "–"


def test_estimates_with_and_without_an_interval():
    text = GainText("points", 1)
    assert text.estimate(0.83, 0.31, 1.35) == "+0.8 points (0.3 to 1.4)"
    assert text.estimate(0.83, None, 1.35) == "+0.8 points"
    assert text.estimate(None, None, None) == "–"
