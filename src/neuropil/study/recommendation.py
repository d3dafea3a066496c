"""The recommendation of a study, in plain sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from neuropil.study.gain_digits import gain_decimals, gain_digits, is_known, signed
from neuropil.study.tricks.trick_pairs import TIMES
from neuropil.text import all_of, figure_name, number_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HELPS, HURTS, SAME, UNKNOWN = "helps", "hurts", "no difference", "cannot tell"
# A change of the time of a training by less than this part is not worth a word.
NOTABLE = 0.05
# With fewer test examples hardly any difference can be told.
FEW_EXAMPLES = 50
# Of more changes that cannot be told, only the most promising is named.
MOST_NAMED = 4


def recommendation(found: Mapping[str, Any]) -> list[str]:
    """Return the recommendation of a study as sentences, the most important first.

    Args:
        found: The content of ``study.json``, without its recommendation.

    Example:
        >>> elu = {
        ...     "name": "elu",
        ...     "title": "ELU in place of ReLU",
        ...     "group": "activation",
        ...     "gain": 0.8,
        ...     "low": 0.2,
        ...     "high": 1.4,
        ...     "verdict": "helps",
        ...     "seconds": 3.6,
        ...     "failed": 0,
        ... }
        >>> study = {"outcome": "accuracy", "unit": "points", "smallest": 0.5, "test": 900}
        >>> for line in recommendation(
        ...     {"study": study, "baseline": {"seconds": 3.0}, "variants": [elu]}
        ... ):
        ...     print(line)
        Use ELU in place of ReLU: +0.8 points of accuracy (0.2 to 1.4), 20 % more time.
    """
    by_verdict: dict[str, list[Mapping[str, Any]]] = {}
    for each in sorted(found["variants"], key=lambda each: -(each["gain"] or 0)):
        by_verdict.setdefault(each["verdict"], []).append(each)
    if found["baseline"].get("figures") == []:
        return ["The time was over before the first training: the same command again goes on."]
    lines = uses(by_verdict.get(HELPS, ()), found)
    lines += together(found)
    if not found["variants"]:
        lines.append("No change was compared with the baseline.")
    elif not lines:
        rate = rate_text(found["baseline"])
        lines.append(f"Keep the baseline{rate}: no change is known to help.")
    lines += others(by_verdict, found)
    lines += divergences(found)
    lines += interactions(found)
    lines += more_examples(found)
    test = found["study"]["test"]
    if test is not None and test < FEW_EXAMPLES:
        more = "A larger test part, such as --test 0.5, tells more."
        if test >= found["study"].get("train", math.inf):
            more = "More examples tell more."
        lines.append(
            f"There are {number_of(test, 'test example')}: too few to tell all but the largest "
            f"differences. {more}"
        )
    return lines


def uses(helping: Sequence[Mapping[str, Any]], found: Mapping[str, Any]) -> list[str]:
    """Return the sentences about the changes that help, the best first.

    Changes of one group exclude each other: after the best of them come the others.
    """
    told: list[tuple[set[str], list[str]]] = []
    for each in helping:
        groups = {*each["group"].split(TIMES)}
        lines = next((known for taken, known in told if taken & groups), None)
        if lines is None:
            lines = []
            told.append((groups, lines))
        verb = "Or" if lines else "Use"
        gain = f"{gain_text(each, found)}{time_text(each, found)}"
        lines.append(f"{verb} {each['title']}{rate_text(each)}: {gain}.")
    return [line for _, lines in told for line in lines]


def rate_text(each: Mapping[str, Any]) -> str:
    """Return the learning rate that was chosen, if it is not the usual one.

    Example:
        >>> rate_text({"lr": 0.5})
        ', with 0.5 × the learning rate'
    """
    factor = each.get("lr", 1.0)
    return "" if factor == 1 else f", with {factor:g} × the learning rate"


def together(found: Mapping[str, Any]) -> list[str]:
    """Return the sentence about the winners together."""
    both = found.get("together")
    if not both:
        return []
    count = len(both["names"])
    return [
        (
            f"All {number_of(count, 'change')} together{rate_text(both)}: "
            f"{gain_text(both, found)}"
            f"{time_text(both, found)}; the sum of their single gains is "
            f"{gain_number(both['sum'], found)}."
        )
    ]


def interactions(found: Mapping[str, Any]) -> list[str]:
    """Return the sentences about pairs of changes that are not the sum of the two."""
    pairs = [each for each in found["variants"] if each.get("interaction")]
    lines = [beyond(each, found) for each in pairs if is_certain(each["interaction"])]
    if len(lines) < len(pairs):
        other = "other " * bool(lines)
        lines.append(
            f"No {other}pair of changes is known to differ from the sum of their single gains."
        )
    return lines


def is_certain(each: Mapping[str, Any]) -> bool:
    """Return whether the interval of a difference excludes 0."""
    return each["low"] is not None and not each["low"] <= 0 <= each["high"]


def beyond(each: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return the sentence about a pair of changes that is not the sum of the two."""
    own = each["interaction"]
    more = "more" if own["gain"] > 0 else "less"
    return (
        f"{each['title']} together give {more} than the sum of their single gains: "
        f"{gain_number(own['gain'], found)}{interval(own, found)}."
    )


def others(
    by_verdict: Mapping[str, Sequence[Mapping[str, Any]]], found: Mapping[str, Any]
) -> list[str]:
    """Return the sentences about changes that do not help."""
    lines = []
    if HURTS in by_verdict:
        hurt = [
            f"{each['title']} ({gain_number(each['gain'], found)})"
            for each in reversed(by_verdict[HURTS])
            if not mostly_diverged(each)
        ]
        if hurt:
            lines.append(f"Worse: {all_of(hurt)}.")
    if SAME in by_verdict:
        smallest = f"{found['study']['smallest']:g} {found['study']['unit']}".rstrip()
        same = all_of([each["title"] for each in by_verdict[SAME]])
        lines.append(f"No difference larger than {smallest}: {same}.")
    if UNKNOWN in by_verdict:
        unknown = by_verdict[UNKNOWN]
        told = all_of([each["title"] for each in unknown])
        if len(unknown) > MOST_NAMED:
            best = unknown[0]
            told = number_of(len(unknown), "change")
            if best["gain"] is not None and best["gain"] > 0:
                told += f"; most promising is {best['title']} "
                told += f"({gain_number(best['gain'], found)})"
        lines.append(f"Cannot tell yet: {told}. {what_would_tell(unknown)}")
    return lines


def divergences(found: Mapping[str, Any]) -> list[str]:
    """Return the sentences about trainings that diverged."""
    failing = [each for each in found["variants"] if each["failed"]]
    told = {
        each["name"]: f"{each['title']} ({each['failed']} of "
        f"{each.get('seeds', 0) + each['failed']})"
        for each in failing
    }
    mostly = [told.pop(each["name"]) for each in failing if mostly_diverged(each)]
    lines: list[str] = []
    if mostly:
        lines.append(
            f"Diverged at this learning rate, mostly: {all_of(mostly)}. With --tune-lr each "
            "change has a rate of its own."
        )
    if told:
        lines.append(f"Diverged sometimes: {all_of(list(told.values()))}.")
    if failed := found["baseline"].get("failed"):
        lines.append(
            f"{number_of(failed, 'training')} of the baseline diverged: the gains are over the "
            "other seeds. A smaller learning rate (--lr) may help."
        )
    return lines


def mostly_diverged(each: Mapping[str, Any]) -> bool:
    """Return whether most trainings of a change diverged: its gain is that of the others."""
    return (each.get("failed") or 0) > each.get("seeds", 0)


def what_would_tell(unknown: Sequence[Mapping[str, Any]]) -> str:
    """Return whether seeds or test examples make the intervals wide."""
    parts = [each["error"] for each in unknown if each.get("error")]
    seeds = sum(part["seeds"] ** 2 for part in parts)
    examples = sum(part["examples"] ** 2 for part in parts)
    if not parts:
        if all(each.get("seeds", 0) < 2 for each in unknown):
            return "At least two seeds are needed for an interval."
        return "Each seed gave the same gain: more test examples may tell them apart."
    if seeds > examples:
        return "More seeds, with a longer budget, would make the intervals narrower."
    return "More test examples would make the intervals narrower; more seeds hardly would."


def more_examples(found: Mapping[str, Any]) -> list[str]:
    """Return the sentence about twice the data."""
    curve = found.get("learning_curve")
    if not curve or not curve.get("twice"):
        return []
    gain = gain_text(curve["twice"], found)
    return [f"Twice the training examples, as far as the curve tells: {gain}."]


def gain_text(each: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return a gain with its interval, such as "+0.8 points of accuracy (0.2 to 1.4)"."""
    name, unit = figure_name(found["study"]["outcome"]), found["study"]["unit"]
    gain = each["gain"]
    size = gain_digits(abs(gain), gain_decimals(found))
    if unit == "points":
        text = f"{gain_number(gain, found)} points of {name}"
    elif unit:
        text = f"{size} {unit} {'less' if gain >= 0 else 'more'}"
    else:
        text = f"{name} {'lower' if gain >= 0 else 'higher'} by {size}"
    return text + interval(each, found)


def interval(each: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return the interval of a gain in brackets; empty if it is not known."""
    ends = each["low"], each["high"]
    if not all(map(is_known, ends)):
        return ""
    low, high = (gain_digits(end, gain_decimals(found)) for end in ends)
    return f" ({low} to {high})"


def gain_number(gain: float, found: Mapping[str, Any]) -> str:
    """Return a gain with its sign, such as "+0.8", rounded as on the page."""
    return signed(gain_digits(gain, gain_decimals(found)))


def time_text(each: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return the change of the time of a training, where it is notable."""
    before = found["baseline"]["seconds"]
    if not before or each.get("seconds") is None:
        return ""
    change = each["seconds"] / before - 1
    if abs(change) < NOTABLE:
        return ""
    return f", {abs(change):.0%} {'more' if change > 0 else 'less'} time".replace("%", " %")
