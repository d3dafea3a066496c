"""The result of a classification in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from neuropil.report.classification_figures import counts_of, per_class
from neuropil.report.sections.base import Headline
from neuropil.report.sections.summary_section import memorised_remark
from neuropil.report.wording import INTERVAL, interval, percent
from neuropil.runs.figures.baseline import is_misleading
from neuropil.runs.figures.decoded_metric import figure_of
from neuropil.text import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.report.evidence import Figure
    from neuropil.report.subject import Subject

# Smaller differences between training and held-out accuracy are not worth a remark.
NOTABLE_GAP = 0.01
# More classes than this are counted, not named.
MOST_NAMES = 3


def classification_headline(subject: Subject) -> Headline:
    """Return F1 of a rare class, else the accuracy, or the balanced one where it misleads."""
    name = main_figure(subject)
    figure = subject.measured[name]
    chance = f"({INTERVAL} {interval(name, figure)})"
    if name.startswith("f1 of "):
        return rare_class_headline(subject, name, chance)
    if name == "accuracy":
        verb = "is" if len(subject.evidence.targets) == 1 else "are"
        sentence = f"of {subject.examples} {verb} classified correctly {chance}."
        return Headline(name, figure, majority_share(subject), sentence)
    guess = 1 / len(np.unique(subject.evidence.targets))
    return Headline(
        name,
        figure,
        guess,
        f"is the balanced accuracy on {subject.examples} {chance}. Guessing gives "
        f"{percent(guess)}; the network finds {missed_classes(subject)}.",
    )


def rare_class_headline(subject: Subject, name: str, chance: str) -> Headline:
    """Return F1 of a rare class, with the numbers that it consists of."""
    task: Any = subject.evidence.task
    hits, predicted, members = counts_of(subject.evidence, task.sought)
    share = members / len(subject.evidence.targets)
    right = f", and {hits} of {predicted} such predictions are right" if predicted else ""
    return Headline(
        name,
        subject.measured[name],
        2 * share / (1 + share),
        f"is the F1 of “{task.positive}” on {subject.examples} {chance}: {hits} of its "
        f"{number_of(members, subject.noun)} are found{right}.",
    )


def main_figure(subject: Subject) -> str:
    """Return the name of the metric that shows whether the network beats guessing."""
    rare = figure_of("f1", getattr(subject.evidence.task, "positive", None) or "")
    if rare in subject.measured:
        return rare
    accuracy, balanced = subject.measured["accuracy"], subject.measured["balanced_accuracy"]
    hidden = is_misleading(
        accuracy.value, accuracy.low, balanced.value, majority_share(subject)
    )
    return "balanced_accuracy" if hidden else "accuracy"


def missed_classes(subject: Subject) -> str:
    """Return the classes that are never found, or the one with the lowest recall, in words."""
    evidence = subject.evidence
    found = list(zip(evidence.classes, per_class(evidence.confusion), strict=True))
    never = [(name, row[0]) for name, row in found if row[2] == 0]
    if not never:
        name, (count, _, recall, _) = min(
            (each for each in found if each[1][0]), key=lambda each: each[1][2]
        )
        return f"{round(recall * count)} of the {number_of(count, subject.noun)} of “{name}”"
    if len(never) == 1:
        name, count = never[0]
        return f"none of the {number_of(count, subject.noun)} of “{name}”"
    names = [f"“{name}”" for name, _ in never[:MOST_NAMES]]
    if len(never) > len(names):
        names.append(f"{len(never) - len(names)} more")
    return f"no {subject.noun} of the classes {', '.join(names[:-1])} and {names[-1]}"


def majority_share(subject: Subject) -> float:
    """Return the accuracy of always predicting the most frequent training class."""
    return float((subject.evidence.targets == majority_class(subject)).mean())


def majority_class(subject: Subject) -> int:
    """Return the most frequent class of the training part."""
    targets = subject.splits.train.targets
    return 0 if targets is None else int(np.bincount(targets.cpu().numpy()).argmax())


def classification_remarks(subject: Subject) -> Iterator[str]:
    """Yield remarks on guessing, on the mistakes, on confidence and on overfitting."""
    yield guessing_remark(subject)
    yield from threshold_remark(subject)
    yield from missed_remark(subject)
    yield from mistake_remarks(subject)
    yield certainty_remark(subject)
    yield from memorised_remark(subject, "accuracy", "the accuracy is", exceeds_chance)


def exceeds_chance(trained: float, held: Figure) -> bool:
    """Tell whether a training accuracy is above the held-out one by more than chance."""
    return trained > held.high and trained > held.value + NOTABLE_GAP


def guessing_remark(subject: Subject) -> str:
    """Return a sentence on the accuracy of always predicting the most frequent class."""
    usual = subject.evidence.classes[majority_class(subject)]
    always = (
        f"lways answering “{usual}”, the most frequent class in training, would give an "
        f"accuracy of {percent(majority_share(subject))}."
    )
    if main_figure(subject) == "accuracy":
        return f"A{always}"
    return f"The accuracy is {percent(subject.measured['accuracy'].value)}; a{always}"


def threshold_remark(subject: Subject) -> Iterator[str]:
    """Yield a remark on the threshold of a rare class, and on what one half would find."""
    evidence, task = subject.evidence, cast("Any", subject.evidence.task)
    if task.threshold is None:
        return
    found = evidence.answers[:, task.sought] > 0.5
    hits = int((found & (evidence.targets == task.sought)).sum())
    yield (
        f"“{task.positive}” is predicted if its probability is above "
        f"{percent(task.threshold)}. This threshold was chosen on the validation part, for the "
        f"largest expected F1. With {percent(0.5)}, {hits} would be found, in "
        f"{number_of(int(found.sum()), 'prediction')}."
    )


def missed_remark(subject: Subject) -> Iterator[str]:
    """Yield the advice to weight classes, if one is hardly ever found."""
    evidence, task = subject.evidence, cast("Any", subject.evidence.task)
    answers, targets = map(torch.from_numpy, (evidence.answers, evidence.targets))
    if subject.settings.get("class_weight") is None:
        yield from task.advice(answers, targets)


def mistake_remarks(subject: Subject) -> Iterator[str]:
    """Yield remarks on the most frequent mistake and on the hardest class."""
    evidence, classes = subject.evidence, subject.evidence.classes
    mistakes = int((~evidence.right).sum())
    if not mistakes:
        yield f"The network makes no mistakes on these {subject.noun}s."
        return
    confusion = evidence.confusion
    off = confusion - np.diag(np.diag(confusion))
    true, predicted = np.unravel_index(off.argmax(), off.shape)
    if off.max() > 1:
        often = f"{off.max()} of {number_of(mistakes, 'mistake')}"
        yield f"Most often, “{classes[true]}” is mistaken for “{classes[predicted]}”: {often}."
    else:
        alike = "; no two are alike" if mistakes > 1 else ""
        yield f"The network makes {number_of(mistakes, 'mistake')}{alike}."
    worst = int(np.nanargmin([recall for _, _, recall, _ in per_class(confusion)]))
    found, of = confusion[worst, worst], confusion[worst].sum()
    if len(classes) > 2 and of - found > 1:
        examples = number_of(int(of), subject.noun)
        yield f"The hardest class is “{classes[worst]}”: {found} of its {examples} are found."


def certainty_remark(subject: Subject) -> str:
    """Return a sentence that compares mean confidence and accuracy."""
    sure = float(subject.evidence.answers.max(axis=1).mean())
    figure = subject.measured["accuracy"]
    if main_figure(subject) != "accuracy":
        verdict = (
            "this says little if a constant answer is as accurate or the classes are uneven"
        )
    elif sure > figure.high:
        verdict = "it is overconfident"
    elif sure < figure.low:
        verdict = "it is underconfident"
    else:
        verdict = "its probabilities can be trusted"
    return (
        f"On average the network is {percent(sure)} sure, and it is right in "
        f"{percent(figure.value)} of the cases: {verdict}."
    )
