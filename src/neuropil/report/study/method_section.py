"""The last section: what was left out, the baseline, and what the intervals mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.report.page import Section
from neuropil.report.sections.settings_section import setting_text
from neuropil.report.study.gain_text import GainText, whole_percent
from neuropil.report.wording import thousands
from neuropil.text import all_of, duration, figure_name, number_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def method_section(found: Mapping[str, Any]) -> Section:
    """Return the section on tricks left out, the baseline, the intervals and the settings."""
    return Section(
        "study_method",
        left_out=[(each["title"], each["reason"]) for each in found.get("left_out") or []],
        baseline=baseline_in_words(found),
        meaning=meaning(found),
        settings=settings(found),
    )


def baseline_in_words(found: Mapping[str, Any]) -> str:
    """Return the recipe of the baseline and its outcome with each seed."""
    baseline, text = found["baseline"], GainText.of(found)
    figures = [text.number(figure) for figure in baseline["figures"]]
    words = f"{baseline['description'].rstrip('.')}. "
    words += f"Mean {figure_name(found['study']['outcome'])} {text.outcome(baseline['mean'])}"
    if baseline.get("deviation") is not None:
        words += f", standard deviation between seeds {text.size(baseline['deviation'])}"
    return f"{words} (by seed: {', '.join(figures)})." if figures else f"{words}."


def meaning(found: Mapping[str, Any]) -> list[str]:
    """Return the meaning of the intervals and the verdicts, in plain sentences."""
    study, text = found["study"], GainText.of(found)
    changes, looks = len(found["variants"]), study.get("looks") or []
    intervals = (
        "Each change is compared with the baseline seed by seed: the same order of the data, "
        "the same test examples, and the same initial weights where the shapes allow it. An "
        "interval covers the randomness of training and the choice of the test examples. It "
        "is for this training set; another one may give other gains."
    )
    verdicts = "A change helps or hurts if its gain differs from 0 beyond chance"
    if changes > 1:
        verdicts += (
            f"; the verdicts allow for {changes} comparisons by Holm’s method, so that one "
            "may be more careful than its interval"
        )
    if study.get("smallest"):
        verdicts += (
            ". It makes no difference if the interval shows that its gain is smaller than "
            f"{text.setting(study['smallest'])} either way"
        )
    verdicts += ". For all others the study cannot tell; more seeds may."
    if len(looks) < 2:
        return [intervals, verdicts]
    repeated = (
        f"The results were looked at after {all_of(looks)} seeds, and a change with a verdict "
        "was trained no further. The verdicts allow for all looks; an interval is that of a "
        "single look."
    )
    return [intervals, verdicts, repeated]


def settings(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the settings, the fingerprint and the time."""
    study, text = found["study"], GainText.of(found)
    smallest = study.get("smallest")
    better = "larger" if study["larger_is_better"] else "smaller"
    facts = {
        "data": study["data"],
        "task": study["task"],
        "outcome": f"{figure_name(study['outcome'])}, {better} is better",
        "network": study["network"],
        "training examples": thousands(study["train"]),
        "validation examples": thousands(study["validation"] or 0),
        "test examples": thousands(study["test"] or 0),
        "seeds": number_of(study["seeds"], "seed"),
        "looks after": setting_text(study.get("looks") or []),
        "smallest difference that matters": text.setting(smallest) if smallest else None,
        "level of the intervals": whole_percent(study["level"]),
        "time in all": duration(study["seconds"]),
        "fingerprint": study["fingerprint"],
    }
    return [(name, value) for name, value in facts.items() if value is not None]
