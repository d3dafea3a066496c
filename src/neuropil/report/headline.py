"""The result in plain words: one sentence, then what one should know beside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from neuropil.report.evidence import WORDS, per_class
from neuropil.report.html import Content, Html, element
from neuropil.report.score_strip import strip
from neuropil.report.wording import (
    INTERVAL,
    counted,
    duration,
    examples_of,
    figure_text,
    interval,
    number,
    percent,
)
from neuropil.runs.baseline import flatters
from neuropil.runs.classic_model import ClassicModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.report.subject import Subject

FEW = 100
# A loss that changes by less than this over the last tenth of the training stands still.
STILL_FALLING = 0.02
RISEN = 1.2
# Smaller differences between training and held-out figures are not worth a line.
NOTABLE_GAP, NOTABLE_RATIO = 0.01, 1.2
# More classes than this are counted, not named.
MOST_NAMES = 3


def summary(subject: Subject) -> Html:
    """Return the result in plain words."""
    name, sentence = sentence_of(subject)
    figure = subject.measured[name]
    shown = element("span", figure_text(name, figure.value), class_="figure")
    remarks = [element("li", remark) for remark in remarks_on(subject)]
    return element(
        "section",
        element("p", shown, " ", sentence, class_="headline"),
        strip(name, figure, guess(subject)),
        element("ul", remarks, class_="remarks"),
        id="summary",
        aria_label="Summary",
    )


def sentence_of(subject: Subject) -> tuple[str, str]:
    """Return the main figure's name, and the sentence that goes on from its value."""
    on = examples_of(subject.evidence, subject.splits.kind)
    name = main_figure(subject)
    figure = subject.measured[name]
    chance = f"({INTERVAL} {interval(name, figure)})"
    if name == "balanced_accuracy":
        return name, (
            f"is the balanced accuracy of {on} {chance}, where guessing gives "
            f"{percent(guess(subject))}: {missed(subject)}."
        )
    if name == "r2":
        surely = "no" if figure.value <= 0 else "not surely"
        return name, (
            f"is R² over {on} {chance}: predictions of {subject.target} are {surely} better "
            f"than always answering the training mean."
        )
    if name == "mean_absolute_error":
        return name, f"is the mean error in predicting {subject.target}, over {on} {chance}."
    what = "named" if subject.splits.kind == "pictures" else "classified"
    verb = "is" if len(subject.evidence.targets) == 1 else "are"
    return name, f"of {on} {verb} {what} right {chance}."


def main_figure(subject: Subject) -> str:
    """Return the figure that says whether the network does more than guess."""
    measured = subject.measured
    if subject.evidence.classes is None:
        return "r2" if not measured["r2"].low > 0 else "mean_absolute_error"
    accuracy, balanced = measured["accuracy"], measured["balanced_accuracy"]
    usual = usual_share(subject)
    hidden = flatters(accuracy.value, accuracy.low, balanced.value, usual)
    return "balanced_accuracy" if hidden else "accuracy"


def missed(subject: Subject) -> str:
    """Return which classes are never found, or which is found least."""
    classes = subject.evidence.classes or ()
    found = list(zip(classes, per_class(subject.evidence.confusion), strict=True))
    never = [(name, row[0]) for name, row in found if row[2] == 0]
    if not never:
        name, (count, _, recall, _) = min(
            (each for each in found if each[1][0]), key=lambda each: each[1][2]
        )
        return f"of “{name}”, {round(recall * count)} of {count} are found"
    if len(never) == 1:
        name, count = never[0]
        return f"none of the {counted(count, subject.noun)} of “{name}” is found"
    names = [f"“{name}”" for name, _ in never[:MOST_NAMES]]
    if len(never) > len(names):
        names.append(f"{len(never) - len(names)} more")
    return f"nothing of the classes {', '.join(names[:-1])} and {names[-1]} is found"


def guess(subject: Subject) -> float:
    """Return what the main figure would be if the answer were always the same."""
    name = main_figure(subject)
    if name == "balanced_accuracy":
        return 1 / len(np.unique(subject.evidence.targets))
    if name == "r2":
        return 0.0
    return usual_share(subject) if name == "accuracy" else usual_error(subject)


def usual_share(subject: Subject) -> float:
    """Return the share of the most frequent class of the training part."""
    return float((subject.evidence.targets == usual_class(subject)).mean())


def usual_error(subject: Subject) -> float:
    """Return the mean error of always answering the training mean."""
    mean = np.asarray(subject.splits.preparation.target.mean)
    return float(np.abs(subject.evidence.targets - mean).mean())


def usual_class(subject: Subject) -> int:
    """Return the most frequent class of the training part."""
    targets = subject.splits.train.targets
    return 0 if targets is None else int(np.bincount(targets.cpu().numpy()).argmax())


def remarks_on(subject: Subject) -> Iterator[Content]:
    """Yield what one should know beside the main figure."""
    yield from caution(subject)
    if subject.evidence.classes is None:
        yield from regression_remarks(subject)
    else:
        yield from classification_remarks(subject)
        yield from certainty(subject)
    yield from fit(subject)
    yield from course(subject)
    network = subject.network
    if isinstance(network, ClassicModel):
        name = type(network.estimator).__name__
        yield f"{name} was fitted in {duration(subject.seconds)}."
        return
    parameters = sum(parameter.numel() for parameter in network.parameters())
    took = f" in {duration(subject.seconds)}" if subject.seconds else ""
    epochs = counted(len(subject.history), "epoch")
    yield f"The network has {parameters:,} parameters and was trained for {epochs}{took}."


def caution(subject: Subject) -> Iterator[Content]:
    """Say where the figures are less than they look."""
    part, count = subject.evidence.part, len(subject.evidence.targets)
    if part == "validation":
        yield (
            f"There was no test part. These {subject.noun}s were watched during the training, "
            "so new ones may fare a little worse."
        )
    if part == "train":
        yield (
            f"Nothing was held out: these are the very {subject.noun}s it learned from, and "
            "the figures say little about new ones."
        )
    if part != "train" and count < FEW:
        yield f"Only {counted(count, subject.noun)} to judge by: the figures are rough."


def classification_remarks(subject: Subject) -> Iterator[Content]:
    """Say what guessing would give, and where the mistakes are."""
    evidence, classes = subject.evidence, subject.evidence.classes or ()
    usual = classes[usual_class(subject)]
    always = f"lways answering “{usual}”, the most frequent class, would be right for"
    if main_figure(subject) == "accuracy":
        yield f"A{always} {percent(usual_share(subject))}."
    else:
        right = percent(subject.measured["accuracy"].value)
        yield f"It is right for {right}; a{always} {percent(usual_share(subject))}."
    mistakes = int((~evidence.right).sum())
    if not mistakes:
        yield f"It makes no mistake on these {subject.noun}s."
        return
    off = evidence.confusion - np.diag(np.diag(evidence.confusion))
    true, said = np.unravel_index(off.argmax(), off.shape)
    if off.max() > 1:
        often = f"{off.max()} of {counted(mistakes, 'mistake')}"
        yield f"Most often “{classes[true]}” is taken for “{classes[said]}”: {often}."
    else:
        yield f"It makes {counted(mistakes, 'mistake')}, none of them twice."
    worst = int(np.nanargmin([recall for _, _, recall, _ in per_class(evidence.confusion)]))
    found, of = evidence.confusion[worst, worst], evidence.confusion[worst].sum()
    if len(classes) > 2 and of - found > 1:
        yield f"The hardest class is “{classes[worst]}”: {found} of {of} are found."


def certainty(subject: Subject) -> Iterator[Content]:
    """Say whether its probabilities can be taken at their word."""
    sure = float(subject.evidence.outputs.max(axis=1).mean())
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
    yield f"It is {percent(sure)} sure on average and right for {right}: {verdict}."


def regression_remarks(subject: Subject) -> Iterator[Content]:
    """Say how much is explained, what guessing would give, and how far off it may be."""
    evidence, figure = subject.evidence, subject.measured["r2"]
    error = np.abs(evidence.outputs - evidence.targets)
    usual = number(usual_error(subject))
    yield f"Always answering the training mean would be off by {usual} on average."
    yield (
        f"It explains {percent(max(figure.value, 0))} of the variation "
        f"(R² {number(figure.value)}, {INTERVAL} {interval('r2', figure)})."
    )
    half, most = map(number, np.quantile(error, [0.5, 0.9]))
    yield f"Half of the predictions are off by less than {half}, nine in ten by {most} at most."


def fit(subject: Subject) -> Iterator[Content]:
    """Say how much better it is on what it learned from, where that is more than chance."""
    part, classes = subject.evidence.part, subject.evidence.classes
    name = "mean_absolute_error" if classes is None else "accuracy"
    trained = subject.figures.get("train", {}).get(name)
    if part == "train" or trained is None:
        return
    held = subject.measured[name]
    if classes is None:
        apart = trained < held.low and trained < held.value / NOTABLE_RATIO
        what = "the mean error is"
    else:
        apart = trained > held.high and trained > held.value + NOTABLE_GAP
        what = "its accuracy is"
    if apart:
        yield (
            f"On the training {subject.noun}s {what} {figure_text(name, trained)}: the "
            f"difference to the {WORDS[part]} ones is what it learned by heart."
        )


def course(subject: Subject) -> Iterator[Content]:
    """Say whether the training was too short or too long."""
    history = subject.history
    if "validation_loss" not in history.columns or len(history) < 5:
        return
    losses = [math.nan if v is None else float(v) for v in history.column("validation_loss")]
    if not all(math.isfinite(loss) and loss > 0 for loss in losses):
        return
    before, last, best = losses[-1 - max(1, len(losses) // 10)], losses[-1], min(losses)
    faultless = subject.evidence.classes is not None and bool(subject.evidence.right.all())
    if last == best and last < before * (1 - STILL_FALLING) and not faultless:
        yield "The validation loss was still falling at the end: more epochs may help."
    if last > best * RISEN and losses.index(best) < 0.7 * len(losses):
        yield (
            f"The validation loss was lowest in epoch {losses.index(best) + 1} and has risen "
            "since: fewer epochs, more data or augmentation may help."
        )
