"""The first section: the question, the recommendation, and how many changes help."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from neuropil.report.page import Section
from neuropil.report.study.gain_text import GainText
from neuropil.text import figure_name, number_of

if TYPE_CHECKING:
    from collections.abc import Mapping

COUNTED = {
    "helps": ("helps", "help"),
    "hurts": ("hurts", "hurt"),
    "no difference": ("makes no difference that matters", "make no difference that matters"),
    "cannot tell": ("cannot be told yet", "cannot be told yet"),
}


def recommendation_section(found: Mapping[str, Any]) -> Section:
    """Return the question in words, the recommendation, and the number of each verdict."""
    return Section(
        "study_recommendation",
        question=question(found),
        recommendation=found["recommendation"],
        counts=counts(found["variants"]),
    )


def question(found: Mapping[str, Any]) -> str:
    """Return the question that the study asked."""
    study, text = found["study"], GainText.of(found)
    name, count = figure_name(study["outcome"]), len(found["variants"])
    words = f"Do any of {count} changes to the baseline improve the {name}"
    if count == 1:
        words = f"Does one change of the baseline improve the {name}"
    if not count:
        words = f"What would more examples, or cleaner labels, do to the {name}"
    elif study.get("smallest"):
        words += f", and by {text.setting(study['smallest'])} or more"
    judged = "" if study["test"] is None else f", and judged on {study['test']:,} test examples"
    return (
        f"{words}? Each variant was trained alone, with up to "
        f"{number_of(study['seeds'], 'seed')}, on {study['train']:,} training examples"
        f"{judged}. The baseline reaches {text.outcome(found['baseline']['mean'])}."
    )


def counts(variants: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    """Return the kind, the number and the words of each verdict that was given."""
    found = Counter(variant["verdict"] for variant in variants)
    return [
        (verdict.replace(" ", "-"), found[verdict], words[found[verdict] > 1])
        for verdict, words in COUNTED.items()
        if found[verdict]
    ]
