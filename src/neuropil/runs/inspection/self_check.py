"""A self-check before a training: can this network learn a few of these labels at all?"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import torch
from typing_extensions import override

from neuropil.datasets.loading import in_memory
from neuropil.runs.labels import labels_of, with_encoded_labels
from neuropil.runs.measure import measure
from neuropil.text import all_of, number_of
from neuropil.training.callbacks import Callback
from neuropil.training.nonfinite import NonFiniteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.datasets import Splits
    from neuropil.datasets.source import Source
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Figures, Task
    from neuropil.training.trainer import Trainer

EXAMPLES = 8
OUT_OF_TIME = "out of time"
SECONDS = 55.0
"""The training ends after this processor time, so that a check with all else takes a minute."""
PATIENCE = 4
"""It also ends after this many times as long by the clock, on a machine with other work."""
MOST_STEPS = 2000
EACH_ROUND = 25
"""Steps between two measurements."""
GOOD = 0.9
"""The headline figure that shows that the labels were learnt."""
NEAR_ZERO = 0.05
"""A loss below this share of the first one is near its floor, for figures that are errors."""
FALLING = 0.9
"""A loss that fell below this share in the last quarter of the time was still falling."""
MOST_LOOKED_AT = 2000
"""The examples are chosen from at most this many."""


@final
@dataclass(frozen=True)
class SelfCheck:
    """The result of a self-check.

    Args:
        passed: Whether the network has learnt the labels.
        metric: Name of the main metric, or "loss" where that is unknown.
        value: Its value; None if that is not finite.
        failure: What it means that the network has not learnt them; empty if it has.
        examples: The number of examples.
        steps: The number of steps.
        seconds: The duration of the training.
    """

    passed: bool
    metric: str
    value: float | None
    failure: str
    examples: int
    steps: int
    seconds: float

    def sentence(self, metric: str) -> str:
        """Return the result in words, on one line.

        Args:
            metric: The name of the metric in words.
        """
        value = "unknown" if self.value is None else f"{self.value:.4g}"
        effort = f"{number_of(self.steps, 'step')} ({self.seconds:.0f} s)"
        on = (
            f"{metric} {value} on {number_of(self.examples, 'training example')} after {effort}"
        )
        if self.passed:
            return f"the network can learn these labels: {on}."
        return f"the network does not learn these labels: {on}. {self.failure}"


def self_check(
    splits: Splits, task: Task[Any], made: Recipe, *, seconds: float = SECONDS, **options: Any
) -> SelfCheck:
    """Train the network of a recipe on eight examples until it has learnt their labels.

    A network that cannot learn eight examples by heart cannot learn from thousands: the labels
    do not belong to the inputs, the network does not fit the task, or the learning rate is
    wrong. The examples have different labels where there are any, and are not augmented. They
    are learnt if the main metric of the task reaches 0.9 on them; for metrics that are errors,
    if the loss falls below a twentieth.

    Args:
        splits: The data, whose training part is used.
        task: The task.
        made: The recipe; its network is trained.
        seconds: The processor time after which the training ends.
        **options: Options of `Trainer`, such as its device.

    Raises:
        ValueError: If the training examples have no labels.
    """
    data = some_examples(splits.train)
    deadline = Deadline(seconds)
    plain = replace(made, schedule=None, augment=None, ema=None, patience=None, keep_best=False)
    trainer = task.trainer(plain, [deadline], progress=False, workers=0, **options)
    encoded = with_encoded_labels(data, task)
    figures: Figures = {}
    losses: list[float] = []
    failure, passed = "", False
    while not (passed or trainer.stop_reason or trainer.steps >= MOST_STEPS):
        try:
            trainer.fit(encoded, epochs=EACH_ROUND, batch_size=EXAMPLES)
        except NonFiniteError as error:
            failure = str(error)
            break
        figures = measure(made.network, data, task)
        losses += [*trainer.history["loss"][:1], figures["loss"]][bool(losses) :]
        passed = is_learnt(figures, losses[0], task)
    if not (passed or failure):
        failure = equal_inputs(data) or diagnose(losses, trainer.stop_reason)
    metric = task.main_metric().name
    if figures.get(metric) is None:
        metric = "loss"
    value = figures.get(metric)
    effort = len(data), trainer.steps, deadline.elapsed
    return SelfCheck(passed, metric, value, failure, *effort)


def is_learnt(figures: Figures, first: float, task: Task[Any]) -> bool:
    """Tell whether figures show that the labels are known by heart.

    Args:
        figures: The figures on the examples.
        first: The loss before the first step.
        task: The task.
    """
    metric = task.main_metric()
    value, loss = figures.get(metric.name), figures["loss"]
    if value is not None and metric.greater_is_better:
        return value >= GOOD
    return loss is not None and loss < NEAR_ZERO * first


def diagnose(losses: Sequence[float | None], stop_reason: str) -> str:
    """Return an explanation of a loss that did not come near its floor."""
    last, before = (losses[place] for place in (-1, 3 * len(losses) // 4 - 1))
    falling = last is not None and before is not None and last < FALLING * before
    if stop_reason == OUT_OF_TIME and falling:
        return (
            "The loss was still falling when the time was over: the network may learn, but "
            "slowly. A smaller network or smaller pictures are checked sooner."
        )
    return (
        "A network that can learn knows so few by heart: the labels do not belong to the "
        "inputs, the network is too small for them, or the learning rate does not suit it "
        "(--lr)."
    )


def equal_inputs(data: Source) -> str:
    """Return a sentence about two examples with equal inputs and different labels, if any."""
    targets = labels_of(data)
    inputs = [data.fetch([place]).inputs for place in range(len(data))]
    for second in range(len(data)):
        for first in range(second):
            same = torch.equal(inputs[first], inputs[second])
            if same and not torch.equal(targets[first], targets[second]):
                names = data.names or [f"no. {place + 1}" for place in range(len(data))]
                return (
                    f"{all_of([names[first], names[second]])} are equal but have different "
                    "labels, which no network can learn: look for labels that went astray."
                )
    return ""


def some_examples(train: Source) -> Source:
    """Return eight training examples, with different labels where there are any.

    Examples of one size are kept in memory, so that each step does not read them again.
    """
    targets = labels_of(train)
    step = max(1, len(train) // MOST_LOOKED_AT)
    candidates = torch.arange(0, len(train), step)
    rows = targets[candidates].reshape(len(candidates), -1)
    _, groups = rows.unique(dim=0, return_inverse=True)
    seen: dict[int, int] = {}
    # The first of each label, then the second of each, and so on.
    turns = []
    for place, group in enumerate(groups.tolist()):
        seen[group] = seen.get(group, 0) + 1
        turns.append((seen[group], place))
    chosen = candidates[[place for _, place in sorted(turns)[:EXAMPLES]]]
    some = train[chosen]
    return some if None in train.input_shape else in_memory(some)


class Deadline(Callback):
    """Stops a training after some time.

    Args:
        seconds: The processor time.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.begun = time.monotonic()
        self.worked = time.process_time()

    @property
    def elapsed(self) -> float:
        """Seconds since the start by the clock."""
        return time.monotonic() - self.begun

    @override
    def on_step(self, trainer: Trainer) -> None:
        worked = time.process_time() - self.worked
        if worked > self.seconds or self.elapsed > PATIENCE * self.seconds:
            trainer.stop(OUT_OF_TIME)
