"""Several runs of one task, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from neuropil.core import Network
from neuropil.runs.figures.confidence_interval import wilson_interval
from neuropil.text import all_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neuropil.runs.run_folder import Run
    from neuropil.training import History

# Settings that decide which examples a part of the data holds.
SPLIT = ("data", "target", "seed", "validation", "test", "split_by")
PARTS = ("test", "validation")


@final
@dataclass(frozen=True)
class Comparison:
    """Several runs of one task, side by side.

    Args:
        runs: The runs, at least two.

    Raises:
        ValueError: If there are fewer than two, or they do not predict the same.
    """

    runs: Sequence[Run]

    def __post_init__(self) -> None:
        if len(self.runs) < 2:
            raise ValueError("a comparison needs at least two runs.")
        first, *others = self.runs
        for run in others:
            if goal_of(run) != goal_of(first):
                raise ValueError(
                    f"{first.path} and {run.path} cannot be compared: one is for "
                    f"{describe(first)}, the other for {describe(run)}."
                )

    @property
    def names(self) -> list[str]:
        """The name of each run: its folder, with the parents if two folders have one name."""
        short = [run.path.resolve().name for run in self.runs]
        unique = len(set(short)) == len(short)
        return short if unique else [str(run.path) for run in self.runs]

    @cached_property
    def settings(self) -> dict[str, list[Any]]:
        """The settings that differ, with the value in each run; None if a run lacks it."""
        names = dict.fromkeys(name for run in self.runs for name in run.settings)
        values = {name: [run.settings.get(name) for run in self.runs] for name in names}
        return {
            name: each for name, each in values.items() if any(v != each[0] for v in each[1:])
        }

    def figures(self, part: str) -> dict[str, list[float | None]]:
        """Return the metrics on one part, with the value of each run; the loss comes last.

        Args:
            part: ``"test"``, ``"validation"`` or ``"train"``.
        """
        own = [run.figures.get(part, {}) for run in self.runs]
        names = dict.fromkeys(name for figures in own for name in figures)
        ordered = sorted(names, key=lambda name: name == "loss")
        return {name: [figures.get(name) for figures in own] for name in ordered}

    @cached_property
    def parameters(self) -> list[int | None]:
        """The number of parameters of each network; None for a classic network."""
        networks = (run.network() for run in self.runs)
        return [
            sum(weight.numel() for weight in network.parameters())
            if isinstance(network, Network)
            else None
            for network in networks
        ]

    @cached_property
    def histories(self) -> list[History]:
        """The history of each run."""
        return [run.history() for run in self.runs]

    @property
    def epochs(self) -> list[int]:
        """The number of epochs of each run."""
        return list(map(len, self.histories))

    @property
    def seconds(self) -> list[float | None]:
        """The duration of each training in seconds."""
        return [run.times.get("seconds") for run in self.runs]

    def best(self, name: str, values: Sequence[float | None]) -> float | None:
        """Return the best value of a metric; None if it is not known which is better.

        Args:
            name: Name of the metric, such as ``"accuracy"`` or ``"r2 of price"``.
            values: Its values.
        """
        known = {
            metric.name: metric.greater_is_better for metric in self.runs[0].task.metrics()
        }
        greater = (known | {"loss": False}).get(name.partition(" of ")[0])
        present = [value for value in values if value is not None]
        if greater is None or len(set(present)) < 2:
            return None
        return max(present) if greater else min(present)

    @property
    def notes(self) -> list[str]:
        """Notes on what keeps the figures from being compared."""
        first = self.runs[0]
        other = [
            name
            for name, run in zip(self.names, self.runs, strict=True)
            if not same_examples(run, first)
        ]
        if not other:
            return []
        verb = "was" if len(other) == 1 else "were"
        note = (
            f"{all_of(other)} {verb} measured on other examples than {self.names[0]}: the "
            "data, or how they are split, differ."
        )
        return [note]

    @property
    def caution(self) -> str:
        """A sentence on the uncertainty of the accuracies; empty where there are none."""
        accuracies = [value for value in self.figures("test").get("accuracy", ()) if value]
        count = self.runs[0].data.get("test")
        if not accuracies or not count:
            return ""
        low, high = wilson_interval(round(max(accuracies) * count), count)
        return (
            f"On {count:,} test examples the best accuracy, {max(accuracies):.1%}, has a 95 % "
            f"interval from {low:.1%} to {high:.1%}: smaller differences may be chance."
        )


def goal_of(run: Run) -> tuple[Any, ...]:
    """Return the parts of a target that must be equal in runs to be compared."""
    target = run.task.target
    return run.task.name, getattr(target, "classes", None), tuple(target.names)


def describe(run: Run) -> str:
    """Return the task of a run in a few words."""
    name, goal = run.task.name, run.task.goal()
    return goal if goal.startswith(name) else f"{name} of {goal}"


def same_examples(run: Run, other: Run) -> bool:
    """Tell whether the parts of the data of two runs hold the same examples."""
    if any(run.settings.get(name) != other.settings.get(name) for name in SPLIT):
        return False
    if sizes(run.data) != sizes(other.data):
        return False
    # With equal preparations the fingerprints tell whether the files have changed.
    prepared_alike = run.data.get("preparation") == other.data.get("preparation")
    return not prepared_alike or run.data.get("fingerprint") == other.data.get("fingerprint")


def sizes(data: Mapping[str, Any]) -> list[Any]:
    """Return the number of examples in each part."""
    return [data.get(part) for part in ("train", "validation", "test")]
