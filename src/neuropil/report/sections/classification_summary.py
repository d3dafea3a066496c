"""The result of a classification in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.report.evidence import per_class
from neuropil.report.sections.base import Headline
from neuropil.report.sections.summary_section import memorised_remark
from neuropil.report.wording import INTERVAL, interval, percent
from neuropil.runs.baseline import flatters
from neuropil.text import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.report.evidence import Figure
    from neuropil.report.subject import Subject

# Smaller differences between training and held-out accuracy are not worth a line.
NOTABLE_GAP = 0.01
# More classes than this are counted, not named.
MOST_NAMES = 3


def classification_headline(subject: Subject) -> Headline:
    """Return the accuracy, or the balanced accuracy where the accuracy flatters."""
    name = main_figure(subject)
    figure = subject.measured[name]
    chance = f"({INTERVAL} {interval(name, figure)})"
    if name == "accuracy":
        verb = "is" if len(subject.evidence.targets) == 1 else "are"
        sentence = f"of {subject.examples} {verb} {subject.data.verb} right {chance}."
        return Headline(name, figure, usual_share(subject), sentence)
    guess = 1 / len(np.unique(subject.evidence.targets))
    return Headline(
        name,
        figure,
        guess,
        f"is the balanced accuracy of {subject.examples} {chance}, where guessing gives "
        f"{percent(guess)}: {missed_classes(subject)}.",
    )


def main_figure(subject: Subject) -> str:
    """Return the figure that says whether the network does more than guess."""
    accuracy, balanced = subject.measured["accuracy"], subject.measured["balanced_accuracy"]
    hidden = flatters(accuracy.value, accuracy.low, balanced.value, usual_share(subject))
    return "balanced_accuracy" if hidden else "accuracy"


def missed_classes(subject: Subject) -> str:
    """Return which classes are never found, or which is found least."""
    evidence = subject.evidence
    found = list(zip(evidence.classes, per_class(evidence.confusion), strict=True))
    never = [(name, row[0]) for name, row in found if row[2] == 0]
    if not never:
        name, (count, _, recall, _) = min(
            (each for each in found if each[1][0]), key=lambda each: each[1][2]
        )
        return f"of “{name}”, {round(recall * count)} of {count} are found"
    if len(never) == 1:
        name, count = never[0]
        return f"none of the {number_of(count, subject.noun)} of “{name}” is found"
    names = [f"“{name}”" for name, _ in never[:MOST_NAMES]]
    if len(never) > len(names):
        names.append(f"{len(never) - len(names)} more")
    return f"nothing of the classes {', '.join(names[:-1])} and {names[-1]} is found"


def usual_share(subject: Subject) -> float:
    """Return the share of the most frequent class of the training part."""
    return float((subject.evidence.targets == usual_class(subject)).mean())


def usual_class(subject: Subject) -> int:
    """Return the most frequent class of the training part."""
    targets = subject.splits.train.targets
    return 0 if targets is None else int(np.bincount(targets.cpu().numpy()).argmax())


def classification_remarks(subject: Subject) -> Iterator[str]:
    """Yield what guessing would give, where the mistakes are, and how sure it is."""
    yield guessing(subject)
    yield from where_mistakes_are(subject)
    yield certainty_remark(subject)
    yield from memorised_remark(subject, "accuracy", "its accuracy is", is_apart)


def is_apart(trained: float, held: Figure) -> bool:
    """Tell whether an accuracy in training is more than chance above the held-out one."""
    return trained > held.high and trained > held.value + NOTABLE_GAP


def guessing(subject: Subject) -> str:
    """Return the accuracy of always naming the most frequent class, as a sentence."""
    usual = subject.evidence.classes[usual_class(subject)]
    always = (
        f"lways answering “{usual}”, the most frequent class, would be right for "
        f"{percent(usual_share(subject))}."
    )
    if main_figure(subject) == "accuracy":
        return f"A{always}"
    return f"It is right for {percent(subject.measured['accuracy'].value)}; a{always}"


def where_mistakes_are(subject: Subject) -> Iterator[str]:
    """Yield which classes are confused, and which is the hardest."""
    evidence, classes = subject.evidence, subject.evidence.classes
    mistakes = int((~evidence.right).sum())
    if not mistakes:
        yield f"It makes no mistake on these {subject.noun}s."
        return
    confusion = evidence.confusion
    off = confusion - np.diag(np.diag(confusion))
    true, said = np.unravel_index(off.argmax(), off.shape)
    if off.max() > 1:
        often = f"{off.max()} of {number_of(mistakes, 'mistake')}"
        yield f"Most often “{classes[true]}” is taken for “{classes[said]}”: {often}."
    else:
        yield f"It makes {number_of(mistakes, 'mistake')}, none of them twice."
    worst = int(np.nanargmin([recall for _, _, recall, _ in per_class(confusion)]))
    found, of = confusion[worst, worst], confusion[worst].sum()
    if len(classes) > 2 and of - found > 1:
        yield f"The hardest class is “{classes[worst]}”: {found} of {of} are found."


def certainty_remark(subject: Subject) -> str:
    """Return whether its probabilities can be taken at their word."""
    sure = float(subject.evidence.answers.max(axis=1).mean())
    figure = subject.measured["accuracy"]
    if main_figure(subject) != "accuracy":
        verdict = "that says little where a constant answer does as well or classes are uneven"
    elif sure > figure.high:
        verdict = "it is too sure of itself"
    elif sure < figure.low:
        verdict = "it is more often right than it says"
    else:
        verdict = "its probabilities can be taken at their word"
    right = percent(figure.value)
    return f"It is {percent(sure)} sure on average and right for {right}: {verdict}."
