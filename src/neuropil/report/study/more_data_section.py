"""The section on more data and on wrong labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.report.page import Section
from neuropil.report.study.gain_text import GainText, whole_percent
from neuropil.report.study.outcome_curve import Point, learning_curve, outcome_curve
from neuropil.report.svg import drawing
from neuropil.study.gain_digits import is_known
from neuropil.text import figure_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup


def more_data_section(found: Mapping[str, Any]) -> Section | None:
    """Return the learning curve and the cost of wrong labels; None if neither was measured."""
    curve, noise = found.get("learning_curve"), found.get("label_noise")
    if not (curve or noise):
        return None
    findings, drawings = [], []
    if curve:
        findings.append(curve_finding(found))
        drawings.append(draw_curve(found))
    if noise:
        findings += noise_findings(found)
        drawings.append(draw_noise(found))
    return Section(
        "study_more_data",
        findings=findings,
        drawings=drawings,
        level=whole_percent(found["study"]["level"]),
    )


def curve_finding(found: Mapping[str, Any]) -> str:
    """Return the gain of twice the data, and whether the curve has reached its plateau."""
    twice = found["learning_curve"].get("twice")
    if not twice:
        return "The learning curve has too few points to tell what more data would give."
    text, smallest = GainText.of(found), found["study"].get("smallest") or 0.0
    low, high = twice["low"], twice["high"]
    if not (is_known(low) and is_known(high)):
        words = ""
    elif high < smallest:
        words = f": the curve has reached its plateau, to within {text.setting(smallest)}"
    elif low > 0:
        words = ": the curve has not reached its plateau, and more data would help"
    else:
        words = ": whether the curve has reached its plateau, the study cannot tell"
    estimate = text.estimate(twice["gain"], low, high)
    return f"Twice the training data would give {estimate}{words}."


def noise_findings(found: Mapping[str, Any]) -> list[str]:
    """Return the cost of each share of wrong labels, also as a number of lost examples."""
    study, text = found["study"], GainText.of(found)
    sign = 1 if study["larger_is_better"] else -1
    findings = []
    baseline, *points = found["label_noise"]["points"]
    for point in points:
        cost = sign * (baseline["mean"] - point["mean"])
        words = f"{whole_percent(point['noise'])} wrong labels cost {text.size(cost)}"
        if point.get("as_examples") is not None:
            lost = study["train"] - point["as_examples"]
            words += f", as much as losing {lost:,} of the {study['train']:,} examples"
        findings.append(f"{words}.")
    return findings


def draw_curve(found: Mapping[str, Any]) -> Markup:
    """Return the learning curve with the extrapolation to twice the data."""
    study, text = found["study"], GainText.of(found)
    rows, twice = found["learning_curve"]["points"], found["learning_curve"].get("twice")
    points = [Point.of(row, row["examples"]) for row in rows]
    ahead = None
    if twice and is_known(twice["gain"]):
        last = points[-1]
        sign = 1 if study["larger_is_better"] else -1
        ends = [
            last.mean + sign * end if is_known(end) else None
            for end in (twice["low"], twice["high"])
        ]
        ahead = Point(2 * last.x, last.mean + sign * twice["gain"], *ends)
    outcome = figure_name(study["outcome"])
    title = f"{outcome} by number of training examples"
    said = "; ".join(f"{point.x:,} examples {text.outcome(point.mean)}" for point in points)
    return drawing(learning_curve(points, ahead, title, text), "size", f"{title}: {said}.")


def draw_noise(found: Mapping[str, Any]) -> Markup:
    """Return the outcome against the share of wrong labels, from the baseline on."""
    study, text = found["study"], GainText.of(found)
    points = [Point.of(row, 100 * row["noise"]) for row in found["label_noise"]["points"]]
    outcome = figure_name(study["outcome"])
    said = "; ".join(f"{point.x:g}% {text.outcome(point.mean)}" for point in points)
    title = f"{outcome} by share of wrong training labels"
    figure = outcome_curve(points, title, "wrong labels, %", text)
    return drawing(figure, "noise", f"{title}: {said}.")
